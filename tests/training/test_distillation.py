"""Distillation on the command line: a teacher, pseudo-labels for unlabelled reviews, and a student."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import made, metrics_of, run
from conftest import Once
from data.unlabelled import KINDS, ONLY_UNLABELLED, UNSUPERVISED, unlabelled_split, write_sources
from pyarrow import parquet

from imdbclf.checkpoint import read_checkpoint
from training.helpers import PARAMETERS, equal_weights, stopped_at

Capture = pytest.CaptureFixture[str]

SMALL = ["data.val_size=100", "data.batch_size=64", "features.columns=500", "trainer.max_epochs=2", "optimizer.lr=0.01"]
TAUGHT = ["teacher.members=2", "features.dropout=0.2"]


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The overrides that name each kind of source."""
    return write_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="session")
def students(once: Once, sources: dict[str, list[str]], cache_folder: Path) -> dict[str, Path]:
    """The folder of a student from each kind of source; tests only read them."""

    def make(folder: Path) -> None:
        for kind in KINDS:
            made(cache_folder, "train", *sources[kind], *SMALL, *TAUGHT, f"hydra.run.dir={folder / kind}")

    folder = once("students", make)
    return {kind: folder / kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_student_learns_from_labels_and_pseudo_labels_and_has_terms_that_no_labelled_review_has(
    students: dict[str, Path], kind: str
) -> None:
    said = (students[kind] / "train.log").read_text(encoding="utf-8")
    assert "200 training, 100 validation, 100 test, 200 unlabelled reviews" in said
    lines = ["The teacher (networks: 2)", "Member 2 of 2:", "The student learns from 200 labels and 200 pseudo-labels"]
    assert [said.index(line) for line in lines] == sorted(said.index(line) for line in lines)
    assert said.count("epoch 2/2") == 3
    checkpoint = read_checkpoint(students[kind] / "checkpoints/best.ckpt")
    assert ONLY_UNLABELLED in checkpoint.vectorizer.vocabulary.terms
    assert metrics_of(students[kind])["parameters"] == PARAMETERS


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_student_does_not_depend_on_the_kind_of_source(students: dict[str, Path], kind: str) -> None:
    assert equal_weights(students[kind], students["folder"])


def test_a_students_folder_has_the_files_of_any_run(students: dict[str, Path], finished_run: Path) -> None:
    def files(folder: Path) -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}

    assert files(students["folder"]) == files(finished_run)


def test_without_a_teacher_unlabelled_reviews_change_nothing(
    here: Path, sources: dict[str, list[str]], students: dict[str, Path], capsys: Capture
) -> None:
    common = [*sources["files"], *SMALL, "features.dropout=0.2"]
    assert run(capsys, "train", *common, "hydra.run.dir=with").status == 0
    assert run(capsys, "train", *common, "data.unlabelled=null", "hydra.run.dir=without").status == 0
    assert equal_weights(here / "with", here / "without")
    assert not equal_weights(here / "with", students["files"])


def test_the_labels_of_unlabelled_reviews_do_not_matter(
    here: Path, sources: dict[str, list[str]], students: dict[str, Path], capsys: Capture
) -> None:
    folder = shutil.copytree(sources["folder"][0].removeprefix("data.source="), here / "labelled")
    texts = parquet.read_table(folder / "plain_text" / UNSUPERVISED)["text"].to_pylist()
    unlabelled_split(folder, [number % 2 for number in range(len(texts))], texts)
    arguments = [f"data.source={folder}", sources["folder"][1], *SMALL, *TAUGHT]
    assert run(capsys, "train", *arguments, "hydra.run.dir=run").status == 0
    assert equal_weights(here / "run", students["folder"])


