"""The corpus: reviews as numbered words, the form in which they are cached.

A part of the corpus (train, test) becomes an Arrow table whose `large_list<int32>` column of word numbers, opened
memory-mapped, is offsets and values: the rows of a sparse matrix. Rows are sorted by the hash of their text, so that
nothing depends on the order of the source.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.arrow import to_arrow, to_numpy
from imdbclf.data.multihot import offsets_of
from imdbclf.data.tokenize import text_bytes, tokenize_many

Hashes = npt.NDArray[np.uint64]

ENCODING_VERSION = 3
"""Increased when what is encoded changes, and with it the results of runs; a further column is no such change."""

CHUNK = 2048
"""Reviews per task of a thread; small enough for the processor's cache."""

THREADS = min(4, os.cpu_count() or 1)
"""More threads do not help: Python's own part of the work is not parallel."""

SCHEMA = pa.schema(
    [
        pa.field("id", pa.uint64(), nullable=False),
        pa.field("sequence", pa.uint64(), nullable=False),
        pa.field("label", pa.int8(), nullable=False),
        pa.field("row", pa.int32(), nullable=False),
        pa.field("words", pa.large_list(pa.int32()), nullable=False),
    ]
)

GROUPED_SCHEMA = SCHEMA.append(pa.field("group", pa.uint64(), nullable=False))
"""The schema of a part with groups."""


