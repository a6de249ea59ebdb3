"""A folder in the layout of the Hugging Face Hub: weights and vocabulary, `config.json`, and a model card.

The card is made of the files of the run: its metrics with their intervals, its config, and what is known of its data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from huggingface_hub import EvalResult, HfApi, ModelCard, ModelCardData
from safetensors.numpy import save

from imdbclf import __version__
from imdbclf.checkpoint import Checkpoint
from imdbclf.data.load_corpus import HUB_ID
from imdbclf.data.sources.acl_imdb import AclImdbSource
from imdbclf.data.sources.hub import LECTURE_DATASET
from imdbclf.errors import UserError, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.inference import pretrained
from imdbclf.inference.evaluate import may_follow
from imdbclf.inference.predictor import Predictor
from imdbclf.storage import read_json, write_json

TOLERANCE = 1e-6
HALF_TOLERANCE = 5e-4

_METRICS = {"accuracy": "accuracy", "auroc": "roc_auc", "f1": "f1", "precision": "precision", "recall": "recall"}
"""The Hub's names of metrics."""


def write(checkpoint: Checkpoint, path: Path, *, half: bool) -> None:
    """Write the folder; with `half`, the weights of the first layer have 16 bits."""
    path.mkdir()
    vectorizer, weights = checkpoint.vectorizer, checkpoint.vectorizer.term_weights
    text = vectorizer.vocabulary.as_text().encode()
    tensors: dict[str, npt.NDArray[Any]] = {pretrained.VOCABULARY: np.frombuffer(text, dtype=np.uint8)}
    if weights is not None and weights.by_column is not None:
        tensors[pretrained.TERM_WEIGHTS] = weights.by_column
    members = checkpoint.arrays()
    for number, member in enumerate(members):
        for place, array in enumerate(member.arrays):
            name = pretrained.name_of(number, place // 2, "bias" if place % 2 else "weight")
            tensors[name] = np.ascontiguousarray(array.astype(np.float16) if half and place == 0 else array)
    # Its function for files makes them readable for their owner alone.
    (path / pretrained.WEIGHTS).write_bytes(save(tensors, metadata={"format": "np", "version": __version__}))
    labels = list(checkpoint.label_names)
    config = {
        "model_type": pretrained.MODEL_TYPE,
        "format": pretrained.FORMAT,
        "version": __version__,
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
        "columns": len(vectorizer),
        "order": vectorizer.vocabulary.order,
        "sentence_ends": vectorizer.sentence_ends,
        "unit_length": weights is not None and weights.unit_length,
        "members": len(members),
        "hidden": [len(bias) for bias in members[0].arrays[1:-2:2]],
        "activation": members[0].activation,
        "temperature": checkpoint.temperature,
    }
    write_json(path / pretrained.CONFIG, config)
    _card(checkpoint, config).save(path / pretrained.CARD)


def probabilities(path: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """What the folder says of n texts, float32 (n,)."""
    return Predictor(pretrained.read_pretrained(path)).probabilities(texts)


def is_ours(path: Path) -> bool:
    """Whether `write` wrote the folder, and no other file is in it."""
    known = {pretrained.CARD, pretrained.CONFIG, pretrained.WEIGHTS}
    return pretrained.is_pretrained(path) and {file.name for file in path.iterdir()} <= known


def push(folder: Path, repo: str) -> str:
    """Upload the folder to a repository of the Hub, which is made if it is not there; returns its address.

    Raises:
        UserError: if the Hub refuses it or cannot be reached. The folder stays.
    """
    api = HfApi(endpoint=pretrained.endpoint(), library_name="imdbclf", library_version=__version__)
    try:
        address = api.create_repo(repo, exist_ok=True)
        api.upload_folder(repo_id=address.repo_id, folder_path=folder, commit_message=f"imdbclf {__version__}")
    except Exception as error:
        # The client raises errors of many kinds; all mean that nothing was uploaded.
        raise UserError(f"--push {repo}: {folder} is written, but not uploaded ({one_line(error)[:160]})") from error
    return str(address)


def _card(checkpoint: Checkpoint, config: Mapping[str, Any]) -> ModelCard:
    metrics = _metrics(checkpoint)
    name, dataset, licence = _data(checkpoint)
    measured = {key.removeprefix("test/"): value for key, value in metrics.items() if key.startswith("test/")}
    rows = {
        key: (value, measured.get(f"{key}_interval")) for key, value in measured.items() if isinstance(value, float)
    }
    about = ModelCardData(
        library_name="imdbclf",
        pipeline_tag="text-classification",
        tags=["sentiment", "bag-of-words"],
        datasets=[dataset] if dataset else None,
        model_name="imdbclf",
        eval_results=_results(rows, name, dataset or "reviews") or None,
    )
    card: ModelCard = ModelCard.from_template(
        about,
        template_path=str(Path(__file__).with_name("hub.md.jinja")),
        **config,
        labels=list(checkpoint.label_names),
        rows=rows,
        reviews=metrics.get("reviews") or {},
        experiment=metrics.get("experiment"),
        parameters=sum(array.size for member in checkpoint.arrays() for array in member.arrays),
        data=name,
        dataset=dataset,
        licence=licence,
    )
    return card


def _results(rows: Mapping[str, tuple[float, list[float] | None]], name: str, dataset: str) -> list[EvalResult]:
    """The metrics that the Hub knows."""
    return [
        EvalResult(
            task_type="text-classification",
            dataset_type=dataset,
            dataset_name=name,
            dataset_split="test",
            metric_type=_METRICS[key],
            metric_value=value,
            metric_args={"interval_95": ends} if ends else None,
        )
        for key, (value, ends) in rows.items()
        if key in _METRICS
    ]


def _metrics(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the run of the checkpoint measured; nothing if the checkpoint is not in its folder."""
    if checkpoint.path is None:
        return {}
    run = RunFolder(checkpoint.path.resolve().parent.parent)
    return (read_json(run.metrics) or {}) if run.best == checkpoint.path.resolve() else {}


def _data(checkpoint: Checkpoint) -> tuple[str, str | None, str]:
    """The name of the reviews, their id on the Hub if they are there, and their licence. No folder is named."""
    origin = checkpoint.run.data.origin
    path, stated = Path(origin.source), ""
    if origin.source == "sample":
        return "the bundled sample of imdbclf", None, "MIT, as the package"
    if checkpoint.path is not None and may_follow(checkpoint.path, origin) and (path / pretrained.CARD).is_file():
        stated = (path / pretrained.CARD).read_text(encoding="utf-8", errors="replace")
    if origin.source == LECTURE_DATASET or AclImdbSource.recognises(path) or LECTURE_DATASET in stated:
        licence = "no open licence is stated (`other` on the Hub); its authors ask to cite Maas et al. (2011)"
        return "Large Movie Review Dataset (Maas et al. 2011)", LECTURE_DATASET, licence
    if HUB_ID.fullmatch(origin.source) and not path.exists():
        return origin.source, origin.source, "stated on its page"
    found = re.search(r"^license: *(.+)$", stated, re.MULTILINE)
    return "reviews of its owner", None, one_line(found[1]) if found else "not stated where the reviews are"
