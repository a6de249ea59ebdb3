"""`trainer.devices=2`: one run, in two processes."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import lightning.pytorch as pl
import pytest
import torch
from commands import made, run, start
from lightning.pytorch.callbacks import Callback
from model.helpers import quiet_trainer

from imdbclf.data import multihot
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.errors import UserError
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.settings import DataSettings, FeatureSettings
from imdbclf.training.callbacks import EpochSeed
from imdbclf.training.processes import lead_processes

Capture = pytest.CaptureFixture[str]

TWO = ["trainer.devices=2", "trainer.strategy=ddp"]
FILES = {"best.ckpt", "last.ckpt", "config.yaml", "environment.json", "history.csv", "history.png"}
FILES |= {"metrics.json", "predictions.parquet", "reliability.png", "train.log"}


def history_of(folder: Path) -> list[dict[str, float]]:
    with (folder / "history.csv").open(encoding="utf-8", newline="") as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


def assert_alike(folder: Path, other: Path) -> None:
    ours, theirs = history_of(folder), history_of(other)
    assert len(ours) == len(theirs) > 0
    for one, another in zip(ours, theirs, strict=True):
        for name in one.keys() - {"seconds"}:
            assert one[name] == pytest.approx(another[name], abs=1e-3), name


def epochs_said(text: str) -> list[str]:
    return re.findall(r"^epoch (\d+)/", text, re.MULTILINE)


def logged_epochs(folder: Path) -> list[str]:
    return re.findall(r"epoch (\d+)/\d+ ", (folder / "train.log").read_text(encoding="utf-8"))


class Sweep(NamedTuple):
    """A sweep in two processes: where it was started, and what it said; its jobs have two and four epochs."""

    place: Path
    said: str

    def job(self, epochs: int) -> Path:
        """The folder of the job with so many epochs."""
        (folder,) = (self.place / "sweep" / "runs").glob(f"max_epochs-{epochs}_*")
        return folder


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, small: list[str], cache_folder: Path) -> Sweep:
    place = tmp_path_factory.mktemp("parallel")
    arguments = [*small, *TWO, "trainer.max_epochs=2,4", "hydra.sweep.dir=sweep"]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said := io.StringIO()):
        patch.chdir(place)
        made(cache_folder, "train", "-m", *arguments)
    return Sweep(place, said.getvalue())


def test_a_sweep_runs_each_job_once_in_one_folder_and_each_learns_what_one_process_learns(
    here: Path, sweep: Sweep, small: list[str], capsys: Capture
) -> None:
    assert re.findall(r"^\[(\d)/2\]", sweep.said, re.MULTILINE) == ["1", "2"]
    assert [path.name for path in sweep.place.iterdir()] == ["sweep"]
    assert {path.name for path in (sweep.place / "sweep" / "runs").iterdir()} == {sweep.job(2).name, sweep.job(4).name}
    for epochs in (2, 4):
        assert logged_epochs(sweep.job(epochs)) == [str(epoch) for epoch in range(1, epochs + 1)]
        arguments = [*small, "data.batch_size=128", f"trainer.max_epochs={epochs}", f"hydra.run.dir={epochs}"]
        assert run(capsys, "train", *arguments).status == 0
        assert_alike(sweep.job(epochs), here / str(epochs))


def test_a_run_has_one_folder_with_everything_and_says_each_epoch_once_and_goes_on_as_if_it_had_not_ended(
    here: Path, sweep: Sweep, small: list[str], capsys: Capture
) -> None:
    begun = sweep.job(2) / "checkpoints" / "last.ckpt"
    result = run(capsys, "train", *small, "trainer.devices=2", "trainer.max_epochs=4", f"ckpt_path={begun}")
    assert result.status == 0
    assert epochs_said(result.out) == ["3", "4"]
    (folder,) = (here / "outputs").iterdir()
    assert {path.name for path in folder.rglob("*") if path.is_file()} == FILES
    assert logged_epochs(folder) == ["3", "4"]
    columns = ("epoch", "train/loss", "train/accuracy", "val/loss", "val/accuracy")
    rows = [[[row[name] for name in columns] for row in history_of(place)] for place in (folder, sweep.job(4))]
    assert rows[0] == rows[1]


def test_who_ends_the_first_process_ends_all(here: Path, small: list[str]) -> None:
    arguments = [*small, *TWO, "trainer.max_epochs=100000"]
    with start("train", *arguments, cwd=here) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("epoch 1/"):
            assert process.poll() is None
        process.kill()
        # The output ends when nobody is left who could write to it.
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def in_two(**settings: Any) -> pl.Trainer:
    trainer = quiet_trainer(devices=2, strategy="ddp", **settings)
    lead_processes(trainer)
    return trainer


def module_of(small_files: dict[str, Path], batch_size: int) -> ReviewDataModule:
    """401 training reviews, 199 validation reviews: two processes never have as many."""
    files = {part: str(path) for part, path in small_files.items()}
    chosen: dict[str, Any] = {"source": "files", "val_size": 199, "batch_size": batch_size}
    return ReviewDataModule(DataSettings(**chosen | files), features=FeatureSettings(columns=500))


def classifier() -> ReviewClassifier:
    torch.manual_seed(0)
    return ReviewClassifier(500, [4, 3], optimizer={"name": "sgd", "lr": 0.5})


def figures(trainer: pl.Trainer) -> dict[str, Any]:
    return {name: pytest.approx(value.item(), abs=1e-6) for name, value in trainer.callback_metrics.items()}


def test_what_cannot_be_divided_evenly_is_counted_exactly_and_matrices_on_disk_are_shared(
    small_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multihot, "IN_MEMORY", 100)
    one, two = classifier(), classifier()
    alone, together = quiet_trainer(max_epochs=3), in_two(max_epochs=3)
    alone.fit(one, datamodule=module_of(small_files, 40))
    # 20 batches of 20 reviews, and one that is left for both.
    module = module_of(small_files, 20)
    module.setup()
    assert module.prepared.matrices["train"].on_disk
    together.fit(two, datamodule=module)
    for ours, theirs in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert figures(together) == {name: value.item() for name, value in alone.callback_metrics.items()}
    assert not torch.distributed.is_initialized()


class FailsElsewhere(Callback):
    """Fails in the other process only."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        if trainer.global_rank == 1:
            msg = "no more"
            raise ValueError(msg)