@dataclass(frozen=True)
class EncodedReviews:
    """One part of a corpus, n reviews as an Arrow table of `SCHEMA`, or of `GROUPED_SCHEMA` with groups.

    `id` is a hash of the raw text, `sequence` one of its words in order. Reviews with equal sequences are identical
    for the network, so a split keeps them together. `label` is 0 or 1. `row` is the review's number in what the source
    gives for the part, from 0. `words` are numbers into the corpus' dictionary. `group` is a hash of the value of
    `data.group`, such as the film.
    """

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def ids(self) -> Hashes:
        """Hash of each review's text, shape (n,); equal texts have equal ids."""
        return to_numpy(self._column("id"))

    @cached_property
    def sequences(self) -> Hashes:
        """Hash of each review's words in order, shape (n,)."""
        return to_numpy(self._column("sequence"))

    @cached_property
    def groups(self) -> Hashes | None:
        """Hash of each review's group, shape (n,); None without groups."""
        if "group" not in self.table.column_names:
            return None
        return to_numpy(self._column("group"))

    @cached_property
    def labels(self) -> npt.NDArray[np.int8]:
        """0 (negative) or 1 (positive), shape (n,)."""
        return to_numpy(self._column("label"))

    @cached_property
    def rows(self) -> npt.NDArray[np.int32]:
        """Number of each review in its part of the source, from 0, shape (n,)."""
        return to_numpy(self._column("row"))

    @cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        """The start of each review's words in `words`, and the end of the last, shape (n + 1,)."""
        return to_numpy(self._column("words").offsets)

    @cached_property
    def words(self) -> npt.NDArray[np.int32]:
        """The word numbers of all reviews one after the other, in text order, repeats included."""
        return to_numpy(self._column("words").values)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of words of each review, shape (n,)."""
        return np.diff(self.offsets)

    def mask(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """True for the given rows, shape (n,)."""
        chosen = np.zeros(len(self), dtype=bool)
        chosen[rows] = True
        return chosen

    def words_between(
        self, start: int, stop: int, chosen: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.int32]:
        """The word numbers of the rows from `start` up to `stop`; of those where `chosen` (n,) is true, if given."""
        offsets = self.offsets[start : stop + 1]
        words = self.words[offsets[0] : offsets[-1]]
        return words if chosen is None else words[np.repeat(chosen[start:stop], np.diff(offsets))]

    def _column(self, name: str) -> pa.Array:
        return only_chunk(self.table.column(name))

    def taken(self, rows: npt.NDArray[np.int64]) -> EncodedReviews:
        """The reviews in these rows."""
        return EncodedReviews(self.table.take(to_arrow(rows)).combine_chunks())

    def flipped(self) -> EncodedReviews:
        """The same reviews with the labels 0 and 1 exchanged; -1 stays."""
        labels = to_arrow(np.where(self.labels < 0, self.labels, 1 - self.labels))
        place, field = SCHEMA.get_field_index("label"), SCHEMA.field("label")
        return EncodedReviews(self.table.set_column(place, field, [labels]))

    def review_names(self) -> list[str]:
        """A name for each review that depends on its text only: the hash in hexadecimal; repeats are numbered."""
        repeat = np.zeros(len(self), dtype=np.int64)
        for row in np.flatnonzero(self.ids[1:] == self.ids[:-1]) + 1:
            repeat[row] = repeat[row - 1] + 1
        return [f"{name:016x}" + (f"-{n + 1}" if n else "") for name, n in zip(self.ids, repeat, strict=True)]


@dataclass(frozen=True)
class Corpus:
    """All parts of a source, their words numbered by one dictionary, which is sorted by code point."""

    dictionary: pa.Array
    parts: Mapping[str, EncodedReviews]


def encode_corpus(parts: Mapping[str, pa.Table], *, sentence_ends: bool = False) -> Corpus:
    """Number the words of all parts, tables with the columns `text` (string) and `label` (int8).

    A third column `group` (string) is kept as hashes. A review with a null or empty group is a group of its own.
    """

    def encode(chunk: pa.RecordBatch) -> tuple[NumberedWords, Hashes]:
        texts = chunk.column(0)
        return numbered_words(texts, sentence_ends=sentence_ends), text_hashes(texts)

    with ThreadPoolExecutor(THREADS) as pool:
        texts = {name: table.select(["text"]).to_batches(CHUNK) for name, table in parts.items()}
        found = {name: list(pool.map(encode, chunks)) for name, chunks in texts.items()}
        chunks = [chunk for part in found.values() for chunk, _ in part]
        dictionary, numbers = _common_dictionary([chunk.dictionary for chunk in chunks])
        word_hashes = text_hashes(dictionary)

        def renumbered(chunk: NumberedWords, number: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], Hashes]:
            words = number[chunk.words]
            return words, sequence_hashes(chunk.lengths, words, word_hashes)

        numbered = pool.map(renumbered, chunks, numbers)
        tables = {name: _part_table(found[name], numbered, parts[name]) for name in parts}
    return Corpus(dictionary, {name: EncodedReviews(table) for name, table in tables.items()})


def sequence_hashes(lengths: npt.NDArray[np.int64], words: npt.NDArray[np.int32], word_hashes: Hashes) -> Hashes:
    """A 64-bit hash of each review's words in order, shape (n,).

    The sum over positions of hash(word) times an odd number that depends on the position, modulo 2⁶⁴. It depends on the
    words, not on their numbers in a corpus. A collision would only keep two reviews together.
    """
    offsets = offsets_of(lengths)
    position = np.arange(len(words), dtype=np.int64) - np.repeat(offsets[:-1], lengths)
    odd = scramble(np.arange(lengths.max(initial=0), dtype=np.uint64)) | np.uint64(1)
    terms = word_hashes[words] * odd[position]
    sums = offsets_of(terms, np.uint64)
    sequences: Hashes = sums[offsets[1:]] - sums[offsets[:-1]] + lengths.astype(np.uint64)
    return sequences


def scramble(numbers: Hashes) -> Hashes:
    """A fixed pseudo-random permutation of the 64-bit numbers: the finaliser of SplitMix64 (Steele et al., 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: Hashes = mixed ^ (mixed >> np.uint64(31))
    return result


class NumberedWords(NamedTuple):
    """The words of n texts in order, numbered by a dictionary of their own; `lengths` (n,) says how many each has."""

    lengths: npt.NDArray[np.int64]
    words: npt.NDArray[np.int32]
    dictionary: pa.Array


def numbered_words(texts: pa.Array, *, sentence_ends: bool = False) -> NumberedWords:
    """The words of each text of a `string` array, in order, repeats included."""
    lists = tokenize_many(texts, sentence_ends=sentence_ends)
    numbered = lists.values.dictionary_encode()
    words = to_numpy(numbered.indices)
    kept = words != pc.index(numbered.dictionary, "").as_py()
    # The empty string is not a word: leave it out, and close the gap in the numbers.
    lengths = np.diff(offsets_of(kept)[to_numpy(lists.offsets)])
    return NumberedWords(lengths, words[kept], numbered.dictionary)


def _common_dictionary(dictionaries: list[pa.Array]) -> tuple[pa.Array, list[npt.NDArray[np.int32]]]:
    """All words once, sorted by code point, and for each given dictionary the numbers of its words in it."""
    encoded = pa.chunked_array(dictionaries, type=pa.string()).combine_chunks().dictionary_encode()
    words = encoded.dictionary
    order = pc.sort_indices(words)
    # If the empty string exists, it is first; it gets the number -1, which no word has.
    empty = int(len(words) > 0 and words[order[0].as_py()].as_py() == "")
    number = np.empty(len(words), dtype=np.int32)
    number[to_numpy(order)] = np.arange(len(words), dtype=np.int32) - empty
    numbers = number[to_numpy(encoded.indices)]
    ends = np.cumsum([len(dictionary) for dictionary in dictionaries], dtype=np.int64)
    return words.take(order[empty:]), np.split(numbers, ends[:-1])


def _part_table(
    chunks: list[tuple[NumberedWords, Hashes]],
    numbered: Iterable[tuple[npt.NDArray[np.int32], Hashes]],
    read: pa.Table,
) -> pa.Table:
    """The table of a part that was `read`, from its chunks; takes only the chunks of this part from `numbered`."""
    done = [chunk for _, chunk in zip(chunks, numbered, strict=False)]
    ids = _joined([hashes for _, hashes in chunks], np.uint64)
    lengths = _joined([chunk.lengths for chunk, _ in chunks], np.int64)
    words = pa.LargeListArray.from_arrays(
        to_arrow(offsets_of(lengths)),
        to_arrow(_joined([words for words, _ in done], np.int32)),
    )
    columns = {
        "id": to_arrow(ids),
        "sequence": to_arrow(_joined([sequences for _, sequences in done], np.uint64)),
        "label": read.column("label").combine_chunks().cast(pa.int8()),
        "row": to_arrow(np.arange(len(ids), dtype=np.int32)),
        "words": words,
    }
    order = [to_numpy(columns["label"]), ids]
    if "group" in read.column_names:
        groups = _group_hashes(read.column("group"), ids)
        columns["group"] = to_arrow(groups)
        order.insert(0, groups)
    table = pa.table(columns, schema=GROUPED_SCHEMA if "group" in columns else SCHEMA)
    return table.take(to_arrow(np.lexsort(order))).combine_chunks()


def _group_hashes(values: pa.ChunkedArray, ids: Hashes) -> Hashes:
    """A 64-bit hash of each review's group, shape (n,); without a group, a hash of the review's text."""
    numbered = values.fill_null("").combine_chunks().dictionary_encode()
    number = to_numpy(numbered.indices)
    nameless = number == pc.index(numbered.dictionary, "").as_py()
    # Mixed again, so that a review without a group does not match a group whose name is its text.
    return np.where(nameless, scramble(ids), text_hashes(numbered.dictionary)[number])


def text_hashes(texts: pa.Array) -> Hashes:
    """A 64-bit hash of each text, shape (n,), from its bytes: no Python string is made."""
    data, offsets = text_bytes(texts)
    whole = memoryview(data)
    digests = [blake2b(whole[start:end], digest_size=8).digest() for start, end in pairwise(offsets.tolist())]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


def _joined(pieces: list[npt.NDArray[Any]], dtype: type[Any]) -> npt.NDArray[Any]:
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype=dtype)


def only_chunk(column: pa.ChunkedArray) -> pa.Array:
    """The column as one chunk; no copy if it already is one."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
