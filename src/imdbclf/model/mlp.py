"""The lecture's network with its size and activation as settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from torch import Tensor, nn

from imdbclf.model.multihot_linear import MultiHotLinear

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "silu": nn.SiLU,
    "leaky_relu": nn.LeakyReLU,
}
"""A new activation is a line here and its name in `settings.Activation`."""


class MLP(nn.Module):
    """Multi-hot reviews to one logit each.

    Every hidden layer is followed by the activation and, if wanted, dropout. Weights are Glorot-uniform and biases
    zero, as in Keras. The sigmoid is not part of the network: losses and probabilities apply it themselves, stably.

    Args:
        in_features: width of the multi-hot rows.
        widths: units of each hidden layer, first to last.
        activation: a key of `ACTIVATIONS`.
        dropout: probability with which a hidden unit is left out in training.
    """

    def __init__(
        self, in_features: int, widths: Sequence[int] = (16, 16), activation: str = "relu", dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.first = MultiHotLinear(in_features, widths[0])
        rest: list[nn.Module] = []
        for width, next_width in zip(widths, [*widths[1:], 1], strict=True):
            rest.append(ACTIVATIONS[activation]())
            if dropout > 0:
                rest.append(nn.Dropout(dropout))
            rest.append(_dense(width, next_width))
        self.rest = nn.Sequential(*rest)

    def forward(self, features: Tensor, transpose: Tensor | None = None) -> Tensor:
        """Logits of shape (n,).

        Args:
            features: (n, in_features) float32, sparse CSR or dense.
            transpose: see `MultiHotLinear.forward`.
        """
        logits = cast("Tensor", self.rest(self.first(features, transpose)))
        return logits.squeeze(1)

    @property
    def parameter_count(self) -> int:
        """Number of trainable numbers; 160,305 for the lecture's network."""
        return sum(parameter.numel() for parameter in self.parameters())


def _dense(in_features: int, out_features: int) -> nn.Linear:
    layer = nn.Linear(in_features, out_features)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
