"""The first layer: a multi-hot row times a weight matrix is the sum of the rows of its words.

If the batch is a CSR matrix in the forward pass, and its transpose is one in the backward pass, the time of the product
depends on the number of words in the batch only. Autograd's own backward pass takes ten times as long, so there is a
function for it here.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class MultiHotLinear(nn.Module):
    """`features @ weight + bias` for sparse or dense features: zeros and ones, or term weights.

    `weight` is (in_features, out_features), one row per term, so that both passes read whole rows. Its initial values
    are Glorot-uniform, and `bias` (out_features,) starts at zero, as in Keras.

    With `sparse_gradient`, the gradient of `weight` for sparse features is a sparse tensor with the rows of the batch's
    terms. Adagrad and plain SGD then do not read or write other rows.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.zeros(out_features))
        nn.init.xavier_uniform_(self.weight)
        self.sparse_gradient = False

    def forward(self, features: Tensor, transpose: Tensor | None = None) -> Tensor:
        """The layer's pre-activations, (n, out_features), for features (n, in_features), sparse CSR or dense.

        `transpose` is `features` transposed, (in_features, n) CSR; if None, the sparse backward pass computes it.
        """
        if features.layout == torch.strided:
            return torch.addmm(self.bias, features, self.weight)
        # Sums of many rows would lose too much in half precision; the later layers use the requested precision.
        with _full_precision(self.weight):
            product: Tensor = _MultiHotProduct.apply(  # type: ignore[no-untyped-call]
                features, self.weight, self.bias, transpose, self.sparse_gradient
            )
            return product

    def extra_repr(self) -> str:
        """What `print(module)` shows."""
        return f"in_features={self.weight.shape[0]}, out_features={self.weight.shape[1]}"


class _MultiHotProduct(torch.autograd.Function):
    """CSR (n, v) @ dense (v, u) + dense (u,), differentiable in the dense ones."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        transpose: Tensor | None,
        sparse_gradient: bool,
    ) -> Tensor:
        ctx.features, ctx.transpose, ctx.sparse_gradient = features, transpose, sparse_gradient
        return _sparse_product(features, weight) + bias

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[None, Tensor, Tensor, None, None]:
        (gradient,) = grad_outputs
        transpose = _transposed(ctx.features) if ctx.transpose is None else ctx.transpose
        # The backward pass may be inside autocast; the gradient has the full precision of the weights all the same.
        with _full_precision(gradient):
            product = _active_rows_product if ctx.sparse_gradient else _sparse_product
            return None, product(transpose, gradient.contiguous()), gradient.sum(0), None, None


def _sparse_product(sparse: Tensor, dense: Tensor) -> Tensor:
    """CSR (m, k) @ dense (k, u)."""
    return _sums_of_rows(sparse, sparse.crow_indices(), dense)


def _active_rows_product(sparse: Tensor, dense: Tensor) -> Tensor:
    """CSR (m, k) @ dense (k, u), as a sparse tensor with the rows that are not empty in the first one."""
    offsets = sparse.crow_indices()
    active = torch.nonzero(offsets[1:] != offsets[:-1]).squeeze(1)
    rows = _sums_of_rows(sparse, torch.cat([offsets[active], offsets[-1:]]), dense)
    size = (len(offsets) - 1, dense.shape[1])
    return torch.sparse_coo_tensor(active[None], rows, size, is_coalesced=True, check_invariants=False)


def _sums_of_rows(sparse: Tensor, offsets: Tensor, dense: Tensor) -> Tensor:
    """Weighted sums of the dense tensor's rows, (offsets - 1, u); `offsets` are the starts of the sums in `sparse`.

    On one thread the kernel of `torch.nn.EmbeddingBag` is up to three times as fast as the product of a CSR tensor. It
    also starts no other thread for a single row, and works on devices without a CSR product.
    """
    return functional.embedding_bag(
        sparse.col_indices(),
        dense,
        offsets,
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
    """A context without autocast. If autocast is off, it is a null context, which saves a twentieth of a step."""
    device = tensor.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()
