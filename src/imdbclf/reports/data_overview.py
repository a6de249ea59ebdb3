"""`imdbclf data`: an overview of the reviews of a source, and what becomes of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import floor, log10
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.table import Table

from imdbclf.console import console, shown_path, tell, text_table
from imdbclf.data.arrow import to_arrow
from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.corpus import Corpus, EncodedReviews
from imdbclf.data.load_corpus import choose_source, load_corpus
from imdbclf.data.multihot import UNKNOWN
from imdbclf.data.originals import texts_of
from imdbclf.data.selection import learn_vocabulary, word_counts
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.settings import LECTURE, SourceSettings

FIRST_WORDS = 20

FIRST_COLUMNS = 60
"""Columns of the multi-hot row that are shown."""

SHOWN = 300
"""Characters of a text that are shown."""

BARS = 40
"""Characters of the longest bar."""

LONGEST_WORD = 60
"""Characters of a word that are shown; a text without blanks is one word."""


def print_overview(settings: SourceSettings, review: int, picture: Path | None = None) -> None:
    """Print counts, balance, lengths, duplicates, the first words of the vocabulary, and the steps of one review.

    `picture` is a PNG file for balance and lengths.

    Raises:
        UserError: if the source cannot be read, or has no such review.
    """
    chosen = choose_source(settings)
    loaded = load_corpus(chosen.settings)
    corpus, labels = loaded.corpus, loaded.label_names
    part = "train" if "train" in corpus.parts else next(iter(corpus.parts))
    reviews = corpus.parts[part]
    if review >= len(reviews):
        raise UserError(f"--review {review}: must be below the {len(reviews):,} reviews of part {part}")
    out = console()
    if chosen.because:
        tell(chosen.warning or f"The source is chosen because {chosen.because}.")
    tell(f"{loaded.source.description}; labels {labels[0] or '(none)'} = 0, {labels[1] or '(none)'} = 1 (positive)")
    for note in loaded.notes:
        tell(note)
    out.print(_parts_table(loaded))
    if len(corpus.parts) > 1:
        first, second = (part.ids for part in corpus.parts.values())
        tell(f"Texts that are in both parts: {len(np.intersect1d(first, second)):,}")
    counts = word_counts(corpus, reviews)
    vocabulary = learn_vocabulary(corpus, reviews, LECTURE.features)
    columns = vocabulary.lookup.over(corpus.dictionary).of_words
    tell(f"\nLabels and lengths in part {part}:")
    for line in (*bars(_label_counts(reviews, labels)), *bars(_length_counts(reviews))):
        tell(line)
    tell(f"\nDifferent words in part {part}: {int((counts > 0).sum()):,}. The first of the vocabulary:")
    out.print(_vocabulary_table(corpus, counts, vocabulary, columns))
    _print_steps(loaded, reviews, review, columns, vocabulary)
    if picture is not None:
        from imdbclf.reports.data_picture import draw_reviews  # noqa: PLC0415 - Matplotlib is slow to import

        draw_reviews(loaded, picture)
        tell(f"\nPicture: {shown_path(picture)}")


def length_edges(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The ends of about ten ranges of equal size for most reviews, and of one for the longest, ascending."""
    most = max(float(np.quantile(lengths, 0.95)), 1.0)
    power = 10 ** floor(log10(most))
    step = next(power * part for part in (0.1, 0.2, 0.5, 1) if most <= 10 * power * part)
    return np.append(np.arange(0, most + step, max(step, 1), dtype=np.float64), max(lengths.max() + 1, most + 2 * step))


def bars(counts: Mapping[str, int]) -> Iterator[str]:
    """A line for each name: a bar as long as its count, and the count."""
    width, most = max(map(len, counts)), max(*counts.values(), 1)
    for name, count in counts.items():
        yield f"  {name:>{width}}  {'█' * round(BARS * count / most):<{BARS}} {count:>7,}"


def _label_counts(reviews: EncodedReviews, labels: tuple[str, str]) -> dict[str, int]:
    return {name: int((reviews.labels == number).sum()) for number, name in enumerate(labels) if name}


def _length_counts(reviews: EncodedReviews) -> dict[str, int]:
    edges = length_edges(reviews.lengths)
    names = (f"{start:,.0f} to {stop - 1:,.0f} words" for start, stop in pairwise(edges))
    return dict(zip(names, np.histogram(reviews.lengths, edges)[0].tolist(), strict=True))


def _print_steps(
    loaded: LoadedCorpus, reviews: EncodedReviews, review: int, columns: npt.NDArray[np.int32], vocabulary: Vocabulary
) -> None:
    """The lecture's preprocessing: a text, its words, their numbers, the multi-hot row, and the way back."""
    start, stop = reviews.offsets[review : review + 2]
    words = loaded.corpus.dictionary.take(to_arrow(reviews.words[start:stop])).to_pylist()
    numbers = columns[reviews.words[start:stop]]
    row = np.unique(numbers)
    bits = "".join("1" if column in row else "0" for column in range(min(FIRST_COLUMNS, len(vocabulary))))
    text = texts_of(loaded.source, reviews.ids[review : review + 1]).get(int(reviews.ids[review]), "")
    unknown = int((numbers == UNKNOWN).sum())
    tell(f"\nReview {review} ({loaded.label_names[int(reviews.labels[review])]}), row {reviews.rows[review]}:")
    for name, value in {
        "text": text,
        f"{len(words)} words": " ".join(words),
        f"their numbers ({unknown} unknown words are 0)": " ".join(map(str, numbers.tolist())),
        f"multi-hot row, {len(row)} ones among {len(vocabulary):,} columns": f"{bits}…",
        "its ones are in the columns": " ".join(map(str, row.tolist())),
        "back from the numbers (the order is kept)": " ".join(vocabulary.decode(numbers)),
        "back from the row (order and repeats are lost)": " ".join(vocabulary.decode(row)),
    }.items():
        tell(f"  {name}:\n    {_cut(value)}")


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN].rsplit(' ', 1)[0]} …"


def _parts_table(loaded: LoadedCorpus) -> Table:
    heads = ("part", "reviews", *loaded.label_names, "words: median", "mean", "shortest", "longest", "duplicates")
    rows = []
    for part, reviews in loaded.corpus.parts.items():
        lengths = reviews.lengths
        counts = [len(reviews), int((reviews.labels == 0).sum()), int((reviews.labels == 1).sum())]
        duplicates = len(reviews) - len(np.unique(reviews.ids))
        shown = [f"{np.median(lengths):.0f}", f"{lengths.mean():.1f}", f"{lengths.min()}", f"{lengths.max():,}"]
        rows.append([part, *(f"{count:,}" for count in counts), *shown, f"{duplicates:,}"])
    return text_table(heads, rows)


def _vocabulary_table(
    corpus: Corpus, counts: npt.NDArray[np.int64], vocabulary: Vocabulary, columns: npt.NDArray[np.int32]
) -> Table:
    rows = [["(unknown words)", str(UNKNOWN), f"{counts[columns == UNKNOWN].sum():,}"]]
    number = {word: k for k, word in enumerate(corpus.dictionary.to_pylist())}
    for column, word in enumerate(vocabulary.terms[:FIRST_WORDS], start=1):
        rows.append([word[:LONGEST_WORD], str(column), f"{counts[number[word]]:,}"])
    return text_table(["word", "column", "occurrences"], rows)
