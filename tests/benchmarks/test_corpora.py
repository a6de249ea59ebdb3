from __future__ import annotations

import numpy as np

from benchmarks.ours.corpora import blocks, perturbed

TEXTS = [f"review {n} has some words of its own and some that all have" for n in range(40)]


def test_the_first_copy_is_the_reviews_themselves_and_later_ones_differ() -> None:
    table = next(blocks(TEXTS, [0, 1] * 20, 100))
    found = table["text"].to_pylist()
    assert found[:40] == TEXTS
    assert len(set(found[40:80]) - set(TEXTS)) > 20
    assert table["label"].to_pylist()[40:80] == [0, 1] * 20


def test_a_tenth_of_the_words_is_replaced_by_words_of_the_corpus() -> None:
    words = [str(n) for n in range(1000)]
    changed = perturbed(" ".join(words), ["x"], np.random.default_rng(0)).split(" ")
    assert len(changed) == 1000
    assert 80 < changed.count("x") <= 100


def test_a_corpus_is_the_same_each_time() -> None:
    first, second = (list(blocks(TEXTS, [0] * 40, 90)) for _ in range(2))
    assert first == second
