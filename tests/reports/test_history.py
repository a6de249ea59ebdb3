"""The history of a run as a table, a sentence and a plot."""

from __future__ import annotations

from pathlib import Path

from imdbclf.reports.history import EpochRow, best_row, conclusion, draw_history, read_history, write_history


def row(epoch: int, train: float, val: float | None = None) -> EpochRow:
    validation = {} if val is None else {"val/loss": val, "val/accuracy": 0.8}
    return {"epoch": epoch, "train/loss": train, "train/accuracy": 0.9, "seconds": 0.1} | validation


OVERFITTED = [row(1, 0.5, 0.4), row(2, 0.3, 0.3), row(3, 0.2, 0.3), row(4, 0.1, 0.45)]


def test_a_written_history_is_read_unchanged(tmp_path: Path) -> None:
    rows = [*OVERFITTED, row(5, 0.05)]
    write_history(rows, tmp_path / "history.csv")
    assert read_history(tmp_path / "history.csv") == rows
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]


def test_the_best_epoch_is_the_first_of_the_lowest_validation_loss() -> None:
    best = best_row(OVERFITTED)
    assert best is not None
    assert best["epoch"] == 2
    assert best_row([row(1, 0.5)]) is None


def test_the_conclusion_states_overfitting_with_its_losses() -> None:
    assert conclusion(OVERFITTED) == (
        "Validation loss was lowest (0.3000) after epoch 2. From there to epoch 4, training loss fell from 0.3000 to "
        "0.1000, while validation loss rose from 0.3000 to 0.4500: the network was overfitting."
    )


def test_the_conclusion_states_no_overfitting_and_no_validation() -> None:
    assert "no overfitting yet" in conclusion(OVERFITTED[:2])
    assert "no validation part" in conclusion([row(1, 0.5)])


def test_the_plot_is_drawn_with_and_without_validation(tmp_path: Path) -> None:
    for name, rows in (("a.png", OVERFITTED), ("b.png", [row(1, 0.5), row(2, 0.4)])):
        draw_history(rows, tmp_path / name, "lecture")
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_a_title_is_no_formula(tmp_path: Path) -> None:
    draw_history(OVERFITTED, tmp_path / "history.png", r"$\frac$: Training and validation")
    assert (tmp_path / "history.png").is_file()
