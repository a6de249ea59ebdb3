"""Checkpoints as files: inert (plain types, loaded with `weights_only=True`) and sufficient (no corpus needed)."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import torch

from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError, one_line
from imdbclf.files import write_aside
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.model.mlp import MLP

FORMAT = 2
"""Raised when the attachment changes so that older readers would misread it."""

_PREFIX = "network."
_TEMPERATURE = "temperature"


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and all that is needed to use it.

    `about` has `settings` (the experiment's), `data_source`, `label_names`, `versions` and `format`.
    """

    network: MLP
    vocabulary: Vocabulary
    loss: str
    about: dict[str, Any]
    temperature: float = 1.0
    """What the logits are divided by; 1 where nothing was fitted."""


def attachment(vocabulary: Vocabulary, **about: Any) -> dict[str, Any]:
    """What a checkpoint carries besides the weights, in plain types."""
    return {"format": FORMAT, "vocabulary": vocabulary.as_text(), **about}


def keep_temperature(path: Path, temperature: float) -> None:
    """Write a temperature into a checkpoint of ours, whole or not at all; all else in it stays.

    Raises:
        UserError: see `load_plain`.
    """
    contents = load_plain(path)
    contents[CHECKPOINT_KEY][_TEMPERATURE] = temperature
    with write_aside(path) as aside:
        torch.save(contents, aside)


def load_plain(path: Path) -> dict[str, Any]:
    """The contents of a checkpoint of ours; nothing in the file is ever executed.

    Raises:
        UserError: if the file is missing, cut short, holds code, or is not one of ours.
    """
    if not path.is_file():
        msg = f"{path}: there is no such checkpoint file"
        raise UserError(msg)
    try:
        with warnings.catch_warnings():
            # A file of another kind is refused below; torch's guesses about its pickle protocol help nobody.
            warnings.simplefilter("ignore")
            contents: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        msg = f"{path}: refused, since it is no plain checkpoint (it would run code, or is damaged); nothing was run"
        raise UserError(msg) from error
    except Exception as error:
        # Random bytes can make the unpickler raise anything at all.
        msg = f"{path}: not a readable checkpoint (cut short, or another kind of file: {one_line(error)[:80]})"
        raise UserError(msg) from error
    ours = contents.get(CHECKPOINT_KEY) if isinstance(contents, dict) else None
    if not isinstance(ours, dict) or ours.get("format") != FORMAT:
        kind = "made by another version of imdbclf" if isinstance(ours, dict) else "not one of imdbclf's"
        msg = f"{path}: a checkpoint, but {kind}; give one that `imdbclf train` wrote"
        raise UserError(msg)
    return contents


def read_checkpoint(path: Path) -> Checkpoint:
    """The network with its weights, in evaluation mode on the CPU, and its vocabulary.

    Raises:
        UserError: see `load_plain`; also if the parts of the file do not fit together.
    """
    contents = load_plain(path)
    about = dict(contents[CHECKPOINT_KEY])
    try:
        vocabulary = Vocabulary.from_text(about.pop("vocabulary"))
        settings = contents["hyper_parameters"]
        weights = {name.removeprefix(_PREFIX): value for name, value in contents["state_dict"].items()}
        # On the meta device, so that the numbers in the file, not those it claims, decide how much memory is taken.
        with torch.device("meta"):
            network = MLP(len(vocabulary), settings["widths"], settings["activation"], settings["dropout"])
        network.load_state_dict(weights, assign=True)
        loss = str(settings["loss"])
        temperature = _temperature(about.pop(_TEMPERATURE, 1.0))
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError, AttributeError) as error:
        msg = f"{path}: the checkpoint's parts do not fit together ({one_line(error)[:120]})"
        raise UserError(msg) from error
    return Checkpoint(network.eval(), vocabulary, loss, about, temperature)


def _temperature(value: float) -> float:
    if not 0 < value < inf:
        msg = f"temperature {value}"
        raise ValueError(msg)
    return float(value)
