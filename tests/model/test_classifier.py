from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data.helpers import matrix_of
from lightning.pytorch import LightningModule
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from imdbclf.data.batches import dense_tensor
from imdbclf.data.dataloader import ReviewLoader
from imdbclf.model import multihot_linear
from imdbclf.model.classifier import EpochSums, ReviewClassifier
from imdbclf.model.losses import make_loss
from imdbclf.model.network import members_of
from imdbclf.model.optimizers import make_optimizer
from imdbclf.setting_values import Layout
from model.helpers import WIDTH, drawn, loader, quiet_trainer

LAYOUTS = pytest.mark.parametrize("layout", ["csr", "dense"])


def classifier(seed: int = 0, **settings: Any) -> ReviewClassifier:
    torch.manual_seed(seed)
    return ReviewClassifier(WIDTH, [4, 3], **settings)


def weights_of(made: ReviewClassifier) -> Tensor:
    return nn.utils.parameters_to_vector(made.parameters()).detach().clone()


def figures(found: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in found.items()}


def by_hand(made: ReviewClassifier, n: int, seed: int, stage: str, loss: str = "bce") -> dict[str, Any]:
    """Loss and accuracy over n drawn reviews at once, with the weights as they are."""
    matrix, labels = drawn(n, seed)
    targets = torch.from_numpy(labels).float()
    with torch.no_grad():
        logits = made(dense_tensor(matrix))
    return {
        f"{stage}/loss": pytest.approx(make_loss(loss)(logits, targets).item(), abs=1e-6),
        f"{stage}/accuracy": pytest.approx(((torch.sigmoid(logits) > 0.5) == (targets == 1)).float().mean().item()),
    }


@LAYOUTS
@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_validation_and_test_figures_are_those_over_all_reviews(layout: Layout, loss: str) -> None:
    made, trainer = classifier(loss=loss), quiet_trainer()
    (validated,) = trainer.validate(made, loader(50, 16, layout, training=False), verbose=False)
    assert figures(dict(validated)) == by_hand(made, 50, 0, "val", loss)
    (tested,) = trainer.test(made, loader(35, 16, layout, seed=1, training=False), verbose=False)
    assert figures(dict(tested)) == by_hand(made, 35, 1, "test", loss)


@LAYOUTS
def test_predictions_are_the_probabilities_of_being_positive(layout: Layout) -> None:
    made = classifier()
    batches = quiet_trainer().predict(made, loader(35, 16, layout, training=False))
    assert batches is not None
    probabilities = torch.cat([batch for batch in batches if isinstance(batch, Tensor)])
    expected = 1 / (1 + torch.exp(-made(dense_tensor(drawn(35)[0]))))
    torch.testing.assert_close(probabilities, expected.detach())


@LAYOUTS
@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_training_figures_are_means_over_the_batches_while_the_weights_change(layout: Layout, loss: str) -> None:
    made, twin = classifier(loss=loss, optimizer={"name": "rmsprop", "lr": 0.05}), classifier(loss=loss)
    trainer = quiet_trainer(max_epochs=1)
    trainer.fit(made, loader(50, 16, layout))
    optimizer = make_optimizer(twin.parameters(), {"name": "rmsprop", "lr": 0.05})
    total = hits = 0.0
    for features, labels, transpose in loader(50, 16, layout):
        logits = twin(features, transpose)
        batch_loss = make_loss(loss)(logits, labels)
        optimizer.zero_grad()
        batch_loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += batch_loss.item() * len(labels)
        hits += ((logits > 0) == (labels == 1)).sum().item()
    assert figures(trainer.callback_metrics) == {
        "train/loss": pytest.approx(total / 50, abs=1e-6),
        "train/accuracy": pytest.approx(hits / 50),
    }
    torch.testing.assert_close(weights_of(made), weights_of(twin))


@LAYOUTS
def test_after_a_fit_the_validation_figures_are_those_of_the_finished_epoch(layout: Layout) -> None:
    made, trainer = classifier(), quiet_trainer(max_epochs=2)
    trainer.fit(made, loader(50, 16, layout), loader(40, 16, layout, seed=1, training=False))
    found = {name: value for name, value in figures(trainer.callback_metrics).items() if name.startswith("val/")}
    assert found == by_hand(made, 40, 1, "val")


