"""`make bench`: measure, show, and put the figures into `benchmarks/results.json` and the pages made of it."""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import scaling_page
from benchmarks.docs import write_docs
from benchmarks.failing import failing_in_one_line
from benchmarks.machine import machine, our_versions, peer_versions
from benchmarks.measuring import compared, measure, schedule
from benchmarks.page import HEADER, comparison_cells, scaling_cells
from benchmarks.paths import PEERS_PYTHON, RESULTS
from benchmarks.processes import require_linux
from benchmarks.results import Results, Versions, read_results, require_same_machine, write_results
from benchmarks.rows import SCALING, chosen_rows
from benchmarks.scaling import SIZES, STEPS, measure_scaling, parsed_sizes
from benchmarks.workplace import Extent, Workplace, reviews_folder
from imdbclf.errors import UserError

QUICK = Extent(
    epochs=2,
    texts=5_000,
    single_texts=100,
    in_process=1,
    sweep_jobs=4,
    sweep_overrides=("model.layers=2", "model.hidden=16"),
)
QUICK_SIZES = (5_000, 10_000)


@dataclass(frozen=True)
class Plan:
    """What a call of the benchmarks is to do."""

    rows: list[str]
    extent: Extent
    repeat: int
    sizes: list[int]
    scaling_repeat: int
    quick: bool
    peers: Path


@failing_in_one_line
def main() -> None:
    """Measure what the command line asks for."""
    plan = _plan(_parser().parse_args())
    require_linux()
    data, here = reviews_folder(), machine()
    known = read_results(RESULTS)
    if not plan.quick:
        require_same_machine(known, here)
    versions = {"ours": our_versions(), "peers": peer_versions(plan.peers)}
    with tempfile.TemporaryDirectory(prefix="imdbclf-bench-") as folder:
        measured = _measured(plan, Workplace(Path(folder).resolve(), data, plan.peers, plan.extent), versions, here)
    _show(measured)
    if plan.quick:
        _said("A quick look: shorter runs, few repetitions; nothing was written.")
        return
    results = known.merged(measured) if known else measured
    write_results(RESULTS, results)
    write_docs(results)
    scaling_page.write(results, scaling_page.read_costs())
    _said("Written: benchmarks/results.json, docs/benchmarks.md, docs/benchmarks.png, docs/scaling.md, README.md")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="rows, separated by commas; `predict` means all that begin so")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of every run (5)")
    parser.add_argument("--sizes", help=f"reviews of the row scaling ({','.join(map(str, SIZES))})")
    parser.add_argument("--scaling-repeat", type=int, default=3, help="repetitions of each size, at most --repeat (3)")
    parser.add_argument("--quick", action="store_true", help="shorter runs, once each; writes nothing")
    parser.add_argument("--accelerator", choices=("cpu", "gpu"), default="cpu", help="gpu: the fit on a GPU")
    parser.add_argument("--peers", type=Path, default=PEERS_PYTHON, help="the peers' Python (.venv-peers/bin/python)")
    return parser


def _plan(arguments: argparse.Namespace) -> Plan:
    for name in ("repeat", "scaling_repeat"):
        if getattr(arguments, name) < 1:
            msg = f"--{name.replace('_', '-')} {getattr(arguments, name)}: must be 1 or more"
            raise UserError(msg)
    quick = bool(arguments.quick)
    gpu = arguments.accelerator == "gpu"
    rows = chosen_rows([word for word in arguments.only.split(",") if word], gpu=gpu)
    if gpu and not _has_gpu():
        msg = "--accelerator gpu: torch finds none here"
        raise UserError(msg)
    if quick and "fasttext_fit" in rows:
        # Beside the others it is the one without a bound.
        rows.remove("fasttext_fit")
    if "fasttext_fit" in rows and not _has_fasttext(arguments.peers):
        _said("Row fasttext_fit is left out: the peers' environment has no fastText.")
        rows.remove("fasttext_fit")
    repeat = 1 if quick else arguments.repeat
    sizes = parsed_sizes(arguments.sizes) if arguments.sizes else list(QUICK_SIZES if quick else SIZES)
    return Plan(
        rows=rows,
        extent=QUICK if quick else Extent(),
        repeat=repeat,
        sizes=sizes,
        scaling_repeat=min(repeat, arguments.scaling_repeat),
        quick=quick,
        peers=arguments.peers.absolute(),
    )


def _has_gpu() -> bool:
    code = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def _has_fasttext(python: Path) -> bool:
    # An environment that is missing altogether is said later, with what to do.
    if not os.access(python, os.X_OK):
        return True
    return subprocess.run([python, "-c", "import fasttext"], check=False, capture_output=True).returncode == 0


def _measured(plan: Plan, place: Workplace, versions: Versions, here: dict[str, str | int]) -> Results:
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    rows = [row for row in plan.rows if row != SCALING]
    runs = schedule(rows, plan.repeat, quick=plan.quick)
    sizes = plan.sizes if SCALING in plan.rows else []
    steps = len(set(runs)) + len(runs) + len(sizes) * (1 + STEPS * plan.scaling_repeat)
    with _progress(steps) as step:
        found = compared(rows, measure(place, runs, step), date, versions)
        scaling = measure_scaling(place, sizes, plan.scaling_repeat, date, versions, step) if sizes else None
    return Results(here, found, scaling)


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[str], None]]:
    """A live bar on standard error; what is yielded starts the next step under a title."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=steps)
        begun = False

        def step(title: str) -> None:
            nonlocal begun
            progress.update(task, description=title, advance=int(begun))
            begun = True

        yield step


def _show(results: Results) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200, color_system=None)
    if results.rows:
        table = Table(*(name for name in HEADER if name != "work"))
        for name, row in results.rows.items():
            cells = comparison_cells(name, row)
            table.add_row(cells[0], *cells[2:])
        console.print(table)
    if results.scaling:
        table = Table("row", "measured", "must", "verdict")
        for cells in scaling_cells(results.scaling):
            table.add_row(*cells)
        console.print(table)


def _said(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
