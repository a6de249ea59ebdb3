"""Predictions for a file with columns, and a file of predictions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet

from imdbclf.data.sources.base import text_values
from imdbclf.data.sources.tables import read_files
from imdbclf.errors import UserError, one_line
from imdbclf.inference.predictor import Prediction
from imdbclf.settings import SourceSettings
from imdbclf.storage import atomic_write


def read_table(path: Path, settings: SourceSettings) -> tuple[pa.Table, list[str]]:
    """All columns of a file, and its texts.

    Raises:
        UserError: if the file cannot be read, or does not have one column of that name with texts.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    table = read_files([path], settings, labelled=False)
    return table, text_values(table, settings.text_column, str(path)).to_pylist()


def table_of(texts: Sequence[str]) -> pa.Table:
    """A table of one column, `text`."""
    return pa.table({"text": pa.array(texts, pa.string())})


def write_table(path: Path, table: pa.Table, predictions: Sequence[Prediction]) -> list[str]:
    """Write the columns, and the label and probability of each row, completely or not at all.

    Returns the names of the two new columns. They begin with `predicted_` where the table has such a column.

    Raises:
        UserError: if the format has no place for the values of a column.
    """
    labels = pa.array([one.label for one in predictions], pa.string())
    probabilities = pa.array([one.probability for one in predictions], pa.float64())
    for name, column in (("label", labels), ("probability", probabilities)):
        while name in table.column_names:
            name = f"predicted_{name}"  # noqa: PLW2901 - until it is free
        table = table.append_column(name, column)
    try:
        with atomic_write(path) as aside:
            if path.suffix == ".csv":
                csv.write_csv(table, aside)
            elif path.suffix == ".parquet":
                parquet.write_table(table, aside)
            else:
                lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
                aside.write_text("".join(lines), encoding="utf-8")
    except (pa.ArrowException, TypeError, UnicodeError) as error:
        msg = f"--output {path}: cannot hold these columns ({one_line(error)[:100]}); give a name that ends in .parquet"
        raise UserError(msg) from error
    names: list[str] = table.column_names[-2:]
    return names
