"""`make ladder`: from the lecture to the strongest network, one change per rung, beside its peers.

The runs of a rung are those of `imdbclf train -m … 'seed=range(N)'` in `outputs/ladder/`. Everything else goes into
benchmarks/ladder.json as soon as it is measured, so the same command continues after an interruption. What was measured
with the same settings, reviews, versions and machine is kept; `--again NAME` measures it again.
"""

from __future__ import annotations

import argparse
import hashlib
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks import rungs
from benchmarks.command import PEERS_PYTHON, ROOT, ending_in_one_line, reviews_folder, run_sweep, say
from benchmarks.machine import machine, our_versions, peer_versions, require_linux
from benchmarks.rungs import LADDER, PEERS, RUNGS, Ladder, Peer, Rung, composed
from benchmarks.workplace import Workplace
from imdbclf.data.cache import cache_folder
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SweepFolder
from imdbclf.storage import write_json

FOLDER = Path("outputs") / "ladder"
"""The folder of the sweep folders, one for each rung."""

REPEAT = 3
"""How often both sides of a cost are run, in turn."""

NGRAMS = ("3", "600000")
"""The cost of encoding: words of the longest term, columns."""

COSTS = {"command": ("sklearn_terms logistic_regression", "ones", "3"), "encoding": ("sklearn_terms encode", "3")}
"""What is timed in turn with a peer: the peer's script and arguments."""

NAMES = [*(rung.name for rung in RUNGS), *(peer.name for peer in PEERS), *COSTS]


