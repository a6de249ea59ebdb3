"""`imdbclf train` as users type it: what it prints, what it refuses, how it is stopped, and which folders it takes."""

from __future__ import annotations

import os
import pickle
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import filelock
import lightning.pytorch as pl
import pytest
import torch
from commands import going_on, metrics_of, run, start
from conftest import Once
from folders.helpers import OF_OTHERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imdbclf.cli.main import main
from imdbclf.errors import UserError
from imdbclf.folders.sweep import Sweep, SweepFolder
from training.helpers import is_same, stopped_at

Capture = pytest.CaptureFixture[str]


def test_without_a_terminal_the_output_is_plain_lines_and_ends_with_a_command_that_works(
    here: Path, small: list[str], capsys: Capture
) -> None:
    result = run(capsys, "train", *small)
    assert result.status == 0
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", result.out)
    (folder,) = (here / "outputs").iterdir()
    for said in ("epoch 3/3", "95 % interval", "Validation loss was lowest", f"Files:    outputs/{folder.name}"):
        assert said in result.out
    command = next(line for line in result.out.splitlines() if line.startswith("Try next: "))
    answer = run(capsys, *shlex.split(command.removeprefix("Try next: "))[1:])
    assert answer.status == 0
    assert answer.out.split("\t")[0] in {"neg", "pos"}


def test_the_source_is_printed_at_the_start_and_at_the_end_and_is_among_the_metrics(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(here / "hf"))
    out = run(capsys, "train", "experiment=smoke", "hydra.run.dir=run").out
    first, *others = out.splitlines()
    assert first.startswith("Warning: these are generated reviews (the bundled sample), not IMDB, because IMDBCLF_DATA")
    assert "For IMDB, connect to the internet, or set IMDBCLF_DATA to its folder" in first
    for text in ("bundled sample", "IMDBCLF_DATA is not set"):
        assert "\n".join(others).count(text) == 2
    assert "bundled sample" in metrics_of(here / "run")["data_source"]
    assert "IMDBCLF_DATA is not set" in metrics_of(here / "run")["data_source_because"]
    # The sample's reviews are of no films.
    assert "one film" not in out


# Which folders a run takes


def test_a_used_folder_is_refused_and_left_as_it_was(finished_run: Path, small: list[str], capsys: Capture) -> None:
    before = metrics_of(finished_run)
    result = run(capsys, "train", *small, f"hydra.run.dir={finished_run}")
    assert result.status == 2
    assert "already holds a run" in result.err
    assert metrics_of(finished_run) == before


FOREIGN = ("final/thesis.txt", "members/list.txt", "teacher/notes.txt", "metrics.json", "train.log", "history.csv")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("chosen", "stop"), [("p", "data.train=mistyped.csv"), (".", "trainer.max_epochs=1")])
def test_a_run_never_deletes_or_overwrites_files_of_others(
    here: Path, small: list[str], capsys: Capture, chosen: str, stop: str
) -> None:
    for name in FOREIGN:
        path = here / chosen / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"mine: {name}", encoding="utf-8")
    before = bytes_of(here)
    for mode in (["train", f"hydra.run.dir={chosen}"], ["train", "-m", "seed=0,1", f"hydra.sweep.dir={chosen}"]):
        result = run(capsys, *mode, *small, stop)
        assert result.status == 2
        assert "is not empty" in result.err
        assert bytes_of(here) == before


def test_a_refused_run_leaves_an_empty_folder_that_was_there(here: Path, small: list[str], capsys: Capture) -> None:
    (here / "p").mkdir()
    assert run(capsys, "train", *small, "data.train=mistyped.csv", "hydra.run.dir=p").status == 2
    assert run(capsys, "train", *small, "data.train=mistyped.csv", "hydra.run.dir=q").status == 2
    assert list((here / "p").iterdir()) == []
    assert not (here / "q").exists()


LAYOUTS = st.sets(st.sampled_from([*OF_OTHERS, ".hidden", "notes/history.csv"]), min_size=1)


