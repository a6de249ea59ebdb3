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

TOLERANCE, HALF_TOLERANCE, IS_HALF = 1e-6, 5e-4, False

_METRICS = {"accuracy": "accuracy", "auroc": "roc_auc", "f1": "f1", "precision": "precision", "recall": "recall"}
"""The Hub's names of metrics."""


def write(checkpoint: Checkpoint, path: Path, *, half: bool) -> None:
    """Write the folder; with `half`, the weights of the first layer have 16 bits."""
    vectorizer, members = checkpoint.vectorizer, checkpoint.arrays()
    weights, labels = vectorizer.term_weights, list(checkpoint.label_names)
    text = vectorizer.vocabulary.as_text().encode()
    tensors: dict[str, npt.NDArray[Any]] = {pretrained.VOCABULARY: np.frombuffer(text, dtype=np.uint8)}
    if weights.by_column is not None:
        tensors[pretrained.TERM_WEIGHTS] = weights.by_column
    for number, member in enumerate(members):
        names = pretrained.names_of(number, len(member.arrays) // 2)
        for name, array in zip(names, member.arrays, strict=True):
            tensors[name] = np.ascontiguousarray(array, np.float16 if half and name == names[0] else np.float32)
    config = {
        "model_type": pretrained.MODEL_TYPE,
        "format": pretrained.FORMAT,
        "version": __version__,
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
        "columns": len(vectorizer),
        "order": vectorizer.vocabulary.order,
        "sentence_ends": vectorizer.sentence_ends,
        "unit_length": weights.unit_length,
        "members": len(members),
        "hidden": [len(bias) for bias in members[0].arrays[1:-2:2]],
        "activation": members[0].activation,
        "temperature": checkpoint.temperature,
        "threshold": checkpoint.threshold,
    }
    path.mkdir()
    # The library's function for files makes them readable for their owner alone.
    (path / pretrained.WEIGHTS).write_bytes(save(tensors, metadata={"format": "np"}))
    write_json(path / pretrained.CONFIG, config)
    _card(checkpoint, config).save(path / pretrained.CARD)


def probabilities(path: Path, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """What the folder says of n texts, float32 (n,)."""
    return Predictor(pretrained.read_pretrained(path)).probabilities(texts)


def is_ours(path: Path) -> bool:
    """Whether `write` wrote the folder, and no other file is in it."""
    known = {pretrained.CARD, pretrained.CONFIG, pretrained.WEIGHTS}
    is_export = (read_json(path / pretrained.CONFIG) or {}).get("model_type") == pretrained.MODEL_TYPE
    return is_export and {file.name for file in path.iterdir()} <= known


def push(folder: Path, repo: str) -> str:
    """Upload the folder to a repository of the Hub, which is made if it is not there; returns its address.

    Raises:
        UserError: if the Hub refuses it or cannot be reached. The folder stays.
    """
    api = HfApi(library_name="imdbclf", library_version=__version__)
    try:
        address = api.create_repo(repo, exist_ok=True)
        api.upload_folder(repo_id=address.repo_id, folder_path=folder, commit_message=f"imdbclf {__version__}")
    except Exception as error:
        # The client raises errors of many kinds; all mean that nothing was uploaded.
        raise UserError(f"--push {repo}: {folder} is written, but not uploaded ({one_line(error)[:160]})") from error
    return str(address)


def _card(checkpoint: Checkpoint, config: Mapping[str, Any]) -> ModelCard:
    metrics, (name, dataset, licence) = _metrics(checkpoint), _data(checkpoint)
    rows = {
        key.removeprefix("test/"): (value, metrics.get(f"{key}_interval"))
        for key, value in metrics.items()
        if key.startswith("test/") and isinstance(value, float)
    }
    about_data = "text-classification", dataset or "reviews", name
    results = [
        EvalResult(*about_data, kind, value, dataset_split="test", metric_args={"interval_95": ends} if ends else None)
        for kind, (value, ends) in ((kind, rows[key]) for key, kind in _METRICS.items() if key in rows)
    ]
    about = ModelCardData(
        library_name="imdbclf",
        pipeline_tag=about_data[0],
        datasets=[dataset] if dataset else None,
        model_name="imdbclf",
        eval_results=results or None,
    )
    known: dict[str, Any] = {"rows": rows, "metrics": metrics, "data": name, "dataset": dataset, "licence": licence}
    known["parameters"] = sum(array.size for member in checkpoint.arrays() for array in member.arrays)
    card: ModelCard = ModelCard.from_template(about, str(Path(__file__).with_name("hub.md.jinja")), **config, **known)
    return card


def _metrics(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the run of the checkpoint measured; nothing if the checkpoint is not in its folder."""
    if checkpoint.path is None:
        return {}
    run = RunFolder(checkpoint.path.resolve().parent.parent)
    found = (read_json(run.metrics) or {}) if run.best == checkpoint.path.resolve() else {}
    return found if isinstance(found.get("reviews"), dict) else {}


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
