"""One run: what its folder holds, what its checkpoint learned from, temperature scaling, and the final fit."""

from __future__ import annotations

import csv
import json
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import lightning.pytorch as pl
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from commands import going_on, made, metrics_of, run
from conftest import Once

from imdbclf.checkpoint import load_plain, read_checkpoint
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.sources.sample import draw_reviews
from imdbclf.inference.predictor import Predictor
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.model.classifier import ReviewClassifier
from imdbclf.reports.history import read_history
from imdbclf.settings import Settings
from training.helpers import PARAMETERS, equal_weights, is_same, stopped_at

Capture = pytest.CaptureFixture[str]

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


def test_a_run_folder_holds_what_its_documentation_lists(finished_run: Path) -> None:
    files = {path.relative_to(finished_run).as_posix() for path in finished_run.rglob("*") if path.is_file()}
    assert files == RUN_FILES
    for plot in ("history.png", "reliability.png"):
        assert (finished_run / plot).read_bytes().startswith(b"\x89PNG\r\n")


def test_the_environment_names_the_threads_of_the_fit(finished_run: Path) -> None:
    assert json.loads((finished_run / "environment.json").read_text(encoding="utf-8"))["threads"] == 1


def test_the_metrics_name_everything_that_a_report_needs(finished_run: Path) -> None:
    metrics = json.loads((finished_run / "metrics.json").read_text(encoding="utf-8"))
    needed = {"test/accuracy", "test/loss", "val/loss", "val/accuracy", "best_epoch", "parameters", "fit_seconds"}
    assert needed | {"data_source", "test/accuracy_interval", "test/loss_interval"} <= metrics.keys()
    assert metrics["parameters"] == PARAMETERS
    assert metrics["test/larger_class"] < metrics["test/naive_bayes"] < 1
    low, high = metrics["test/accuracy_interval"]
    assert low < metrics["test/accuracy"] < high


def test_predictions_are_of_the_test_part_and_give_the_reported_accuracy(finished_run: Path) -> None:
    table = pq.read_table(finished_run / "predictions.parquet").to_pydict()
    assert len(set(table["id"])) == 200
    assert sorted(table["row"]) == list(range(200))
    hits = sum((p > 0.5) == bool(label) for p, label in zip(table["probability"], table["label"], strict=True))
    assert hits / 200 == metrics_of(finished_run)["test/accuracy"]