@pytest.fixture(scope="module")
def stopped_folders(once: Once, small: list[str], cache_folder: Path) -> Path:
    """A run and a sweep of one job, each stopped in its final fit."""

    def make(folder: Path) -> None:
        for mode in (["hydra.run.dir="], ["-m", "seed=0", "hydra.sweep.dir="]):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("IMDBCLF_CACHE", str(cache_folder))
                stopped_at(patch, 4)
                with pytest.raises(SystemExit, match="130"):
                    main(["train", *small, "refit=true", *mode[:-1], f"{mode[-1]}{folder / str(len(mode))}"])

    return once("stopped_folders", make)


@pytest.mark.slow
@given(LAYOUTS, LAYOUTS, st.sampled_from(["1", "3"]), st.sampled_from(["refused", "interrupted", "failed", "finished"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_lies_in_a_folder_stays_whether_a_run_is_refused_interrupted_failed_or_finished(
    stopped_folders: Path,
    small: list[str],
    capsys: Capture,
    inside: set[str],
    in_runs: set[str],
    kind: str,
    ending: str,
) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        folder = shutil.copytree(stopped_folders / kind, Path(place) / "folder")
        runs = [folder, *folder.glob("runs/*")]
        foreign = {runs[0] / name for name in inside} | {runs[-1] / name for name in in_runs}
        for path in foreign:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"mine: {path}", encoding="utf-8")
        if ending == "interrupted":
            stopped_at(patch, 1)
        if ending == "failed":
            patch.setattr("imdbclf.training.run.Results.write", lambda *_, **__: 1 / 0)
        asked = [*small, f"hydra.run.dir={folder}"] if ending == "refused" else ["--resume", str(folder)]
        status = run(capsys, "train", *asked).status
        failed = 2 if kind == "3" else 1
        assert status == {"refused": 2, "interrupted": 130, "failed": failed, "finished": 0}[ending]
        assert {path: path.read_text(encoding="utf-8") for path in foreign} == {
            path: f"mine: {path}" for path in foreign
        }


# What stops a run


def test_a_run_that_is_killed_and_terminated_and_moved_goes_on_by_the_printed_command_to_the_same_result(
    here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = [*(override for override in small if "max_epochs" not in override), "trainer.max_epochs=50"]
    run(capsys, "train", *longer, "hydra.run.dir=undisturbed")
    process = start("train", *longer, "hydra.run.dir=runs/0", cwd=here)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("epoch 3/"):
            process.kill()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    (said,) = (line for line in lines if line.startswith("Folder: runs/0 "))
    again = shlex.split(said.partition("go on with: ")[2].removesuffix(")\n"))
    undisturb = stopped_at(monkeypatch, 1, by=signal.SIGTERM)
    terminated = run(capsys, *again[1:])
    undisturb()
    assert terminated.status == 143
    assert "\nepoch 1/" not in terminated.out
    assert "Interrupted after epoch" in terminated.out
    assert (here / "runs/0/history.png").read_bytes().startswith(b"\x89PNG")
    assert going_on(terminated.out) == again[1:]
    (here / "runs/0").rename(here / "moved")
    assert run(capsys, *again[1:-1], "moved").status == 0
    assert is_same(here / "moved", here / "undisturbed")


def test_a_moved_run_keeps_its_own_best_epoch_although_another_run_is_at_its_old_place(
    here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So steep that an early epoch stays the best.
    steep = [*small, "optimizer.lr=0.3", "trainer.max_epochs=5"]
    run(capsys, "train", *steep, "hydra.run.dir=undisturbed")
    assert metrics_of(here / "undisturbed")["best_epoch"] < 4
    undisturb = stopped_at(monkeypatch, 4)
    run(capsys, "train", *steep, "hydra.run.dir=place")
    undisturb()
    (here / "place").rename(here / "moved")
    run(capsys, "train", *small, "model.hidden=8", "hydra.run.dir=place")
    elsewhere = run(capsys, "train", *steep, "ckpt_path=moved/checkpoints/last.ckpt", "hydra.run.dir=elsewhere")
    resumed = run(capsys, "train", "--resume", "moved")
    assert (elsewhere.status, resumed.status) == (0, 0)
    assert is_same(here / "moved", here / "undisturbed")
    assert is_same(here / "elsewhere", here / "undisturbed")
    assert str(here).encode() not in (here / "moved/checkpoints/last.ckpt").read_bytes()


def test_a_checkpoint_without_its_best_epoch_beside_it_is_refused(
    here: Path, small: list[str], finished_run: Path, capsys: Capture
) -> None:
    (here / "late").mkdir()
    last, best = (torch.load(finished_run / f"checkpoints/{name}.ckpt", weights_only=True) for name in ("last", "best"))
    last["callbacks"]["History"]["rows"][0]["val/loss"] = 0.0
    torch.save(last, here / "late/last.ckpt")
    torch.save(best, here / "late/best.ckpt")
    refused = run(capsys, "train", *small, "trainer.max_epochs=5", "ckpt_path=late/last.ckpt", "hydra.run.dir=run")
    assert refused.status == 2
    assert "ckpt_path=late/last.ckpt: its best epoch, 1, is not in best.ckpt beside it; give a" in refused.err
    assert not (here / "run").exists()


def test_a_run_that_died_between_the_two_checkpoints_of_an_epoch_goes_on_from_the_newer_one(
    here: Path, small: list[str], finished_run: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = pl.Trainer.save_checkpoint

    def die(self: pl.Trainer, path: Path) -> None:
        if path.name == "last.ckpt" and self.current_epoch == 1:
            raise KeyboardInterrupt
        save(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(pl.Trainer, "save_checkpoint", die)
        assert run(capsys, "train", *small, "hydra.run.dir=run").status == 130
    resumed = run(capsys, "train", "--resume", "run")
    assert ["epoch 2/3" in resumed.out, "epoch 3/3" in resumed.out] == [False, True]
    assert is_same(here / "run", finished_run)


def test_a_resumed_run_still_knows_why_its_source_was_chosen(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(here / "hf"))
    undisturb = stopped_at(monkeypatch, 1)
    stopped_run = run(capsys, "train", "experiment=smoke", "trainer.max_epochs=2", "hydra.run.dir=run")
    undisturb()
    assert run(capsys, *going_on(stopped_run.out)).status == 0
    assert "IMDBCLF_DATA is not set" in metrics_of(here / "run")["data_source_because"]


def test_what_cannot_go_on_says_so_in_one_line_and_nothing_is_changed(
    here: Path, finished_run: Path, capsys: Capture
) -> None:
    (here / "other").mkdir()
    shutil.copytree(finished_run, here / "busy").joinpath("metrics.json").unlink()
    cut = shutil.copytree(here / "busy", here / "cut") / "config.yaml"
    cut.write_text(cut.read_text().partition("optimizer:")[0])
    for arguments, message in (
        (["nowhere"], "--resume nowhere: is not the folder of a run or of a sweep"),
        (["other"], "--resume other: is not the folder of a run or of a sweep"),
        (["busy", "seed=1"], "--resume FOLDER: takes nothing else; it goes on with the settings of the folder"),
        (["busy"], "busy: another process works on this run"),
        (["cut"], "cut/config.yaml: its end is missing, and with it settings of the run"),
    ):
        with filelock.FileLock(here / "busy/.lock"):
            before = bytes_of(here)
            refused = run(capsys, "train", "--resume", *arguments)
            assert (refused.status, refused.err.count("\n")) == (2, 1)
            assert message in refused.err
            assert bytes_of(here) == before
    finished = run(capsys, "train", f"--resume={finished_run}")
    assert (finished.status, finished.out) == (
        0,
        f"{finished_run}: the run is finished; there is nothing to go on with\n",
    )


@pytest.mark.parametrize("is_written", [False, True])
def test_sigterm_before_the_fit_ends_with_its_own_status_and_keeps_a_folder_that_can_go_on(
    here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    def terminated(*_: object) -> NoReturn:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError

    monkeypatch.setattr(f"imdbclf.training.app.{'environment' if is_written else 'write_config'}", terminated)
    result = run(capsys, "train", *small, "hydra.run.dir=run")
    assert (result.status, result.err) == (143, "error: interrupted\n")
    assert (here / "run").exists() == is_written


@pytest.mark.parametrize(("epochs", "said"), [(0, "nothing was kept"), (1, "Interrupted after epoch 1 of 3")])
def test_ctrl_c_ends_a_run_and_keeps_its_folder_if_an_epoch_is_finished(
    here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch, epochs: int, said: str
) -> None:
    stopped_at(monkeypatch, epochs)
    result = run(capsys, "train", *small, "hydra.run.dir=run")
    assert result.status == 130
    assert said in result.out
    assert (here / "run").exists() == (epochs > 0)


def test_a_full_disk_is_reported_in_one_line_and_leaves_no_half_written_run(
    here: Path, small: list[str], capsys: Capture
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # 20 kB a file: the configs fit, a checkpoint does not.
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        done = run(capsys, "train", *small, "hydra.run.dir=run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert done.status == 2
    assert done.err == "error: no space left on the disk of run: make room, run it again\n"
    assert not (here / "run").exists()


def test_debug_raises_the_error_itself(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(UserError, match=r"model.hidden=0"):
        main(["--debug", "train", "model.hidden=0"])
    assert not list(here.iterdir())


# What is refused. tests/test_settings.py has the values of the settings, test_compose.py what Hydra refuses.

REFUSED = {
    "loss=bcee": "loss=bcee: must be bce, mse; did you mean 'bce'?",
    "model.hidden=0": "model.hidden=0: must be 1 or more or a list",
    "features.order=2 features.min_documents=300": "features.columns=500: there are only ",
    "features.order=2 features.min_documents=100000": (
        "features.columns=500: there are only 0 n-grams of up to 2 words in 100000 or more training reviews"
    ),
    "data.val_size=600": "data.val_size=600: must be below the 600 training reviews (a count, or a fraction below 1); "
    "data.val_size=0.2 fits",
    "data.text_column=review": "part train has no column 'review'; data.text_column must be one of text, label",
    "data.group=film": "part train has no column 'film'; data.group=film must be null or one of text, label",
    "data.source=nowhere": "is only used with data=files, and data.source=nowhere names other reviews",
    "+trainer.max_stepz=1": "trainer.max_stepz=1: there is no such key; did you mean 'max_steps'?",
    "trainer.accelerator=mps": "trainer: ",
    "trainer.val_check_interval=1000": "trainer: `val_check_interval` (1000) must be less than or equal to the number",
    "trainer.overfit_batches=1e-9": "trainer: You requested to check 1e-09 of the `train_dataloader`",
    "data.val_size=1e-9": "data.val_size=1e-09: is none of 600 reviews; give a larger one, or 0",
    "loss=null": "loss=null: must be bce, mse",
    "hydra.run.dir=a::b": "hydra.run.dir=a::b: must not contain '::'",
    f"hydra.run.dir={'a' * 300}": "File name too long",
    "hydra.run.dir='~no/such/user'": "home directory",
    "ckpt_path=nowhere.ckpt": "nowhere.ckpt: there is no such checkpoint file",
    "ckpt_path=damaged.ckpt": "damaged.ckpt: ",
    "ckpt_path=foreign.ckpt": "foreign.ckpt: ",
}


@pytest.mark.parametrize(("override", "message"), REFUSED.items())
def test_a_wrong_value_is_refused_in_one_line_and_leaves_nothing(
    here: Path, small: list[str], finished_run: Path, capsys: Capture, override: str, message: str
) -> None:
    (here / "damaged.ckpt").write_bytes((finished_run / "checkpoints/last.ckpt").read_bytes()[:1000])
    torch.save({"state_dict": {}}, here / "foreign.ckpt")
    result = run(capsys, "train", *small, *override.split())
    assert result.status == 2
    assert result.err.startswith("error: ")
    assert message in result.err
    assert result.err.count("\n") == 1
    assert not list(here.rglob("outputs/*"))


def test_every_choice_of_hydra_for_logging_writes_our_log_and_a_tilde_is_the_home_folder(
    here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(here))
    for choice in ("disabled", "none"):
        arguments = [f"hydra/job_logging={choice}", "trainer.max_epochs=1", f"hydra.run.dir='~/{choice}'"]
        result = run(capsys, "train", *small, *arguments)
        assert result.status == 0, result.err
        assert "epoch 1/1" in (here / choice / "train.log").read_text(encoding="utf-8")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("loss=bce,null", "loss=null: must be bce, mse"),
        (f"seed=1,{'9' * 5000}", "digits"),
        ("hydra.sweep.dir=a::b", "hydra.sweep.dir=a::b: must not contain '::'"),
        ("hydra.job.chdir=true", "hydra.job.chdir=true: must be false"),
    ],
)
def test_a_sweep_refuses_what_cannot_be_composed(small: list[str], capsys: Capture, axis: str, message: str) -> None:
    result = run(capsys, "train", "-m", *small, axis, "model.hidden=2,3")
    assert (result.status, message in result.err, result.err.count("\n")) == (2, True, 1), result.err


class Trap:
    """Unpickling it makes a folder called `trap`."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("trap",)


def test_without_arguments_it_trains_the_lecture(
    here: Path, small_files: dict[str, Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMDBCLF_DATA", str(small_files["train"]))
    result = run(capsys, "train")
    assert result.status == 0, result.err
    (folder,) = (here / "outputs").glob("*_lecture")
    assert metrics_of(folder)["epochs"] == 20


WRONG_OPTIONS = {
    "--epochs 5": "--epochs: there is no such option; a setting is KEY=VALUE",
    "--mutlirun seed=1,2": "--mutlirun: there is no such option; a setting is KEY=VALUE; did you mean '--multirun'?",
    "-x": "-x: there is no such option; a setting is KEY=VALUE",
    "--cfg": "--cfg: must be followed by job, hydra or all",
    "-c jb": "-c: must be followed by job, hydra or all",
}


@pytest.mark.parametrize("options", WRONG_OPTIONS)
def test_a_wrong_option_is_one_line(here: Path, capsys: Capture, options: str) -> None:
    result = run(capsys, "train", *options.split())
    assert (result.status, result.err) == (2, f"error: {WRONG_OPTIONS[options]}\n")
    assert not list(here.iterdir())


@pytest.mark.parametrize("options", [["-c", "job"], ["--cfg=hydra"], ["--cf", "job", "--resolve"], ["--help"]])
def test_options_of_hydra_work_also_shortened(here: Path, capsys: Capture, options: list[str]) -> None:
    assert run(capsys, "train", *options).status == 0
    assert not list(here.iterdir())


@pytest.mark.parametrize("option", ["--experimental-rerun", "--experimental-rerun=", "--experi", "--e="])
def test_a_pickle_file_is_never_run(here: Path, small: list[str], capsys: Capture, option: str) -> None:
    (here / "evil.pickle").write_bytes(pickle.dumps(Trap()))
    given = [f"{option}evil.pickle"] if option.endswith("=") else [option, "evil.pickle"]
    result = run(capsys, "train", *small, *given)
    assert (result.status, result.err.count("\n")) == (2, 1)
    assert result.err.startswith(f"error: {given[0]}: is refused, because it runs code that is in the file; ")
    assert [path.name for path in here.iterdir()] == ["evil.pickle"]
    SweepFolder(here / "sweep").write(Sweep("lecture", f"imdbclf train -m {shlex.join(given)}", [], []))
    resumed = run(capsys, "train", "--resume", "sweep")
    assert (resumed.status, resumed.err) == (2, result.err)


def test_several_processes_are_refused_in_a_sweep_and_under_another_launcher_too(
    here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = run(capsys, "train", "-m", *small, "trainer.devices=1,2", "hydra.sweep.dir=sweep")
    assert (swept.status, "trainer.devices=2: must be auto or 1" in swept.err) == (2, True)
    monkeypatch.setenv("WORLD_SIZE", "2")
    launched = run(capsys, "train", *small)
    assert (launched.status, "WORLD_SIZE=2: must be 1" in launched.err) == (2, True)
    assert not list(here.rglob("train.log"))


def test_train_py_starts_no_run_when_a_process_of_a_launcher_reads_it_again() -> None:
    script = Path(__file__).parents[2] / "train.py"
    code = f"import runpy; runpy.run_path({str(script)!r}, run_name='__mp_main__')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b""


def test_the_completion_of_hydra_is_for_the_command_that_was_typed(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py"])
    assert run(capsys, "train", "-sc", "install=bash").out.endswith("hydra_bash_completion python\n")
