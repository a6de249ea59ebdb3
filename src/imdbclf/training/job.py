"""One job: an experiment in its folder, alone at the terminal or as one of a sweep."""

from __future__ import annotations

import logging
import shlex
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
from omegaconf import OmegaConf

from imdbclf.console import program, shown_path
from imdbclf.errors import UserError, is_full_disk, one_line
from imdbclf.folders.run import RunFolder
from imdbclf.settings import DataSettings, Settings
from imdbclf.startup import fast_imports
from imdbclf.storage import write_json
from imdbclf.training.compose import Refused, override
from imdbclf.training.interrupts import stopping

if TYPE_CHECKING:
    from imdbclf.data.load import ChosenSource
    from imdbclf.data.prepare import PreparedReviews
    from imdbclf.training.run import Experiment

log = logging.getLogger(__name__)

_HINTS = (
    ".*does not have many workers",
    "The number of training batches",
    "Checkpoint directory .* exists and is not empty",
    "The dirpath has changed from",
    "Total length of `list` across ranks is zero",
    "You defined a `validation_step` but have no `val_dataloader`",
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
)
"""How Lightning's remarks begin that say nothing here: the corpus is in memory, and no validation is a choice."""


def run_single(settings: Settings, folder: RunFolder, overrides: list[str]) -> float | None:
    """The run of one command line: said as it goes, summed up at its end, stopped in good order.

    Returns:
        The best epoch's validation loss where there is one.
    """
    try:
        with _log_closed():
            return _run_single(settings, folder, overrides)
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


def _run_single(settings: Settings, folder: RunFolder, overrides: list[str]) -> float | None:
    # Here, because they take seconds to import and a refused command line should not.
    from imdbclf.data.load import choose_source  # noqa: PLC0415
    from imdbclf.data.prepare import load_reviews  # noqa: PLC0415

    chosen = choose_source(settings.data)
    experiment = _begin(
        settings, folder, overrides, chosen, lambda data: load_reviews(data, settings.seed, settings.features)
    )
    from imdbclf.reports.run_summary import (  # noqa: PLC0415
        print_interruption,
        print_interruption_of_final,
        print_interruption_of_several,
        print_summary,
    )
    from imdbclf.training.fit import Interrupted  # noqa: PLC0415

    try:
        metrics = experiment.run()
    except (Interrupted, KeyboardInterrupt) as event:
        stop = stopping()
        if settings.fits_several:
            print_interruption_of_several()
        elif experiment.is_validated:
            print_interruption_of_final(folder.path, experiment.rows)
        else:
            print_interruption(folder.path, experiment.rows, settings.trainer.max_epochs, resume_command(folder))
        raise stop from event
    print_summary(folder.path, metrics, experiment.rows, experiment.examples())
    return _validation_loss(metrics)


