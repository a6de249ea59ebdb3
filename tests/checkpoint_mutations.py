"""Checkpoints with one part replaced, dropped, renamed or of another size."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

WRONG: list[Any] = [
    None,
    True,
    -1,
    10**30,
    0.5,
    float("nan"),
    "",
    "\ud800",
    "x" * 5000,
    b"",
    [],
    {},
    [1],
    ["pos"],
    {"x": 1},
    (1, 2),
    torch.zeros(0),
    torch.ones(3),
    torch.full((500, 16), float("inf")),
    torch.ones(500, 16).to_sparse(),
    torch.ones(1).expand(10**9, 16),
    torch.ones(2, dtype=torch.complex64),
    torch.ones(500, 16, dtype=torch.int64),
    torch.ones(500, 16, device="meta"),
]
"""What can stand where something else must, in a file of plain types."""


def places(contents: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something is in nested dictionaries and lists."""
    inside = contents.items() if isinstance(contents, dict) else enumerate(contents) if type(contents) is list else ()
    return [place] * bool(place) + [one for key, value in inside for one in places(value, (*place, key))]


def copied(contents: Any) -> Any:
    """The contents in dictionaries and lists of their own."""
    if isinstance(contents, dict):
        return {key: copied(value) for key, value in contents.items()}
    return list(map(copied, contents)) if isinstance(contents, list) else contents


def mutated(contents: dict[str, Any], rng: np.random.Generator) -> tuple[dict[str, Any], str]:
    """The contents with one part replaced, dropped or of another size, and what was done."""
    contents = copied(contents)
    every = places(contents)
    *way, key = every[rng.integers(len(every))]
    within: Any = contents
    for step in way:
        within = within[step]
    old = within[key]
    if (kind := rng.integers(4)) == 0:
        del within[key]
        return contents, f"without {way} {key}"
    if kind == 1 and isinstance(old, (torch.Tensor, str, list)) and len(old) > 1:
        within[key] = old[: len(old) // 2]
    elif kind == 2 and isinstance(within, dict):
        within[f"{key}2"] = within.pop(key)
    else:
        within[key] = WRONG[rng.integers(len(WRONG))]
    return contents, f"{way} {key} = {str(within.get(key, 'renamed') if isinstance(within, dict) else within)[:60]}"
