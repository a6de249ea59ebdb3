"""The interface of a source of reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.errors import UserError, one_line
from imdbclf.settings import SourceSettings


@dataclass(frozen=True)
class Reviews:
    """Reviews as read: for each part (`train`, `test`) a table of `text` (string) and `label` (int8, 0 or 1).

    The optional part `unlabelled` has labels of -1. With groups, the training part has a third column `group` (string;
    null or empty if unknown); only this part is split. `label_names` are the source's names of 0 and 1.
    """

    parts: dict[str, pa.Table]
    label_names: tuple[str, str]


class Source(Protocol):
    """A place to read reviews from."""

    @property
    def description(self) -> str:
        """The source in words, for messages and results."""
        ...

    def fingerprint(self) -> str:
        """A text that changes if the result of `read` changes; found without reading all reviews."""
        ...

    def read(self) -> Reviews:
        """Read everything.

        Raises:
            UserError: if that is impossible.
        """
        ...


DEFAULTS = SourceSettings()

UNLABELLED = "unlabelled"
"""The part of reviews without labels."""


def named_columns(settings: SourceSettings, unlabelled: str | None = None) -> str:
    """The column names for a fingerprint. Optional ones count only if they are used, so that caches stay valid."""
    columns = (settings.text_column, settings.label_column, settings.group)
    names = " ".join(column for column in columns if column is not None)
    return names if unlabelled is None else f"{names} and {unlabelled}"


def gather(parts: dict[str, pa.Table], settings: SourceSettings, where: str) -> Reviews:
    """Select the columns of each part and number the labels; groups for the training part only.

    The labels of the part `unlabelled` become -1.

    Raises:
        UserError: for a missing column (the message lists the columns), an empty part, other than two labels, or
            groups that are not single values.
    """
    labelled = {part: table for part, table in parts.items() if part != UNLABELLED}
    for part, table in labelled.items():
        for key, column in (("text", settings.text_column), ("label", settings.label_column)):
            _find(table, column, f"{where}: part {part}", f"data.{key}_column must be one of")
        if table.num_rows == 0:
            msg = f"{where}: part {part} is empty; there must be at least one review of each label"
            raise UserError(msg)
    groups = None
    if settings.group is not None and "train" in parts:
        groups = group_values(parts["train"], settings.group, f"{where}: part train")
    try:
        labels, names = number_labels({part: table[settings.label_column] for part, table in labelled.items()}, where)
        texts = {part: _texts(table[settings.text_column], where) for part, table in labelled.items()}
    except pa.ArrowException as error:
        msg = f"{where}: cannot be read as texts and labels ({one_line(error)[:120]})"
        raise UserError(msg) from error
    reviews = Reviews({part: pa.table({"text": texts[part], "label": labels[part]}) for part in labelled}, names)
    if groups is not None:
        reviews.parts["train"] = reviews.parts["train"].append_column("group", groups)
    if UNLABELLED in parts:
        unlabelled = _without_labels(parts[UNLABELLED], settings.text_column, f"{where}: part {UNLABELLED}")
        reviews.parts[UNLABELLED] = unlabelled
    return reviews


def _without_labels(table: pa.Table, text_column: str, where: str) -> pa.Table:
    """The texts of a table, with labels of -1."""
    _find(table, text_column, where, "data.text_column must be one of")
    if table.num_rows == 0:
        msg = f"{where} is empty; there must be at least one review, or data.unlabelled=null"
        raise UserError(msg)
    no_labels = pa.repeat(pa.scalar(-1, pa.int8()), table.num_rows)
    return pa.table({"text": _texts(table.column(text_column), where), "label": no_labels})


def group_values(table: pa.Table, column: str, where: str) -> pa.ChunkedArray:
    """The group of each review as `string`; null if there is none.

    Raises:
        UserError: if there is no such column (the message lists the columns), or it has no single values.
    """
    _find(table, column, where, f"data.group={column} must be null or one of")
    values = table.column(column)
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_nested(kind):
        msg = f"{where}: data.group={column} must name a column of single values, not of {kind}"
        raise UserError(msg)
    values = values.cast(kind)
    if pa.types.is_floating(kind):
        values = pc.if_else(pc.is_nan(values), None, values)
    try:
        return values.cast(pa.string())
    except pa.ArrowException as error:
        msg = f"{where}: data.group={column} must name a column that can be read as text ({one_line(error)[:120]})"
        raise UserError(msg) from error


def _find(table: pa.Table, column: str, where: str, allowed: str) -> None:
    """Refuse a column name that does not occur exactly once."""
    count = table.column_names.count(column)
    if count != 1:
        listed = ", ".join(dict.fromkeys(table.column_names))
        msg = f"{where} has {'no' if count == 0 else 'more than one'} column '{column}'; {allowed} {listed}"
        raise UserError(msg)


_TEXT_TYPES = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_null,
)


def _texts(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """Texts as `string`; a missing text becomes an empty review."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not any(is_text(kind) for is_text in _TEXT_TYPES):
        msg = f"{where}: the texts have the type {kind}; save them as text (Parquet keeps the type)"
        raise UserError(msg)
    return column.cast(pa.string()).fill_null("")


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
