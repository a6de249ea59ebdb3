"""Errors for users: one line that says what is wrong and what to do."""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable


class UserError(Exception):
    """An error that the user can correct. Its text is the line that the user reads."""


def is_full_disk(error: BaseException) -> bool:
    """Whether the error means a full disk, an exceeded quota, or a file that is too large."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def one_line(text: object) -> str:
    """The text with each run of white space, line ends included, replaced by one blank."""
    return " ".join(str(text).split())


_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters except tab and line end, characters that turn the direction of writing, halves of characters."""


def visible(text: str) -> str:
    r"""The text with `\u001b` for a character that a terminal would obey instead of show, as JSON writes it."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'X'?` for the most similar known word; an empty text if none is similar."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{matches[0]}'?" if matches else ""


def listed(names: Iterable[str], most: int = 20) -> str:
    """The names with commas between them, each once; `…` stands for those after the first `most`."""
    unique = list(dict.fromkeys(names))
    return ", ".join([*unique[:most], *(["…"] if len(unique) > most else [])])
