"""A checkpoint is measured on labels by their names, also where a file has one class. Where its reviews are."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub
import pytest
from commands import run
from data.helpers import write_json_lines

from imdbclf.checkpoint import load_plain, read_checkpoint, write_checkpoint
from imdbclf.errors import UserError
from imdbclf.inference.evaluate import evaluate_checkpoint
from imdbclf.inference.predictor import Predictor
from imdbclf.model import CHECKPOINT_KEY

Capture = pytest.CaptureFixture[str]

TINY = ["data=files", "features.columns=300", "data.batch_size=32", "trainer.max_epochs=4", "optimizer.lr=0.01"]


@pytest.fixture(scope="session")
def reviews(small_files: dict[str, Path]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in small_files["train"].read_text(encoding="utf-8").splitlines()[:300]]


def write(path: Path, reviews: list[dict[str, Any]], negative: object, positive: object) -> Path:
    """The reviews with these labels."""
    return write_json_lines(path, [row | {"label": (negative, positive)[row["label"]]} for row in reviews])


def trained(capsys: Capture, *overrides: str) -> Path:
    assert run(capsys, "train", *TINY, "data.val_size=60", *overrides, "hydra.run.dir=run").status == 0
    return Path("run/checkpoints/best.ckpt")


def evaluated(capsys: Capture, best: Path, *arguments: str) -> dict[str, Any]:
    result = run(capsys, "evaluate", str(best), *arguments, "--json")
    assert result.status == 0, result.err
    metrics: dict[str, Any] = json.loads(result.out[result.out.index("{") :])
    return metrics


def test_names_stored_in_parquet_count_and_labels_are_matched_by_name(
    here: Path, reviews: list[dict[str, Any]], capsys: Capture
) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["positive", "negative"])}
    )
    turned = [row | {"label": 1 - row["label"]} for row in reviews]
    datasets.Dataset.from_list(turned, features=features).to_parquet(here / "stored.parquet")
    best = trained(capsys, "data.train=stored.parquet")
    assert read_checkpoint(best).label_names == ["negative", "positive"]
    of_numbers = evaluated(capsys, best, "--source", str(write(here / "numbers.jsonl", reviews, 0, 1)))
    assert of_numbers["test/accuracy"] > 0.8
    assert evaluated(capsys, best, "--source", "stored.parquet")["test/accuracy"] == of_numbers["test/accuracy"]


def test_what_is_positive_can_be_chosen_and_is_said_everywhere(
    here: Path, reviews: list[dict[str, Any]], capsys: Capture
) -> None:
    file = write(here / "german.jsonl", reviews, "schlecht", "gut")
    said = run(capsys, "train", *TINY, f"data.train={file}", "hydra.run.dir=first").out
    assert "gut = 0, schlecht = 1 (positive)" in said
    assert "labels in alphabetical order; data.positive=LABEL chooses the positive one" in said
    best = trained(capsys, f"data.train={file}", "data.positive=gut")
    assert json.loads(Path("run/metrics.json").read_text(encoding="utf-8"))["label_names"] == ["schlecht", "gut"]
    assert read_checkpoint(best).label_names == ["schlecht", "gut"]
    assert evaluated(capsys, best, "--source", str(file))["test/accuracy"] > 0.8
    one_class = [row for row in reviews if row["label"] == 1]
    alone = evaluated(capsys, best, "--source", str(write(here / "alone.jsonl", one_class, "schlecht", "gut")))
    assert alone["test/accuracy"] > 0.8
    assert alone["test/larger_class"] == 1
    assert not {"test/auroc", "test/f1", "test/precision", "test/recall", "test/balanced_accuracy"} & alone.keys()
    refused = run(capsys, "evaluate", str(best), "--source", str(write(here / "other.jsonl", reviews, "ham", "spam")))
    assert (refused.status, refused.err) == (
        2,
        f"error: files {here / 'other.jsonl'}: the labels are ham and spam, the checkpoint's are schlecht and gut\n",
    )


def test_a_positive_label_that_is_not_there_is_refused(
    here: Path, reviews: list[dict[str, Any]], capsys: Capture
) -> None:
    file = write(here / "a.jsonl", reviews, "neg", "pos")
    refused = run(capsys, "train", *TINY, f"data.train={file}", "data.positive=gut")
    assert (refused.status, refused.err) == (2, "error: data.positive=gut: must be one of the labels, neg or pos\n")


def test_stars_are_mapped_to_two_classes(here: Path, reviews: list[dict[str, Any]], capsys: Capture) -> None:
    stars = [row | {"label": (row["label"] * 3 + 1 + n % 2) if n % 5 else 3} for n, row in enumerate(reviews)]
    file = write_json_lines(here / "stars.jsonl", stars)
    refused = run(capsys, "train", *TINY, f"data.train={file}")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "data.labels={1:neg,5:pos}" in refused.err
    said = run(capsys, "train", *TINY, f"data.train={file}", "data.labels={1:neg,2:neg,4:pos,5:pos}")
    assert said.status == 0, said.err
    assert "60 of 300 reviews are left out: their labels are not in data.labels" in said.out


def test_reviews_of_one_class_are_no_training_reviews(
    here: Path, reviews: list[dict[str, Any]], capsys: Capture
) -> None:
    file = write(here / "a.jsonl", [row for row in reviews if row["label"]], "neg", "pos")
    refused = run(capsys, "train", *TINY, f"data.train={file}")
    assert (refused.status, refused.err) == (
        2,
        f"error: files {file}: one class only ('pos'); a binary classification needs reviews of exactly two labels\n",
    )


REFUSED = r"best\.ckpt: is not in the folder of its run, .*; give --source SOURCE, or set IMDBCLF_DATA$"


@pytest.fixture
def copied(finished_run: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of a run's checkpoint outside of its folder, with other settings of its reviews."""

    def copy(**data: Any) -> Path:
        contents = load_plain(finished_run / "checkpoints" / "best.ckpt")
        contents[CHECKPOINT_KEY]["settings"]["data"] |= data
        write_checkpoint(tmp_path / "best.ckpt", contents)
        return tmp_path / "best.ckpt"

    return copy


