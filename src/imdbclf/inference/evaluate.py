"""`imdbclf evaluate`: a checkpoint on the reviews of a source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imdbclf.data.cache import cache_folder, load_or_encode
from imdbclf.data.labels import same_meaning
from imdbclf.data.sources import open_source
from imdbclf.errors import UserError
from imdbclf.inference.checkpoint import read_checkpoint
from imdbclf.inference.evaluation import Evaluation, evaluate_checkpoint_on, flat_figures
from imdbclf.settings import DataSettings, Settings


def evaluate_checkpoint(
    path: Path,
    source: str | None = None,
    split: str = "test",
    text_column: str | None = None,
    label_column: str | None = None,
    picture: Path | None = None,
) -> dict[str, Any]:
    """The figures of a checkpoint on one part of a source.

    Args:
        path: the checkpoint.
        source: as `data.source`; None for the one that the run had.
        split: `test` or `train`, whole parts of the source.
        text_column: as `data.text_column`; None for the run's.
        label_column: as `data.label_column`; None for the run's.
        picture: where to draw how often the probabilities come true (PNG); None for nowhere.

    Raises:
        UserError: if the checkpoint or the source can't be read, the source lacks the part, or the picture's folder
            is not there.
    """
    if picture is not None and not picture.parent.is_dir():
        msg = f"--picture {picture}: there is no such folder"
        raise UserError(msg)
    checkpoint = read_checkpoint(path)
    chosen = {"source": source, "text_column": text_column, "label_column": label_column}
    config = dict(checkpoint.about["settings"])
    # An older checkpoint may have settings that say nothing about where reviews come from any more (`vocab_size`).
    known = {key: value for key, value in config["data"].items() if key in DataSettings.model_fields}
    config["data"] = known | {key: value for key, value in chosen.items() if value is not None}
    # Groups decide how training reviews are split; here nothing is, and another source may not know them.
    settings = Settings.from_config(config).data.model_copy(update={"group": None, "unlabelled": None})
    reviews_source = open_source(settings)
    cached = load_or_encode(reviews_source, cache_folder(settings.cache_dir), marks=checkpoint.features.marks)
    if split not in cached.corpus.parts:
        msg = f"--split {split}: must be {' or '.join(cached.corpus.parts)}"
        raise UserError(msg)
    negative, positive = checkpoint.about["label_names"]
    if not same_meaning(cached.label_names, (negative, positive)):
        theirs = " and ".join(cached.label_names)
        msg = f"{reviews_source.description}: the labels are {theirs}, the checkpoint's are {negative} and {positive}"
        raise UserError(msg)
    reviews = cached.corpus.parts[split]
    matrix = checkpoint.features.encode(cached.corpus, reviews)
    evaluation = evaluate_checkpoint_on(checkpoint, matrix, reviews.labels)
    if picture is not None:
        _draw(picture, reviews.labels, evaluation, f"{path.name}: {len(reviews):,} reviews, part {split}")
    about = {"data_source": reviews_source.description, "split": split, "reviews": len(reviews)}
    return flat_figures(split, evaluation) | about


def _draw(picture: Path, labels: npt.NDArray[np.int8], evaluation: Evaluation, title: str) -> None:
    from imdbclf.reports.reliability import draw_reliability  # noqa: PLC0415 - only a picture waits for Matplotlib

    draw_reliability(labels, evaluation.probabilities, evaluation.uncalibrated, picture, title)
