"""Texts to numbered words: the form in which reviews are kept, cached and read back.

A part of the corpus (train, test) becomes an Arrow table whose `list<int32>` column of word numbers, opened
memory-mapped, is offsets and values: the rows of a sparse matrix. Rows stand in the order of their texts' hash, so
that nothing downstream can depend on the order of the source.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.words import split_words

ENCODING_VERSION = 1
"""Raised when the tables below change their meaning, so that no older cache is used."""

CHUNK = 4096
"""Reviews numbered at a time: bounds the memory of the strings in between, and is what threads share out."""

SCHEMA = pa.schema(
    [
        pa.field("id", pa.uint64(), nullable=False),
        pa.field("group", pa.uint64(), nullable=False),
        pa.field("label", pa.int8(), nullable=False),
        pa.field("words", pa.list_(pa.int32()), nullable=False),
    ]
)


@dataclass(frozen=True)
class EncodedReviews:
    """One part of a corpus, n reviews as an Arrow table of `SCHEMA`.

    `id` hashes the raw text, `group` the sequence of its words: reviews of one group read the same to the network and
    must fall on one side of any split. `label` is 0 or 1. `words` are numbers into the corpus' dictionary.
    """

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def ids(self) -> npt.NDArray[np.uint64]:
        """Hash of each review's text, shape (n,); equal texts have equal ids."""
        return _numpy(self.table, "id").astype(np.uint64, copy=False)

    @cached_property
    def groups(self) -> npt.NDArray[np.uint64]:
        """Hash of each review's words in order, shape (n,)."""
        return _numpy(self.table, "group").astype(np.uint64, copy=False)

    @cached_property
    def labels(self) -> npt.NDArray[np.int8]:
        """0 (negative) or 1 (positive), shape (n,)."""
        return _numpy(self.table, "label").astype(np.int8, copy=False)

    @cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each review's words begin in `words`, and the end of the last, shape (n + 1,)."""
        return np.asarray(_lists(self.table).offsets).astype(np.int64)

    @cached_property
    def words(self) -> npt.NDArray[np.int32]:
        """The word numbers of all reviews one after the other, in text order, repeats included."""
        return np.asarray(_lists(self.table).values)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of words of each review, shape (n,)."""
        return np.diff(self.offsets)

    def review_names(self) -> list[str]:
        """A name for each review that depends on its text alone: the hash in hexadecimal, repeats numbered."""
        repeat = np.zeros(len(self), dtype=np.int64)
        for row in np.flatnonzero(self.ids[1:] == self.ids[:-1]) + 1:
            repeat[row] = repeat[row - 1] + 1
        return [f"{name:016x}" + (f"-{n + 1}" if n else "") for name, n in zip(self.ids, repeat, strict=True)]


@dataclass(frozen=True)
class Corpus:
    """All parts of a source, their words numbered by one dictionary, which is sorted by code point."""

    dictionary: pa.Array
    parts: Mapping[str, EncodedReviews]


def encode_corpus(parts: Mapping[str, pa.Table]) -> Corpus:
    """Number the words of all parts.

    Args:
        parts: tables with the columns `text` (string) and `label` (int8), by name of the part.
    """
    pieces = [(name, piece) for name, table in parts.items() for piece in _chunks(table.column("text"))]
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        encoded = list(pool.map(lambda item: _encode_chunk(item[1]), pieces))
    dictionary, numbers = _common_dictionary([chunk.dictionary for chunk in encoded])
    word_hashes = np.array([_hash(word.encode()) for word in dictionary.to_pylist()], dtype=np.uint64)
    tables = {}
    for name, table in parts.items():
        chunks = [
            (chunk, number) for (part, _), chunk, number in zip(pieces, encoded, numbers, strict=True) if part == name
        ]
        tables[name] = EncodedReviews(_part_table(chunks, table.column("label"), word_hashes))
    return Corpus(dictionary, tables)


def review_groups(
    offsets: npt.NDArray[np.int64], words: npt.NDArray[np.int32], word_hashes: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each review's words in order, shape (n,).

    The sum over positions of hash(word) times an odd number that the position gives, modulo 2⁶⁴: it depends on the
    words alone, not on how a corpus happens to number them. A collision would only keep two reviews together.
    """
    lengths = np.diff(offsets)
    position = np.arange(len(words)) - np.repeat(offsets[:-1], lengths)
    odd = scramble(np.arange(lengths.max(initial=0), dtype=np.uint64)) | np.uint64(1)
    terms = word_hashes[words] * odd[position]
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(terms, dtype=np.uint64)])
    groups: npt.NDArray[np.uint64] = sums[offsets[1:]] - sums[offsets[:-1]] + lengths.astype(np.uint64)
    return groups


