"""The command `imdbclf train`: Hydra, and what surrounds each run: its errors, its interruption and its log."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from imdbclf.config_files import CONFIGS, PRIMARY
from imdbclf.console import shown_path
from imdbclf.errors import UserError, is_full_disk, nearest, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.settings import Settings
from imdbclf.startup import fast_imports
from imdbclf.storage import read_json, remove_lock, write_json
from imdbclf.training.compose import (
    Refused,
    explain_composition,
    resume_command,
    resumed_arguments,
    validated,
    with_known_name,
    write_config,
)
from imdbclf.training.process import (
    environment,
    is_terminated,
    log_closed,
    quiet_libraries,
    sigterm_as_interrupt,
    stopping,
)

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
    # The command of a resumed sweep comes from a file.
    arguments = resumed_arguments(arguments)
    _refuse_options(arguments)
    # Hydra accepts `-m` only before or after all overrides; users type it anywhere.
    arguments = sorted(map(with_known_name, arguments), key=lambda argument: argument not in {"-m", "--multirun"})
    with _process_of_hydra(arguments), sigterm_as_interrupt():
        try:
            _with_hydra()
        except Refused as refused:
            raise refused.error from refused
        except KeyboardInterrupt as event:
            stop = stopping()
            print("error: interrupted", file=sys.stderr)  # noqa: T201 - as the command line says it
            raise stop from event
        except Exception as error:
            of_config = isinstance(error, HydraException | OmegaConfBaseException)
            if not of_config and HydraConfig.initialized() and HydraConfig.get().mode is RunMode.MULTIRUN:
                raise
            # A run refuses its own errors, so what is left comes from composing, or from Hydra's log.
            raise explain_composition(error, arguments) from error


def task(config: DictConfig) -> float | None:
    """One run in the folder that Hydra has made; returns the validation loss of the best epoch if there is one."""
    hydra_config = HydraConfig.get()
    run = _run_job if hydra_config.mode is RunMode.MULTIRUN else _run_alone
    folder = RunFolder(Path(hydra_config.runtime.output_dir))
    return run(validated(config), folder, list(hydra_config.overrides.task)).get("val/loss")


# A second name instead of a decorator: worker processes find `task` by importing this module.
_with_hydra = hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=PRIMARY)(task)


def _run_alone(settings: Settings, folder: RunFolder, overrides: list[str]) -> dict[str, Any]:
    """The run of one command line; returns its metrics.

    The folder of a new run that failed or was interrupted is kept only if there is a checkpoint to go on from, or if it
    was a scheduler that stopped the run.
    """
    from imdbclf.data.sweep_cache import forget  # noqa: PLC0415 - a refused command line does without NumPy

    forget()
    resumed = folder.config.exists()
    try:
        with log_closed(), filelock.FileLock(folder.lock, timeout=0):
            metrics = _with_summary(settings, folder, overrides)
    except BaseException as error:
        kept = resumed or folder.is_begun or (is_terminated() and folder.config.exists())
        if not kept:
            folder.discard()
        if is_full_disk(error):
            then = f"go on: {resume_command(folder.path)}" if kept else "run it again"
            full = UserError(f"no space left on the disk of {shown_path(folder.path)}: make room, {then}")
            raise Refused(full) from error
        if isinstance(error, filelock.Timeout):
            error = UserError(f"{shown_path(folder.path)}: another process works on this run")
        if isinstance(error, Exception):
            raise Refused(error) from error
        raise
    remove_lock(folder.lock)
    return metrics


def _with_summary(settings: Settings, folder: RunFolder, overrides: list[str]) -> dict[str, Any]:
    """The metrics of the run, after its summary is printed, or a summary of what it reached before an interruption."""
    if folder.outcome == "done":
        log.info("%s: the run is finished; there is nothing to go on with", shown_path(folder.path))
        return {}
    run = _begin(settings, folder, overrides, alone=True)
    from imdbclf.reports import run_summary  # noqa: PLC0415 - imports Matplotlib

    try:
        metrics = run.execute()
    except KeyboardInterrupt as event:
        stop = stopping()
        epochs = settings.trainer.max_epochs
        where = f"after epoch {len(run.rows)} of {epochs}" if run.rows else "before the end of the first epoch"
        if run.is_validated:
            where = "after the fit with validation" if settings.refit else "after the last epoch, before the metrics"
        elif settings.fits_several:
            where = "before all networks were trained"
        again = resume_command(folder.path) if folder.is_begun or is_terminated() else None
        run_summary.print_interruption(folder.path, where, run.rows, again)
        raise stop from event
    run_summary.print_summary(folder.path, metrics, run.rows, run.examples(), run.texts[-1], settings.data.batch_size)
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
            metrics = _begin(settings, folder, overrides, alone=False).execute()
        except Exception as error:
            if is_full_disk(error):
                error = UserError(f"no space left on the disk of {shown_path(folder.path)}")
            log.exception("The job failed: %s", shlex.join(overrides))
            write_json(folder.failure, {"error": one_line(error), "overrides": overrides})
            if settings.fail_fast:
                raise Refused(UserError(f"{folder.path.name}: {one_line(error)}")) from error
            return {}
    # A process that waits for the lock, or comes later, finds the job done.
    remove_lock(folder.lock)
    return metrics


def _begin(settings: Settings, folder: RunFolder, overrides: list[str], *, alone: bool) -> Run:
    """Write what is known before the fit, and read the reviews while torch is imported.

    A run `alone` says how to go on with it. A job of a sweep keeps batches, which the next one can use again.
    """
    # Both threads import it soon; a package that two threads begin to import at once can be incomplete for one.
    import scipy  # noqa: PLC0415, F401

    from imdbclf.data.sweep_cache import decided_source, kept_reviews, read_own_files  # noqa: PLC0415

    chosen = decided_source(settings.data)
    settings = settings.changed(data=dict(chosen.settings))
    about = {"command": shlex.join(["imdbclf", "train", *overrides]), "data_source_because": chosen.because}
    if alone:
        # A resumed run has a command and a config that were made from those of the first attempt.
        about |= {key: value for key, value in (read_json(folder.environment) or {}).items() if key in about}
    write_json(folder.environment, about)
    write_config(settings, folder.config)
    if alone:
        if chosen.warning:
            log.warning("%s", chosen.warning)
        again = resume_command(folder.path)
        log.info("Folder: %s (if the run is stopped, go on with: %s)", shown_path(folder.path), again)
    read_own_files(settings.data, sentence_ends=settings.features.sentence_ends)
    with ThreadPoolExecutor(1) as reader, fast_imports():
        # Reading needs neither torch nor Lightning, and its native code runs beside their import.
        loading: Future[PreparedReviews] = reader.submit(
            kept_reviews, settings.data, settings.features, settings.seed, 0 if alone else settings.shared_batches
        )
        from imdbclf.training.fit import where_to_go_on  # noqa: PLC0415
        from imdbclf.training.run import Run  # noqa: PLC0415
    quiet_libraries()
    write_json(folder.environment, about | environment(settings.threads))
    resume_from = where_to_go_on(settings, folder)
    return Run(settings, folder, loading, about["data_source_because"], not alone, resume_from)


_LONG = (
    "help hydra-help version cfg resolve package run multirun shell-completion config-path config-name config-dir info"
)
_OPTIONS = {f"--{name}" for name in _LONG.split()}.union(
    ["-h", "-c", "-p", "-r", "-m", "-sc", "-cp", "-cn", "-cd", "-i"]
)
"""Hydra's options, without the one that runs code."""


