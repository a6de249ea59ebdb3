"""Lightning's checkpoints: written beside their targets, complete or not at all."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import subprocess
import sys
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


FULL = """
mount -t tmpfs -o size=700k run {here}/run && mount -t tmpfs -o size=2m temporary {here}/temporary || exit 77
{python} train {small} hydra.run.dir={here}/run/a 2> error; echo $? > status
for checkpoint in {here}/run/a/checkpoints/*.ckpt; do {python} predict $checkpoint "a good film" || exit 1; done
find {here}/run {here}/temporary -name '*.partial' -o -name 'tmp*'
"""


@pytest.mark.slow
def test_on_a_full_disk_beside_another_for_temporary_files_every_checkpoint_that_is_left_loads(
    here: Path, small: list[str]
) -> None:
    for name in ("run", "temporary"):
        (here / name).mkdir()
    python = shlex.join([sys.executable, "-W", "ignore", "-m", "imdbclf"])
    shell = FULL.format(here=here, python=python, small=shlex.join([*small, "model.hidden=64"]))
    done = subprocess.run(
        ["/usr/bin/env", "unshare", "--map-root-user", "--mount", "/bin/bash", "-c", shell],
        cwd=here,
        env=os.environ | {"TMPDIR": str(here / "temporary")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this user cannot mount file systems")
    assert (done.returncode, (here / "status").read_text(encoding="utf-8")) == (0, "2\n"), done
    assert "error: no space left on the disk of run/a: make room, go on: " in (here / "error").read_text(
        encoding="utf-8"
    )
    assert [line.split("\t")[-1] for line in done.stdout.splitlines()[-2:]] == ["a good film"] * 2
