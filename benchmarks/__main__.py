"""`make bench`: measure the rows, show them, and write them into `benchmarks/results.json`."""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.command import PEERS_PYTHON, ending_in_one_line, reviews_folder, say
from benchmarks.machine import machine, our_versions, peer_versions, require_linux, today
from benchmarks.results import Results, read_results, require_same_machine, write_results
from benchmarks.rows import ROWS, SCALING, chosen_rows, spread
from benchmarks.runs import compared, measure_runs, schedule
from benchmarks.scaling import SIZES, STEPS, Scaling, Versions, measure_scaling, parsed_sizes
from benchmarks.workplace import Extent, Workplace
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


@ending_in_one_line
def main() -> None:
    """Measure what the command line asks for."""
    given = _parser().parse_args()
    rows = _rows(given)
    require_linux()
    data, here, known = reviews_folder(), machine(), read_results()
    if not given.quick:
        require_same_machine(known, here)
    versions = {"ours": our_versions(), "peers": peer_versions(given.peers)}
    with tempfile.TemporaryDirectory(prefix="imdbclf-bench-") as folder:
        extent = QUICK if given.quick else Extent()
        place = Workplace(Path(folder).resolve(), data, given.peers.absolute(), extent)
        measured = _measured(given, rows, place, versions, here)
    _show(measured)
    if given.quick:
        say("A quick look: shorter runs, few repetitions; nothing was written.")
        return
    write_results(known.merged(measured) if known else measured)
    say("Written: benchmarks/results.json")


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


def _rows(given: argparse.Namespace) -> list[str]:
    """The rows to measure.

    Raises:
        UserError: for an option that cannot be.
    """
    for name in ("repeat", "scaling_repeat"):
        if getattr(given, name) < 1:
            msg = f"--{name.replace('_', '-')} {getattr(given, name)}: must be 1 or more"
            raise UserError(msg)
    gpu = given.accelerator == "gpu"
    rows = chosen_rows([word for word in given.only.split(",") if word], gpu=gpu)
    if gpu and not _works(sys.executable, "import sys, torch; sys.exit(not torch.cuda.is_available())"):
        msg = "--accelerator gpu: torch finds no GPU on this machine"
        raise UserError(msg)
    # It is reported only, and takes long. A missing environment is refused later.
    if "fasttext_fit" in rows and (given.quick or not _works(given.peers, "import fasttext")):
        say("Row fasttext_fit is left out: --quick, or the peers' environment has no fastText.")
        rows.remove("fasttext_fit")
    return rows


def _works(python: str | Path, code: str) -> bool:
    try:
        return subprocess.run([python, "-c", code], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _measured(
    given: argparse.Namespace, rows: list[str], place: Workplace, versions: Versions, here: dict[str, str | int]
) -> Results:
    repeat = 1 if given.quick else given.repeat
    scaling_repeat = min(repeat, given.scaling_repeat)
    sizes = parsed_sizes(given.sizes) if given.sizes else [*(QUICK_SIZES if given.quick else SIZES)]
    compared_rows = [row for row in rows if row != SCALING]
    runs = schedule(compared_rows, repeat, quick=given.quick)
    if SCALING not in rows:
        sizes = []
    steps = len(set(runs)) + len(runs) + len(sizes) * (1 + STEPS * scaling_repeat)
    numbers = itertools.count(1)

    def step(title: str) -> None:
        say(f"{next(numbers)}/{steps} {title}")

    found = compared(compared_rows, measure_runs(place, runs, step), today(), versions)
    scaling = measure_scaling(place, sizes, scaling_repeat, today(), versions, step) if sizes else None
    return Results(machine=here, rows=found, scaling=scaling)


def _show(results: Results) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200, color_system=None)
    table = Table("row", "ours", "peer", "ratio", "required", "goal", "conclusion")
    for name, row in results.rows.items():
        about, value = ROWS[name], results.value(name)
        ours, peer = (
            f"{about.ours.name}: {spread(row.ours, about.unit)}",
            f"{about.peer.name}: {spread(row.peer, about.unit)}",
        )
        bounds = about.bound(about.required), about.bound(about.goal)
        table.add_row(name, ours, peer, about.shown(value), *bounds, about.conclusion(value))
    if results.rows:
        console.print(table)
    if results.scaling:
        console.print(_scaling_table(results.scaling))


def _scaling_table(scaling: Scaling) -> Table:
    table = Table("reviews", "encoding", "preparing", "one epoch", "peak private memory")
    for size in scaling.sizes:
        times = (spread(seen, "s") for seen in (size.encode_seconds, size.prepare_seconds, size.epoch_seconds))
        table.add_row(f"{size.reviews:,}", *times, spread(size.private_mb, "MB"))
    return table


if __name__ == "__main__":
    main()
