"""What the measured scripts of both sides share: the reviews, the clock and the result. Only Arrow is needed."""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Part = tuple[list[str], npt.NDArray[np.int8]]


def run(*functions: Callable[..., None]) -> None:
    """Call the function that the first argument of the command line names with the other arguments."""
    {function.__name__: function for function in functions}[sys.argv[1]](*sys.argv[2:])


def leave(result: str, **found: Any) -> None:
    """Write what a script measured."""
    Path(result).write_text(json.dumps(found), encoding="utf-8")


def seconds_of(work: Callable[..., object], *arguments: object) -> float:
    """The seconds that a call takes."""
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def read_part(folder: str | Path, part: str) -> pa.Table:
    """A part, `train` or `test`: columns text (string) and label (int8; 0 negative, 1 positive)."""
    files = sorted(Path(folder).rglob(f"{part}-*.parquet"))
    table = pa.concat_tables([pq.read_table(file, columns=["text", "label"]) for file in files])
    return table.set_column(1, "label", table["label"].cast(pa.int8()))


def both_parts(data: str) -> tuple[Part, Part]:
    """Texts and labels of the training and of the test part."""
    train, test = (read_part(data, name) for name in ("train", "test"))
    return (train["text"].to_pylist(), train["label"].to_numpy()), (test["text"].to_pylist(), test["label"].to_numpy())


def spaced(text: str) -> str:
    """Lower case, punctuation as words of its own, one blank between two words: as the papers' scripts do."""
    return " ".join(re.sub(r"([.,!?()'\";:])", r" \1 ", text.lower().replace("<br />", " ")).split())


def time_predictions(
    data: str,
    result: str,
    counts: tuple[str, str, str],
    classify: Callable[[list[str]], object],
    classify_one: Callable[[str], object],
) -> None:
    """Time `classify` on many test texts, several times, and `classify_one` on each of some; write the medians.

    Args:
        data: the reviews' folder.
        result: the file for the medians.
        counts: how many texts at once, how many one at a time, how often the first is repeated.
        classify: many texts to probabilities.
        classify_one: one text to its probability.
    """
    many, one, repeat = map(int, counts)
    texts = read_part(data, "test")["text"].to_pylist()
    # The reviews are sorted by label, so texts are taken at equal distances.
    chosen, single = (texts[:: max(len(texts) // count, 1)][:count] for count in (many, one))
    leave(
        result,
        many_seconds=statistics.median(seconds_of(classify, chosen) for _ in range(repeat)),
        one_milliseconds=statistics.median(1e3 * seconds_of(classify_one, text) for text in single),
    )
