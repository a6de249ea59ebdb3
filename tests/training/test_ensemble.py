"""Ensembles on the command line: members fitted one after the other, one checkpoint, resumed after any stop.

The second half is about distillation: a teacher, pseudo-labels for unlabelled reviews, and a student.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from commands import going_on, made, metrics_of, run
from conftest import Once
from data.unlabelled import KINDS, ONLY_UNLABELLED, UNSUPERVISED, named_sources, unlabelled_split, write_sources
from hypothesis import given
from hypothesis import strategies as st

from imdbclf.checkpoint import read_checkpoint
from imdbclf.inference.evaluate import logits_of
from imdbclf.inference.predictor import Predictor
from imdbclf.model.network import members_of
from imdbclf.reports.history import COLUMNS, read_history
from imdbclf.training.ensemble import mean_rows
from training.helpers import PARAMETERS, equal, equal_weights, is_same, stopped_at, weights_of

Capture = pytest.CaptureFixture[str]

THREE = ["model.members=3", "features.dropout=0.2", "model.dropout=0.1"]
STRIDE = 1_000_003
"""Between the seeds of members."""


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def texts_of(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def ensemble(once: Once, small: list[str], cache_folder: Path) -> Path:
    """The folder of an ensemble of three; tests only read it."""
    return once("ensemble", lambda folder: made(cache_folder, "train", *small, *THREE, f"hydra.run.dir={folder}"))


def test_an_ensembles_folder_is_that_of_any_run_with_one_checkpoint(ensemble: Path, finished_run: Path) -> None:
    assert files_in(ensemble) == files_in(finished_run) - {"checkpoints/last.ckpt"}
    assert metrics_of(ensemble)["parameters"] == 3 * metrics_of(finished_run)["parameters"]


def test_an_ensemble_logs_its_members_as_they_are_fitted(ensemble: Path) -> None:
    said = (ensemble / "train.log").read_text(encoding="utf-8")
    places = [said.index(line) for line in ("in 3 networks", "Member 1 of 3:", "Member 2 of 3:", "Member 3 of 3:")]
    assert places == sorted(places)
    assert said.count("epoch 3/3") == 3


def test_members_are_the_networks_that_their_seeds_give_alone(here: Path, small: list[str], capsys: Capture) -> None:
    # Without a validation part every seed has the same training part.
    common = [*small, "data.val_size=0", "features.dropout=0.2", "model.dropout=0.1", "trainer.max_epochs=2"]
    assert run(capsys, "train", *common, "model.members=2", "seed=5", "hydra.run.dir=both").status == 0
    state = weights_of(here / "both")
    for number, seed in enumerate((5, 5 + STRIDE)):
        run(capsys, "train", *common, f"seed={seed}", f"hydra.run.dir={number}")
        prefix = f"network.members.{number}."
        member = {name.replace(prefix, "network."): value for name, value in state.items() if name.startswith(prefix)}
        assert equal(member, weights_of(here / str(number)))


def test_an_ensembles_logits_are_the_means_of_its_members(ensemble: Path, small_files: dict[str, Path]) -> None:
    checkpoint = read_checkpoint(ensemble / "checkpoints/best.ckpt")
    rows = checkpoint.vectorizer.rows_of(texts_of(small_files["test"]))
    each = torch.stack([logits_of(member, rows) for member in members_of(checkpoint.network)])
    assert len(each) == 3
    assert each.std(dim=0).min() > 0
    torch.testing.assert_close(logits_of(checkpoint.network, rows), each.mean(dim=0))


def test_evaluate_gives_the_metrics_of_the_ensembles_run(ensemble: Path, capsys: Capture) -> None:
    again = json.loads(run(capsys, "evaluate", str(ensemble / "checkpoints/best.ckpt"), "--json").out)
    said = metrics_of(ensemble)
    metrics = {name: value for name, value in said.items() if name.startswith("test/")}
    assert metrics
    assert metrics == {name: value for name, value in again.items() if name.startswith("test/")}


def test_an_ensemble_predicts_for_one_text_and_for_many_what_its_run_did(
    ensemble: Path, small_files: dict[str, Path], capsys: Capture
) -> None:
    best, texts = ensemble / "checkpoints/best.ckpt", texts_of(small_files["test"])
    said = pq.read_table(ensemble / "predictions.parquet")["probability"].to_numpy()
    many = Predictor.from_checkpoint(best).probabilities(texts)
    # A corpus has an order of its own.
    np.testing.assert_allclose(np.sort(many), np.sort(said), atol=1e-6)
    for text, probability in list(zip(texts, many, strict=True))[:3]:
        answer = json.loads(run(capsys, "predict", str(best), "--json", "--", text).out)
        assert answer["probability"] == pytest.approx(probability, abs=1e-6)
        assert answer["label"] == ("pos" if probability > 0.5 else "neg")


HISTORIES = st.integers(1, 4).flatmap(
    lambda members: st.lists(st.lists(st.floats(0, 10), min_size=members, max_size=members), min_size=1, max_size=5)
)
"""For each epoch, a metric of each member."""


@given(HISTORIES, st.integers(0, 3))
def test_an_ensembles_history_is_the_mean_over_the_epochs_that_all_members_have(
    values: list[list[float]], more: int
) -> None:
    members = [
        [{"epoch": n + 1.0, "val/loss": epoch[member], "seconds": 0.5} for n, epoch in enumerate(values)]
        for member in range(len(values[0]))
    ]
    members[0] += [{"epoch": len(values) + 1.0 + n, "val/loss": 9.0, "seconds": 0.5} for n in range(more)]
    rows = mean_rows(members)
    assert len(rows) == len(values) + (more if len(members) == 1 else 0)
    for number, (row, epoch) in enumerate(zip(rows, values, strict=False)):
        expected = {"epoch": number + 1, "val/loss": fmean(epoch), "seconds": 0.5 * len(members)}
        assert row == pytest.approx(expected, abs=1e-4)


def test_an_ensembles_history_has_every_metric_and_no_additional_epoch(ensemble: Path) -> None:
    rows = read_history(ensemble / "history.csv")
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all(row.keys() == set(COLUMNS) for row in rows)
    assert metrics_of(ensemble)["train/loss"] == rows[-1]["train/loss"]


def test_members_may_stop_early_after_different_numbers_of_epochs(
    here: Path, small: list[str], capsys: Capture
) -> None:
    stopping = ["callbacks=early_stopping", "callbacks.early_stopping.patience=1", "optimizer.lr=0.2"]
    result = run(capsys, "train", *small, *THREE, *stopping, "trainer.max_epochs=30", "hydra.run.dir=run")
    assert result.status == 0, result.err
    assert metrics_of(here / "run")["epochs"] < 30


def test_a_stopped_ensemble_goes_on_with_the_members_that_are_not_finished(
    here: Path, small: list[str], ensemble: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the second member's second epoch.
    undisturb = stopped_at(monkeypatch, 4)
    result = run(capsys, "train", *small, *THREE, "hydra.run.dir=run")
    assert result.status == 130
    assert "\nInterrupted before all networks were trained.\n" in result.out
    undisturb()
    resumed = run(capsys, *going_on(result.out))
    assert resumed.status == 0
    assert "Member 1" not in resumed.out
    assert is_same(here / "run", ensemble)


def test_a_damaged_member_is_trained_again(
    here: Path, small: list[str], ensemble: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stopped_at(patch, 4)
        stopped = run(capsys, "train", *small, *THREE, "hydra.run.dir=run")
    (here / "run/members/1/history.csv").write_text("epoch\n1\n")
    resumed = run(capsys, *going_on(stopped.out))
    assert resumed.status == 0
    assert "history.csv: is not the history of a run; this network is trained again" in resumed.err + resumed.out
    assert is_same(here / "run", ensemble)


@pytest.mark.slow
def test_a_swept_ensemble_resumes_with_the_interrupted_member_and_equals_an_uninterrupted_one(
    ensemble: Path, here: Path, small: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = ["train", "-m", *small, *THREE, "seed=0", "hydra.sweep.dir=sweep"]
    # Stopped in the second member, then in the third, then finished.
    for epochs, status in ((4, 130), (3, 130), (9, 0)):
        undisturb = stopped_at(monkeypatch, epochs)
        assert run(capsys, *sweep).status == status
        undisturb()
    (folder,) = (here / "sweep/runs").iterdir()
    attempts = (folder / "train.log").read_text(encoding="utf-8").split("Fit:  ")[1:]
    fitted = [[member for member in (1, 2, 3) if f"Member {member} of 3:" in said] for said in attempts]
    assert fitted == [[1, 2], [2, 3], [3]]
    # The jobs of a sweep have no reliability diagram.
    assert files_in(folder) == files_in(ensemble) - {"reliability.png"}
    assert metrics_of(folder) == metrics_of(ensemble)
    assert equal(weights_of(folder), weights_of(ensemble))


@pytest.mark.usefixtures("here")
def test_several_networks_cannot_resume_from_a_checkpoint(
    ensemble: Path, finished_run: Path, small: list[str], capsys: Capture
) -> None:
    last = f"ckpt_path={finished_run}/checkpoints/last.ckpt"
    result = run(capsys, "train", *small, "model.members=2", last)
    assert result.status == 2
    assert result.err.endswith("several networks can't go on from one checkpoint; must be null\n")
    assert result.err.count("\n") == 1
    # Nor can one network from that of several.
    result = run(capsys, "train", *small, f"ckpt_path={ensemble}/checkpoints/best.ckpt", "trainer.max_epochs=9")
    assert result.status == 2
    assert result.err.count("\n") == 1


SMALL = ["data.val_size=100", "data.batch_size=64", "features.columns=500", "trainer.max_epochs=2", "optimizer.lr=0.01"]
TAUGHT = ["teacher.members=2", "features.dropout=0.2"]


@pytest.fixture(scope="session")
def sources(once: Once) -> dict[str, list[str]]:
    """The overrides that name each kind of source; the same files for all workers, since metrics name them."""
    return named_sources(once("sources_of_students", write_sources))


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
    texts = pq.read_table(folder / "plain_text" / UNSUPERVISED)["text"].to_pylist()
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
    "data.unlabelled=null": "teacher.members=2: pseudo-labels unlabelled reviews; data.unlabelled is null",
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


def test_a_run_whose_student_is_stopped_goes_on_after_its_teacher(
    here: Path,
    sources: dict[str, list[str]],
    students: dict[str, Path],
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undisturb = stopped_at(monkeypatch, 5)
    result = run(capsys, "train", *sources["files"], *SMALL, *TAUGHT, "hydra.run.dir=run")
    assert result.status == 130
    undisturb()
    resumed = run(capsys, *going_on(result.out))
    assert (resumed.status, "epoch 1/2" in resumed.out) == (0, False)
    assert is_same(here / "run", students["files"])


@pytest.mark.slow
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
