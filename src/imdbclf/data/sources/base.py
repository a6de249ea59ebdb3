"""What every source of reviews offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from imdbclf.data.labels import number_labels
from imdbclf.errors import UserError


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
            if column not in table.column_names:
                msg = (
                    f"{where}: part {part} has no column '{column}'; "
                    f"data.{key}_column must be one of {', '.join(table.column_names)}"
                )
                raise UserError(msg)
        if table.num_rows == 0:
            msg = f"{where}: part {part} is empty; there must be at least one review of each label"
            raise UserError(msg)
    labels, names = number_labels({part: table.column(label_column) for part, table in parts.items()}, where)
    return Reviews(
        {
            part: pa.table({"text": _texts(table.column(text_column)), "label": labels[part]})
            for part, table in parts.items()
        },
        names,
    )


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as `string`; a missing text is an empty review."""
    return column.cast(pa.string()).fill_null("")
