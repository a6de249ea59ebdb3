"""The ladder's rungs, peers and published accuracies (`ladder.toml`), and what a step from rung to rung gains.

What differs between two rungs is read from their composed settings. A step is tested twice. Over seeds, by a
paired test: would other initial weights and orders show the same?
Over reviews, by McNemar's exact test of the two runs of each seed on the same test reviews: would other reviews? The
p values of the seeds, which share the reviews, are combined as twice their median, which holds whatever their
dependence (Meinshausen, Meier & Bühlmann 2009, "p-Values for High-Dimensional Regression"). Both are adjusted for the
number of steps (Holm).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmarks.command import MEASURED, Fixed, read_json
from imdbclf.errors import UserError
from imdbclf.folders.sweep import SEED, SweepFolder
from imdbclf.reports.statistics import SIGNIFICANCE, holm_where_tested, mcnemar_p, paired_p
from imdbclf.settings import RENAMED

Settings = dict[str, Any]
"""Settings by their keys, as an override names them."""


class Rung(Fixed):
    """A rung: name, what is changed and why, overrides of its command, seeds, what it is compared with, label."""

    name: str
    what: str
    overrides: str
    seeds: int = 5
    beside: str | None = None
    label: Literal["above", "below"] = "above"

    @property
    def command(self) -> list[str]:
        """All overrides without the seed."""
        return self.overrides.split()


class Peer(Fixed):
    """A peer: its name, what it is, its script of `benchmarks.peers` with arguments, its seeds and its input."""

    name: str
    what: str
    script: str
    arguments: tuple[str, ...] = ()
    seeds: int = 0
    starts_at: Literal["texts", "numbers"] = "texts"


_FILE = tomllib.loads((MEASURED / "ladder.toml").read_text(encoding="utf-8"))
RUNGS = [Rung.model_validate(rung) for rung in _FILE["rungs"]]
PEERS = [Peer.model_validate(peer) for peer in _FILE["peers"]]
PUBLISHED: dict[str, float] = _FILE["published"]

_NO_RESULT = {"seed", "experiment", "threads", "ckpt_path", "fail_fast", "shared_batches", "logger"}
"""Settings that a rung does not decide."""


def composed(overrides: list[str]) -> Settings:
    """The settings of a command, validated, by their keys."""
    # Hydra takes a second to import, which pages do without.
    from hydra import compose, initialize_config_dir  # noqa: PLC0415

    from imdbclf.config_files import CONFIGS, PRIMARY  # noqa: PLC0415
    from imdbclf.training.compose import validated_ahead  # noqa: PLC0415

    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        settings = validated_ahead(compose(PRIMARY, overrides=overrides, return_hydra_config=True))
    kept = {name: value for name, value in settings.model_dump(mode="json").items() if name not in _NO_RESULT}
    return _flat(kept)


def _flat(settings: Any, prefix: str = "") -> Settings:
    if not isinstance(settings, Mapping):
        return {prefix: settings}
    parts = [_flat(value, f"{prefix}.{name}".lstrip(".")) for name, value in settings.items()]
    return {key: value for part in parts for key, value in part.items()}


def changed(below: Settings, above: Settings) -> Settings:
    """The settings of a rung that the one below does not have, or has with another value."""
    return {key: value for key, value in above.items() if key not in below or below[key] != value}


def compared_with() -> dict[str, str]:
    """The rung that each is compared with, by their names; the lowest with none."""
    return {above.name: above.beside or below.name for below, above in pairwise(RUNGS)}


Ladder = dict[str, Any]
"""What was measured: `rungs` (metrics of all seeds, settings, command), `steps` (from one rung to the next), `runs` (a
run of each rung alone), `peers`, `costs`; each by name."""

KINDS = ("rungs", "steps", "runs", "peers", "costs")
LADDER = MEASURED / "ladder.json"

METRICS = ("test/accuracy", "test/loss", "val/accuracy", "test/calibration_error")
"""Of each seed; those that a run does not have are left out."""


def read_ladder(file: Path = LADDER) -> Ladder:
    """What was measured so far; nothing where there is no file."""
    found = read_json(file) if file.exists() else {}
    return {kind: found.get(kind, {}) for kind in KINDS}


def rung_metrics(folder: SweepFolder) -> dict[str, Any]:
    """The metrics of all runs of a rung, by seed.

    Raises:
        UserError: if a run is not done.
    """
    runs = _runs(folder)
    metrics = [read_json(runs[seed] / "metrics.json") for seed in sorted(runs)]
    found = {name: [each[name] for each in metrics] for name in METRICS if name in metrics[0]}
    return {"seeds": sorted(runs), "parameters": metrics[0]["parameters"], **found}


def compared(rungs: Mapping[str, Any], sweeps: Path) -> dict[str, Any]:
    """The reviews that each step wins and loses, by the rung it leads to; where the runs of both ends are there."""
    there = {name for name in rungs if (sweeps / name).is_dir()}
    pairs = [(below, above) for above, below in compared_with().items() if {below, above} <= there]
    return {above: _step(rungs[below], rungs[above], sweeps / below, sweeps / above) for below, above in pairs}


def _step(below: Mapping[str, Any], above: Mapping[str, Any], below_folder: Path, above_folder: Path) -> dict[str, Any]:
    # It imports pyarrow, which pages do without.
    from imdbclf.reports.predictions import read_runs  # noqa: PLC0415

    first, second = (_runs(SweepFolder(folder)) for folder in (below_folder, above_folder))
    seeds = sorted(set(below["seeds"]) & set(above["seeds"]))
    counts = []
    for seed in seeds:
        one, other = read_runs([first[seed], second[seed]])
        counts.append([int((one.right & ~other.right).sum()), int((other.right & ~one.right).sum())])
    return {"seeds": seeds, "lost_and_won": counts}


def _runs(folder: SweepFolder) -> dict[int, Path]:
    """The run folder of each seed."""
    jobs = folder.read().jobs
    for job in jobs:
        if (outcome := folder.run(job).outcome) != "done":
            msg = f"{folder.path}: the job {job.folder} is {outcome}; see its failure.json or train.log"
            raise UserError(msg)
    return {int(str(job.choices[SEED])): folder.run(job).path for job in jobs}


def differences(found: Ladder, above: str) -> npt.NDArray[np.float64]:
    """The test accuracy of a rung minus that of the one it is compared with, a value for each seed, (seeds,)."""
    one, other = (
        dict(zip(found["rungs"][name]["seeds"], found["rungs"][name]["test/accuracy"], strict=True))
        for name in (compared_with()[above], above)
    )
    return np.array([other[seed] - one[seed] for seed in found["steps"][above]["seeds"]])


def p_values(found: Ladder) -> dict[str, tuple[float | None, float | None]]:
    """For each step the p values over seeds and over reviews, each adjusted for the number of steps."""
    names = list(found["steps"])
    seeds = [paired_p(differences(found, name), np.zeros(len(found["steps"][name]["seeds"]))) for name in names]
    reviews = [combined([mcnemar_p(*pair) for pair in found["steps"][name]["lost_and_won"]]) for name in names]
    adjusted = zip(holm_where_tested(seeds), holm_where_tested(reviews), strict=True)
    return dict(zip(names, adjusted, strict=True))


def combined(p: list[float]) -> float | None:
    """One p value of several that may depend on each other: twice their median; None of none."""
    return min(1.0, 2 * median(p)) if p else None


def is_shown(p: tuple[float | None, float | None]) -> bool:
    """Whether both tests show a difference."""
    return all(each is not None and each < SIGNIFICANCE for each in p)


def changed_settings(found: Ladder, name: str) -> Settings:
    """The settings of a measured rung that differ from the rung it is compared with; none of the lowest."""
    below = found["rungs"].get(compared_with().get(name, ""))
    return changed(below["settings"], found["rungs"][name]["settings"]) if below else {}


def refuse_other_settings(name: str, measured: Settings, today: Settings) -> None:
    """Refuse a recipe that has changed since it was measured.

    A setting that did not exist then has its default now.

    Raises:
        UserError: naming the first setting with another value.
    """
    for old_key, value in measured.items():
        key = RENAMED.get(old_key, old_key)
        if today.get(key) != value:
            msg = f"{LADDER.name}: {name} was measured with {key}={value}, now it is {today.get(key)}"
            raise UserError(f"{msg}; run: make ladder")
