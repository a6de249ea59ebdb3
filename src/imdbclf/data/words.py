"""Words as Keras makes them: lower case, its filter characters to blanks, split on blanks.

The rule is that of `keras.preprocessing.text.text_to_word_sequence` with its defaults. A word is a run of characters
that are neither a blank nor one of `FILTERS`; the apostrophe stays (`don't`), `<br />` gives the word `br`, and white
space other than blank, tab and line feed is an ordinary character. `imdbclf.data.word_lists` does the same for many
texts at once.

With `marks`, the ends of sentences are words too: `!`, `?`, and one `.` for each of `.`, `:` and `;`; a row of equal
ones is one. Then an n-gram can say that a sentence begins or ends with a word, and none runs from one into the next
unnoticed.
"""

from __future__ import annotations

import re

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
WORDS_VERSION = 1
"""Raised when the same text gives other words, so that no cache of the old words is used."""


MARKS = b".!?"
"""The words that the ends of sentences become."""

_MARKS_OF = {".": b".:;", "!": b"!", "?": b"?"}
_REPEATED = re.compile(rb"([.!?])\1*")


def _byte_table(*, marks: bool) -> bytes:
    table = bytearray(range(256))
    for upper in range(ord("A"), ord("Z") + 1):
        table[upper] = upper + 32
    for character in FILTERS:
        table[ord(character)] = ord(" ")
    for mark, ends in _MARKS_OF.items() if marks else ():
        for end in ends:
            table[end] = ord(mark)
    return bytes(table)


BYTE_TABLES = {marks: _byte_table(marks=marks) for marks in (False, True)}
"""What each byte becomes: ASCII in lower case, filtered characters blanks, bytes of other characters themselves.

One table without and one with marks.
"""


def words_of(text: str, *, marks: bool = False) -> list[str]:
    """The words of one text, in order, repeats included; the ends of its sentences among them if `marks` is true."""
    plain = normalised(text, marks=marks)
    return list(filter(None, (_REPEATED.sub(rb" \1 ", plain) if marks else plain).decode().split(" ")))


def normalised(text: str, *, marks: bool = False) -> bytes:
    """The text in lower case with blanks for filtered characters, UTF-8; with `marks`, these stay where they are.

    What is no character (half of a surrogate pair, as undecodable bytes of a command line become) is a blank.
    """
    return text.lower().encode(errors="replace").translate(BYTE_TABLES[marks])
