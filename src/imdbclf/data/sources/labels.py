"""What the labels of a source mean: which of its two values is negative (0) and which is positive (1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.errors import UserError, listed
from imdbclf.setting_values import LabelValue

KNOWN_PAIRS = [
    ("0", "1"),
    ("-1", "1"),
    ("neg", "pos"),
    ("negative", "positive"),
    ("false", "true"),
    ("no", "yes"),
    ("n", "y"),
    ("bad", "good"),
    ("ham", "spam"),
    ("rotten", "fresh"),
]
"""Pairs (negative, positive) with a known meaning."""

_SHOWN = 5
"""Labels in a message, at most."""

_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{0,20})?")

Columns = dict[str, pa.ChunkedArray]
Names = tuple[str, str]


class NumberedLabels(NamedTuple):
    """The labels of each part as int8: 0, 1, or null for a review that is left out; and the names of 0 and 1.

    If all labels are the same and its counterpart is not known, the name of the other is empty. `notes` say what was
    decided.
    """

    columns: Columns
    names: Names
    notes: tuple[str, ...]


def number_labels(columns: Columns, where: str, mapping: Mapping[LabelValue, LabelValue] | None) -> NumberedLabels:
    """Number the labels of all parts together.

    A pair with a known meaning is numbered by it, two numbers by their order, two other texts in alphabetical order.

    Args:
        columns: the label column of each part, of any type.
        where: the source in words, for messages.
        mapping: the class of each value (`data.labels`); reviews with other values are left out.

    Raises:
        UserError: if there are more than two labels, or a label is missing.
    """
    texts = {part: _as_text(column, f"{where}, part {part}") for part, column in columns.items()}
    every = pa.chunked_array([chunk for text in texts.values() for chunk in text.chunks], type=pa.string())
    values = pc.unique(every).to_pylist()
    classes = {value: plain(value) for value in values}
    notes = []
    if mapping is not None:
        classes = _mapped(classes, {plain(key): plain(value) for key, value in mapping.items()}, where)
        if left_out := pc.sum(pc.invert(pc.is_in(every, pa.array(list(classes), pa.string())))).as_py():
            notes.append(f"{left_out:,} of {len(every):,} reviews are left out: their labels are not in data.labels")
    names = _arranged(sorted(set(classes.values())), where)
    numbers = pa.array([_number(classes.get(value), names) for value in values], pa.int8())
    found = {part: numbers.take(pc.index_in(text, pa.array(values, pa.string()))) for part, text in texts.items()}
    return NumberedLabels(found, _shown(names), tuple(notes))


def plain(value: LabelValue) -> str:
    """A label as a text; equal numbers become equal texts: `1`, `+1`, `1.0`, and `true` is a text."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{(Decimal(text) + 0).normalize():f}" if _NUMBER.fullmatch(text) else text


def place(name: LabelValue, names: Sequence[str]) -> int | None:
    """Whether a label means the same as the first (0) or the second (1) of two names; None if it means neither.

    It does if it is equal but for upper case, or if all three belong to pairs with a known meaning.
    """
    wanted, both = plain(name).lower(), [plain(one).lower() for one in names]
    if wanted in both:
        return both.index(wanted)
    sides = [_side(one) for one in both]
    return sides.index(_side(wanted)) if sorted(sides, key=str) == [0, 1] and _side(wanted) is not None else None


def stored_names(schema: pa.Schema, label_column: str) -> list[str] | None:
    """The names of the labels 0, 1, …, if `datasets` stored them with the table (a `ClassLabel`)."""
    try:
        names = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][label_column]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    is_named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if is_named and pa.types.is_integer(schema.field(label_column).type) else None


def by_name(table: pa.Table, label_column: str) -> pa.ChunkedArray:
    """The labels, by their stored names if there are any; a number without a name (-1: no label) becomes null."""
    column, names = table.column(label_column), stored_names(table.schema, label_column)
    if names is None:
        return column
    known = pc.and_(pc.greater_equal(column, 0), pc.less(column, len(names)))
    return pc.take(pa.array(names, pa.string()), pc.if_else(known, column, None))


def order_of(names: Sequence[str]) -> str | None:
    """The order of the labels if their meaning is not known: `numerical` or `alphabetical`."""
    if any(_side(plain(name).lower()) is not None for name in names):
        return None
    return "numerical" if all(_NUMBER.fullmatch(name) for name in names) else "alphabetical"


def _mapped(classes: dict[str, str], mapping: Mapping[str, str], where: str) -> dict[str, str]:
    """The class of each value that has one; the values themselves if they are the classes already."""
    if not mapping.keys() & set(classes.values()) and set(classes.values()) <= set(mapping.values()):
        return classes
    found = {value: mapping[text] for value, text in classes.items() if text in mapping}
    if not found:
        msg = f"data.labels: names none of the labels in {where} ({listed(map(repr, sorted(classes)), _SHOWN)})"
        raise UserError(msg)
    return found


def _arranged(found: list[str], where: str) -> Names:
    """The negative and the positive one of the labels."""
    if len(found) > 2 or not found:  # noqa: PLR2004 - a binary classification
        example = f"{{{found[0]}:neg,{found[-1]}:pos}}"
        msg = (
            f"{where}: {len(found)} classes ({listed(map(repr, found), _SHOWN)}); a binary classification needs "
            "reviews of exactly two labels; data.labels can map values to two classes, such as "
            f"'data.labels={example}'"
        )
        raise UserError(msg)
    for pair in KNOWN_PAIRS:
        if sorted(value.lower() for value in found) == sorted(pair):
            return (found[0], found[1]) if found[0].lower() == pair[0] else (found[1], found[0])
    if len(found) == 1:
        pair = next((pair for pair in KNOWN_PAIRS if found[0].lower() in pair), (found[0], ""))
        return (pair[0], found[0]) if found[0].lower() == pair[1] else (found[0], pair[1])
    negative, positive = sorted(found, key=Decimal if all(map(_NUMBER.fullmatch, found)) else None)
    return negative, positive


def _number(name: str | None, names: Names) -> int | None:
    return None if name is None else names.index(name)


def _shown(names: Names) -> Names:
    return ("neg", "pos") if names[1] == "1" else names


def _side(name: str) -> int | None:
    """0 for the negative, 1 for the positive one of a known pair."""
    return next((pair.index(name) for pair in KNOWN_PAIRS if name in pair), None)


def _as_text(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        msg = f"{where}: labels must be single values, not {column.type}"
        raise UserError(msg)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    text = column.cast(pa.string())
    missing = pc.or_kleene(pc.is_null(text), pc.equal(text, ""))
    if pc.any(missing).as_py():
        msg = f"{where}: review {pc.index(missing, True).as_py() + 1} has no label; every review needs one"
        raise UserError(msg)
    return text
