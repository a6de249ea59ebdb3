"""The metrics of a checkpoint on the reviews of a source; used by training and by `imdbclf evaluate`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from imdbclf.checkpoint import Checkpoint, read_checkpoint
from imdbclf.data.batches import EVALUATION_BATCH, csr_tensor
from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.corpus import EncodedReviews
from imdbclf.data.load_corpus import VARIABLE, load_cached_corpus, load_corpus
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.originals import texts_of
from imdbclf.data.prepare import with_test_part
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.sources.hub import LECTURE_DATASET, HubSource
from imdbclf.data.sources.labels import place
from imdbclf.data.split import split_reviews
from imdbclf.errors import UserError, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.model.calibration import calibrated
from imdbclf.model.losses import make_loss
from imdbclf.model.network import Network
from imdbclf.reports.metrics import Metrics, classification_metrics
from imdbclf.settings import SourceSettings
from imdbclf.storage import read_json

VALIDATION = ("val", "validation")
"""Names of the part that a run split off its training reviews."""


@dataclass(frozen=True)
class Evaluation:
    """Probabilities of being positive, float32 (n,), and the metrics that follow from them.

    `uncalibrated` are the probabilities at the temperature 1, float32 (n,).
    """

    probabilities: npt.NDArray[np.float32]
    uncalibrated: npt.NDArray[np.float32]
    metrics: Metrics


@torch.inference_mode()
def logits_of(network: Network, matrix: MultiHotMatrix) -> torch.Tensor:
    """The logit of every row, (n,) float32."""
    starts = range(0, len(matrix), EVALUATION_BATCH)
    batches = (matrix.between(start, start + EVALUATION_BATCH) for start in starts)
    return torch.cat([torch.zeros(0), *(network(csr_tensor(batch)) for batch in batches)])


def evaluate_checkpoint_on(checkpoint: Checkpoint, matrix: MultiHotMatrix, labels: npt.NDArray[np.int8]) -> Evaluation:
    """Run the network on all rows, on the CPU, and compare with the labels (n,).

    Metrics, the loss included, use the logits divided by the temperature. Without labels (-1) there are none.
    """
    logits, temperature = logits_of(checkpoint.network.cpu().eval(), matrix), checkpoint.temperature
    probabilities, uncalibrated = calibrated(logits, temperature).numpy(), torch.sigmoid(logits).numpy()
    if (labels < 0).any():
        return Evaluation(probabilities, uncalibrated, {})
    truth = torch.from_numpy(labels.astype(np.float64))
    losses = make_loss(checkpoint.loss)(logits.double() / temperature, truth, reduction="none")
    metrics = classification_metrics(labels, probabilities, losses.numpy(), checkpoint.threshold)
    return Evaluation(probabilities, uncalibrated, metrics)


def flat_metrics(part: str, evaluation: Evaluation) -> dict[str, Any]:
    """A dictionary of `PART/NAME`: value and, if there is an interval, `PART/NAME_interval`: its two ends."""
    flat: dict[str, Any] = {}
    for name, metric in evaluation.metrics.items():
        flat[f"{part}/{name}"] = metric.value
        if metric.interval is not None:
            flat[f"{part}/{name}_interval"] = list(metric.interval)
    return flat


@dataclass(frozen=True)
class EvaluatedPart:
    """A checkpoint, the labelled reviews of a part of a source, their rows, and what the network says of them."""

    path: Path
    split: str
    checkpoint: Checkpoint
    loaded: LoadedCorpus
    reviews: EncodedReviews
    matrix: MultiHotMatrix
    evaluation: Evaluation

    @cached_property
    def result(self) -> dict[str, Any]:
        """Metrics, and what was evaluated.

        `reviews_in_training` counts the reviews that the checkpoint was trained on; it is null if the cache does not
        say.
        """
        about = {"data_source": self.loaded.source.description, "split": self.split, "reviews": len(self.reviews)}
        known = _in_training(self.path, self.checkpoint, self.reviews)
        return self._naive_bayes | flat_metrics(self.split, self.evaluation) | about | {"reviews_in_training": known}

    @property
    def _naive_bayes(self) -> dict[str, float]:
        """The accuracy of naive Bayes, if the run measured it on these reviews."""
        measured = read_json(RunFolder(self.path.resolve().parent.parent).metrics) or {}
        key, is_same = f"{self.split}/naive_bayes", measured.get("data_source") == self.loaded.source.description
        accuracy = measured.get(key) if is_same else None
        return {key: accuracy} if isinstance(accuracy, float) and 0 <= accuracy <= 1 else {}


def evaluate_checkpoint(
    path: Path, chosen: Mapping[str, Any] = MappingProxyType({}), split: str = "test"
) -> dict[str, Any]:
    """The metrics of a checkpoint on one part of a source; arguments and errors as in `evaluate_part`."""
    return evaluate_part(path, chosen, split).result


def first_of(part: EvaluatedPart, count: int) -> list[dict[str, Any]]:
    """The first reviews of a part in the order of their ids, which mixes labels: row, truth, prediction, text."""
    reviews, probabilities, names = part.reviews, part.evaluation.probabilities[:count], part.checkpoint.label_names
    texts, positive = texts_of(part.loaded.source, reviews.ids[:count]), probabilities > part.checkpoint.threshold
    found = zip(reviews.ids, reviews.rows, reviews.labels, positive, probabilities, strict=False)
    return [
        {
            "row": int(row),
            "truth": names[truth],
            "label": names[int(label)],
            "probability": float(probability),
            "text": texts.get(int(one), ""),
        }
        for one, row, truth, label, probability in found
    ]


def draw_part(part: EvaluatedPart, plot: Path) -> None:
    """Draw the reliability diagram (PNG)."""
    from imdbclf.reports.reliability import draw_reliability  # noqa: PLC0415 - Matplotlib is slow to import

    title = f"{part.path.name}: {len(part.reviews):,} reviews, part {part.split}"
    found = part.evaluation
    draw_reliability(part.reviews.labels, found.probabilities, found.uncalibrated, plot, title)


def evaluate_part(path: Path, chosen: Mapping[str, Any] = MappingProxyType({}), split: str = "test") -> EvaluatedPart:
    """A checkpoint on one part of a source: `train`, `test`, or another split of a folder or a dataset.

    Without another source, `validation` is the part that the run split off. What is `chosen` of `SourceSettings`
    replaces the settings of the run. Without a `source`, the reviews of the run are used if its folder says the same as
    the checkpoint, or if they are public.

    Raises:
        UserError: if the checkpoint or the source cannot be read, or the source does not have the part.
    """
    return _evaluated(path, read_checkpoint(path), chosen, split)


def _evaluated(path: Path, checkpoint: Checkpoint, chosen: Mapping[str, Any], split: str) -> EvaluatedPart:
    loaded, reviews = _part(_origin(path, checkpoint, chosen), checkpoint, split, of_run="source" not in chosen)
    if not len(reviews) or reviews.labels.min() < 0:
        raise UserError(f"--split {split}: has no labels; `imdbclf predict` classifies reviews without labels")
    matrix = checkpoint.vectorizer.encode(loaded.corpus, reviews)
    evaluation = evaluate_checkpoint_on(checkpoint, matrix, reviews.labels)
    return EvaluatedPart(path, split, checkpoint, loaded, reviews, matrix, evaluation)


def evaluate_validation(part: EvaluatedPart) -> EvaluatedPart | None:
    """The checkpoint of a part on the validation reviews of its run.

    None if it learnt from them, or they cannot be read.
    """
    run = part.checkpoint.run
    if run.refit or not run.data.validates or not may_follow(part.path, run.data):
        return None
    try:
        return _evaluated(part.path, part.checkpoint, {}, VALIDATION[1])
    except (UserError, OSError):
        return None


def _part(
    origin: SourceSettings, checkpoint: Checkpoint, split: str, *, of_run: bool
) -> tuple[LoadedCorpus, EncodedReviews]:
    """The reviews of one part: the run's own validation or test part, or a part or split of the source."""
    run, data = checkpoint.run, checkpoint.run.data
    is_validation = of_run and data.validates and split in VALIDATION
    if is_validation or (of_run and data.test_size and split != "train"):
        loaded = with_test_part(_loaded(origin.model_copy(update={"group": data.group}), checkpoint), data)
    else:
        loaded = _loaded(origin, checkpoint)
    parts = loaded.corpus.parts
    if is_validation:
        return loaded, parts["train"].taken(split_reviews(parts["train"], data, run.seed)[1])
    if split not in parts and isinstance(loaded.source, FolderSource | HubSource):
        loaded = _loaded(origin.model_copy(update={"test": split}), checkpoint)
        return loaded, loaded.corpus.parts["test"]
    if split not in parts:
        names = [*parts, *(VALIDATION[1:] if of_run and data.validates else ())]
        raise UserError(f"--split {split}: must be {' or '.join(names)}")
    return loaded, parts[split]


