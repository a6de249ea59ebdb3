"""`make bench`: measure the rows, show them, and write them into `benchmarks/results.json`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.command import PEERS_PYTHON, ending_in_one_line, reviews_folder, say
from benchmarks.machine import machine, our_versions, peer_versions, require_linux, today
from benchmarks.pages import JUDGING, rendered
from benchmarks.rows import SCALING, Results, chosen_rows, read_results, require_same_machine, write_results
from benchmarks.runs import compared, measure_runs, schedule
from benchmarks.scaling import SIZES, Versions, measure_scaling, parsed_sizes
from benchmarks.workplace import Extent, Workplace
from imdbclf.errors import UserError

_SMALL_SWEEP = ("model.layers=2", "model.hidden=16")
QUICK = Extent(epochs=2, texts=5_000, single_texts=100, in_process=1, sweep_jobs=4, sweep_overrides=_SMALL_SWEEP)
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
    # fastText has no wheel for every Python, and its row is reported only.
    if "fasttext_fit" in rows and (given.quick or not any("fasttext" in name for name in versions["peers"])):
        say("The row fasttext_fit is left out: --quick, or the peers' environment has no fastText.")
        rows.remove("fasttext_fit")
    with tempfile.TemporaryDirectory(prefix="imdbclf-bench-") as folder:
        extent = QUICK if given.quick else Extent()
        place = Workplace(Path(folder).resolve(), data, given.peers.absolute(), extent)
        measured = _measured(given, rows, place, versions, here)
    shown = rendered("benchmarks.md", {"found": {"benchmarks": measured}, **JUDGING})
    sys.stdout.write("\n\n".join(shown[region] for region in ("comparisons", "sizes", "lines")) + "\n")
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
    if min(given.repeat, given.scaling_repeat) < 1:
        msg = f"--repeat {given.repeat}, --scaling-repeat {given.scaling_repeat}: must be 1 or more"
        raise UserError(msg)
    gpu = given.accelerator == "gpu"
    rows = chosen_rows([word for word in given.only.split(",") if word], gpu=gpu)
    found = [sys.executable, "-c", "import sys, torch; sys.exit(not torch.cuda.is_available())"]
    if gpu and subprocess.run(found, check=False, capture_output=True).returncode != 0:
        msg = "--accelerator gpu: torch finds no GPU on this machine"
        raise UserError(msg)
    return rows


def _measured(
    given: argparse.Namespace, rows: list[str], place: Workplace, versions: Versions, here: dict[str, str | int]
) -> Results:
    repeat = 1 if given.quick else given.repeat
    sizes = parsed_sizes(given.sizes) if given.sizes else [*(QUICK_SIZES if given.quick else SIZES)]
    compared_rows = [row for row in rows if row != SCALING]
    seen = measure_runs(place, schedule(compared_rows, repeat, quick=given.quick), say)
    found, scaling = compared(compared_rows, seen, today(), versions), None
    if SCALING in rows:
        scaling = measure_scaling(place, sizes, min(repeat, given.scaling_repeat), today(), versions, say)
    return Results(machine=here, rows=found, scaling=scaling)


if __name__ == "__main__":
    main()
