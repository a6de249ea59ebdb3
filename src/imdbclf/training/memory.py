"""The memory that a fit needs, compared with what the machine has, before any of it is taken."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

from imdbclf.errors import UserError
from imdbclf.settings import Settings

_STATES = {"sgd": 1, "adagrad": 1, "rmsprop": 2, "adam": 2, "adamw": 2}
"""Numbers that an optimizer keeps for a parameter, at most."""

_BYTES = 4
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def check_memory(settings: Settings, columns: int, reviews: int) -> None:
    """Refuse a network that the machine has no memory for, given the numbers of columns and of training reviews.

    Raises:
        UserError: with the memory that it needs and the memory that there is.
    """
    needed, there = needed_bytes(settings, columns, reviews), memory_of_machine()
    if there is not None and needed > there:
        model = settings.model
        msg = (
            f"model.hidden={model.hidden}: this network of {model.layers} hidden layers on {columns:,} columns needs "
            f"about {needed / 1e9:,.1f} GB of memory in training, and there are {there / 1e9:,.1f} GB; "
            "give a smaller model.hidden, model.layers, model.members, features.columns or data.batch_size"
        )
        raise UserError(msg)


def needed_bytes(settings: Settings, columns: int, reviews: int) -> int:
    """Memory for weights, gradients, the optimizer, a batch, and a checkpoint while it is written."""
    model, states = settings.model, _STATES[settings.optimizer.name]
    parameters = sum((rows + 1) * width for rows, width in pairwise([columns, *model.widths, 1]))
    one = parameters * (3 + 2 * states)
    # The checkpoint of an ensemble is made from those of its members.
    members = max(model.members, settings.teacher.members)
    together = members * parameters * (2 + states) if members > 1 else 0
    row = 2 * sum(model.widths) + (columns if settings.data.layout == "dense" else 0)
    return _BYTES * (max(one, together) + min(settings.data.batch_size, reviews) * row)


def memory_of_machine() -> int | None:
    """The bytes of memory that this machine or container has; None if the system does not say."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        limit = _CGROUP_LIMIT.read_text(encoding="ascii").strip() if _CGROUP_LIMIT.exists() else ""
    except (AttributeError, ValueError, OSError):
        return None
    return min(there, int(limit)) if limit.isdigit() else there
