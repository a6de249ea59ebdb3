"""Reviews by length, unknown words, negations and columns; repeats; doubtful labels."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.data.corpus import encode_corpus
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.reports.evaluation.slices import columns_of, doubts_of, slices_of
from imdbclf.reports.statistics import proportion_interval

TEXTS = ["A good film", "not a good film, I wouldn't say", "", "never, NO, don\u2019t", "a GOOD film!", "bad"]
LABELS = [1, 0, 0, 0, 0, 1]
CORPUS = encode_corpus({"test": pa.table({"text": TEXTS, "label": pa.array(LABELS, pa.int8())})})
REVIEWS = CORPUS.parts["test"]
PLACE = {length: place for place, length in enumerate(REVIEWS.lengths.tolist())}


def test_words_unknown_words_and_negations_are_counted() -> None:
    columns = columns_of(CORPUS, REVIEWS, Vocabulary(("a", "good", "a good")))
    found = {name: values[PLACE[7]] for name, values in columns.items()}
    assert found == {"words": 7, "unknown words": pytest.approx(5 / 7), "negations": 2}
    assert sorted(columns["negations"].tolist()) == [0, 0, 0, 0, 2, 3]
    assert columns["unknown words"][PLACE[0]] == 1  # of no words


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1))
def test_each_review_is_in_one_group_of_a_column(rows: list[tuple[int, bool]]) -> None:
    numbers, right = (np.array(column) for column in zip(*rows, strict=True))
    for values in (numbers, numbers / 9, numbers.astype(np.str_)):
        found = slices_of({"column": values}, right)
        assert sum(one.reviews for one in found) == len(rows)
        assert sum(one.right for one in found) == right.sum()
        for one in found:
            assert one.interval == proportion_interval(one.right, one.reviews)


def test_numbers_are_in_quarters_and_zero_is_apart() -> None:
    right = np.ones(9, bool)
    groups = [one.group for one in slices_of({"n": np.array([0, 0, 1, 2, 3, 4, 5, 1000, 2000])}, right)]
    assert groups == ["0", "1", "2 – 3", "4 – 5", "1,000 – 2,000"]
    assert [one.group for one in slices_of({"x": np.array([0.0, 0.125])}, right[:2])] == ["0.0 %", "12.5 %"]


def test_texts_are_in_groups_by_value_and_rare_ones_share_one() -> None:
    values = np.array(["b", "a", "b", *(f"rare {number:02}" for number in range(20))])
    groups = [one.group for one in slices_of({"genre": values}, np.ones(len(values), bool))]
    assert groups[:2] == ["b", "a"]
    assert groups[-1] == "2 other values"


def test_repeats_have_the_same_words_and_may_contradict_each_other() -> None:
    doubts = doubts_of(REVIEWS, np.full(len(TEXTS), 0.5, np.float32))
    negations = columns_of(CORPUS, REVIEWS, Vocabulary(()))["negations"]
    assert doubts["repeated"].tolist() == ((REVIEWS.lengths == 3) & (negations == 0)).tolist()
    assert doubts["repeated"].sum() == 2
    assert (doubts["repeated"] == doubts["contradicted"]).all()


def test_what_the_network_is_sure_to_be_wrong_is_a_likely_label_error() -> None:
    pytest.importorskip("cleanlab")
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 300)
    texts = [f"review {number}" for number in range(300)]
    wrong = np.arange(300) < 5
    table = pa.table({"text": texts, "label": pa.array(np.where(wrong, 1 - labels, labels).tolist(), pa.int8())})
    probabilities = np.where(labels == 1, 0.95, 0.05) + random.normal(0, 0.01, 300)
    reviews = encode_corpus({"test": table}).parts["test"]
    of_text = dict(zip(texts, probabilities, strict=True))
    # The part is sorted by the hash of the text, which its words give back here.
    dictionary = encode_corpus({"test": table}).dictionary.to_pylist()
    order = [" ".join(dictionary[word] for word in reviews.words_between(row, row + 1)) for row in range(300)]
    found = doubts_of(reviews, np.array([of_text[text] for text in order], np.float32))["likely_label_error"]
    assert {order[row] for row in np.flatnonzero(found)} == {f"review {number}" for number in range(5)}
    one_class = reviews.taken(np.flatnonzero(reviews.labels == 1))
    assert not doubts_of(one_class, np.full(len(one_class), 0.1, np.float32))["likely_label_error"].any()


def test_without_cleanlab_no_label_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name.startswith("cleanlab"):
            raise ModuleNotFoundError(name=name)
        return whole(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "likely_label_error" not in doubts_of(REVIEWS, np.full(len(TEXTS), 0.5, np.float32))
