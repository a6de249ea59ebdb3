from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from data.sources.sample_table import document_frequencies, make_table, most_frequent, write_table
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.sources.sample import TABLE, SampleSource, Split, draw_reviews, read_table, word_rates
from imdbclf.data.tokenize import tokenize


@pytest.fixture(scope="module")
def drawn() -> dict[Split, pa.Table]:
    return {"train": draw_reviews("train"), "test": draw_reviews("test")}


def sha256(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def test_the_fingerprint_is_this_one() -> None:
    assert SampleSource().fingerprint() == "sample c227b7a2642dffde0a2d42d68d4d191f75dbfd885ac393f57c4f8861ef9309d8"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("train", "037e32f11d48f4dfb48b4a84b3414534f5ac0e8bc71a45ed0138c6c7ad0fce8f"),
        ("test", "4690050b9f3eb1d5a71a01fb7637da0511c74d9bbfe26183f2376b9e753c123f"),
    ],
)
def test_the_drawn_reviews_are_these(part: Split, expected: str, drawn: dict[Split, pa.Table]) -> None:
    assert sha256(drawn[part]["text"].to_pylist()) == expected


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_part_is_balanced_wherever_it_is_cut(part: Split, drawn: dict[Split, pa.Table]) -> None:
    labels = drawn[part]["label"].to_numpy()
    assert (len(labels), labels.sum()) == (25_000, 12_500)
    assert labels[:10].tolist() == [0, 1] * 5


@pytest.mark.parametrize("part", ["train", "test"])
def test_no_review_is_drawn_twice(part: Split, drawn: dict[Split, pa.Table]) -> None:
    assert len(set(drawn[part]["text"].to_pylist())) == 25_000


def test_train_and_test_share_no_review(drawn: dict[Split, pa.Table]) -> None:
    assert not set(drawn["train"]["text"].to_pylist()) & set(drawn["test"]["text"].to_pylist())


def test_reviews_are_plain_words_of_the_table_between_10_and_1500(drawn: dict[Split, pa.Table]) -> None:
    known = set(read_table().words.to_pylist())
    texts = drawn["train"]["text"].to_pylist()
    lengths = np.array([len(text.split(" ")) for text in texts])
    assert lengths.min() >= 10
    assert lengths.max() <= 1_500
    assert 170 < np.median(lengths) < 180
    for text in texts[:200]:
        assert tokenize(text) == text.split(" ")
        assert set(tokenize(text)) <= known


def test_words_of_praise_are_drawn_for_positive_reviews(drawn: dict[Split, pa.Table]) -> None:
    texts, labels = drawn["train"]["text"].to_pylist(), drawn["train"]["label"].to_numpy()
    for word, lean in (("wonderful", 1), ("awful", 0)):
        holds = np.array([f" {word} " in f" {text} " for text in texts])
        assert (labels[holds] == lean).mean() > 0.7


def test_the_table_is_small_and_holds_20000_words_in_alphabetical_order() -> None:
    table = read_table()
    words = table.words.to_pylist()
    assert TABLE.stat().st_size <= 300_000
    assert len(words) == len(set(words)) == 20_000
    assert words == sorted(words)
    assert table.reviews == 12_500
    assert max(table.negative.max(), table.positive.max()) <= 12_500
    assert (table.negative + table.positive).min() == 9


def test_the_rates_of_a_word_lean_as_its_counts_do() -> None:
    table = read_table()
    negative, positive = word_rates(table)
    np.testing.assert_array_equal(np.sign(positive - negative), np.sign(table.positive - table.negative))
    assert negative.min() > 0
    assert positive.min() > 0


def test_a_word_is_counted_once_a_review() -> None:
    negative, positive = document_frequencies([("bad, bad film", 0), ("Bad", 0), ("a film", 1)])
    assert negative == {"bad": 2, "film": 1}
    assert positive == {"a": 1, "film": 1}


def test_the_table_of_a_few_reviews_is_this_one(tmp_path: Path) -> None:
    table = make_table([("bad film \x85", 0), ("good film", 1)])
    assert table.to_pydict() == {"word": ["bad", "film", "good"], "negative": [1, 1, 0], "positive": [0, 1, 1]}
    write_table(table, tmp_path / "table.parquet")
    assert parquet.read_table(tmp_path / "table.parquet").equals(table)


def test_classes_of_different_size_make_no_table() -> None:
    with pytest.raises(ValueError, match=r"^classes differ: 1 of 3 reviews are positive$"):
        make_table([("a", 0), ("b", 0), ("c", 1)])


def test_the_most_frequent_words_stand_in_alphabetical_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.sources.sample_table.TABLE_WORDS", 3)
    counts = document_frequencies([("z y x w", 0), ("z y b a", 1)])
    assert most_frequent(*counts) == ["a", "y", "z"]


@pytest.mark.slow
def test_the_real_reviews_give_the_shipped_table(real_imdb: Path) -> None:
    train = FolderSource(real_imdb).read().parts["train"]
    made = make_table(list(zip(train["text"].to_pylist(), train["label"].to_pylist(), strict=True)))
    shipped = parquet.read_table(TABLE)
    assert made.equals(shipped)
    assert made.schema.metadata == {b"reviews_per_class": b"12500"}
