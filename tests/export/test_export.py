"""`imdbclf export`: what it writes, what it refuses, and the check before a file gets its name."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from commands import run

from imdbclf.data.vocabulary import Vocabulary
from imdbclf.export import onnx
from imdbclf.export.texts import drawn_texts

Capture = pytest.CaptureFixture[str]


def test_an_export_is_checked_on_drawn_texts_and_the_test_reviews(
    here: Path, finished_run: Path, capsys: Capture
) -> None:
    result = run(capsys, "export", str(finished_run), "model.onnx")
    assert result.status == 0, result.err
    assert "model.onnx: 0.04 MB; checked on 700 texts: all labels equal, probabilities to " in result.out
    assert [file.name for file in here.iterdir()] == ["model.onnx"]


def test_a_copied_checkpoint_is_checked_on_drawn_texts(here: Path, finished_run: Path, capsys: Capture) -> None:
    (here / "copy.ckpt").write_bytes((finished_run / "checkpoints/best.ckpt").read_bytes())
    assert "checked on 500 texts" in run(capsys, "export", "copy.ckpt", "model.onnx").out


def test_only_an_earlier_export_is_replaced(here: Path, finished_run: Path, capsys: Capture) -> None:
    (here / "mine.onnx").write_text("mine")
    assert run(capsys, "export", str(finished_run), "model.onnx").status == 0
    refused = {
        ("model.onnx",): "model.onnx: exists; --force replaces an earlier export",
        ("mine.onnx", "--force"): "mine.onnx: is no earlier export, so it is not replaced",
    }
    for arguments, message in refused.items():
        result = run(capsys, "export", str(finished_run), *arguments)
        assert (result.status, result.err) == (2, f"error: {message}\n")
    assert run(capsys, "export", str(finished_run), "model.onnx", "--force", "--half").status == 0
    assert (here / "mine.onnx").read_text() == "mine"


@pytest.mark.usefixtures("here")
def test_weights_of_16_bits_that_change_too_much_are_refused_with_the_way_out(
    finished_run: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx, "HALF_TOLERANCE", 1e-9)
    result = run(capsys, "export", str(finished_run), "model.onnx", "--half")
    assert result.status == 2
    assert result.err.endswith("; --full keeps weights of 32 bits\n")
    assert run(capsys, "export", str(finished_run), "model.onnx").status == 0


@pytest.mark.parametrize("wrong", [0.01, float("nan")])
def test_an_export_that_differs_leaves_no_file(
    here: Path, finished_run: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    right = onnx.probabilities
    monkeypatch.setattr(onnx, "probabilities", lambda path, texts: right(path, texts) + np.float32(wrong))
    result = run(capsys, "export", str(finished_run), "model.onnx")
    assert result.status == 2
    assert result.err.startswith("error: model.onnx: not written, because it differs from the checkpoint by ")
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("model.onnx", "--to", "pmml"), "--to pmml: must be one of hub, onnx, torch, web"),
        (("nowhere/model.onnx",), "nowhere/model.onnx: there is no folder nowhere"),
    ],
)
def test_wrong_arguments_are_one_line(
    here: Path, finished_run: Path, capsys: Capture, arguments: tuple[str, ...], message: str
) -> None:
    result = run(capsys, "export", str(finished_run), *arguments)
    assert (result.status, result.err) == (2, f"error: {message}\n")
    assert not list(here.iterdir())


def test_a_missing_library_is_named_with_the_command_that_installs_it(
    here: Path, finished_run: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "imdbclf.export.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    result = run(capsys, "export", str(finished_run), "model.onnx")
    assert result.status == 2
    assert result.err.startswith("error: --to onnx: needs onnxruntime; install it with: ")
    assert not list(here.iterdir())


def test_the_same_texts_are_drawn_each_time() -> None:
    vocabulary = Vocabulary(("film", "great", "not great"))
    texts = drawn_texts(vocabulary)
    assert texts == drawn_texts(vocabulary)
    assert "" in texts
    assert any("NOT GREAT" in text for text in texts)
    assert drawn_texts(Vocabulary(()))
