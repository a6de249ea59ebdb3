"""`make fuzz`: hostile input for every verb; what ended in another way than one line and status 2 is listed."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from fuzz import files, overrides, products
from fuzz.judge import STARTING, Case, Child, Tally, judge

_TRAIN = ("data=sample", "trainer.max_epochs=1", "features.columns=500")

_COMPOSED = 20
"""Overrides that are only composed, for each of the other cases: they take a tenth of a second."""

_COMMANDS = 60
"""Overrides of whole commands, at least."""


def main() -> None:
    """Make a run and a sweep, run all cases, print the counts and the faults; status 1 if there is a fault."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the drawn cases (0)")
    parser.add_argument("--count", type=int, default=100, help="drawn cases of each kind (100)")
    parser.add_argument("--only", default="", help="run only cases whose name contains this text")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imdbclf-fuzz-") as name:
        folder = Path(name)
        environment = {**os.environ, "IMDBCLF_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
        environment.pop("IMDBCLF_DATA", None)
        cases = [case for case in _cases(folder, environment, given.count, given.seed) if given.only in case.name]
        tally = judge(cases, folder, environment)
        composed = overrides.composed(_COMPOSED * given.count, given.seed) if given.only in "composing" else Tally()
    if not cases and not composed.ends:
        parser.error(f"--only {given.only}: is in no case's name")
    say = sys.stdout.write
    say(f"seed {given.seed}: {composed.ends.total()} overrides composed: {dict(composed.ends)}\n")
    say(f"seed {given.seed}: {len(cases)} cases: {dict(tally.ends)}\n")
    for fault in composed.faults + tally.faults:
        say(f"  {fault}\n")
    sys.exit(bool(composed.faults or tally.faults))


def _cases(folder: Path, environment: dict[str, str], count: int, seed: int) -> Iterator[Case]:
    run, sweep, hub = folder / "run", folder / "sweep", folder / "exported"
    with Child(folder, environment) as child:
        for arguments in (
            ("train", *_TRAIN, f"hydra.run.dir={run}"),
            ("train", "-m", *_TRAIN, "seed=range(2)", f"hydra.sweep.dir={sweep}"),
            ("export", str(run), str(hub), "--to", "hub"),
        ):
            answer = child.run(Case("preparing", arguments), STARTING)
            assert answer.get("status") == 0, answer
    checkpoint = run / "checkpoints" / "best.ckpt"
    yield from chain(
        files.reading(folder, checkpoint),
        files.checkpoints(folder),
        files.damaged_reviews(folder, checkpoint, count, seed),
        files.damaged_folders(folder, run, sweep, count, seed),
        products.suites(folder, checkpoint, count, seed),
        products.hub_folders(folder, hub, count, seed),
        products.targets(folder, checkpoint),
        products.servers(folder, checkpoint),
        overrides.commands(max(_COMMANDS, count // 2), seed, (*_TRAIN, "trainer.limit_train_batches=2")),
    )


if __name__ == "__main__":
    main()
