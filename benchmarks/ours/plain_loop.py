"""The lecture's fit as a plain torch loop: the same arithmetic, no Lightning, no checkpoints, no progress."""

from __future__ import annotations

import sys
import time

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.reviews import leave
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.loader import EpochOrder
from imdbclf.model.network import MLP
from imdbclf.model.optimizers import RMSprop


def fit(module: ReviewDataModule, epochs: int) -> list[list[float]]:
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


def main(result: str, epochs: str) -> None:
    """Time the loop on prepared reviews."""
    # As in `imdbclf train`, and faster for the loop too: a thread cuts the next batches.
    torch.set_num_threads(1)
    module = ReviewDataModule()
    module.setup()
    started = time.perf_counter()
    history = fit(module, int(epochs))
    leave(result, fit_seconds=time.perf_counter() - started, val_losses=[row[2] for row in history])


if __name__ == "__main__":
    main(*sys.argv[1:])
