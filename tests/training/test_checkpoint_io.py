"""Lightning's checkpoints: written beside their targets, complete or not at all."""

from __future__ import annotations

import resource
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from imdbclf.checkpoint import load_plain
from imdbclf.errors import is_full_disk
from imdbclf.training.checkpoint_io import DurableCheckpointIO


@contextmanager
def nearly_full_disk(size: int) -> Iterator[None]:
    """Files cannot become larger than this, which a program sees as it sees a full disk: a write fails part-way."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_checkpoint_is_written_beside_its_target_and_not_in_the_folder_for_temporary_files(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "there is no such folder"))
    contents = load_plain(finished_run / "checkpoints" / "last.ckpt")
    DurableCheckpointIO().save_checkpoint(contents, tmp_path / "new" / "last.ckpt")
    assert load_plain(tmp_path / "new" / "last.ckpt")["epoch"] == contents["epoch"]


def test_a_full_disk_leaves_the_checkpoint_of_the_epoch_before(finished_run: Path, tmp_path: Path) -> None:
    contents, path = load_plain(finished_run / "checkpoints" / "last.ckpt"), tmp_path / "last.ckpt"
    DurableCheckpointIO().save_checkpoint(contents, path)
    contents |= {"epoch": 99, "weights": torch.ones(100_000)}
    with nearly_full_disk(50_000), pytest.raises(OSError, match="File too large") as error:
        DurableCheckpointIO().save_checkpoint(contents, path)
    assert is_full_disk(error.value)
    assert load_plain(path)["epoch"] == 2
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_the_checkpoints_of_a_run_have_digests(finished_run: Path) -> None:
    for name in ("best.ckpt", "last.ckpt"):
        data = bytearray((finished_run / "checkpoints" / name).read_bytes())
        assert len(data[-64:].decode().strip("0123456789abcdef")) == 0
