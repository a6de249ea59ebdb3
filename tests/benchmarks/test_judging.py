from __future__ import annotations

import pytest

from benchmarks.judging import Target, judge, spread, straight_line


def test_faster_is_the_peers_median_over_ours() -> None:
    verdict = judge(Target("times_less", 8, 13), ours=[1.0, 2.0, 9.0], peer=[18.0, 20.0, 90.0])
    assert verdict.value == 10
    assert (verdict.must, verdict.aim) == (True, False)
    assert verdict.words == "must met"


def test_as_long_is_our_median_over_the_peers() -> None:
    verdict = judge(Target("times_as_much", 1.9, 1.4), ours=[3.0], peer=[2.0])
    assert verdict.value == 1.5
    assert (verdict.must, verdict.aim) == (True, False)


def test_seconds_more_is_the_difference_of_medians() -> None:
    verdict = judge(Target("seconds_more", 0.3, 0.15), ours=[0.125], peer=[0.025])
    assert verdict.value == pytest.approx(0.1)
    assert verdict.words == "aim reached"


def test_a_share_is_our_median_over_the_peers_in_per_cent() -> None:
    target = Target("share", 0.4, 0.2)
    verdict = judge(target, ours=[30.0, 25.0, 90.0], peer=[100.0])
    assert verdict.value == pytest.approx(0.3)
    assert verdict.words == "must met"
    assert (target.shown(verdict.value), target.bound(target.must)) == ("30.0%", "≤ 40%")


@pytest.mark.parametrize(
    ("target", "ours"),
    [(Target("times_less", 3, 5), 0.5), (Target("times_as_much", 1.9, 1.4), 2.0), (Target("share", 0.4, 0.2), 0.5)],
)
def test_a_missed_bound_is_said(target: Target, ours: float) -> None:
    assert judge(target, [ours], [1.0]).words == "MISSED"


def test_what_stands_exactly_on_the_bound_has_met_it() -> None:
    assert judge(Target("times_less", 3, 5), [1.0], [3.0]).must
    assert judge(Target("times_as_much", 1.9, 1.4), [1.9], [1.0]).must


def test_without_a_bound_it_is_only_reported() -> None:
    verdict = judge(Target("beside"), [1.0], [4.0])
    assert verdict.value == 4
    assert verdict.words == "reported only"


@pytest.mark.parametrize(
    ("values", "unit", "text"),
    [
        ([0.1234, 0.2, 0.3], "s", "0.200 (0.123 – 0.300) s"),
        ([12.0, 10.0, 11.0], "s", "11.00 (10.00 – 12.00) s"),
        ([4321.4, 4000.0], "MB", "4,161 (4,000 – 4,321) MB"),
    ],
)
def test_median_least_and_greatest_are_shown(values: list[float], unit: str, text: str) -> None:
    assert spread(values, unit) == text


def test_points_on_a_line_give_that_line() -> None:
    ns = [25_000, 100_000, 400_000, 1_000_000]
    line = straight_line(ns, [2 + 4e-5 * n for n in ns])
    assert [line.fixed, line.slope] == pytest.approx([2, 4e-5])
    assert line.deviation(100_000, 6.6) == pytest.approx(0.1)


def test_a_largest_size_that_takes_too_long_is_seen() -> None:
    # Plain least squares would put the line through it: 1.5 times as long as the others say is 15 % off at most there.
    ns = [25_000, 100_000, 400_000, 1_000_000]
    ts = [1.0, 4.0, 16.0, 60.0]
    assert straight_line(ns, ts).deviation(ns[-1], ts[-1]) > 0.15


def test_one_size_alone_is_taken_as_in_proportion() -> None:
    assert straight_line([1000], [2.0]).at(2000) == 4