def _in_training(path: Path, checkpoint: Checkpoint, reviews: EncodedReviews) -> int | None:
    """How many of the reviews the checkpoint was trained on; None if the run's reviews are not in the cache."""
    run = checkpoint.run
    try:
        origin = run.data.origin.model_copy(update={"cache_dir": None})
        ends = checkpoint.vectorizer.sentence_ends
        loaded = load_cached_corpus(origin, sentence_ends=ends) if may_follow(path, run.data) else None
        if loaded is None:
            return None
        train = with_test_part(loaded, run.data).corpus.parts["train"]
        learnt = train.ids if run.refit else train.ids[split_reviews(train, run.data, run.seed)[0]]
    except (UserError, OSError, KeyError):
        return None
    return int(np.isin(reviews.ids, learnt).sum())


def _loaded(origin: SourceSettings, checkpoint: Checkpoint) -> LoadedCorpus:
    """The reviews; their labels mean what the checkpoint's do."""
    loaded = load_corpus(origin, sentence_ends=checkpoint.vectorizer.sentence_ends)
    names = checkpoint.label_names
    places = {number: place(name, names) for number, name in enumerate(loaded.label_names) if name}
    if all(number == its_place for number, its_place in places.items()):
        return loaded
    if all(its_place is not None and number != its_place for number, its_place in places.items()):
        return loaded.flipped()
    theirs = " and ".join(name for name in loaded.label_names if name)
    raise UserError(f"{loaded.source.description}: the labels are {theirs}, the checkpoint's are {' and '.join(names)}")


