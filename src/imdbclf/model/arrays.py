"""A trained network as NumPy arrays: for single rows faster than torch, and used without importing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import erf, sqrt
from pkgutil import resolve_name
from typing import Any

import numpy as np
import numpy.typing as npt

from imdbclf.data.multihot import MultiHotMatrix

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ArrayNetwork:
    """A perceptron with the logits of `imdbclf.model.network.MLP` up to rounding.

    `arrays` are weight and bias of each layer: (columns, units) and (units,) of the first, (outputs, inputs) and
    (outputs,) of the others. `activation` is a key of `imdbclf.setting_values.ACTIVATIONS`.
    """

    arrays: Sequence[Array]
    activation: str

    def __post_init__(self) -> None:
        """Check that the activation is known and the layers fit together, else `KeyError` and `ValueError`."""
        _activation(self.activation)
        width = self.arrays[0].shape[1]
        for weight, bias in self._dense:
            if weight.shape != (len(bias), width):
                raise ValueError(f"a layer of {weight.shape} weights and {len(bias)} biases after {width} units")
            width = len(bias)
        if self.arrays[1].shape != self.arrays[0].shape[1:] or width != 1:
            raise ValueError("its first or last layer has another size")

    @cached_property
    def _dense(self) -> list[tuple[Array, Array]]:
        return list(zip(self.arrays[2::2], self.arrays[3::2], strict=True))

    def logit(self, columns: npt.NDArray[np.int32], values: Array | None = None) -> float:
        """The logit of the row with the given columns set, (k,), to `values` (k,) or to 1."""
        rows = self.arrays[0].take(columns, axis=0)
        return float(self.from_sums(rows.sum(axis=0) if values is None else values @ rows))

    def logits(self, matrix: MultiHotMatrix) -> Array:
        """The logit of every row, (n,)."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - takes a tenth of a second, and single rows do not need it

        values = np.ones(len(matrix.columns), dtype=np.float32) if matrix.values is None else matrix.values
        rows = csr_array((values, matrix.columns, matrix.offsets), shape=(len(matrix), matrix.width))
        return self.from_sums(rows @ self.arrays[0])

    # A product of small matrices can report an invalid value although all numbers are finite: vector instructions read
    # what lies beside them in memory, too.
    @np.errstate(invalid="ignore")
    def from_sums(self, sums: Array) -> Array:
        """The logits (…) of what the first layer adds up for rows, (…, units), in its precision."""
        hidden, activate = sums + self.arrays[1], _activation(self.activation)
        for weight, bias in self._dense:
            hidden = activate(hidden) @ weight.T + bias
        return hidden[..., 0]


def _activation(name: str) -> Callable[[Array], Array]:
    return _ACTIVATIONS[name] if name in _ACTIVATIONS else _of_torch(name)


def _of_torch(name: str) -> Callable[[Array], Array]:
    """An activation that has no line below."""
    from imdbclf.setting_values import ACTIVATIONS  # noqa: PLC0415 - is slow to import, and its classes are torch's

    module = resolve_name(ACTIVATIONS[name])()
    tensor = resolve_name("torch.from_numpy")
    return lambda x: module(tensor(x)).numpy()


def _exponential(x: Array, scale: float = 1.0, alpha: float = 1.0) -> Array:
    found: Array = np.float32(scale) * np.where(x > 0, x, np.float32(alpha) * np.expm1(np.minimum(x, 0)))
    return found


def _sigmoid(x: Array) -> Array:
    half = np.float32(0.5)
    found: Array = np.tanh(x * half) * half + half
    return found


_erf = np.vectorize(erf, otypes=[np.float32])

_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "gelu": lambda x: x * (1 + _erf(x / sqrt(2))) / 2,
    "elu": _exponential,
    "selu": lambda x: _exponential(x, 1.0507009873554805, 1.6732632423543772),
    "silu": lambda x: x * _sigmoid(x),
    "leaky_relu": lambda x: np.where(x > 0, x, np.float32(0.01) * x),
}
"""The activations of torch, without torch."""
