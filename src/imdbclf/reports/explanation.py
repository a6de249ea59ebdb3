"""An explanation of a probability, and how it is shown: as text, as JSON, and as a page."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from imdbclf.console import console, tell, text_table
from imdbclf.data.tokenize import SENTENCE_ENDS, word_pattern
from imdbclf.errors import visible
from imdbclf.reports.labels import percent, signed

SHOWN = 10
"""Words in the table of a terminal."""

LONGEST = 5_000
"""Characters of a text that a terminal shows in colour: it takes half a minute for a megabyte."""

PAIRS = 3
"""Pairs in the table."""

WORD_HEADS = ("word", "effect, points")
PAIR_HEADS = ("words together", "in addition, points")
TERM_HEADS = ("word or n-gram", "mean effect, points", "reviews")

NOTHING = "No word of this text is in the vocabulary."

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
class TermEffect:
    """The mean effect of a word or n-gram over the reviews that have it, and how many these are."""

    term: str
    effect: float
    reviews: int


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


def coloured_pieces(explanation: Explanation, most: int = sys.maxsize) -> Iterator[tuple[str, float, float]]:
    """The text in pieces, the effect of each, and the effect as a share of the strongest.

    After `most` characters there is `…` instead of the rest.
    """
    strongest = max((abs(one.effect) for one in explanation.words), default=0.0) or 1.0
    for piece, effect in pieces_of(explanation):
        shown = visible(piece)
        if len(shown) > most:
            yield f"{shown[:most]} …", 0.0, 0.0
            return
        yield shown, effect, effect / strongest
        most -= len(shown)


def title_of(explanation: Explanation) -> str:
    """The label and the probability."""
    return visible(f"{explanation.label}: {percent(explanation.probability)} positive")


def word_rows(explanation: Explanation, count: int | None = None) -> list[list[str]]:
    """The cells of the strongest words, or of all."""
    return [[visible(one.word), signed(one.effect)] for one in explanation.words[:count]]


def pair_rows(explanation: Explanation) -> list[list[str]]:
    """The cells of the strongest pairs."""
    return [[visible(" + ".join(one.words)), signed(one.effect)] for one in explanation.pairs[:PAIRS]]


def print_explanation(explanation: Explanation) -> None:
    """The label, the coloured text, and tables of the strongest words and pairs."""
    out = console()
    out.print(Text(title_of(explanation), style="bold"))
    out.print(_coloured(explanation), soft_wrap=True)
    if not explanation.words:
        out.print(NOTHING)
        return
    out.print(text_table(WORD_HEADS, word_rows(explanation, SHOWN)))
    if rest := len(explanation.words[SHOWN:]):
        out.print(f"… and {rest:,} words with smaller effects")
    if explanation.pairs:
        out.print(text_table(PAIR_HEADS, pair_rows(explanation)))


def _coloured(explanation: Explanation) -> Text:
    """Blue for words that make it positive, orange for the others; the stronger, the bolder."""
    text = Text()
    for piece, _, strength in coloured_pieces(explanation, LONGEST):
        style = "" if abs(strength) < 0.1 else "blue" if strength > 0 else "dark_orange"  # noqa: PLR2004 - too weak
        text.append(piece, style=f"bold {style}" if abs(strength) > 1 / 3 else style)
    if len(text) > LONGEST:
        text.append(f" ({len(explanation.text):,} characters in all)")
    return text


def strongest_terms(terms: Sequence[TermEffect], labels: Sequence[str], count: int) -> dict[str, list[TermEffect]]:
    """The strongest terms of each class, by its name; `terms` are sorted by effect, the largest first."""
    negative = [one for one in reversed(terms) if one.effect < 0]
    return {labels[1]: [one for one in terms if one.effect > 0][:count], labels[0]: negative[:count]}


def term_rows(terms: Sequence[TermEffect]) -> list[list[str]]:
    """The cells of terms."""
    return [[visible(one.term), signed(one.effect), f"{one.reviews:,}"] for one in terms]


def print_terms(strongest: Mapping[str, Sequence[TermEffect]], about: str) -> None:
    """A table for each class, and what was averaged over."""
    for label, terms in strongest.items():
        console().print(text_table(TERM_HEADS, term_rows(terms), title=f"towards {label}"))
    tell(about)
