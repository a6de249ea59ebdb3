from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from benchmarks import ladder, ladder_page
from benchmarks.ladder import Measuring
from benchmarks.ladder_page import KINDS, PARTS, Ladder, check, read, with_figures, write
from benchmarks.ladder_peers import PEERS, PUBLISHED
from benchmarks.ladder_rungs import RUNGS, changed, compared_with, composed
from benchmarks.ladder_steps import combined, compared, is_shown, p_values, rung_figures
from benchmarks.markers import markers
from benchmarks.sealed import digest
from benchmarks.workplace import Workplace
from imdbclf.errors import UserError
from imdbclf.folders.sweep import Sweep, SweepFolder, SweepJob
from imdbclf.reports.statistics import holm, mcnemar_p
from imdbclf.storage import write_json

RECIPES = ("strong_10k", "strong", "strong_ensemble", "strong_semi")
MOST_CHANGED = 3
PLACE = {"machine": {"processor": "A processor", "cores": 2}, "versions": {"python": "3.11.7"}}
PAGE = "\n".join(f"{begin}\nold\n{end}" for begin, end in map(markers, PARTS))


def _figures(number: int, accuracy: float) -> dict[str, Any]:
    spread = np.random.default_rng(number).normal(0, 0.0002, 5)
    return {
        "command": f"imdbclf train -m experiment=rung_{number}",
        "settings": composed(RUNGS[number].command),
        "seeds": list(range(5)),
        "parameters": 160_305 + number,
        "test/accuracy": (accuracy + spread).tolist(),
    }


@pytest.fixture(scope="module")
def found() -> Ladder:
    names = [rung.name for rung in RUNGS]
    ours = {name: _figures(number, 0.88 + number / 250) for number, name in enumerate(names[:4])}
    ours[names[3]]["test/accuracy"] = ours[names[2]]["test/accuracy"][::-1]
    seen = {"accuracy": [0.9], "seconds": [50.0], "peak_mb": [1_500.0], "parameters": None, "inputs": PLACE}
    sides = {"ours": [{"seconds": 10.0, "peak_mb": 800.0}], "peer": [{"seconds": 50.0, "peak_mb": 1_600.0}]}
    return {
        "rungs": ours,
        "runs": {
            name: {"seconds": 4.0 + number, "fit_seconds": 1.0, "peak_mb": 500.0, "inputs": PLACE}
            for number, name in enumerate(ours)
        },
        "steps": {
            names[1]: {"seeds": list(range(5)), "lost_and_won": [[200, 300]] * 5},
            names[2]: {"seeds": list(range(5)), "lost_and_won": [[100, 300]] * 5},
            names[3]: {"seeds": list(range(5)), "lost_and_won": [[250, 250]] * 5},
        },
        "peers": {peer.name: seen for peer in PEERS},
        "costs": {"command": sides, "encoding": sides},
    }


def test_each_rung_that_is_no_recipe_differs_from_the_one_below_in_few_groups() -> None:
    settings = {rung.name: composed(rung.command) for rung in RUNGS}
    for above, below in compared_with().items():
        groups = {key.partition(".")[0] for key in changed(settings[below], settings[above])}
        assert groups
        assert above in RECIPES or len(groups) <= MOST_CHANGED, f"{above}: {groups}"


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_is_a_rung_as_it_is(recipe: str) -> None:
    assert next(rung for rung in RUNGS if rung.name == recipe).command == [f"experiment={recipe}"]


def test_a_rung_can_take_a_value_of_a_recipe_above() -> None:
    columns = composed(["experiment=strong"])["features.columns"]
    assert next(rung for rung in RUNGS if rung.name == "columns").command[-1] == f"features.columns={columns}"


def test_settings_that_only_the_rung_below_has_are_no_change() -> None:
    assert changed({"optimizer.rho": 0.9, "loss.name": "bce"}, {"loss.name": "mse", "new": 1}) == {
        "loss.name": "mse",
        "new": 1,
    }


def test_p_values_are_those_of_scipy_adjusted_for_the_number_of_steps(found: Ladder) -> None:
    names, p = list(found["steps"]), p_values(found)
    accuracies = [np.array(found["rungs"][rung.name]["test/accuracy"]) for rung in RUNGS[:4]]
    seeds = [stats.ttest_rel(above, below).pvalue for below, above in pairwise(accuracies)]
    reviews = [min(1.0, 2 * mcnemar_p(*pair)) for pair in ((200, 300), (100, 300), (250, 250))]
    assert [p[name][0] for name in names] == pytest.approx(holm(seeds), rel=1e-6)
    assert [p[name][1] for name in names] == pytest.approx(holm(reviews))
    assert [is_shown(p[name]) for name in names] == [True, True, False]


def test_several_p_values_become_twice_their_median() -> None:
    assert combined([0.01, 0.9, 0.02]) == pytest.approx(0.04)
    assert combined([0.9, 0.8, 0.7]) == 1.0
    assert combined([]) is None


def test_a_step_counts_as_shown_only_by_both_tests() -> None:
    assert is_shown((0.01, 0.04))
    assert not is_shown((0.01, 0.2))
    assert not is_shown((None, 0.01))


def _sweep(folder: SweepFolder, right: list[list[bool]]) -> None:
    jobs = [SweepJob(f"seed-{seed}", [], {"seed": seed}) for seed in range(len(right))]
    folder.write(Sweep("lecture", "imdbclf train -m", ["seed"], jobs))
    for job, hits in zip(jobs, right, strict=True):
        run = folder.run(job)
        run.path.mkdir(parents=True)
        write_json(run.metrics, {"test/accuracy": float(np.mean(hits)), "parameters": 3})
        chances = [0.9 if hit else 0.1 for hit in hits]
        ids = [f"{number:04x}" for number in range(len(hits))]
        table = pa.table({"id": ids, "label": pa.array([1] * len(hits), pa.int8()), "probability": chances})
        pq.write_table(table, run.predictions)


