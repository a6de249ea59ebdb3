"""Groups as every source has them; texts are checked with the sources that read them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from data.helpers import TEST, table
from imdbclf.data.sources.base import gather
from imdbclf.errors import UserError
from imdbclf.settings import SourceSettings

FILM = SourceSettings(group="film")
SOME = [("a", 0), ("b", 1), ("c", 1)]


def groups_of(column: pa.Array) -> list[str | None]:
    parts = {"train": table(SOME).append_column("film", column), "test": table(TEST)}
    reviews = gather(parts, FILM, "here")
    assert reviews.parts["test"].column_names == ["text", "label"]
    assert reviews.parts["train"].column_names == ["text", "label", "group"]
    groups: list[str | None] = reviews.parts["train"]["group"].to_pylist()
    return groups


@pytest.mark.parametrize(
    ("values", "kind", "groups"),
    [
        (["x", None, ""], pa.string(), ["x", None, ""]),
        (["x", None, "x"], pa.dictionary(pa.int32(), pa.string()), ["x", None, "x"]),
        ([1, None, 30], pa.int64(), ["1", None, "30"]),
        ([True, False, None], pa.bool_(), ["true", "false", None]),
        ([1.5, float("nan"), None], pa.float64(), ["1.5", None, None]),
        ([None, None, None], pa.null(), [None, None, None]),
        ([b"x", None, b"y"], pa.binary(), ["x", None, "y"]),
    ],
    ids=["string", "dictionary", "integer", "boolean", "floating", "null", "bytes"],
)
def test_groups_of_any_type_of_single_values_become_texts(
    values: list[Any], kind: pa.DataType, groups: list[str | None]
) -> None:
    assert groups_of(pa.array(values, kind)) == groups


@pytest.mark.parametrize("part", ["train", "test"])
def test_labels_that_are_there_twice_are_refused_in_each_part(part: str) -> None:
    parts = {"train": table(SOME), "test": table(TEST)}
    parts[part] = parts[part].append_column("label", parts[part]["label"])
    with pytest.raises(UserError, match=f"^here: part {part} has more than one column 'label'"):
        gather(parts, SourceSettings(), "here")


def test_groups_that_are_not_asked_for_are_left_out() -> None:
    read = table(SOME).append_column("film", pa.array(["x", "y", "z"]))
    assert gather({"train": read}, SourceSettings(), "here").parts["train"].column_names == ["text", "label"]


def test_a_test_part_alone_needs_no_groups() -> None:
    assert gather({"test": table(TEST)}, FILM, "here").parts["test"].num_rows == len(TEST)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([[1], [2], [3]]), "must be single values, not list<"),
        (pa.array([b"\xff", b"a", b"b"], pa.binary()), "must be values that can be read as text (Invalid UTF8"),
    ],
    ids=["lists", "undecodable bytes"],
)
def test_groups_that_are_no_single_texts_are_refused(column: pa.Array, message: str) -> None:
    with pytest.raises(UserError) as refusal:
        groups_of(column)
    assert str(refusal.value).startswith(f"here: part train: the values of data.group=film {message}")
    assert "\n" not in str(refusal.value)


def test_a_missing_column_of_groups_is_named_with_those_there_are() -> None:
    with pytest.raises(UserError) as refusal:
        gather({"train": table(SOME), "test": table(TEST)}, FILM, "here")
    assert str(refusal.value) == (
        "here: part train has no column 'film'; data.group=film must be null or one of text, label"
    )
