"""`make ladder`: from the lecture to the strongest network, a change a rung, beside its peers; into docs/ladder.md.

The runs of a rung are those of `imdbclf train -m … 'seed=range(5)'` in `outputs/ladder/`, and whatever else is
measured goes into benchmarks/ladder.json as it comes: who starts it again goes on. What was measured with the same
settings, reviews, versions and machine is kept; `--again NAME` measures it anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.failing import failing_in_one_line
from benchmarks.ladder_page import Ladder, read, write
from benchmarks.ladder_peers import PEERS, Peer
from benchmarks.ladder_rungs import RUNGS, Rung, composed
from benchmarks.ladder_steps import compared, rung_figures
from benchmarks.machine import machine, our_versions, peer_versions
from benchmarks.our_command import train_many_aloud
from benchmarks.paths import LADDER, LADDER_PAGE, PEERS_PYTHON, ROOT
from benchmarks.processes import require_linux
from benchmarks.workplace import Workplace, reviews_folder
from imdbclf.data.cache import cache_folder
from imdbclf.errors import UserError, nearest
from imdbclf.folders.sweep import SweepFolder
from imdbclf.storage import write_json

FOLDER = Path("outputs") / "ladder"
"""A sweep folder a rung."""

SEEDS = 5
REPEAT = 3
"""Times that both sides of a cost are run, one after the other."""

ENCODED = ("3", "600000")
"""What is encoded for the cost of encoding: words of the longest term, columns."""

COSTS = ("command", "encoding")


@dataclass(frozen=True)
class Measuring:
    """What a measurement needs: where it runs, how many seeds, what was measured before and what is to be anew."""

    place: Workplace
    found: Ladder
    file: Path
    sweeps: Path
    seeds: int = SEEDS
    repeat: int = REPEAT
    again: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def ours(self) -> dict[str, Any]:
        """What our figures depend on besides their settings."""
        return {"reviews": self.reviews, "machine": machine(), "versions": our_versions()}

    @cached_property
    def theirs(self) -> dict[str, Any]:
        """What the peers' figures depend on besides their arguments."""
        return {"reviews": self.reviews, "machine": machine(), "versions": peer_versions(self.place.peers_python)}

    @cached_property
    def reviews(self) -> str:
        """A hash of the reviews' files."""
        digest = hashlib.sha256()
        for part in ("train", "test", "unsupervised"):
            for file in sorted(self.place.data.rglob(f"{part}-*.parquet")):
                digest.update(file.read_bytes())
        return digest.hexdigest()

    def kept(self, kind: str, name: str, inputs: dict[str, Any], measured: Callable[[], dict[str, Any]]) -> Any:
        """What was found for the same inputs, or is found now; written down at once.

        Args:
            kind: `runs`, `peers` or `costs`.
            name: in that kind.
            inputs: what the figures depend on, in plain types.
            measured: finds them.
        """
        earlier = self.found[kind].get(name)
        if earlier and earlier["inputs"] == inputs and name not in self.again:
            _say(f"{name}: measured before")
            return earlier
        _say(f"{name}: measuring")
        self.found[kind][name] = {"inputs": inputs, **measured()}
        self.save()
        return self.found[kind][name]

    def save(self) -> None:
        """Write down what was found so far."""
        write_json(self.file, self.found)


def measure_rung(measuring: Measuring, rung: Rung) -> None:
    """Its runs over all seeds, then one run alone in a process of its own, the words in the cache."""
    command, sweep = rung.command, SweepFolder(measuring.sweeps / rung.name)
    _say(f"{rung.name}: {measuring.seeds} seeds")
    overrides = [*command, f"seed=range({measuring.seeds})", f"hydra.sweep.dir={sweep.path}"]
    _train(overrides)
    settings = composed(command)

    def alone() -> dict[str, Any]:
        # The sweep has filled the cache.
        asked = [measuring.place.program, "train", *command, "seed=0", "hydra.run.dir=run"]
        ended = measuring.place.measure(asked, cache=cache_folder(None))
        seen = {"seconds": ended.finished.seconds, "peak_mb": ended.finished.peak_mb}
        return {**seen, "fit_seconds": ended.result["fit_seconds"]}

    inputs = {"settings": settings, **measuring.ours}
    shown = shlex.join(["imdbclf", "train", "-m", *command, f"seed=range({measuring.seeds})"])
    figures = {"command": shown, "settings": settings, **rung_figures(sweep)}
    measuring.found["rungs"][rung.name] = figures
    measuring.kept("runs", rung.name, inputs, alone)
    measuring.save()


