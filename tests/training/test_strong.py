"""The recipes of the configs folder: what they promise, on a few reviews, and one of them on the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import metrics_of, run
from data.helpers import write_hub_layout
from training.unlabelled import unlabelled_split

from imdbclf.checkpoint import read_checkpoint
from imdbclf.data.sources.sample import draw_reviews
from imdbclf.model.network import members_of

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
