"""Words as Keras makes them: lower case, its filter characters to blanks, split on blanks.

The rule is that of `keras.preprocessing.text.text_to_word_sequence` with its defaults. A word is a run of characters
that are neither a blank nor one of `FILTERS`; the apostrophe stays (`don't`), `<br />` gives the word `br`, and white
space other than blank, tab and line feed is an ordinary character.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
WORDS_VERSION = 1
"""Raised when the same text gives other words, so that no cache of the old words is used."""


def _byte_table() -> bytes:
    table = bytearray(range(256))
    for upper in range(ord("A"), ord("Z") + 1):
        table[upper] = upper + 32
    for character in FILTERS:
        table[ord(character)] = ord(" ")
    return bytes(table)


_TABLE = _byte_table()


def words_of(text: str) -> list[str]:
    """The words of one text, in order, repeats included."""
    return [word for word in _normalised(text).decode().split(" ") if word]


def split_words(texts: pa.Array) -> pa.ListArray:
    """The words of many texts at once.

    Args:
        texts: `string` array of n texts without nulls.

    Returns:
        `list<string>` array of length n. Runs of blanks leave empty strings, which are no words; whoever numbers the
        words drops them, which is cheaper on numbers than on strings.
    """
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2].slice(int(offsets[0]), int(offsets[-1] - offsets[0])).to_pybytes()
    offsets = offsets - offsets[0]
    # ASCII is lower-cased and filtered by one pass over the bytes of all texts; the few texts with other characters
    # go through Python, whose `lower` knows Unicode (and may change a text's length).
    normalised = pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(data.translate(_TABLE))]
    )
    other = _rows_beyond_ascii(data, offsets)
    if len(other):
        mask = np.zeros(len(texts), dtype=bool)
        mask[other] = True
        replacements = [_normalised(data[offsets[row] : offsets[row + 1]].decode()) for row in other]
        normalised = pc.replace_with_mask(normalised, pa.array(mask), pa.array(replacements, type=pa.string()))
    return pc.split_pattern(normalised, " ")


def _normalised(text: str) -> bytes:
    """The text in lower case with blanks for filtered characters, UTF-8; bytes ≥ 128 are never filtered.

    What is no character (half of a surrogate pair, as undecodable bytes of a command line become) is a blank.
    """
    return text.lower().encode(errors="replace").translate(_TABLE)


def _rows_beyond_ascii(data: bytes, offsets: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    beyond = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) >= 128)  # noqa: PLR2004 - the end of ASCII
    return np.unique(np.searchsorted(offsets, beyond, side="right") - 1)
