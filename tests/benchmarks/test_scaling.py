from __future__ import annotations

import pytest
from benchmark_results import scaling

from benchmarks.scaling import parsed_sizes, straight_line
from imdbclf.errors import UserError

SIZES = [25_000, 100_000, 400_000, 1_000_000]


def test_points_on_a_line_give_that_line() -> None:
    line = straight_line(SIZES, [2 + 4e-5 * n for n in SIZES])
    assert list(line.coef) == pytest.approx([2, 4e-5])


def test_a_largest_size_that_takes_too_long_is_noticed() -> None:
    # Plain least squares would put the line through it: 1.5 times as long would be at most 15 % off the line.
    times = [1.0, 4.0, 16.0, 60.0]
    assert times[-1] / straight_line(SIZES, times)(SIZES[-1]) - 1 > 0.15


def test_one_size_alone_is_taken_as_proportional() -> None:
    assert straight_line([1000], [2.0])(2000) == 4


@pytest.mark.parametrize(
    ("seconds", "conclusion"),
    [((2.5, 10.0, 100.0), "requirement met"), ((2.5, 10.0, 200.0), "MISSED"), ((2.5, 10.0), "needs 3 sizes")],
)
def test_the_largest_size_must_be_near_the_line_through_at_least_three(
    seconds: tuple[float, ...], conclusion: str
) -> None:
    assert scaling(*seconds).conclusion("encode_seconds") == conclusion


def test_memory_grows_by_the_difference_between_smallest_and_largest_size() -> None:
    assert scaling(2.5, 10.0, 100.0).memory_slope == pytest.approx(1e6 / 20_000)
    assert scaling(2.5, 10.0, 100.0).memory_ratio == pytest.approx(550 / 501.25)


def test_sizes_are_read_in_any_order() -> None:
    assert parsed_sizes("100000,25000") == [25_000, 100_000]


@pytest.mark.parametrize("text", ["", "a", "10", "25000;100000"])
def test_wrong_sizes_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="--sizes"):
        parsed_sizes(text)
