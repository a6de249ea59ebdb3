"""Training with a clock: an epoch on a growing corpus, a plain loop without Lightning, and the parts of a step."""

from __future__ import annotations

import logging
import statistics
import time
import warnings
from collections.abc import Sequence

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.reviews import leave, run
from imdbclf.data.batches import ReviewBatch, cut_batches
from imdbclf.data.dataloader import EpochOrder
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.prepare import PreparedReviews, load_reviews
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.model.network import MLP
from imdbclf.model.optimizers import RMSprop
from imdbclf.settings import LECTURE, DataSettings, FeatureSettings

BATCH = 512
WIDTHS = (16, 32, 64, 256, 1024)
DEPTHS = (1, 2, 4, 8)
WORDS = (1_000, 10_000, 30_000, 60_000)


def epoch(file: str, result: str) -> None:
    """Open the cache, split, learn the vocabulary, encode; then train on four fifths for an epoch.

    The encoding is in the cache; the memory of the process is watched from outside.
    """
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    pl.seed_everything(0, verbose=False)
    module = ReviewDataModule(DataSettings(source="files", train=file, val_size=0.2))
    started = time.perf_counter()
    module.prepare_data()
    module.setup()
    prepared = time.perf_counter()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        limit_val_batches=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=False,
    )
    trainer.fit(ReviewClassifier(in_features=len(module.vocabulary)), datamodule=module)
    seconds = time.perf_counter() - prepared
    leave(result, prepare_seconds=prepared - started, epoch_seconds=seconds, from_cache=module.loaded.from_cache)


def plain_loop(result: str, epochs: str) -> None:
    """Time the lecture's fit as a plain loop: the same arithmetic, no Lightning, no checkpoints, no progress."""
    module = ReviewDataModule()
    module.setup()
    started = time.perf_counter()
    history = _history(module, int(epochs))
    leave(result, fit_seconds=time.perf_counter() - started, val_losses=[row[2] for row in history])


def _history(module: ReviewDataModule, epochs: int) -> list[list[float]]:
    """Loss and accuracy of training and of validation, a row for each epoch."""
    torch.manual_seed(0)
    network = MLP(len(module.vocabulary))
    optimizer = RMSprop(network.parameters())
    train, validation = module.train_dataloader(), module.val_dataloader()
    # There is a validation part, and the order is not fixed.
    assert not isinstance(validation, list)  # noqa: S101
    assert isinstance(train.sampler, EpochOrder)  # noqa: S101
    history = []
    for epoch in range(epochs):
        train.sampler.set_epoch(epoch)
        trained, validated = torch.zeros(3), torch.zeros(3)
        for batch in train:
            logits = network(batch.features, batch.transpose)
            loss = binary_cross_entropy_with_logits(logits, batch.labels)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            trained += _sums(loss.detach(), logits.detach(), batch.labels)
        with torch.no_grad():
            for batch in validation:
                logits = network(batch.features)
                loss = binary_cross_entropy_with_logits(logits, batch.labels)
                validated += _sums(loss, logits, batch.labels)
        history.append([*(trained[:2] / trained[2]).tolist(), *(validated[:2] / validated[2]).tolist()])
    return history


def _sums(loss: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    hits = ((logits > 0) == (labels > 0.5)).sum()  # noqa: PLR2004 - labels are 0 or 1
    return torch.stack([loss * len(labels), hits, torch.tensor(len(labels))])


def steps(result: str) -> None:
    """Time the parts of a step on the lecture's training part, and how a step grows with width, depth and columns."""
    prepared = _prepared(LECTURE.features.columns)
    _cut(prepared)
    batches, cutting = _cut(prepared)
    _parts(batches, [16, 16])
    lecture = _parts(batches, [16, 16])
    growth = {
        "width": {width: sum(_parts(batches, [width, width]).values()) for width in WIDTHS},
        "hidden layers": {depth: sum(_parts(batches, [16] * depth).values()) for depth in DEPTHS},
        "columns": {words: sum(_parts(_cut(_prepared(words))[0], [16, 16]).values()) for words in WORDS},
    }
    step = {"cutting the batch (in a thread of its own)": cutting, **lecture}
    leave(result, step=step, growth=growth)


def _parts(batches: Sequence[ReviewBatch], widths: Sequence[int]) -> dict[str, float]:
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


def _cut(prepared: PreparedReviews) -> tuple[list[ReviewBatch], float]:
    """An epoch of batches, and the microseconds that cutting one took."""
    rows = np.random.default_rng(0).permutation(len(prepared.matrices["train"]))
    started = time.perf_counter()
    batches = list(cut_batches(prepared.matrices["train"], prepared.labels["train"], rows, BATCH, training=True))
    return batches, (time.perf_counter() - started) / len(batches) * 1e6


def _prepared(columns: int) -> PreparedReviews:
    return load_reviews(DataSettings(), 0, FeatureSettings(columns=columns))


if __name__ == "__main__":
    # As in `imdbclf train`, and faster for the plain loop too: a thread cuts the next batches.
    torch.set_num_threads(1)
    run(epoch, plain_loop, steps)
