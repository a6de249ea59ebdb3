"""The command around its verbs: help, output that some terminals cannot show, and texts that would command them."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from commands import run

Capture = pytest.CaptureFixture[str]


def test_without_a_verb_the_help_is_shown(capsys: Capture) -> None:
    result = run(capsys)
    assert result.status == 0
    assert all(verb in result.out for verb in ("train", "data", "evaluate", "predict"))


def test_help_needs_neither_torch_nor_lightning_nor_hydra() -> None:
    script = (
        "import sys; from imdbclf.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'lightning', 'hydra', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("encoding", ["ascii", "cp437"])
def test_output_does_not_fail_for_its_encoding(
    best: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    commands = [["predict", best, "grand – 😀 \udcff"], ["evaluate", best], ["data", "sample"]]
    for command in commands:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
            assert run(capsys, *command).status == 0


def test_texts_and_messages_do_not_command_the_terminal(best: str, capsys: Capture) -> None:
    escape = "\x1b]0;title\x07"
    assert "\x1b" not in run(capsys, "predict", best, escape).out
    assert "\x1b" not in run(capsys, "predict", best, escape, "--json").out
    assert run(capsys, "predict", escape, "x").err.startswith("error: \\u001b]0;title\\u0007: there is no such")
