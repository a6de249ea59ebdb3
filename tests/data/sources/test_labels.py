"""Which of two labels is positive, under which names, and what is not two labels."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imdbclf.data.sources.labels import as_texts, number_labels, order_of, place
from imdbclf.errors import UserError
from imdbclf.setting_values import LabelValue


def numbered(
    *values: Any,
    type: pa.DataType | None = None,  # noqa: A002
    mapping: dict[LabelValue, LabelValue] | None = None,
) -> tuple[list[int], tuple[str, str]]:
    texts = as_texts(pa.chunked_array([pa.array(values, type)]), "here: labels")
    columns, names, _ = number_labels({"train": texts}, "here", mapping)
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
        (["-1", "+1"], [0, 1], ("neg", "pos")),
        (["1", "0.0", "1.0"], [1, 0, 1], ("neg", "pos")),
        (["10", "2"], [1, 0], ("2", "10")),
        ([10, 2], [1, 0], ("2", "10")),
        ([-5, -10], [1, 0], ("-10", "-5")),
        (["spam", "Ham"], [1, 0], ("Ham", "spam")),
        (["rotten", "fresh"], [0, 1], ("rotten", "fresh")),
        (["schlecht", "gut"], [1, 0], ("gut", "schlecht")),
        (["pos", "pos"], [1, 1], ("neg", "pos")),
        ([1], [1], ("neg", "pos")),
        (["gut", "gut"], [0, 0], ("gut", "")),
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
    numbers, names, _ = number_labels(columns, "here", None)
    assert {part: column.to_pylist() for part, column in numbers.items()} == {"train": [1, 0], "test": [1, 1]}
    assert names == ("a", "b")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, 2, 1], "here: 3 classes ('0', '1', '2'); a binary classification needs reviews of exactly two labels"),
        (
            list("gfedcba"),
            "here: 7 classes ('a', 'b', 'c', 'd', 'e', …); a binary classification needs reviews of exactly two labels",
        ),
        (
            ["neg", "Neg", "pos"],
            "here: 3 classes ('Neg', 'neg', 'pos'); a binary classification needs reviews of exactly two labels",
        ),
        (["neg", None, "pos"], "here: 1 of 3 reviews have no label; every review needs one"),
        ([0.0, 1.0, None], "here: 1 of 3 reviews have no label; every review needs one"),
        ([0.0, 1.0, float("nan")], "here: 1 of 3 reviews have no label; every review needs one"),
        ([None, None], "here: 2 of 2 reviews have no label; every review needs one"),
    ],
)
def test_labels_that_are_not_two_are_refused(values: list[Any], message: str) -> None:
    assert refusal(*values).partition("; data.labels can map values to two classes, such as ")[0] == message


def test_the_way_out_of_three_classes_is_named() -> None:
    assert refusal(1, 5, 3).endswith("data.labels can map values to two classes, such as 'data.labels={1:neg,5:pos}'")


def test_a_third_label_in_the_first_line_alone_is_said_to_be_of_a_header() -> None:
    for first, expected in (("sentiment", "data.header=true"), ("1", "data.labels can map")):
        column = pa.chunked_array([[first, "1", "0", "1", "other" if first == "1" else "0"]])
        with pytest.raises(UserError, match=expected):
            number_labels({"train": column}, "here", None, is_headerless=True)


def test_labels_that_are_no_single_values_are_refused() -> None:
    assert refusal([0], [1]).startswith("here")


@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=2, unique=True))
def test_numbers_are_in_the_order_of_numbers_in_whatever_form(pair: list[int]) -> None:
    low, high = sorted(pair)
    for values in ([low, high], [f"{low:+}", f"{high:+}"], [str(high), f"{low}.0", str(low)]):
        assert numbered(*values)[0] == [int(float(value) == high) for value in values]


STARS: dict[LabelValue, LabelValue] = {1: "neg", 2: "neg", 4: "pos", 5.0: "pos"}


@pytest.mark.parametrize("values", [[1, 3, 5, 2, 4], ["1", "3", "5.0", "2", "4"], [1.0, 3.0, 5.0, 2.0, 4.0]])
def test_a_mapping_makes_two_classes_and_the_reviews_between_them_are_left_out_and_counted(values: list[Any]) -> None:
    texts = as_texts(pa.chunked_array([values]), "here: labels")
    columns, names, notes = number_labels({"train": texts}, "here", STARS)
    assert (columns["train"].to_pylist(), names) == ([0, None, 1, 0, 1], ("neg", "pos"))
    assert notes == ("1 of 5 reviews are left out: their labels are not in data.labels",)


def test_labels_that_are_the_classes_of_the_mapping_already_stay() -> None:
    assert numbered("pos", "neg", mapping=STARS) == ([1, 0], ("neg", "pos"))


def test_a_mapping_of_other_labels_is_refused() -> None:
    with pytest.raises(UserError, match=r"^here: data\.labels names no label of part train \('bad', 'good'\)$"):
        numbered("good", "bad", mapping=STARS)


@pytest.mark.parametrize(
    ("name", "names", "found"),
    [
        ("pos", ("neg", "pos"), 1),
        ("Negative", ("neg", "pos"), 0),
        ("true", ("neg", "pos"), 1),
        (True, ("neg", "pos"), 1),
        (0, ("neg", "pos"), 0),
        (-1, ("pos", "neg"), 1),
        ("pos", ("+1", "-1"), 0),
        ("pos", ("1.0", "0.0"), 0),
        ("gut", ("gut", "schlecht"), 0),
        ("SCHLECHT", ("gut", "schlecht"), 1),
        ("gut", ("neg", "pos"), None),
        ("1", ("1", "2"), 0),
        ("pos", ("1", "2"), None),
    ],
)
def test_a_label_is_found_by_its_name_or_its_known_meaning(
    name: LabelValue, names: tuple[str, str], found: int | None
) -> None:
    assert place(name, names) == found


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("neg", "pos"), None),
        (("ham", "spam"), None),
        (("2", "10"), "numerical"),
        (("gut", "schlecht"), "alphabetical"),
    ],
)
def test_an_order_that_was_guessed_has_a_name(names: tuple[str, str], order: str | None) -> None:
    assert order_of(names) == order
