"""Errors for people: one line that says what is wrong and what to do."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable


class UserError(Exception):
    """Something the person at the keyboard can put right; its text is the one line that they read."""


def is_full_disk(error: BaseException) -> bool:
    """Whether the error says that there is no room (left, allowed, or in a single file)."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def one_line(text: object) -> str:
    """The text with all its white space, line ends included, folded to single blanks."""
    return " ".join(str(text).split())


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'X'?` for the known word most like the given one, or nothing where none is alike."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{matches[0]}'?" if matches else ""
