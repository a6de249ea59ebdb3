from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from data.helpers import matrix_of
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from imdbclf.data.batches import batch_of_rows, csr_tensor, dense_tensor, transposed_csr_tensor
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.term_weights import TermWeights
from imdbclf.model.multihot_linear import MultiHotLinear
from imdbclf.model.optimizers import Adagrad
from model.helpers import batch_of, drawn

WORDS, UNITS = 9, 3
ROWS = st.lists(st.lists(st.integers(0, WORDS - 1), max_size=12), min_size=1, max_size=6)


def layer_of(units: int = UNITS, words: int = WORDS) -> MultiHotLinear:
    torch.manual_seed(0)
    layer = MultiHotLinear(words, units)
    torch.nn.init.normal_(layer.bias)
    return layer


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_the_product_is_the_sum_of_the_rows_of_the_distinct_words_plus_bias(rows: list[list[int]]) -> None:
    layer = layer_of()
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = [sum((weight[word] for word in set(row)), start=bias) for row in rows]
    for layout in ("csr", "dense"):
        batch = batch_of(rows, layout, WORDS)
        np.testing.assert_allclose(layer(batch.features, batch.transpose).detach(), expected, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(ROWS)
def test_one_rows_result_does_not_depend_on_its_batch(rows: list[list[int]]) -> None:
    layer = layer_of()
    together = layer(batch_of(rows, "csr", WORDS).features)
    alone = torch.cat([layer(batch_of([row], "csr", WORDS).features) for row in rows])
    assert torch.equal(together, alone)


def gradients(layer: MultiHotLinear, features: Tensor, transpose: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    layer.zero_grad()
    result = layer(features, transpose)
    torch.manual_seed(1)
    (result * torch.randn_like(result)).sum().backward()
    assert layer.weight.grad is not None
    assert layer.bias.grad is not None
    return result.detach(), layer.weight.grad.clone(), layer.bias.grad.clone()


@pytest.mark.parametrize("units", [1, 16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_sparse_with_and_without_transpose_and_dense_agree_in_value_and_gradient(
    units: int, dtype: torch.dtype
) -> None:
    matrix, _ = drawn(30)
    layer = layer_of(units, matrix.width).to(dtype)
    dense = gradients(layer, dense_tensor(matrix).to(dtype), None)
    with_transpose = gradients(layer, csr_tensor(matrix), transposed_csr_tensor(matrix))
    without = gradients(layer, csr_tensor(matrix), None)
    for expected, one, other in zip(dense, with_transpose, without, strict=True):
        torch.testing.assert_close(one, expected)
        torch.testing.assert_close(other, expected)


@pytest.mark.parametrize("with_transpose", [True, False], ids=["with transpose", "without"])
def test_the_gradient_is_that_of_finite_differences(with_transpose: bool) -> None:
    batch = batch_of([[0, 3, 3], [], [1, 2, 8]], "csr", WORDS)
    layer = layer_of().double()

    def product(weight: Tensor, bias: Tensor) -> Tensor:
        chosen = {"weight": weight, "bias": bias}
        transpose = batch.transpose if with_transpose else None
        result: Tensor = torch.func.functional_call(layer, chosen, (batch.features, transpose))
        return result

    inputs = tuple(parameter.detach().requires_grad_() for parameter in (layer.weight, layer.bias))
    assert torch.autograd.gradcheck(product, inputs)


def test_a_word_that_does_not_occur_has_no_gradient() -> None:
    layer = layer_of()
    batch = batch_of([[0, 3], [3]], "csr", WORDS)
    layer(batch.features, batch.transpose).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad[:, 0].tolist() == [1, 0, 0, 2, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("layout", ["csr", "dense"])
def test_rows_without_words_give_the_bias(layout: str) -> None:
    layer = layer_of()
    batch = batch_of([[], []], "csr" if layout == "csr" else "dense", WORDS)
    result = layer(batch.features, batch.transpose)
    assert torch.equal(result, layer.bias.expand(2, UNITS))
    result.sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().sum() == 0
    assert layer.bias.grad is not None
    assert layer.bias.grad.tolist() == [2.0] * UNITS


@pytest.mark.parametrize("layout", ["csr", "dense"])
def test_half_precision_autocast_works_on_the_cpu(layout: str) -> None:
    layer = layer_of(16)
    batch = batch_of([[0, 3, 5], [], [1, 2]], "csr" if layout == "csr" else "dense", WORDS)
    with torch.autocast("cpu", torch.bfloat16):
        result = layer(batch.features, batch.transpose)
        total = torch.nn.functional.linear(result, torch.ones(1, 16)).sum()
    total.backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(result.float(), layer(batch.features), rtol=0.02, atol=0.02)
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32
    assert layer.weight.grad[:, 0].tolist() == [1, 1, 1, 1, 0, 1, 0, 0, 0]


def test_inference_mode_takes_sparse_rows() -> None:
    layer = layer_of()
    features = batch_of([[0, 3], []], "csr", WORDS).features
    with torch.inference_mode():
        result = layer(features)
    assert torch.equal(result, layer(features))


def test_weights_are_glorot_uniform_and_the_bias_is_zero() -> None:
    torch.manual_seed(0)
    layer = MultiHotLinear(10_000, 16)
    limit = (6 / (10_000 + 16)) ** 0.5
    assert layer.weight.shape == (10_000, 16)
    weight = layer.weight.detach()
    assert 0.999 * limit < weight.abs().max().item() <= limit
    assert weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.01)
    assert layer.bias.tolist() == [0.0] * 16


def test_the_layer_prints_its_size() -> None:
    assert str(MultiHotLinear(9, 3)) == "MultiHotLinear(in_features=9, out_features=3)"


def weighted(rows: list[list[int]], unit_length: bool = True) -> MultiHotMatrix:
    """The rows with a weight for every word, some of them negative, one 0."""
    weights: npt.NDArray[np.float32] = np.linspace(-2, 2, WORDS, dtype=np.float32)
    return matrix_of(rows, WORDS).weighted(TermWeights(weights, unit_length))


@settings(max_examples=25, deadline=None)
@given(ROWS, st.booleans())
def test_weighted_rows_have_the_values_and_gradients_of_dense_ones(rows: list[list[int]], unit_length: bool) -> None:
    matrix, layer = weighted(rows, unit_length), layer_of()
    dense = gradients(layer, dense_tensor(matrix), None)
    for transpose in (transposed_csr_tensor(matrix), None):
        for one, expected in zip(gradients(layer, csr_tensor(matrix), transpose), dense, strict=True):
            torch.testing.assert_close(one, expected, rtol=1e-5, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.booleans(), st.booleans())
def test_a_sparse_gradient_is_the_dense_one_to_the_last_bit_in_the_rows_of_the_batchs_words(
    rows: list[list[int]], with_weights: bool, with_transpose: bool
) -> None:
    matrix, layer = weighted(rows) if with_weights else matrix_of(rows, WORDS), layer_of()
    transpose = transposed_csr_tensor(matrix) if with_transpose else None
    dense = gradients(layer, csr_tensor(matrix), transpose)
    layer.sparse_gradient = True
    sparse = gradients(layer, csr_tensor(matrix), transpose)
    assert [one.layout for one in sparse] == [torch.strided, torch.sparse_coo, torch.strided]
    assert sparse[1].coalesce().indices()[0].tolist() == sorted({word for row in rows for word in row})
    for one, expected in zip(sparse, dense, strict=True):
        assert torch.equal(one.to_dense(), expected)


def test_dense_features_have_a_dense_gradient_whatever_is_asked_for() -> None:
    layer = layer_of()
    layer.sparse_gradient = True
    layer(dense_tensor(matrix_of([[0, 3], []], WORDS))).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.layout == torch.strided


def test_of_600000_columns_a_sparse_gradient_has_only_those_of_the_batch() -> None:
    layer, words = layer_of(2, 600_000), [0, 7, 123_456, 599_999]
    layer.sparse_gradient = True
    batch = batch_of([words, words[:2]], "csr", 600_000)
    result = layer(batch.features, batch.transpose)
    torch.testing.assert_close(result[0], layer.weight[words].sum(0) + layer.bias)
    result.sum().backward()
    gradient = layer.weight.grad
    assert gradient is not None
    assert gradient.shape == (600_000, 2)
    assert gradient.coalesce().indices()[0].tolist() == words
    assert gradient.coalesce().values().tolist() == [[2, 2], [2, 2], [1, 1], [1, 1]]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(ROWS, ROWS), min_size=1, max_size=3))
def test_gradients_added_up_over_two_batches_are_the_dense_ones_to_the_last_bit(
    pairs: list[tuple[list[list[int]], list[list[int]]]],
) -> None:
    layers = [layer_of(), layer_of()]
    layers[1].sparse_gradient = True
    optimizers: list[Any] = [Adagrad(layer.parameters(), lr=0.5) for layer in layers]
    for pair in pairs:
        for layer, optimizer in zip(layers, optimizers, strict=True):
            optimizer.zero_grad()
            for rows in pair:
                batch = batch_of_rows(weighted(rows), torch.zeros(len(rows)), "csr", training=True)
                layer(batch.features, batch.transpose).square().sum().backward()
            optimizer.step()
    assert torch.equal(layers[0].weight, layers[1].weight)
    assert torch.equal(layers[0].bias, layers[1].bias)
