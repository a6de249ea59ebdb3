"""The real reviews as both sides read them: Parquet files in the Hub's layout, nothing but Arrow needed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def read_part(folder: Path, part: str) -> pa.Table:
    """A part, `train` or `test`: columns text (string) and label (int8; 0 negative, 1 positive)."""
    files = sorted(folder.rglob(f"{part}-*.parquet"))
    table = pa.concat_tables([pq.read_table(file, columns=["text", "label"]) for file in files])
    return table.set_column(1, "label", table["label"].cast(pa.int8()))


def spread(texts: list[str], count: int) -> list[str]:
    """So many texts, spread evenly, since the reviews are sorted by label."""
    return texts[:: max(len(texts) // count, 1)][:count]
