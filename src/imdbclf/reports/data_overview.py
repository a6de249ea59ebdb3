"""`imdbclf data`: an overview of the reviews of a source."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rich.table import Table

from imdbclf.console import console, tell, text_table
from imdbclf.data.cache import LoadedCorpus
from imdbclf.data.corpus import Corpus
from imdbclf.data.load_corpus import choose_source, load_corpus
from imdbclf.data.multihot import UNKNOWN
from imdbclf.data.selection import learn_vocabulary, word_counts
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.settings import LECTURE, SourceSettings

FIRST_WORDS = 20

LONGEST_WORD = 60
"""Characters of a word that are shown; a text without blanks is one word."""


def print_overview(settings: SourceSettings, review: int) -> None:
    """Print counts, balance, lengths, duplicates, the first words of the vocabulary, and one decoded training review.

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
    tell(f"\nDifferent words in part {part}: {int((counts > 0).sum()):,}. The first of the vocabulary:")
    out.print(_vocabulary_table(corpus, counts, vocabulary, columns))
    words = columns[reviews.words[reviews.offsets[review] : reviews.offsets[review + 1]]]
    # Twice, as in the lecture: the words in order, `?` for unknown ones, and the multi-hot row.
    label = labels[int(reviews.labels[review])]
    tell(f"\nReview {review} ({label}), decoded from its {len(words)} word numbers:")
    tell(" ".join(vocabulary.decode(words)))
    row = np.unique(words)
    tell(f"\nDecoded from its multi-hot row, {len(row)} ones among {len(vocabulary):,} columns:")
    tell(" ".join(vocabulary.decode(row)))


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