def test_a_failure_in_another_process_is_told_in_the_first(small_files: dict[str, Path]) -> None:
    trainer = in_two(max_epochs=3, callbacks=[FailsElsewhere()])
    with pytest.raises(RuntimeError, match=r"^process 2: ValueError: no more$"):
        trainer.fit(classifier(), datamodule=module_of(small_files, 32))
    assert not torch.distributed.is_initialized()


def test_what_cannot_be_sent_to_another_process_is_refused(small_files: dict[str, Path]) -> None:
    callback = Callback()
    callback.remark = lambda: None  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=r"process 2 can't get all that it needs: .*lambda"):
        in_two(max_epochs=1, callbacks=[callback]).fit(classifier(), datamodule=module_of(small_files, 32))


def test_several_processes_of_a_launcher_are_refused_in_a_line(
    here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "0")
    result = run(capsys, "train", *small, *TWO)
    assert result.status == 2
    assert "start the command once" in result.err
    assert not list(here.rglob("train.log"))


def test_several_machines_are_refused_in_a_line(small: list[str], capsys: Capture, here: Path) -> None:
    result = run(capsys, "train", *small, *TWO, "+trainer.num_nodes=2")
    assert result.status == 2
    assert result.err == "error: trainer.num_nodes=2: must be 1; all processes run on this machine\n"
    assert not list(here.rglob("train.log"))


def test_processes_leave_out_units_of_their_own() -> None:
    class At:
        current_epoch = 3

        def __init__(self, global_rank: int) -> None:
            self.global_rank = global_rank

    def drawn(rank: int) -> list[float]:
        EpochSeed(2**32 - 1).on_train_epoch_start(At(rank), None)  # type: ignore[arg-type]
        return torch.rand(3).tolist()

    assert drawn(0) != drawn(1)
    assert drawn(1) == drawn(1)


def test_train_py_may_be_read_again_by_the_processes_that_it_starts() -> None:
    script = Path(__file__).parents[2] / "train.py"
    code = f"import runpy; runpy.run_path({str(script)!r}, run_name='__mp_main__')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b""