def measure_peer(measuring: Measuring, peer: Peer) -> None:
    """A process a seed; what it does not draw is run once."""

    def runs() -> dict[str, Any]:
        start = measuring.place.data if peer.starts_at == "texts" else measuring.place.npz
        seeds = [[str(seed)] for seed in range(peer.seeds)] or [[]]
        ended = [
            measuring.place.measure(measuring.place.peers(peer.module, start, "RESULT", *peer.arguments, *seed))
            for seed in seeds
        ]
        return {
            "accuracy": [each.result["test_accuracy"] for each in ended],
            "seconds": [each.finished.seconds for each in ended],
            "peak_mb": [each.finished.peak_mb for each in ended],
            "parameters": ended[0].result.get("parameters"),
        }

    if peer.module.startswith("fasttext") and not any(
        name.startswith("fasttext") for name in measuring.theirs["versions"]
    ):
        # It has no wheel for every Python.
        _say(f"{peer.name}: is not installed; left out")
        return
    inputs = {"module": peer.module, "arguments": list(peer.arguments), "seeds": peer.seeds, **measuring.theirs}
    measuring.kept("peers", peer.name, inputs, runs)


def measure_cost(measuring: Measuring, name: str) -> None:
    """Both sides of a cost, one after the other, again and again."""
    place, data = measuring.place, measuring.place.data
    peer = ("logistic_regression", ("ones", "3")) if name == "command" else ("ngram_encode", ENCODED[:1])

    def ours() -> dict[str, float]:
        if name == "encoding":
            return _cost(place.measure(place.ours("encode_ngrams", data, "RESULT", *ENCODED)))
        command = [place.program, "train", "experiment=strong", "seed=0", "hydra.run.dir=run"]
        with tempfile.TemporaryDirectory(dir=place.folder) as empty:
            return _cost(place.measure(command, cache=Path(empty)))

    def both() -> dict[str, Any]:
        sides: dict[str, list[dict[str, float]]] = {"ours": [], "peer": []}
        for turn in range(measuring.repeat):
            _say(f"{name}: turn {turn + 1} of {measuring.repeat}")
            sides["ours"].append(ours())
            sides["peer"].append(_cost(place.measure(place.peers(peer[0], data, "RESULT", *peer[1]))))
        return sides

    asked = composed(["experiment=strong"]) if name == "command" else list(ENCODED)
    inputs = {"ours": asked, "peer": [peer[0], *peer[1]], "repeat": measuring.repeat, **measuring.ours}
    measuring.kept("costs", name, {**inputs, "peer_versions": measuring.theirs["versions"]}, both)


def _cost(ended: Any) -> dict[str, float]:
    """Seconds from start to exit, or by the process' own clock where it leaves out imports; and peak memory."""
    seconds = ended.result.get("seconds", ended.finished.seconds)
    return {"seconds": float(seconds), "peak_mb": ended.finished.peak_mb}


def measure(measuring: Measuring, only: frozenset[str]) -> None:
    """All of it, or what is named."""
    for rung in RUNGS:
        if not only or rung.name in only:
            measure_rung(measuring, rung)
    measuring.found["steps"] = compared(measuring.found["rungs"], measuring.sweeps)
    measuring.save()
    for peer in PEERS:
        if not only or peer.name in only:
            measure_peer(measuring, peer)
    for cost in COSTS:
        if not only or cost in only:
            measure_cost(measuring, cost)


def _train(overrides: list[str]) -> None:
    if status := train_many_aloud(*overrides):
        command = shlex.join(["imdbclf", "train", "-m", *overrides])
        msg = f"{command}: ended with status {status}; what is done stays done: run make ladder again"
        raise UserError(msg)


def _say(words: str) -> None:
    sys.stderr.write(f"ladder: {words}\n")


def _named(names: list[str]) -> frozenset[str]:
    known = [*(rung.name for rung in RUNGS), *(peer.name for peer in PEERS), *COSTS]
    for name in names:
        if name not in known:
            msg = f"{name}: must be one of {', '.join(known)}{nearest(name, known)}"
            raise UserError(msg)
    return frozenset(names)


@failing_in_one_line
def main() -> None:
    """Measure what is not measured yet, and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ladder", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="rungs, peers or costs; the rest stays")
    parser.add_argument("--again", nargs="+", default=[], metavar="NAME", help="what is measured though it was before")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of each rung; others than 5 need --into")
    parser.add_argument("--repeat", type=int, default=REPEAT, help="of each cost; others than 3 need --into")
    parser.add_argument("--into", type=Path, help="a folder for sweeps and figures instead of outputs/ and benchmarks/")
    given = parser.parse_args()
    only, again = _named(given.only), _named(given.again)
    if not given.into and (given.seeds, given.repeat) != (SEEDS, REPEAT):
        msg = "--seeds, --repeat: to try it out; they need --into FOLDER"
        raise UserError(msg)
    require_linux()
    file = given.into.absolute() / LADDER.name if given.into else LADDER
    sweeps = given.into.absolute() / FOLDER.name if given.into else ROOT / FOLDER
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="imdbclf-ladder-") as folder:
        place = Workplace(Path(folder).resolve(), reviews_folder(), PEERS_PYTHON)
        measuring = Measuring(place, read(file), file, sweeps, given.seeds, given.repeat, again)
        measure(measuring, only)
    if given.into:
        sys.stdout.write(json.dumps(measuring.found["steps"], indent=2) + "\n")
        return
    write(measuring.found)
    _say(f"written: {LADDER.relative_to(ROOT)}, {LADDER_PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
