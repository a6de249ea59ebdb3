"""Words as Keras makes them: lower case, its filter characters to blanks, split on blanks.

The rule is that of `keras.preprocessing.text.text_to_word_sequence` with its defaults. A word is a run of characters
that are neither a blank nor one of `FILTERS`; the apostrophe stays (`don't`), `<br />` gives the word `br`, and white
space other than blank, tab and line feed is an ordinary character. `imdbclf.data.word_lists` does the same for many
texts at once.
"""

from __future__ import annotations

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


BYTE_TABLE = _byte_table()
"""What each byte becomes: ASCII in lower case, filtered characters blanks, bytes of other characters themselves."""


def words_of(text: str) -> list[str]:
    """The words of one text, in order, repeats included."""
    return list(filter(None, normalised(text).decode().split(" ")))


def normalised(text: str) -> bytes:
    """The text in lower case with blanks for filtered characters, UTF-8.

    What is no character (half of a surrogate pair, as undecodable bytes of a command line become) is a blank.
    """
    return text.lower().encode(errors="replace").translate(BYTE_TABLE)
