"""The first layer: a multi-hot row times a weight matrix is the sum of the rows of its words.

The product costs by the words that are there if the batch is a CSR matrix in the forward pass and its transpose is one
in the backward pass. Autograd's own backward of that product takes several times as long, which is why there is a
function of our own here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


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
            return features @ self.weight + self.bias
        # Sparse products know no half precision; the layers behind this one do the rest in whatever is wanted.
        with torch.autocast(device_type=self.weight.device.type, enabled=False):
            product: Tensor = _MultiHotProduct.apply(features, self.weight, transpose)  # type: ignore[no-untyped-call]
            return product + self.bias

    def extra_repr(self) -> str:
        """What `print(module)` shows."""
        return f"in_features={self.weight.shape[0]}, out_features={self.weight.shape[1]}"


class _MultiHotProduct(torch.autograd.Function):
    """CSR (n, v) @ dense (v, u), differentiable in the dense factor."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, transpose: Tensor | None) -> Tensor:
        ctx.features, ctx.transpose = features, transpose
        return features.to(weight.dtype) @ weight

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[None, Tensor, None]:
        (gradient,) = grad_outputs
        transpose = ctx.transpose
        if transpose is None:
            columns = ctx.features.to_sparse_csc()
            transpose = torch.sparse_csr_tensor(
                columns.ccol_indices(),
                columns.row_indices(),
                columns.values(),
                size=ctx.features.shape[::-1],
                check_invariants=False,  # they are those of the features
            )
        # Whoever goes backward inside autocast gets the full precision of the weights all the same.
        with torch.autocast(device_type=gradient.device.type, enabled=False):
            return None, transpose.to(gradient.dtype) @ gradient.contiguous(), None