def test_the_history_has_a_row_an_epoch_without_gaps(finished_run: Path) -> None:
    with (finished_run / "history.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(value for row in rows for value in row.values())


def test_a_config_runs_again_by_the_command_in_its_first_line(here: Path, ngram_run: Path, capsys: Capture) -> None:
    head = (ngram_run / "config.yaml").read_text(encoding="utf-8").splitlines()[0]
    command = shlex.split(head.removeprefix("# Run this again: "))
    assert run(capsys, *command[1:], "hydra.run.dir=again").status == 0
    assert metrics_of(here / "again") == metrics_of(ngram_run)
    assert equal_weights(here / "again", ngram_run, "last")


def test_reviews_without_a_test_part_are_fitted_and_validated(here: Path, small: list[str], capsys: Capture) -> None:
    result = run(capsys, "train", *small, "data.test=null", "hydra.run.dir=run")
    assert result.status == 0
    assert "test/loss" not in metrics_of(here / "run")
    assert not (here / "run/predictions.parquet").exists()


# What is learned from which labels


def write_reviews(path: Path, reviews: Sequence[tuple[str, int]]) -> None:
    path.write_text("".join(json.dumps({"text": t, "label": n}) + "\n" for t, n in reviews), encoding="utf-8")


def read_reviews(path: Path) -> list[tuple[str, int]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(review["text"], review["label"]) for review in map(json.loads, lines)]


def carried_by(run_folder: Path) -> dict[str, Any]:
    """What the best checkpoint carries besides the weights and where it came from, each tensor as a list."""
    ours: dict[str, Any] = torch.load(run_folder / "checkpoints/best.ckpt", weights_only=True)[CHECKPOINT_KEY]
    weights = ours.get("weighting")
    plain = {name: value for name, value in ours.items() if name not in {"settings", "data_source"}}
    return plain | {"weighting": weights and weights | {"columns": weights["columns"].tolist()}}


@pytest.mark.parametrize("features", ["", "ngram"])
def test_the_labels_of_test_reviews_do_not_change_what_is_learned(
    here: Path, small_files: dict[str, Path], capsys: Capture, features: str, request: pytest.FixtureRequest
) -> None:
    overrides = request.getfixturevalue("small_ngrams" if features else "small")
    right: Path = request.getfixturevalue("ngram_run" if features else "finished_run")
    texts = [text for text, _ in read_reviews(small_files["test"])]
    write_reviews(here / "test.jsonl", [(text, n % 3 % 2) for n, text in enumerate(texts)])
    assert run(capsys, "train", *overrides, "data.test=test.jsonl", "hydra.run.dir=garbage").status == 0
    for name in ("best", "last"):
        assert equal_weights(right, here / "garbage", name)
    assert carried_by(right) == carried_by(here / "garbage")
    assert metrics_of(right)["test/accuracy"] != metrics_of(here / "garbage")["test/accuracy"]


@pytest.mark.slow
def test_random_labels_teach_nothing(
    here: Path, small_ngrams: list[str], ngram_run: Path, small_files: dict[str, Path], capsys: Capture
) -> None:
    # Half of the reviews of each label get the other one, so that half of all labels are right.
    reviews = read_reviews(small_files["train"])
    texts = [sorted(text for text, label in reviews if label == n) for n in (0, 1)]
    write_reviews(here / "train.jsonl", [(text, place % 2) for same in texts for place, text in enumerate(same)])
    write_reviews(
        here / "test.jsonl", [(r["text"], r["label"]) for r in draw_reviews("test").slice(0, 4_000).to_pylist()]
    )
    files = ["data.train=train.jsonl", "data.test=test.jsonl"]
    result = run(capsys, "train", *small_ngrams, *files, "data.val_size=0", "trainer.max_epochs=8", "hydra.run.dir=run")
    assert result.status == 0, result.err
    metrics = metrics_of(here / "run")
    assert metrics["train/accuracy"] > 0.9
    assert 0.44 < metrics["test/accuracy"] < 0.56
    assert metrics_of(ngram_run)["test/accuracy"] > 0.6


# Temperature scaling

STEEP = ["optimizer.lr=0.03", "model.dropout=0.2", "features.dropout=0.3"]
"""A high learning rate, so that the temperature is far from 1, and everything random that a resumed run repeats."""

CALIBRATED = [*STEEP, "calibration=temperature"]


@pytest.fixture(scope="session")
def calibrated(once: Once, small: list[str], cache_folder: Path) -> Path:
    """The folder of a calibrated run; tests only read it."""
    return once(
        "calibrated", lambda folder: made(cache_folder, "train", *small, *CALIBRATED, f"hydra.run.dir={folder}")
    )


def test_the_best_checkpoint_has_the_temperature_as_a_plain_number_and_the_last_has_none(calibrated: Path) -> None:
    temperature = load_plain(calibrated / "checkpoints/best.ckpt")[CHECKPOINT_KEY]["temperature"]
    assert type(temperature) is float
    assert temperature != 1
    assert metrics_of(calibrated)["temperature"] == temperature
    assert "temperature" not in load_plain(calibrated / "checkpoints/last.ckpt")[CHECKPOINT_KEY]
    said = (calibrated / "train.log").read_text(encoding="utf-8")
    assert f"Temperature {temperature:.3f}, fitted on validation" in said
    assert "calibration error" in said


def test_calibration_lowers_the_validation_loss_and_changes_no_label_and_no_training(
    here: Path, small: list[str], calibrated: Path, capsys: Capture
) -> None:
    run(capsys, "train", *small, *STEEP, "hydra.run.dir=bare")
    ours, theirs = metrics_of(calibrated), metrics_of(here / "bare")
    assert theirs["temperature"] == 1
    assert ours["val/loss"] < theirs["val/loss"]
    for name in ("accuracy", "accuracy_interval", "precision", "recall", "f1"):
        assert ours[f"test/{name}"] == theirs[f"test/{name}"]
        assert ours[f"val/{name}"] == theirs[f"val/{name}"]
    assert ours["test/calibration_error"] != theirs["test/calibration_error"]
    histories = [read_history(folder / "history.csv") for folder in (calibrated, here / "bare")]
    for one, other in zip(*histories, strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}


def test_evaluate_gives_the_runs_metrics_to_the_last_digit(calibrated: Path, capsys: Capture) -> None:
    again = json.loads(run(capsys, "evaluate", str(calibrated / "checkpoints/best.ckpt"), "--json").out)
    metrics = metrics_of(calibrated)
    names = [name for name in metrics if name.startswith("test/")]
    assert "test/calibration_error" in names
    assert [again[name] for name in names] == [metrics[name] for name in names]


def test_the_reported_loss_is_that_of_the_predicted_probabilities(calibrated: Path) -> None:
    table = pq.read_table(calibrated / "predictions.parquet").to_pydict()
    losses = [-math.log(p if label else 1 - p) for p, label in zip(table["probability"], table["label"], strict=True)]
    assert metrics_of(calibrated)["test/loss"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_predictor_and_lightning_give_the_runs_probabilities(calibrated: Path, small_files: dict[str, Path]) -> None:
    best = calibrated / "checkpoints/best.ckpt"
    settings = Settings.from_config(load_plain(best)[CHECKPOINT_KEY]["settings"])
    module = ReviewDataModule(settings.data, settings.seed, features=settings.features)
    module.setup()
    classifier = ReviewClassifier.load_from_checkpoint(best)
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    predicted: Any = trainer.predict(classifier, dataloaders=module.test_dataloader())
    written = pq.read_table(calibrated / "predictions.parquet").column("probability").to_numpy()
    np.testing.assert_allclose(torch.cat(predicted).numpy(), written, atol=1e-6)
    by_text = Predictor.from_checkpoint(best).probabilities([text for text, _ in read_reviews(small_files["test"])])
    np.testing.assert_allclose(np.sort(by_text), np.sort(written), atol=1e-6)


@pytest.mark.parametrize("first", [1, 2])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    here: Path, small: list[str], capsys: Capture, calibrated: Path, first: int
) -> None:
    run(capsys, "train", *small, *CALIBRATED, f"trainer.max_epochs={first}", "hydra.run.dir=begun")
    resumed = ["ckpt_path=begun/checkpoints/last.ckpt", "hydra.run.dir=resumed"]
    assert run(capsys, "train", *small, *CALIBRATED, *resumed).status == 0
    assert metrics_of(here / "resumed") == metrics_of(calibrated)
    for name in ("best", "last"):
        assert equal_weights(here / "resumed", calibrated, name)
    took = json.loads((here / "resumed/metrics.json").read_text())["fit_seconds"]
    assert took > sum(row["seconds"] for row in read_history(here / "resumed/history.csv"))


def test_a_best_epoch_taken_over_from_a_calibrated_run_is_calibrated_as_the_resumed_run_asks(
    here: Path, small: list[str], capsys: Capture
) -> None:
    # So steep that the second epoch stays the best.
    steep = [*small, "optimizer.lr=0.3"]
    run(capsys, "train", *steep, "calibration=temperature", "trainer.max_epochs=2", "hydra.run.dir=begun")
    resumed = ["ckpt_path=begun/checkpoints/last.ckpt", "hydra.run.dir=resumed"]
    assert run(capsys, "train", *steep, *resumed).status == 0
    assert metrics_of(here / "resumed")["best_epoch"] == 2
    assert metrics_of(here / "resumed")["temperature"] == 1
    assert read_checkpoint(here / "begun/checkpoints/best.ckpt").temperature != 1
    for name in ("best", "last"):
        assert read_checkpoint(here / f"resumed/checkpoints/{name}.ckpt").temperature == 1


def test_evaluate_draws_the_reliability_diagram_where_it_is_asked_for(
    here: Path, calibrated: Path, capsys: Capture
) -> None:
    best = str(calibrated / "checkpoints/best.ckpt")
    assert run(capsys, "evaluate", best, "--picture", "reliability.png").status == 0
    assert (here / "reliability.png").read_bytes().startswith(b"\x89PNG")
    refused = run(capsys, "evaluate", best, "--picture", "nowhere/x.png")
    assert refused.err == "error: --picture nowhere/x.png: must be a file in a folder that exists\n"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.val_size=0", "calibration=temperature: needs a validation part; give a data.val_size above 0"),
        ("data.val_size=1e-9", "data.val_size=1e-09: is none of 600 reviews; give a larger one, or 0"),
    ],
)
def test_temperature_scaling_without_reviews_to_fit_it_on_is_refused_and_leaves_nothing(
    here: Path, small: list[str], capsys: Capture, override: str, message: str
) -> None:
    result = run(capsys, "train", *small, "calibration=temperature", override)
    assert result.status == 2
    assert result.err.startswith(f"error: {message}")
    assert result.err.count("\n") == 1
    assert not list(here.rglob("outputs/*"))


