"""`docs/lecture-sweep.md`: what the lecture's sweep found, computed from the table that is kept of it.

The table is the sweep's own `sweep.csv`; the pictures are copies of the report's. A small JSON file beside the table
has how it was run and the hashes of table and pictures, so that one sees if one of them is of another sweep.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.paths import LECTURE_SWEEP, LECTURE_SWEEP_PAGE
from imdbclf.errors import UserError
from imdbclf.folders.sweep import Sweep, SweepFolder
from imdbclf.reports.sweep.conclusions import Conclusions, conclusions_of
from imdbclf.reports.sweep.job_table import read_table
from imdbclf.reports.sweep.sections import (
    Section,
    SweepResults,
    TextTable,
    configurations_section,
    effects_section,
)
from imdbclf.storage import atomic_write, write_json

PICTURES = {
    "effects": "Differences in validation accuracy from the first value of each choice, with 95 % intervals",
    "curves": "Validation accuracy and loss by epoch, a line a configuration, the best one highlighted",
    "cost": "Validation accuracy against the number of parameters and the seconds of a fit",
}


@dataclass(frozen=True)
class Kept:
    """What is kept of a sweep: its table, how it was run (JSON beside it), the page, the pictures beside the page."""

    table: Path
    page: Path

    @property
    def about(self) -> Path:
        """How it was run, and hashes."""
        return self.table.with_suffix(".json")

    def picture(self, name: str) -> Path:
        """One of `PICTURES`."""
        return self.page.with_name(f"{self.page.stem}-{name}.png")

    @property
    def is_measured(self) -> bool:
        """Whether there is a sweep to speak of."""
        return self.about.exists()

    def take(self, folder: SweepFolder, about: dict[str, Any]) -> None:
        """Copy table and pictures of a sweep that is done, and write how it was run."""
        for source, target in (
            (folder.table, self.table),
            *((folder.path / f"{n}.png", self.picture(n)) for n in PICTURES),
        ):
            with atomic_write(target) as aside:
                shutil.copyfile(source, aside)
        write_json(self.about, {**about, "sha256": self.hashes()})

    def hashes(self) -> dict[str, str]:
        """Of table and pictures, by their names."""
        files = [self.table, *map(self.picture, PICTURES)]
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.exists()}

    def read(self) -> tuple[Conclusions, dict[str, Any]]:
        """What the table says, and how it was run."""
        about: dict[str, Any] = json.loads(self.about.read_text(encoding="utf-8"))
        rows = read_table(self.table)
        return conclusions_of(rows, list(rows[0].choices)), about


IN_REPOSITORY = Kept(LECTURE_SWEEP, LECTURE_SWEEP_PAGE)


def write(kept: Kept = IN_REPOSITORY) -> None:
    """Write the page."""
    with atomic_write(kept.page) as aside:
        aside.write_text(_page_of(kept), encoding="utf-8")


def check(kept: Kept = IN_REPOSITORY) -> None:
    """See that page and pictures are those of the table.

    Raises:
        UserError: naming the first that is not, and the command that mends it.
    """
    if kept.is_measured:
        expected = json.loads(kept.about.read_text(encoding="utf-8"))["sha256"]
        found = kept.hashes()
        for name in expected:
            if found.get(name) != expected[name]:
                msg = f"{name}: is not of the sweep that {kept.about.name} tells of; run: make lecture-sweep"
                raise UserError(msg)
    if not kept.page.is_file() or kept.page.read_text(encoding="utf-8") != _page_of(kept):
        msg = f"{kept.page.name}: differs from benchmarks/{kept.table.name}; run: make docs"
        raise UserError(msg)


def _page_of(kept: Kept) -> str:
    return page(*kept.read(), stem=kept.page.stem) if kept.is_measured else f"{_TITLE}\n\n{_UNMEASURED}\n"


_TITLE = """\
<!-- Written by `make docs` from benchmarks/lecture_sweep.csv and lecture_sweep.json; do not edit. -->
# The lecture's sweep"""

_UNMEASURED = """\
Not measured yet: `make lecture-sweep` (with IMDBCLF_DATA naming the folder of the real reviews) runs the 36 networks
over five seeds and writes this page."""

_QUESTION = """\
The lecture ends with suggestions: one or three hidden layers instead of two, more units, `mse` instead of binary
cross-entropy, `tanh` instead of `relu`. Here is every combination of them on the real reviews."""


