"""What the page of an evaluation says where something is missing, and how much of a text it shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imdbclf.console import install_command
from imdbclf.reports.evaluation.page import (
    CHARACTERS,
    Measured,
    as_json,
    confusion_section,
    doubts_section,
    error_sections,
    threshold_sentence,
    thresholds_section,
)
from imdbclf.reports.explanation import Explanation, WordEffect

LABELS = np.array([0, 1, 1], np.int8)
PROBABILITIES = np.array([0.2, 0.4, 0.9], np.float32)
NONE = np.zeros(3, bool)
DOUBTS = {"repeated": NONE, "contradicted": NONE}


def measured(text: str = "", chosen: float | None = None) -> Measured:
    error = Explanation(text, "neg", 0.4, [WordEffect("bad", -0.3)], [])
    return Measured(LABELS, PROBABILITIES, ("neg", "pos"), {}, 0.5, 5, chosen, {}, DOUBTS, [(1, "a1", error)])


def test_without_cleanlab_one_line_says_how_to_install_it() -> None:
    (_, line) = doubts_section(measured()).text
    assert line.startswith("Likely label errors are not looked for; that needs cleanlab: ")
    assert line.endswith(install_command("report"))


def test_the_chosen_threshold_is_marked_and_compared_with_the_checkpoints() -> None:
    section = thresholds_section(measured(chosen=0.3))
    assert section.table is not None
    assert section.table.rows[section.table.highlighted or 0] == [
        *("0.300 (chosen)", "100.00 %", "100.00 %", "100.00 %", "100.00 %", "0", "0", "0")
    ]
    assert section.text[1] == (
        "The threshold 0.300 costs least on the validation reviews of the run. "
        "Here it costs 0, and 0.5, that of the checkpoint, costs 5."
    )


def test_right_confusion_and_numbers_are_those_at_the_threshold_of_the_checkpoint() -> None:
    found = replace(measured(chosen=0.3), threshold=0.1)
    assert found.right.tolist() == [False, True, True]
    numbers = as_json(found)
    assert (numbers["threshold"], numbers["confusion"]["false_positives"]) == (0.1, 1)
    assert confusion_section(found).text == ["At the threshold of the checkpoint, 0.1."]
    table = thresholds_section(found).table
    assert table is not None
    assert [row[0] for row in table.rows if "(" in row[0]] == ["0.100 (checkpoint)", "0.300 (chosen)"]
    assert "Here it costs 0, and 0.1, that of the checkpoint, costs 1." in threshold_sentence(found)
    assert threshold_sentence(replace(found, threshold=0.3)) == (
        "The threshold 0.300, that of the checkpoint, costs least on the validation reviews of the run. "
        "Here it costs 0, and 0.5 costs 5."
    )


def test_of_a_long_text_the_beginning_is_shown() -> None:
    (pieces,) = error_sections(measured("bad " * CHARACTERS))[0].coloured
    text = "".join(piece for piece, _, _ in pieces)
    assert text == ("bad " * CHARACTERS)[:CHARACTERS] + " …"
    assert pieces[0] == ("bad", -0.3, -1)
    (whole,) = error_sections(measured("Bad!"))[0].coloured
    assert "".join(piece for piece, _, _ in whole) == "Bad!"
