"""Runs with `calibration=temperature`: what is fitted, where it is kept, and who uses it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from commands import made, metrics_of, run

from imdbclf.checkpoint import load_plain, read_checkpoint
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.inference.predictor import Predictor
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.reports.history import read_history
from imdbclf.settings import Settings

Capture = pytest.CaptureFixture[str]

# Steep, so that the temperature is far from 1.
STEEP = ["optimizer.lr=0.03", "calibration=temperature"]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory, small: list[str], cache_folder: Path) -> Path:
    """The folder of a calibrated run; tests only read it."""
    folder = tmp_path_factory.mktemp("calibrated") / "run"
    made(cache_folder, "train", *small, *STEEP, f"hydra.run.dir={folder}")
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, small: list[str], cache_folder: Path) -> Path:
    """The folder of the same run without calibration."""
    folder = tmp_path_factory.mktemp("bare") / "run"
    made(cache_folder, "train", *small, STEEP[0], f"hydra.run.dir={folder}")
    return folder


def test_the_best_checkpoint_has_the_temperature_as_a_plain_number_and_the_last_has_none(warm: Path) -> None:
    temperature = load_plain(warm / "checkpoints/best.ckpt")[CHECKPOINT_KEY]["temperature"]
    assert type(temperature) is float
    assert temperature != 1
    assert metrics_of(warm)["temperature"] == temperature
    assert "temperature" not in load_plain(warm / "checkpoints/last.ckpt")[CHECKPOINT_KEY]


def test_calibration_lowers_the_validation_loss_and_changes_no_answer_and_no_training(warm: Path, bare: Path) -> None:
    ours, theirs = metrics_of(warm), metrics_of(bare)
    assert theirs["temperature"] == 1
    assert ours["val/loss"] < theirs["val/loss"]
    for name in ("accuracy", "accuracy_interval", "precision", "recall", "f1"):
        assert ours[f"test/{name}"] == theirs[f"test/{name}"]
        assert ours[f"val/{name}"] == theirs[f"val/{name}"]
    assert ours["test/calibration_error"] != theirs["test/calibration_error"]
    courses = [read_history(folder / "history.csv") for folder in (warm, bare)]
    for one, other in zip(*courses, strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}


def test_evaluate_gives_the_runs_figures_to_the_last_digit(warm: Path, capsys: Capture) -> None:
    again = json.loads(run(capsys, "evaluate", str(warm / "checkpoints/best.ckpt"), "--json").out)
    metrics = metrics_of(warm)
    names = [name for name in metrics if name.startswith("test/")]
    assert "test/calibration_error" in names
    assert [again[name] for name in names] == [metrics[name] for name in names]


def test_the_reported_loss_is_that_of_the_predicted_probabilities(warm: Path) -> None:
    table = pq.read_table(warm / "predictions.parquet").to_pydict()
    losses = [-math.log(p if label else 1 - p) for p, label in zip(table["probability"], table["label"], strict=True)]
    assert metrics_of(warm)["test/loss"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_predictor_and_lightning_give_the_runs_probabilities(warm: Path, small: list[str]) -> None:
    best = warm / "checkpoints/best.ckpt"
    settings = Settings.from_config(read_checkpoint(best).about["settings"])
    module = ReviewDataModule(settings.data, settings.seed, features=settings.features)
    module.setup()
    classifier = ReviewClassifier.load_from_checkpoint(best)
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    predicted: Any = trainer.predict(classifier, dataloaders=module.test_dataloader())
    written = pq.read_table(warm / "predictions.parquet").column("probability").to_numpy()
    np.testing.assert_allclose(torch.cat(predicted).numpy(), written, atol=1e-6)
    file = next(override.removeprefix("data.test=") for override in small if override.startswith("data.test="))
    texts = [json.loads(line)["text"] for line in Path(file).read_text(encoding="utf-8").splitlines()]
    by_text = Predictor.from_checkpoint(best).probabilities(texts)
    np.testing.assert_allclose(np.sort(by_text), np.sort(written), atol=1e-6)


@pytest.mark.parametrize("first", [1, 2])
def test_a_resumed_calibrated_run_equals_an_uninterrupted_one(
    here: Path, small: list[str], capsys: Capture, warm: Path, first: int
) -> None:
    run(capsys, "train", *small, *STEEP, f"trainer.max_epochs={first}", "hydra.run.dir=begun")
    resumed = ["ckpt_path=begun/checkpoints/last.ckpt", "hydra.run.dir=resumed"]
    assert run(capsys, "train", *small, *STEEP, *resumed).status == 0
    assert metrics_of(here / "resumed") == metrics_of(warm)


def test_a_temperature_is_forgotten_by_whoever_trains_on_from_it(here: Path, small: list[str], capsys: Capture) -> None:
    run(capsys, "train", *small, *STEEP, "trainer.max_epochs=1", "hydra.run.dir=begun")
    assert read_checkpoint(here / "begun/checkpoints/best.ckpt").temperature != 1
    resumed = ["ckpt_path=begun/checkpoints/best.ckpt", "calibration=none", "hydra.run.dir=resumed"]
    assert run(capsys, "train", *small, STEEP[0], *resumed).status == 0
    for name in ("best", "last"):
        assert read_checkpoint(here / f"resumed/checkpoints/{name}.ckpt").temperature == 1
    assert metrics_of(here / "resumed")["temperature"] == 1


def test_a_best_epoch_taken_over_from_a_calibrated_run_is_as_the_resumed_run_asks(
    here: Path, small: list[str], capsys: Capture
) -> None:
    # So steep that the second epoch stays the best.
    steep = [*small, "optimizer.lr=0.3"]
    run(capsys, "train", *steep, "calibration=temperature", "trainer.max_epochs=2", "hydra.run.dir=begun")
    resumed = ["ckpt_path=begun/checkpoints/last.ckpt", "hydra.run.dir=resumed"]
    assert run(capsys, "train", *steep, *resumed).status == 0
    assert metrics_of(here / "resumed")["best_epoch"] == 2
    assert read_checkpoint(here / "begun/checkpoints/best.ckpt").temperature != 1
    assert read_checkpoint(here / "resumed/checkpoints/best.ckpt").temperature == 1


def test_the_closing_words_name_the_temperature_and_the_plot(here: Path, small: list[str], capsys: Capture) -> None:
    out = run(capsys, "train", *small, *STEEP, "hydra.run.dir=run").out
    assert f"Temperature {metrics_of(here / 'run')['temperature']:.3f}, fitted on validation" in out
    assert "calibration error" in out
    assert "Plot:     run/reliability.png" in out
    assert (here / "run/reliability.png").read_bytes().startswith(b"\x89PNG")


def test_the_jobs_of_a_sweep_draw_no_reliability_and_evaluate_does(
    here: Path, small: list[str], capsys: Capture
) -> None:
    arguments = [*small, "trainer.max_epochs=1", "calibration=none,temperature", "hydra.sweep.dir=sweep"]
    assert run(capsys, "train", "-m", *arguments).status == 0
    (job,) = (here / "sweep/runs").glob("calibration-temperature_*")
    assert not (job / "reliability.png").exists()
    best = str(job / "checkpoints/best.ckpt")
    assert run(capsys, "evaluate", best, "--picture", "reliability.png").status == 0
    assert (here / "reliability.png").read_bytes().startswith(b"\x89PNG")
    refused = run(capsys, "evaluate", best, "--picture", "nowhere/x.png")
    assert (refused.status, refused.err) == (2, "error: --picture nowhere/x.png: there is no such folder\n")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.val_size=0", "calibration=temperature: is fitted on the validation part, and data.val_size=0 leaves"),
        ("data.val_size=1e-9", "data.val_size=1e-09: leaves no validation review"),
    ],
)
def test_a_temperature_without_reviews_to_fit_it_on_is_refused_and_leaves_nothing(
    here: Path, small: list[str], capsys: Capture, override: str, message: str
) -> None:
    result = run(capsys, "train", *small, "calibration=temperature", override)
    assert result.status == 2
    assert result.err.startswith(f"error: {message}")
    assert result.err.count("\n") == 1
    assert not list(here.rglob("outputs/*"))
