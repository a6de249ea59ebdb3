"""How many cases of each behaviour test a checkpoint passes, as a table and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from imdbclf.console import console, tell, text_table
from imdbclf.reports.labels import number_of, percent


@dataclass(frozen=True)
class Case:
    """The text of a case, or the text and the changed text, and their probabilities of being positive."""

    texts: tuple[str, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Behaviour:
    """What a test found: the number of its cases, and those that failed; `min` is the pass rate that it asks for."""

    name: str
    about: str
    kind: str
    cases: int
    failed: list[Case]
    min: float | None = None

    @property
    def passed(self) -> int:
        """The number of cases that passed."""
        return self.cases - len(self.failed)

    @property
    def rate(self) -> float:
        """The share of cases that passed."""
        return self.passed / self.cases

    def as_dict(self, failures: int) -> dict[str, Any]:
        """For JSON, with the first `failures` failed cases."""
        about = {"name": self.name, "about": self.about, "kind": self.kind, "cases": self.cases, "passed": self.passed}
        failed = [asdict(case) for case in self.failed[:failures]]
        return about | {"rate": self.rate, "min": self.min, "failures": failed}


def below(behaviours: Sequence[Behaviour], least: float) -> list[str]:
    """The names of tests with a pass rate below their own `min`, or below `least` if they have none."""
    return [one.name for one in behaviours if one.rate < (least if one.min is None else one.min)]


def print_behaviours(behaviours: Sequence[Behaviour], failures: int, positive: str) -> None:
    """A table of all tests, and the worst failed cases of each with their probabilities of the label `positive`."""
    rows = [
        [one.name, one.about, one.kind, f"{one.cases:,}", f"{one.passed:,}", f"{100 * one.rate:.1f}"]
        for one in behaviours
    ]
    heads = ["test", "about", "kind", "cases", "passed", "passed, %"]
    console().print(text_table(heads, rows, text_columns=3))
    failed = [one for one in behaviours if one.failed]
    if failed and failures:
        tell(f"\nThe worst failed cases, with the probability of “{positive}” before each text:")
    for one in failed if failures else ():
        tell(f"{one.name}: {len(one.failed):,} of {number_of(one.cases, 'case')} failed")
        for case in one.failed[:failures]:
            shown = zip(map(percent, case.probabilities), case.texts, strict=True)
            tell("  " + "  →  ".join(map(" ".join, shown)))
    if any(len(one.failed) > failures for one in failed):
        tell(f"--failures N shows N failed cases of each test (now {failures}).")
