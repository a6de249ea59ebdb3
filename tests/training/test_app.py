"""`imdbclf train` as people type it."""

from __future__ import annotations

import csv
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from commands import metrics_of, run, start

from imdbclf.data.sources.sample import draw_reviews
from imdbclf.inference.evaluate import evaluate_checkpoint
from imdbclf.model import CHECKPOINT_KEY

RUN_FILES = {
    "config.yaml",
    "history.csv",
    "history.png",
    "metrics.json",
    "predictions.parquet",
    "reliability.png",
    "environment.json",
    "train.log",
    "checkpoints/best.ckpt",
    "checkpoints/last.ckpt",
}

Capture = pytest.CaptureFixture[str]


def weights_of(checkpoint: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torch.load(checkpoint, weights_only=True)["state_dict"]
    return weights


def equal_weights(one: Path, other: Path) -> bool:
    ours, theirs = weights_of(one), weights_of(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_run_folder_holds_what_its_documentation_lists(finished_run: Path) -> None:
    files = {path.relative_to(finished_run).as_posix() for path in finished_run.rglob("*") if path.is_file()}
    assert files == RUN_FILES


def test_the_metrics_name_everything_that_a_report_needs(finished_run: Path) -> None:
    metrics = json.loads((finished_run / "metrics.json").read_text(encoding="utf-8"))
    needed = {"test/accuracy", "test/loss", "val/loss", "val/accuracy", "best_epoch", "parameters", "fit_seconds"}
    assert needed | {"data_source", "test/accuracy_interval", "test/loss_interval"} <= metrics.keys()
    assert metrics["parameters"] == 500 * 16 + 16 + 16 * 16 + 16 + 16 + 1
    low, high = metrics["test/accuracy_interval"]
    assert low < metrics["test/accuracy"] < high


def test_predictions_are_of_the_test_part_and_give_the_reported_accuracy(finished_run: Path) -> None:
    table = pq.read_table(finished_run / "predictions.parquet").to_pydict()
    assert len(set(table["id"])) == 200
    hits = sum((p > 0.5) == bool(label) for p, label in zip(table["probability"], table["label"], strict=True))
    assert hits / 200 == metrics_of(finished_run)["test/accuracy"]


def test_the_history_has_a_row_an_epoch_and_no_holes(finished_run: Path) -> None:
    with (finished_run / "history.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(value for row in rows for value in row.values())


def test_the_picture_is_a_png(finished_run: Path) -> None:
    assert (finished_run / "history.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_checkpoints_are_the_best_and_the_last_epoch_although_validation_worsens(
    here: Path, small: list[str], capsys: Capture
) -> None:
    arguments = [*small, "trainer.max_epochs=12", "optimizer.lr=0.03", "hydra.run.dir=run"]
    assert run(capsys, "train", *arguments).status == 0
    best_epoch = metrics_of(here / "run")["best_epoch"]
    assert best_epoch < 12
    epochs = {
        name: torch.load(here / f"run/checkpoints/{name}.ckpt", weights_only=True)["epoch"] + 1
        for name in ("best", "last")
    }
    assert epochs == {"best": best_epoch, "last": 12}


def test_without_a_terminal_the_output_is_plain_lines_with_metrics_conclusion_files_and_a_next_command(
    here: Path, small: list[str], capsys: Capture
) -> None:
    result = run(capsys, "train", *small)
    assert result.status == 0
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", result.out)
    assert "epoch 3/3" in result.out
    assert "95 % interval" in result.out
    assert "Validation loss was lowest" in result.out
    (folder,) = (here / "outputs").iterdir()
    assert f"Files:    outputs/{folder.name}" in result.out
    assert re.search(r"Try next: \S*imdbclf predict ", result.out)


@pytest.mark.usefixtures("here")
def test_the_printed_next_command_works(small: list[str], capsys: Capture) -> None:
    out = run(capsys, "train", *small).out
    command = next(line for line in out.splitlines() if line.startswith("Try next: "))
    answer = run(capsys, *shlex.split(command.removeprefix("Try next: "))[1:])
    assert answer.status == 0
    assert answer.out.split("\t")[0] in {"neg", "pos"}


def test_the_source_is_said_at_the_start_at_the_end_and_in_the_result(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(here / "hf"))
    out = run(capsys, "train", "experiment=smoke", "hydra.run.dir=run").out
    assert out.count("bundled sample") == 2
    assert out.count("IMDBCLF_DATA is not set") == 2
    assert "bundled sample" in metrics_of(here / "run")["data_source"]
    assert "IMDBCLF_DATA is not set" in metrics_of(here / "run")["data_source_because"]


def test_the_same_seed_gives_the_same_run_bit_for_bit_and_another_one_another(
    here: Path, small: list[str], capsys: Capture
) -> None:
    dropouts = ["model.dropout=0.3", "features.dropout=0.3"]
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        run(capsys, "train", *small, *dropouts, f"seed={seed}", f"hydra.run.dir={name}")
    assert metrics_of(here / "a") == metrics_of(here / "b")
    assert equal_weights(here / "a/checkpoints/last.ckpt", here / "b/checkpoints/last.ckpt")
    assert not equal_weights(here / "a/checkpoints/last.ckpt", here / "c/checkpoints/last.ckpt")


def test_a_shuffled_source_gives_the_same_run_bit_for_bit(
    here: Path, small: list[str], small_files: dict[str, Path], capsys: Capture
) -> None:
    lines = small_files["train"].read_text(encoding="utf-8").splitlines(keepends=True)
    (here / "shuffled.jsonl").write_text("".join(sorted(lines)), encoding="utf-8")
    run(capsys, "train", *small, "hydra.run.dir=a")
    run(capsys, "train", *small, "data.train=shuffled.jsonl", "hydra.run.dir=b")
    assert equal_weights(here / "a/checkpoints/best.ckpt", here / "b/checkpoints/best.ckpt")


def test_columns_that_are_not_the_lectures_are_said(here: Path, small_ngrams: list[str], capsys: Capture) -> None:
    out = run(capsys, "train", *small_ngrams, "trainer.max_epochs=1", "hydra.run.dir=run").out
    line = (
        "2,000 columns: terms of up to 3 words by z_score, log-odds, rows of length 1, 30% of them left out in training"
    )
    assert line in out
    assert metrics_of(here / "run")["columns"] == 2000


LABELLED = Sequence[tuple[str, int]]


def write_reviews(path: Path, reviews: LABELLED) -> None:
    path.write_text("".join(json.dumps({"text": t, "label": n}) + "\n" for t, n in reviews), encoding="utf-8")


def read_reviews(path: Path) -> list[tuple[str, int]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(review["text"], review["label"]) for review in map(json.loads, lines)]


def carried_by(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint carries besides the weights, each tensor as a list."""
    ours: dict[str, Any] = torch.load(checkpoint, weights_only=True)[CHECKPOINT_KEY]
    weighting = ours.get("weighting")
    return ours | {"weighting": weighting and weighting | {"columns": weighting["columns"].tolist()}}


@pytest.mark.parametrize("features", ["small", "small_ngrams"])
def test_the_labels_of_test_reviews_have_no_part_in_what_is_learnt(
    here: Path, small_files: dict[str, Path], capsys: Capture, features: str, request: pytest.FixtureRequest
) -> None:
    overrides = request.getfixturevalue(features)
    reviews = read_reviews(small_files["test"])
    for name, labels in (("right", [label for _, label in reviews]), ("garbage", [n % 3 % 2 for n in range(200)])):
        write_reviews(here / "test.jsonl", [(text, label) for (text, _), label in zip(reviews, labels, strict=True)])
        assert run(capsys, "train", *overrides, "data.test=test.jsonl", f"hydra.run.dir={name}").status == 0
    for name in ("best", "last"):
        right, garbage = (here / folder / f"checkpoints/{name}.ckpt" for folder in ("right", "garbage"))
        assert equal_weights(right, garbage)
        assert carried_by(right) == carried_by(garbage)
    assert metrics_of(here / "right")["test/accuracy"] != metrics_of(here / "garbage")["test/accuracy"]


def test_labels_that_tell_nothing_teach_nothing(
    here: Path, small_ngrams: list[str], small_files: dict[str, Path], capsys: Capture
) -> None:
    # Half of the reviews of each label get the other one, so that right and wrong are equally often.
    reviews = read_reviews(small_files["train"])
    texts = [sorted(text for text, label in reviews if label == n) for n in (0, 1)]
    write_reviews(here / "train.jsonl", [(text, place % 2) for same in texts for place, text in enumerate(same)])
    write_reviews(here / "test.jsonl", [(r["text"], r["label"]) for r in draw_reviews("test").to_pylist()])
    common = [*small_ngrams, "data.test=test.jsonl", "data.val_size=0", "trainer.max_epochs=8"]
    for name, more in (("right", []), ("shuffled", ["data.train=train.jsonl"])):
        assert run(capsys, "train", *common, *more, f"hydra.run.dir={name}").status == 0
    right, shuffled = (metrics_of(here / name) for name in ("right", "shuffled"))
    assert shuffled["train/accuracy"] > 0.9
    assert 0.44 < shuffled["test/accuracy"] < 0.56
    assert right["test/accuracy"] > 0.7


def test_the_dense_layout_gives_the_same_figures_to_rounding(here: Path, small: list[str], capsys: Capture) -> None:
    for layout in ("csr", "dense"):
        run(capsys, "train", *small, f"data.layout={layout}", f"hydra.run.dir={layout}")
    sparse, dense = metrics_of(here / "csr"), metrics_of(here / "dense")
    assert dense["val/loss"] == pytest.approx(sparse["val/loss"], rel=1e-4)


@pytest.mark.parametrize("first", [1, 2])
def test_a_resumed_run_equals_an_uninterrupted_one(here: Path, small: list[str], capsys: Capture, first: int) -> None:
    common = [*small, "model.dropout=0.2", "features.dropout=0.3", "optimizer.lr=0.03"]
    run(capsys, "train", *common, "trainer.max_epochs=4", "hydra.run.dir=whole")
    run(capsys, "train", *common, f"trainer.max_epochs={first}", "hydra.run.dir=begun")
    resumed = ["ckpt_path=begun/checkpoints/last.ckpt", "trainer.max_epochs=4", "hydra.run.dir=resumed"]
    run(capsys, "train", *common, *resumed)
    for name in ("best", "last"):
        assert equal_weights(here / f"whole/checkpoints/{name}.ckpt", here / f"resumed/checkpoints/{name}.ckpt")
    assert metrics_of(here / "whole") == metrics_of(here / "resumed")


def test_a_config_runs_again_by_the_command_at_its_head(here: Path, small: list[str], capsys: Capture) -> None:
    run(capsys, "train", *small, "loss=mse", "model.layers=1", "hydra.run.dir=first")
    head = (here / "first/config.yaml").read_text(encoding="utf-8").splitlines()[0]
    command = shlex.split(head.removeprefix("# Run this again: "))
    assert run(capsys, *command[1:], "hydra.run.dir=second").status == 0
    assert metrics_of(here / "first") == metrics_of(here / "second")


def test_the_final_fit_uses_every_review_and_its_last_epoch(here: Path, small: list[str], capsys: Capture) -> None:
    arguments = ["experiment=lecture_final", *small, "data.val_size=0", "trainer.max_epochs=2", "hydra.run.dir=run"]
    result = run(capsys, "train", *arguments)
    assert result.status == 0, result.err
    metrics = metrics_of(here / "run")
    assert metrics["reviews"] == {"train": 600, "val": 0, "test": 200}
    assert metrics["best_epoch"] == 2
    assert "val/loss" not in metrics
    assert "no validation part" in result.out
    assert equal_weights(here / "run/checkpoints/best.ckpt", here / "run/checkpoints/last.ckpt")


def test_reviews_without_a_test_part_are_fitted_and_validated(here: Path, small: list[str], capsys: Capture) -> None:
    result = run(capsys, "train", *small, "data.test=null", "hydra.run.dir=run")
    assert result.status == 0
    assert "test/loss" not in metrics_of(here / "run")
    assert not (here / "run/predictions.parquet").exists()


@pytest.mark.usefixtures("here")
def test_more_columns_or_larger_batches_than_there_is_to_fill_them_are_said(small: list[str], capsys: Capture) -> None:
    more = ["features.columns=1000000", "data.batch_size=10000", "trainer.max_epochs=1", "threads=null"]
    result = run(capsys, "train", *small, *more, "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert re.search(r"only [\d,]+ columns: the training part has no more words", result.out)
    assert "one batch an epoch: the training part has no more reviews" in result.out


def test_a_used_folder_is_refused_and_left_as_it_was(finished_run: Path, small: list[str], capsys: Capture) -> None:
    before = metrics_of(finished_run)
    result = run(capsys, "train", *small, f"hydra.run.dir={finished_run}")
    assert result.status == 2
    assert "already holds a run" in result.err
    assert metrics_of(finished_run) == before


FOREIGN = ("final/thesis.txt", "members/list.txt", "teacher/notes.txt", "metrics.json", "train.log", "history.csv")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("chosen", ["p", "."])
@pytest.mark.parametrize("stop", ["data.train=mistyped.csv", "trainer.max_epochs=1"])
def test_a_run_never_deletes_or_overwrites_files_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: list[str], capsys: Capture, chosen: str, stop: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in FOREIGN:
        path = tmp_path / chosen / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"mine: {name}", encoding="utf-8")
    before = bytes_of(tmp_path)
    for mode in (["train", f"hydra.run.dir={chosen}"], ["train", "-m", "seed=0,1", f"hydra.sweep.dir={chosen}"]):
        result = run(capsys, *mode, *small, stop)
        assert result.status == 2
        assert "is not empty" in result.err
        assert bytes_of(tmp_path) == before


def test_a_refused_run_leaves_an_empty_folder_that_was_there(here: Path, small: list[str], capsys: Capture) -> None:
    (here / "p").mkdir()
    assert run(capsys, "train", *small, "data.train=mistyped.csv", "hydra.run.dir=p").status == 2
    assert run(capsys, "train", *small, "data.train=mistyped.csv", "hydra.run.dir=q").status == 2
    assert list((here / "p").iterdir()) == []
    assert not (here / "q").exists()


def test_early_stopping_and_other_trainer_arguments_work(here: Path, small: list[str], capsys: Capture) -> None:
    more = ["callbacks=early_stopping", "callbacks.early_stopping.patience=1", "optimizer.lr=0.05"]
    arguments = [*more, "+trainer.gradient_clip_algorithm=norm", "trainer.gradient_clip_val=1.0", "logger=csv"]
    result = run(capsys, "train", *small, *arguments, "trainer.max_epochs=30", "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert metrics_of(here / "run")["epochs"] < 30
    assert list((here / "run").rglob("csv/**/metrics.csv"))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_says_what_it_reached_and_the_command_that_goes_on(
    here: Path, small: list[str], capsys: Capture, number: int, status: int
) -> None:
    endless = [override for override in small if "max_epochs" not in override] + ["trainer.max_epochs=100000"]
    process = start("train", *endless, "hydra.run.dir=runs/0", cwd=here)
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        if line.startswith("epoch 3/") and not any(said.startswith("epoch 3/") for said in lines):
            process.send_signal(number)
        lines.append(line)
    process.stdout.close()
    assert process.wait() == status
    out = "".join(lines)
    assert "Interrupted after epoch" in out
    assert "Traceback" not in out
    (again,) = (line.removeprefix("Go on:    ") for line in lines if line.startswith("Go on:"))
    (history,) = (here / "runs").glob("*/history.csv")
    done = len(history.read_text(encoding="utf-8").splitlines()) - 1
    resumed = run(capsys, *shlex.split(again)[1:], f"trainer.max_epochs={done + 1}", "hydra.run.dir=resumed")
    assert resumed.status == 0, resumed.err
    assert metrics_of(here / "resumed")["epochs"] == done + 1


REFUSED = {
    "model.hiden=3": "model.hiden: there is no such key; did you mean 'model.hidden'?",
    "+model.hiden=3": "model.hiden=3: there is no such key; did you mean 'model.hidden'?",
    "+optimzer=adam": "optimzer=adam: there is no such key; did you mean 'optimizer'?",
    "loss=bcee": "loss=bcee: must be bce, mse; did you mean 'bce'?",
    "optimizer=adm": "optimizer=adm: must be adagrad, adam, adamw, rmsprop, sgd; did you mean 'adam'?",
    "hydra.run.dri=x": "hydra.run.dri: there is no such key; did you mean 'hydra.run.dir'?",
    "model.hidden=abc": "model.hidden=abc: must be a whole number or a list",
    "model.hidden=0": "model.hidden=0: must be 1 or more or a list",
    "data.batch_size=0": "data.batch_size=0: must be 1 or more",
    "calibration=foo": "calibration=foo: must be none, temperature",
    "calibration.name=foo": "calibration.name=foo: must be none or temperature",
    "threads=0": "threads=0: must be 1 or more",
    "optimizer.lr=-1": "optimizer.lr=-1: must be above 0",
    "trainer.max_epochs=-7": "trainer.max_epochs=-7: must be 1 or more",
    "data.vocab_size=500": "data.vocab_size: there is no such key",
    "+data.vocab_size=500": "data.vocab_size=500: there is no such key",
    "features=foo": "features=foo: must be ngrams, unigrams",
    "features.order=4": "features.order=4: must be 3 or less",
    "features.selection=foo": "features.selection=foo: must be frequency, log_odds or z_score",
    "features.weighting=foo": "features.weighting=foo: must be multi_hot or log_odds",
    "features.dropout=1": "features.dropout=1: must be below 1",
    "features.order=2 features.min_documents=300": "features.columns=500: there are only ",
    "features.order=2 features.min_documents=100000": (
        "features.columns=500: there are only 0 n-grams of up to 2 words in 100000 or more training reviews"
    ),
    "features.columns=2": "features.columns=2: must be 3 or more",
    "data.val_size=600": "data.val_size=600: must be below the 600 training reviews (a count, or a fraction below 1)",
    "data.text_column=review": "part train has no column 'review'; data.text_column must be one of text, label",
    "data.group=film": "part train has no column 'film'; data.group=film must be null or one of text, label",
    "data.train=nowhere.csv": "data.train=nowhere.csv: there is no such file",
    "data.source=nowhere": "data.source=nowhere: no such folder; must be auto, sample, files",
    "+trainer.max_stepz=1": "trainer.max_stepz=1: Lightning's Trainer has no such argument; did you mean 'max_steps'?",
    "trainer.accelerator=warp": "invalid accelerator name",
    "trainer.devices=2": "trainer.devices=2: must be 1; a run uses one process and one device; imdbclf train -m",
    "trainer.devices='2'": "trainer.devices=2: must be 1; a run uses one process",
    "trainer.devices=[0,1]": "trainer.devices=[0, 1]: must be 1; a run uses one process",
    "trainer.devices='0,1'": "trainer.devices=0,1: must be 1; a run uses one process",
    "+trainer.num_nodes=2": "trainer.num_nodes=2: must be 1; a run uses one process",
    "trainer.strategy=ddp": "trainer.strategy=ddp: must be auto; a run uses one process",
    "ckpt_path=nowhere.ckpt": "nowhere.ckpt: there is no such checkpoint file",
    "ckpt_path=epoch=3.ckpt": "put values with spaces, commas or '=' into double quotes",
}


@pytest.mark.parametrize(("override", "message"), REFUSED.items())
def test_a_wrong_value_is_refused_in_one_line_and_leaves_nothing(
    here: Path, small: list[str], capsys: Capture, override: str, message: str
) -> None:
    result = run(capsys, "train", *small, *override.split())
    assert result.status == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert not list(here.rglob("outputs/*"))


def test_several_processes_are_refused_in_a_sweep_and_under_another_launcher_too(
    here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = run(capsys, "train", "-m", *small, "trainer.devices=1,2", "hydra.sweep.dir=sweep")
    assert (swept.status, "trainer.devices=2: must be 1" in swept.err) == (2, True)
    monkeypatch.setenv("WORLD_SIZE", "2")
    launched = run(capsys, "train", *small)
    assert (launched.status, "WORLD_SIZE=2: must be 1" in launched.err) == (2, True)
    assert not list(here.rglob("train.log"))


def test_all_devices_of_a_machine_may_be_asked_for_where_they_are_one(
    here: Path, small: list[str], capsys: Capture
) -> None:
    result = run(capsys, "train", *small, "trainer.devices=auto", "trainer.max_epochs=1", "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert metrics_of(here / "run")["epochs"] == 1


def test_train_py_starts_no_run_when_a_process_of_a_launcher_reads_it_again() -> None:
    script = Path(__file__).parents[2] / "train.py"
    code = f"import runpy; runpy.run_path({str(script)!r}, run_name='__mp_main__')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b""


def test_debug_shows_the_traceback(here: Path) -> None:
    command = [sys.executable, "-m", "imdbclf", "--debug", "train", "model.hidden=0"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_a_full_disk_is_said_in_one_line_and_leaves_no_half_written_run(here: Path, small: list[str]) -> None:
    # 20 kB a file: the configs fit, a checkpoint does not.
    shell = f"ulimit -f 20; exec {shlex.join([sys.executable, '-m', 'imdbclf', 'train', *small, 'hydra.run.dir=run'])}"
    done = subprocess.run(["/bin/bash", "-c", shell], cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: no space left on the disk of run: make room, run it again\n"
    assert not (here / "run").exists()


@pytest.mark.parametrize("damage", ["truncated", "foreign"])
def test_resuming_from_a_damaged_checkpoint_is_refused(
    here: Path, small: list[str], finished_run: Path, capsys: Capture, damage: str
) -> None:
    if damage == "truncated":
        (here / "x.ckpt").write_bytes((finished_run / "checkpoints/last.ckpt").read_bytes()[:1000])
    else:
        torch.save({"state_dict": {}}, here / "x.ckpt")
    result = run(capsys, "train", *small, "ckpt_path=x.ckpt")
    assert result.status == 2
    assert result.err.startswith("error: x.ckpt: ")


@pytest.mark.usefixtures("here")
def test_resuming_with_another_network_or_fewer_epochs_is_refused(
    small: list[str], finished_run: Path, capsys: Capture
) -> None:
    last = f"ckpt_path={finished_run}/checkpoints/last.ckpt"
    assert "another model, loss or optimizer" in run(capsys, "train", *small, last, "model.hidden=8").err
    assert "must be above the checkpoint's 3 epochs" in run(capsys, "train", *small, last).err
    for other in ("features.columns=400", "features.weighting=log_odds", "features.unit_length=true"):
        assert "with other features" in run(capsys, "train", *small, last, other).err


@pytest.fixture(scope="session")
def with_films(small_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small training reviews, three of each of 200 films."""
    rows = [json.loads(line) for line in small_files["train"].read_text(encoding="utf-8").splitlines()]
    path = tmp_path_factory.mktemp("films") / "train.jsonl"
    path.write_text("".join(json.dumps(row | {"film": n // 3}) + "\n" for n, row in enumerate(rows)), encoding="utf-8")
    return path


def test_a_run_says_its_groups_and_its_checkpoint_needs_none(
    here: Path, small: list[str], with_films: Path, small_files: dict[str, Path], capsys: Capture
) -> None:
    said = run(capsys, "train", *small, f"data.train={with_films}", "data.group=film", "hydra.run.dir=run")
    assert "        200 groups by film, each on one side of the split\n" in said.out
    metrics = metrics_of(here / "run")
    assert metrics["group"] == "film"
    assert metrics["reviews"] == {"train": 402, "val": 198, "test": 200}
    again = evaluate_checkpoint(here / "run/checkpoints/best.ckpt", str(small_files["test"]))
    assert again["test/accuracy"] == metrics["test/accuracy"]


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        ([], "data.group=COLUMN keeps"),
        (["data.val_size=0"], None),
        (["data=sample", "data.val_size=200", "data.batch_size=512"], None),
    ],
)
def test_a_run_without_groups_warns_that_validation_may_be_optimistic(
    here: Path, small: list[str], capsys: Capture, arguments: list[str], cure: str | None
) -> None:
    out = run(capsys, "train", *small, "trainer.max_epochs=1", *arguments, "hydra.run.dir=run").out
    optimistic = "        validation accuracy may be optimistic: reviews of one film can be in both parts"
    line = f"{optimistic} ({cure} them together)\n"
    assert line in out if cure else "may be optimistic" not in out
    assert metrics_of(here / "run")["group"] is None
