"""`docs/ladder.md`: what each rung reaches and costs, what each step buys, and who stands beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.ladder_peers import PEERS, PUBLISHED
from benchmarks.ladder_rungs import RUNGS, Changed, Rung, changed, compared_with, composed
from benchmarks.ladder_steps import differences, is_shown, p_values
from benchmarks.markers import refuse_stale, rewrite, with_part
from benchmarks.page import table
from benchmarks.paths import LADDER, LADDER_PAGE, LADDER_PICTURE, README
from benchmarks.sealed import shows
from imdbclf.errors import UserError
from imdbclf.reports.labels import number_of, p_text, percent, signed
from imdbclf.reports.statistics import half_width
from imdbclf.settings import RENAMED

Ladder = dict[str, Any]
"""What was measured: `rungs` (figures of all seeds, settings, command), `steps` (from one rung to the next), `runs` (a
run of each rung alone), `peers`, `costs`; each by name."""

KINDS = ("rungs", "steps", "runs", "peers", "costs")

UNMEASURED = "Not measured yet: `make ladder` (with IMDBCLF_DATA naming the folder of the real reviews) does."

NOTHING = "–"


def read(file: Path = LADDER) -> Ladder:
    """What was measured so far; nothing where there is no file."""
    found: Ladder = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {kind: found.get(kind, {}) for kind in KINDS}


def accuracy_table(found: Ladder) -> str:
    """A row a rung: what is changed, how good it is."""
    header = ("", "rung", "changed", "test accuracy, %", "smallest – largest", "validation, %", "calibration error, %")
    rows = []
    for number, rung in enumerate(RUNGS, start=1):
        if rung.name in found["rungs"]:
            figures = found["rungs"][rung.name]
            cells = [_spread(figures, "test/accuracy"), _range(figures["test/accuracy"])]
            more = [_spread(figures, name) for name in ("val/accuracy", "test/calibration_error")]
            below = found["rungs"].get(compared_with().get(rung.name, ""), {}).get("settings")
            rows.append([f"{number}", _named(rung), _changes(below, figures["settings"]), *cells, *more])
    return table(header, rows)


def _named(rung: Rung) -> str:
    return f"**{rung.name}**" + (f" (compared with {rung.beside})" if rung.beside else "")


def cost_table(found: Ladder) -> str:
    """A row a rung: what one run of it takes."""
    header = ("", "rung", "parameters", "seconds, start to exit", "of these fitting", "peak memory, MB")
    rows = [
        [f"{number}", f"**{rung.name}**", f"{found['rungs'][rung.name]['parameters']:,}", *_run(found, rung.name)]
        for number, rung in enumerate(RUNGS, start=1)
        if rung.name in found["rungs"]
    ]
    return table(header, rows)


def _run(found: Ladder, name: str) -> list[str]:
    run = found["runs"].get(name)
    if run is None:
        return [NOTHING] * 3
    return [f"{run['seconds']:.1f}", f"{run['fit_seconds']:.1f}", f"{run['peak_mb']:,.0f}"]


def _changes(below: Changed | None, above: Changed) -> str:
    """The settings that differ from the rung below, read off both."""
    if below is None:
        return NOTHING
    return ", ".join(f"`{key}={_value(value)}`" for key, value in changed(below, above).items())


def _value(value: Any) -> str:
    """As an override has it."""
    return json.dumps(value) if isinstance(value, bool) or value is None else str(value)


def _spread(figures: Mapping[str, Any], name: str) -> str:
    """Mean and half of the 95 % interval over seeds, in per cent; a dash where there is none."""
    if name not in figures:
        return NOTHING
    values = np.array(figures[name])
    return percent(float(values.mean()), half_width(values)).removesuffix(" %")


def _range(values: Sequence[float]) -> str:
    return f"{100 * min(values):.2f} – {100 * max(values):.2f}"


def steps(found: Ladder) -> str:
    """A sentence a step, and one on all of them."""
    p = p_values(found)
    lines = [_step(found, rung.name, rung.what, p[rung.name]) for rung in RUNGS if rung.name in p]
    return "\n".join([*lines, *_altogether(found)])


def _step(found: Ladder, name: str, what: str, p: tuple[float | None, float | None]) -> str:
    difference = differences(found, name)
    points = f"{signed(float(difference.mean()), half_width(difference))} points"
    tests = " and ".join(
        f"{NOTHING if each is None else p_text(each)} over {over}"
        for each, over in zip(p, ("seeds", "reviews"), strict=True)
    )
    shown = "" if is_shown(p) else "; no difference that both tests show"
    lost, won = (mean(pair[side] for pair in found["steps"][name]["lost_and_won"]) for side in (0, 1))
    return f"- **{name}** – {what}: {points} ({tests}{shown}); {won:,.0f} reviews won, {lost:,.0f} lost a seed."


def _altogether(found: Ladder) -> list[str]:
    names = [rung.name for rung in RUNGS if rung.name in found["rungs"] and rung.beside is None]
    if len(names) < 2:  # noqa: PLR2004 - a step has two ends
        return []
    first, last = (mean(found["rungs"][name]["test/accuracy"]) for name in (names[0], names[-1]))
    left = (1 - last) / (1 - first)
    ends = f"From **{names[0]}** to **{names[-1]}**"
    went = f"the mean test accuracy goes from {percent(first)} to {percent(last)}"
    return [f"\n{ends} {went}: of 100 errors {100 * left:.0f} are left."]


def peers_table(found: Ladder) -> str:
    """A row a peer."""
    header = ("peer", "what", "runs", "test accuracy, %", "seconds", "peak memory, MB", "parameters")
    rows = [
        [
            peer.name,
            peer.what,
            number_of(peer.seeds, "seed") if peer.seeds else "1 (always the same)",
            _accuracies(seen["accuracy"]),
            f"{median(seen['seconds']):.1f}" + ("" if peer.starts_at == "texts" else " (from word numbers)"),
            f"{median(seen['peak_mb']):,.0f}",
            NOTHING if seen["parameters"] is None else f"{seen['parameters']:,}",
        ]
        for peer in PEERS
        if (seen := found["peers"].get(peer.name))
    ]
    return table(header, rows)


def _accuracies(values: Sequence[float]) -> str:
    return percent(mean(values), half_width(np.array(values))).removesuffix(" %")


def published_table() -> str:
    """Figures of papers."""
    rows = [[each.name, f"{100 * each.accuracy:.2f}", each.source] for each in PUBLISHED]
    return table(("published", "test accuracy, %", "source"), rows)


SIDES = {
    "command": (
        "raw texts to test figures",
        "`imdbclf train experiment=strong`, nothing cached",
        "`CountVectorizer(ngram_range=(1, 3), binary=True)`, `LogisticRegression`",
    ),
    "encoding": (
        "25,000 training texts in memory to rows of 1–3-grams",
        "words, vocabulary of 600,000 columns by frequency, rows",
        "`CountVectorizer(ngram_range=(1, 3), binary=True).fit_transform`",
    ),
}


def costs_table(found: Ladder) -> str:
    """Two rows a cost: seconds and memory of both sides, and how many times less ours is."""
    rows = []
    for name, (what, *_) in SIDES.items():
        for quantity, unit in (("seconds", "s"), ("peak_mb", "MB")):
            if sides := found["costs"].get(name):
                values = [[each[quantity] for each in sides[side]] for side in ("ours", "peer")]
                ratio = median(values[1]) / median(values[0])
                rows.append([what, *(_median(side, unit) for side in values), f"{ratio:.1f}×"])
    legend = "\n".join(f"- {what}: ours {ours}; peer {peer}." for what, ours, peer in SIDES.values())
    return f"{table(('work', 'ours', 'peer', 'peer / ours'), rows)}\n\n{legend}"


def _median(values: Sequence[float], unit: str) -> str:
    digits = 1 if unit == "s" else 0
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{middle} {unit} ({low} – {high})"


def commands(found: Ladder) -> str:
    """The command of each rung, and on what they ran."""
    lines = [found["rungs"][rung.name]["command"] for rung in RUNGS if rung.name in found["rungs"]]
    return "```bash\n" + "\n".join(lines) + "\n```" + _place(found)


def _place(found: Ladder) -> str:
    places = [each["inputs"] for kind in ("runs", "peers") for each in found[kind].values()]
    asked = [place[name] for place in places for name in ("machine", "versions")]
    said = {json.dumps(each, sort_keys=True): each for each in asked}
    lines = [", ".join(f"{key.replace('_', ' ')} {value}" for key, value in place.items()) for place in said.values()]
    return "\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


_PICTURE = """\
![Test accuracy against seconds: the rungs as a line, peers as points, published figures as lines](ladder.png)"""

PARTS: dict[str, tuple[str, Callable[[Ladder], str]]] = {
    "ladder": ("rungs", lambda found: f"{_PICTURE}\n\n{accuracy_table(found)}"),
    "ladder steps": ("steps", steps),
    "ladder peers": ("peers", peers_table),
    "ladder published": ("", lambda _: published_table()),
    "ladder seconds": ("rungs", cost_table),
    "ladder costs": ("costs", costs_table),
    "ladder commands": ("rungs", commands),
}
"""What stands between the markers of each name, and which kind of figures must be there for it."""


def with_figures(page: str, found: Ladder) -> str:
    """The page with what stands between its markers written anew.

    Raises:
        UserError: if a marker is missing.
    """
    for name, (needed, part) in PARTS.items():
        text = part(found) if not needed or found[needed] else UNMEASURED
        page = with_part(page, name, text, LADDER_PAGE.name)
    return page


RECIPES = ("lecture", "strong_10k", "strong", "strong_ensemble", "strong_semi")
"""The rungs that the README tells of, which are experiments as they stand."""


def readme_table(found: Ladder) -> str:
    """What the recipes come to: a row each."""
    header = ("experiment", "test accuracy, %, mean of seeds 0–4", "calibration error, %", "seconds of one run")
    rows = []
    for name in RECIPES:
        if name in found["rungs"]:
            figures = found["rungs"][name]
            experiment = figures["command"].split("experiment=")[1].split(" ")[0]
            cells = [_spread(figures, each) for each in ("test/accuracy", "test/calibration_error")]
            rows.append([f"`{experiment}`", *cells, _run(found, name)[0]])
    return table(header, rows) if rows else UNMEASURED


def with_recipes(readme: str, found: Ladder) -> str:
    """The README with its table of recipes written anew."""
    return with_part(readme, "strong", readme_table(found), README.name)


def write(found: Ladder) -> None:
    """Write page, picture and the README's table."""
    rewrite(README, lambda readme: with_recipes(readme, found))
    rewrite(LADDER_PAGE, lambda page: with_figures(page, found))
    if found["rungs"]:
        # It takes a second to import, which checking does without.
        from benchmarks.ladder_picture import draw  # noqa: PLC0415

        draw(found, LADDER_PICTURE)


def check() -> None:
    """See that page, picture and README say what was measured, and that this was measured of the recipes as they are.

    Raises:
        UserError: naming the command that mends it.
    """
    found = read()
    refuse_stale(README, lambda readme: with_recipes(readme, found), LADDER)
    refuse_stale(LADDER_PAGE, lambda page: with_figures(page, found), LADDER)
    if found["rungs"] and not shows(LADDER_PICTURE, found):
        msg = f"{LADDER_PICTURE.name}: differs from benchmarks/{LADDER.name}; run: make docs"
        raise UserError(msg)
    for rung in RUNGS:
        if rung.name in found["rungs"]:
            _refuse_other_settings(rung.name, found["rungs"][rung.name]["settings"], composed(rung.command))


def _refuse_other_settings(name: str, measured: Changed, today: Changed) -> None:
    """A setting that there was none of then is at its default; one that is another now makes it another recipe."""
    for old_key, value in measured.items():
        key = RENAMED.get(old_key, old_key)
        if today.get(key) != value:
            msg = f"{LADDER.name}: {name} was measured with {key}={_value(value)}, now {_value(today.get(key))}"
            raise UserError(f"{msg}; run: make ladder")
