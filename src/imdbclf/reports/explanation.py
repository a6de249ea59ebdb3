"""An explanation of a probability, and how it is shown: as text, as JSON, and as a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from imdbclf.console import console, text_table
from imdbclf.data.tokenize import SENTENCE_ENDS, word_pattern
from imdbclf.errors import visible
from imdbclf.reports.labels import percent, signed

SHOWN = 10
"""Words in the table of a terminal."""

_PIECES = re.compile(f"({word_pattern(sentence_ends=True)})")


@dataclass(frozen=True)
class WordEffect:
    """By how much a word raises the probability of being positive."""

    word: str
    effect: float


@dataclass(frozen=True)
class PairEffect:
    """What two words do together beyond the sum of what each does: p − p(−a) − p(−b) + p(−a−b)."""

    words: tuple[str, str]
    effect: float


@dataclass(frozen=True)
class Explanation:
    """The probability that a text is positive, and what its words do to it.

    `words` are the different words that the network knows, those with the largest effects first; `pairs` are those of
    the `STRONGEST` words, likewise.
    """

    text: str
    label: str
    probability: float
    words: list[WordEffect]
    pairs: list[PairEffect]


def pieces_of(explanation: Explanation) -> Iterator[tuple[str, float]]:
    """The text in pieces, and the effect of each: 0 for what is between words or has none."""
    effects = {one.word: one.effect for one in explanation.words}
    for piece in _PIECES.split(explanation.text):
        if piece:
            yield piece, effects.get(SENTENCE_ENDS.get(piece[0], piece.lower()), 0.0)


def print_explanation(explanation: Explanation) -> None:
    """The label, the coloured text, and tables of the strongest words and pairs."""
    out = console()
    out.print(Text(f"{visible(explanation.label)}: {percent(explanation.probability)} positive", style="bold"))
    out.print(_coloured(explanation), soft_wrap=True)
    shown = explanation.words[:SHOWN]
    if not shown:
        out.print("No word of this text is in the vocabulary.")
        return
    rows = [[one.word, signed(one.effect)] for one in shown]
    rest = len(explanation.words) - len(shown)
    out.print(text_table(["word", "effect, points"], rows))
    if rest:
        out.print(f"… and {rest:,} words with smaller effects")
    if explanation.pairs:
        pairs = [[" + ".join(one.words), signed(one.effect)] for one in explanation.pairs[:3]]
        out.print(text_table(["words together", "in addition, points"], pairs))


def _coloured(explanation: Explanation) -> Text:
    """Blue for words that make it positive, orange for the others; the stronger, the bolder."""
    strongest = max((abs(one.effect) for one in explanation.words), default=0.0)
    text = Text()
    for piece, effect in pieces_of(explanation):
        colour = "blue" if effect > 0 else "dark_orange"
        style = "" if abs(effect) < strongest / 10 or not effect else colour
        text.append(visible(piece), style=f"bold {style}" if style and abs(effect) > strongest / 3 else style)
    return text
