"""What a training step costs, counted rather than timed: calls of Python, and no dense batch.

Counts do not depend on the load of the machine. A bound that is exceeded means that every step does more work;
`pytest -s` shows the count.
"""

from __future__ import annotations

import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from model.helpers import quiet_trainer
from torch.profiler import ProfilerActivity, profile

from imdbclf.cli.main import main
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.setting_values import Layout
from imdbclf.settings import DataSettings, FeatureSettings

CALLS_PER_STEP = 2_200
"""Python calls, builtins included, that a step of the training job may take; a tenth above what it takes now."""

FEW, MANY = 50, 150
BATCH = 256
COLUMNS = 10_000


class Calls:
    """How often Python calls something, builtins included, in this thread and in those that it starts."""

    def __init__(self) -> None:
        self.here = self.elsewhere = 0

    def __enter__(self) -> Calls:
        threading.setprofile(self._elsewhere)
        sys.setprofile(self._here)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _here(self, _frame: object, event: str, _about: object) -> None:
        self.here += event in {"call", "c_call"}

    def _elsewhere(self, _frame: object, event: str, _about: object) -> None:
        self.elsewhere += event in {"call", "c_call"}


def calls_of_fit(overrides: list[str], folder: Path, patch: pytest.MonkeyPatch) -> Calls:
    """The calls of the fit of `imdbclf train`, from first to last."""
    calls, fit = Calls(), pl.Trainer.fit

    def watched(*arguments: Any, **settings: Any) -> None:
        with calls:
            fit(*arguments, **settings)

    with patch.context() as patched:
        patched.setattr(pl.Trainer, "fit", watched)
        with pytest.raises(SystemExit) as stop:
            main(["train", *overrides, f"hydra.run.dir={folder}"])
    assert not stop.value.code
    return calls


def test_a_step_of_the_training_job_takes_no_more_calls_than_it_must(
    small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = [*small, "data.batch_size=2", "trainer.max_epochs=1"]
    # The first fit of a process imports and fills caches.
    few, many = [
        calls_of_fit([*overrides, f"trainer.limit_train_batches={steps}"], tmp_path / str(number), monkeypatch)
        for number, steps in enumerate((FEW, FEW, MANY))
    ][1:]
    here, elsewhere = (
        (after - before) / (MANY - FEW) for before, after in ((few.here, many.here), (few.elsewhere, many.elsewhere))
    )
    print(f"{here:.0f} calls a step, and {elsewhere:.0f} in other threads")  # noqa: T201 - to choose the bound
    assert 0 < here + elsewhere <= CALLS_PER_STEP


class Largest(Callback):
    """The largest piece of memory that torch, and the most that Python and NumPy, took within the steps of a fit.

    torch's profiler sees the thread that trains; of what another thread cuts, the batches themselves are looked at.
    Python and NumPy are watched in all threads.
    """

    def __init__(self) -> None:
        self.torch = self.python = self.batch = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        self.profile = profile(activities=[ProfilerActivity.CPU], profile_memory=True)
        tracemalloc.start()
        self.before = tracemalloc.get_traced_memory()[0]
        self.profile.start()

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        strided = [part for part in batch if part is not None and part.layout == torch.strided]
        self.batch = max([self.batch, *(part.untyped_storage().nbytes() for part in strided)])

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        self.profile.stop()
        self.python = tracemalloc.get_traced_memory()[1] - self.before
        tracemalloc.stop()
        events: Any = self.profile.events()  # type: ignore[no-untyped-call]
        assert events
        self.torch = max([self.batch, *(event.self_cpu_memory_usage for event in events)])


def fitted(module: ReviewDataModule) -> Largest:
    """A fit of three steps, watched; one before it does what is done once a process."""
    largest = Largest()
    for callbacks in ([], [largest]):
        made = ReviewClassifier(len(module.vocabulary))
        trainer = quiet_trainer(max_epochs=1, limit_train_batches=3, limit_val_batches=0, callbacks=callbacks)
        trainer.fit(made, module)
    return largest


@pytest.fixture(scope="module")
def wide_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,200 reviews of 100 words each, which take turns through more words than there are columns."""
    path = tmp_path_factory.mktemp("wide") / "train.csv"
    words = [f"word{number}" for number in range(COLUMNS + 2_000)]
    rows = (" ".join(words[(100 * row + place) % len(words)] for place in range(100)) for row in range(1_200))
    lines = (f"{text},{number % 2}\n" for number, text in enumerate(rows))
    path.write_text("text,label\n" + "".join(lines), encoding="utf-8")
    return path


def watched_fit(wide_files: Path, layout: Layout) -> tuple[Largest, int]:
    """What a fit in that layout took, and what a dense batch takes (bytes)."""
    settings = DataSettings(source="files", train=str(wide_files), val_size=200, batch_size=BATCH, layout=layout)
    module = ReviewDataModule(settings, features=FeatureSettings(columns=COLUMNS))
    module.setup()
    assert len(module.vocabulary) == COLUMNS
    return fitted(module), BATCH * COLUMNS * torch.float32.itemsize


def test_sparse_training_never_makes_a_dense_batch(wide_files: Path) -> None:
    largest, dense = watched_fit(wide_files, "csr")
    # The first layer's weights, 16 a column, are the largest tensor there is.
    assert 0 < largest.torch <= 16 * COLUMNS * torch.float32.itemsize < dense
    # A dense batch of bytes would be a quarter as large.
    assert 0 < largest.python < dense // 4


def test_a_dense_batch_would_be_noticed(wide_files: Path) -> None:
    largest, dense = watched_fit(wide_files, "dense")
    assert largest.torch >= dense


def test_a_dense_tensor_within_a_step_would_be_noticed(wide_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = ReviewClassifier.training_step

    def wasteful(made: ReviewClassifier, batch: Any) -> Any:
        batch.features.to_dense().bool().numpy().copy()
        return step(made, batch)

    monkeypatch.setattr(ReviewClassifier, "training_step", wasteful)
    largest, dense = watched_fit(wide_files, "csr")
    assert largest.torch >= dense
    assert largest.python >= dense // 4
