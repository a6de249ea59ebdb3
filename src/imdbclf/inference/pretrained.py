"""A trained network in the Hub's layout: a folder of `config.json` and `model.safetensors`, read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from imdbclf.data.term_weights import TermWeights
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError, one_line
from imdbclf.model.arrays import Array, ArrayNetwork
from imdbclf.model.calibration import EVEN

CARD, CONFIG, WEIGHTS = "README.md", "config.json", "model.safetensors"
MODEL_TYPE, FORMAT = "imdbclf", 1
VOCABULARY, TERM_WEIGHTS = "vocabulary", "term_weights"
"""Tensors beside the weights: the terms as UTF-8, one a line, uint8; the weight of each column, float32."""


@dataclass(frozen=True)
class Pretrained:
    """What classifies texts, as in `imdbclf.checkpoint.Checkpoint`, as NumPy arrays."""

    members: Sequence[ArrayNetwork]
    vectorizer: Vectorizer
    label_names: Sequence[str]
    temperature: float
    threshold: float = EVEN

    def arrays(self) -> Sequence[ArrayNetwork]:
        """The members of the network."""
        return self.members


def is_pretrained(folder: Path) -> bool:
    """Whether the folder has a file of the Hub's layout; a run folder has none."""
    return any((folder / name).is_file() for name in (CONFIG, WEIGHTS))


def read_pretrained(folder: Path) -> Pretrained:
    """Read a folder that `imdbclf export --to hub` wrote.

    Raises:
        UserError: if it is another folder or damaged, or safetensors is not installed.
    """
    config = _config(folder / CONFIG)
    try:
        from safetensors.numpy import load_file  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        from imdbclf.console import install_command  # noqa: PLC0415 - imports rich

        raise UserError(f"{folder}: needs safetensors; install it with: {install_command('hub')}") from error
    try:
        return _pretrained(config, load_file(folder / WEIGHTS))
    except Exception as error:
        # Any bytes can be in a file of a stranger.
        raise UserError(f"{folder}: its files are damaged, or do not fit together ({one_line(error)[:120]})") from error


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else one_line(error)[:120]
        raise UserError(f"{path}: cannot be read ({why}); export the checkpoint again") from error
    if not isinstance(config, dict) or config.get("model_type") != MODEL_TYPE:
        found = f"has the model_type {config.get('model_type')!r:.60}" if isinstance(config, dict) else "is no object"
        raise UserError(f"{path}: {found}; give a folder that `imdbclf export --to hub` wrote")
    if config.get("format") != FORMAT:
        raise UserError(f"{path}: was made by another version of imdbclf")
    return config


def _pretrained(config: Mapping[str, Any], tensors: Mapping[str, Array]) -> Pretrained:
    labels, temperature = [config["id2label"][number] for number in "01"], float(config["temperature"])
    threshold = float(config.get("threshold", EVEN))
    unit_length, sentence_ends = config["unit_length"], config["sentence_ends"]
    typed = {*map(type, labels)} == {str} and {type(unit_length), type(sentence_ends)} == {bool}
    if not (typed and isfinite(temperature) and temperature > 0 and 0 <= threshold <= 1):
        raise ValueError("the labels, the temperature, the threshold, or how texts become rows")
    vocabulary = Vocabulary.from_text(tensors[VOCABULARY].tobytes().decode())
    by_column = tensors.get(TERM_WEIGHTS)
    members = [_member(config, tensors, number) for number in range(config["members"])]
    widths = {len(member.arrays[0]) for member in members} | ({len(by_column)} if by_column is not None else set())
    if widths != {len(vocabulary)} or not all(np.isfinite(tensor).all() for tensor in tensors.values()):
        raise ValueError("columns or numbers")
    vectorizer = Vectorizer(vocabulary, TermWeights(by_column, unit_length), sentence_ends)
    return Pretrained(members, vectorizer, labels, temperature, threshold)


def _member(config: Mapping[str, Any], tensors: Mapping[str, Array], number: int) -> ArrayNetwork:
    names = names_of(number, 1 + len(config["hidden"]))
    return ArrayNetwork([tensors[name].astype(np.float32, copy=False) for name in names], config["activation"])


def names_of(member: int, layers: int) -> list[str]:
    """Of its tensors; weights of the first layer are (columns, units), of others (outputs, inputs)."""
    return [f"members.{member}.layers.{layer}.{kind}" for layer in range(layers) for kind in ("weight", "bias")]


def downloaded(repo: str) -> Path:
    """The folder of a model of the Hub, from its cache or downloaded.

    Raises:
        UserError: if there is neither a folder nor a model of that name, or the Hub does not deliver it.
    """
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - takes long to import

    try:
        return Path(snapshot_download(repo, allow_patterns=[CONFIG, WEIGHTS]))
    except Exception as error:
        # The client raises errors of many kinds; all mean that the download failed.
        raise UserError(f"{repo}: neither a folder nor a model of the Hub ({one_line(error)[:160]})") from error
