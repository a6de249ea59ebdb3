"""How both sides of the rows predict_many and predict_one are timed: the same texts, the same clock."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.reviews import read_part, spread


def measure(
    data: str,
    result: str,
    many: str,
    one: str,
    repeat: str,
    classify: Callable[[list[str]], object],
    classify_one: Callable[[str], object],
) -> None:
    """Time `classify` on `many` test texts `repeat` times, `classify_one` on each of `one`; write the medians."""
    texts = read_part(Path(data), "test")["text"].to_pylist()
    chosen = spread(texts, int(many))
    found = {
        "many_seconds": statistics.median(_seconds(classify, chosen) for _ in range(int(repeat))),
        "one_milliseconds": statistics.median(_seconds(classify_one, text) * 1e3 for text in spread(texts, int(one))),
    }
    Path(result).write_text(json.dumps(found), encoding="utf-8")


def _seconds(work: Callable[[Any], object], texts: list[str] | str) -> float:
    started = time.perf_counter()
    work(texts)
    return time.perf_counter() - started
