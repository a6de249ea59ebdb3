"""Groups and labels as every source has them; texts are checked with the sources that read them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from data.helpers import TEST, table
from imdbclf.data.sources.base import gather, number_labels, same_meaning
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


def test_groups_that_are_not_asked_for_are_left_out() -> None:
    read = table(SOME).append_column("film", pa.array(["x", "y", "z"]))
    assert gather({"train": read}, SourceSettings(), "here").parts["train"].column_names == ["text", "label"]


def test_a_test_part_alone_needs_no_groups() -> None:
    assert gather({"test": table(TEST)}, FILM, "here").parts["test"].num_rows == len(TEST)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([[1], [2], [3]]), "must name a column of single values, not of list<"),
        (pa.array([b"\xff", b"a", b"b"], pa.binary()), "must name a column that can be read as text (Invalid UTF8"),
    ],
    ids=["lists", "undecodable bytes"],
)
def test_groups_that_are_no_single_texts_are_refused(column: pa.Array, message: str) -> None:
    with pytest.raises(UserError) as refusal:
        groups_of(column)
    assert str(refusal.value).startswith(f"here: part train: data.group=film {message}")
    assert "\n" not in str(refusal.value)


def test_a_missing_column_of_groups_is_named_with_those_there_are() -> None:
    with pytest.raises(UserError) as refusal:
        gather({"train": table(SOME), "test": table(TEST)}, FILM, "here")
    assert str(refusal.value) == (
        "here: part train has no column 'film'; data.group=film must be null or one of text, label"
    )


def numbered(*values: Any, type: pa.DataType | None = None) -> tuple[list[int], tuple[str, str]]:  # noqa: A002
    columns, names = number_labels({"train": pa.chunked_array([pa.array(values, type)])}, "here")
    assert columns["train"].type == pa.int8()
    return columns["train"].to_pylist(), names


def refusal(*values: Any) -> str:
    with pytest.raises(UserError) as error:
        numbered(*values)
    return str(error.value)


@pytest.mark.parametrize(
    ("values", "numbers", "names"),
    [
        ([0, 1, 1], [0, 1, 1], ("neg", "pos")),
        ([1, 0], [1, 0], ("neg", "pos")),
        ([1, -1], [1, 0], ("neg", "pos")),
        ([0.0, 1.0], [0, 1], ("neg", "pos")),
        ([-1.0, 1.0], [0, 1], ("neg", "pos")),
        (["1", "0"], [1, 0], ("neg", "pos")),
        ([True, False], [1, 0], ("false", "true")),
        (["pos", "neg"], [1, 0], ("neg", "pos")),
        (["positive", "negative"], [1, 0], ("negative", "positive")),
        (["POS", "neg"], [1, 0], ("neg", "POS")),
        (["Positive", "NEGATIVE"], [1, 0], ("NEGATIVE", "Positive")),
        (["True", "False"], [1, 0], ("False", "True")),
        (["yes", "No"], [1, 0], ("No", "yes")),
        (["no", "Yes"], [0, 1], ("no", "Yes")),
        (["ham", "spam"], [0, 1], ("ham", "spam")),
        (["good", "bad"], [1, 0], ("bad", "good")),
        ([2, 1], [1, 0], ("1", "2")),
        ([0.5, 1.5], [0, 1], ("0.5", "1.5")),
        (["", "x"], [0, 1], ("", "x")),
    ],
)
def test_two_labels_are_numbered_0_and_1(values: list[Any], numbers: list[int], names: tuple[str, str]) -> None:
    assert numbered(*values) == (numbers, names)


@pytest.mark.parametrize("type_", [pa.int8(), pa.uint8(), pa.int64(), pa.uint64(), pa.float32(), pa.float64()], ids=str)
def test_zeros_and_ones_may_be_of_any_numeric_type(type_: pa.DataType) -> None:
    assert numbered(0, 1, 0, type=type_) == ([0, 1, 0], ("neg", "pos"))


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_names_may_be_of_any_text_type(type_: pa.DataType) -> None:
    assert numbered("pos", "neg", type=type_) == ([1, 0], ("neg", "pos"))


def test_the_parts_are_numbered_together() -> None:
    columns = {"train": pa.chunked_array([["b"], ["a"]]), "test": pa.chunked_array([["b", "b"]])}
    numbers, names = number_labels(columns, "here")
    assert {part: column.to_pylist() for part, column in numbers.items()} == {"train": [1, 0], "test": [1, 1]}
    assert names == ("a", "b")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["pos", "pos"], "here: one class only ('pos'); a binary classification needs reviews of exactly two labels"),
        ([1], "here: one class only ('1'); a binary classification needs reviews of exactly two labels"),
        ([0, 2, 1], "here: 3 classes ('0', '1', '2'); a binary classification needs reviews of exactly two labels"),
        (
            list("gfedcba"),
            "here: 7 classes ('a', 'b', 'c', 'd', 'e', …); a binary classification needs reviews of exactly two labels",
        ),
        (
            ["neg", "Neg", "pos"],
            "here: 3 classes ('Neg', 'neg', 'pos'); a binary classification needs reviews of exactly two labels",
        ),
        (["neg", None, "pos"], "here, part train: review 2 has no label; every review needs one"),
        ([0.0, 1.0, None], "here, part train: review 3 has no label; every review needs one"),
        ([None, None], "here, part train: review 1 has no label; every review needs one"),
    ],
)
def test_labels_that_are_not_two_are_refused(values: list[Any], message: str) -> None:
    assert refusal(*values) == message


def test_the_review_without_a_label_is_counted_over_all_pieces_of_its_part() -> None:
    columns = {"train": pa.chunked_array([["a", "b"], ["b", None]]), "test": pa.chunked_array([["a"]])}
    with pytest.raises(UserError, match=r"^here, part train: review 4 has no label; every review needs one$"):
        number_labels(columns, "here")


def test_a_number_that_is_none_is_no_label() -> None:
    assert "review 3 has no label" in refusal(0.0, 1.0, float("nan"))


def test_labels_that_are_no_single_values_are_refused() -> None:
    assert refusal([0], [1]).startswith("here")


@pytest.mark.parametrize(
    ("names", "others", "same"),
    [
        (("neg", "pos"), ("neg", "pos"), True),
        (("neg", "pos"), ("Negative", "POSITIVE"), True),
        (("false", "true"), ("neg", "pos"), True),
        (("ham", "spam"), ("ham", "spam"), True),
        (("ham", "spam"), ("neg", "pos"), False),
        (("bad", "good"), ("ham", "spam"), False),
    ],
)
def test_two_spellings_mean_the_same_if_they_are_equal_or_plain(
    names: tuple[str, str], others: tuple[str, str], same: bool
) -> None:
    assert same_meaning(names, others) is same