def test_a_teacher_may_be_one_network_and_the_student_an_ensemble(
    here: Path, sources: dict[str, list[str]], capsys: Capture
) -> None:
    several = ["teacher.members=1", "model.members=2", "trainer.max_epochs=1", "hydra.run.dir=run"]
    result = run(capsys, "train", *sources["files"], *SMALL, *several)
    assert result.status == 0, result.err
    assert result.out.count("Member ") == 3
    assert metrics_of(here / "run")["parameters"] == 2 * PARAMETERS
    assert not {"teacher", "members"} & {path.name for path in (here / "run").iterdir()}


def test_a_student_is_evaluated_without_unlabelled_reviews(
    here: Path, sources: dict[str, list[str]], small_files: dict[str, Path], capsys: Capture
) -> None:
    tree = shutil.copytree(sources["tree"][0].removeprefix("data.source="), here / "tree")
    arguments = [f"data.source={tree}", sources["tree"][1], *SMALL, *TAUGHT, "hydra.run.dir=run"]
    assert run(capsys, "train", *arguments).status == 0
    shutil.rmtree(tree / "train" / "unsup")

    def evaluated(*options: str) -> dict[str, float]:
        answer = run(capsys, "evaluate", "run/checkpoints/best.ckpt", "--json", *options)
        assert answer.status == 0, answer.err
        metrics: dict[str, float] = json.loads(answer.out[answer.out.index("{") :])
        return metrics

    assert evaluated()["test/accuracy"] == metrics_of(here / "run")["test/accuracy"]
    assert evaluated("--source", str(small_files["test"]))["reviews"] == 200


REFUSED = {
    "data.unlabelled=null": "teacher.members=2: pseudo-labels unlabelled reviews; data.unlabelled names none",
    "ckpt_path=x.ckpt": "ckpt_path=x.ckpt: several networks can't go on from one checkpoint; must be null",
    "data.unlabelled=nowhere.jsonl": "data.unlabelled=nowhere.jsonl: there is no such file",
}


@pytest.mark.parametrize(("override", "message"), REFUSED.items())
def test_a_teacher_without_reviews_is_refused_in_one_line_and_leaves_nothing(
    here: Path, sources: dict[str, list[str]], capsys: Capture, override: str, message: str
) -> None:
    result = run(capsys, "train", *sources["files"], *SMALL, *TAUGHT, override)
    assert result.status == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert not list(here.rglob("outputs/*"))


def test_a_run_whose_student_is_stopped_says_so_in_one_line_and_leaves_nothing(
    here: Path, sources: dict[str, list[str]], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_at(monkeypatch, 5)
    result = run(capsys, "train", *sources["files"], *SMALL, *TAUGHT, "hydra.run.dir=run")
    assert result.status == 130
    assert "Interrupted before all networks were trained; nothing was kept." in result.out.splitlines()[-1]
    assert "Go on:" not in result.out
    assert not (here / "run").exists()


def test_a_swept_student_resumes_after_its_finished_teacher_and_equals_an_uninterrupted_one(
    here: Path,
    sources: dict[str, list[str]],
    students: dict[str, Path],
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweep = ["train", "-m", *sources["files"], *SMALL, *TAUGHT, "seed=0", "hydra.sweep.dir=sweep"]
    # Stopped in the student's first epoch, then in its second, then finished.
    for epochs, status in ((4, 130), (1, 130), (9, 0)):
        undisturb = stopped_at(monkeypatch, epochs)
        assert run(capsys, *sweep).status == status
        undisturb()
    (folder,) = (here / "sweep/runs").iterdir()
    attempts = (folder / "train.log").read_text(encoding="utf-8").split("Fit:  ")[1:]
    assert ["Member 2 of 2" in said for said in attempts] == [True, False, False]
    assert [said.count("epoch 1/2") for said in attempts] == [2, 1, 0]
    assert ["The student learns" in said for said in attempts] == [True, True, True]
    assert metrics_of(folder) == metrics_of(students["files"])
    assert equal_weights(folder, students["files"])
    assert not (folder / "teacher").exists()
