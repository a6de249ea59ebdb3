"""Training with several processes on one machine: this process is the first of them and starts the others.

Lightning's own way (`ddp`) runs the command line again for each further process, which under Hydra makes further run
folders and starts a sweep again; its other way (`ddp_spawn`) trains in new processes only, and leaves history, log and
progress there. Here the first process goes on as it would alone, so everything that a run says and writes comes from
it; the others get the trainer and its arguments pickled, know nothing of Hydra, and write nothing.
"""

from __future__ import annotations

import contextlib
import io
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
from multiprocessing import connection, reduction, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

import lightning.pytorch as pl
import numpy as np
import numpy.typing as npt
import torch
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.strategies.launchers.launcher import _Launcher
from lightning.pytorch.strategies.launchers.multiprocessing import _GlobalStateSnapshot

from imdbclf.data.multihot import mapped
from imdbclf.errors import UserError, one_line

SECONDS_TO_END = 20.0
"""How long the others may take to end after the first one has; they end together, so this is never waited for."""

SECONDS_TO_TELL = 1.0
"""How long a process whose connection broke may take until its exit status is known."""

READY = "ready"
"""What a process says when it has imported everything, and again when it has everything."""

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


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
    strategy._launcher = Companions(strategy)


@dataclass(frozen=True)
class Companion:
    """Another process, and the pipe on which it says that it is ready, or why it ended."""

    number: int
    process: BaseProcess
    pipe: connection.Connection

    def failure(self, patience: float = 0.0) -> str | None:
        """Why it ended, if it did, waiting so long for its end; None if it works or has ended well."""
        with contextlib.suppress(EOFError, OSError):
            while self.pipe.poll():
                if (said := self.pipe.recv()) != READY:
                    return f"process {self.number}: {said}"
        self.process.join(patience)
        status = self.process.exitcode
        if not status:
            return None
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"process {self.number} {how}"

    def await_ready(self) -> None:
        """Wait until it says so; one that fails before it is connected would be waited for, for half an hour."""
        connection.wait([self.pipe, self.process.sentinel])
        if reason := self.failure():
            raise RuntimeError(reason)


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
                self._start((function, args, kwargs), torch.get_num_threads())
                result = function(*args, **kwargs)
                self._await_end()
            except (RuntimeError, OSError) as error:
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

    def _start(self, call: Call, threads: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        ranks = range(1, self.strategy.num_processes)
        # Each its own, since a file can be handed on once; and before any is started, since this may be refused.
        needed = [_pickled((_GlobalStateSnapshot.capture(), call), rank) for rank in ranks]
        with _signals_held_back():
            for rank in ranks:
                here, there = spawn.Pipe()
                process = spawn.Process(target=follow, args=(rank, there, threads), daemon=True)
                process.start()
                there.close()
                self.companions.append(Companion(rank + 1, process, here))
        for companion, contents in zip(self.companions, needed, strict=True):
            companion.await_ready()
            # Not among the arguments of the process, which Python would go on writing to one that has died.
            companion.pipe.send_bytes(contents)
        environment = self.strategy.cluster_environment
        assert environment is not None  # noqa: S101 - set by the trainer
        for companion in self.companions:
            companion.await_ready()
        for companion in self.companions:
            # A free port is found only now, so that nobody else takes it while the others import.
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


class _Pickler(pickle.Pickler):
    """Python's own; torch's for processes would put the weights where all processes would train on the same ones.

    Numbers that lie in a file are not copied: the other process maps the same file.
    """

    def reducer_override(self, value: Any) -> Any:
        """How another process makes the value again."""
        file = getattr(value, "file", None) if isinstance(value, np.memmap) else None
        if file is None or not hasattr(reduction, "DupFd"):
            return NotImplemented
        return _mapped_again, (reduction.DupFd(file.fileno()), len(value))


def _mapped_again(descriptor: Any, count: int) -> npt.NDArray[np.int32]:
    return mapped(os.fdopen(descriptor.detach(), "rb"), count)


def _pickled(value: object, rank: int) -> bytes:
    stream = io.BytesIO()
    try:
        _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(value)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        msg = f"trainer.devices: process {rank + 1} can't get all that it needs: {one_line(error)}"
        raise UserError(msg) from error
    return stream.getvalue()


def follow(rank: int, pipe: connection.Connection, threads: int) -> None:
    """The life of another process: get a call, learn the port, run the call, and say why if any of that fails."""
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    # The first process says all of it already.
    logging.disable()
    warnings.simplefilter("ignore")
    os.environ["LOCAL_RANK"] = str(rank)
    torch.set_num_threads(threads)
    try:
        pipe.send(READY)
        state, (function, args, kwargs) = pickle.loads(pipe.recv_bytes())  # noqa: S301 - from the first process
        pipe.send(READY)
        os.environ["MASTER_PORT"] = str(pipe.recv())
        state.restore()
        function(*args, **kwargs)
    except BaseException as error:  # whatever it is, the first process has to say it
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