@dataclass(frozen=True)
class Measuring:
    """The measurements, and what they need: where they run, what was measured before, what to measure again."""

    place: Workplace
    found: Ladder
    file: Path
    sweeps: Path
    again: frozenset[str] = frozenset()

    @cached_property
    def inputs(self) -> dict[str, dict[str, Any]]:
        """What all metrics of ours and of the peers depend on: a hash of the reviews' files, machine, versions."""
        digest = hashlib.sha256()
        for part in ("train", "test", "unsupervised"):
            for file in sorted(self.place.data.rglob(f"{part}-*.parquet")):
                digest.update(file.read_bytes())
        same = {"reviews": digest.hexdigest(), "machine": machine()}
        return {
            "ours": {**same, "versions": our_versions()},
            "peers": {**same, "versions": peer_versions(self.place.peers)},
        }

    def kept(self, kind: str, name: str, inputs: dict[str, Any], measured: Callable[[], dict[str, Any]]) -> Any:
        """What was measured with the same inputs, or is measured now and written at once.

        Args:
            kind: `runs`, `peers` or `costs`.
            name: in that kind.
            inputs: what the metrics depend on, in plain types.
            measured: measures them.
        """
        earlier = self.found[kind].get(name)
        if earlier and earlier["inputs"] == inputs and name not in self.again:
            say(f"{name}: measured before")
            return earlier
        say(f"{name}: measuring")
        self.found[kind][name] = {"inputs": inputs, **measured()}
        write_json(self.file, self.found)
        return self.found[kind][name]

    def rung(self, rung: Rung) -> None:
        """Its runs over all seeds, then one run alone in a process of its own, with the words in the cache."""
        sweep, seeds = SweepFolder(self.sweeps / rung.name), f"seed=range({rung.seeds})"
        if status := run_sweep(*rung.command, seeds, f"hydra.sweep.dir={sweep.path}"):
            msg = f"{rung.name}: the sweep ended with status {status}; finished runs are kept: run make ladder again"
            raise UserError(msg)

        def alone() -> dict[str, Any]:
            # The sweep has filled the cache.
            command = [self.place.program, "train", *rung.command, "seed=0", "hydra.run.dir=run"]
            metrics = self.place.measure(command, cache=cache_folder(None)).metrics
            return {name: metrics[name] for name in ("seconds", "peak_mb", "fit_seconds")}

        shown, settings = shlex.join(["imdbclf", "train", "-m", *rung.command, seeds]), composed(rung.command)
        self.found["rungs"][rung.name] = {"command": shown, "settings": settings, **rungs.rung_metrics(sweep)}
        write_json(self.file, self.found)
        self.kept("runs", rung.name, {"settings": settings, **self.inputs["ours"]}, alone)

    def peer(self, peer: Peer) -> None:
        """One process for each seed; one process where nothing is random."""

        def runs() -> dict[str, Any]:
            start = self.place.data if peer.starts_at == "texts" else self.place.npz
            seeds = [[str(seed)] for seed in range(peer.seeds)] or [[]]
            commands = [self.place.peer(peer.script, start, "RESULT", *peer.arguments, *seed) for seed in seeds]
            ended = [self.place.measure(command) for command in commands]
            return {
                "accuracy": [each.result["test_accuracy"] for each in ended],
                "seconds": [each.finished.seconds for each in ended],
                "peak_mb": [each.finished.peak_mb for each in ended],
                "parameters": ended[0].result.get("parameters"),
            }

        if "fasttext" in peer.script and not any("fasttext" in name for name in self.inputs["peers"]["versions"]):
            # There is no wheel for every Python.
            say(f"{peer.name}: is not installed; left out")
            return
        inputs = {"script": peer.script, "arguments": [*peer.arguments], "seeds": peer.seeds, **self.inputs["peers"]}
        self.kept("peers", peer.name, inputs, runs)

    def cost(self, name: str) -> None:
        """Both sides of a cost in turn, several times, ours with an empty cache."""
        place, (script, *arguments) = self.place, COSTS[name]
        peer = place.peer(script, place.data, "RESULT", *arguments)
        ours = place.ours("encode ngrams", place.data, "RESULT", *NGRAMS)
        if name == "command":
            ours = [place.program, "train", "experiment=strong", "seed=0", "hydra.run.dir=run"]

        def both() -> dict[str, Any]:
            sides: dict[str, list[dict[str, float]]] = {"ours": [], "peer": []}
            for _ in range(REPEAT):
                with tempfile.TemporaryDirectory(dir=place.folder) as empty:
                    for side, command in (("ours", ours), ("peer", peer)):
                        metrics = place.measure(command, cache=Path(empty)).metrics
                        sides[side].append({name: metrics[name] for name in ("seconds", "peak_mb")})
            return sides

        asked = composed(["experiment=strong"]) if name == "command" else list(NGRAMS)
        inputs = {"ours": asked, "peer": [script, *arguments], "repeat": REPEAT, **self.inputs["ours"]}
        self.kept("costs", name, {**inputs, "peer_versions": self.inputs["peers"]["versions"]}, both)

    def all(self, only: list[str]) -> None:
        """Everything, or what is named."""
        for rung in RUNGS:
            if not only or rung.name in only:
                self.rung(rung)
        self.found["steps"] |= rungs.compared(self.found["rungs"], self.sweeps)
        write_json(self.file, self.found)
        for peer in PEERS:
            if not only or peer.name in only:
                self.peer(peer)
        for cost in COSTS:
            if not only or cost in only:
                self.cost(cost)


@ending_in_one_line
def main() -> None:
    """Measure what is not measured yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ladder", description=__doc__)
    named: dict[str, Any] = {"nargs": "+", "default": [], "choices": NAMES, "metavar": "NAME"}
    parser.add_argument("--only", **named, help="rungs, peers or costs; the rest stays")
    parser.add_argument("--again", **named, help="what to measure again")
    given = parser.parse_args()
    require_linux()
    with tempfile.TemporaryDirectory(prefix="imdbclf-ladder-") as folder:
        place = Workplace(Path(folder).resolve(), reviews_folder(), PEERS_PYTHON)
        Measuring(place, rungs.read_ladder(), LADDER, ROOT / FOLDER, frozenset(given.again)).all(given.only)


if __name__ == "__main__":
    main()
