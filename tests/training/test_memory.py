"""A network that the machine has no memory for is refused before any of it is taken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import run
from settings_helpers import settings_of

from imdbclf.model.network import make_network
from imdbclf.training.memory import memory_of_machine, needed_bytes


@pytest.mark.parametrize(
    ("config", "times"),
    [
        ({"optimizer": {"name": "sgd"}}, 5),
        ({"optimizer": {"name": "adam"}, "model": {"layers": 1, "hidden": [7]}}, 7),
        ({"model": {"members": 5}}, 5 * 4),
        ({"model": {"layers": 3}, "teacher": {"members": 2}, "data": {"unlabelled": "u"}}, 2 * 4),
    ],
)
def test_weights_gradients_the_optimizer_and_a_checkpoint_are_counted(config: dict[str, Any], times: int) -> None:
    settings = settings_of(**config)
    with torch.device("meta"):
        parameters = make_network(1, 500, settings.model.widths, "relu", 0).parameter_count
    assert needed_bytes(settings, 500, 0) == 4 * parameters * times


def test_a_batch_is_counted_with_its_columns_if_it_is_dense() -> None:
    csr, dense = (
        needed_bytes(settings_of(data={"layout": layout}), 10_000, 300) - needed_bytes(settings_of(), 10_000, 0)
        for layout in ("csr", "dense")
    )
    assert dense - csr == 4 * 300 * 10_000
    assert csr == 4 * 300 * 2 * 32


def test_a_network_that_is_too_large_is_refused_with_both_sizes(
    here: Path, small: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert memory_of_machine() is None or needed_bytes(settings_of(), 10_000, 15_000) < (memory_of_machine() or 0)
    result = run(capsys, "train", *small, "model.hidden=1000000")
    assert result.status == 2
    assert re.fullmatch(
        r"error: model\.hidden=1000000: this network of 2 hidden layers on 500 columns needs about 28,0\d\d\.\d GB of "
        r"memory in training, and there are [\d.,]+ GB; give a smaller model\.hidden, .*\n",
        result.err,
    )
    assert not list(here.rglob("outputs/*"))
