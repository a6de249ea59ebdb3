"""An explanation of a probability, and how it is shown: as text, as JSON, and as a page."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from imdbclf.console import console, tell, text_table
from imdbclf.data.tokenize import SENTENCE_ENDS, word_pattern
from imdbclf.errors import visible
from imdbclf.reports.labels import percent, signed
from imdbclf.reports.page import Section, TextTable, page

SHOWN = 10
"""Words in the table of a terminal."""

LONGEST = 5_000
"""Characters of a text that a terminal shows in colour: it takes half a minute for a megabyte."""

PAIRS = 3
"""Pairs in the table."""

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


def coloured_pieces(explanation: Explanation, most: int = sys.maxsize) -> Iterator[tuple[str, float, float]]:
    """The text in pieces, the effect of each (0 if it has none), and the effect as a share of the strongest.

    After `most` characters there is `…` instead of the rest.
    """
    effects = {one.word: one.effect for one in explanation.words}
    strongest = max(map(abs, effects.values()), default=0.0) or 1.0
    for piece in filter(None, _PIECES.split(explanation.text)):
        effect, shown = effects.get(SENTENCE_ENDS.get(piece[0], piece.lower()), 0.0), visible(piece)
        if len(shown) > most:
            yield f"{shown[:most]} …", 0.0, 0.0
            return
        yield shown, effect, effect / strongest
        most -= len(shown)


def title_of(explanation: Explanation, positive: str) -> str:
    """The label, and the probability of the positive one."""
    return visible(f"{explanation.label} (probability of “{positive}”: {percent(explanation.probability)})")


def sections_of(
    explanation: Explanation, positive: str, count: int | None = None, most: int = sys.maxsize
) -> Iterator[Section]:
    """The coloured text with the strongest `count` words, or all; then the strongest pairs."""
    rows = [[one.word, signed(one.effect)] for one in explanation.words[:count]]
    rest = len(explanation.words) - len(rows)
    table = TextTable(("word", "effect, points"), rows) if rows else None
    notes = [f"… and {rest:,} words with smaller effects"] if rest else []
    coloured = list(coloured_pieces(explanation, most))
    nothing = ["No word of this text is in the vocabulary."]
    yield Section(title_of(explanation, positive), (), table, notes=notes if rows else nothing, coloured=[coloured])
    if explanation.pairs:
        rows = [[" + ".join(one.words), signed(one.effect)] for one in explanation.pairs[:PAIRS]]
        yield Section("Words together", table=TextTable(("words together", "in addition, points"), rows))


def print_explanation(explanation: Explanation, positive: str) -> None:
    """The label, the text (words that make it positive blue, others orange), and tables of words and pairs."""
    out, sections = console(), list(sections_of(explanation, positive, SHOWN, LONGEST))
    text = Text()
    for piece, _, strength in sections[0].coloured[0]:
        style = "" if abs(strength) < 0.1 else "blue" if strength > 0 else "dark_orange"  # noqa: PLR2004 - too weak
        text.append(piece, style=f"bold {style}" if abs(strength) > 1 / 3 else style)
    if len(text) > LONGEST:
        text.append(f" ({len(explanation.text):,} characters in all)")
    out.print(Text(sections[0].title, style="bold"))
    out.print(text, soft_wrap=True)
    for section in sections:
        if section.table is not None:
            out.print(text_table(section.table.heads, section.table.rows))
        for note in section.notes:
            out.print(note)


def strongest_terms(terms: Sequence[TermEffect], labels: Sequence[str], count: int) -> dict[str, list[TermEffect]]:
    """The strongest terms of each class, by its name; `terms` are sorted by effect, the largest first."""
    negative = [one for one in reversed(terms) if one.effect < 0]
    return {labels[1]: [one for one in terms if one.effect > 0][:count], labels[0]: negative[:count]}


def term_sections(strongest: Mapping[str, Sequence[TermEffect]], about: str) -> list[Section]:
    """A table for each class, and what was averaged over."""
    heads, sections = ("word or n-gram", "mean effect, points", "reviews"), []
    for label, terms in strongest.items():
        rows = [[one.term, signed(one.effect), f"{one.reviews:,}"] for one in terms]
        sections.append(Section(f"Towards {label}", table=TextTable(heads, rows), notes=[about]))
    return sections


def print_terms(strongest: Mapping[str, Sequence[TermEffect]], about: str) -> None:
    """A table for each class, and what was averaged over."""
    for section in term_sections(strongest, about):
        if section.table is not None:
            console().print(text_table(section.table.heads, section.table.rows, title=section.title))
    tell(about)


def explanation_page(checkpoint: str, positive: str, sections: Iterable[Section]) -> str:
    """The page of `sections_of` texts, or of `term_sections`."""
    title = f"Explanation: {checkpoint}"
    return page("reports/explanation.html.jinja", title=title, positive=positive, sections=list(sections))
