"""From single times to a row's verdict: medians, ratios, bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Kind = Literal["times_less", "times_as_much", "share", "seconds_more", "beside"]
"""How ours and the peer's are compared.

`times_less`: peer / ours, the more the better. `times_as_much`: ours / peer, the less the better. `share`: the same, in
per cent. `seconds_more`: ours - peer, the less the better. `beside`: peer / ours, reported only.
"""


@dataclass(frozen=True)
class Target:
    """What a comparison must reach and what it aims at; both None where it is only reported."""

    kind: Kind
    must: float | None = None
    aim: float | None = None

    def value(self, ours: float, peer: float) -> float:
        """The compared value of two medians."""
        if self.kind == "seconds_more":
            return ours - peer
        return ours / peer if self.kind in {"times_as_much", "share"} else peer / ours

    def met(self, value: float, bound: float | None) -> bool | None:
        """Whether the value keeps the bound; None where there is none."""
        if bound is None:
            return None
        return value >= bound if self.kind == "times_less" else value <= bound

    def shown(self, value: float) -> str:
        """A value as people read it."""
        if self.kind == "seconds_more":
            return f"{value:+.2f} s"
        return f"{value:.1%}" if self.kind == "share" else f"{value:.2f}×"

    def bound(self, bound: float | None) -> str:
        """A bound as people read it."""
        if bound is None:
            return "–"
        sign = "≥" if self.kind == "times_less" else "≤"
        if self.kind == "seconds_more":
            return f"{sign} {bound:g} s more"
        return f"{sign} {bound:.0%}" if self.kind == "share" else f"{sign} {bound:g}×"


@dataclass(frozen=True)
class Verdict:
    """A row's compared value and whether it keeps its bounds."""

    value: float
    must: bool | None
    aim: bool | None

    @property
    def words(self) -> str:
        """`aim reached`, `must met`, `MISSED`, or `reported only`."""
        if self.must is None:
            return "reported only"
        if not self.must:
            return "MISSED"
        return "aim reached" if self.aim else "must met"


def judge(target: Target, ours: Sequence[float], peer: Sequence[float]) -> Verdict:
    """The verdict on two series of single measurements."""
    value = target.value(median(ours), median(peer))
    return Verdict(value, target.met(value, target.must), target.met(value, target.aim))


def spread(values: Sequence[float], unit: str) -> str:
    """`median (min – max) unit`."""
    digits = 0 if unit == "MB" else 3 if median(values) < 1 else 2
    middle, low, high = (f"{value:,.{digits}f}" for value in (median(values), min(values), max(values)))
    return f"{middle} ({low} – {high}) {unit}"


@dataclass(frozen=True)
class Line:
    """t = fixed + slope · n."""

    fixed: float
    slope: float

    def at(self, n: float) -> float:
        """The line's t."""
        return self.fixed + self.slope * n

    def deviation(self, n: float, t: float) -> float:
        """How far t is off the line, as a share of what the line says."""
        return t / self.at(n) - 1


def straight_line(ns: Sequence[float], ts: Sequence[float]) -> Line:
    """The line with the least sum of squared *relative* deviations, Σ ((t - fixed - slope n) / t)².

    Plain least squares would follow the largest size almost exactly, whatever the others are, and then find it there.
    """
    weights = [1 / t**2 for t in ts]
    total = sum(weights)
    mean_n = sum(w * n for w, n in zip(weights, ns, strict=True)) / total
    mean_t = sum(w * t for w, t in zip(weights, ts, strict=True)) / total
    spread_n = sum(w * (n - mean_n) ** 2 for w, n in zip(weights, ns, strict=True))
    if spread_n == 0:
        # One size: what it says is all in proportion.
        return Line(0.0, mean_t / mean_n)
    slope = sum(w * (n - mean_n) * (t - mean_t) for w, n, t in zip(weights, ns, ts, strict=True)) / spread_n
    return Line(mean_t - slope * mean_n, slope)
