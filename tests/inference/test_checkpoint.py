"""Checkpoints: plain, sufficient, and never executed."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from imdbclf.errors import UserError
from imdbclf.inference.checkpoint import load_plain, read_checkpoint
from imdbclf.model import CHECKPOINT_KEY


class Hostile:
    """Unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def best(finished_run: Path) -> Path:
    return finished_run / "checkpoints" / "best.ckpt"


def test_a_checkpoint_is_plain_types_and_carries_all_it_needs(best: Path) -> None:
    ours = torch.load(best, weights_only=True)[CHECKPOINT_KEY]
    assert len(ours["vocabulary"].split("\n")) == 499
    assert {"settings", "versions", "data_source", "label_names"} <= ours.keys()


def test_a_classifier_loads_in_a_fresh_process_from_the_path_alone(best: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from imdbclf import ReviewClassifier\n"
        "model = ReviewClassifier.load_from_checkpoint(sys.argv[1])\n"
        "print(len(model.vocabulary), model.network.parameter_count)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(best)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["499", "8305"]


@pytest.mark.parametrize("plain_pickle", [True, False])
def test_a_hostile_file_is_refused_and_not_run(tmp_path: Path, plain_pickle: bool) -> None:
    trap, file = tmp_path / "trap", tmp_path / "hostile.ckpt"
    if plain_pickle:
        file.write_bytes(pickle.dumps({"state_dict": Hostile(trap)}))
    else:
        torch.save({"state_dict": Hostile(trap)}, file)
    with pytest.raises(UserError, match="refused"):
        load_plain(file)
    assert not trap.exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_a_file_cut_short_is_refused(best: Path, tmp_path: Path, share: float) -> None:
    data = best.read_bytes()
    (tmp_path / "cut.ckpt").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UserError, match="not a readable checkpoint"):
        read_checkpoint(tmp_path / "cut.ckpt")


@pytest.mark.parametrize("contents", [{}, {"state_dict": {}}, [1, 2], {CHECKPOINT_KEY: {"format": 99}}])
def test_another_programs_checkpoint_is_refused(tmp_path: Path, contents: object) -> None:
    torch.save(contents, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="a checkpoint, but"):
        read_checkpoint(tmp_path / "x.ckpt")


def test_a_checkpoint_that_claims_a_larger_network_than_it_holds_is_refused(best: Path, tmp_path: Path) -> None:
    contents = torch.load(best, weights_only=True)
    contents["hyper_parameters"]["widths"] = [10**12]
    torch.save(contents, tmp_path / "large.ckpt")
    with pytest.raises(UserError, match="do not fit together"):
        read_checkpoint(tmp_path / "large.ckpt")
