"""Run folders that hold the predictions a test says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def predicted(path: Path, ids: Sequence[str], labels: Sequence[int], probabilities: Sequence[float]) -> Path:
    """A run folder with a config and predictions, and nothing else."""
    path.mkdir(parents=True)
    (path / "config.yaml").write_text("experiment: x\ndata:\n  source: nowhere\n", encoding="utf-8")
    columns = {
        "id": pa.array(ids, pa.string()),
        "label": pa.array(labels, pa.int8()),
        "probability": pa.array(probabilities, pa.float32()),
    }
    pq.write_table(pa.table(columns), path / "predictions.parquet")
    return path
