from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from imdbclf.model.network import MLP, Ensemble, make_network, members_of
from imdbclf.setting_values import Layout
from model.helpers import WIDTH, batch_of

ROWS = [[0, 1, 5], [2], [], [39, 7, 7, 3]]

Array = npt.NDArray[np.float64]

_SELU = 1.0507009873554805, 1.6732632423543772
FORMULAS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: _SELU[0] * np.where(x > 0, x, _SELU[1] * np.expm1(x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
}


def network(widths: list[int], activation: str = "relu", dropout: float = 0.0) -> MLP:
    torch.manual_seed(0)
    made = MLP(WIDTH, widths, activation, dropout)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made


def by_hand(made: MLP, features: Tensor, activation: str) -> Array:
    """The same network in NumPy."""
    layers = [layer for layer in made.rest if isinstance(layer, nn.Linear)]
    values: Array = features.to_dense().numpy() @ made.first.weight.detach().numpy() + made.first.bias.detach().numpy()
    for layer in layers:
        values = FORMULAS[activation](values) @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    return values[:, 0]


def test_the_lectures_network_has_160305_parameters() -> None:
    assert MLP(10_000).parameter_count == 160_305
    assert [tuple(parameter.shape) for parameter in MLP(10_000).parameters()] == [
        (10_000, 16),
        (16,),
        (16, 16),
        (16,),
        (1, 16),
        (1,),
    ]


@pytest.mark.parametrize(
    ("widths", "count"), [([16], 160_033), ([32, 32], 321_121), ([64, 16, 4], 641_177), ([1], 10_003)]
)
def test_widths_are_those_of_the_hidden_layers(widths: list[int], count: int) -> None:
    made = MLP(10_000, widths)
    assert made.parameter_count == count
    assert [layer.in_features for layer in made.rest if isinstance(layer, nn.Linear)] == widths


@pytest.mark.parametrize("activation", sorted(FORMULAS))
@pytest.mark.parametrize("widths", [[4], [5, 3], [3, 4, 5]], ids=str)
def test_the_logits_are_those_of_the_formulas(activation: str, widths: list[int]) -> None:
    made = network(widths, activation)
    for layout in ("csr", "dense"):
        batch = batch_of(ROWS, layout)
        logits = made(batch.features, batch.transpose)
        assert logits.shape == (4,)
        np.testing.assert_allclose(logits.detach(), by_hand(made, batch.features, activation), atol=1e-5)


def test_no_activation_follows_the_last_layer() -> None:
    assert isinstance(list(network([4, 4], "sigmoid").rest)[-1], nn.Linear)


@pytest.mark.parametrize("rows", [[], [[]], [[3]]], ids=["none", "one without words", "one"])
def test_few_reviews_give_as_many_logits(rows: list[list[int]]) -> None:
    assert network([4, 4])(batch_of(rows).features).shape == (len(rows),)


def test_all_layers_are_glorot_uniform_with_zero_biases() -> None:
    torch.manual_seed(0)
    made = MLP(2_000, [300, 100])
    dense = [layer for layer in made.rest if isinstance(layer, nn.Linear)]
    for weight, ends in ((made.first.weight, 2_300), (dense[0].weight, 400), (dense[1].weight, 101)):
        limit = (6 / ends) ** 0.5
        assert 0.95 * limit < weight.abs().max() <= limit
        assert abs(weight.mean()) < 0.1 * limit
    assert all((bias == 0).all() for bias in (made.first.bias, dense[0].bias, dense[1].bias))


def test_the_seed_decides_the_first_weights() -> None:
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(MLP(50).first.weight)
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_dropout_leaves_out_hidden_units_in_training_alone() -> None:
    made, features = network([8, 8], dropout=0.5), batch_of(ROWS).features
    plain = network([8, 8])
    plain.load_state_dict(dict(zip(plain.state_dict(), made.state_dict().values(), strict=True)))
    expected = plain(features)
    assert torch.equal(made.eval()(features), expected)
    torch.manual_seed(0)
    passes = torch.stack([made.train()(features) for _ in range(50)])
    assert passes.std(dim=0).min() > 0


def test_dropout_keeps_the_mean_of_a_hidden_unit() -> None:
    made = network([400], dropout=0.25)
    nn.init.ones_(made.first.bias)
    nn.init.constant_(list(made.rest)[-1].weight, 1 / 400)  # type: ignore[arg-type]
    nn.init.zeros_(list(made.rest)[-1].bias)  # type: ignore[arg-type]
    torch.manual_seed(0)
    features = batch_of([[]] * 100).features
    assert made.train()(features).mean().item() == pytest.approx(1.0, abs=0.02)


def test_without_dropout_training_and_evaluation_agree() -> None:
    made, features = network([8, 8]), batch_of(ROWS).features
    assert torch.equal(made.train()(features), made.eval()(features))
    assert not any(isinstance(layer, nn.Dropout) for layer in made.modules())


def test_every_parameter_learns() -> None:
    made, batch = network([4, 4], "tanh"), batch_of([[word] for word in range(WIDTH)])
    made(batch.features, batch.transpose).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in made.parameters())
    assert made.first.weight.grad is not None
    assert made.first.weight.grad.abs().sum(dim=1).min() > 0


def ensemble(members: int, dropout: float = 0.0) -> Ensemble:
    torch.manual_seed(0)
    made = Ensemble(MLP(WIDTH, [4, 3], "tanh", dropout) for _ in range(members))
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made


@pytest.mark.parametrize("members", [2, 3, 5])
@pytest.mark.parametrize("layout", ["csr", "dense"])
def test_an_ensembles_logits_are_the_means_of_its_members(members: int, layout: Layout) -> None:
    made, batch = ensemble(members), batch_of(ROWS, layout)
    expected = np.mean([by_hand(member, batch.features, "tanh") for member in members_of(made)], axis=0)
    logits = made(batch.features, batch.transpose)
    assert logits.shape == (4,)
    np.testing.assert_allclose(logits.detach(), expected, atol=1e-5)


def test_members_differ_from_the_first_weights_on() -> None:
    first, second = members_of(Ensemble([MLP(WIDTH), MLP(WIDTH)]))
    assert not torch.equal(first.first.weight, second.first.weight)


def test_an_ensemble_has_the_parameters_of_all_its_members() -> None:
    assert Ensemble(MLP(10_000) for _ in range(5)).parameter_count == 5 * 160_305


def test_a_network_consists_of_its_members() -> None:
    alone, several = make_network(1, WIDTH, [4], "relu", 0.0), make_network(3, WIDTH, [4], "relu", 0.0)
    assert isinstance(alone, MLP)
    assert members_of(alone) == [alone]
    assert isinstance(several, Ensemble)
    assert members_of(several) == list(several.members)
    assert len(members_of(several)) == 3


def test_members_leave_out_hidden_units_of_their_own() -> None:
    made, features = ensemble(2, dropout=0.5), batch_of(ROWS).features
    twin = members_of(made)[0].state_dict()
    members_of(made)[1].load_state_dict(twin)
    torch.manual_seed(0)
    first, second = (member.train()(features) for member in members_of(made))
    assert not torch.equal(first, second)
    assert torch.equal(*(member.eval()(features) for member in members_of(made)))
