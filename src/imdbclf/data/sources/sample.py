"""The bundled sample: reviews that are generated from a table, for a first run without network or licence.

The table in the package has 20,000 words. For each it says in how many negative and in how many positive reviews of the
training split of the Large Movie Review Dataset the word occurs. These are facts about the corpus; no text of it is
shipped. `draw_reviews` draws reviews from the table, word by word. They make no sense, but a network that is trained on
them can classify real reviews, and it overfits as on real ones.

How one review is drawn:

1. Classes alternate. The length L is log-normal, the strength s is uniform between .7 and 1.
2. Each of the L words is drawn independently: with probability (1 + s) / 2 from the words of the review's class,
   otherwise from those of the other class.
3. The words of a class are drawn in proportion to a rate. The mean of a word's two rates is such that a review of
   median length contains the word as often as real reviews do. The ratio of the two rates follows from the word's
   lean, the logarithm of the ratio of its counts.

The same table and constants give the same reviews on every machine: NumPy guarantees the bits of the generator, and
words are looked up by integers, so that rounding differences of mathematics libraries do not change the text.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imdbclf.data.sources.base import Reviews

TABLE: Final = Path(__file__).with_name("sample_table.parquet")

SAMPLE_VERSION: Final = 1
"""Increased when a change in this file changes the drawn reviews."""

REVIEWS: Final = {"train": 25_000, "test": 25_000}
"""Reviews per split, as in the real corpus."""

SEEDS: Final = {"train": 2011, "test": 2012}
"""One seed per split, so that the splits are independent; the numbers are arbitrary."""

MEDIAN_LENGTH: Final = 175.0
LENGTH_SPREAD: Final = 0.7
LENGTH_LIMITS: Final = (10, 1_500)
"""Words per review: log-normal with about the median (177), the mean (238; here 221) and the tails of the real
training reviews. The limits keep short reviews readable and limit time and memory for long ones; only 1 real review
in 3,000 is longer."""

WEAKEST: Final = 0.7
"""Strengths are uniform between this and 1. If all strengths were 1, a network would classify .95 of new drawn
reviews correctly, too many for a lecture on overfitting. With this value it is about .92. With strengths down to .3
it would be .84, and accuracy on real reviews would be half a point lower."""

LEAN_PRIOR: Final = 20.0
"""Reviews added to both counts of a word before its lean is computed. At most 30 reviews are about the same film, so
a rare word is often the name of a film or person, and its lean does not apply to other films."""

KEPT_LEAN: Final = 2 / 3
"""The lean that stays unchanged; leans become lean * |lean| / KEPT_LEAN. Words of a real review are not independent:
many weak leans repeat the same information or only reflect the kind of film. Squaring reduces them in favour of words
with opinions. This raises the accuracy on real reviews of films that were not counted by two points, from .826 to
.847. Values between .5 and 1 differ by less than half a point."""

_PLACE_BITS: Final = 23
"""The words of a class are distributed over 2**23 places. The rarest word gets about 18 of them (mean of the
classes), so that rounding changes 99 of 100 rates by less than 4 %. The places of both classes take 32 MiB while
drawing."""

_SIDE_BITS: Final = 32
"""The upper half of a 64-bit random number decides the class of the word."""

Split = Literal["train", "test"]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint16]


class Table(NamedTuple):
    """V words in alphabetical order, and the number of reviews of each class that contain each, (V,).

    `reviews` is the number of counted reviews per class.
    """

    words: pa.Array
    negative: Floats
    positive: Floats
    reviews: int


def draw_reviews(split: Split) -> pa.Table:
    """Draw the reviews of a split: columns text (string) and label (int8; 0 negative, 1 positive).

    The classes alternate, so that the first reviews are balanced, too. Words are in lower case, without punctuation,
    and separated by single blanks.
    """
    table = read_table()
    bits = np.random.PCG64(SEEDS[split])
    labels = np.arange(REVIEWS[split], dtype=np.int64) % 2
    lengths = _draw_lengths(bits, len(labels))
    rows = _draw_rows(bits, _places(*word_rates(table)), labels, lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    texts = pc.binary_join(pa.ListArray.from_arrays(offsets, table.words.take(pa.array(rows))), " ")
    return pa.table({"text": texts, "label": pa.array(labels, pa.int8())})


def read_table() -> Table:
    """Read the table in the package."""
    table = pq.read_table(TABLE)
    return Table(
        words=table["word"].combine_chunks(),
        negative=table["negative"].to_numpy().astype(np.float64),
        positive=table["positive"].to_numpy().astype(np.float64),
        reviews=int(table.schema.metadata[b"reviews_per_class"]),
    )


def word_rates(table: Table) -> tuple[Floats, Floats]:
    """Rates of the words in negative and in positive reviews, each float64 (V,), not normalised.

    A word with rate r is missing in a review of median length with probability exp(-r). The mean of its two rates
    solves this for the fraction of real reviews without the word. Rates in proportion to the counts would make
    common words far too rare.
    """
    # One review is added, so that a word in all reviews has a finite rate.
    fraction = (table.negative + table.positive) / (2 * (table.reviews + 1))
    mean = -np.log1p(-fraction)
    lean = np.log((table.positive + LEAN_PRIOR) / (table.negative + LEAN_PRIOR))
    # (1 + tanh(x / 2)) / (1 - tanh(x / 2)) = exp(x): the mean stays, and the ratio is exp(x).
    tilt = np.tanh(lean * np.abs(lean) / KEPT_LEAN / 2)
    return mean * (1 - tilt), mean * (1 + tilt)


def _places(negative: Floats, positive: Floats) -> Rows:
    """Rows of the table, each repeated in proportion to its rate: uint16 (2 * 2**23,), negative first."""
    rows = np.arange(len(negative), dtype=np.uint16)
    return np.concatenate([np.repeat(rows, _counts(rates)) for rates in (negative, positive)])


def _counts(rates: Floats) -> Integers:
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
    # A number below its bound selects the positive half of the places.
    side = (draws >> np.uint64(_SIDE_BITS)) < np.repeat(bounds, lengths)
    draws &= np.uint64((1 << _PLACE_BITS) - 1)
    draws |= side.astype(np.uint64) << np.uint64(_PLACE_BITS)
    return places[draws.view(np.int64)]


class SampleSource:
    """Reviews drawn from the table of word frequencies."""

    @property
    def description(self) -> str:
        """`bundled sample`, and that these are not real reviews."""
        return "bundled sample (drawn, not real reviews)"

    def fingerprint(self) -> str:
        """Hash of the table and of the version, which decide what is drawn."""
        return f"sample {hashlib.sha256(TABLE.read_bytes() + f'/{SAMPLE_VERSION}'.encode()).hexdigest()}"

    def read(self) -> Reviews:
        """Draw both parts; the same reviews on every machine."""
        return Reviews({"train": draw_reviews("train"), "test": draw_reviews("test")}, ("neg", "pos"))
