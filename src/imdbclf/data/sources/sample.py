"""A sample corpus that needs neither a network nor a licence: reviews drawn from a table.

The table that ships with the package says, for each of 20,000 words, in how many negative and in
how many positive reviews of the training split of the Large Movie Review Dataset the word occurs.
These are facts about the corpus; no text of it is shipped. `draw_reviews` draws reviews from the
table, word by word, so they read as nonsense, yet a network trained on them can tell real reviews
apart, and it fits and overfits them as it does the real ones.

The drawing of one review:

1. Its class alternates, its length L is log-normal, its strength s is uniform between .7 and 1.
2. Each of its L words is drawn on its own: with probability (1 + s) / 2 from the words of its own
   class, otherwise from those of the other class.
3. The words of a class are drawn in proportion to a rate. The mean rate of a word over the two
   classes is the one at which a review of usual length holds the word as often as real reviews do;
   the ratio of its two rates follows from its lean, the logarithm of the ratio of its counts.

The same table and the same constants give the same reviews on every machine: the bits of the
generator are fixed for good by NumPy, and words are looked up by whole numbers, so that rounding
differences between mathematics libraries do not reach the text.

The bundled sample: drawn reviews, for a first run without network or licence.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imdbclf.data.sources.base import Reviews, group_values

TABLE: Final = Path(__file__).with_name("sample_table.parquet")

DRAWING_VERSION: Final = 1
"""To be raised whenever a change in this file changes the drawn reviews."""

REVIEWS: Final = {"train": 25_000, "test": 25_000}
"""Reviews per split, as many as the real corpus has."""

SEEDS: Final = {"train": 2011, "test": 2012}
"""One seed per split, so that no stream is shared; the numbers themselves are arbitrary."""

MEDIAN_LENGTH: Final = 175.0
LENGTH_SPREAD: Final = 0.7
LENGTH_LIMITS: Final = (10, 1_500)
"""Words per review: log-normal with the median (177), the mean (238; here 221) and the tails of the
real training reviews. The limits keep the shortest readable and the longest from dominating time
and memory; only 1 real review in 3,000 is longer."""

WEAKEST: Final = 0.7
"""Strengths are uniform between this and 1. With full strength throughout, a network tells .95 of
unseen drawn reviews right, too many for a lecture on overfitting; with this, about .92, while
strengths down to .3 would leave .84 and cost half a point of accuracy on real reviews."""

LEAN_PRIOR: Final = 20.0
"""Reviews added to both counts of a word before its lean is taken. Few reviews deal with the same
film (30 at most), so a word of fewer occurrences is often the name of one film or person, and its
lean says nothing about other films."""

KEPT_LEAN: Final = 2 / 3
"""The lean that the drawing keeps as it is; leans become lean * |lean| / KEPT_LEAN. Words of a real
review are not drawn independently: many weak leans tell the same thing over and again, or only
reflect the kind of film. Squaring flattens them and leaves the verdict to the words that carry
opinions, which brings the accuracy on real reviews of films that were not counted by
two points, from .826 to .847; values between .5 and 1 differ by less than half a point."""

_PLACE_BITS: Final = 23
"""The words of a class share 2**23 places. The rarest word gets about 18 of them in the mean
of the classes, so that rounding changes 99 rates of 100 by less than 4 %; the places of both
classes take 32 MiB while drawing."""

_SIDE_BITS: Final = 32
"""The upper half of a 64-bit draw decides the class whose words are drawn from."""

Split = Literal["train", "test"]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint16]


class Table(NamedTuple):
    """The shipped facts: V words, alphabetical, and in how many reviews of a class each occurs."""

    words: pa.Array
    """String, (V,)."""
    negative: Floats
    """Float64, (V,)."""
    positive: Floats
    """Float64, (V,)."""
    reviews: int
    """Reviews per class that were counted."""


def sample_fingerprint() -> str:
    """SHA-256, in hexadecimal, of all that decides what is drawn: the table and the version."""
    return hashlib.sha256(TABLE.read_bytes() + f"/{DRAWING_VERSION}".encode()).hexdigest()


def draw_reviews(split: Split) -> pa.Table:
    """Draw the reviews of a split: columns text (string) and label (int8; 0 negative, 1 positive).

    The classes alternate, so that every leading part of the sample is balanced. Words are separated
    by single blanks, in lower case and without punctuation.
    """
    table = read_table()
    bits = np.random.PCG64(SEEDS[split])
    labels = np.arange(REVIEWS[split]) % 2
    lengths = _draw_lengths(bits, len(labels))
    rows = _draw_rows(bits, _places(*word_rates(table)), labels, lengths)
    return pa.table({"text": _join(table.words, rows, lengths), "label": pa.array(labels, pa.int8())})


def read_table() -> Table:
    """Read the shipped table."""
    table = pq.read_table(TABLE)
    return Table(
        words=table["word"].combine_chunks(),
        negative=table["negative"].to_numpy().astype(np.float64),
        positive=table["positive"].to_numpy().astype(np.float64),
        reviews=int(table.schema.metadata[b"reviews_per_class"]),
    )


def word_rates(table: Table) -> tuple[Floats, Floats]:
    """Rates of the words in negative and in positive reviews, each float64 (V,), not normalised.

    A word drawn at rate r is missing from a review of usual length with probability exp(-r); the
    mean of its two rates solves this for the share of real reviews that miss the word. Rates in
    proportion to the counts themselves would make common words far too rare.
    """
    # One review more than there are, so that a word of all reviews has a finite rate.
    share = (table.negative + table.positive) / (2 * (table.reviews + 1))
    mean = -np.log1p(-share)
    lean = np.log((table.positive + LEAN_PRIOR) / (table.negative + LEAN_PRIOR))
    # (1 + tanh(x / 2)) / (1 - tanh(x / 2)) = exp(x): the mean is kept, the ratio is as wanted.
    tilt = np.tanh(lean * np.abs(lean) / KEPT_LEAN / 2)
    return mean * (1 - tilt), mean * (1 + tilt)


def _places(negative: Floats, positive: Floats) -> Rows:
    """Rows of the table, each as often as its rate asks for: uint16 (2 * 2**23,), negative first."""
    rows = np.arange(len(negative), dtype=np.uint16)
    return np.concatenate([np.repeat(rows, _shares(rates)) for rates in (negative, positive)])


def _shares(rates: Floats) -> Integers:
    """Whole numbers in proportion to the rates, int64 (V,), whose sum is exactly 2**23."""
    upper = np.cumsum(rates)
    places: Integers = np.rint(upper / upper[-1] * (1 << _PLACE_BITS)).astype(np.int64)
    places[1:] -= places[:-1].copy()
    return places


def _draw_lengths(bits: np.random.BitGenerator, count: int) -> Integers:
    """Words per review: int64 (count,)."""
    normal = np.random.Generator(bits).standard_normal(count)
    lengths = np.rint(MEDIAN_LENGTH * np.exp(LENGTH_SPREAD * normal)).astype(np.int64)
    return np.clip(lengths, *LENGTH_LIMITS)


def _draw_rows(bits: np.random.BitGenerator, places: Rows, labels: Integers, lengths: Integers) -> Rows:
    """Rows of the table, review after review: uint16 (sum of lengths,)."""
    strengths = WEAKEST + (1 - WEAKEST) * np.random.Generator(bits).random(len(labels))
    positive = (1 + np.where(labels == 1, strengths, -strengths)) / 2
    bounds = np.rint(positive * (1 << _SIDE_BITS)).astype(np.uint64)
    draws = bits.random_raw(int(lengths.sum()))
    # Below its bound, a draw goes to the positive half of the places.
    side = (draws >> np.uint64(_SIDE_BITS)) < np.repeat(bounds, lengths)
    draws &= np.uint64((1 << _PLACE_BITS) - 1)
    draws |= side.astype(np.uint64) << np.uint64(_PLACE_BITS)
    return places[draws.view(np.int64)]


def _join(words: pa.Array, rows: Rows, lengths: Integers) -> pa.Array:
    """Texts of the reviews: string, as many as lengths."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(offsets, words.take(pa.array(rows))), " ")


@dataclass(frozen=True)
class SampleSource:
    """Reviews drawn from the shipped table of word frequencies ; nothing groups them."""

    group_column: str | None = None

    @property
    def description(self) -> str:
        """`bundled sample`, with the fact that these are no real reviews."""
        return "bundled sample (drawn, not real reviews)"

    def fingerprint(self) -> str:
        """Hash of the table and of the way it is drawn from."""
        return f"sample {sample_fingerprint()}" + ("" if self.group_column is None else f" {self.group_column}")

    def read(self) -> Reviews:
        """Draw both parts; the same reviews on every machine."""
        train = draw_reviews("train")
        if self.group_column is not None:
            train = train.append_column("group", group_values(train, self.group_column, self.description))
        return Reviews({"train": train, "test": draw_reviews("test")}, ("neg", "pos"))
