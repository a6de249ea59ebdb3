"""Parity with Keras, by a network and optimizers in NumPy that follow Keras' documentation alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn

from imdbclf.model.classifier import ReviewClassifier
from imdbclf.model.network import members_of
from imdbclf.model.optimizers import Adagrad, RMSprop, leaves_rows_without_gradient, make_optimizer
from imdbclf.setting_values import OPTIMIZERS, Layout
from imdbclf.settings import OPTIMIZER_SETTINGS
from model.helpers import WIDTH, batch_of, loader, quiet_trainer

Array = npt.NDArray[np.float64]


class KerasNetwork:
    """Dense(4, activation), Dense(3, activation), Dense(1, sigmoid) with bce or mse, in double precision."""

    def __init__(self, weights: list[Array], activation: str, loss: str) -> None:
        self.weights, self.activation, self.loss = weights, activation, loss

    def gradients(self, features: Array, labels: Array) -> list[Array]:
        """The mean loss' derivative by each weight, written out from the last layer back to the first."""
        first, first_bias, second, second_bias, last, last_bias = self.weights
        one = self._active(features @ first + first_bias)
        two = self._active(one @ second + second_bias)
        p = 1 / (1 + np.exp(-(two @ last + last_bias)[:, 0]))
        by_p = (p - labels) / (p * (1 - p)) if self.loss == "bce" else 2 * (p - labels)
        by_logit = (by_p * p * (1 - p))[:, None] / len(labels)
        by_two = by_logit @ last.T * self._slope(two)
        by_one = by_two @ second.T * self._slope(one)
        return [
            features.T @ by_one,
            by_one.sum(axis=0),
            one.T @ by_two,
            by_two.sum(axis=0),
            two.T @ by_logit,
            by_logit.sum(axis=0),
        ]

    def _active(self, values: Array) -> Array:
        active: Array = np.maximum(values, 0) if self.activation == "relu" else np.tanh(values)
        return active

    def _slope(self, active: Array) -> Array:
        slope: Array = (active > 0).astype(np.float64) if self.activation == "relu" else 1 - active**2
        return slope


class KerasRMSprop:
    """velocity ← rho velocity + (1 - rho) g²; increment = lr g / √(velocity + epsilon); m ← momentum m + increment."""

    def __init__(self, weights: list[Array], lr: float = 0.001, momentum: float = 0.0, decay: float = 0.0) -> None:
        self.lr, self.momentum, self.decay = lr, momentum, decay
        self.velocity = [np.zeros_like(weight) for weight in weights]
        self.moment = [np.zeros_like(weight) for weight in weights]

    def step(self, weights: list[Array], gradients: list[Array]) -> None:
        """Change the weights in place."""
        for number, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
            weight -= self.lr * self.decay * weight  # noqa: PLW2901 - in place
            self.velocity[number] = 0.9 * self.velocity[number] + (1 - 0.9) * gradient**2
            increment = self.lr * gradient / np.sqrt(self.velocity[number] + 1e-7)
            self.moment[number] = self.momentum * self.moment[number] + increment
            weight -= self.moment[number]  # noqa: PLW2901 - in place


def classifier(activation: str, loss: str, **optimizer: float) -> ReviewClassifier:
    torch.manual_seed(3)
    made = ReviewClassifier(WIDTH, [4, 3], activation, loss=loss, optimizer={"name": "rmsprop", **optimizer})
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3)
    return made


def weights_of(made: ReviewClassifier) -> list[Array]:
    """The weights in Keras' order and orientation: kernel (in, out), bias, kernel, bias …"""
    (network,) = members_of(made.network)
    dense = [layer for layer in network.rest if isinstance(layer, nn.Linear)]
    tensors: list[torch.Tensor] = [network.first.weight, network.first.bias]
    for layer in dense:
        tensors += [layer.weight.T, layer.bias]
    return [tensor.detach().double().numpy().copy() for tensor in tensors]


def keras_after_ten_steps(made: ReviewClassifier, activation: str, loss: str, **optimizer: float) -> list[Array]:
    weights = weights_of(made)
    network, rmsprop = KerasNetwork(weights, activation, loss), KerasRMSprop(weights, **optimizer)
    for batch in loader(160, 16, "dense"):
        rmsprop.step(weights, network.gradients(batch.features.double().numpy(), batch.labels.double().numpy()))
    return weights


def largest_difference(one: list[Array], other: list[Array]) -> float:
    return max(float(np.abs(left - right).max()) for left, right in zip(one, other, strict=True))


