"""Behaviour tests: a suite of templates, what passes, and what a wrong suite is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import run
from hypothesis import given
from hypothesis import strategies as st

from imdbclf.errors import UserError
from imdbclf.inference.check import SUITE, Suite, cases_of, check, read_suite
from imdbclf.inference.predictor import Predictor
from imdbclf.model.calibration import EVEN

Capture = pytest.CaptureFixture[str]
LISTS = {"good": ["great", "superb"], "film": ["film", "movie", "play"]}
LABEL = {"kind": "label", "about": "praise", "expect": "positive", "texts": ["A {good} {film}."]}
CHANGE = {"kind": "invariance", "about": "names", "texts": ["A {good} {film}."]}


def suite(**test: Any) -> Suite:
    return Suite.model_validate({"lists": LISTS, "tests": {"it": test}})


def cases(**test: Any) -> list[tuple[str, ...]]:
    return list(cases_of(suite(**test).tests["it"], LISTS))


def test_a_template_becomes_all_combinations() -> None:
    expected = {(f"A {good} {film}.",) for good in LISTS["good"] for film in LISTS["film"]}
    found = cases(**LABEL)
    assert (len(found), set(found)) == (6, expected)
    twice = cases(**LABEL | {"texts": ["A {film} is a {film}."]})
    assert twice == [(f"A {film} is a {film}.",) for film in LISTS["film"]]


@given(limit=st.integers(1, 6), seed=st.integers(0, 99))
def test_a_limit_draws_different_cases_and_the_seed_says_which(limit: int, seed: int) -> None:
    drawn = cases(**LABEL, limit=limit, seed=seed)
    assert len(set(drawn)) == limit
    assert drawn == cases(**LABEL, limit=limit, seed=seed)
    assert set(drawn) <= set(cases(**LABEL))


def test_other_seeds_draw_other_cases() -> None:
    assert {case for seed in range(20) for case in cases(**LABEL, limit=1, seed=seed)} == set(cases(**LABEL))


def test_each_change_makes_a_second_text() -> None:
    assert cases(**CHANGE, add="Such a {film}!")[0] == ("A great film.", "A great film. Such a film!")
    assert cases(**CHANGE, changed=["A very {good} {film}."])[0] == ("A great film.", "A very great film.")
    for first, second in cases(**CHANGE, vary="film"):
        (pair,) = [(a, b) for a, b in zip(first.split(), second.split(), strict=True) if a != b]
        assert {one.strip(".") for one in pair} < set(LISTS["film"])
    for first, second in cases(**CHANGE, typos=1):
        assert first != second
        assert sorted(first) == sorted(second)
        assert [word[0] for word in first.split()] == [word[0] for word in second.split()]


FOUND = np.array([[0.6, 0.6], [0.6, 0.65], [0.6, 0.55], [0.6, 0.45], [0.4, 0.8]])


@pytest.mark.parametrize(
    ("test", "passed"),
    [
        (LABEL, [1, 1, 1, 1, 0]),
        (LABEL | {"threshold": 0.3}, [1, 1, 1, 1, 1]),
        (CHANGE | {"typos": 1, "threshold": 0.3}, [1, 1, 1, 1, 1]),
        (LABEL | {"expect": "negative"}, [0, 0, 0, 0, 1]),
        (CHANGE | {"typos": 1}, [1, 1, 1, 0, 0]),
        (CHANGE | {"typos": 1, "tolerance": 0.01}, [1, 0, 0, 0, 0]),
        (CHANGE | {"kind": "direction", "typos": 1, "expect": "no fall"}, [1, 1, 0, 0, 1]),
        (CHANGE | {"kind": "direction", "typos": 1, "expect": "no rise"}, [1, 0, 1, 1, 0]),
        (CHANGE | {"kind": "direction", "typos": 1, "expect": "no rise", "tolerance": 0.06}, [1, 1, 1, 1, 0]),
    ],
)
def test_what_passes(test: dict[str, Any], passed: list[int]) -> None:
    threshold = test.get("threshold", EVEN)
    made = suite(**{key: value for key, value in test.items() if key != "threshold"})
    assert made.tests["it"].passes(FOUND, threshold).tolist() == [bool(one) for one in passed]


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (LABEL | {"expct": 1}, "tests.it.expct=1: there is no such key; did you mean 'tests.it.expect'?"),
        (LABEL | {"expect": "good"}, "tests.it.expect=good: must be positive or negative"),
        (LABEL | {"kind": "lable"}, "tests.it.kind=lable: must be label, invariance, direction; did you mean 'label'?"),
        (LABEL | {"texts": ["A {god} film."]}, "tests.it: there is no list god; did you mean 'good'?"),
        (LABEL | {"limit": 0}, "tests.it.limit=0: must be 1 or more"),
        (LABEL | {"typos": 1}, "tests.it.typos=1: there is no such key"),
        (CHANGE, "tests.it.changes: must be one of add, changed, vary and typos"),
        (CHANGE | {"vary": "film", "typos": 1}, "tests.it.changes: must be one of add, changed, vary and typos"),
        (CHANGE | {"changed": ["a", "b"]}, "tests.it.changed: must have one text for each of the 1 texts"),
        (CHANGE | {"vary": "one"}, "lists.one: must have two words or more, because tests.it varies it"),
        (CHANGE | {"vary": "two"}, "tests.it: there is no list two"),
    ],
)
def test_a_wrong_suite_is_refused_in_one_line(test: dict[str, Any], message: str, tmp_path: Path) -> None:
    file = tmp_path / "suite.yaml"
    file.write_text(json.dumps({"lists": LISTS | {"one": ["a"]}, "tests": {"it": test}}), encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_suite(file)
    assert str(error.value).startswith(f"{file}: {message}")


@pytest.mark.parametrize(
    "text", ["tests: [", "a: &a [1]\nb: *a", "- 1", "word", "tests: {}\ntests: {}", "", "tests: {a: }"]
)
def test_a_file_that_is_no_suite_is_refused(text: str, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "suite.yaml"
    file.write_text(text, encoding="utf-8")
    result = run(capsys, "check", str(tmp_path), str(file))
    assert result.status == 2
    assert result.err.startswith(f"error: {file}: ")
    assert len(result.err.splitlines()) == 1


def test_a_pipe_is_no_suite_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "suite.yaml")
    with pytest.raises(UserError, match=r"suite.yaml: cannot be read \(not a regular file\)"):
        read_suite(tmp_path / "suite.yaml")


def test_failed_cases_are_the_worst_first(finished_run: Path) -> None:
    predictor = Predictor.from_checkpoint(finished_run / "checkpoints/best.ckpt")
    (found,) = check(predictor, suite(**LABEL | {"texts": ["It is {good}.", "It is bad.", "The worst {film}."]}))
    assert found.cases == 2 + 1 + 3
    assert found.passed + len(found.failed) == found.cases
    probabilities = [case.probabilities[0] for case in found.failed]
    assert probabilities == sorted(probabilities)
    assert probabilities == pytest.approx(
        predictor.probabilities(case.texts[0] for case in found.failed).tolist(), abs=1e-6
    )


def test_the_shipped_suite_has_cases_of_each_kind() -> None:
    shipped = read_suite(SUITE)
    assert {test.kind for test in shipped.tests.values()} == {"label", "invariance", "direction"}
    for test in shipped.tests.values():
        pairs = [case for case in cases_of(test, shipped.lists) if len(case) > 1]
        assert all(first != second for first, second in pairs)


def test_the_command_prints_rates_and_the_worst_texts(finished_run: Path, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "suite.yaml"
    text = "Wonderful [/b]: the best that I have had in years, beautiful and well made."
    praise = LABEL | {"texts": [text]}
    never = praise | {"expect": "negative"}
    tests = {"praise": praise, "low": never | {"min": 0}, "never": never}
    file.write_text(json.dumps({"lists": LISTS, "tests": tests}), encoding="utf-8")
    result = run(capsys, "check", str(finished_run), str(file), "--min", ".9")
    assert result.status == 1
    assert result.err == "below the pass rate asked for: never\n"
    assert text in result.out
    assert run(capsys, "check", str(finished_run), str(file)).status == 0
    found = json.loads(run(capsys, "check", str(finished_run), str(file), "--json", "--failures", "1").out)
    assert [one["rate"] for one in found["tests"]] == [1, 0, 0]
    assert found["tests"][1]["failures"][0]["texts"] == [text]
