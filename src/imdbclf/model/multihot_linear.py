"""The first layer: a multi-hot row times a weight matrix is the sum of the rows of its words.

The product costs by the words that are there if the batch is a CSR matrix in the forward pass and its transpose is one
in the backward pass. Autograd's own backward of that product takes ten times as long, which is why there is a function
of our own here.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class MultiHotLinear(nn.Module):
    """`features @ weight + bias` for sparse or dense multi-hot features.

    `weight` is (in_features, out_features), one row a word, so that both passes read whole rows. It is drawn from
    Glorot's uniform distribution and `bias` (out_features,) is zero, as in Keras.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, features: Tensor, transpose: Tensor | None = None) -> Tensor:
        """The layer's pre-activations, (n, out_features).

        Args:
            features: (n, in_features), sparse CSR or dense.
            transpose: `features` transposed, (in_features, n) CSR; without it a sparse backward pass makes it.
        """
        if features.layout == torch.strided:
            return torch.addmm(self.bias, features, self.weight)
        # Sums of many rows would suffer in half precision; the layers behind this one work in whatever is wanted.
        with _full_precision(self.weight):
            product: Tensor = _MultiHotProduct.apply(features, self.weight, self.bias, transpose)  # type: ignore[no-untyped-call]
            return product

    def extra_repr(self) -> str:
        """What `print(module)` shows."""
        return f"in_features={self.weight.shape[0]}, out_features={self.weight.shape[1]}"


class _MultiHotProduct(torch.autograd.Function):
    """CSR (n, v) @ dense (v, u) + dense (u,), differentiable in the dense ones."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, transpose: Tensor | None) -> Tensor:
        ctx.features, ctx.transpose = features, transpose
        return _sparse_product(features, weight) + bias

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[None, Tensor, Tensor, None]:
        (gradient,) = grad_outputs
        transpose = _transposed(ctx.features) if ctx.transpose is None else ctx.transpose
        # Whoever goes backward inside autocast gets the full precision of the weights all the same.
        with _full_precision(gradient):
            return None, _sparse_product(transpose, gradient.contiguous()), gradient.sum(0), None


def _sparse_product(sparse: Tensor, dense: Tensor) -> Tensor:
    """CSR (m, k) @ dense (k, u), as sums of the dense one's rows.

    `torch.nn.EmbeddingBag`'s kernel is up to three times as fast on one thread as the product of a CSR tensor, wakes no
    other thread for a single row, and is there on devices that have no CSR product.
    """
    return functional.embedding_bag(
        sparse.col_indices(),
        dense,
        sparse.crow_indices(),
        mode="sum",
        per_sample_weights=sparse.values().to(dense.dtype),
        include_last_offset=True,
    )


def _transposed(features: Tensor) -> Tensor:
    columns = features.to_sparse_csc()
    return torch.sparse_csr_tensor(
        columns.ccol_indices(),
        columns.row_indices(),
        columns.values(),
        size=features.shape[::-1],
        check_invariants=False,  # they are those of the features
    )


def _full_precision(tensor: Tensor) -> AbstractContextManager[Any]:
    """No autocast; entering a context for nothing would cost a twentieth of a training step."""
    device = tensor.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()
