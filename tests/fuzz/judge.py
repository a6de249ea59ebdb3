"""Runs cases in a child process with limits, and judges what came of each."""

from __future__ import annotations

import json
import re
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SECONDS = 10
"""A command that takes longer hangs."""

STARTING = 60
"""The first command of a child imports torch and Lightning."""

MEGABYTES = 1_000
"""A command that needs more takes too much memory."""


@dataclass(frozen=True)
class Case:
    """A command line, and the name by which a report calls it."""

    name: str
    arguments: tuple[str, ...]


@dataclass
class Tally:
    """How many cases ended in each way, and what was wrong."""

    ends: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, case: Case, answer: dict[str, Any]) -> None:
        """Count a case."""
        end = judged(answer)
        self.ends[end] += 1
        if end not in {"accepted", "refused"}:
            lines = f"{answer.get('err', '')}".strip().splitlines()
            self.faults.append(f"{case.name}: {end}: {' '.join(case.arguments)}: {' | '.join(lines[-3:])}")


def judged(answer: dict[str, Any]) -> str:
    """`accepted` (status 0), `refused` (status 2 and one line, after warnings), or the kind of fault."""
    if "fault" in answer:
        return str(answer["fault"])
    if answer["megabytes"] > MEGABYTES:
        return f"{answer['megabytes']} MB"
    if answer["status"] == 0:
        return "accepted"
    if answer["status"] == 2 and re.fullmatch(r"(?:/.+: .+\n)*error: .+\n", answer["err"]):
        return "refused"
    return f"status {answer['status']}"


class Child:
    """A process that runs commands; a new one takes its place after a crash or a hang."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def run(self, case: Case, seconds: int = SECONDS) -> dict[str, Any]:
        """What the command left; `fault` is the signal of a crash, or `hang` after these seconds."""
        limit = seconds if self._process else STARTING
        process = self._process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(case.arguments) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], limit)[0]:
            self._end()
            return {"fault": "hang"}
        line = process.stdout.readline()
        if not line:
            status = process.wait()
            self._end()
            return {"fault": f"crash {status}"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "fuzz.child"]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment | {"PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe
                pipe.close()
        self._process = None


def judge(cases: Iterable[Case], folder: Path, environment: dict[str, str]) -> Tally:
    """Run the cases in the folder, one after the other."""
    tally = Tally()
    with Child(folder, environment) as child:
        for case in cases:
            tally.add(case, child.run(case))
    return tally