class Epochs(Callback):
    """Notes the figures of each epoch as a callback finds them."""

    def __init__(self) -> None:
        self.train: list[dict[str, float]] = []
        self.val: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: Any, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, ReviewClassifier)
        assert trainer.max_epochs == 3
        self.train.append(figures(pl_module.epoch_means("train")))

    def on_validation_epoch_end(self, trainer: Any, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, ReviewClassifier)
        if not trainer.sanity_checking:
            self.val.append(by_hand(pl_module, 40, 1, "val"))
            assert figures(pl_module.epoch_means("val")) == self.val[-1]


def test_each_epoch_has_figures_of_its_own() -> None:
    made, epochs = classifier(optimizer={"name": "rmsprop", "lr": 0.02}), Epochs()
    trainer = quiet_trainer(max_epochs=3, callbacks=[epochs])
    trainer.fit(made, loader(50, 16), loader(40, 16, seed=1, training=False))
    losses = [epoch["train/loss"] for epoch in epochs.train]
    assert len(losses) == len(epochs.val) == 3
    assert losses[0] > losses[1] > losses[2]


def test_an_epoch_without_validation_has_no_validation_figures() -> None:
    class Noted(Callback):
        def __init__(self) -> None:
            self.names: list[set[str]] = []

        def on_train_epoch_end(self, trainer: Any, pl_module: LightningModule) -> None:
            assert isinstance(pl_module, ReviewClassifier)
            assert not trainer.sanity_checking
            self.names.append(set(pl_module.epoch_means("val")))

    noted = Noted()
    trainer = quiet_trainer(max_epochs=3, check_val_every_n_epoch=2, callbacks=[noted])
    trainer.fit(classifier(), loader(32, 16), loader(32, 16, training=False))
    assert noted.names == [set(), {"val/loss", "val/accuracy"}, set()]


def test_before_an_epoch_there_are_no_figures() -> None:
    assert classifier().epoch_means("train") == {}


@pytest.mark.parametrize(("logit", "label", "accuracy"), [(0.2, 1, 1.0), (0.2, 0, 0.0), (-0.2, 0, 1.0), (0.49, 1, 1.0)])
def test_small_positive_logits_count_as_positive(logit: float, label: int, accuracy: float) -> None:
    made = classifier()
    for parameter in made.parameters():
        nn.init.zeros_(parameter)
    nn.init.constant_(list(made.network.rest)[-1].bias, logit)  # type: ignore[arg-type]
    reviews = ReviewLoader(matrix_of([[0, 1], [2], []], WIDTH), np.full(3, label, dtype=np.int8), 3)
    (tested,) = quiet_trainer().test(made, reviews, verbose=False)
    assert tested["test/accuracy"] == accuracy


@pytest.mark.parametrize(
    "settings",
    [
        {"accumulate_grad_batches": 2},
        {"gradient_clip_val": 0.01},
        {"gradient_clip_val": 0.001, "gradient_clip_algorithm": "value"},
        {"limit_train_batches": 2},
        {"precision": "64-true"},
        {},
    ],
    ids=str,
)
def test_the_trainers_settings_work_alike_in_both_layouts(settings: dict[str, Any]) -> None:
    found = []
    for layout in ("csr", "dense"):
        made = classifier(optimizer={"name": "sgd", "lr": 0.5})
        quiet_trainer(max_epochs=2, **settings).fit(made, loader(64, 16, layout))
        found.append(weights_of(made))
    torch.testing.assert_close(found[0], found[1])
    plain = classifier(optimizer={"name": "sgd", "lr": 0.5})
    quiet_trainer(max_epochs=2).fit(plain, loader(64, 16))
    assert torch.equal(found[0], weights_of(plain)) == (settings == {})