def _refuse_options(arguments: Sequence[str]) -> None:
    """Refuse what is no option, and the one that runs code; Hydra takes shortened names, too."""
    for argument, following in pairwise([*arguments, ""]):
        name, _, value = argument.partition("=")
        if name.startswith("--e") and "--experimental-rerun".startswith(name):
            instead = "a run's config.yaml names in its first line the command that repeats the run"
            raise UserError(f"{argument}: is refused, because it runs code that is in the file; {instead}")
        is_known = any(option == name or (name[:2] == "--" and option.startswith(name)) for option in _OPTIONS)
        if name.startswith("-") and not is_known:
            raise UserError(f"{argument}: there is no such option; a setting is KEY=VALUE{nearest(name, _OPTIONS)}")
        if name in {"-c", "--cfg"} and (value or following) not in {"job", "hydra", "all"}:
            raise UserError(f"{name}: must be followed by job, hydra or all")


@contextmanager
def _process_of_hydra(arguments: Sequence[str]) -> Iterator[None]:
    """Set what Hydra reads of its process: `sys.argv`, and the variable by which it raises errors, not prints them.

    The config of an earlier command in this process is forgotten.
    """
    argv, debug = sys.argv, os.environ.get("HYDRA_FULL_ERROR", "0")
    # Hydra's completion for shells is that of a file or of a command.
    program = argv[0] if argv[0].endswith("train.py") else "imdbclf train"
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = [program, *arguments], "1"
    HydraConfig.instance().cfg = None
    try:
        yield
    finally:
        sys.argv, os.environ["HYDRA_FULL_ERROR"] = argv, debug
