"""The checkpoint file: plain types only, loaded with `weights_only=True`; complete without any reviews."""

from __future__ import annotations

import hashlib
import io
import pickle
import warnings
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import torch

from imdbclf.data.term_weights import TermWeights
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError, one_line
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.model.network import Network, make_network
from imdbclf.storage import atomic_write

FORMAT = 2
"""Increased when the attachment changes in a way that older versions would misread."""

_PREFIX = "network."
_TEMPERATURE = "temperature"


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and everything needed to use it.

    `about` has `settings` (the experiment's), `data_source`, `label_names`, `versions` and `format`.
    """

    network: Network
    vectorizer: Vectorizer
    loss: str
    about: dict[str, Any]
    temperature: float = 1.0
    """Divides the logits; 1 if none was fitted."""


def attachment(vectorizer: Vectorizer, **about: Any) -> dict[str, Any]:
    """What a checkpoint holds in addition to the weights, in plain types."""
    plain: dict[str, Any] = {
        "format": FORMAT,
        "vocabulary": vectorizer.vocabulary.as_text(),
        "marks": vectorizer.sentence_ends,
    }
    if vectorizer.term_weights is not None:
        columns, unit_length = vectorizer.term_weights.by_column, vectorizer.term_weights.unit_length
        plain["weighting"] = {
            "columns": None if columns is None else torch.from_numpy(columns),
            "unit_length": unit_length,
        }
    return plain | about


def carries(about: dict[str, Any], vectorizer: Vectorizer) -> bool:
    """Whether the checkpoint has the same columns: the same terms, words and term weights."""
    return _identity(about) == _identity(attachment(vectorizer))


def _identity(about: dict[str, Any]) -> tuple[str, bool, bool, bytes | None]:
    weighting = about.get("weighting") or {"columns": None, "unit_length": False}
    columns = weighting["columns"]
    values = None if columns is None else columns.numpy().tobytes()
    return about["vocabulary"], about.get("marks", False), weighting["unit_length"], values


def _vectorizer(about: dict[str, Any]) -> Vectorizer:
    """The inverse of `attachment`. Files without term weights (older ones, too) have rows of ones."""
    vocabulary, plain = Vocabulary.from_text(about.pop("vocabulary")), about.pop("weighting", None)
    sentence_ends = bool(about.pop("marks", False))
    if plain is None:
        return Vectorizer(vocabulary, sentence_ends=sentence_ends)
    columns = None if plain["columns"] is None else plain["columns"].numpy()
    if columns is not None and columns.shape != (len(vocabulary),):
        msg = f"{len(vocabulary)} columns, but weights for {columns.shape}"
        raise ValueError(msg)
    return Vectorizer(vocabulary, TermWeights(columns, bool(plain["unit_length"])), sentence_ends)


def keep_temperature(path: Path, temperature: float) -> None:
    """Write a temperature into a checkpoint, completely or not at all; everything else stays.

    Raises:
        UserError: see `load_plain`.
    """
    contents = load_plain(path)
    contents[CHECKPOINT_KEY][_TEMPERATURE] = temperature
    write_checkpoint(path, contents)


def write_checkpoint(path: Path, contents: dict[str, Any]) -> None:
    """Write a checkpoint with a digest of its bytes, completely or not at all.

    The digest is the comment of the zip archive that `torch.save` makes, so every program that reads the archive can
    read the file.
    """
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    archive = buffer.getbuffer()
    # The last two bytes of an archive without a comment are the length of its comment.
    archive[-2:] = _DIGEST_BYTES.to_bytes(2, "little")
    with atomic_write(path) as aside, aside.open("wb") as stream:
        stream.write(archive)
        stream.write(hashlib.sha256(archive).hexdigest().encode())


_DIGEST_BYTES = 2 * hashlib.sha256().digest_size
_END_BYTES = 22
"""The size of the last record of a zip archive without a comment."""


def _check_digest(path: Path) -> None:
    """Compare an archive with its digest. Those of older versions and of other programs have none.

    Raises:
        ValueError: if they differ.
    """
    covered, digest = max(0, path.stat().st_size - _DIGEST_BYTES), hashlib.sha256()
    with path.open("rb") as stream:
        if stream.read(2) != b"PK":
            return
        stream.seek(0)
        while piece := stream.read(min(1 << 20, covered - stream.tell())):
            digest.update(piece)
        rest = stream.read()
    end = rest[-_END_BYTES:]
    has_none = end.startswith(b"PK\5\6") and end.endswith(b"\0\0")
    if not has_none and rest != digest.hexdigest().encode():
        msg = "its contents differ from its digest"
        raise ValueError(msg)


def load_plain(path: Path) -> dict[str, Any]:
    """The contents of a checkpoint; code in the file is never executed.

    Raises:
        UserError: if the file is missing, corrupt, contains code, or was not written by imdbclf.
    """
    if not path.is_file():
        msg = f"{path}: there is no such checkpoint file"
        raise UserError(msg)
    try:
        _check_digest(path)
        with warnings.catch_warnings():
            # Other files are refused below; torch's warnings about their pickle protocol are not helpful.
            warnings.simplefilter("ignore")
            contents: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        msg = f"{path}: not loaded: the file is corrupt or contains code; give a checkpoint that `imdbclf train` wrote"
        raise UserError(msg) from error
    except Exception as error:
        # Random bytes can make the unpickler raise any error.
        msg = f"{path}: not a readable checkpoint (damaged, or another kind of file: {one_line(error)[:80]})"
        raise UserError(msg) from error
    ours = contents.get(CHECKPOINT_KEY) if isinstance(contents, dict) else None
    if not isinstance(ours, dict) or ours.get("format") != FORMAT:
        kind = "made by another version of imdbclf" if isinstance(ours, dict) else "not one of imdbclf's"
        msg = f"{path}: a checkpoint, but {kind}; give a checkpoint that `imdbclf train` wrote"
        raise UserError(msg)
    return contents


def read_checkpoint(path: Path) -> Checkpoint:
    """The network with its weights, in evaluation mode on the CPU, and its columns.

    Raises:
        UserError: see `load_plain`; also if the parts of the file do not fit together.
    """
    contents = load_plain(path)
    about = dict(contents[CHECKPOINT_KEY])
    try:
        vectorizer = _vectorizer(about)
        settings = contents["hyper_parameters"]
        weights = {name.removeprefix(_PREFIX): value for name, value in contents["state_dict"].items()}
        # On the meta device: memory is used for the numbers that are in the file, not for the sizes that it claims.
        with torch.device("meta"):
            network = make_network(
                # Older files have no `members`.
                settings.get("members", 1),
                len(vectorizer),
                settings["widths"],
                settings["activation"],
                settings["dropout"],
            )
        network.load_state_dict(weights, assign=True)
        loss, temperature = str(settings["loss"]), about.pop(_TEMPERATURE, 1.0)
        if not 0 < temperature < inf:
            msg = f"temperature {temperature}"
            raise ValueError(msg)
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError, AttributeError) as error:
        msg = f"{path}: the checkpoint's parts do not fit together ({one_line(error)[:120]})"
        raise UserError(msg) from error
    return Checkpoint(network.eval(), vectorizer, loss, about, float(temperature))
