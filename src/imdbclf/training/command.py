"""The command `imdbclf train`: Hydra around `Experiment`."""

from __future__ import annotations

import logging
import os
import re
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from imdbclf.errors import UserError, is_full_disk
from imdbclf.files import write_json
from imdbclf.folders.run import RunFolder
from imdbclf.settings import Settings
from imdbclf.startup import fast_imports
from imdbclf.terminal import program, shown_path
from imdbclf.training.composition import CONFIGS, PRIMARY, Refused, current_folder, explain_composition, validated

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 + SIGINT."""

TERMINATED = 143
"""Exit status after SIGTERM: 128 + SIGTERM."""


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


@dataclass
class StopStatus:
    """The exit status that a stop would have now: Ctrl-C's unless SIGTERM came."""

    value: int = INTERRUPTED


_stop = StopStatus()


def train(arguments: Sequence[str]) -> None:
    """Run `imdbclf train` with Hydra's arguments.

    Raises:
        UserError: for anything that the person at the keyboard can put right.
        SystemExit: with status 130 or 143 if the run was stopped.
    """
    # Hydra's parser knows `-m` only before or after all overrides; people put it anywhere.
    arguments = sorted(arguments, key=lambda argument: argument not in {"-m", "--multirun"})
    with _program("imdbclf train", arguments), _errors_raised(), _sigterm_as_interrupt():
        try:
            _hydra_main()
        except Refused as refused:
            raise refused.error from refused
        except (HydraException, OmegaConfBaseException) as error:
            raise explain_composition(error) from error


@hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=PRIMARY)
def _hydra_main(config: DictConfig) -> float | None:
    """One job; returns the validation loss of the best epoch (what a sweeper minimises) where there is one."""
    settings, folder = validated(config), RunFolder(current_folder())
    try:
        with _log_closed():
            return _job(settings, folder, list(HydraConfig.get().overrides.task))
    except BaseException as error:
        kept = folder.last.exists()
        if not kept:
            folder.discard()
        if is_full_disk(error):
            rest = f"; what was finished is in {shown_path(folder.last)}" if kept else ""
            full = UserError(f"no space left on the disk of {shown_path(folder.path)}: make room, run it again{rest}")
            raise Refused(full) from error
        if isinstance(error, Exception):
            raise Refused(error) from error
        raise


def _job(settings: Settings, folder: RunFolder, overrides: list[str]) -> float | None:
    # Here, because they take seconds to import and a refused command line should not.
    from imdbclf.data.prepared import load_reviews  # noqa: PLC0415
    from imdbclf.data.sources import choose_source  # noqa: PLC0415

    chosen = choose_source(settings.data)
    settings = settings.model_copy(update={"data": chosen.settings})
    write_config(settings, folder.config)
    with ThreadPoolExecutor(1) as reader, fast_imports():
        # Reading and encoding need neither torch nor Lightning, and leave Python to whoever imports these meanwhile.
        loading = reader.submit(load_reviews, settings.data, settings.seed)
        from imdbclf.reports.summary import print_interruption, print_summary  # noqa: PLC0415
        from imdbclf.training.environment import environment  # noqa: PLC0415
        from imdbclf.training.experiment import Experiment, Interrupted  # noqa: PLC0415
    _quiet_libraries()
    write_json(folder.environment, environment(shlex.join(["imdbclf", "train", *overrides])))
    experiment = Experiment(settings, folder, loading, chosen.because)
    try:
        metrics = experiment.run()
    except (Interrupted, KeyboardInterrupt) as event:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Whoever stops it twice still gets the summary; the handlers come back when the command ends.
            signal.signal(number, signal.SIG_IGN)
        print_interruption(folder.path, experiment.history.rows, settings.trainer.max_epochs, resume_command(folder))
        raise SystemExit(_stop.value) from event
    print_summary(folder.path, metrics, experiment.history.rows, experiment.examples())
    loss: float | None = metrics.get("val/loss")
    return loss


def write_config(settings: Settings, path: Path) -> None:
    """The resolved experiment, headed by the command that runs it again."""
    again = shlex.join(_from_config(path))
    body = {"defaults": [{"hydra": "imdbclf"}, "_self_"], **settings.model_dump()}
    text = OmegaConf.to_yaml(OmegaConf.create(body))
    path.write_text(f"# Run this again: {again}\n{text}", encoding="utf-8")


def resume_command(folder: RunFolder) -> str:
    """The command that goes on from a folder's last epoch."""
    last = shown_path(folder.last)
    value = last if re.fullmatch(r"[\w./-]+", last) else '"' + last.replace('"', '\\"') + '"'
    return shlex.join([*_from_config(folder.config), f"ckpt_path={value}"])


def _from_config(path: Path) -> list[str]:
    """The command that takes a written config for its experiment."""
    return [program(), "train", "--config-dir", shown_path(path.parent), "--config-name", path.stem]


@contextmanager
def _program(name: str, arguments: Sequence[str]) -> Iterator[None]:
    """Hydra reads the arguments of the process."""
    before = sys.argv
    sys.argv = [name, *arguments]
    try:
        yield
    finally:
        sys.argv = before


@contextmanager
def _errors_raised() -> Iterator[None]:
    """Hydra prints errors itself, over several lines, unless it is told to raise them."""
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """A polite kill ends the run in the same good order as Ctrl-C, with its own exit status."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        _stop.value = TERMINATED
        raise KeyboardInterrupt

    _stop.value = INTERRUPTED
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        # SIGINT as well: Lightning ignores it from the first Ctrl-C on.
        for number, handler in before.items():
            signal.signal(number, handler)


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