@pytest.mark.parametrize("layout", ["csr", "dense"])
@pytest.mark.parametrize("loss", ["bce", "mse"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_ten_steps_give_the_weights_that_keras_gives(
    layout: Layout, loss: str, activation: str, momentum: float
) -> None:
    made = classifier(activation, loss, momentum=momentum)
    before, expected = weights_of(made), keras_after_ten_steps(made, activation, loss, momentum=momentum)
    quiet_trainer(max_epochs=1).fit(made, loader(160, 16, layout))
    assert largest_difference(weights_of(made), expected) < 1e-5
    assert largest_difference(before, expected) > 5e-3


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_the_rmsprop_of_torch_gives_other_weights(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = classifier("relu", loss)
    expected = keras_after_ten_steps(made, "relu", loss)
    monkeypatch.setattr(
        made, "configure_optimizers", lambda: torch.optim.RMSprop(made.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    )
    quiet_trainer(max_epochs=1).fit(made, loader(160, 16))
    assert largest_difference(weights_of(made), expected) > 1e-4


def test_weight_decay_is_decoupled_as_in_keras() -> None:
    made = classifier("relu", "bce", weight_decay=0.5, lr=0.01)
    expected = keras_after_ten_steps(made, "relu", "bce", decay=0.5, lr=0.01)
    quiet_trainer(max_epochs=1).fit(made, loader(160, 16))
    assert largest_difference(weights_of(made), expected) < 5e-5


def test_the_first_step_of_a_tiny_gradient_shows_where_epsilon_stands() -> None:
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.tensor([1e-4])
    RMSprop([weight]).step()
    # v = (1 - 0.9) · 1e-8 = 1e-9; the step is 1e-3 · 1e-4 / √(1e-9 + 1e-7).
    assert weight.item() == pytest.approx(-3.146583e-4, rel=1e-5)


def test_a_parameter_without_gradient_stays() -> None:
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    used.grad = torch.ones(2)
    RMSprop([used, unused], weight_decay=0.1).step()
    assert unused.tolist() == [1.0, 1.0]
    assert used[0] < 1


def test_a_step_returns_what_the_closure_returns() -> None:
    weight = nn.Parameter(torch.ones(1))

    def closure() -> float:
        loss = (weight**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach().item()

    optimizer = RMSprop([weight])
    assert optimizer.step(closure) == 1.0
    assert weight.item() < 1
    optimizer.zero_grad()
    assert optimizer.step() is None


def test_a_restored_state_goes_on_as_if_nothing_had_been() -> None:
    def steps(weight: nn.Parameter, optimizer: RMSprop, count: int) -> None:
        for number in range(count):
            weight.grad = torch.full_like(weight, 0.1 * (number + 1))
            optimizer.step()

    straight = nn.Parameter(torch.ones(3))
    steps(straight, RMSprop([straight], momentum=0.5), 3)
    resumed = nn.Parameter(torch.ones(3))
    first = RMSprop([resumed], momentum=0.5)
    steps(resumed, first, 2)
    second = RMSprop([resumed], lr=9.0)
    second.load_state_dict(first.state_dict())
    resumed.grad = torch.full_like(resumed, 0.1 * 3)
    second.step()
    assert torch.equal(straight, resumed)


@pytest.mark.parametrize(
    ("settings", "kind", "expected"),
    [
        (
            {"name": "rmsprop"},
            RMSprop,
            {"lr": 1e-3, "rho": 0.9, "epsilon": 1e-7, "momentum": 0.0, "weight_decay": 0.0},
        ),
        ({"name": "rmsprop", "lr": 0.1, "momentum": 0.5}, RMSprop, {"lr": 0.1, "momentum": 0.5}),
        ({"name": "adam"}, torch.optim.Adam, {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-7, "weight_decay": 0.0}),
        (
            {"name": "adamw", "beta_1": 0.8, "weight_decay": 0.1},
            torch.optim.AdamW,
            {"betas": (0.8, 0.999), "weight_decay": 0.1},
        ),
        (
            {"name": "sgd", "momentum": 0.9, "nesterov": True},
            torch.optim.SGD,
            {"lr": 1e-2, "momentum": 0.9, "nesterov": True},
        ),
        (
            {"name": "adagrad"},
            Adagrad,
            {"lr": 1e-3, "initial_accumulator": 0.1, "epsilon": 1e-7, "weight_decay": 0.0},
        ),
        ({"name": "adagrad", "initial_accumulator": 0}, Adagrad, {"initial_accumulator": 0.0}),
    ],
)
def test_settings_make_the_optimizer_that_they_name(
    settings: dict[str, Any], kind: type[torch.optim.Optimizer], expected: dict[str, Any]
) -> None:
    made = make_optimizer([nn.Parameter(torch.ones(1))], settings)
    assert type(made) is kind
    assert expected.items() <= made.param_groups[0].items()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"name": "lion"},
        {"name": "sgd", "rho": 0.9},
        {"name": "adam", "lr": 0},
        {"name": "adagrad", "lr": 0},
        {"name": "adagrad", "epsilon": 0},
        {"name": "adagrad", "initial_accumulator": -0.1},
        {"name": "adagrad", "weight_decay": -1},
        {"name": "adagrad", "momentum": 0.9},
    ],
)
def test_settings_that_are_not_valid_make_none(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_optimizer([nn.Parameter(torch.ones(1))], settings)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_lowers_the_loss(name: str) -> None:
    torch.manual_seed(0)
    made = ReviewClassifier(WIDTH, [8], optimizer={"name": name, "lr": 0.02})
    batch = batch_of([[word, word + 1] for word in range(30)])
    optimizer, losses = made.configure_optimizers(), []
    for _ in range(30):
        loss = made.loss(made(batch.features, batch.transpose), batch.labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.005


ROWS, UNITS = 6, 2
STEPS = st.lists(st.lists(st.integers(0, ROWS - 1), max_size=ROWS, unique=True), min_size=1, max_size=8)
"""For each step, the rows that have a gradient."""
ADAGRAD = st.fixed_dictionaries(
    {
        "lr": st.floats(1e-4, 1.0),
        "initial_accumulator": st.sampled_from([0.0, 1e-8, 0.1, 1.0]),
        "epsilon": st.sampled_from([1e-7, 1e-3]),
    }
)


def drawn_gradients(steps: list[list[int]], seed: int) -> list[torch.Tensor]:
    """A gradient of (ROWS, UNITS) a step, of any size in the given rows and 0 in the others."""
    generator = torch.Generator().manual_seed(seed)
    gradients = []
    for rows in steps:
        gradient = torch.zeros(ROWS, UNITS)
        exponents = torch.randint(-6, 3, (len(rows), UNITS), generator=generator)
        gradient[rows] = torch.randn(len(rows), UNITS, generator=generator) * 10.0**exponents
        gradients.append(gradient)
    return gradients


def sparse_in_rows(gradient: torch.Tensor, rows: list[int]) -> torch.Tensor:
    """The same as a sparse tensor that has these rows, in this order."""
    indices = torch.tensor([rows], dtype=torch.int64)
    return torch.sparse_coo_tensor(indices, gradient[rows], gradient.shape, check_invariants=True)


@settings(max_examples=50, deadline=None)
@given(STEPS, ADAGRAD, st.sampled_from([0.0, 0.1]), st.integers(0, 99))
def test_adagrad_steps_are_those_of_keras(
    steps: list[list[int]], options: dict[str, float], decay: float, seed: int
) -> None:
    weight = nn.Parameter(torch.ones(ROWS, UNITS))
    optimizer = Adagrad([weight], **options, weight_decay=decay)
    expected, accumulator = np.ones((ROWS, UNITS)), np.full((ROWS, UNITS), options["initial_accumulator"])
    for gradient in drawn_gradients(steps, seed):
        weight.grad = gradient
        optimizer.step()
        g = gradient.double().numpy()
        expected -= options["lr"] * decay * expected
        accumulator += g**2
        expected -= options["lr"] * g / np.sqrt(accumulator + options["epsilon"])
    np.testing.assert_allclose(weight.detach(), expected, rtol=1e-5, atol=1e-5)


def test_the_adagrad_of_torch_takes_other_steps_where_gradients_are_tiny() -> None:
    ours, theirs = (nn.Parameter(torch.zeros(1)) for _ in range(2))
    for weight in (ours, theirs):
        weight.grad = torch.tensor([1e-4])
    Adagrad([ours], lr=1.0, initial_accumulator=0).step()
    torch.optim.Adagrad([theirs], lr=1.0, eps=1e-7).step()
    # s = 1e-8; the step is 1e-4 / √(1e-8 + 1e-7), torch's 1e-4 / (1e-4 + 1e-7).
    assert ours.item() == pytest.approx(-0.3015113, rel=1e-5)
    assert theirs.item() == pytest.approx(-0.999, rel=1e-3)


@settings(max_examples=50, deadline=None)
@given(STEPS, ADAGRAD, st.sampled_from([0.0, 0.1]), st.integers(0, 99), st.randoms(use_true_random=False))
def test_adagrad_by_rows_is_adagrad_to_the_last_bit(
    steps: list[list[int]], options: dict[str, float], decay: float, seed: int, shuffler: Any
) -> None:
    weights = [nn.Parameter(torch.linspace(-1, 1, ROWS * UNITS).view(ROWS, UNITS)) for _ in range(2)]
    dense, by_rows = (Adagrad([weight], **options, weight_decay=decay) for weight in weights)
    for rows, gradient in zip(steps, drawn_gradients(steps, seed), strict=True):
        shuffler.shuffle(rows)
        weights[0].grad, weights[1].grad = gradient, sparse_in_rows(gradient, rows)
        dense.step()
        by_rows.step()
    assert torch.equal(*weights)
    sums = [
        optimizer.state[weight]["sum_of_squares"] for optimizer, weight in zip((dense, by_rows), weights, strict=True)
    ]
    assert torch.equal(*sums)


def test_adagrad_by_rows_changes_no_other_row() -> None:
    weight = nn.Parameter(torch.ones(ROWS, UNITS))
    optimizer = Adagrad([weight])
    weight.grad = sparse_in_rows(torch.ones(ROWS, UNITS), [4, 1])
    optimizer.step()
    for changing in (weight.detach(), optimizer.state[weight]["sum_of_squares"]):
        is_changed = (changing != changing[0]).any(dim=1)
        assert is_changed.tolist() == [False, True, False, False, True, False]


def test_a_row_that_a_sparse_gradient_has_twice_counts_with_the_sum() -> None:
    weights = [nn.Parameter(torch.zeros(ROWS, UNITS)) for _ in range(2)]
    twice = torch.ones(ROWS, UNITS)
    weights[0].grad = sparse_in_rows(twice, [3, 3])
    weights[1].grad = sparse_in_rows(2 * twice, [3])
    Adagrad(weights).step()
    assert torch.equal(*weights)
    assert weights[0][3].abs().min() > 0


DECAYS = st.sampled_from([0.0, 0.1])
MOMENTA = st.sampled_from([0.0, 0.5])
SETTINGS = {
    "rmsprop": {"rho": st.sampled_from([0.0, 0.9]), "momentum": MOMENTA, "weight_decay": DECAYS},
    "adam": {"beta_1": st.sampled_from([0.0, 0.9]), "beta_2": st.sampled_from([0.0, 0.9]), "weight_decay": DECAYS},
    "adamw": {"beta_1": st.sampled_from([0.0, 0.9]), "beta_2": st.sampled_from([0.0, 0.9]), "weight_decay": DECAYS},
    "sgd": {"momentum": MOMENTA, "nesterov": st.booleans(), "weight_decay": DECAYS},
    "adagrad": {"initial_accumulator": st.sampled_from([0.0, 0.1]), "weight_decay": DECAYS},
}
"""Of every optimizer, the settings that could matter to a row without gradient."""


def valid(name: str, drawn: dict[str, Any]) -> dict[str, Any]:
    """The settings as a config has them, all of them; Nesterov's momentum is none without momentum."""
    if not drawn.get("momentum"):
        drawn.pop("nesterov", None)
    return OPTIMIZER_SETTINGS.validate_python({"name": name, "lr": 0.1, **drawn}).model_dump()


EVERY_OPTIMIZER = st.sampled_from(sorted(SETTINGS)).flatmap(
    lambda name: st.fixed_dictionaries(SETTINGS[name]).map(lambda drawn: valid(name, drawn))
)


def test_every_optimizer_is_asked_what_it_does_with_rows_without_gradient() -> None:
    assert SETTINGS.keys() == OPTIMIZERS.keys()


@settings(max_examples=150, deadline=None)
@given(EVERY_OPTIMIZER)
def test_rows_without_gradient_may_be_left_alone_exactly_where_a_step_leaves_them(chosen: dict[str, Any]) -> None:
    weight = nn.Parameter(torch.ones(ROWS, UNITS))
    optimizer = make_optimizer([weight], chosen)

    def step(gradient: torch.Tensor) -> list[torch.Tensor]:
        weight.grad = gradient
        optimizer.step()
        state = [value for value in optimizer.state[weight].values() if torch.is_tensor(value)]
        return [value.detach()[2].clone() for value in (weight, *state) if value.shape == weight.shape]

    before = step(torch.full((ROWS, UNITS), 0.3))
    after = step(torch.full((ROWS, UNITS), 0.3).index_fill_(0, torch.tensor([2]), 0))
    is_left = len(before) == len(after) and all(map(torch.equal, before, after))
    assert leaves_rows_without_gradient(chosen) == is_left
