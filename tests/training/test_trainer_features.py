"""Every ordinary feature of Lightning's Trainer keeps its meaning with our batches, in both layouts.

What the Trainer makes of the weights is compared with loops written out here over a twin of the network: torch's own
dense operations, SGD by hand, nothing of ours but the batches.
"""

from __future__ import annotations

import csv
import gc
import math
import threading
from collections.abc import Callable as Function
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    GradientAccumulationScheduler,
    LearningRateMonitor,
    StochasticWeightAveraging,
    Timer,
)
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.profilers import SimpleProfiler
from model.helpers import quiet_trainer
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from imdbclf.data.batches import ReviewBatch
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.settings import DataSettings, FeatureSettings

RATE = 0.5
BATCHES = 7
"""400 reviews in batches of 64: six whole ones, and one of 16. Neither 2 nor 3 divides their number."""

Maker = Function[..., ReviewDataModule]


class Dense(NamedTuple):
    """A batch as the reference sees it: (n, vocabulary) and (n,), dense, its memory its own."""

    features: Tensor
    labels: Tensor


# What the reference knows of our loaders stands in the next three functions and nowhere else.


def told_the_epoch(loader: Any, epoch: int) -> Any:
    """The loader, about to give the batches of that epoch, as Lightning tells it."""
    getattr(loader, "sampler", loader).set_epoch(epoch)
    return loader


def dense(batch: Any) -> Dense:
    """Our batch as a dense one of its own memory, in case that a loader uses memory again."""
    return Dense(batch.features.to_dense().detach().clone(), batch.labels.detach().clone())


def part_of(module: ReviewDataModule, name: str) -> Dense:
    """All reviews of a part, in their own order."""
    matrix, labels = module.prepared.matrices[name], module.prepared.labels[name]
    features = torch.zeros(len(labels), matrix.width)
    for row in range(len(labels)):
        features[row, torch.from_numpy(matrix.row(row)).long()] = 1.0
    return Dense(features, torch.tensor(labels.tolist(), dtype=torch.float32))


def in_batches(reviews: Dense, size: int = 64) -> list[Dense]:
    """Those reviews in batches, in their own order."""
    starts = range(0, len(reviews.labels), size)
    return [Dense(reviews.features[start : start + size], reviews.labels[start : start + size]) for start in starts]


def epoch_of(module: ReviewDataModule, epoch: int = 0) -> list[Dense]:
    """The training batches of an epoch, in its order."""
    return [dense(batch) for batch in told_the_epoch(module.train_dataloader(), epoch)]


def epochs_of(module: ReviewDataModule, count: int) -> list[list[Dense]]:
    """The training batches of the first epochs."""
    return [epoch_of(module, epoch) for epoch in range(count)]


class Twin(nn.Module):
    """The same network with the same weights, from torch's own dense operations."""

    def __init__(self, made: ReviewClassifier) -> None:
        super().__init__()
        self.weights = nn.ParameterList([weight.detach().clone() for weight in made.parameters()])

    def forward(self, features: Tensor) -> Tensor:
        """Logits (n,)."""
        first, bias, *others = self.weights
        hidden: Tensor = features @ first + bias
        for weight, shift in zip(others[::2], others[1::2], strict=True):
            hidden = functional.linear(torch.relu(hidden), weight, shift)
        return hidden.squeeze(1)

    def loss(self, batch: Dense) -> Tensor:
        """Mean binary cross-entropy."""
        return functional.binary_cross_entropy_with_logits(self(batch.features), batch.labels)

    def backward(self, batch: Dense, share: float = 1.0) -> float:
        """Add the gradient of a share of the loss to what the weights hold; returns the whole loss."""
        loss = self.loss(batch)
        (loss * share).backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def step(self, rate: float = RATE) -> None:
        """Go down the gradient, and forget it."""
        with torch.no_grad():
            for weight in self.parameters():
                assert weight.grad is not None
                weight.sub_(rate * weight.grad)
        self.zero_grad()


def vector(module: nn.Module) -> Tensor:
    """All weights in a row."""
    return nn.utils.parameters_to_vector(module.parameters()).detach().clone()


def gradient(module: nn.Module) -> Tensor:
    """All gradients in a row; none may be missing, and that of the first layer may have only the rows of a batch."""
    found = [weight.grad for weight in module.parameters()]
    assert all(one is not None for one in found)
    assert all(one is not None and one.layout == torch.strided for one in found[1:])
    return torch.cat([one.detach().to_dense().flatten() for one in found if one is not None])


def by_hand(
    made: ReviewClassifier,
    epochs: Sequence[Sequence[Dense]],
    accumulate: int = 1,
    clip: Function[[Iterable[nn.Parameter]], object] | None = None,
) -> Twin:
    """The network after those epochs of SGD: a step every `accumulate` batches and at the end of an epoch."""
    twin = Twin(made)
    for batches in epochs:
        for number, batch in enumerate(batches, start=1):
            twin.backward(batch, 1 / accumulate)
            if number % accumulate == 0 or number == len(batches):
                if clip is not None:
                    clip(twin.parameters())
                twin.step()
    return twin


def classifier(module: ReviewDataModule, seed: int = 0, **settings: Any) -> ReviewClassifier:
    torch.manual_seed(seed)
    chosen = {"widths": [4, 3], "optimizer": {"name": "sgd", "lr": RATE}} | settings
    return ReviewClassifier(len(module.vocabulary), **chosen)


def assert_fitted_as(made: nn.Module, expected: nn.Module) -> None:
    torch.testing.assert_close(vector(made), vector(expected))


def accuracy(logits: Tensor, labels: Tensor) -> float:
    return ((logits > 0) == (labels > 0.5)).float().mean().item()


