from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import TEXTS
from imdbclf.data.tokenize import text_bytes, tokenize, tokenize_many


def words_of_many(texts: pa.Array) -> list[list[str]]:
    return [[word for word in words if word] for words in tokenize_many(texts).to_pylist()]


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXTS, max_size=10), st.integers(0, 10), st.integers(0, 10))
def test_many_texts_at_once_have_the_words_of_each_also_in_a_slice(texts: list[str], start: int, length: int) -> None:
    part = pa.array(texts, pa.string()).slice(min(start, len(texts)), length)
    assert words_of_many(part) == [tokenize(text) for text in part.to_pylist()]


@pytest.mark.parametrize("text", ["İ", "ß ẞ", "ΑΣ", "\u212a", "«oui»—non", "a\rb", "It's <br />GREAT!"])
def test_a_text_beyond_ascii_leaves_its_neighbours_alone(text: str) -> None:
    assert words_of_many(pa.array(["é A", text, "x, Y"], pa.string())) == [["é", "a"], tokenize(text), ["x", "y"]]


@pytest.mark.parametrize("texts", [[], [""], ["", "..."]])
def test_texts_without_words_have_none(texts: list[str]) -> None:
    assert words_of_many(pa.array(texts, pa.string())) == [[] for _ in texts]


def test_the_bytes_of_a_slice_begin_at_its_first_text() -> None:
    data, offsets = text_bytes(pa.array(["zero", "één", "two", "three"]).slice(1, 2))
    assert data.decode() == "ééntwo"
    assert offsets.tolist() == [0, 5, 8]
