"""The lecture's network with its size and activation as settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pkgutil import resolve_name
from typing import cast

import torch
from torch import Tensor, nn

from imdbclf.model.arrays import ArrayNetwork
from imdbclf.model.multihot_linear import MultiHotLinear
from imdbclf.setting_values import ACTIVATIONS
from imdbclf.settings import LECTURE


class _Counted(nn.Module):
    @property
    def parameter_count(self) -> int:
        """Number of trainable parameters; 160,305 for the lecture's network."""
        return sum(parameter.numel() for parameter in self.parameters())


class MLP(_Counted):
    """The multi-layer perceptron: multi-hot rows in, one logit per row out.

    Each hidden layer is followed by the activation and, optionally, dropout. Initial weights are Glorot-uniform and
    biases zero, as in Keras. The sigmoid is not part of the network: losses and probabilities apply it in a numerically
    stable form. `widths` are the units of each hidden layer, `activation` is a key of `imdbclf.settings.ACTIVATIONS`,
    and `dropout` the probability with which a hidden unit is left out in training.
    """

    def __init__(
        self,
        in_features: int,
        widths: Sequence[int] = tuple(LECTURE.model.widths),
        activation: str = LECTURE.model.activation,
        dropout: float = LECTURE.model.dropout,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.first = MultiHotLinear(in_features, widths[0])
        rest: list[nn.Module] = []
        activation_layer = resolve_name(ACTIVATIONS[activation])
        for width, next_width in zip(widths, [*widths[1:], 1], strict=True):
            rest.append(activation_layer())
            if dropout > 0:
                rest.append(nn.Dropout(dropout))
            layer = nn.Linear(width, next_width)
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
            rest.append(layer)
        self.rest = nn.Sequential(*rest)

    def forward(self, features: Tensor, transpose: Tensor | None = None) -> Tensor:
        """Logits (n,) for features (n, in_features) float32, sparse CSR or dense; see `MultiHotLinear.forward`."""
        logits = cast("Tensor", self.rest(self.first(features, transpose)))
        return logits.squeeze(1)


class Ensemble(_Counted):
    """Several perceptrons of one shape; the logit is the mean of theirs.

    The members differ in initial weights, order of batches and dropout, so their random errors cancel in the mean
    (Hansen & Salamon 1990). They are trained one after the other.
    """

    def __init__(self, members: Iterable[MLP]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, features: Tensor, transpose: Tensor | None = None) -> Tensor:
        """The mean logits, (n,); see `MLP.forward`."""
        return torch.stack([member(features, transpose) for member in self.members]).mean(0)


Network = MLP | Ensemble
"""One network, or an ensemble."""


def make_network(members: int, in_features: int, widths: Sequence[int], activation: str, dropout: float) -> Network:
    """One perceptron, or an ensemble of several."""
    networks = [MLP(in_features, widths, activation, dropout) for _ in range(members)]
    return networks[0] if members == 1 else Ensemble(networks)


def members_of(network: Network) -> list[MLP]:
    """The perceptrons of a network."""
    return [network] if isinstance(network, MLP) else [cast("MLP", member) for member in network.members]


def arrays_of(network: MLP) -> ArrayNetwork:
    """The perceptron as NumPy arrays, which share the memory of its parameters."""
    return ArrayNetwork([parameter.detach().numpy() for parameter in network.parameters()], network.activation)
