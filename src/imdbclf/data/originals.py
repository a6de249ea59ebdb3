"""Reviews as their source has them; the corpus keeps only their numbered words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from imdbclf.data.arrow import to_arrow
from imdbclf.data.corpus import Hashes, text_hashes
from imdbclf.data.sources.base import Source

Tables = Mapping[str, pa.Table]
"""The parts of a source, each with a column `text`."""


def texts_of(source: Source, wanted: Hashes) -> dict[int, str]:
    """The texts of the wanted reviews by their ids; the source is read again."""
    parts = source.read().parts
    return values_of(parts, parts, wanted)


def values_of(parts: Tables, others: Tables, wanted: Hashes) -> dict[int, str]:
    """What `others` say of the wanted reviews, by the hash of their text in `parts`."""
    found: dict[int, str] = {}
    for part, table in parts.items():
        ids = np.concatenate([np.zeros(0, np.uint64), *map(text_hashes, table.column("text").chunks)])
        rows = np.flatnonzero(np.isin(ids, wanted))
        found |= zip(ids[rows].tolist(), others[part].column("text").take(to_arrow(rows)).to_pylist(), strict=True)
    return found
