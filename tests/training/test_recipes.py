"""The experiments of the configs folder: quickly on a few reviews, and slowly on the real ones."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import metrics_of, run
from data.helpers import write_hub_layout
from data.unlabelled import unlabelled_split

from imdbclf.checkpoint import read_checkpoint
from imdbclf.data.datamodule import ReviewDataModule
from imdbclf.data.sources.sample import draw_reviews
from imdbclf.inference.evaluate import evaluate_checkpoint
from imdbclf.model.network import members_of
from imdbclf.reports.history import read_history
from imdbclf.settings import DataSettings

Capture = pytest.CaptureFixture[str]

COLUMNS = 1_000
SMALL = ["data.val_size=150", "data.batch_size=64", f"features.columns={COLUMNS}", "trainer.max_epochs=1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """450 training, 100 test and 100 unlabelled reviews in the Hub's layout."""
    pieces = (draw_reviews("train").slice(0, 450), draw_reviews("test").slice(0, 100))
    train, test = ([(row["text"], int(row["label"])) for row in piece.to_pylist()] for piece in pieces)
    made = write_hub_layout(tmp_path_factory.mktemp("strong"), train, test)
    texts = draw_reviews("train").slice(450, 100)["text"].to_pylist()
    unlabelled_split(made, [-1] * len(texts), texts)
    return made


@pytest.mark.parametrize(
    ("recipe", "fewer", "members", "networks"),
    [
        ("strong_10k", ["teacher.members=2"], 1, 6),
        ("strong", [], 1, 2),
        ("strong_ensemble", ["model.members=2"], 2, 4),
        ("strong_semi", ["teacher.members=2", "model.members=2"], 2, 8),
    ],
)
def test_a_recipe_gives_one_checkpoint_with_a_temperature(
    here: Path, folder: Path, capsys: Capture, recipe: str, fewer: list[str], members: int, networks: int
) -> None:
    arguments = [f"experiment={recipe}", f"data.source={folder}", *SMALL, *fewer, "hydra.run.dir=run"]
    result = run(capsys, "train", *arguments)
    assert result.status == 0, result.err
    metrics, checkpoint = metrics_of(here / "run"), read_checkpoint(here / "run/checkpoints/best.ckpt")
    assert len(members_of(checkpoint.network)) == members
    assert checkpoint.temperature == metrics["temperature"] != 1
    assert metrics["columns"] == COLUMNS
    assert metrics["experiment"] == recipe
    assert any(" " in term for term in checkpoint.vectorizer.vocabulary.terms)
    # Once with a validation part, once without.
    assert metrics["refit"]
    assert result.out.count("epoch 1/1") == networks
    again = run(capsys, "evaluate", "run/checkpoints/best.ckpt")
    assert again.status == 0, again.err
    assert f"{metrics['test/accuracy']:.4f}" in again.out


@pytest.mark.slow
def test_ten_thousand_columns_of_ones_without_a_teacher_are_right_nine_times_in_ten(
    here: Path, capsys: Capture, real_imdb: Path
) -> None:
    alone = ["teacher=none", "data.unlabelled=null", "refit=false"]
    arguments = ["experiment=strong_10k", f"data.source={real_imdb}", *alone, "hydra.run.dir=run"]
    result = run(capsys, "train", *arguments)
    assert result.status == 0, result.err
    metrics = metrics_of(here / "run")
    assert metrics["columns"] == 10_000
    assert metrics["test/accuracy"] >= 0.905


# The lecture


@pytest.mark.slow
def test_the_sample_teaches_the_lecture_and_what_it_teaches_holds_for_real_reviews(
    here: Path, capsys: Capture, real_imdb: Path
) -> None:
    assert run(capsys, "train", "data=sample", "hydra.run.dir=run").status == 0
    rows, metrics = read_history(here / "run/history.csv"), metrics_of(here / "run")
    assert rows[-1]["train/accuracy"] > 0.99
    assert 3 <= metrics["best_epoch"] <= 10
    assert rows[-1]["val/loss"] > 1.3 * metrics["val/loss"]
    assert evaluate_checkpoint(here / "run/checkpoints/best.ckpt", {"source": str(real_imdb)})["test/accuracy"] >= 0.82


@pytest.mark.slow
def test_on_real_reviews_the_lecture_overfits_as_published(here: Path, capsys: Capture, real_imdb: Path) -> None:
    arguments = [f"data.source={real_imdb}", "experiment=lecture", "hydra.run.dir=run"]
    assert run(capsys, "train", *arguments).status == 0
    rows, metrics = read_history(here / "run/history.csv"), metrics_of(here / "run")
    assert metrics["reviews"] == {"train": 15_000, "val": 10_000, "test": 25_000}
    assert metrics["parameters"] == 160_305
    assert 0.81 <= rows[0]["val/accuracy"] <= 0.88
    assert 3 <= metrics["best_epoch"] <= 5
    assert rows[-1]["train/accuracy"] > 0.99
    assert rows[-1]["val/loss"] > metrics["val/loss"]
    again = evaluate_checkpoint(here / "run/checkpoints/best.ckpt")
    assert {name: again[name] for name in again if name.startswith("test/")} == {
        name: metrics[name] for name in metrics if name.startswith("test/")
    }


@pytest.mark.slow
def test_the_final_fit_reaches_the_lectures_accuracy_over_five_seeds(
    here: Path, capsys: Capture, real_imdb: Path
) -> None:
    arguments = [f"data.source={real_imdb}", "experiment=lecture_final", "seed=range(5)", "hydra.sweep.dir=sweep"]
    assert run(capsys, "train", "-m", *arguments).status == 0
    runs: list[dict[str, Any]] = [metrics_of(path.parent) for path in (here / "sweep").glob("runs/*/metrics.json")]
    assert {metrics["seed"] for metrics in runs} == set(range(5))
    assert 0.879 <= statistics.mean(metrics["test/accuracy"] for metrics in runs) <= 0.889
    assert 0.283 <= statistics.mean(metrics["test/loss"] for metrics in runs) <= 0.303
    assert min(metrics["test/accuracy"] for metrics in runs) > naive_bayes_accuracy(real_imdb) + 0.01


def naive_bayes_accuracy(source: Path) -> float:
    """The floor: multinomial naive Bayes (add-one smoothing) on the same multi-hot rows, by the textbook."""
    prepared = ReviewDataModule(DataSettings(source=str(source), val_size=0)).prepared
    train, labels = prepared.matrices["train"], prepared.labels["train"].astype(bool)
    each = np.repeat(labels, np.diff(train.offsets))
    counts = [np.bincount(train.columns[each == label], minlength=train.width) + 1.0 for label in (False, True)]
    weight = np.log(counts[1] / counts[1].sum()) - np.log(counts[0] / counts[0].sum())
    test = prepared.matrices["test"]
    scores = np.add.reduceat(weight[test.columns], test.offsets[:-1])
    return float(((scores > 0) == prepared.labels["test"].astype(bool)).mean())