def run_swept(settings: Settings, folder: RunFolder, overrides: list[str]) -> float | None:
    """One job of a sweep: what it says goes to its own `train.log`, and so does why it failed, if it does.

    A folder that another process is working in is waited for; a job that is done by then is not done again, and one
    that was cut short goes on from its last epoch.

    Raises:
        Refused: for a failure, if `fail_fast` was asked for.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    with _log_closed(), filelock.FileLock(folder.lock):
        if folder.outcome == "done":
            return None
        folder.failure.unlink(missing_ok=True)
        try:
            loss = _run_swept(settings, folder, overrides)
        except Exception as error:
            if is_full_disk(error):
                error = UserError(f"no space left on the disk of {shown_path(folder.path)}")
            log.exception("The job failed: %s", shlex.join(overrides))
            write_json(folder.failure, {"error": one_line(error), "overrides": overrides})
            if settings.fail_fast:
                raise Refused(UserError(f"{folder.path.name}: {one_line(error)}")) from error
            return None
        # Who waits for it, or comes later, finds the job done.
        folder.lock.unlink()
        return loss


def _run_swept(settings: Settings, folder: RunFolder, overrides: list[str]) -> float | None:
    from imdbclf.data.job_cache import decided_source, shared_reviews  # noqa: PLC0415

    chosen = decided_source(settings.data)
    experiment = _begin(
        settings,
        folder,
        overrides,
        chosen,
        lambda data: shared_reviews(data, settings.features, settings.seed, settings.shared_batches),
    )
    from imdbclf.training.fit import Interrupted  # noqa: PLC0415

    experiment.quiet, experiment.going_on_from = True, _cut_short(settings, folder)
    if experiment.going_on_from is None:
        folder.discard_checkpoints()
    try:
        return _validation_loss(experiment.run())
    except Interrupted as event:
        raise KeyboardInterrupt from event


def _cut_short(settings: Settings, folder: RunFolder) -> Path | None:
    """The checkpoint from which a job that was cut short goes on; None where it is better to begin anew.

    That is so where every epoch is done, and where callbacks of a library may have wanted to end it early.
    """
    from imdbclf.checkpoint import load_plain  # noqa: PLC0415

    if settings.callbacks or not folder.last.exists():
        return None
    try:
        epochs = int(load_plain(folder.last)["epoch"]) + 1
    except UserError:
        return None
    return folder.last if epochs < settings.trainer.max_epochs else None


def _begin(
    settings: Settings,
    folder: RunFolder,
    overrides: list[str],
    chosen: ChosenSource,
    load: Callable[[DataSettings], PreparedReviews],
) -> Experiment:
    """Write what is known beforehand, and read the reviews while torch is imported."""
    # Both threads import it in a moment; a package that two of them begin with at once can be missing for one.
    import scipy  # noqa: PLC0415, F401

    settings = settings.model_copy(update={"data": settings.data.with_origin(chosen.settings)})
    write_config(settings, folder.config)
    if getattr(settings.trainer, "devices", 1) in ("auto", "-1", -1):
        # Only Lightning knows how many these are, and several are refused before the reviews are read.
        from imdbclf.training.fit import Fit  # noqa: PLC0415

        _ = Fit(settings, folder).trainer
    with ThreadPoolExecutor(1) as reader, fast_imports():
        # Reading and encoding need neither torch nor Lightning, and leave Python to whoever imports these meanwhile.
        loading: Future[PreparedReviews] = reader.submit(load, settings.data)
        from imdbclf.training.environment import environment  # noqa: PLC0415
        from imdbclf.training.run import Experiment  # noqa: PLC0415
    _quiet_libraries()
    write_json(folder.environment, environment(shlex.join(["imdbclf", "train", *overrides])))
    return Experiment(settings, folder, loading, chosen.because)


def _validation_loss(metrics: dict[str, Any]) -> float | None:
    loss: float | None = metrics.get("val/loss")
    return loss


def write_config(settings: Settings, path: Path) -> None:
    """The resolved experiment, headed by the command that runs it again."""
    again = shlex.join(_from_config(path))
    defaults = [{"hydra": "imdbclf"}, "_self_", {"override hydra/sweeper": "grid"}]
    text = OmegaConf.to_yaml(OmegaConf.create({"defaults": defaults, **settings.model_dump()}))
    path.write_text(f"# Run this again: {again}\n{text}", encoding="utf-8")


def resume_command(folder: RunFolder) -> str:
    """The command that goes on from a folder's last epoch."""
    return shlex.join([*_from_config(folder.config), override("ckpt_path", shown_path(folder.last))])


def _from_config(path: Path) -> list[str]:
    """The command that takes a written config for its experiment."""
    return [program(), "train", "--config-dir", shown_path(path.parent), "--config-name", path.stem]


def _quiet_libraries() -> None:
    """Lightning's remarks go to `train.log` instead of the terminal; hints that do not apply here go nowhere."""
    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for hint in _HINTS:
        warnings.filterwarnings("ignore", hint)
    logging.captureWarnings(capture=True)


@contextmanager
def _log_closed() -> Iterator[None]:
    """Closes `train.log` at the end of the job, so that its folder can be moved or removed."""
    try:
        yield
    finally:
        root = logging.getLogger()
        for handler in [handler for handler in root.handlers if isinstance(handler, logging.FileHandler)]:
            handler.close()
            root.removeHandler(handler)
