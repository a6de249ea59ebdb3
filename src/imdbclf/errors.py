"""Errors for users: one line that says what is wrong and what to do."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable


class UserError(Exception):
    """An error that the user can correct. Its text is the line that the user reads."""


def is_full_disk(error: BaseException) -> bool:
    """Whether the error means a full disk, an exceeded quota, or a file that is too large."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def one_line(text: object) -> str:
    """The text with each run of white space, line ends included, replaced by one blank."""
    return " ".join(str(text).split())


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'X'?` for the most similar known word; an empty text if none is similar."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{matches[0]}'?" if matches else ""