# The final fit


def test_the_final_network_is_the_one_of_all_reviews_and_the_best_number_of_epochs(
    here: Path, small: list[str], capsys: Capture
) -> None:
    chosen = [*small, "trainer.max_epochs=4", "optimizer.lr=0.02", "calibration.false_negative_cost=5"]
    said = run(capsys, "train", *chosen, "refit=true", "calibration=temperature", "hydra.run.dir=both").out
    run(capsys, "train", *chosen, "calibration=temperature", "hydra.run.dir=validated")
    both, validated = metrics_of(here / "both"), metrics_of(here / "validated")
    epochs = validated["best_epoch"]
    on_all = [*small, "optimizer.lr=0.02", f"trainer.max_epochs={epochs}", "data.val_size=0"]
    run(capsys, "train", *on_all, "hydra.run.dir=all")
    assert equal_weights(here / "both", here / "all")
    assert both["test/auroc"] == metrics_of(here / "all")["test/auroc"]
    validation = [name for name in validated if name.startswith("val/")]
    assert [both[name] for name in validation] == [validated[name] for name in validation]
    assert both["temperature"] == validated["temperature"] != 1
    assert both["threshold"] == validated["threshold"] == read_checkpoint(here / "both/checkpoints/best.ckpt").threshold
    assert both["threshold"] != 0.5
    assert "threshold" not in metrics_of(here / "all")
    assert f"The threshold {both['threshold']:.3f} costs least on validation" in said
    assert (both["best_epoch"], both["epochs"], both["refit"]) == (epochs, 4, True)
    assert (here / "both/history.csv").read_text(encoding="utf-8").count("\n") == 5
    assert not (here / "both/final").exists()
    assert f"\nFinal fit: {epochs} epochs on all training reviews. " in said