def page(conclusions: Conclusions, about: dict[str, Any], stem: str = LECTURE_SWEEP_PAGE.stem) -> str:
    """The whole page.

    Args:
        conclusions: what the table says.
        about: how the sweep was run.
        stem: how the names of the pictures begin.
    """
    axes = list(conclusions.rows[0].choices)
    results = SweepResults(SweepFolder(Path()), Sweep("lecture", about["command"], axes, []), conclusions)
    seeds = len({row.seed for row in conclusions.rows})
    size = f"{len(conclusions.configurations)} configurations, {seeds} seeds each: {len(conclusions.rows)} fits."
    parts = [
        _TITLE,
        f"{_QUESTION} {size}",
        "\n".join(f"- {plain(sentence)}" for sentence in conclusions.sentences),
        *_shown(effects_section(results), stem, "effects"),
        *_shown(Section("The course of training", [_COURSE]), stem, "curves"),
        *_shown(Section("What accuracy costs", [_COST]), stem, "cost"),
        *_shown(configurations_section(results), stem),
        "## How it was run",
        f"```bash\nexport IMDBCLF_DATA=/data/imdb\n{about['command']}\n```",
        f"{_time(about['attempts'], len(conclusions.rows))} {_place(about)}",
        _NUMBERS,
    ]
    return "\n\n".join(parts) + "\n"


_COURSE = "A line a configuration: the mean over its seeds."
_COST = "A point a configuration, its bar the 95 % interval over seeds; the best one stands out."

_NUMBERS = """\
`make lecture-sweep` runs it again, or goes on with one that was interrupted: what is done is in `outputs/sweep_lecture`
and stays. There `sweep.html` is the report with the same tables and figures, `epochs.csv` has a row a fit and epoch,
and `runs/` a folder a fit.

## The numbers

Everything on this page but the curves is computed from
[benchmarks/lecture_sweep.csv](../benchmarks/lecture_sweep.csv), the sweep's `sweep.csv`, a row a fit:

| column | what |
| --- | --- |
| `folder`, `status` | the run's folder below `runs/`; `done` |
| `model.layers`, `model.hidden`, `loss`, `model.activation` | what was chosen |
| `seed` | decides split, initial weights and order of batches |
| `val/loss`, `val/accuracy`, `best_epoch` | of the epoch of lowest validation loss |
| `epochs`, `parameters`, `fit_seconds` | how long it trained, how large it is, what its epochs took |
| `test/loss`, `test/accuracy` | of that epoch on the test reviews; for the selected configuration alone |
| `error` | empty |"""


def plain(text: str) -> str:
    """The text so that Markdown shows it as it is, in a table too."""
    return re.sub(r"([\\`*|<>&]|\](?=\())", r"\\\1", " ".join(text.split()))


def _shown(section: Section | None, stem: str, *pictures: str) -> list[str]:
    if section is None:
        return []
    return [
        f"## {section.title}",
        *section.text,
        *([_table(section.table)] if section.table else []),
        *(f"![{PICTURES[name]}]({stem}-{name}.png)" for name in pictures),
        *section.notes,
    ]


def _table(shown: TextTable) -> str:
    aligned = ["---" if number < shown.text_columns else "---:" for number in range(len(shown.heads))]
    lines = [[plain(head) for head in shown.heads], aligned, *([plain(cell) for cell in row] for row in shown.rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _time(attempts: Sequence[dict[str, float]], total: int) -> str:
    """What it took, if all of it was watched."""
    seconds, jobs = sum(each["seconds"] for each in attempts), sum(each["jobs"] for each in attempts)
    if not jobs:
        return "How long it took is not known: all fits were done before."
    fits = f"The {total} fits" if jobs == total else f"Of the {total} fits the {jobs:.0f} that were timed"
    times = "" if len(attempts) == 1 else f", begun {len(attempts)} times"
    return (
        f"{fits}, with test, picture, predictions and report, took {seconds:,.0f} s ({seconds / jobs:.2f} s a fit, two "
        f"at a time{times})."
    )


def _place(about: dict[str, Any]) -> str:
    machine, versions = about["machine"], about["versions"]
    return (
        f"That was on {about['date']}: {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB "
        f"memory, {machine['system']}; {', '.join(f'{name} {version}' for name, version in versions.items())}."
    )
