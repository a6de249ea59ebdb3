"""Axes, values and numbers as text: `layers`, `2 layers`, `88.87 ± 0.21 %`, `p = .003`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_AXES = {
    "model.layers": "layers",
    "model.hidden": "hidden units",
    "model.activation": "activation",
    "optimizer.lr": "learning rate",
    "features.columns": "columns",
    "data.val_size": "validation reviews",
    "trainer.max_epochs": "epochs",
}
_COUNTED = {"model.layers": "layer", "model.hidden": "unit", "trainer.max_epochs": "epoch"}
_NAMES_ALONE = {"model.activation", "loss", "loss.name", "optimizer", "optimizer.name", "data", "experiment"}
"""Axes whose values are clear without the name of the axis."""

_NUMBER = re.compile(r"-?\d+\.\d+(e-?\d+)?")
LONG_NUMBER = 8
"""A number with more characters was chosen by a search, not typed."""


def axis_label(axis: str) -> str:
    """The usual name of the axis, or the last part of its key."""
    return _AXES.get(axis) or axis.lstrip("+").rsplit(".", 1)[-1].replace("_", " ")


def axis_labels(axes: Sequence[str]) -> dict[str, str]:
    """A label for each axis; the whole key if two would have the same label."""
    labels = {axis: axis_label(axis) for axis in axes}
    used = list(labels.values())
    return {axis: label if used.count(label) == 1 else axis for axis, label in labels.items()}


def value_label(value: str) -> str:
    """A value in a table; a long number, which only a search chooses, is rounded to four digits."""
    if len(value) > LONG_NUMBER and _NUMBER.fullmatch(value):
        return f"{float(value):.4g}"
    return value


def choice_label(axis: str, value: str) -> str:
    """A value with its axis, where the value alone is not clear: `2 layers`, `relu`, `dropout 0.5`."""
    value = value_label(value)
    if axis in _COUNTED:
        return f"{value} {_COUNTED[axis]}" + ("" if value == "1" else "s")
    return value if axis in _NAMES_ALONE else f"{axis_label(axis)} {value}"


def configuration_label(choices: Mapping[str, str]) -> str:
    """All values of a configuration in one line."""
    return ", ".join(choice_label(axis, value) for axis, value in choices.items()) or "the one configuration"


def number_of(count: int, one: str) -> str:
    """`1 seed`, `5 seeds`, `10,000 reviews`."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def percent(mean: float, half: float | None = None) -> str:
    """An accuracy: `88.87 %`, or `88.87 ± 0.21 %` with half of its interval."""
    return f"{100 * mean:.2f}" + (" %" if half is None else f" ± {100 * half:.2f} %")


def signed(difference: float, half: float | None = None) -> str:
    """A difference of accuracies in points: `+0.20`, `−0.10 ± 0.30`."""
    text = f"{100 * difference:+.2f}".replace("-", "−")
    text = text.replace("−0.00", "0.00").replace("+0.00", "0.00")
    return text if half is None else f"{text} ± {100 * half:.2f}"


def p_cell(p: float | None) -> str:
    """A p value in a table, to three digits: `.003`, `< .001`, `1`; a dash for None."""
    if p is None:
        return "–"
    if p < 0.001:  # noqa: PLR2004 - three digits
        return "< .001"
    return "1" if p > 0.9995 else f"{p:.3f}".lstrip("0")  # noqa: PLR2004 - three digits


def p_text(p: float) -> str:
    """A p value in a sentence: `p = .003`, `p < .001`."""
    cell = p_cell(p)
    return f"p {cell}" if cell.startswith("<") else f"p = {cell}"
