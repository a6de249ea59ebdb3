"""`make statistics`, first part: how the lecture's accuracy varies over seeds, why, and what makes it vary less.

`OPTIONS` are run over 25 seeds in `outputs/seeds`, one sweep each; finished runs are kept. The first, the lecture's
final fit, also notes the test accuracy after each step of its last epoch. The final fit in Keras is measured once for
each set of versions. All goes into benchmarks/seeds.json.
"""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.command import (
    MEASURED,
    PEERS_PYTHON,
    ROOT,
    ending_in_one_line,
    read_json,
    reviews_folder,
    run_sweep,
    say,
)
from benchmarks.machine import machine, our_versions, peer_versions, require_linux, today
from benchmarks.ours.swing import FILE
from benchmarks.rungs import rung_metrics
from benchmarks.workplace import Workplace
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SEED, SweepFolder
from imdbclf.storage import write_json

FILE_OF_ALL = MEASURED / "seeds.json"
FOLDER = Path("outputs") / "seeds"
COUNT = 25
SEEDS = f"seed=range({COUNT})"
OPTIONS = {
    "lecture_final": "experiment=lecture_final",
    "averaged": "experiment=lecture_final callbacks=weight_averaging",
    "smaller_steps": "experiment=lecture_final optimizer.lr=0.0005 trainer.max_epochs=8",
    "early_stopping": "experiment=lecture",
}
"""Overrides of the final fit, and of what is tried instead. `experiment=lecture` is tested at its best epoch."""

SWING = "+callbacks.swing._target_=benchmarks.ours.swing.Swing"


def measure(folder: Path) -> dict[str, Any]:
    """Run the options, or what is left of them.

    Returns:
        `options`: command and metrics of each, by seed; `steps`: test accuracy and fraction positive by seed and step.

    Raises:
        UserError: if a sweep fails or stops.
    """
    options = {}
    for name, overrides in OPTIONS.items():
        sweep = SweepFolder(folder / name)
        more = [SWING] if name == "lecture_final" else []
        if status := run_sweep(*overrides.split(), *more, SEEDS, f"hydra.sweep.dir={sweep.path}"):
            msg = f"{name}: the sweep ended with status {status}; finished runs are kept: run make statistics again"
            raise UserError(msg)
        shown = shlex.join(["imdbclf", "train", "-m", *overrides.split(), SEEDS])
        options[name] = {"command": shown, **rung_metrics(sweep)}
    return {"options": options, "steps": steps(SweepFolder(folder / "lecture_final"))}


def steps(sweep: SweepFolder) -> dict[str, list[list[float]]]:
    """What the callback noted: `accuracy` and `positive`, a list for each seed with a value for each step."""
    jobs = sorted(sweep.read().jobs, key=lambda job: int(str(job.choices[SEED])))
    noted = [read_json(sweep.run(job).path / FILE) for job in jobs]
    return {name: [each[name] for each in noted] for name in ("accuracy", "positive")}


def keras() -> dict[str, Any]:
    """The final fit in Keras: test accuracies by seed, and versions. An earlier measurement with these is kept."""
    versions = peer_versions(PEERS_PYTHON)
    earlier = read_json(FILE_OF_ALL)["options"].get("keras") if FILE_OF_ALL.exists() else None
    if earlier and earlier["versions"] == versions and len(earlier["seeds"]) == COUNT:
        return dict(earlier)
    with tempfile.TemporaryDirectory(prefix="imdbclf-seeds-") as folder:
        place = Workplace(Path(folder).resolve(), reviews_folder(), PEERS_PYTHON)
        command = place.peer("keras_lecture finals", place.npz, "RESULT", COUNT)
        accuracy = place.measure(command).result["test_accuracy"]
    return {"versions": versions, "seeds": [*range(COUNT)], "test/accuracy": accuracy}


@ending_in_one_line
def main() -> None:
    """Measure and write."""
    require_linux()
    reviews_folder()
    found = measure(ROOT / FOLDER)
    found["options"]["keras"] = keras()
    write_json(FILE_OF_ALL, {"date": today(), "machine": machine(), "versions": our_versions(), **found})
    say("Written: benchmarks/seeds.json")


if __name__ == "__main__":
    main()
