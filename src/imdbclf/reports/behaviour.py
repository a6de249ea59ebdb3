"""How many cases of each behaviour test a checkpoint passes, as a table and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imdbclf.console import console, tell, text_table
from imdbclf.reports.labels import number_of


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
        failed = [{"texts": case.texts, "probabilities": case.probabilities} for case in self.failed[:failures]]
        counts = {"cases": self.cases, "passed": self.passed, "rate": self.rate, "min": self.min}
        return {"name": self.name, "about": self.about, "kind": self.kind, **counts, "failures": failed}


def below(behaviours: Sequence[Behaviour], least: float) -> list[str]:
    """The names of tests with a pass rate below their own `min`, or below `least` if they have none."""
    return [one.name for one in behaviours if one.rate < (least if one.min is None else one.min)]


def print_behaviours(behaviours: Sequence[Behaviour], failures: int) -> None:
    """A table of all tests, and the worst failed cases of each."""
    rows = [
        [one.name, one.about, one.kind, f"{one.cases:,}", f"{one.passed:,}", f"{100 * one.rate:.1f}"]
        for one in behaviours
    ]
    heads = ["test", "about", "kind", "cases", "passed", "passed, %"]
    console().print(text_table(heads, rows, text_columns=3))
    for one in behaviours if failures else ():
        if one.failed:
            worst = f", the worst {failures:,}" if failures < len(one.failed) else ""
            tell(f"\n{one.name}: {number_of(len(one.failed), 'case')} failed{worst}:")
        for case in one.failed[:failures]:
            shown = zip(case.probabilities, case.texts, strict=True)
            tell("  " + "  →  ".join(f"{probability:.3f} {text}" for probability, text in shown))
