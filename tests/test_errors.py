"""Texts of error messages."""

from __future__ import annotations

from imdbclf.errors import listed, nearest, one_line, visible


def test_the_nearest_word_is_offered_where_one_is_alike() -> None:
    assert nearest("batchsize", ["val_size", "batch_size"]) == "; did you mean 'batch_size'?"
    assert nearest("xyz", ["batch_size"]) == ""
    assert nearest("xyz", []) == ""


def test_a_line_has_no_line_ends() -> None:
    assert one_line("  a\n b\r\n\tc  ") == "a b c"
    assert one_line(ValueError("a\nb")) == "a b"


def test_characters_that_a_terminal_would_obey_are_shown_by_their_codes() -> None:
    assert visible("\x1b[2J\x07\x9b1m\r\u202eabc\udcff") == r"\u001b[2J\u0007\u009b1m\u000d\u202eabc\udcff"
    assert visible("a\tb\n😀 – é") == "a\tb\n😀 – é"


def test_long_lists_of_names_are_cut() -> None:
    assert listed(["b", "a", "b"]) == "b, a"
    assert listed(map(str, range(1_000)), most=2) == "0, 1, …"