def figures_of(made: ReviewClassifier, stage: str, reviews: Dense) -> dict[str, Any]:
    """Loss and accuracy over those reviews at once."""
    twin = Twin(made)
    return {
        f"{stage}/loss": pytest.approx(twin.loss(reviews).item(), abs=1e-6),
        f"{stage}/accuracy": pytest.approx(accuracy(twin(reviews.features), reviews.labels)),
    }


def numbers(metrics: Any) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}


@pytest.fixture(scope="session")
def make_module(small_files: dict[str, Path]) -> Maker:
    """Makes a data module of the small reviews: 400 training, 200 validation, 200 test reviews, 500 columns."""

    def make(layout: str = "csr", **settings: Any) -> ReviewDataModule:
        chosen: dict[str, Any] = {part: str(path) for part, path in small_files.items()}
        chosen |= {"source": "files", "val_size": 200, "batch_size": 64, "layout": layout}
        module = ReviewDataModule(DataSettings(**chosen | settings), features=FeatureSettings(columns=500))
        module.prepare_data()
        module.setup()
        return module

    return make


@pytest.fixture(params=["csr", "dense"])
def module(request: pytest.FixtureRequest, make_module: Maker) -> ReviewDataModule:
    """The small reviews, in each layout."""
    return make_module(request.param)


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch, module: ReviewDataModule) -> ReviewDataModule:
    """The small reviews, evaluated in batches of 64 rather than all at once."""
    monkeypatch.setattr("imdbclf.data.datamodule.EVALUATION_BATCH", 64)
    return module


