"""The command `imdbclf train`: Hydra, and what surrounds each run: its errors, its interruption and its log."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from imdbclf.console import shown_path
from imdbclf.errors import UserError, is_full_disk, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.settings import RENAMED, Settings
from imdbclf.startup import fast_imports
from imdbclf.storage import write_json
from imdbclf.training.compose import (
    CONFIGS,
    PRIMARY,
    Refused,
    current_folder,
    explain_composition,
    resume_command,
    validated,
    write_config,
)
from imdbclf.training.process import environment, log_closed, quiet_libraries, sigterm_as_interrupt, stopping

if TYPE_CHECKING:
    from imdbclf.data.prepare import PreparedReviews
    from imdbclf.training.run import Run

log = logging.getLogger(__name__)


def train(arguments: Sequence[str]) -> None:
    """Run `imdbclf train` with Hydra's arguments.

    Raises:
        UserError: for anything that the user can correct.
        SystemExit: with status 130 or 143 if the run was interrupted.
    """
    # Hydra accepts `-m` only before or after all overrides; users type it anywhere.
    arguments = sorted(map(_with_new_name, arguments), key=lambda argument: argument not in {"-m", "--multirun"})
    with _process_of_hydra(arguments), sigterm_as_interrupt():
        try:
            _with_hydra()
        except Refused as refused:
            raise refused.error from refused
        except (HydraException, OmegaConfBaseException) as error:
            raise explain_composition(error) from error


def task(config: DictConfig) -> float | None:
    """One run in the folder that Hydra has made; returns the validation loss of the best epoch if there is one."""
    settings, folder, hydra_config = validated(config), RunFolder(current_folder()), HydraConfig.get()
    run = _run_job if hydra_config.mode is RunMode.MULTIRUN else _run_alone
    return run(settings, folder, list(hydra_config.overrides.task)).get("val/loss")


# A second name instead of a decorator: worker processes find `task` by importing this module.
_with_hydra = hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=PRIMARY)(task)


def _run_alone(settings: Settings, folder: RunFolder, overrides: list[str]) -> dict[str, Any]:
    """The run of one command line; returns its metrics.

    The folder of a run that failed or was interrupted is kept only if there is a checkpoint to resume from.
    """
    from imdbclf.data.sweep_cache import forget  # noqa: PLC0415 - a refused command line does without NumPy

    forget()
    try:
        with log_closed():
            return _with_summary(_begin(settings, folder, overrides, kept_megabytes=0))
    except BaseException as error:
        kept = folder.last.exists() and not settings.fits_several
        if not kept:
            folder.discard()
        if is_full_disk(error):
            rest = f"; what was finished is in {shown_path(folder.last)}" if kept else ""
            full = UserError(f"no space left on the disk of {shown_path(folder.path)}: make room, run it again{rest}")
            raise Refused(full) from error
        if isinstance(error, Exception):
            raise Refused(error) from error
        raise


def _with_summary(run: Run) -> dict[str, Any]:
    """The metrics of the run, after its summary is printed, or a summary of what it reached before an interruption."""
    from imdbclf.reports import run_summary  # noqa: PLC0415 - imports Matplotlib, as all below does
    from imdbclf.training.fit import Interrupted  # noqa: PLC0415

    folder, settings = run.folder, run.settings
    try:
        metrics = run.execute()
    except (Interrupted, KeyboardInterrupt) as event:
        stop = stopping()
        if settings.fits_several:
            run_summary.print_interruption_of_several()
        elif run.is_validated:
            run_summary.print_interruption_of_final(folder.path, run.rows)
        else:
            again = resume_command(folder)
            run_summary.print_interruption(folder.path, run.rows, settings.trainer.max_epochs, again)
        raise stop from event
    run_summary.print_summary(folder.path, metrics, run.rows, run.examples())
    return metrics


def _run_job(settings: Settings, folder: RunFolder, overrides: list[str]) -> dict[str, Any]:
    """One job of a sweep; returns its metrics. Messages go to its own `train.log`, a failure to `failure.json`.

    A folder in which another process works is waited for. A job that is done is not repeated; an interrupted one
    resumes from its last epoch.

    Raises:
        Refused: for a failure, with `fail_fast`.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    with log_closed(), filelock.FileLock(folder.lock):
        if folder.outcome == "done":
            return {}
        folder.failure.unlink(missing_ok=True)
        try:
            metrics = _quietly(_begin(settings, folder, overrides, settings.shared_batches))
        except Exception as error:
            if is_full_disk(error):
                error = UserError(f"no space left on the disk of {shown_path(folder.path)}")
            log.exception("The job failed: %s", shlex.join(overrides))
            write_json(folder.failure, {"error": one_line(error), "overrides": overrides})
            if settings.fail_fast:
                raise Refused(UserError(f"{folder.path.name}: {one_line(error)}")) from error
            return {}
        # A process that waits for the lock, or comes later, finds the job done.
        folder.lock.unlink()
        return metrics


