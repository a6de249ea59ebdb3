"""Which terms get a column: against counting in plain Python, and on the real reviews."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import TEST, TRAIN, encode
from imdbclf.data.arrow import to_arrow
from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.selection import _candidates, _every_order, _numbered, learn_vocabulary, word_counts
from imdbclf.data.tokenize import tokenize
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.setting_values import Selection
from imdbclf.settings import FeatureSettings


def terms_of(texts: list[str], columns: int = 100) -> tuple[str, ...]:
    corpus = encode(train=[(text, 0) for text in texts])
    return tuple(learn_vocabulary(corpus, corpus.parts["train"], FeatureSettings(columns=columns)).terms)


def test_the_most_frequent_word_has_column_1() -> None:
    assert terms_of(["b a c", "a b", "A, a"]) == ("a", "b", "c")
    assert Vocabulary(terms_of(["b a c", "a b", "A, a"])).column == {"a": 1, "b": 2, "c": 3}


def test_every_occurrence_counts_not_every_review() -> None:
    assert terms_of(["rare rare rare", "common", "common"]) == ("rare", "common")


def test_words_of_equal_frequency_stand_in_descending_code_point_order() -> None:
    assert terms_of(["brilliant viewer é zz z", "film film"]) == ("film", "é", "zz", "z", "viewer", "brilliant")


def test_ngrams_are_the_same_where_whole_numbers_have_32_bits_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows with NumPy 1, where `np.arange` gave 32 bits; the key of a triple needs 63."""
    reviews = [("a b c a b c", 0), ("a b c d", 1)]

    def triples() -> tuple[str, ...]:
        corpus = encode(train=reviews)
        return tuple(learn_vocabulary(corpus, corpus.parts["train"], FeatureSettings(order=3, columns=9)).terms)

    here, arange = triples(), np.arange
    monkeypatch.setattr(np, "arange", lambda *bounds, dtype=np.int32: arange(*bounds, dtype=dtype))
    assert np.arange(2).dtype == np.int32
    assert triples() == here
    assert "a b c" in here


@pytest.mark.parametrize(
    ("size", "words"), [(3, ("a", "b")), (4, ("a", "b", "c")), (5, ("a", "b", "c")), (99, ("a", "b", "c"))]
)
def test_one_column_is_for_unknown_words_and_there_are_no_more_columns_than_words(
    size: int, words: tuple[str, ...]
) -> None:
    terms = terms_of(["a a a b b c"], size)
    assert terms == words
    assert len(Vocabulary(terms)) == len(words) + 1


def test_a_word_of_the_other_rows_alone_has_no_column() -> None:
    corpus = encode(train=[("seen here", 0), ("unseen there", 1)], test=[("tested", 0)])
    train = corpus.parts["train"]
    rows = np.flatnonzero(train.labels == 0)
    vocabulary = learn_vocabulary(corpus, train, FeatureSettings(columns=100), rows)
    assert set(vocabulary.terms) == {"seen", "here"}
    assert vocabulary.columns_of(["unseen", "tested"]).tolist() == [0]


def test_words_are_counted_in_the_chosen_rows() -> None:
    corpus = encode(train=[("a a b", 0), ("b c", 1)])
    train = corpus.parts["train"]
    assert word_counts(corpus, train).tolist() == [2, 2, 1]
    assert word_counts(corpus, train, np.flatnonzero(train.labels == 1)).tolist() == [0, 1, 1]
    assert word_counts(corpus, train, np.array([], dtype=np.int64)).tolist() == [0, 0, 0]


def test_the_order_of_the_source_does_not_change_the_vocabulary() -> None:
    texts = [text for text, _ in [*TRAIN, *TEST]]
    assert terms_of(texts, 12) == terms_of(texts[::-1], 12)


# Against counting in plain Python

Labelled = list[tuple[str, int]]
REVIEWS: st.SearchStrategy[Labelled] = st.lists(
    st.tuples(st.lists(st.sampled_from("abcé"), max_size=7).map(" ".join), st.integers(0, 1)), max_size=8
)
"""Of so few words that n-grams repeat within and among reviews."""


def by_hand(reviews: Labelled, settings: FeatureSettings) -> list[str]:
    """Every term that is in enough reviews, best first: what the rows may hold, one n-gram after the other."""
    occurrences: Counter[tuple[str, ...]] = Counter()
    documents: tuple[Counter[tuple[str, ...]], ...] = (Counter(), Counter())
    for text, label in reviews:
        words = tokenize(text)
        runs = [
            tuple(words[start : start + order])
            for order in range(1, settings.order + 1)
            for start in range(len(words) - order + 1)
        ]
        occurrences.update(runs)
        documents[label].update(set(runs))
    found = [term for term in occurrences if documents[0][term] + documents[1][term] >= settings.min_documents]
    q, p = (np.array([count[term] for term in found]) + settings.smoothing for count in documents)
    size = np.abs(np.log(p / p.sum()) - np.log(q / q.sum()))
    scores = {
        "frequency": [occurrences[term] for term in found],
        "log_odds": size.tolist(),
        "z_score": (size / np.sqrt(1 / p + 1 / q)).tolist(),
    }[settings.selection]
    descending = sorted(zip(found, scores, strict=True), reverse=True)
    return [" ".join(term) for term, _ in sorted(descending, key=lambda pair: (-pair[1], len(pair[0])))]


@st.composite
def feature_settings(draw: st.DrawFn) -> FeatureSettings:
    return FeatureSettings(
        order=draw(st.integers(1, 3)),
        columns=draw(st.integers(3, 40)),
        selection=draw(st.sampled_from(get_args(Selection))),
        min_documents=draw(st.integers(1, 12)),
        smoothing=draw(st.sampled_from([0.1, 1.0, 2.5])),
    )