def _origin(path: Path, checkpoint: Checkpoint, chosen: Mapping[str, Any]) -> SourceSettings:
    """Where the reviews are: what is chosen, else what `IMDBCLF_DATA` or a checkpoint that may be followed says."""
    origin = checkpoint.run.data.origin
    if "source" not in chosen and not may_follow(path, origin):
        if not os.environ.get(VARIABLE):
            named = one_line(checkpoint.data_source or origin.source)[:80]
            why = f"is not in the folder of its run, so the reviews that it names are not read ({named})"
            raise UserError(f"{path}: {why}; give --source SOURCE, or set {VARIABLE}")
        chosen = {"source": "auto", **chosen}
    if "source" in chosen:
        origin = origin.model_copy(update={"train": None, "test": None, "split_column": None})
    # Groups matter only for splitting training reviews. Nothing is split here, and another source may not have them.
    # Where the cache is, only the user decides.
    return origin.model_copy(update={"group": None, "unlabelled": None, "positive": None, "cache_dir": None, **chosen})


def may_follow(path: Path, origin: SourceSettings) -> bool:
    """Whether the reviews that a checkpoint names are public, or those of the run folder in which it lies.

    Its writer could have named any folder or dataset.
    """
    if origin.source in {"sample", LECTURE_DATASET}:
        return True
    folder = RunFolder(path.resolve().parent.parent)
    try:
        data = folder.read_config()["data"]
        same = all(data.get(key) == getattr(origin, key) for key in ("source", "train", "test"))
    except Exception:
        # See `read_yaml`.
        return False
    return same and path.resolve().parent == folder.checkpoints