def scramble(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A fixed pseudo-random permutation of the 64-bit numbers: the finaliser of SplitMix64 (Steele et al., 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: npt.NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return result


@dataclass(frozen=True)
class _EncodedChunk:
    ids: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    words: npt.NDArray[np.int32]
    dictionary: pa.Array


def _encode_chunk(texts: pa.Array) -> _EncodedChunk:
    lists = split_words(texts)
    numbered = lists.values.dictionary_encode()
    words = np.asarray(numbered.indices)
    blank = pc.index(numbered.dictionary, "").as_py()
    kept = words != blank
    # The empty string is no word: leave it out, and close the gap it had in the numbers.
    before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])
    return _EncodedChunk(
        ids=np.array([_hash(text.as_buffer()) for text in texts], dtype=np.uint64),
        offsets=before[np.asarray(lists.offsets)],
        words=words[kept],
        dictionary=numbered.dictionary,
    )


def _common_dictionary(dictionaries: list[pa.Array]) -> tuple[pa.Array, list[npt.NDArray[np.int32]]]:
    """All words once, sorted by code point, and for each given dictionary the numbers of its words therein."""
    every = pa.chunked_array(dictionaries, type=pa.string())
    words = pc.unique(every)
    words = words.filter(pc.not_equal(words, ""))
    words = words.take(pc.sort_indices(words))
    # The empty string finds nothing and gets a number that no kept word uses.
    return words, [np.asarray(pc.fill_null(pc.index_in(own, value_set=words), -1)) for own in dictionaries]


Numbers = npt.NDArray[np.int32]


def _part_table(
    chunks: list[tuple[_EncodedChunk, npt.NDArray[np.int32]]],
    labels: pa.ChunkedArray,
    word_hashes: npt.NDArray[np.uint64],
) -> pa.Table:
    ids = _joined([chunk.ids for chunk, _ in chunks], np.uint64)
    words = _joined([number[chunk.words] for chunk, number in chunks], np.int32)
    lengths = _joined([np.diff(chunk.offsets) for chunk, _ in chunks], np.int64)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    table = pa.table(
        {
            "id": ids,
            "group": review_groups(offsets, words, word_hashes),
            "label": labels.combine_chunks().cast(pa.int8()),
            "words": pa.ListArray.from_arrays(pa.array(offsets, type=pa.int32()), pa.array(words, type=pa.int32())),
        },
        schema=SCHEMA,
    )
    return table.take(np.lexsort((np.asarray(table["label"]), ids))).combine_chunks()


def _chunks(texts: pa.ChunkedArray) -> Iterable[pa.Array]:
    for piece in texts.chunks:
        for start in range(0, len(piece), CHUNK):
            yield piece.slice(start, CHUNK)


def _hash(data: bytes | pa.Buffer) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def _joined(pieces: list[npt.NDArray[Any]], dtype: type[Any]) -> npt.NDArray[Any]:
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=dtype)


def only_chunk(column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece, without a copy where it is one already."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _numpy(table: pa.Table, column: str) -> npt.NDArray[Any]:
    return np.asarray(only_chunk(table.column(column)))


def _lists(table: pa.Table) -> pa.ListArray:
    return only_chunk(table.column("words"))
