"""The interface of a source of reviews."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.sources.labels import by_name, number_labels, plain
from imdbclf.errors import UserError, listed, one_line
from imdbclf.settings import SourceSettings


@dataclass(frozen=True)
class Reviews:
    """Reviews as read: for each part (`train`, `test`) a table of `text` (string) and `label` (int8, 0 or 1).

    The optional part `unlabelled` has labels of -1, and so has a test part without labels. With groups, the training
    part has a third column `group` (string; null or empty if unknown); only this part is split. `label_names` are the
    source's names of 0 and 1; one is empty if no review has it and it is not known. `notes` are sentences on what was
    decided for the user.
    """

    parts: dict[str, pa.Table]
    label_names: tuple[str, str]
    notes: tuple[str, ...] = ()


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
    written = {key: getattr(settings, key) for key in ("delimiter", "quote", "escape", "encoding", "header", "config")}
    told = [f"{key}={value}" for key, value in written.items() if value != getattr(DEFAULTS, key)]
    names = " ".join([*(column for column in columns if column is not None), *told])
    names = names if settings.labels is None else f"{names} by {settings.labels}"
    if settings.test is not None and settings.source != "files":
        names += f" tested on {settings.test}"
    return names if unlabelled is None else f"{names} and {unlabelled}"


def gather(parts: dict[str, pa.Table], settings: SourceSettings, where: str) -> Reviews:
    """Select the columns of each part and number the labels; groups for the training part only.

    The labels of the part `unlabelled` become -1, and those of a test part without labels.

    Raises:
        UserError: for a missing column (the message lists the columns), an empty part, more than two labels, or
            groups that are not single values.
    """
    without = {UNLABELLED} | ({"test"} if _is_test_without_labels(parts, settings.label_column) else set())
    labelled = {part: table for part, table in parts.items() if part not in without}
    for part, table in labelled.items():
        for key, column in (("text", settings.text_column), ("label", settings.label_column)):
            _find(table, column, f"{where}: part {part}", f"data.{key}_column must be one of", _likely(table))
        if table.num_rows == 0:
            msg = f"{where}: part {part} is empty; there must be at least one review of each label"
            raise UserError(msg)
    groups = None
    if settings.group is not None and "train" in parts:
        groups = group_values(parts["train"], settings.group, f"{where}: part train")
    try:
        columns = {part: by_name(table, settings.label_column) for part, table in labelled.items()}
        labels, names, notes = number_labels(columns, where, settings.labels)
        texts = {part: _texts(table[settings.text_column], where) for part, table in labelled.items()}
    except pa.ArrowException as error:
        msg = f"{where}: cannot be read as texts and labels ({one_line(error)[:120]})"
        raise UserError(msg) from error
    reviews = Reviews({part: pa.table({"text": texts[part], "label": labels[part]}) for part in labelled}, names, notes)
    if groups is not None:
        reviews.parts["train"] = reviews.parts["train"].append_column("group", groups)
    reviews.parts.update({part: _labelled(table, f"{where}: part {part}") for part, table in reviews.parts.items()})
    for part in without & parts.keys():
        reviews.parts[part] = _without_labels(parts[part], settings.text_column, f"{where}: part {part}")
    return replace(reviews, parts={part: reviews.parts[part] for part in parts})


def _is_test_without_labels(parts: dict[str, pa.Table], label_column: str) -> bool:
    """Whether there are training reviews with labels, and test reviews without: no such column, no value, or all -1."""
    if not parts.keys() >= {"train", "test"} or label_column not in parts["train"].column_names:
        return False
    if label_column not in parts["test"].column_names:
        return True
    trained, tested = (set(by_name(parts[part], label_column).unique().to_pylist()) for part in ("train", "test"))
    return tested <= {None, ""} or ({plain(value) for value in tested} == {"-1"} and not tested & trained)


def _labelled(table: pa.Table, where: str) -> pa.Table:
    """The reviews whose label is in `data.labels`, or all without that setting."""
    if table["label"].null_count == 0:
        return table
    if table["label"].null_count == table.num_rows:
        msg = f"{where}: data.labels names none of the labels there"
        raise UserError(msg)
    return table.filter(pc.is_valid(table["label"]))


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


def _likely(table: pa.Table) -> str:
    """The settings that are likely right for a table with other columns, in words; an empty text if none are."""
    values = {name: table[number] for number, name in enumerate(table.column_names)}
    lengths = {
        name: pc.sum(pc.binary_length(column)).as_py() or 0
        for name, column in values.items()
        if pa.types.is_string(column.type)
    }
    text = max(lengths, key=lambda name: lengths[name], default=None)
    counts = {name: len(column.unique()) for name, column in values.items() if not pa.types.is_nested(column.type)}
    few = [name for name, count in counts.items() if name != text and 1 < count < table.num_rows]
    if text is None or not few:
        return ""
    label = min(few, key=lambda name: counts[name])
    if pa.types.is_string(values[label].type) and pc.index(values[label], label).as_py() >= 0:
        numbers = [table.column_names.index(name) + 1 for name in (text, label)]
        return (
            f"; without a header line: data.header=false data.text_column={numbers[0]} data.label_column={numbers[1]}"
        )
    return f"; try data.text_column={text} data.label_column={label}"


def _find(table: pa.Table, column: str, where: str, allowed: str, hint: str = "") -> None:
    """Refuse a column name that does not occur exactly once."""
    count = table.column_names.count(column)
    if count != 1:
        found = f"{where} has {'no' if count == 0 else 'more than one'} column '{column}'"
        msg = f"{found}; {allowed} {listed(table.column_names)}{hint}"
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
