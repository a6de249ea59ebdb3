"""What a job knows of the search that it is a trial of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from omegaconf import OmegaConf

from imdbclf.folders.run import RunFolder
from imdbclf.folders.sweep import SweepFolder


@dataclass(frozen=True)
class RunningTrial:
    """A trial that may be ended early: where it is written down, what is watched, and who decides."""

    journal: Path
    study: str
    number: int
    monitor: str
    pruner: str
    pruner_options: Mapping[str, Any]


def running_trial(hydra: HydraConf) -> RunningTrial | None:
    """The trial that Hydra's part of a job's config names; None if there is none, or nothing that could end it."""
    sweeper = hydra.sweeper
    if sweeper.get("trial") is None or sweeper.get("pruner") is None:
        return None
    options = OmegaConf.to_container(sweeper.pruner_options, resolve=True)
    assert isinstance(options, dict)  # noqa: S101 - the search has checked it
    return RunningTrial(
        SweepFolder(Path(hydra.sweep.dir)).journal,
        str(sweeper.study),
        int(sweeper.trial),
        str(sweeper.monitor),
        str(sweeper.pruner),
        {str(name): value for name, value in options.items()},
    )


def was_pruned(folder: RunFolder, study: str) -> int | None:
    """The number of the study's trial that was ended early in this folder; None if none was."""
    if folder.outcome != "pruned":
        return None
    about = json.loads(folder.pruned.read_text(encoding="utf-8"))
    return int(about["trial"]) if about.get("study") == study else None
