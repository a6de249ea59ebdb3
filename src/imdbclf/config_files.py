"""The files of `configs/` as text: which options a group has, and what the comments say about options and keys.

Imports neither Hydra nor PyYAML, so that a shell can complete them quickly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PACKAGED = Path(__file__).parent / "configs"
CONFIGS = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "configs"
"""The experiment space: inside the wheel, or at the top of the repository."""

PRIMARY = "train"

_KEY = re.compile(r"(# )?( *)(\w+):(?: (\S.*?))??(?: +# (.*))?")
"""A key with its value and its comment; or a key that is left out, which is known by its comment."""


class Key(NamedTuple):
    """A key of a file: its value as written, and the comment beside or above it."""

    value: str
    meaning: str


class Option(NamedTuple):
    """A file: the first sentence of its comment, and its keys (none, if they belong to other groups)."""

    meaning: str
    keys: dict[str, Key]


def group_names() -> list[str]:
    """The folders with options, such as `model` or `hydra/launcher`."""
    return sorted({path.parent.relative_to(CONFIGS).as_posix() for path in CONFIGS.glob("*/**/*.yaml")})


def options(group: str) -> dict[str, Option]:
    """The options of a group, by name."""
    return {path.stem: read_option(path) for path in sorted((CONFIGS / group).glob("*.yaml"))}


def read_option(path: Path) -> Option:
    """What the comments of a file say."""
    lines = path.read_text(encoding="utf-8").splitlines()
    is_global = lines[0] == "# @package _global_"
    header: list[str] = []
    for line in lines[is_global:]:
        if not line.startswith("#"):
            break
        header.append(line.removeprefix("# "))
    meaning = re.split(r"(?<=\.) |: `imdbclf|: docs/", " ".join(header))[0].rstrip(".")
    return Option(meaning, {} if is_global else dict(_keys(lines[len(header) :])))


def _keys(lines: list[str]) -> Iterator[tuple[str, Key]]:
    """The keys by their dotted names, in the order of the file."""
    path: list[str] = []
    above: list[str] = []
    for line in lines:
        found = _KEY.fullmatch(line)
        if found and (beside := found[5] or not found[1]):
            path = [*path[: len(found[2]) // 2], found[3]]
            yield ".".join(path), Key(found[4] or "", beside if isinstance(beside, str) else " ".join(above))
            above = []
        elif line.startswith("# "):
            above.append(line.removeprefix("# "))
        else:
            above = []


def completions(words: list[str], incomplete: str) -> Iterator[tuple[str, str]]:
    """What the last word of a command line can be, with its meaning: options; of a word with a dot, keys.

    Bash gives the value after a `=` as a word of its own.
    """
    *_, before, last = ["", "", *words]
    if (group := before if last == "=" else last) in group_names():
        yield from ((option, read.meaning) for option, read in options(group).items() if option.startswith(incomplete))
        return
    for name in group_names() if last != "=" else []:
        for option, read in options(name).items():
            values = {f"{name}={option}": read.meaning}
            if "." in incomplete:
                values |= {f"{name.replace('/', '.')}.{key}={at.value}": at.meaning for key, at in read.keys.items()}
            yield from ((text, meaning) for text, meaning in values.items() if text.startswith(incomplete))
