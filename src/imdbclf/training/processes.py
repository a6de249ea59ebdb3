"""Training with several processes on one machine: this process is the first of them and starts the others.

Lightning's own way (`ddp`) runs the command line again for each further process, which under Hydra makes further run
folders and starts a sweep again; its other way (`ddp_spawn`) trains in new processes only, and leaves history, log and
progress there. Here the first process goes on as it would alone, so everything that a run says and writes comes from
it; the others get the trainer and its arguments pickled, know nothing of Hydra, and write nothing.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import pickle
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.launchers.launcher import _Launcher
from lightning.pytorch.strategies.launchers.multiprocessing import _GlobalStateSnapshot
from lightning.pytorch.utilities import rank_zero_only

from imdbclf.errors import UserError, one_line

SECONDS_TO_END = 20.0
"""How long the others may take to end after the first one has; they end together, so this is never waited for."""

SECONDS_TO_TELL = 2.0
"""How long a process whose connection broke may take until its exit status is known."""


def lead_processes(trainer: pl.Trainer) -> None:
    """Have the trainer's further processes started by `Companions`; nothing changes where it has a single one.

    Raises:
        UserError: for processes that were started from outside, further machines, or a strategy that divides the
            network, whose checkpoints would not be the files that a run folder promises.
    """
    strategy = trainer.strategy
    if strategy.launcher is None:
        return
    if type(strategy) is not DDPStrategy:
        msg = f"trainer.strategy: {type(strategy).__name__} is not possible; must be auto or ddp"
        raise UserError(msg)
    if trainer.num_nodes > 1:
        msg = f"trainer.num_nodes={trainer.num_nodes}: must be 1; all processes run on this machine"
        raise UserError(msg)
    environment = strategy.cluster_environment
    if trainer.world_size > 1 and environment is not None and environment.creates_processes_externally:
        msg = (
            f"trainer.devices={trainer.world_size}: a launcher ({type(environment).__name__}) has started several "
            "processes already; start the command once, it starts the others"
        )
        raise UserError(msg)
    strategy._launcher = Companions(strategy)  # noqa: SLF001 - where Lightning looks for it


@dataclass(frozen=True)
class Companion:
    """Another process, and the pipe on which it says that it is ready, or why it ended."""

    number: int
    process: BaseProcess
    pipe: connection.Connection

    def failure(self, patience: float = 0.0) -> str | None:
        """Why it ended, if it did, waiting so long for its end; None if it works or has ended well."""
        with contextlib.suppress(EOFError, OSError):
            if self.pipe.poll():
                return f"process {self.number}: {self.pipe.recv()}"
        self.process.join(patience)
        status = self.process.exitcode
        if not status:
            return None
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"process {self.number} {how}"


class Companions(_Launcher):
    """Starts all processes but the first, runs the first here, and leaves none behind, however it ends."""

    def __init__(self, strategy: DDPStrategy) -> None:
        self.strategy = strategy
        self.companions: list[Companion] = []

    @property
    def is_interactive_compatible(self) -> bool:
        """Whether notebooks can use it: they can, the others import what they run."""
        return True

    def launch(self, function: Callable[..., Any], *args: Any, trainer: pl.Trainer | None = None, **kwargs: Any) -> Any:  # noqa: ARG002
        """Run the function in every process; returns what it gave here.

        Raises:
            RuntimeError: with the reason, if another process failed.
            UserError: if the trainer, the network or the reviews can't be sent to another process.
        """
        with _environment_as_it_was():
            try:
                self._start(Job((function, args, kwargs), torch.get_num_threads(), _GlobalStateSnapshot.capture()))
                result = function(*args, **kwargs)
                self._await_end()
            except RuntimeError as error:
                # Whoever talks to a process that has failed sees no more than a broken connection.
                if reason := self._failure(SECONDS_TO_TELL):
                    raise RuntimeError(reason) from error
                raise
            finally:
                self.kill(signal.SIGTERM)
        return result

    def kill(self, signum: int) -> None:  # noqa: ARG002 - Lightning's signature
        """End the others at once, which hold nothing that would be lost, and the connection to them.

        Lightning calls this when SIGTERM comes, and would then talk to the others if there were a connection.
        """
        for companion in self.companions:
            companion.process.kill()
        for companion in self.companions:
            companion.process.join()
            companion.pipe.close()
        self.companions = []
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    def _start(self, job: Job) -> None:
        spawn = multiprocessing.get_context("spawn")
        with _signals_held_back():
            for rank in range(1, self.strategy.num_processes):
                here, there = spawn.Pipe()
                process = spawn.Process(target=follow, args=(rank, there, job), daemon=True)
                try:
                    process.start()
                except (pickle.PicklingError, TypeError, AttributeError) as error:
                    msg = f"trainer.devices={self.strategy.num_processes}: {one_line(error)}"
                    raise UserError(msg) from error
                there.close()
                self.companions.append(Companion(rank + 1, process, here))
        for companion in self.companions:
            # One that fails before it is connected would be waited for, for half an hour.
            connection.wait([companion.pipe, companion.process.sentinel])
            if not companion.pipe.poll() or companion.pipe.recv() != READY:
                raise RuntimeError(companion.failure(SECONDS_TO_TELL) or f"process {companion.number} did not begin")
        environment = self.strategy.cluster_environment
        assert environment is not None  # noqa: S101 - set by the trainer
        if self.companions:
            # A free port is found only now, so that nobody else takes it while the others import.
            for companion in self.companions:
                companion.pipe.send(environment.main_port)

    def _await_end(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_END
        for companion in self.companions:
            if reason := companion.failure(max(deadline - time.monotonic(), 0.0)):
                raise RuntimeError(reason)

    def _failure(self, patience: float) -> str | None:
        return next(filter(None, (companion.failure(patience) for companion in self.companions)), None)

    def __getstate__(self) -> dict[str, Any]:
        """The others start none themselves."""
        return {"strategy": self.strategy, "companions": []}


READY = "ready"
"""What a process says when it could begin."""


@dataclass
class Job:
    """What another process is to run, with how many threads and in which state of torch's switches and generators.

    Pickled in the ordinary way: torch's own for processes would move the weights to memory that all processes share,
    where they would train on each other's.
    """

    call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
    threads: int
    state: Any

    def __getstate__(self) -> dict[str, Any]:
        """The call as bytes."""
        return {"call": pickle.dumps(self.call, pickle.HIGHEST_PROTOCOL), "threads": self.threads, "state": self.state}

    def run(self) -> None:
        """Run it, in the process that it was sent to."""
        torch.set_num_threads(self.threads)
        self.state.restore()
        function, args, kwargs = self.call
        function(*args, **kwargs)

    def unpack(self) -> None:
        """Make the objects of the call from its bytes."""
        self.call = pickle.loads(self.call)  # type: ignore[arg-type] # noqa: S301 - our own, from the first process


def follow(rank: int, pipe: connection.Connection, job: Job) -> None:
    """The life of another process: say that it is ready, learn the port, run the job, say why if that fails."""
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    # The first process says all of it already.
    logging.disable()
    warnings.simplefilter("ignore")
    os.environ["LOCAL_RANK"] = str(rank)
    rank_zero_only.rank = rank
    try:
        job.unpack()
        pipe.send(READY)
        os.environ["MASTER_PORT"] = str(pipe.recv())
        job.run()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the first process has to say it
        with contextlib.suppress(OSError):
            pipe.send(one_line(f"{type(error).__name__}: {error}"))
        os._exit(1)


def _end_with_the_first() -> None:
    """A first process that was killed can't end the others."""
    first = multiprocessing.parent_process()
    assert first is not None  # noqa: S101 - this runs in processes that were started
    connection.wait([first.sentinel])
    os._exit(1)


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Processes started inside never see Ctrl-C or SIGTERM, which go to all of a terminal's: the first one decides."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Started inside, it would let the signals through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _environment_as_it_was() -> Iterator[None]:
    """The next job of a sweep finds a port of its own."""
    names = ("MASTER_ADDR", "MASTER_PORT")
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
