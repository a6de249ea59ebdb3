"""Two labels of any spelling become 0 and 1."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.errors import UserError

KNOWN_PAIRS = [("0", "1"), ("-1", "1"), ("neg", "pos"), ("negative", "positive"), ("false", "true"), ("no", "yes")]
"""Pairs (negative, positive) with a known meaning. Of two other values, the first in code-point order becomes 0."""


Columns = dict[str, pa.ChunkedArray]


def number_labels(columns: Columns, where: str) -> tuple[Columns, tuple[str, str]]:
    """Labels as int8 zeros and ones, and their names: as spelt in the source, but `neg` and `pos` for numbers.

    Args:
        columns: the label column of each part, of any type.
        where: the source in words, for the message.

    Raises:
        UserError: if the parts together do not have exactly two values, or a label is missing.
    """
    texts = {part: _as_text(column, f"{where}, part {part}") for part, column in columns.items()}
    every = pa.chunked_array([chunk for text in texts.values() for chunk in text.chunks], type=pa.string())
    found = sorted(pc.unique(every).to_pylist())
    if len(found) != 2:  # noqa: PLR2004 - a binary classification
        listed = ", ".join(repr(value) for value in found[:5]) + (", …" if len(found) > 5 else "")  # noqa: PLR2004
        count = "one class only" if len(found) == 1 else f"{len(found)} classes"
        msg = f"{where}: {count} ({listed}); a binary classification needs reviews of exactly two labels"
        raise UserError(msg)
    negative, positive = next(
        (pair for pair in KNOWN_PAIRS if sorted(value.lower() for value in found) == sorted(pair)), found
    )
    if [value.lower() for value in found] == [positive, negative]:
        found.reverse()
    ones = {part: pc.equal(text, found[1]).cast(pa.int8()) for part, text in texts.items()}
    return ones, ("neg", "pos") if found[1] == "1" else (found[0], found[1])


def same_meaning(names: tuple[str, str], others: tuple[str, str]) -> bool:
    """Whether two spellings of (0, 1) mean the same: they are equal, or both have a known meaning."""
    return names == others or all((low.lower(), high.lower()) in KNOWN_PAIRS for low, high in (names, others))


def _as_text(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        msg = f"{where}: labels must be single values, not {column.type}"
        raise UserError(msg)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        msg = f"{where}: review {row + 1} has no label; every review needs one"
        raise UserError(msg)
    if pa.types.is_floating(column.type):
        whole = column.cast(pa.int64(), safe=False)
        column = pc.if_else(pc.equal(whole, column), whole.cast(pa.string()), column.cast(pa.string()))
    elif pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string())
