"""The first lines of a run: its reviews, its columns, its network and its fit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from commands import metrics_of, run

from imdbclf.inference.evaluate import evaluate_checkpoint

Capture = pytest.CaptureFixture[str]


def log_of(run_folder: Path) -> str:
    return (run_folder / "train.log").read_text(encoding="utf-8")


def test_reviews_network_and_fit_are_named(finished_run: Path) -> None:
    said = log_of(finished_run)
    assert "400 training, 200 validation, 200 test reviews; neg = 0, pos = 1 (positive); words " in said
    assert "The network: 8,305 parameters" in said
    assert "Steps:  rmsprop: lr=0.001" in said
    assert "Fit:    3 epochs in batches of 64 on cpu (threads: 1), seed 0" in said
    assert "500 columns: words by frequency, ones\n" in said


def test_columns_that_are_not_the_lectures_are_described(ngram_run: Path) -> None:
    assert (
        "2,000 columns: terms of up to 3 words by z_score, log-odds, rows of length 1, 30% of them left out in training"
    ) in log_of(ngram_run)
    assert metrics_of(ngram_run)["columns"] == 2000


@pytest.mark.usefixtures("here")
def test_more_columns_or_larger_batches_than_the_reviews_can_fill_are_reported(
    small: list[str], capsys: Capture
) -> None:
    more = ["features.columns=1000000", "data.batch_size=10000", "trainer.max_epochs=1", "threads=null"]
    result = run(capsys, "train", *small, *more, "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert re.search(r"only [\d,]+ columns: the training part has no more words", result.out)
    assert "one batch an epoch: the training part has no more reviews" in result.out
    assert "Steps in an epoch: 1. A smaller data.batch_size (now 10000) makes more, and may help." in result.out
    # Reviews in a user's own files need not be about films.
    assert "film" not in result.out


def test_a_run_without_groups_warns_that_validation_accuracy_may_be_optimistic(finished_run: Path) -> None:
    assert (
        "        validation accuracy may be optimistic: reviews of one product, or by one person, can be in both "
        "parts (data.group=COLUMN keeps them together)\n"
    ) in log_of(finished_run)
    assert metrics_of(finished_run)["group"] is None


def test_a_run_names_its_groups_and_its_checkpoint_needs_none(
    here: Path, small: list[str], small_files: dict[str, Path], capsys: Capture
) -> None:
    # Three reviews of each of 200 films.
    rows = [json.loads(line) for line in small_files["train"].read_text(encoding="utf-8").splitlines()]
    lines = (json.dumps(row | {"film": number // 3}) + "\n" for number, row in enumerate(rows))
    (here / "films.jsonl").write_text("".join(lines), encoding="utf-8")
    said = run(capsys, "train", *small, "data.train=films.jsonl", "data.group=film", "hydra.run.dir=run")
    assert "        200 groups by film, each in one part of the split\n" in said.out
    metrics = metrics_of(here / "run")
    assert metrics["group"] == "film"
    assert metrics["reviews"] == {"train": 402, "val": 198, "test": 200}
    again = evaluate_checkpoint(here / "run/checkpoints/best.ckpt", {"source": str(small_files["test"])})
    assert again["test/accuracy"] == metrics["test/accuracy"]