def test_a_step_counts_the_reviews_that_are_lost_and_won(tmp_path: Path) -> None:
    below, above = (SweepFolder(tmp_path / rung.name) for rung in RUNGS[:2])
    _sweep(below, [[True, True, False, False], [True, True, True, True]])
    _sweep(above, [[True, False, True, True], [True, True, True, False]])
    rungs = {folder.path.name: rung_figures(folder) for folder in (below, above)}
    assert rungs[RUNGS[1].name]["test/accuracy"] == [0.75, 0.75]
    step = compared(rungs, tmp_path)[RUNGS[1].name]
    assert step == {"seeds": [0, 1], "lost_and_won": [[1, 2], [1, 0]]}


def test_a_run_that_is_not_done_is_named(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path)
    folder.write(Sweep("lecture", "imdbclf train -m", ["seed"], [SweepJob("seed-0", [], {"seed": 0})]))
    with pytest.raises(UserError, match="the job seed-0 is unfinished"):
        rung_figures(folder)


def test_the_page_says_changes_accuracies_and_verdicts(found: Ladder) -> None:
    page = with_figures(PAGE, found)
    assert "| 2 | **one-layer** | `model.layers=1` | 88.4" in page
    assert "; no difference that both tests show); 250 reviews won, 250 lost a seed." in page
    assert page.count("no difference that both tests show") == 1
    assert "| raw texts to test figures | 10.0 s (10.0 – 10.0) | 50.0 s (50.0 – 50.0) | 5.0× |" in page
    assert all(f"| {each.name} | {100 * each.accuracy:.2f} |" in page for each in PUBLISHED)
    assert all(f"| {peer.name} |" in page for peer in PEERS)
    assert with_figures(page, found) == page


def test_what_is_not_measured_is_said_to_be_so() -> None:
    page = with_figures(PAGE, {kind: {} for kind in KINDS})
    assert page.count("Not measured yet: `make ladder`") == len(PARTS) - 1


def test_a_part_of_the_measurements_makes_a_page(found: Ladder) -> None:
    first = RUNGS[0].name
    part = {**{kind: {} for kind in KINDS}, "rungs": {first: found["rungs"][first]}}
    page = with_figures(PAGE, part)
    assert f"| 1 | **{first}** | 160,305 | – | – | – |" in page


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    named = {"LADDER_PAGE": "ladder.md", "LADDER_PICTURE": "ladder.png", "README": "README.md"}
    for name, file in named.items():
        monkeypatch.setattr(ladder_page, name, tmp_path / file)
    monkeypatch.setattr(ladder_page.read, "__defaults__", (tmp_path / "ladder.json",))
    (tmp_path / "ladder.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "README.md").write_text("\n".join(markers("strong")), encoding="utf-8")
    return tmp_path


def test_a_page_or_a_picture_that_says_something_else_is_found(files: Path, found: Ladder) -> None:
    write_json(files / "ladder.json", found)
    with pytest.raises(UserError, match=r"README\.md: differs .* run: make docs"):
        check()
    write(read())
    assert "| `rung_0` | 88.0" in (files / "README.md").read_text(encoding="utf-8")
    (files / "ladder.md").write_text(PAGE, encoding="utf-8")
    with pytest.raises(UserError, match=r"ladder\.md: differs .* run: make docs"):
        check()
    write(read())
    check()
    assert digest(found).encode() in (files / "ladder.png").read_bytes()
    (files / "ladder.png").write_bytes(b"of other figures")
    with pytest.raises(UserError, match=r"ladder\.png: differs"):
        check()


def test_a_recipe_that_has_changed_since_is_found(files: Path, found: Ladder) -> None:
    name = RUNGS[0].name
    settings = {**found["rungs"][name]["settings"], "trainer.max_epochs": 3}
    write_json(
        files / "ladder.json", {**found, "rungs": {name: {**found["rungs"][name], "settings": settings}}, "steps": {}}
    )
    write(read())
    with pytest.raises(UserError, match=r"lecture was measured with trainer\.max_epochs=3, now 4; run: make ladder"):
        check()


def test_what_was_measured_with_the_same_inputs_is_kept(tmp_path: Path) -> None:
    nothing: Ladder = {kind: {} for kind in KINDS}
    place = Workplace(tmp_path, tmp_path, tmp_path)
    measuring = Measuring(place, nothing, tmp_path / "ladder.json", tmp_path)
    assert measuring.kept("peers", "one", {"seeds": 1}, lambda: {"seconds": 1.0})["seconds"] == 1.0
    assert measuring.kept("peers", "one", {"seeds": 1}, lambda: {"seconds": 2.0})["seconds"] == 1.0
    assert measuring.kept("peers", "one", {"seeds": 3}, lambda: {"seconds": 3.0})["seconds"] == 3.0
    assert read(tmp_path / "ladder.json")["peers"]["one"]["seconds"] == 3.0
    anew = Measuring(place, nothing, tmp_path / "ladder.json", tmp_path, again=frozenset({"one"}))
    assert anew.kept("peers", "one", {"seeds": 3}, lambda: {"seconds": 4.0})["seconds"] == 4.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--only", "strung"], "strung: must be one of lecture"), (["--seeds", "2"], "they need --into FOLDER")],
)
def test_what_can_not_be_measured_is_refused(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["ladder", *arguments])
    with pytest.raises(SystemExit):
        ladder.main()
    assert said in capsys.readouterr().err
