"""What several tests of the data need: reviews as tables, files and trees, and the worst of networks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from pyarrow import parquet

from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.corpus import Corpus, EncodedReviews, encode_corpus
from imdbclf.data.multihot import MultiHotMatrix, distinct_pairs, gathered
from imdbclf.data.sources.base import Reviews
from imdbclf.data.sources.files import FilesSource

Labelled = Sequence[tuple[str, int]]

TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("aAbZ09 .,'<>/!\t\n\r\xa0İI\u0131ßéÉ\u212a\u3000")), st.characters(codec="utf-8")
    ),
    max_size=30,
)
"""Texts that are rich in what a tokenizer stumbles over."""

LABELLED = st.lists(st.tuples(TEXTS, st.integers(0, 1)), max_size=12)

TRAIN = [
    ("A fine, fine film!", 1),
    ("Dull.<br /><br />A dull film, and a long one", 0),
    ('He said "no"\nand left', 0),
    ("NA", 0),
    ("Don't miss it: tea & cake", 1),
    ("Très beau; İstanbul", 1),
    ("a fine fine film", 1),
    ("NA", 0),
]
"""Eight training reviews: two that are equal, two that differ in punctuation and case alone, quotes, line ends."""

TEST = [("A film, and a fine one", 1), ("2011-04-05", 0), ("Never; never again", 0)]


def table(reviews: Labelled) -> pa.Table:
    """Texts and labels as a source hands them over."""
    texts, labels = [text for text, _ in reviews], [label for _, label in reviews]
    return pa.table({"text": pa.array(texts, pa.string()), "label": pa.array(labels, pa.int8())})


def matrix_of(rows: Sequence[Sequence[int]], width: int) -> MultiHotMatrix:
    """The rows, columns in any order with repeats, as a multi-hot matrix."""
    columns = np.array([column for row in rows for column in row], dtype=np.int32)
    numbers = np.array([number for number, row in enumerate(rows) for _ in row], dtype=np.uint32)
    return gathered([distinct_pairs(numbers, columns, len(rows), width)], width)


def loaded(corpus: Corpus) -> LoadedCorpus:
    """The corpus as if it had just been read from a file."""
    return LoadedCorpus(FilesSource(Path("here"), None), corpus, ("neg", "pos"), from_cache=False)


def encode(*, sentence_ends: bool = False, **parts: Labelled) -> Corpus:
    """A corpus of the given parts."""
    return encode_corpus({name: table(reviews) for name, reviews in parts.items()}, sentence_ends=sentence_ends)


def read_back(corpus: Corpus, reviews: EncodedReviews) -> list[tuple[list[str], int]]:
    """The words and the label of each review, in the order of the rows."""
    word = corpus.dictionary.to_pylist()
    return [
        ([word[number] for number in reviews.words[start:end]], int(label))
        for start, end, label in zip(reviews.offsets[:-1], reviews.offsets[1:], reviews.labels, strict=True)
    ]


def contents(reviews: Reviews) -> dict[str, list[tuple[str, int]]]:
    """What a source has read, by part."""
    return {
        part: list(zip(read["text"].to_pylist(), read["label"].to_pylist(), strict=True))
        for part, read in reviews.parts.items()
    }


def write_json_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_hub_layout(folder: Path, train: Labelled = TRAIN, test: Labelled = TEST) -> Path:
    """A folder as the Hub has it: one Parquet file a part."""
    (folder / "plain_text").mkdir(parents=True)
    for part, reviews in (("train", train), ("test", test)):
        parquet.write_table(table(reviews), folder / "plain_text" / f"{part}-00000-of-00001.parquet")
    return folder


def write_acl_tree(folder: Path, train: Labelled = TRAIN, test: Labelled = TEST) -> Path:
    """The tree of the original archive: one file a review."""
    for part, reviews in (("train", train), ("test", test)):
        for label in ("neg", "pos"):
            (folder / part / label).mkdir(parents=True)
        for number, (text, positive) in enumerate(reviews):
            file = folder / part / ("pos" if positive else "neg") / f"{number}_{9 if positive else 2}.txt"
            file.write_bytes(text.encode())
    return folder


def hub_cache(hub: Path, revision: str = "e6281661ce1c48d982bc483cf8a173c1bbeb5d31") -> Path:
    """Where the Hub's client keeps the lecture's dataset, below its folder for repositories."""
    return hub / "datasets--stanfordnlp--imdb" / "snapshots" / revision