def chosen(reviews: Labelled, settings: FeatureSettings, unseen: Labelled | None = None) -> list[str] | str:
    """The terms of a vocabulary that is learnt from the reviews alone, or why there is none."""
    corpus = encode(train=[*reviews, *(unseen or [])])
    train = corpus.parts["train"]
    beyond = encode(train=unseen or []).parts["train"].ids
    rows = None if unseen is None else np.flatnonzero(~np.isin(train.ids, beyond))
    try:
        return list(learn_vocabulary(corpus, train, settings, rows).terms)
    except UserError as error:
        return str(error)


@settings(max_examples=150, deadline=None)
@given(REVIEWS, feature_settings())
def test_the_terms_are_those_that_counting_one_by_one_puts_first(reviews: Labelled, wanted: FeatureSettings) -> None:
    ranked = by_hand(reviews, wanted)
    if wanted.order > 1 and len(ranked) < wanted.columns - 1:
        assert chosen(reviews, wanted) == (
            f"features.columns={wanted.columns}: there are only {len(ranked)} n-grams of up to {wanted.order} words "
            f"in {wanted.min_documents} or more training reviews"
        )
    else:
        assert chosen(reviews, wanted) == ranked[: wanted.columns - 1]


@settings(max_examples=50, deadline=None)
@given(REVIEWS, REVIEWS, feature_settings())
def test_the_given_rows_alone_count_in_whatever_order_they_come(
    reviews: Labelled, others: Labelled, wanted: FeatureSettings
) -> None:
    unseen = [(f"{text} unseen z z", label) for text, label in others]
    assert chosen(reviews[::-1], wanted, unseen) == chosen(reviews, wanted)


@settings(max_examples=50, deadline=None)
@given(REVIEWS, st.integers(3, 8))
def test_frequent_words_are_the_same_terms_whichever_way_they_are_counted(reviews: Labelled, columns: int) -> None:
    corpus = encode(train=reviews)
    train = corpus.parts["train"]
    lecture = FeatureSettings(columns=columns)
    short = learn_vocabulary(corpus, train, lecture)
    numbers = _numbered(word_counts(corpus, train), 1)[train.words]
    candidates = _candidates(numbers, train.lengths, train.labels.astype(np.float64), lecture)
    best = sorted(range(len(candidates.keys)), key=lambda k: (-candidates.occurrences[k], -candidates.keys[k]))
    words = corpus.dictionary.to_pylist()
    assert list(short.terms) == [words[candidates.keys[k] - 1] for k in best[: columns - 1]]


def test_no_n_gram_goes_over_the_border_of_two_reviews() -> None:
    terms = chosen([("a b", 0), ("c d", 1)], FeatureSettings(order=2, columns=7))
    assert sorted(terms) == ["a", "a b", "b", "c", "c d", "d"]


def test_an_n_gram_that_a_review_repeats_is_in_one_review() -> None:
    reviews = [("a b a b", 0), ("a b", 1), ("c d c d c d", 1)]
    assert chosen(reviews, FeatureSettings(order=2, columns=4, min_documents=2)) == ["b", "a", "a b"]


def test_a_term_of_few_reviews_is_far_from_0_by_log_odds_but_not_by_its_error() -> None:
    reviews = [("often fine", 1)] * 8 + [("often poor", 0)] * 9 + [("often fine", 0)] + [("odd odd", 1)]
    by_size, by_error = (
        chosen(reviews, FeatureSettings(columns=3, selection=selection, smoothing=0.1))
        for selection in ("log_odds", "z_score")
    )
    assert by_size == ["poor", "odd"]
    assert by_error == ["fine", "poor"]


def test_more_columns_than_n_grams_are_refused_and_of_words_there_may_be_fewer() -> None:
    reviews = [("a b", 0), ("a b", 1)]
    assert chosen(reviews, FeatureSettings(columns=9, selection="z_score", min_documents=2)) == ["b", "a"]
    assert chosen(reviews, FeatureSettings(columns=4, order=2, min_documents=2)) == ["b", "a", "a b"]
    assert chosen(reviews, FeatureSettings(columns=5, order=2, min_documents=2)) == (
        "features.columns=5: there are only 3 n-grams of up to 2 words in 2 or more training reviews"
    )


# The real reviews


def test_the_real_training_reviews_have_88582_words(encoded_imdb: LoadedCorpus) -> None:
    corpus = encoded_imdb.corpus
    assert np.count_nonzero(word_counts(corpus, corpus.parts["train"])) == 88_582


def test_the_real_words_have_the_ranks_that_keras_publishes(encoded_imdb: LoadedCorpus) -> None:
    corpus = encoded_imdb.corpus
    words = learn_vocabulary(corpus, corpus.parts["train"], FeatureSettings()).terms
    assert words[:7] == ("the", "and", "a", "of", "to", "is", "br")
    assert words[19 - 1] == "film"
    assert words[527 - 1] == "brilliant"
    assert len(words) == 9_999


@pytest.mark.slow
def test_the_real_training_reviews_have_these_n_grams(encoded_imdb: LoadedCorpus) -> None:
    # Counted apart from this code, by sorting the rows of a table of all runs of two and of three words.
    train = encoded_imdb.corpus.parts["train"]
    numbers, lengths = train.words.astype(np.int64) + 1, train.lengths
    found = [
        (runs.order, pc.count_distinct(to_arrow(runs.keys)).as_py()) for runs in _every_order(numbers, lengths, 3, 1)
    ]
    assert found == [(1, 88_582), (2, 1_434_742), (3, 3_660_413)]
