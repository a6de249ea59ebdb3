"""What Lightning's Trainer makes of our batches, loaders and classifier, in both layouts.

The weights after a fit are compared with loops written out here over a twin of the network: torch's own dense
operations and SGD by hand, on the same batches.
"""

from __future__ import annotations

import gc
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from model.helpers import quiet_trainer
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.settings import DataSettings, FeatureSettings

RATE = 0.5
BATCHES = 7
"""400 reviews in batches of 64: six whole ones and one of 16. Neither 2 nor 3 divides their number."""

KINDS = ("val", "test", "predict")
Clip = Callable[[Iterable[nn.Parameter]], object]


class Dense(NamedTuple):
    """A batch as the reference sees it: (n, vocabulary) and (n,), dense, in memory of its own."""

    features: Tensor
    labels: Tensor


def dense(batch: Any) -> Dense:
    return Dense(batch.features.to_dense().detach().clone(), batch.labels.detach().clone())


def part_of(module: ReviewDataModule, name: str) -> Dense:
    """All reviews of a part, in the order of the corpus."""
    matrix, labels = module.prepared.matrices[name], module.prepared.labels[name]
    features = torch.zeros(len(labels), matrix.width)
    for row in range(len(labels)):
        features[row, torch.from_numpy(matrix.row(row)).long()] = 1.0
    return Dense(features, torch.tensor(labels.tolist(), dtype=torch.float32))


def in_batches(reviews: Dense) -> list[Dense]:
    return [Dense(*both) for both in zip(*(torch.split(column, 64) for column in reviews), strict=True)]


def epochs_of(module: ReviewDataModule, count: int) -> list[list[Dense]]:
    """The training batches of the first epochs."""
    epochs = []
    for epoch in range(count):
        loader: Any = module.train_dataloader()
        getattr(loader, "sampler", loader).set_epoch(epoch)
        epochs.append([dense(batch) for batch in loader])
    return epochs


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
        return functional.binary_cross_entropy_with_logits(self(batch.features), batch.labels)


def by_hand(
    made: ReviewClassifier, epochs: Sequence[Sequence[Dense]], accumulate: int = 1, clip: Clip | None = None
) -> Twin:
    """The network after these epochs of SGD: a step every `accumulate` batches and at the end of an epoch."""
    twin = Twin(made)
    for batches in epochs:
        for number, batch in enumerate(batches, start=1):
            (twin.loss(batch) / accumulate).backward()  # type: ignore[no-untyped-call]
            if number % accumulate == 0 or number == len(batches):
                if clip is not None:
                    clip(twin.parameters())
                with torch.no_grad():
                    for weight in twin.parameters():
                        assert weight.grad is not None
                        weight.sub_(RATE * weight.grad)
                twin.zero_grad()
    return twin


def vector(module: nn.Module) -> Tensor:
    """All weights in a row."""
    return nn.utils.parameters_to_vector(module.parameters()).detach().clone()


def classifier(
    module: ReviewDataModule, kind: type[ReviewClassifier] = ReviewClassifier, **settings: Any
) -> ReviewClassifier:
    torch.manual_seed(0)
    chosen = {"widths": [4, 3], "optimizer": {"name": "sgd", "lr": RATE}} | settings
    return kind(len(module.vocabulary), **chosen)


def assert_fitted_as(made: nn.Module, expected: nn.Module) -> None:
    torch.testing.assert_close(vector(made), vector(expected))


def metrics_by_hand(made: ReviewClassifier, stage: str, reviews: Dense) -> dict[str, Any]:
    """Loss and accuracy over these reviews at once."""
    twin = Twin(made)
    hits = (twin(reviews.features) > 0) == (reviews.labels > 0.5)
    return {
        f"{stage}/loss": pytest.approx(twin.loss(reviews).item(), abs=1e-6),
        f"{stage}/accuracy": pytest.approx(hits.float().mean().item()),
    }


def numbers(metrics: Any, stage: str = "") -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if name.startswith(stage)}


@pytest.fixture(params=["csr", "dense"])
def module(request: pytest.FixtureRequest, small_files: dict[str, Path]) -> ReviewDataModule:
    """The small reviews in each layout: 400 training, 200 validation, 200 test reviews, 500 columns."""
    files: dict[str, Any] = {part: str(path) for part, path in small_files.items()}
    settings = DataSettings(source="files", val_size=200, batch_size=64, layout=request.param, **files)
    module = ReviewDataModule(settings, features=FeatureSettings(columns=500))
    module.setup()
    return module


class Steps(Callback):
    """Notes each training batch, by its epoch, and after how many steps each validation was."""

    def __init__(self) -> None:
        self.epochs: dict[int, list[Dense]] = {}
        self.validations: list[int] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        self.epochs.setdefault(trainer.current_epoch, []).append(dense(batch))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        self.validations.append(trainer.global_step)


