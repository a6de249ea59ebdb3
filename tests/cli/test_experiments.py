"""The verbs of experiments other than `train`, on the command line."""

from __future__ import annotations

import pytest
from commands import run

Capture = pytest.CaptureFixture[str]


def test_the_command_shows_the_network_of_a_command_line_without_reviews(capsys: Capture) -> None:
    shown = run(capsys, "model", "model.hidden=32", "loss=mse", "data.source=nowhere")
    assert shown.status == 0
    assert "321,121 parameters" in shown.out
    assert "Loss:   mse" in shown.out


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.hidden=none", "model.hidden=none: must be a whole number or a list"),
        ("loss=x", "loss=x: must be bce, mse"),
        ("features.columns=2000000000", "needs about"),
    ],
)
def test_a_network_that_cannot_be_is_one_line(capsys: Capture, override: str, message: str) -> None:
    refused = run(capsys, "model", override)
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert message in refused.err
