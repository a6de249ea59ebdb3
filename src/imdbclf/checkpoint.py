"""The checkpoint file: plain types only, loaded with `weights_only=True`; complete without any reviews."""

from __future__ import annotations

import hashlib
import io
import pickle
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from torch import Tensor

from imdbclf.data.term_weights import TermWeights
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError, one_line
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.model.arrays import ArrayNetwork
from imdbclf.model.calibration import EVEN
from imdbclf.model.network import Network, arrays_of, make_network, members_of
from imdbclf.setting_values import Activation, Fraction, LossName, NotNegative, Positive, Width
from imdbclf.settings import DataSettings
from imdbclf.storage import atomic_write

FORMAT = 2
"""Increased when the attachment changes in a way that older versions would misread."""


def _known(data: Any) -> Any:
    """The settings that this version knows; an older one may have had others (`vocab_size`)."""
    return {key: data[key] for key in DataSettings.model_fields if key in data} if isinstance(data, dict) else data


class _Part(BaseModel):
    """A part of a checkpoint. What Lightning and callbacks of libraries add is not looked at."""

    model_config = ConfigDict(strict=True, arbitrary_types_allowed=True)


class RunSettings(_Part):
    """What a checkpoint says about the reviews of its run."""

    data: Annotated[DataSettings, BeforeValidator(_known)] = DataSettings()
    seed: int = 0
    refit: bool = False


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and everything needed to use it.

    `temperature` divides the logits; a probability above `threshold` means positive. `data_source` and `run` say where
    the reviews were and how they were split; it is what the file says, so nothing is read from there without a check.
    """

    network: Network
    vectorizer: Vectorizer
    loss: str
    label_names: Sequence[str]
    temperature: float = 1.0
    threshold: float = EVEN
    data_source: str = ""
    run: RunSettings = field(default_factory=RunSettings)
    path: Path | None = None
    """The file that was read."""

    def arrays(self) -> list[ArrayNetwork]:
        """The members of the network as NumPy arrays."""
        return [arrays_of(member) for member in members_of(self.network)]


def _ordinary(tensor: Tensor) -> Tensor:
    """Refuse tensors that no layer computes with."""
    if tensor.dtype not in _DTYPES or not bool(tensor.isfinite().all()):
        raise ValueError("must be a tensor of finite numbers")
    return tensor


_DTYPES = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
Numbers = Annotated[Tensor, AfterValidator(_ordinary)]


def _check_size(contents: Any) -> None:
    """Refuse tensors that claim more numbers than the file holds: a copy of one could fill the memory."""
    if isinstance(contents, Tensor):
        dense = contents.layout is torch.strided and contents.device.type == "cpu"
        if not dense or contents.nbytes > contents.untyped_storage().nbytes():
            raise ValueError("a tensor claims more numbers than the file holds")
    elif isinstance(contents, dict | list | tuple):
        for part in contents.values() if isinstance(contents, dict) else contents:
            _check_size(part)


class _Weighting(_Part):
    columns: Numbers | None
    unit_length: bool


class _Attachment(_Part):
    """See `attachment`. Files of older versions have no `marks`, `weighting`, `temperature` and `threshold`."""

    format: Literal[2]
    vocabulary: str
    marks: bool = False
    weighting: _Weighting = _Weighting(columns=None, unit_length=False)
    temperature: Positive = 1.0
    threshold: Annotated[float, Field(ge=0, le=1)] = EVEN
    label_names: Annotated[list[str], Field(min_length=2, max_length=2)]
    data_source: str = ""
    settings: RunSettings = RunSettings()


class _HyperParameters(_Part):
    """Of `ReviewClassifier`. Files of older versions have no `members`."""

    widths: Annotated[list[Width], Field(min_length=1)]
    activation: Activation
    dropout: Fraction
    loss: LossName
    optimizer: dict[str, bool | int | float | str]
    members: Width = 1


def _row(row: dict[str, float]) -> dict[str, float]:
    always = {"epoch", "train/loss", "train/accuracy", "seconds"}
    if not always <= row.keys() <= always | {"val/loss", "val/accuracy"}:
        raise ValueError("must have the metrics of an epoch")
    return row


_Row = Annotated[dict[str, NotNegative], AfterValidator(_row)]


class _Callbacks(_Part):
    """Of a fit; the checkpoint of an ensemble has none."""

    history: Annotated[dict[str, list[_Row]], Field(alias="History")] = {}


class _Contents(_Part):
    """What readers of a checkpoint rely on."""

    epoch: Annotated[int, Field(ge=0)]
    callbacks: _Callbacks = _Callbacks()
    state_dict: dict[str, Numbers]
    hyper_parameters: _HyperParameters
    attachment: Annotated[_Attachment, Field(alias=CHECKPOINT_KEY)]


def attachment(vectorizer: Vectorizer, **about: Any) -> dict[str, Any]:
    """What a checkpoint holds in addition to the weights, in plain types."""
    plain: dict[str, Any] = {
        "format": FORMAT,
        "vocabulary": vectorizer.vocabulary.as_text(),
        "marks": vectorizer.sentence_ends,
    }
    if not (weights := vectorizer.term_weights).are_ones:
        columns = None if weights.by_column is None else torch.from_numpy(weights.by_column)
        plain["weighting"] = {"columns": columns, "unit_length": weights.unit_length}
    return plain | about


def carries(about: dict[str, Any], vectorizer: Vectorizer) -> bool:
    """Whether the checkpoint has the same columns: the same terms, words and term weights."""
    return _identity(about) == _identity(attachment(vectorizer))


def _identity(about: dict[str, Any]) -> tuple[str, bool, bool, bytes | None]:
    weighting = about.get("weighting") or {"columns": None, "unit_length": False}
    columns = weighting["columns"]
    values = None if columns is None else columns.numpy().tobytes()
    return about["vocabulary"], about.get("marks", False), weighting["unit_length"], values


def _vectorizer(about: _Attachment) -> Vectorizer:
    """The inverse of `attachment`. Files without term weights (older ones, too) have rows of ones."""
    vocabulary, plain = Vocabulary.from_text(about.vocabulary), about.weighting
    columns = None if plain.columns is None else plain.columns.float().numpy()
    if columns is not None and columns.shape != (len(vocabulary),):
        raise ValueError(f"{len(vocabulary)} columns, but weights for {columns.shape}")
    return Vectorizer(vocabulary, TermWeights(columns, plain.unit_length), about.marks)


def keep_calibration(path: Path, temperature: float, threshold: float = EVEN) -> None:
    """Write both into a checkpoint, completely or not at all; everything else stays. Errors: `load_plain`."""
    contents = load_plain(path)
    contents[CHECKPOINT_KEY] |= {"temperature": temperature, "threshold": threshold}
    if threshold == EVEN:
        del contents[CHECKPOINT_KEY]["threshold"]
    write_checkpoint(path, contents)


def write_checkpoint(path: Path, contents: dict[str, Any]) -> None:
    """Write a checkpoint with a digest of its bytes, completely or not at all.

    The digest is the comment of the zip archive that `torch.save` makes, so every program that reads the archive can
    read the file.
    """
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    with buffer.getbuffer() as archive, atomic_write(path) as aside, aside.open("wb") as stream:
        # The last two bytes of an archive without a comment are the length of its comment.
        archive[-2:] = _DIGEST_BYTES.to_bytes(2, "little")
        stream.write(archive)
        stream.write(hashlib.sha256(archive).hexdigest().encode())


_DIGEST_BYTES = 2 * hashlib.sha256().digest_size
_END_BYTES = 22
"""The size of the last record of a zip archive without a comment."""


def _check_digest(path: Path) -> None:
    """Compare an archive with its digest. Those of older versions and of other programs have none.

    Raises:
        UnpicklingError: for another kind of file; torch can take minutes to find that out.
        ValueError: if the file is empty, or they differ.
    """
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as whole:
        if whole[:2] != b"PK":
            msg = "not an archive"
            raise pickle.UnpicklingError(msg)
        end = whole[-_END_BYTES:]
        has_none = end.startswith(b"PK\5\6") and end.endswith(b"\0\0")
        digest = hashlib.sha256(memoryview(whole)[:-_DIGEST_BYTES]).hexdigest().encode()
        if not has_none and whole[-_DIGEST_BYTES:] != digest:
            raise ValueError("its contents differ from its digest")


def load_plain(path: Path) -> dict[str, Any]:
    """The contents of a checkpoint; code in the file is never executed.

    Raises:
        UserError: if the file is missing, corrupt, contains code, or was not written by imdbclf, or if its parts are
            not what they must be.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[dict[str, Any], _Contents]:
    """The contents of a file, and those that we rely on, validated."""
    contents = _unpickled(path)
    ours = contents.get(CHECKPOINT_KEY) if isinstance(contents, dict) else None
    if ours == {}:
        msg = (
            f"{path}: has no vocabulary, as no run of imdbclf trained it; before the fit, set network.attachment = "
            "imdbclf.checkpoint.attachment(data.prepared.vectorizer, label_names=[*data.loaded.label_names])"
        )
        raise UserError(msg)
    if not isinstance(ours, dict) or repr(ours.get("format")) != repr(FORMAT):
        kind = "made by another version of imdbclf" if isinstance(ours, dict) else "not one of imdbclf's"
        raise UserError(f"{path}: a checkpoint, but {kind}; give a checkpoint that `imdbclf train` wrote")
    try:
        return contents, _Contents.model_validate(contents)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _misfit(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _misfit(path: Path, reason: object) -> UserError:
    return UserError(f"{path}: the checkpoint's parts do not fit together ({one_line(reason)[:120]})")


def _unpickled(path: Path) -> Any:
    """What `torch.load` reads; errors as in `load_plain`."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such checkpoint file")
    try:
        _check_digest(path)
        with warnings.catch_warnings():
            # Other files are refused below; torch's warnings about their pickle protocol are not helpful.
            warnings.simplefilter("ignore")
            contents = torch.load(path, map_location="cpu", weights_only=True)
        _check_size(contents)
    except pickle.UnpicklingError as error:
        msg = f"{path}: not loaded: the file is corrupt or contains code; give a checkpoint that `imdbclf train` wrote"
        raise UserError(msg) from error
    except Exception as error:
        # Random bytes can make the unpickler raise any error.
        msg = f"{path}: not a readable checkpoint (damaged, or another kind of file: {one_line(error)[:80]})"
        raise UserError(msg) from error
    return contents


def read_checkpoint(path: Path) -> Checkpoint:
    """The network with its weights, in evaluation mode on the CPU, and its columns; errors as in `load_plain`."""
    valid = _read(path)[1]
    about, settings = valid.attachment, valid.hyper_parameters
    weights = {name.removeprefix("network."): value for name, value in valid.state_dict.items()}
    try:
        vectorizer = _vectorizer(about)
        if settings.members * len(settings.widths) > len(weights):
            raise ValueError(f"{settings.members} × {len(settings.widths)} layers, but {len(weights)} tensors")
        # On the meta device: memory is used for the numbers that are in the file, not for the sizes that it claims.
        with torch.device("meta"):
            network = make_network(
                settings.members, len(vectorizer), settings.widths, settings.activation, settings.dropout
            )
        network.load_state_dict(weights, assign=True)
    except (ValueError, RuntimeError, OverflowError, TypeError) as error:
        raise _misfit(path, error) from error
    said = about.label_names, about.temperature, about.threshold, about.data_source, about.settings
    return Checkpoint(network.float().eval(), vectorizer, settings.loss, *said, path)