def test_two_accumulated_batches_are_one_of_twice_the_size() -> None:
    found = []
    for size, batches in ((16, 2), (32, 1)):
        made = classifier(optimizer={"name": "sgd", "lr": 0.5})
        quiet_trainer(max_epochs=2, accumulate_grad_batches=batches).fit(made, loader(64, size))
        found.append(weights_of(made))
    torch.testing.assert_close(found[0], found[1])


def test_a_clipped_step_is_no_longer_than_the_limit() -> None:
    made = classifier(optimizer={"name": "sgd", "lr": 1.0})
    before = weights_of(made)
    quiet_trainer(max_steps=1, max_epochs=1, gradient_clip_val=0.01).fit(made, loader(64, 64))
    assert (weights_of(made) - before).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_limited_batches_count_alone() -> None:
    made, trainer = classifier(), quiet_trainer(max_epochs=1, limit_train_batches=1, limit_val_batches=1)
    trainer.fit(made, loader(64, 16), loader(40, 16, seed=1, training=False))
    first = classifier()
    matrix, labels = drawn(64)
    logits = first(dense_tensor(matrix))[:16]
    expected = make_loss("bce")(logits, torch.from_numpy(labels[:16]).float()).item()
    assert trainer.callback_metrics["train/loss"].item() == pytest.approx(expected, abs=1e-6)


