"""Programs of `torch.export`, which any PyTorch runs without the code of this package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from commands import run

from export.test_onnx import KINDS
from imdbclf.checkpoint import Checkpoint, read_checkpoint
from imdbclf.export.texts import drawn_texts
from imdbclf.export.torch_program import is_ours, probabilities, write
from imdbclf.inference.predictor import Predictor


def written(checkpoint: Checkpoint, path: Path, *, half: bool = False) -> Path:
    write(checkpoint, path, half=half)
    return path


@pytest.mark.parametrize(("kind", "half"), [("members", False), ("members", True)])
def test_the_program_gives_the_probabilities(tmp_path: Path, kind: str, half: bool) -> None:
    checkpoint = KINDS[kind]
    path = written(checkpoint, tmp_path / "model.pt2", half=half)
    texts = drawn_texts(checkpoint.vectorizer.vocabulary)[:100]
    # These weights are far larger than those of a trained network.
    expected = Predictor(checkpoint).probabilities(texts)
    assert probabilities(path, texts) == pytest.approx(expected, abs=2e-3 if half else 1e-6)


def test_a_program_takes_any_number_of_rows_and_of_ones(tmp_path: Path, finished_run: Path) -> None:
    checkpoint = read_checkpoint(finished_run / "checkpoints/best.ckpt")
    program = torch.export.load(written(checkpoint, tmp_path / "model.pt2")).module()
    for texts in (["good"], [""], ["", "good", "bad film", "", ""]):
        rows = checkpoint.vectorizer.rows_of(texts)
        columns = torch.from_numpy(rows.columns.astype(np.int64))
        logits = program(torch.from_numpy(rows.offsets[:-1]), columns, torch.ones(len(columns)))
        assert torch.sigmoid(logits).tolist() == pytest.approx(Predictor(checkpoint).probabilities(texts), abs=1e-6)


def test_a_program_is_exported_by_the_command_and_known_again(
    here: Path, finished_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "mine.pt2").write_text("mine")
    for force in ((), ("--force",)):
        done = run(capsys, "export", str(finished_run), "model.pt2", "--to", "torch", *force)
        assert "checked on 700 texts: all labels equal" in done.out, done.err
    assert is_ours(here / "model.pt2")
    refused = run(capsys, "export", str(finished_run), "mine.pt2", "--to", "torch", "--force")
    assert refused.err == "error: mine.pt2: is no earlier export, so it is not replaced\n"