class Steps(Callback):
    """Notes, for each training batch, its epoch and its reviews."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, Dense]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        self.batches.append((trainer.current_epoch, dense(batch)))


def assert_seen(steps: Steps, expected: Sequence[Sequence[Dense]]) -> None:
    assert [epoch for epoch, _ in steps.batches] == [epoch for epoch, batches in enumerate(expected) for _ in batches]
    for (_, seen), wanted in zip(steps.batches, [batch for batches in expected for batch in batches], strict=True):
        assert torch.equal(seen.features, wanted.features)
        assert torch.equal(seen.labels, wanted.labels)


# Batches, and what a step makes of them


def test_the_reference_itself_sees_seven_batches_of_another_order_in_each_epoch(module: ReviewDataModule) -> None:
    first, second = epochs_of(module, 2)
    assert [len(batch.labels) for batch in first] == [64] * 6 + [16]
    rows = [sorted(torch.cat([batch.features for batch in epoch]).sum(1).tolist()) for epoch in (first, second)]
    assert rows[0] == rows[1] == sorted(part_of(module, "train").features.sum(1).tolist())
    assert not torch.equal(first[0].features, second[0].features)


def test_a_fit_is_plain_gradient_descent_over_the_epochs_batches(module: ReviewDataModule) -> None:
    made, steps = classifier(module), Steps()
    expected = by_hand(made, epochs_of(module, 3))
    quiet_trainer(max_epochs=3, callbacks=[steps]).fit(made, datamodule=module)
    assert_fitted_as(made, expected)
    assert_seen(steps, epochs_of(module, 3))


@pytest.mark.parametrize("accumulate", [2, 3, 7, 10])
def test_gradients_accumulate_over_batches_and_the_rest_of_an_epoch_is_a_step_of_its_own(
    module: ReviewDataModule, accumulate: int
) -> None:
    made = classifier(module)
    expected, plain = (by_hand(made, epochs_of(module, 2), k) for k in (accumulate, 1))
    trainer = quiet_trainer(max_epochs=2, accumulate_grad_batches=accumulate)
    trainer.fit(made, datamodule=module)
    assert trainer.global_step == 2 * math.ceil(BATCHES / accumulate)
    assert_fitted_as(made, expected)
    assert not torch.allclose(vector(expected), vector(plain))


def test_a_schedule_of_accumulation_is_followed(module: ReviewDataModule) -> None:
    made = classifier(module)
    trainer = quiet_trainer(max_epochs=2, callbacks=[GradientAccumulationScheduler(scheduling={0: 1, 1: 3})])
    expected = by_hand(made, [epoch_of(module, 0)])
    for start in (0, 3, 6):
        for batch in epoch_of(module, 1)[start : start + 3]:
            expected.backward(batch, 1 / 3)
        expected.step()
    trainer.fit(made, datamodule=module)
    assert trainer.global_step == 7 + 3
    assert_fitted_as(made, expected)


def norm_of(limit: float) -> Function[[Iterable[nn.Parameter]], object]:
    return lambda weights: nn.utils.clip_grad_norm_(weights, limit)


def value_of(limit: float) -> Function[[Iterable[nn.Parameter]], object]:
    return lambda weights: nn.utils.clip_grad_value_(weights, limit)


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize(
    ("clip", "settings"),
    [
        (norm_of(0.05), {"gradient_clip_val": 0.05}),
        (norm_of(0.05), {"gradient_clip_val": 0.05, "gradient_clip_algorithm": "norm"}),
        (value_of(0.002), {"gradient_clip_val": 0.002, "gradient_clip_algorithm": "value"}),
    ],
    ids=["default", "norm", "value"],
)
def test_gradients_are_clipped_over_all_weights_the_first_layers_included(
    module: ReviewDataModule,
    clip: Function[[Iterable[nn.Parameter]], object],
    settings: dict[str, Any],
    accumulate: int,
) -> None:
    made = classifier(module)
    expected = by_hand(made, epochs_of(module, 2), accumulate, clip)
    plain = by_hand(made, epochs_of(module, 2), accumulate)
    quiet_trainer(max_epochs=2, accumulate_grad_batches=accumulate, **settings).fit(made, datamodule=module)
    assert_fitted_as(made, expected)
    assert not torch.allclose(vector(expected), vector(plain))


@pytest.mark.parametrize(("limit", "count"), [(3, 3), (0.5, 3), (1, 1), (1.0, 7), (100, 7)], ids=str)
def test_limited_training_takes_the_first_batches_of_each_epochs_order(
    module: ReviewDataModule, limit: float, count: int
) -> None:
    made, steps = classifier(module), Steps()
    epochs = [batches[:count] for batches in epochs_of(module, 2)]
    expected = by_hand(made, epochs)
    trainer = quiet_trainer(max_epochs=2, limit_train_batches=limit, callbacks=[steps])
    trainer.fit(made, datamodule=module)
    assert trainer.global_step == 2 * count
    assert_seen(steps, epochs)
    assert_fitted_as(made, expected)


@pytest.mark.parametrize(("limit", "count"), [(2, 128), (0.5, 128), (1.0, 200), (100, 200)], ids=str)
def test_limited_validation_takes_the_first_batches(in_parts: ReviewDataModule, limit: float, count: int) -> None:
    made, trainer = classifier(in_parts), quiet_trainer(max_epochs=1, limit_val_batches=limit)
    trainer.fit(made, datamodule=in_parts)
    found = {name: value for name, value in numbers(trainer.callback_metrics).items() if name.startswith("val/")}
    first = Dense(*(column[:count] for column in part_of(in_parts, "val")))
    assert found == figures_of(made, "val", first)


@pytest.mark.parametrize("limit", [0, 0.0], ids=str)
def test_validation_limited_to_nothing_is_none(module: ReviewDataModule, limit: float) -> None:
    made, trainer = classifier(module), quiet_trainer(max_epochs=1, limit_val_batches=limit)
    trainer.fit(made, datamodule=module)
    assert set(trainer.callback_metrics) == {"train/loss", "train/accuracy"}


@pytest.mark.parametrize("kind", ["test", "predict"])
def test_limited_testing_and_predicting_take_the_first_batches(in_parts: ReviewDataModule, kind: str) -> None:
    made = classifier(in_parts)
    trainer = quiet_trainer(**{f"limit_{kind}_batches": 2})
    first = Dense(*(column[:128] for column in part_of(in_parts, "test")))
    if kind == "test":
        (found,) = trainer.test(made, datamodule=in_parts, verbose=False)
        assert numbers(found) == figures_of(made, "test", first)
    else:
        torch.testing.assert_close(
            predicted(trainer, made, in_parts), torch.sigmoid(Twin(made)(first.features)).detach()
        )


# Lightning says that it turns shuffling off, as it should.
@pytest.mark.filterwarnings("ignore:You requested to overfit but enabled")
def test_overfitting_on_purpose_sees_the_same_batches_in_every_epoch(module: ReviewDataModule) -> None:
    made, steps = classifier(module), Steps()
    trainer = quiet_trainer(max_epochs=3, overfit_batches=2, callbacks=[steps], limit_val_batches=0)
    first = Twin(made)
    trainer.fit(made, module)
    batches = [batch for _, batch in steps.batches]
    assert [len(batch.labels) for batch in batches] == [64, 64] * 3
    for number, batch in enumerate(batches):
        assert torch.equal(batch.features, batches[number % 2].features)
        first.backward(batch)
        first.step()
    assert_fitted_as(made, first)


@pytest.mark.filterwarnings("ignore:You requested to overfit but enabled")
def test_overfitting_on_purpose_does_not_shuffle(module: ReviewDataModule) -> None:
    made, steps = classifier(module), Steps()
    trainer = quiet_trainer(max_epochs=2, overfit_batches=2, callbacks=[steps], limit_val_batches=0)
    trainer.fit(made, module)
    own = in_batches(part_of(module, "train"))[:2]
    assert_seen(steps, [own, own])


# How long, and how often


@pytest.mark.parametrize("count", [1, 7, 10, 14])
def test_a_fit_ends_after_max_steps_in_the_midst_of_an_epoch_too(module: ReviewDataModule, count: int) -> None:
    made = classifier(module)
    first, second = epochs_of(module, 2)
    expected = by_hand(made, [first[:count], second[: max(count - 7, 0)]])
    trainer = quiet_trainer(max_steps=count, max_epochs=-1)
    trainer.fit(made, datamodule=module)
    assert trainer.global_step == count
    assert_fitted_as(made, expected)


def test_a_fit_ends_when_its_time_is_up(module: ReviewDataModule) -> None:
    timer = Timer(duration=timedelta(milliseconds=200), interval="step")
    trainer = quiet_trainer(max_epochs=100_000, callbacks=[timer], limit_val_batches=0)
    trainer.fit(classifier(module), datamodule=module)
    assert timer.time_elapsed("train") >= 0.2
    assert 0 < trainer.global_step < 100_000


def test_a_time_that_the_trainer_is_given_ends_a_fit(module: ReviewDataModule) -> None:
    trainer = quiet_trainer(max_epochs=100_000, max_time={"seconds": 0}, limit_val_batches=0)
    trainer.fit(classifier(module), datamodule=module)
    assert trainer.global_step <= BATCHES


class Never(EarlyStopping):
    """Finds every epoch after the first no better."""

    def __init__(self, patience: int) -> None:
        super().__init__(monitor="val/loss", min_delta=1e6, patience=patience)


def test_early_stopping_ends_a_fit_when_its_patience_is_spent(module: ReviewDataModule) -> None:
    made = classifier(module)
    expected = by_hand(made, epochs_of(module, 3))
    trainer = quiet_trainer(max_epochs=9, callbacks=[stop := Never(patience=2)])
    trainer.fit(made, datamodule=module)
    assert (trainer.current_epoch, trainer.global_step, stop.stopped_epoch) == (3, 21, 2)
    assert_fitted_as(made, expected)


def test_early_stopping_waits_for_min_epochs(module: ReviewDataModule) -> None:
    trainer = quiet_trainer(max_epochs=9, min_epochs=4, callbacks=[Never(patience=1)])
    trainer.fit(classifier(module), datamodule=module)
    assert (trainer.current_epoch, trainer.global_step) == (4, 28)


def test_early_stopping_sees_the_training_loss_too(module: ReviewDataModule) -> None:
    made = classifier(module)
    stop = EarlyStopping(monitor="train/loss", stopping_threshold=0.5, patience=100, check_on_train_epoch_end=True)
    trainer = quiet_trainer(max_epochs=200, callbacks=[stop])
    trainer.fit(made, datamodule=module)
    losses: list[float] = []
    twin = Twin(classifier(module))
    while not losses or losses[-1] >= 0.5:
        batches = epoch_of(module, len(losses))
        total = 0.0
        for batch in batches:
            total += twin.backward(batch) * len(batch.labels)
            twin.step()
        losses.append(total / 400)
    assert trainer.current_epoch == len(losses)
    assert trainer.callback_metrics["train/loss"].item() == pytest.approx(losses[-1], abs=1e-5)


class Validations(Callback):
    """Notes after how many steps each validation was, and its figures beside those by hand."""

    def __init__(self, module: ReviewDataModule) -> None:
        self.reviews = part_of(module, "val")
        self.steps: list[int] = []

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        if trainer.sanity_checking:
            return
        self.steps.append(trainer.global_step)
        found = {name: value for name, value in numbers(trainer.callback_metrics).items() if name.startswith("val/")}
        assert found == figures_of(pl_module, "val", self.reviews)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({}, [7, 14, 21, 28]),
        ({"check_val_every_n_epoch": 2}, [14, 28]),
        ({"check_val_every_n_epoch": 3}, [21]),
        ({"val_check_interval": 0.5}, [3, 6, 10, 13, 17, 20, 24, 27]),
        ({"val_check_interval": 3}, [3, 6, 10, 13, 17, 20, 24, 27]),
        ({"val_check_interval": 7}, [7, 14, 21, 28]),
        ({"val_check_interval": 5, "check_val_every_n_epoch": None}, [5, 10, 15, 20, 25]),
        ({"val_check_interval": 3, "check_val_every_n_epoch": 2}, [10, 13, 24, 27]),
    ],
    ids=str,
)
def test_validation_comes_as_often_as_is_wanted_and_changes_nothing(
    module: ReviewDataModule, settings: dict[str, Any], steps: list[int]
) -> None:
    made, seen = classifier(module), Validations(module)
    expected = by_hand(made, epochs_of(module, 4))
    trainer = quiet_trainer(max_epochs=4, callbacks=[seen], **settings)
    trainer.fit(made, datamodule=module)
    assert seen.steps == steps
    assert_fitted_as(made, expected)


def test_a_validation_in_the_midst_of_an_epoch_leaves_the_training_figures_alone(module: ReviewDataModule) -> None:
    found = []
    for settings in ({}, {"val_check_interval": 2}):
        trainer = quiet_trainer(max_epochs=2, **settings)
        trainer.fit(classifier(module), datamodule=module)
        found.append(numbers({name: trainer.callback_metrics[name] for name in ("train/loss", "train/accuracy")}))
    assert found[0] == found[1]


def test_a_sanity_check_changes_neither_weights_nor_figures(module: ReviewDataModule) -> None:
    found = []
    for count in (0, 2):
        made, trainer = classifier(module), quiet_trainer(max_epochs=1, num_sanity_val_steps=count)
        trainer.fit(made, datamodule=module)
        found.append((vector(made).tolist(), numbers(trainer.callback_metrics)))
    assert found[0] == found[1]


@pytest.mark.parametrize(("run", "count"), [(True, 1), (3, 3)], ids=str)
def test_a_fast_dev_run_takes_that_many_batches(module: ReviewDataModule, run: bool | int, count: int) -> None:
    made, seen = classifier(module), Validations(module)
    expected = by_hand(made, [epoch_of(module)[:count]])
    trainer = quiet_trainer(fast_dev_run=run, callbacks=[seen])
    trainer.fit(made, datamodule=module)
    assert (trainer.global_step, seen.steps) == (count, [count])
    assert_fitted_as(made, expected)


# Callbacks


class Watcher(Callback):
    """Notes the hooks in their order; checks what each finds against the twin."""

    def __init__(self, module: ReviewDataModule) -> None:
        self.module = module
        self.events: list[tuple[str, int]] = []
        self.batch: Dense | None = None
        self.twin: Twin | None = None

    def expected(self, made: Any) -> tuple[float, Tensor]:
        """The loss of the present batch with the present weights, and its gradient."""
        assert self.batch is not None
        self.twin = Twin(made)
        loss = self.twin.backward(self.batch)
        return loss, gradient(self.twin)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.events.append(("start", batch_idx))
        self.batch = dense(batch)
        wanted = epoch_of(self.module, trainer.current_epoch)[batch_idx]
        assert torch.equal(self.batch.features, wanted.features)
        assert torch.equal(self.batch.labels, wanted.labels)
        assert all(weight.requires_grad for weight in pl_module.parameters())

    def on_before_backward(self, trainer: pl.Trainer, pl_module: Any, loss: Tensor) -> None:
        self.events.append(("before backward", trainer.global_step % BATCHES))
        assert loss.item() == pytest.approx(self.expected(pl_module)[0], abs=1e-6)

    def on_after_backward(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.events.append(("after backward", trainer.global_step % BATCHES))
        torch.testing.assert_close(gradient(pl_module), self.expected(pl_module)[1])

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: Any, optimizer: Any) -> None:
        self.events.append(("before step", trainer.global_step % BATCHES))
        assert {id(weight) for group in optimizer.param_groups for weight in group["params"]} == {
            id(weight) for weight in pl_module.parameters()
        }
        torch.testing.assert_close(gradient(pl_module), self.expected(pl_module)[1])

    def on_before_zero_grad(self, trainer: pl.Trainer, pl_module: Any, optimizer: Any) -> None:  # noqa: ARG002
        self.events.append(("before zero", trainer.global_step % BATCHES))

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.events.append(("end", batch_idx))
        assert self.batch is not None
        assert self.twin is not None
        assert torch.equal(dense(batch).features, self.batch.features)
        assert outputs["loss"].item() == pytest.approx(self.twin.loss(self.batch).item(), abs=1e-6)
        assert trainer.global_step == trainer.current_epoch * BATCHES + batch_idx + 1
        self.twin.step()
        torch.testing.assert_close(vector(pl_module), vector(self.twin))


def test_every_hook_of_a_step_is_called_once_with_its_batch_and_its_gradients(module: ReviewDataModule) -> None:
    watcher = Watcher(module)
    quiet_trainer(max_epochs=2, callbacks=[watcher], limit_val_batches=0).fit(classifier(module), datamodule=module)
    hooks = ("start", "before zero", "before backward", "after backward", "before step", "end")
    found = [[hook for hook, number in watcher.events if number == step] for step in range(BATCHES)]
    assert [sorted(events) for events in found] == [sorted(2 * hooks)] * BATCHES
    assert [hook for hook, _ in watcher.events if hook != "before zero"] == [
        hook for hook in hooks if hook != "before zero"
    ] * (2 * BATCHES)


class EpochEnds(Callback):
    """Notes what there is at the end of each epoch."""

    def __init__(self, module: ReviewDataModule) -> None:
        self.reviews = part_of(module, "val")
        self.val: list[dict[str, float]] = []
        self.train: list[float] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        found = {name: trainer.callback_metrics[name] for name in ("val/loss", "val/accuracy")}
        self.val.append(numbers(found))
        assert self.val[-1] == figures_of(pl_module, "val", self.reviews)
        # Lightning lets callbacks speak before the module hands over its own figures.
        self.train.append(pl_module.epoch_means("train")["train/loss"].item())


def test_at_an_epochs_end_a_callback_finds_the_validation_and_training_figures_of_that_epoch(
    module: ReviewDataModule,
) -> None:
    made, ends = classifier(module), EpochEnds(module)
    twin = Twin(made)
    losses = []
    for batches in epochs_of(module, 3):
        total = 0.0
        for batch in batches:
            total += twin.backward(batch) * len(batch.labels)
            twin.step()
        losses.append(total / 400)
    quiet_trainer(max_epochs=3, callbacks=[ends]).fit(made, datamodule=module)
    assert ends.train == [pytest.approx(loss, abs=1e-6) for loss in losses]
    assert len({figures["val/loss"] for figures in ends.val}) == 3


class Skipping(ReviewClassifier):
    """Has enough of every epoch after two batches."""

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> int | None:  # noqa: ARG002
        return -1 if batch_idx == 2 else None


def test_a_model_can_skip_the_rest_of_an_epoch(module: ReviewDataModule) -> None:
    torch.manual_seed(0)
    made = Skipping(len(module.vocabulary), [4, 3], optimizer={"name": "sgd", "lr": RATE})
    expected = by_hand(made, [batches[:2] for batches in epochs_of(module, 3)])
    trainer = quiet_trainer(max_epochs=3, limit_val_batches=0)
    trainer.fit(made, datamodule=module)
    assert trainer.global_step == 6
    assert_fitted_as(made, expected)


class Enough(Callback):
    """Asks for the end during the third batch of the second epoch."""

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        trainer.should_stop = trainer.global_step == 10


def test_a_callback_can_stop_a_fit_in_the_midst_of_an_epoch(module: ReviewDataModule) -> None:
    made = classifier(module)
    first, second = epochs_of(module, 2)
    expected = by_hand(made, [first, second[:3]])
    trainer = quiet_trainer(max_epochs=5, callbacks=[Enough()], limit_val_batches=0)
    trainer.fit(made, datamodule=module)
    assert trainer.global_step == 10
    assert_fitted_as(made, expected)


class Scheduled(ReviewClassifier):
    """Halves the learning rate after every step."""

    def configure_optimizers(self) -> Any:
        optimizer = super().configure_optimizers()
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def test_a_schedule_of_the_learning_rate_is_followed_and_can_be_watched(
    module: ReviewDataModule, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    made = Scheduled(len(module.vocabulary), [4, 3], optimizer={"name": "sgd", "lr": RATE})
    twin, rates = Twin(made), [RATE * 0.5**step for step in range(2 * BATCHES)]
    for batch, rate in zip([batch for epoch in epochs_of(module, 2) for batch in epoch], rates, strict=True):
        twin.backward(batch)
        twin.step(rate)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=CSVLogger(tmp_path),
        log_every_n_steps=1,
        callbacks=[LearningRateMonitor(logging_interval="step")],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(made, datamodule=module)
    assert_fitted_as(made, twin)
    (path,) = tmp_path.rglob("metrics.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["lr-SGD"]) for row in rows if row["lr-SGD"]] == pytest.approx(rates)
    assert len([row for row in rows if row["train/loss"]]) == len([row for row in rows if row["val/loss"]]) == 2


class EpochStarts(Callback):
    """Notes the weights at the start of each epoch."""

    def __init__(self) -> None:
        self.weights: list[Tensor] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        self.weights.append(vector(pl_module))


def test_stochastic_weight_averaging_ends_with_the_mean_of_the_last_epochs_weights(module: ReviewDataModule) -> None:
    made, starts = classifier(module), EpochStarts()
    expected = by_hand(made, epochs_of(module, 2))
    averaging = StochasticWeightAveraging(swa_lrs=0.1, swa_epoch_start=3, annealing_epochs=1)
    trainer = quiet_trainer(max_epochs=5, callbacks=[starts, averaging], limit_val_batches=0)
    trainer.fit(made, datamodule=module)
    torch.testing.assert_close(starts.weights[2], vector(expected))
    torch.testing.assert_close(vector(made), torch.stack(starts.weights[2:5]).mean(0))
    assert not torch.allclose(vector(made), starts.weights[4])


# Precision, debugging, profiling


def test_mixed_half_precision_has_finite_losses_near_those_of_single_precision(module: ReviewDataModule) -> None:
    found = []
    for precision in ("bf16-mixed", "32-true"):
        made = classifier(module, widths=[16, 16], optimizer={"name": "rmsprop"})
        trainer = quiet_trainer(max_epochs=3, precision=precision)
        trainer.fit(made, datamodule=module)
        assert all(weight.dtype == torch.float32 for weight in made.parameters())
        found.append(numbers(trainer.callback_metrics))
    assert all(math.isfinite(value) for value in found[0].values())
    for name in ("train/loss", "val/loss"):
        assert found[0][name] == pytest.approx(found[1][name], abs=0.003)
    assert found[0] != found[1]


def test_double_precision_agrees_with_single_precision(module: ReviewDataModule) -> None:
    single, double = classifier(module), classifier(module)
    expected = by_hand(single, epochs_of(module, 3))
    losses = []
    for made, precision in ((single, "32-true"), (double, "64-true")):
        trainer = quiet_trainer(max_epochs=3, precision=precision)
        trainer.fit(made, datamodule=module)
        losses.append(numbers(trainer.callback_metrics))
    assert vector(double).dtype == torch.float64
    torch.testing.assert_close(vector(double).float(), vector(single), rtol=0, atol=1e-5)
    torch.testing.assert_close(vector(double).float(), vector(expected), rtol=0, atol=1e-5)
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert not torch.equal(vector(double).float().double(), vector(double))


@pytest.fixture
def _as_torch_was() -> Iterator[None]:
    """What `deterministic=True` sets for the process is unset again."""
    yield
    torch.use_deterministic_algorithms(mode=False)


@pytest.mark.usefixtures("_as_torch_was")
# torch says once a process that anomaly detection is slow.
@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.parametrize("settings", [{"detect_anomaly": True}, {"deterministic": True}, {"benchmark": True}], ids=str)
def test_debugging_settings_change_no_weight(module: ReviewDataModule, settings: dict[str, Any]) -> None:
    made = classifier(module)
    expected = by_hand(made, epochs_of(module, 2))
    quiet_trainer(max_epochs=2, **settings).fit(made, datamodule=module)
    assert_fitted_as(made, expected)


class Poisoned(Callback):
    """Spoils a weight before the third step."""

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        if batch_idx == 2:
            with torch.no_grad():
                next(iter(pl_module.network.rest.parameters())).fill_(math.inf)


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
# torch names the guilty forward pass in a warning.
@pytest.mark.filterwarnings("ignore:Error detected in")
def test_anomaly_detection_finds_a_gradient_that_is_no_number(module: ReviewDataModule) -> None:
    trainer = quiet_trainer(max_epochs=1, detect_anomaly=True, callbacks=[Poisoned()])
    with pytest.raises(RuntimeError, match="returned nan values"):
        trainer.fit(classifier(module), datamodule=module)
    assert trainer.global_step == 2


def test_the_profiler_counts_every_step_and_its_parts(module: ReviewDataModule) -> None:
    made, profiler = classifier(module), SimpleProfiler()
    expected = by_hand(made, epochs_of(module, 2))
    quiet_trainer(max_epochs=2, profiler=profiler).fit(made, datamodule=module)
    assert_fitted_as(made, expected)
    counts = {action: len(durations) for action, durations in profiler.recorded_durations.items()}
    assert counts["run_training_batch"] == 2 * BATCHES
    assert counts["run_training_epoch"] == 2
    for part in ("training_step", "backward", "optimizer_step"):
        assert sum(count for action, count in counts.items() if action.endswith(part)) >= 2 * BATCHES


def test_the_trainer_takes_the_profiler_by_name(module: ReviewDataModule) -> None:
    made = classifier(module)
    expected = by_hand(made, [epoch_of(module)])
    quiet_trainer(max_epochs=1, profiler="simple").fit(made, datamodule=module)
    assert_fitted_as(made, expected)


# Loaders, resuming, evaluation


@pytest.mark.parametrize("every", [1, 2])
def test_loaders_made_anew_between_epochs_give_the_same_batches(module: ReviewDataModule, every: int) -> None:
    made, steps, seen = classifier(module), Steps(), Validations(module)
    expected = by_hand(made, epochs_of(module, 4))
    trainer = quiet_trainer(max_epochs=4, reload_dataloaders_every_n_epochs=every, callbacks=[steps, seen])
    trainer.fit(made, datamodule=module)
    assert_seen(steps, epochs_of(module, 4))
    assert seen.steps == [7, 14, 21, 28]
    assert_fitted_as(made, expected)


def test_a_second_fit_with_the_same_data_module_begins_anew(module: ReviewDataModule) -> None:
    found = []
    for _ in range(2):
        made = classifier(module)
        quiet_trainer(max_epochs=2).fit(made, datamodule=module)
        found.append(vector(made))
    assert torch.equal(*found)


def test_one_loader_serves_two_fits(module: ReviewDataModule) -> None:
    loader, found = module.train_dataloader(), []
    for _ in range(2):
        made = classifier(module)
        quiet_trainer(max_epochs=2).fit(made, loader)
        found.append(vector(made))
    assert torch.equal(*found)


# Lightning reminds whoever resumes that callbacks without a state are not restored.
@pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`")
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
@pytest.mark.parametrize("reload", [0, 1])
def test_a_resumed_run_equals_the_uninterrupted_one(
    module: ReviewDataModule, tmp_path: Path, optimizer: str, reload: int
) -> None:
    settings: dict[str, Any] = {"optimizer": {"name": optimizer, "lr": 0.05}}
    straight = classifier(module, **settings)
    steps = Steps()
    quiet_trainer(max_epochs=4, callbacks=[steps]).fit(straight, datamodule=module)
    first = quiet_trainer(max_epochs=2, reload_dataloaders_every_n_epochs=reload)
    first.fit(half := classifier(module, **settings), datamodule=module)
    first.save_checkpoint(tmp_path / "half.ckpt")
    resumed, rest = classifier(module, seed=99, **settings), Steps()
    second = quiet_trainer(max_epochs=4, callbacks=[rest], reload_dataloaders_every_n_epochs=reload)
    second.fit(resumed, datamodule=module, ckpt_path=tmp_path / "half.ckpt")
    assert torch.equal(vector(resumed), vector(straight))
    assert not torch.equal(vector(half), vector(straight))
    assert [epoch for epoch, _ in rest.batches] == [2] * BATCHES + [3] * BATCHES
    for (_, seen), (_, wanted) in zip(rest.batches, steps.batches[2 * BATCHES :], strict=True):
        assert torch.equal(seen.features, wanted.features)


def predicted(trainer: pl.Trainer, made: pl.LightningModule, module: ReviewDataModule) -> Tensor:
    """The predictions of all batches, one after the other."""
    batches = trainer.predict(made, datamodule=module)
    assert batches is not None
    return torch.cat([batch for batch in batches if isinstance(batch, Tensor)])


@pytest.mark.parametrize("size", [64, 4096])
def test_validating_testing_and_predicting_give_the_figures_by_hand(
    module: ReviewDataModule, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("imdbclf.data.datamodule.EVALUATION_BATCH", size)
    made, trainer = classifier(module), quiet_trainer(max_epochs=3)
    trainer.fit(made, datamodule=module)
    val, test = part_of(module, "val"), part_of(module, "test")
    (validated,) = trainer.validate(made, datamodule=module, verbose=False)
    assert numbers(validated) == figures_of(made, "val", val)
    (tested,) = trainer.test(made, datamodule=module, verbose=False)
    assert numbers(tested) == figures_of(made, "test", test)
    torch.testing.assert_close(predicted(trainer, made, module), torch.sigmoid(Twin(made)(test.features)).detach())


def test_both_layouts_give_the_same_weights_and_figures_to_rounding(make_module: Maker) -> None:
    found = []
    for layout in ("csr", "dense"):
        module = make_module(layout)
        made, trainer = classifier(module, optimizer={"name": "rmsprop"}), quiet_trainer(max_epochs=3)
        trainer.fit(made, datamodule=module)
        (tested,) = trainer.test(made, datamodule=module, verbose=False)
        found.append((vector(made), numbers(tested)))
    # RMSprop divides by the root of a mean square that may be tiny, so rounding comes out a little larger.
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-4, atol=1e-4)
    assert found[0][1] == pytest.approx(found[1][1], abs=1e-4)


# What people bring along


class Logistic(pl.LightningModule):
    """Somebody's own model: logistic regression on dense rows, its figures logged step by step."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, 1)
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def loss(self, batch: ReviewBatch) -> Tensor:
        logits = self.layer(batch.features.to_dense()).squeeze(1)
        return functional.binary_cross_entropy_with_logits(logits, batch.labels)

    def training_step(self, batch: ReviewBatch) -> Tensor:
        loss = self.loss(batch)
        self.log("mine", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: ReviewBatch) -> None:
        self.log("val_mine", self.loss(batch))

    def predict_step(self, batch: ReviewBatch) -> Tensor:
        return torch.sigmoid(self.layer(batch.features.to_dense()).squeeze(1))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=RATE)