@LAYOUTS
def test_half_precision_autocast_trains(layout: Layout) -> None:
    made, plain = classifier(), classifier()
    for one, precision in ((made, "bf16-mixed"), (plain, "32-true")):
        trainer = quiet_trainer(max_epochs=1, precision=precision)
        trainer.fit(one, loader(64, 16, layout))
    assert trainer.callback_metrics["train/loss"] > 0
    torch.testing.assert_close(weights_of(made), weights_of(plain), rtol=0, atol=0.02)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint that the trainer saved at the end of a fit."""
    made = classifier(activation="tanh", dropout=0.25, loss="mse", optimizer={"name": "adam", "lr": 0.01})
    made.attachment = {"vocabulary": "the\nand", "format": 2}
    trainer = quiet_trainer(max_epochs=1)
    trainer.fit(made, loader(50, 16))
    trainer.save_checkpoint(tmp_path / "fitted.ckpt")
    torch.save(made.eval()(dense_tensor(drawn(20)[0])).detach(), tmp_path / "logits.pt")
    return tmp_path / "fitted.ckpt"


def test_a_checkpoint_holds_plain_types_alone(checkpoint: Path) -> None:
    loaded = torch.load(checkpoint, weights_only=True)
    assert loaded["hyper_parameters"] == {
        "in_features": WIDTH,
        "widths": [4, 3],
        "activation": "tanh",
        "dropout": 0.25,
        "loss": "mse",
        "optimizer": {"name": "adam", "lr": 0.01},
        "members": 1,
        "positive_weight": 1.0,
    }
    assert loaded["imdbclf"] == {"vocabulary": "the\nand", "format": 2}
    assert set(loaded["state_dict"]) == {
        "network.first.weight",
        "network.first.bias",
        *(f"network.rest.{number}.{kind}" for number in (2, 5) for kind in ("weight", "bias")),
    }


FRESH = """
import sys
import torch
from imdbclf.model import multihot_linear
from imdbclf.model.classifier import EpochSums, ReviewClassifier
made = ReviewClassifier.load_from_checkpoint(sys.argv[1]).eval()
print(made.vocabulary, made.hparams.widths, made.hparams.loss)
expected, features = torch.load(sys.argv[2]), torch.load(sys.argv[3])
print(torch.equal(made(features).detach(), expected))
"""


def test_a_fresh_process_loads_a_checkpoint_with_only_its_path(checkpoint: Path, tmp_path: Path) -> None:
    torch.save(dense_tensor(drawn(20)[0]), tmp_path / "features.pt")
    command = [sys.executable, "-c", FRESH, *map(str, (checkpoint, tmp_path / "logits.pt", tmp_path / "features.pt"))]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout, result.returncode) == ("['the', 'and'] [4, 3] mse\nTrue\n", 0)
    assert result.stderr == ""


def test_a_network_made_by_hand_has_no_vocabulary_and_loads_again(tmp_path: Path) -> None:
    trainer, made = quiet_trainer(max_epochs=1), classifier()
    assert made.vocabulary == []
    trainer.fit(made, loader(16, 16))
    trainer.save_checkpoint(tmp_path / "plain.ckpt")
    again = ReviewClassifier.load_from_checkpoint(tmp_path / "plain.ckpt")
    assert again.vocabulary == []
    assert torch.equal(weights_of(again), weights_of(made))


@pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`")
def test_a_resumed_fit_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    straight = classifier()
    quiet_trainer(max_epochs=4).fit(straight, loader(50, 16))
    half = classifier()
    trainer = quiet_trainer(max_epochs=2)
    trainer.fit(half, loader(50, 16))
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    resumed = classifier(seed=99)
    quiet_trainer(max_epochs=4).fit(resumed, loader(50, 16), ckpt_path=tmp_path / "half.ckpt")
    assert torch.equal(weights_of(resumed), weights_of(straight))
    assert not torch.equal(weights_of(half), weights_of(straight))


def test_a_small_fit_has_these_losses() -> None:
    made, epochs = classifier(optimizer={"name": "rmsprop", "lr": 0.01}), Epochs()
    quiet_trainer(max_epochs=3, callbacks=[epochs]).fit(made, loader(200, 16))
    assert [epoch["train/loss"] for epoch in epochs.train] == [
        pytest.approx(loss, abs=1e-4) for loss in (0.62881, 0.53530, 0.45419)
    ]


def test_the_default_is_the_lectures_network_and_optimizer() -> None:
    made = ReviewClassifier()
    assert made.network.parameter_count == 160_305
    assert type(made.configure_optimizers()).__name__ == "RMSprop"
    assert made.loss is make_loss("bce")


def test_an_ensemble_loads_again_with_only_its_path(tmp_path: Path) -> None:
    trainer, made = quiet_trainer(max_epochs=1), classifier(members=3, activation="tanh")
    trainer.fit(made, loader(16, 16))
    trainer.save_checkpoint(tmp_path / "several.ckpt")
    again = ReviewClassifier.load_from_checkpoint(tmp_path / "several.ckpt").eval()
    assert len(members_of(again.network)) == 3
    features = dense_tensor(drawn(20)[0])
    assert torch.equal(again(features), made.eval()(features))


@pytest.mark.parametrize(("logit", "answer", "accuracy"), [(1, 0.6, 1.0), (1, 0.4, 0.0), (-1, 0.49, 1.0), (-1, 0.9, 0)])
def test_an_answer_above_a_half_counts_as_positive(logit: float, answer: float, accuracy: float) -> None:
    made, trainer = classifier(optimizer={"name": "sgd", "lr": 1e-6}), quiet_trainer(max_epochs=1)
    for parameter in made.parameters():
        nn.init.zeros_(parameter)
    nn.init.constant_(list(made.network.rest)[-1].bias, logit)  # type: ignore[arg-type]
    answers = np.full(3, answer, dtype=np.float32)
    trainer.fit(made, ReviewLoader(matrix_of([[0, 1], [2], []], WIDTH), answers, 3, training=True))
    assert trainer.callback_metrics["train/accuracy"] == accuracy
    cross_entropy = -answer * np.log(1 / (1 + np.exp(-logit))) - (1 - answer) * np.log(1 / (1 + np.exp(logit)))
    assert trainer.callback_metrics["train/loss"].item() == pytest.approx(cross_entropy)


class Gradients(Callback):
    """Notes how the gradient of each member's first layer is laid out, step by step."""

    def __init__(self) -> None:
        self.are_sparse: set[bool] = set()

    def on_after_backward(self, trainer: Any, pl_module: LightningModule) -> None:  # noqa: ARG002
        assert isinstance(pl_module, ReviewClassifier)
        for member in members_of(pl_module.network):
            assert member.first.weight.grad is not None
            self.are_sparse.add(member.first.weight.grad.is_sparse)