def _quietly(run: Run) -> dict[str, Any]:
    from imdbclf.training.fit import Interrupted  # noqa: PLC0415 - imports torch

    run.quiet, run.resume_from = True, _unfinished(run.settings, run.folder)
    if run.resume_from is None:
        run.folder.discard_checkpoints()
    try:
        return run.execute()
    except Interrupted as event:
        raise KeyboardInterrupt from event


def _unfinished(settings: Settings, folder: RunFolder) -> Path | None:
    """The checkpoint from which an interrupted job resumes; None if it starts again from the first epoch.

    It starts again if all epochs are done, or if callbacks of a library may have wanted to end it earlier.
    """
    from imdbclf.checkpoint import load_plain  # noqa: PLC0415 - imports torch

    if settings.callbacks or not folder.last.exists():
        return None
    try:
        epochs = int(load_plain(folder.last)["epoch"]) + 1
    except UserError:
        return None
    return folder.last if epochs < settings.trainer.max_epochs else None


def _begin(settings: Settings, folder: RunFolder, overrides: list[str], kept_megabytes: int) -> Run:
    """Write what is known before the fit, and read the reviews while torch is imported.

    `kept_megabytes` is the memory for batches that the next job of the process can use again.
    """
    # Both threads import it soon; a package that two threads begin to import at once can be incomplete for one.
    import scipy  # noqa: PLC0415, F401

    from imdbclf.data.sweep_cache import decided_source, kept_reviews  # noqa: PLC0415

    chosen = decided_source(settings.data)
    settings = settings.model_copy(update={"data": settings.data.with_origin(chosen.settings)})
    write_config(settings, folder.config)
    if getattr(settings.trainer, "devices", 1) in ("auto", "-1", -1):
        # Only Lightning knows how many these are. Several are refused before the reviews are read.
        from imdbclf.training.fit import Fit  # noqa: PLC0415

        _ = Fit(settings, folder).trainer
    with ThreadPoolExecutor(1) as reader, fast_imports():
        # Reading needs neither torch nor Lightning, and its native code runs beside their import.
        loading: Future[PreparedReviews] = reader.submit(
            kept_reviews, settings.data, settings.features, settings.seed, kept_megabytes
        )
        from imdbclf.training.run import Run  # noqa: PLC0415
    quiet_libraries()
    write_json(folder.environment, environment(shlex.join(["imdbclf", "train", *overrides])))
    return Run(settings, folder, loading, chosen.because)


def _with_new_name(argument: str) -> str:
    key, equals, value = argument.partition("=")
    return f"{RENAMED.get(key, key)}{equals}{value}"


@contextmanager
def _process_of_hydra(arguments: Sequence[str]) -> Iterator[None]:
    """Set what Hydra reads of its process: `sys.argv`, and the variable by which it raises errors, not prints them."""
    argv, variable = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = ["imdbclf train", *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = argv
        if variable is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = variable