def test_a_final_fit_needs_a_validation_part(here: Path, small: list[str], capsys: Capture) -> None:
    refused = run(capsys, "train", *small, "refit=true", "data.val_size=0", "hydra.run.dir=run")
    assert refused.status == 2
    assert refused.err == (
        "error: refit=true: needs validation to find the number of epochs; data.val_size=0 leaves none\n"
    )
    assert not (here / "run").exists()


REFIT = ["refit=true", "calibration=temperature"]


@pytest.fixture(scope="session")
def refitted(once: Once, small: list[str], cache_folder: Path) -> Path:
    """The folder of a run with a final fit; tests only read it."""
    return once("refitted", lambda folder: made(cache_folder, "train", *small, *REFIT, f"hydra.run.dir={folder}"))


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param("refit", marks=pytest.mark.slow),
        "keep_calibration",
        pytest.param("Results.write", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_stopped_after_its_last_epoch_or_in_the_final_fit_goes_on_there(
    here: Path, small: list[str], refitted: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    def interrupted(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"imdbclf.training.run.{stop}", interrupted)
        stopped = run(capsys, "train", *small, *REFIT, "hydra.run.dir=run")
    assert stopped.status == 130
    assert "Interrupted after the fit with validation" in stopped.out
    resumed = run(capsys, *going_on(stopped.out))
    assert resumed.status == 0
    assert is_same(here / "run", refitted)


def test_a_run_that_is_stopped_in_an_epoch_of_the_final_fit_goes_on_with_it(
    here: Path, small: list[str], refitted: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturb = stopped_at(monkeypatch, 5)
    stopped = run(capsys, "train", *small, *REFIT, "hydra.run.dir=run")
    undisturb()
    resumed = run(capsys, *going_on(stopped.out))
    assert [resumed.out.count(f"epoch {epoch}/3") for epoch in (1, 2, 3)] == [0, 0, 1]
    assert is_same(here / "run", refitted)