class ByHand(Logistic):
    """The same model that steps by itself, as Lightning's manual optimization has it."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.automatic_optimization = False

    def training_step(self, batch: ReviewBatch) -> Tensor:
        optimizer: Any = self.optimizers()
        loss = super().training_step(batch)
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss


def logistic_by_hand(module: ReviewDataModule, epochs: int) -> tuple[Tensor, Tensor, float]:
    """Weights (v,), bias and the last epoch's mean loss of logistic regression by SGD, its gradient from the book."""
    weight, bias, mean = torch.zeros(len(module.vocabulary)), torch.zeros(1), 0.0
    for batches in epochs_of(module, epochs):
        total = 0.0
        for features, labels in batches:
            chance = torch.sigmoid(features @ weight + bias)
            total += functional.binary_cross_entropy(chance, labels, reduction="sum").item()
            error = (chance - labels) / len(labels)
            weight, bias = weight - RATE * (error @ features), bias - RATE * error.sum()
        mean = total / 400
    return weight, bias, mean


# Lightning guesses how many reviews a logged mean is of, and our batches hold a transpose of another length; it takes
# the first tensor's, which is right.
@pytest.mark.filterwarnings("ignore:Trying to infer the `batch_size` from an ambiguous collection")
@pytest.mark.parametrize("kind", [Logistic, ByHand])
def test_a_model_of_ones_own_learns_from_the_data_module(module: ReviewDataModule, kind: type[Logistic]) -> None:
    made, trainer = kind(len(module.vocabulary)), quiet_trainer(max_epochs=2)
    weight, bias, mean = logistic_by_hand(module, 2)
    trainer.fit(made, datamodule=module)
    torch.testing.assert_close(made.layer.weight.detach().squeeze(0), weight)
    torch.testing.assert_close(made.layer.bias.detach(), bias)
    assert trainer.callback_metrics["mine"].item() == pytest.approx(mean, abs=1e-5)
    val, test = part_of(module, "val"), part_of(module, "test")
    expected = functional.binary_cross_entropy_with_logits(val.features @ weight + bias, val.labels).item()
    assert trainer.callback_metrics["val_mine"].item() == pytest.approx(expected, abs=1e-5)
    torch.testing.assert_close(predicted(trainer, made, module), torch.sigmoid(test.features @ weight + bias))


