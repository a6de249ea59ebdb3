"""What every source of reviews offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from imdbclf.data.labels import number_labels
from imdbclf.errors import UserError, one_line


@dataclass(frozen=True)
class Reviews:
    """Reviews as they were read: by part (`train`, `test`) a table of `text` (string) and `label` (int8, 0 or 1).

    `label_names` is how the source spells 0 and 1.
    """

    parts: dict[str, pa.Table]
    label_names: tuple[str, str]


class Source(Protocol):
    """A place to read reviews from."""

    @property
    def description(self) -> str:
        """The source in words, as it is said to people and written into every result."""
        ...

    def fingerprint(self) -> str:
        """A text that changes whenever `read` would give something else; found without reading all reviews."""
        ...

    def read(self) -> Reviews:
        """Read everything; raises `UserError` with one line where that is impossible."""
        ...


def gather(parts: dict[str, pa.Table], text_column: str, label_column: str, where: str) -> Reviews:
    """Pick the two columns of each part and number the labels.

    Raises:
        UserError: for a missing column (with those there are), an empty part, a missing text, or labels that are
            not two.
    """
    for part, table in parts.items():
        for key, column in (("text", text_column), ("label", label_column)):
            count = table.column_names.count(column)
            if count != 1:
                msg = (
                    f"{where}: part {part} has {'no' if count == 0 else 'more than one'} column '{column}'; "
                    f"data.{key}_column must be one of {', '.join(dict.fromkeys(table.column_names))}"
                )
                raise UserError(msg)
        if table.num_rows == 0:
            msg = f"{where}: part {part} is empty; there must be at least one review of each label"
            raise UserError(msg)
    try:
        return _gathered(parts, text_column, label_column, where)
    except pa.ArrowException as error:
        msg = f"{where}: cannot be read as texts and labels ({one_line(error)[:120]})"
        raise UserError(msg) from error


def _gathered(parts: dict[str, pa.Table], text_column: str, label_column: str, where: str) -> Reviews:
    labels, names = number_labels({part: table.column(label_column) for part, table in parts.items()}, where)
    return Reviews(
        {
            part: pa.table({"text": _texts(table.column(text_column), where), "label": labels[part]})
            for part, table in parts.items()
        },
        names,
    )


_TEXT_TYPES = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_null,
)


def _texts(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """Texts as `string`; a missing text is an empty review."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not any(is_text(kind) for is_text in _TEXT_TYPES):
        msg = f"{where}: the texts were read as {kind}, not as text; save them as text (Parquet keeps the kind)"
        raise UserError(msg)
    return column.cast(pa.string()).fill_null("")
