"""A small folder in the Hub's layout with a split of unlabelled reviews."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

UNSUPERVISED = "unsupervised-00000-of-00001.parquet"

HEAD = """---
configs:
- config_name: plain_text
  data_files:
  - split: train
    path: plain_text/train-*
  - split: test
    path: plain_text/test-*
  - split: unsupervised
    path: plain_text/unsupervised-*
---
"""
"""That of the lecture's dataset on the Hub, as far as it says which file is of which split."""


def unlabelled_split(folder: Path, labels: Sequence[int], texts: Sequence[str]) -> None:
    """Add a split without labels to a folder in the Hub's layout."""
    (folder / "README.md").write_text(HEAD, encoding="utf-8")
    columns = {"text": pa.array(texts, pa.string()), "label": pa.array(labels, pa.int8())}
    parquet.write_table(pa.table(columns), folder / "plain_text" / UNSUPERVISED)