def own_loader(reviews: Dense) -> DataLoader[Any]:
    """A plain loader of dense batches, as anybody would write it."""

    def collate(rows: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, None]:
        features, labels = zip(*rows, strict=True)
        return torch.stack(features), torch.stack(labels), None

    return DataLoader(TensorDataset(*reviews), batch_size=64, collate_fn=collate)


class OwnIterable:
    """The same batches from a class that can be gone through, and no more."""

    def __init__(self, reviews: Dense) -> None:
        self.reviews = reviews

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, None]]:
        for features, labels in in_batches(self.reviews):
            yield features, labels, None


@pytest.mark.parametrize("wrap", [own_loader, OwnIterable])
def test_a_loader_of_ones_own_teaches_the_classifier(make_module: Maker, wrap: Function[[Dense], Any]) -> None:
    module = make_module()
    train, val = part_of(module, "train"), part_of(module, "val")
    batches = in_batches(train)
    made, trainer = classifier(module), quiet_trainer(max_epochs=2)
    expected = by_hand(made, [batches, batches])
    trainer.fit(made, wrap(train), wrap(val))
    assert_fitted_as(made, expected)
    found = {name: value for name, value in numbers(trainer.callback_metrics).items() if name.startswith("val/")}
    assert found == figures_of(made, "val", val)
    (tested,) = trainer.test(made, wrap(val), verbose=False)
    assert numbers(tested) == figures_of(made, "test", val)