@pytest.mark.parametrize(
    ("optimizer", "trainer", "are_sparse"),
    [
        ({"name": "adagrad"}, {}, True),
        ({"name": "adagrad"}, {"accumulate_grad_batches": 2}, True),
        ({"name": "adagrad", "weight_decay": 0.1}, {}, False),
        ({"name": "adagrad"}, {"gradient_clip_val": 1.0}, False),
        ({"name": "adagrad"}, {"gradient_clip_val": 0.1, "gradient_clip_algorithm": "value"}, False),
        ({"name": "sgd"}, {}, True),
        ({"name": "sgd", "momentum": 0.9}, {}, False),
        ({"name": "rmsprop"}, {}, False),
        ({"name": "adam"}, {}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("members", [1, 2])
def test_gradients_are_sparse_in_a_fit_where_that_changes_nothing(
    optimizer: dict[str, Any], trainer: dict[str, Any], are_sparse: bool, members: int
) -> None:
    made, gradients = classifier(optimizer=optimizer, members=members), Gradients()
    quiet_trainer(max_epochs=1, callbacks=[gradients], **trainer).fit(made, loader(50, 16))
    assert gradients.are_sparse == {are_sparse}
    assert not any(member.first.sparse_gradient for member in members_of(made.network))


@pytest.mark.parametrize("devices", [1, 2])
def test_what_adds_up_gradients_of_processes_gets_dense_ones(devices: int) -> None:
    made = classifier(optimizer={"name": "adagrad"})
    for trainer, is_sparse in ((quiet_trainer(), True), (quiet_trainer(strategy="ddp", devices=devices), False)):
        made.trainer = trainer
        made.on_fit_start()
        assert members_of(made.network)[0].first.sparse_gradient == is_sparse


@pytest.mark.parametrize("optimizer", [{"name": "adagrad", "lr": 0.1}, {"name": "sgd", "lr": 0.5}], ids=str)
@pytest.mark.parametrize("trainer", [{}, {"accumulate_grad_batches": 2}], ids=str)
def test_a_fit_with_sparse_gradients_is_the_dense_one_to_the_last_bit(
    optimizer: dict[str, Any], trainer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sparse = classifier(optimizer=optimizer)
    quiet_trainer(max_epochs=3, **trainer).fit(sparse, loader(64, 16))
    monkeypatch.setattr(ReviewClassifier, "on_fit_start", lambda _self: None)
    dense = classifier(optimizer=optimizer)
    quiet_trainer(max_epochs=3, **trainer).fit(dense, loader(64, 16))
    assert torch.equal(weights_of(sparse), weights_of(dense))
    assert not torch.equal(weights_of(dense), weights_of(classifier()))


def test_predictions_use_the_temperature_and_a_new_fit_forgets_it() -> None:
    made, batches = classifier(), loader(20, 8, training=False)
    made.attachment["temperature"] = 3.0
    predicted = torch.cat(quiet_trainer().predict(made, batches) or [])  # type: ignore[arg-type] # one loader
    with torch.no_grad():
        logits = made(dense_tensor(drawn(20)[0]))
    torch.testing.assert_close(predicted, torch.sigmoid(logits / 3))
    quiet_trainer(max_epochs=1).fit(made, loader(20, 8))
    assert "temperature" not in made.attachment


def test_a_label_of_one_half_counts_as_negative() -> None:
    sums = EpochSums(torch.device("cpu"))
    sums.add(torch.tensor(0.5), torch.tensor([1.0, -1.0]), torch.tensor([0.5, 0.5]))
    assert sums.means("train")["train/accuracy"] == 0.5
    sums.add(torch.tensor(0.5), torch.tensor([-1.0]), torch.tensor([0.5]))
    assert sums.means("train")["train/accuracy"] == pytest.approx(2 / 3)


def test_the_backward_pass_uses_the_transpose_that_the_batch_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    made = classifier()
    monkeypatch.setattr(multihot_linear, "_transposed", lambda _: pytest.fail("the transpose was made again"))
    quiet_trainer(max_epochs=1).fit(made, loader(20, 8))


def test_a_checkpoint_of_another_program_leaves_an_empty_attachment() -> None:
    made = classifier()
    made.on_load_checkpoint({})
    assert made.attachment == {}
