"""Networks of NumPy arrays say what those of torch say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from data.helpers import matrix_of

from imdbclf.inference.evaluate import logits_of
from imdbclf.model import arrays
from imdbclf.model.arrays import ArrayNetwork
from imdbclf.model.network import MLP, arrays_of
from imdbclf.setting_values import ACTIVATIONS


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_rows_have_the_logits_of_torch_alone_and_together(activation: str, dropout: float) -> None:
    torch.manual_seed(0)
    network = MLP(50, [8, 4], activation, dropout).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    rows = [sorted(np.random.default_rng(k).choice(50, k, replace=False).tolist()) for k in range(20)]
    matrix, expected = matrix_of(rows, 50), logits_of(network, matrix_of(rows, 50))
    made = arrays_of(network)
    np.testing.assert_allclose([made.logit(matrix.row(number)) for number in range(20)], expected, atol=1e-5)
    np.testing.assert_allclose(made.logits(matrix), expected, atol=1e-5)


def test_an_activation_without_a_line_here_is_computed_by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    made = arrays_of(MLP(3, [2], "gelu"))
    monkeypatch.setattr(arrays, "_ACTIVATIONS", {})
    by_torch = made.logit(np.array([0, 2], dtype=np.int32))
    monkeypatch.undo()
    assert by_torch == pytest.approx(made.logit(np.array([0, 2], dtype=np.int32)), abs=1e-6)


@pytest.mark.parametrize("shapes", [[(3, 2), (1,), (1, 2), (1,)], [(3, 2), (2,), (1, 3), (1,)], [(3, 2), (2,)]])
def test_layers_that_do_not_fit_together_are_refused(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="layer"):
        ArrayNetwork([np.zeros(shape, dtype=np.float32) for shape in shapes], "relu")