def assert_seen(steps: Steps, expected: Sequence[Sequence[Dense]]) -> None:
    assert list(steps.epochs) == list(range(len(expected)))
    for seen, wanted in zip(steps.epochs.values(), expected, strict=True):
        assert [len(batch.labels) for batch in seen] == [len(batch.labels) for batch in wanted]
        for one, other in zip(seen, wanted, strict=True):
            assert torch.equal(one.features, other.features)
            assert torch.equal(one.labels, other.labels)


# Training


def test_a_fit_is_plain_gradient_descent_over_the_batches_of_each_epoch(module: ReviewDataModule) -> None:
    made, steps, epochs = classifier(module), Steps(), epochs_of(module, 3)
    expected = by_hand(made, epochs)
    quiet_trainer(max_epochs=3, callbacks=[steps]).fit(made, datamodule=module)
    assert_fitted_as(made, expected)
    assert_seen(steps, epochs)
    assert [len(batch.labels) for batch in epochs[0]] == [64] * 6 + [16]
    assert not torch.equal(epochs[0][0].features, epochs[1][0].features)


@pytest.mark.parametrize("accumulate", [2, 10])
def test_gradients_accumulate_over_batches_and_the_rest_of_an_epoch_is_a_step(
    module: ReviewDataModule, accumulate: int
) -> None:
    made = classifier(module)
    expected = by_hand(made, epochs_of(module, 2), accumulate)
    trainer = quiet_trainer(max_epochs=2, accumulate_grad_batches=accumulate)
    trainer.fit(made, datamodule=module)
    assert trainer.global_step == 2 * math.ceil(BATCHES / accumulate)
    assert_fitted_as(made, expected)


@pytest.mark.parametrize(
    ("algorithm", "limit", "accumulate", "clip"),
    [
        ("norm", 0.05, 1, lambda weights: nn.utils.clip_grad_norm_(weights, 0.05)),
        ("value", 0.002, 3, lambda weights: nn.utils.clip_grad_value_(weights, 0.002)),
    ],
    ids=["norm", "value"],
)
def test_gradients_are_clipped_over_all_weights_including_the_first_layers(
    module: ReviewDataModule, algorithm: str, limit: float, accumulate: int, clip: Clip
) -> None:
    made, epochs = classifier(module), epochs_of(module, 2)
    expected, plain = by_hand(made, epochs, accumulate, clip), by_hand(made, epochs, accumulate)
    settings = {"gradient_clip_val": limit, "gradient_clip_algorithm": algorithm}
    quiet_trainer(max_epochs=2, accumulate_grad_batches=accumulate, **settings).fit(made, datamodule=module)
    assert_fitted_as(made, expected)
    assert not torch.allclose(vector(expected), vector(plain))


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        ({"limit_train_batches": 0.5}, (3, 3)),
        ({"limit_train_batches": 100, "reload_dataloaders_every_n_epochs": 1}, (7, 7)),
        ({"max_steps": 10}, (7, 3)),
    ],
    ids=str,
)
def test_a_shorter_fit_takes_the_first_batches_of_each_epoch(
    module: ReviewDataModule, settings: dict[str, Any], counts: tuple[int, ...]
) -> None:
    made, steps = classifier(module), Steps()
    epochs = [batches[:count] for batches, count in zip(epochs_of(module, 2), counts, strict=True)]
    expected = by_hand(made, epochs)
    quiet_trainer(max_epochs=2, callbacks=[steps], **settings).fit(made, datamodule=module)
    assert_seen(steps, epochs)
    assert_fitted_as(made, expected)


# Lightning warns that it switches shuffling off, as it should.
@pytest.mark.filterwarnings("ignore:You requested to overfit but enabled")
def test_overfit_batches_sees_the_first_reviews_unshuffled_in_every_epoch(module: ReviewDataModule) -> None:
    made, steps, own = classifier(module), Steps(), in_batches(part_of(module, "train"))[:2]
    expected = by_hand(made, [own, own, own])
    trainer = quiet_trainer(max_epochs=3, overfit_batches=2, callbacks=[steps], limit_val_batches=0)
    trainer.fit(made, module)
    assert_seen(steps, [own, own, own])
    assert_fitted_as(made, expected)


def test_a_data_module_and_a_loader_serve_several_fits_alike(module: ReviewDataModule) -> None:
    loader, found = module.train_dataloader(), []
    for source in ({"datamodule": module}, {"datamodule": module}, {"train_dataloaders": loader}):
        made = classifier(module)
        quiet_trainer(max_epochs=2, limit_val_batches=0).fit(made, **source)
        found.append(vector(made))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@pytest.mark.parametrize(("precision", "tolerance"), [("bf16-mixed", 0.003), ("64-true", 1e-5)])
