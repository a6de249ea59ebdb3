"""The command line as people use it: in this process where that is enough, in one of its own where it matters."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from imdbclf.cli.main import main


class Result(NamedTuple):
    """What a command left on the terminal, and its exit status."""

    status: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Result:
    """`imdbclf ARGUMENTS` in this process."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    out, err = capsys.readouterr()
    return Result(int(stop.value.code or 0), out, err)


def made(cache_folder: Path, *arguments: str) -> None:
    """`imdbclf ARGUMENTS` in this process, for a fixture that outlives a test, with the session's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMDBCLF_CACHE", str(cache_folder))
        with pytest.raises(SystemExit) as stop:
            main(list(arguments))
    assert not stop.value.code


def start(*arguments: str, cwd: Path, group: bool = False) -> subprocess.Popen[str]:
    """`imdbclf ARGUMENTS` in a process (or a process group) of its own, its output in one pipe."""
    command = [sys.executable, "-m", "imdbclf", *arguments]
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=group,
        # Who runs the tests in the background has them ignore Ctrl-C, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def going_on(out: str) -> list[str]:
    """The arguments of the command that an interrupted command names for going on."""
    (line,) = (line for line in out.splitlines() if line.startswith("Go on:"))
    return shlex.split(line.removeprefix("Go on:"))[1:]


def metrics_of(folder: Path) -> dict[str, Any]:
    """The figures of a run, without the one that depends on the clock."""
    contents: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    del contents["fit_seconds"]
    return contents
