"""One epoch on a file of reviews whose encoding is in the cache, timed; its memory is watched from outside."""

from __future__ import annotations

import logging
import sys
import time
import warnings

import lightning.pytorch as pl
import torch

from benchmarks.reviews import leave
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.settings import DataSettings


def main(file: str, result: str) -> None:
    """Open the cache, split, learn the vocabulary, encode; then train on four fifths for an epoch."""
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    # As in `imdbclf train`.
    torch.set_num_threads(1)
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


if __name__ == "__main__":
    main(*sys.argv[1:])
