"""Explanations as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from imdbclf.errors import visible
from imdbclf.reports.explanation import (
    NOTHING,
    PAIR_HEADS,
    TERM_HEADS,
    WORD_HEADS,
    Explanation,
    TermEffect,
    coloured_pieces,
    pair_rows,
    term_rows,
    title_of,
    word_rows,
)
from imdbclf.reports.page import Section, TextTable, page


def texts_page(explanations: Sequence[Explanation], checkpoint: str) -> str:
    """A page with each text in colours, and the effects of all its words."""
    return _page(checkpoint, [section for one in explanations for section in _text_sections(one)])


def _text_sections(explanation: Explanation) -> Iterator[Section]:
    coloured = [list(coloured_pieces(explanation))]
    if not explanation.words:
        yield Section(title_of(explanation), coloured=coloured, notes=[NOTHING])
        return
    yield Section(title_of(explanation), coloured=coloured, table=TextTable(WORD_HEADS, word_rows(explanation)))
    if explanation.pairs:
        yield Section("Words together", table=TextTable(PAIR_HEADS, pair_rows(explanation)))


def terms_page(strongest: Mapping[str, Sequence[TermEffect]], checkpoint: str, about: str) -> str:
    """A page with a table of terms for each class."""
    sections = [
        Section(f"Towards {visible(label)}", table=TextTable(TERM_HEADS, term_rows(terms)), notes=[visible(about)])
        for label, terms in strongest.items()
    ]
    return _page(checkpoint, sections)


def _page(checkpoint: str, sections: Sequence[Section]) -> str:
    return page("reports/explanation.html.jinja", title=f"Explanation: {visible(checkpoint)}", sections=sections)
