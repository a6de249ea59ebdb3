"""Words as Keras makes them: lower case, its filter characters to blanks, split on blanks.

The rule is that of `keras.preprocessing.text.text_to_word_sequence` with its defaults. A word is a run of characters
that are neither a blank nor one of `FILTERS`; the apostrophe stays (`don't`), `<br />` gives the word `br`, and white
space other than blank, tab and line feed is an ordinary character. `tokenize_many` does the same for many texts
at once, in Arrow.

With `sentence_ends`, the ends of sentences are words too: `!`, `?`, and one `.` for each of `.`, `:` and `;`; a run of
equal ones is one word. An n-gram can then say that a sentence begins or ends with a word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from imdbclf.data.multihot import offsets_of

if TYPE_CHECKING:
    # One text needs no Arrow, which takes a tenth of a second to import.
    import pyarrow as pa

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
WORDS_VERSION = 1
"""Raised when the same text gives other words, so that no cache of the old words is used."""

SENTENCE_ENDS = {".": ".", ":": ".", ";": ".", "!": "!", "?": "?"}
"""The characters that end sentences, and the words that they become."""


def word_pattern(*, sentence_ends: bool) -> str:
    """A regular expression for the words of a text in lower case, as Python, RE2 and JavaScript read it.

    A run of characters that end sentences in the same way is one word; `SENTENCE_ENDS` says which.
    """
    ends: dict[str, str] = {}
    for character, word in SENTENCE_ENDS.items() if sentence_ends else ():
        ends[word] = ends.get(word, "") + _escaped(character)
    return "|".join([f"[^ {_escaped(FILTERS)}]+", *(f"[{characters}]+" for characters in ends.values())])


def _escaped(characters: str) -> str:
    return "".join(f"\\x{ord(character):02x}" for character in characters)


_IS_END = np.isin(np.arange(256, dtype=np.int64), [ord(word) for word in SENTENCE_ENDS.values()])


def _byte_table(*, sentence_ends: bool) -> bytes:
    ends = SENTENCE_ENDS if sentence_ends else {}
    became = "".join(ends.get(character, " ") for character in FILTERS)
    return bytes(range(256)).lower().translate(bytes.maketrans(FILTERS.encode(), became.encode()))


BYTE_TABLES = {sentence_ends: _byte_table(sentence_ends=sentence_ends) for sentence_ends in (False, True)}
"""What each byte becomes: ASCII in lower case, filtered characters blanks, bytes of other characters themselves.

One table is without and one with the ends of sentences.
"""


def tokenize(text: str, *, sentence_ends: bool = False) -> list[str]:
    """The words of one text, in order, repeats included; with `sentence_ends` the ends of sentences are words."""
    plain = normalised(text, sentence_ends=sentence_ends)
    if sentence_ends:
        plain = _apart(plain, np.array([0, len(plain)], dtype=np.int32))[0].tobytes()
    return list(filter(None, plain.decode().split(" ")))


_HALVES = re.compile("[\ud800-\udfff]")


def normalised(text: str, *, sentence_ends: bool) -> bytes:
    """The text in lower case with blanks for filtered characters, UTF-8; with `sentence_ends`, these stay.

    What is no character (half of a surrogate pair, as undecodable bytes of a command line become) is a blank.
    """
    return utf8(text.lower()).translate(BYTE_TABLES[sentence_ends])


def utf8(text: str) -> bytes:
    """The text as UTF-8. Half of a surrogate pair, which is no character, is a blank."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _HALVES.sub(" ", text).encode()


ASCII_END = 128


def tokenize_many(texts: pa.Array, *, sentence_ends: bool = False) -> pa.ListArray:
    """The words of each text of a `string` array without nulls, as a `list<string>` array.

    Runs of blanks leave empty strings, which are no words; they are dropped when words are numbered, which is cheaper
    on numbers than on strings.
    """
    import pyarrow as pa  # noqa: PLC0415 - see above
    import pyarrow.compute as pc  # noqa: PLC0415

    data, offsets = text_bytes(texts)
    # ASCII is lower-cased and filtered by one pass over the bytes of all texts; the few texts with other characters
    # go through Python, whose `lower` knows Unicode (and may change a text's length).
    lowered = pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(data.translate(BYTE_TABLES[sentence_ends]))]
    )
    if not data.isascii():
        beyond = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) >= ASCII_END)
        other = np.unique(np.searchsorted(offsets, beyond, side="right") - 1)
        mask = np.zeros(len(texts), dtype=bool)
        mask[other] = True
        replacements = [
            normalised(data[offsets[row] : offsets[row + 1]].decode(), sentence_ends=sentence_ends) for row in other
        ]
        lowered = pc.replace_with_mask(lowered, pa.array(mask), pa.array(replacements, type=pa.string()))
    if sentence_ends:
        apart, moved = _apart(*text_bytes(lowered))
        lowered = pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(moved), pa.py_buffer(apart)])
    return pc.split_pattern(lowered, " ")


def _apart(data: bytes, offsets: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Texts with blanks around the ends of sentences, one end for a run of equal ones.

    Given and returned: normalised texts one after the other, and where each begins and the last ends, (n + 1,).
    """
    letters = np.frombuffer(data, dtype=np.uint8).copy()
    is_end = _IS_END[letters]
    again = np.zeros(len(letters), dtype=bool)
    again[1:] = is_end[1:] & (letters[1:] == letters[:-1])
    # A text that begins as the one before it ends repeats nothing.
    again[offsets[:-1][offsets[:-1] < len(letters)]] = False
    letters[again] = ord(" ")
    is_end &= ~again
    wide = np.repeat(letters, 1 + 2 * is_end)
    first = np.flatnonzero(is_end) + 2 * np.arange(np.count_nonzero(is_end), dtype=np.int64)
    wide[first], wide[first + 2] = ord(" "), ord(" ")
    return wide, offsets + 2 * offsets_of(is_end, np.int32)[offsets]


def text_bytes(texts: pa.Array) -> tuple[bytes, npt.NDArray[np.int32]]:
    """The UTF-8 of n texts one after the other, and where each begins and the last ends, int32 (n + 1,)."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    start, end = int(offsets[0]), int(offsets[-1])
    return texts.buffers()[2].slice(start, end - start).to_pybytes(), offsets - offsets[0]
