"""The plots of a sweep: when there is one, and what they show."""

from __future__ import annotations

import math
import re

import pytest

from imdbclf.reports.figure import Plot
from imdbclf.reports.history import EpochRow
from imdbclf.reports.sweep import plots
from imdbclf.reports.sweep.analysis import configurations_of, main_effects
from imdbclf.reports.sweep.job_table import JobRow
from imdbclf.reports.sweep.plots import draw_cost, draw_curves, draw_effects, mean_curve
from reports.sweep.helpers import grid, job

AXES = {"model.layers": ["1", "2"], "loss": ["bce", "mse"], "seed": ["0", "1"]}
ROWS = grid(AXES, lambda chosen: 0.88 + 0.01 * int(chosen["seed"]))


def epochs_of(rows: list[JobRow], count: int = 3) -> dict[str, list[EpochRow]]:
    course = [{"epoch": float(n), "train/loss": 1 / n, "val/loss": 0.5} for n in range(1, count + 1)]
    return {row.folder: course for row in rows}


def is_drawn(plot: Plot | None) -> bool:
    assert plot is not None
    assert plot.alt
    return plot.png.startswith(b"\x89PNG") and b"</svg>" in plot.svg


@pytest.mark.parametrize(("values", "count"), [(2, 5), (3, 2), (20, 1)])
def test_effects_are_drawn_for_any_number_of_values_and_axes(values: int, count: int) -> None:
    axes = {f"axis_{k}": [str(n) for n in range(values)] for k in range(count)}
    rows = grid(axes | {"seed": ["0", "1"]}, lambda chosen: 0.8 + int(chosen["axis_0"]) / 100)
    assert is_drawn(draw_effects(main_effects(rows, list(axes))))


def test_an_effect_of_a_single_pair_is_drawn_without_a_bar() -> None:
    rows = grid({"loss": ["bce", "mse"], "seed": ["0"]}, lambda _: 0.8)
    assert is_drawn(draw_effects(main_effects(rows, ["loss"])))


def test_curves_and_costs_are_drawn() -> None:
    configurations = configurations_of(ROWS)
    assert is_drawn(draw_curves(configurations, epochs_of(ROWS)))
    assert is_drawn(draw_curves(configurations, epochs_of(ROWS, 1)))
    assert is_drawn(draw_cost(configurations))


def titles(plot: Plot | None) -> list[str]:
    """The panels' titles in their order: drawn as outlines, a text is a comment in the SVG."""
    assert plot is not None
    return re.findall(r"<!-- (\d+ layers?.*?) -->", plot.svg.decode().replace("\xa0", " "))


def test_curves_have_a_panel_for_each_configuration_in_the_order_of_their_values() -> None:
    rows = grid(
        {"model.layers": ["10", "9"], "loss": ["mse", "bce"], "seed": ["0"]}, lambda chosen: len(chosen["loss"]) / 10
    )
    assert titles(draw_curves(configurations_of(rows), epochs_of(rows))) == [
        "9 layers, bce",
        "9 layers, mse",
        "10 layers, bce",
        "10 layers, mse",
    ]


def test_curves_show_the_best_where_there_are_too_many_configurations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "MOST_PANELS", 2)
    rows = grid({"model.layers": ["3", "2", "1"], "seed": ["0"]}, lambda chosen: 1 / int(chosen["model.layers"]))
    assert titles(draw_curves(configurations_of(rows), epochs_of(rows))) == ["1 layer", "2 layers"]


def test_a_network_that_diverged_has_its_panel() -> None:
    rows = grid({"loss": ["bce"], "seed": ["0"]}, lambda _: 0.5)
    epochs = epochs_of(rows)
    epochs[rows[0].folder] = [{"epoch": float(n), "train/loss": 9.0**n, "val/loss": math.nan} for n in (1, 2)]
    assert is_drawn(draw_curves(configurations_of(rows), epochs))


def test_without_data_there_is_no_plot() -> None:
    assert draw_curves([], {}) is None
    assert draw_curves(configurations_of(ROWS), {}) is None
    assert draw_cost([]) is None


def test_a_curve_is_the_mean_over_seeds_up_to_the_last_epoch_of_all() -> None:
    rows = [job({}, "0"), job({}, "1")]
    epochs: dict[str, list[EpochRow]] = {
        rows[0].folder: [{"epoch": 1.0, "val/loss": 0.4}, {"epoch": 2.0, "val/loss": 0.2}],
        rows[1].folder: [{"epoch": 1.0, "val/loss": 0.2}],
    }
    (configuration,) = configurations_of(rows)
    ((epoch, loss),) = mean_curve(configuration, epochs, "val/loss")
    assert (epoch, loss) == pytest.approx((1, 0.3))
