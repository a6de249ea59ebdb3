"""What several tests of the model need: drawn reviews as batches, and a trainer that says nothing."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from data.helpers import matrix_of

from imdbclf.data.batches import ReviewBatch, batch_of_rows
from imdbclf.data.dataloader import ReviewLoader
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.setting_values import Layout

WIDTH = 40


def batch_of(rows: list[list[int]], layout: Layout = "csr", width: int = WIDTH) -> ReviewBatch:
    """The rows as a training batch; the first is negative, the second positive and so on."""
    labels = torch.arange(len(rows)) % 2
    return batch_of_rows(matrix_of(rows, width), labels.float(), layout, training=True)


def drawn(n: int, seed: int = 0) -> tuple[MultiHotMatrix, np.typing.NDArray[np.int8]]:
    """n reviews of up to 12 words, the common ones far more frequent, and labels that follow from some of the words."""
    generator = np.random.default_rng(seed)
    rows = [(WIDTH * generator.random(generator.integers(0, 13)) ** 2).astype(int).tolist() for _ in range(n)]
    scores = [sum(1 if word % 3 else -2 for word in set(row)) for row in rows]
    return matrix_of(rows, WIDTH), np.array([score > 0 for score in scores], dtype=np.int8)


def loader(n: int, batch_size: int, layout: Layout = "csr", seed: int = 0, *, training: bool = True) -> Any:
    """A loader of drawn reviews, in their own order."""
    return ReviewLoader(*drawn(n, seed), batch_size, layout, training=training)


def quiet_trainer(**settings: Any) -> pl.Trainer:
    """A trainer on the CPU without logger, progress bar and callbacks."""
    return pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )
