"""The interface of a source of reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from imdbclf.data.sources.labels import as_texts, number_labels, plain
from imdbclf.errors import UserError, listed
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

    def fingerprint(self) -> str:
        """A text that changes if the result of `read` changes; found without reading all reviews."""

    def read(self) -> Reviews:
        """Read everything.

        Raises:
            UserError: if that is impossible.
        """


DEFAULTS = SourceSettings()

UNLABELLED = "unlabelled"
"""The part of reviews without labels."""


def named_columns(settings: SourceSettings, unlabelled: str | None = None) -> str:
    """The column names for a fingerprint. Optional ones count only if they are used, so that caches stay valid."""
    columns = (settings.text_column, settings.label_column, settings.group)
    written = {key: getattr(settings, key) for key in ("delimiter", "quote", "escape", "encoding", "header", "config")}
    told = [f"{key}={value}" for key, value in written.items() if value != getattr(DEFAULTS, key)]
    split = None if settings.source == "files" else settings.test
    more = {"by": settings.labels, "parts by": settings.split_column, "tested on": split, "and": unlabelled}
    words = [*columns, *told, *(f"{word} {value}" for word, value in more.items() if value is not None)]
    return " ".join(word for word in words if word is not None)


def gather(parts: dict[str, pa.Table], settings: SourceSettings, where: str) -> Reviews:
    """Select the columns of each part and number the labels; groups for the training part only.

    The labels of the part `unlabelled` become -1, and those of a test part without labels.

    Raises:
        UserError: for a missing column (the message lists the columns), an empty part, more than two labels, or
            groups that are not single values.
    """
    without = {UNLABELLED} | ({"test"} if _is_test_without_labels(parts, settings.label_column) else set())
    texts, labels = {}, {}
    for part, table in parts.items():
        place = f"{where}: part {part}"
        texts[part] = text_values(table, settings.text_column, place)
        if part not in without:
            column = find_column(table, settings.label_column, place, "data.label_column must be")
            labels[part] = as_texts(column, f"{place}: labels")
        if table.num_rows == 0:
            raise UserError(f"{place} is empty; there must be at least one review")
    numbered, names, notes = number_labels(labels, where, settings.labels, is_headerless=not settings.header)
    read = {}
    for part, table in parts.items():
        columns = {"text": texts[part], "label": numbered.get(part, pa.repeat(pa.scalar(-1, pa.int8()), len(table)))}
        if part == "train" and settings.group is not None:
            group = f"data.group={settings.group}"
            values = find_column(table, settings.group, f"{where}: part train", f"{group} must be null or")
            columns["group"] = as_texts(values, f"{where}: part train: the values of {group}")
        labelled = pa.table(columns)
        read[part] = labelled.filter(labelled["label"].is_valid())
    return Reviews(read, names, notes)


def _is_test_without_labels(parts: dict[str, pa.Table], label_column: str) -> bool:
    """Whether there are training reviews with labels, and test reviews without: no such column, no value, or all -1."""
    if not parts.keys() >= {"train", "test"}:
        return False
    columns = [parts[part].column_names.count(label_column) for part in ("train", "test")]
    if columns != [1, 1]:
        return columns == [1, 0]
    trained, tested = (set(parts[part].column(label_column).unique().to_pylist()) for part in ("train", "test"))
    return tested <= {None, ""} or ({plain(value) for value in tested} == {"-1"} and not tested & trained)


_TEXT_TYPES = {pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.null()}


def text_values(table: pa.Table, column: str, where: str) -> pa.ChunkedArray:
    """The text of each review as `string`; a missing text becomes an empty one.

    Raises:
        UserError: if there is no such column (the message lists the columns), or it has no texts.
    """
    values = find_column(table, column, where, "data.text_column must be")
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if kind not in _TEXT_TYPES:
        raise UserError(f"{where}: the texts have the type {kind}; save them as text (Parquet keeps the type)")
    return as_texts(values, f"{where}: the texts").fill_null("")


def find_column(table: pa.Table, column: str, where: str, allowed: str) -> pa.ChunkedArray:
    """The column; refuses a name that does not occur exactly once."""
    count = table.column_names.count(column)
    if count != 1:
        found = f"{where} has {'no' if count == 0 else 'more than one'} column '{column}'"
        are_names = all(name.isidentifier() for name in table.column_names)
        hint = "" if are_names else "; for a file without header line: data.header=false, and columns are numbers"
        raise UserError(f"{found}; {allowed} one of {listed(table.column_names)}{hint}")
    return table.column(column)