@pytest.mark.parametrize(
    "data",
    [{}, {"source": "stranger/dataset"}, {"source": "/etc"}, {"train": "/etc/passwd", "test": "/etc/passwd"}],
    ids=["files", "dataset", "folder", "other files"],
)
def test_a_copied_checkpoint_does_not_decide_what_is_read(copied: Callable[..., Path], data: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=REFUSED):
        evaluate_checkpoint(copied(**data))


def test_with_a_source_or_the_variable_a_copied_checkpoint_is_evaluated(
    copied: Callable[..., Path], small_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, source = copied(), str(small_files["test"])
    named = evaluate_checkpoint(path, {"source": source})
    monkeypatch.setenv("IMDBCLF_DATA", source)
    assert evaluate_checkpoint(path) == named


@pytest.mark.parametrize("source", ["sample", "stanfordnlp/imdb"])
def test_public_reviews_are_read(
    copied: Callable[..., Path], source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    try:
        found = evaluate_checkpoint(copied(source=source))["data_source"]
    except UserError as error:
        found = str(error)
    assert {"sample": "sample", "stanfordnlp/imdb": "stanfordnlp/imdb"}[source] in found
    assert "is not in the folder of its run" not in found


def test_a_config_with_aliases_is_neither_unfolded_nor_believed(finished_run: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(finished_run, tmp_path / "moved")
    bomb = "a0: &a0 {b: c}\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 8))
    with (moved / "config.yaml").open("a", encoding="utf-8") as config:
        config.write(bomb)
    with pytest.raises(UserError, match=REFUSED):
        evaluate_checkpoint(moved / "checkpoints" / "best.ckpt")


def test_a_run_folder_is_believed_wherever_it_is_and_not_beside_other_settings(
    finished_run: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(finished_run, tmp_path / "moved")
    best = moved / "checkpoints" / "best.ckpt"
    assert evaluate_checkpoint(best)["reviews"] == 200
    (tmp_path / "link.ckpt").symlink_to(best)
    assert evaluate_checkpoint(tmp_path / "link.ckpt")["reviews"] == 200
    for config in ("data: {source: files, train: other.csv, test: other.csv}", "data: 5", "[", ""):
        (moved / "config.yaml").write_text(config, encoding="utf-8")
        with pytest.raises(UserError, match=REFUSED):
            evaluate_checkpoint(best)


def test_a_checkpoint_does_not_choose_the_folder_of_the_cache(
    copied: Callable[..., Path], small_files: dict[str, Path], tmp_path: Path
) -> None:
    evaluate_checkpoint(copied(cache_dir=str(tmp_path / "cache")), {"source": str(small_files["test"])})
    assert not (tmp_path / "cache").exists()


def test_parts_that_the_run_made_can_be_evaluated_and_known_reviews_are_counted(
    here: Path, reviews: list[dict[str, Any]], capsys: Capture
) -> None:
    file = write(here / "all.jsonl", reviews, "neg", "pos")
    best = trained(capsys, f"data.train={file}", "data.test_size=0.2", "seed=3")
    of_run = json.loads(Path("run/metrics.json").read_text(encoding="utf-8"))
    for split, part, count in (("validation", "val", 60), ("val", "val", 60), ("test", "test", 60)):
        again = evaluated(capsys, best, "--split", split)
        assert (again["reviews"], again["reviews_in_training"]) == (count, 0)
        for metric in ("accuracy", "loss", "auroc"):
            assert again[f"{split}/{metric}"] == of_run[f"{part}/{metric}"]
    assert evaluated(capsys, best, "--source", str(file))["reviews_in_training"] == 180
    said = run(capsys, "evaluate", str(best), "--split", "train").out
    assert "180 of these 300 reviews are in the training part of the checkpoint" in " ".join(said.split())


@pytest.mark.parametrize("label", [-1, None, "absent"])
def test_test_reviews_without_labels_are_predicted_in_their_order(
    here: Path, reviews: list[dict[str, Any]], capsys: Capture, label: object
) -> None:
    file, test = write(here / "train.jsonl", reviews[:200], 0, 1), here / "test.jsonl"
    best = Path("run/checkpoints/best.ckpt")
    unlabelled = [{"text": row["text"]} | ({} if label == "absent" else {"label": label}) for row in reviews[200:]]
    write_json_lines(test, [*unlabelled, unlabelled[0]])
    said = run(capsys, "train", *TINY, f"data.train={file}", f"data.test={test}", "hydra.run.dir=run")
    assert said.status == 0, said.err
    assert "The test part has no labels" in said.out
    metrics = json.loads(Path("run/metrics.json").read_text(encoding="utf-8"))
    assert not [key for key in metrics if key.startswith("test/")]
    with Path("run/predictions.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["row"] for row in rows] == [str(n) for n in range(1, 102)]
    assert rows[0]["label"] == rows[-1]["label"]
    alone = Predictor.from_checkpoint(best).predict([row["text"] for row in unlabelled])
    assert [row["label"] for row in rows[:100]] == [one.label for one in alone]
    refused = run(capsys, "evaluate", str(best))
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert refused.err.startswith("error: --split test: has no labels")


def test_any_split_of_a_folder_can_be_evaluated_or_be_the_test_part(
    here: Path, reviews: list[dict[str, Any]], capsys: Capture
) -> None:
    (here / "data").mkdir()
    for split, rows in (("train", reviews[:200]), ("validation", reviews[200:240]), ("test", reviews[240:])):
        write(here / "data" / f"{split}.jsonl", rows, 0, 1)
    arguments = [*TINY[1:], "data.val_size=50", "data.source=data"]
    assert run(capsys, "train", *arguments, "data.test=validation", "hydra.run.dir=run").status == 0
    best = Path("run/checkpoints/best.ckpt")
    assert json.loads(Path("run/metrics.json").read_text(encoding="utf-8"))["reviews"]["test"] == 40
    assert evaluated(capsys, best)["reviews"] == 40
    assert evaluated(capsys, best, "--source", "data", "--split", "validation")["reviews"] == 40
    assert evaluated(capsys, best, "--source", "data")["reviews"] == 60
    assert evaluated(capsys, best, "--split", "validation")["reviews"] == 50
    refused = run(capsys, "evaluate", str(best), "--source", "data", "--split", "dev")
    assert (refused.status, refused.err) == (
        2,
        f"error: data.source={here / 'data'}: there is no split 'dev' (only train, validation, test)\n",
    )
