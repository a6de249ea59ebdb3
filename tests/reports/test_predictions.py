"""The predictions of runs, matched by review, and the first words of these reviews."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.data.cache import load_or_encode
from imdbclf.data.sources.files import FilesSource
from imdbclf.errors import UserError
from imdbclf.folders.run import RunFolder
from imdbclf.reports.predictions import WORDS, first_words, read_predictions, read_runs
from reports.helpers import predicted

IDS, LABELS, CHANCES = ["a", "b", "c"], [0, 1, 1], [0.1, 0.9, 0.4]


def test_repeated_reviews_are_matched_in_their_order(tmp_path: Path) -> None:
    # Equal ids: an unstable sort would mix them up.
    first = predicted(tmp_path / "A", ["b", "a", "a"], [1, 0, 0], [0.9, 0.1, 0.2])
    second = predicted(tmp_path / "B", ["b", "a", "a"], [1, 0, 0], [0.8, 0.3, 0.4])
    one, other = read_runs([first, second])
    assert one.probabilities == pytest.approx([0.1, 0.2, 0.9])
    assert other.probabilities == pytest.approx([0.3, 0.4, 0.8])


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(6)))
def test_rows_in_another_order_are_matched_by_id(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    folder = tmp_path_factory.mktemp("runs")
    ids, labels, chances = list("abcdef"), [0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.6, 0.7]
    first = predicted(folder / "A", ids, labels, chances)
    shuffled = ([values[k] for k in order] for values in (ids, labels, chances))
    one, other = read_runs([first, predicted(folder / "B", *shuffled)])  # type: ignore[arg-type]
    assert one.ids.tolist() == other.ids.tolist()
    assert np.array_equal(one.probabilities, other.probabilities)


def test_right_reviews_give_the_accuracy_of_the_metrics(finished_run: Path) -> None:
    metrics = json.loads((finished_run / "metrics.json").read_text(encoding="utf-8"))
    assert float(read_predictions(finished_run).right.mean()) == metrics["test/accuracy"]


def test_a_probability_of_one_half_is_negative(tmp_path: Path) -> None:
    run = read_predictions(predicted(tmp_path / "A", ["a", "b"], [0, 1], [0.5, 0.5]))
    assert run.right.tolist() == [True, False]


def test_positive_is_above_the_threshold_that_the_metrics_name(tmp_path: Path) -> None:
    folder = predicted(tmp_path / "A", ["a", "b"], [0, 1], [0.5, 0.5])
    (folder / "metrics.json").write_text('{"threshold": 0.25}', encoding="utf-8")
    assert read_predictions(folder).right.tolist() == [False, True]


def test_runs_with_different_test_reviews_are_refused(tmp_path: Path) -> None:
    first = predicted(tmp_path / "A", IDS, LABELS, CHANCES)
    cases = {
        "2 only in the first, 1 only in the second": predicted(tmp_path / "B", ["a", "d"], [0, 1], [0.1, 0.2]),
        r"different labels for the same test reviews \(1 of 3\)": predicted(tmp_path / "C", IDS, [0, 1, 0], CHANCES),
        "1 only in the first, 1 only in the second": predicted(tmp_path / "D", ["a", "b", "b"], LABELS, CHANCES),
    }
    for message, other in cases.items():
        with pytest.raises(UserError, match=message):
            read_runs([first, other])


def test_a_folder_without_readable_predictions_is_refused(tmp_path: Path) -> None:
    first = predicted(tmp_path / "A", IDS, LABELS, CHANCES)
    unfinished = predicted(tmp_path / "B", IDS, LABELS, CHANCES)
    (unfinished / "predictions.parquet").unlink()
    damaged = predicted(tmp_path / "C", IDS, LABELS, CHANCES)
    (damaged / "predictions.parquet").write_bytes(b"PAR1")
    cases = {
        "is not the folder of a run": tmp_path / "nowhere",
        "has no predictions.parquet": unfinished,
        "predictions.parquet: cannot be read": damaged,
        "has no reviews": predicted(tmp_path / "D", [], [], []),
    }
    for message, path in cases.items():
        with pytest.raises(UserError, match=message):
            read_runs([first, path])


def test_one_run_and_the_same_run_twice_are_refused(tmp_path: Path) -> None:
    first = predicted(tmp_path / "A", IDS, LABELS, CHANCES)
    with pytest.raises(UserError, match="at least two runs"):
        read_runs([first])
    with pytest.raises(UserError, match="is given 2 times"):
        read_runs([first, first / ".." / "A"])


@pytest.fixture
def folder(tmp_path: Path, small_files: dict[str, Path]) -> RunFolder:
    """A run on the small files."""
    run = RunFolder(tmp_path)
    run.config.write_text(
        "defaults:\n- hydra: imdbclf\nexperiment: x\ndata:\n  source: files\n"
        + "".join(f"  {part}: {path}\n" for part, path in small_files.items()),
        encoding="utf-8",
    )
    return run


def test_the_first_words_of_a_review_are_shown(
    folder: RunFolder, small_files: dict[str, Path], cache_folder: Path
) -> None:
    corpus = load_or_encode(FilesSource(small_files["train"], small_files["test"]), cache_folder).corpus
    test = corpus.parts["test"]
    words = corpus.dictionary.to_pylist()
    expected = [words[number] for number in test.words[test.offsets[5] : test.offsets[6]]][:WORDS]
    name = test.review_names()[5]
    found, note = first_words(folder, [name, f"{name}-2", "0" * 16])
    assert note is None
    assert set(found) == {name, f"{name}-2"}
    assert found[name].removesuffix(" …").split() == expected


def test_reviews_that_are_not_in_the_cache_are_not_encoded(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IMDBCLF_CACHE", str(tmp_path / "empty"))
    found, note = first_words(folder, ["0" * 16])
    assert (found, "no longer in the cache" in str(note)) == ({}, True)
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    "config", ["{", "- a list", "experiment: x\ndata:\n  source: nowhere", "data:\n  batch_size: 0"]
)
def test_a_config_that_cannot_be_used_is_a_note(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    _, note = first_words(RunFolder(tmp_path), ["0" * 16])
    assert "no words are shown" in str(note)


@pytest.mark.parametrize(
    ("labels", "chances"), [([0, 2, 1], CHANCES), ([0, -1, 1], CHANCES), ([0, 1, 1], [0.1, float("nan"), 0.3])]
)
def test_labels_and_probabilities_that_mean_nothing_are_refused(
    tmp_path: Path, labels: list[int], chances: list[float]
) -> None:
    folder = predicted(tmp_path / "A", IDS, labels, chances)
    with pytest.raises(UserError, match="has other labels than 0 and 1, or probabilities outside 0 to 1"):
        read_predictions(folder)


def test_a_config_with_aliases_is_not_unfolded(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    (tmp_path / "config.yaml").write_text(bomb, encoding="utf-8")
    words, note = first_words(RunFolder(tmp_path), ["00"])
    assert not words
    assert "has aliases" in str(note)