def test_other_precisions_come_near_to_single_precision(
    module: ReviewDataModule, precision: str, tolerance: float
) -> None:
    found = []
    for chosen in (precision, "32-true"):
        made = classifier(module, optimizer={"name": "rmsprop"})
        trainer = quiet_trainer(max_epochs=2, precision=chosen)
        trainer.fit(made, datamodule=module)
        assert vector(made).dtype == (torch.float64 if chosen == "64-true" else torch.float32)
        found.append((vector(made).double(), numbers(trainer.callback_metrics)))
    (weights, metrics), (single_weights, single_metrics) = found
    assert not torch.equal(weights, single_weights)
    for name in ("train/loss", "val/loss"):
        assert metrics[name] == pytest.approx(single_metrics[name], abs=tolerance)


# Evaluation


@pytest.mark.parametrize(("limits", "count"), [({}, 200), ({f"limit_{kind}_batches": 2 for kind in KINDS}, 128)])
def test_validating_testing_and_predicting_give_the_metrics_by_hand(
    module: ReviewDataModule, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], count: int
) -> None:
    monkeypatch.setattr("imdbclf.data.datamodule.EVALUATION_BATCH", 64)
    made, trainer = classifier(module), quiet_trainer(max_epochs=2, **limits)
    trainer.fit(made, datamodule=module)
    val, test = (Dense(*(column[:count] for column in part_of(module, part))) for part in ("val", "test"))
    assert numbers(trainer.callback_metrics, "val/") == metrics_by_hand(made, "val", val)
    (validated,) = trainer.validate(made, datamodule=module, verbose=False)
    assert numbers(validated) == metrics_by_hand(made, "val", val)
    (tested,) = trainer.test(made, datamodule=module, verbose=False)
    assert numbers(tested) == metrics_by_hand(made, "test", test)
    predicted: Any = trainer.predict(made, datamodule=module)
    torch.testing.assert_close(torch.cat(predicted), torch.sigmoid(Twin(made)(test.features)).detach())


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"num_sanity_val_steps": 2}, [0, 7, 14]),
        ({"check_val_every_n_epoch": 2}, [14]),
        ({"val_check_interval": 3}, [3, 6, 10, 13]),
        ({"limit_val_batches": 0}, []),
    ],
    ids=str,
)
def test_validation_at_other_times_changes_neither_weights_nor_training_metrics(
    module: ReviewDataModule, settings: dict[str, Any], steps: list[int]
) -> None:
    found = []
    for chosen in ({}, settings):
        made, seen = classifier(module), Steps()
        trainer = quiet_trainer(max_epochs=2, callbacks=[seen], **{"num_sanity_val_steps": 0} | chosen)
        trainer.fit(made, datamodule=module)
        found.append((vector(made).tolist(), numbers(trainer.callback_metrics, "train/")))
    assert seen.validations == steps
    assert found[0] == found[1]


def own_loader(reviews: Dense) -> DataLoader[Any]:
    """A plain loader of dense batches, as a user would write it."""

    def collate(rows: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, None]:
        features, labels = zip(*rows, strict=True)
        return torch.stack(features), torch.stack(labels), None

    return DataLoader(TensorDataset(*reviews), batch_size=64, collate_fn=collate)


def test_the_classifier_learns_from_a_loader_of_a_user(module: ReviewDataModule) -> None:
    train, val = part_of(module, "train"), part_of(module, "val")
    made, trainer = classifier(module), quiet_trainer(max_epochs=2)
    expected = by_hand(made, [in_batches(train)] * 2)
    trainer.fit(made, own_loader(train), own_loader(val))
    assert_fitted_as(made, expected)
    assert numbers(trainer.callback_metrics, "val/") == metrics_by_hand(made, "val", val)


class Failing(ReviewClassifier):
    """Fails in the fourth step."""

    def training_step(self, batch: Any) -> Tensor:
        if self.global_step == 3:
            msg = "broken"
            raise RuntimeError(msg)
        return super().training_step(batch)


def test_a_fit_that_fails_shows_its_error_and_leaves_no_thread_behind(module: ReviewDataModule) -> None:
    before, made = set(threading.enumerate()), classifier(module, Failing)
    expected, trainer = by_hand(made, [epochs_of(module, 1)[0][:3]]), quiet_trainer(max_epochs=3)
    with pytest.raises(RuntimeError, match=r"^broken$"):
        trainer.fit(made, datamodule=module)
    assert_fitted_as(made, expected)
    del trainer, made, module.trainer
    gc.collect()
    assert set(threading.enumerate()) <= before
