"""What the labels of a source mean: which of its two values is negative (0) and which is positive (1)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.errors import UserError, listed, one_line
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


def number_labels(
    columns: Columns, where: str, mapping: Mapping[LabelValue, LabelValue] | None, *, is_headerless: bool = False
) -> tuple[Columns, Names, tuple[str, ...]]:
    """Number the labels of all parts together: from `string` to int8, which is null for a review that is left out.

    A pair with a known meaning is numbered by it, two numbers by their order, two other texts in alphabetical order. A
    mapping (`data.labels`) says the class of each value, unless the values are the classes already; reviews with other
    values are left out. Returns also the names of 0 and 1 (one is empty if no review has it and it is not known), and
    sentences on what was decided. `where` is the source in words. `is_headerless` says that the settings deny a header
    line, which a third label in the first row alone seems to be.

    Raises:
        UserError: if there are more than two labels, or a label is missing.
    """
    every = pa.chunked_array([chunk for column in columns.values() for chunk in column.chunks], type=pa.string())
    if every.null_count:
        msg = f"{where}: {every.null_count:,} of {len(every):,} reviews have no label; every review needs one"
        raise UserError(msg)
    values = pc.unique(every)
    classes = _classes(values.to_pylist(), mapping)
    for part, column in columns.items():
        there = column.unique().to_pylist()
        if not classes.keys() & set(there):
            msg = f"{where}: data.labels names no label of part {part} ({listed(map(repr, sorted(there)), _SHOWN)})"
            raise UserError(msg)
    headings = {label for column in columns.values() if (label := _alone(column)) is not None} if is_headerless else ()
    names = _arranged(sorted(set(classes.values())), where, headings)
    numbers = {value: names.index(name) for value, name in classes.items()}
    numbered = pa.array(map(numbers.get, values.to_pylist()), pa.int8())
    found = {part: numbered.take(pc.index_in(column, values)) for part, column in columns.items()}
    left_out = sum(labels.null_count for labels in found.values())
    note = f"{left_out:,} of {len(every):,} reviews are left out: their labels are not in data.labels"
    return found, ("neg", "pos") if names[1] == "1" else names, (note,) if left_out else ()


def _classes(values: Sequence[str], mapping: Mapping[LabelValue, LabelValue] | None) -> dict[str, str]:
    """The class of each value that is not left out."""
    classes = {value: plain(value) for value in values}
    wanted = {plain(key): plain(value) for key, value in (mapping or {}).items()}
    if mapping is None or set(classes.values()) <= set(wanted.values()) - wanted.keys():
        return classes
    return {value: wanted[name] for value, name in classes.items() if name in wanted}


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


def by_name(table: pa.Table, label_column: str, class_names: Sequence[str] | None = None) -> pa.ChunkedArray:
    """The labels by their names; a number without a name (-1: no label) becomes null.

    `datasets` stores the names of the labels 0, 1, … with the table (a `ClassLabel`); otherwise `class_names` are the
    names. Without names, and if labels are no integers, they stay as they are.
    """
    column = table.column(label_column)
    try:
        names = json.loads((table.schema.metadata or {})[b"huggingface"])["info"]["features"][label_column]["names"]
    except (KeyError, TypeError, ValueError):
        names = class_names
    is_named = isinstance(names, Sequence) and all(isinstance(name, str) for name in names)
    if not is_named or not pa.types.is_integer(column.type):
        return column
    known = pc.and_(pc.greater_equal(column, 0), pc.less(column, len(names)))
    return pc.take(pa.array(names, pa.string()), pc.if_else(known, column, None))


def order_of(names: Sequence[str]) -> str | None:
    """The order of the labels if their meaning is not known: `numerical` or `alphabetical`."""
    if any(_side(plain(name).lower()) is not None for name in names):
        return None
    return "numerical" if all(_NUMBER.fullmatch(name) for name in names) else "alphabetical"


def _alone(column: pa.ChunkedArray) -> str | None:
    """The label of the first review, if no other one has it."""
    return column[0].as_py() if pc.sum(pc.equal(column, column[0])).as_py() == 1 else None


def _arranged(found: list[str], where: str, headings: Collection[str]) -> Names:
    """The negative and the positive one of the labels; `headings` may be of a header line."""
    if len(found) > 2:  # noqa: PLR2004 - a binary classification
        shown = f"{len(found)} classes ({listed(map(repr, found), _SHOWN)})"
        way = f"data.labels can map values to two classes, such as 'data.labels={{{found[0]}:neg,{found[-1]}:pos}}'"
        if len(read := set(found).intersection(headings)) == len(found) - 2:
            only = listed(map(repr, read), _SHOWN)
            way = "it seems to be a header, so use data.header=true and the names of the columns"
            raise UserError(f"{where}: {shown}, of which {only} is only in the first line; {way}")
        raise UserError(f"{where}: {shown}; a binary classification needs reviews of exactly two labels; {way}")
    written = {name.lower(): name for name in found}
    for negative, positive in KNOWN_PAIRS:
        if len(written) == len(found) and written.keys() <= {negative, positive}:
            return written.get(negative, negative), written.get(positive, positive)
    if len(found) == 1:
        return found[0], ""
    negative, positive = sorted(found, key=Decimal if all(map(_NUMBER.fullmatch, found)) else None)
    return negative, positive


def _side(name: str) -> int | None:
    """0 for the negative, 1 for the positive one of a known pair."""
    return next((pair.index(name) for pair in KNOWN_PAIRS if name in pair), None)


def as_texts(column: pa.ChunkedArray, what: str) -> pa.ChunkedArray:
    """Values of any type as `string`; NaN becomes null.

    Raises:
        UserError: if they are no single values, or no texts; it begins with `what`.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_nested(kind):
        raise UserError(f"{what} must be single values, not {kind}")
    try:
        values = column.cast(kind)
        if pa.types.is_floating(kind):
            values = pc.if_else(pc.is_nan(values), None, values)
        return values.cast(pa.string())
    except pa.ArrowException as error:
        raise UserError(f"{what} must be values that can be read as text ({one_line(error)[:120]})") from error
