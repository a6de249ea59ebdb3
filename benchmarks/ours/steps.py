"""The parts of a training step, and how a step grows with width, depth and columns: a plain loop with a clock."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.reviews import leave
from imdbclf.data.batches import ReviewBatch, cut_batches
from imdbclf.data.prepare import PreparedReviews, load_reviews
from imdbclf.model.network import MLP
from imdbclf.model.optimizers import RMSprop
from imdbclf.settings import LECTURE, DataSettings, FeatureSettings

BATCH = 512
WIDTHS = (16, 32, 64, 256, 1024)
DEPTHS = (1, 2, 4, 8)
WORDS = (1_000, 10_000, 30_000, 60_000)


def epoch(batches: Sequence[ReviewBatch], widths: Sequence[int]) -> dict[str, float]:
    """Median microseconds of each part of a step, over the batches; without the first three."""
    network = MLP(batches[0].features.shape[1], widths)
    optimizer = RMSprop(network.parameters())
    parts: dict[str, list[float]] = {"first layer": [], "other layers and loss": [], "backward": [], "optimizer": []}
    for batch in batches:
        clock = [time.perf_counter()]
        hidden = network.first(batch.features, batch.transpose)
        clock.append(time.perf_counter())
        loss = binary_cross_entropy_with_logits(network.rest(hidden).squeeze(1), batch.labels)
        clock.append(time.perf_counter())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clock.append(time.perf_counter())
        optimizer.step()
        clock.append(time.perf_counter())
        for part, start, end in zip(parts.values(), clock[:-1], clock[1:], strict=True):
            part.append((end - start) * 1e6)
    return {name: statistics.median(times[3:]) for name, times in parts.items()}


def cut(prepared: PreparedReviews) -> tuple[list[ReviewBatch], float]:
    """An epoch of batches, and the microseconds that cutting one took."""
    rows = np.random.default_rng(0).permutation(len(prepared.matrices["train"]))
    started = time.perf_counter()
    batches = list(cut_batches(prepared.matrices["train"], prepared.labels["train"], rows, BATCH, training=True))
    return batches, (time.perf_counter() - started) / len(batches) * 1e6


def _prepared(columns: int) -> PreparedReviews:
    return load_reviews(DataSettings(), 0, FeatureSettings(columns=columns))


def main(result: str) -> None:
    """Measure on the lecture's training part."""
    torch.set_num_threads(1)
    prepared = _prepared(LECTURE.features.columns)
    cut(prepared)
    batches, cutting = cut(prepared)
    epoch(batches, [16, 16])
    lecture = epoch(batches, [16, 16])
    growth = {
        "width": {width: sum(epoch(batches, [width, width]).values()) for width in WIDTHS},
        "hidden layers": {depth: sum(epoch(batches, [16] * depth).values()) for depth in DEPTHS},
        "columns": {words: sum(epoch(cut(_prepared(words))[0], [16, 16]).values()) for words in WORDS},
    }
    step = {"cutting the batch (in a thread of its own)": cutting, **lecture}
    leave(result, step=step, growth=growth)


if __name__ == "__main__":
    main(*sys.argv[1:])