class OwnModule(ReviewDataModule):
    """A data module that somebody derived from ours, whose batches are plain tuples."""

    def train_dataloader(self) -> Any:
        return own_loader(part_of(self, "train"))


def test_a_data_module_derived_from_ours_may_give_batches_of_another_kind(make_module: Maker) -> None:
    module = make_module()
    own = OwnModule(module.settings, features=module.feature_settings)
    made = classifier(module)
    expected = by_hand(made, [in_batches(part_of(module, "train"))])
    quiet_trainer(max_epochs=1).fit(made, datamodule=own)
    assert_fitted_as(made, expected)


class Careless(ReviewClassifier):
    """Writes into its batches: labels once used are halved."""

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        batch[1].mul_(0.5)

    def on_validation_batch_end(self, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:  # noqa: ARG002
        batch[1].mul_(0.5)


def test_what_a_model_writes_into_a_batch_does_not_reach_the_next_epoch(module: ReviewDataModule) -> None:
    torch.manual_seed(0)
    made = Careless(len(module.vocabulary), [4, 3], optimizer={"name": "sgd", "lr": RATE})
    expected = by_hand(made, epochs_of(module, 3))
    trainer = quiet_trainer(max_epochs=3, callbacks=[seen := Validations(module)])
    trainer.fit(made, datamodule=module)
    assert len(seen.steps) == 3
    assert_fitted_as(made, expected)
    (validated,) = trainer.validate(made, datamodule=module, verbose=False)
    assert numbers(validated) == figures_of(made, "val", part_of(module, "val"))


@pytest.mark.parametrize("settings", [{}, {"limit_train_batches": 2}, {"max_steps": 5}], ids=str)
def test_a_fit_leaves_no_thread_behind(module: ReviewDataModule, settings: dict[str, Any]) -> None:
    before = set(threading.enumerate())
    trainer = quiet_trainer(max_epochs=3, **settings)
    trainer.fit(classifier(module), datamodule=module)
    del trainer, module.trainer
    gc.collect()
    assert set(threading.enumerate()) <= before


def test_an_error_in_a_step_comes_through_and_leaves_no_thread_behind(module: ReviewDataModule) -> None:
    class Broken(ReviewClassifier):
        def training_step(self, batch: Any) -> Tensor:
            if self.global_step == 3:
                msg = "broken"
                raise RuntimeError(msg)
            return super().training_step(batch)

    before = set(threading.enumerate())
    torch.manual_seed(0)
    made = Broken(len(module.vocabulary), [4, 3], optimizer={"name": "sgd", "lr": RATE})
    expected = by_hand(made, [epoch_of(module)[:3]])
    trainer = quiet_trainer(max_epochs=3)
    with pytest.raises(RuntimeError, match=r"^broken$"):
        trainer.fit(made, datamodule=module)
    assert_fitted_as(made, expected)
    del trainer, made, module.trainer
    gc.collect()
    assert set(threading.enumerate()) <= before
