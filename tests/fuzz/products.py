"""Hostile input for the verbs of a finished checkpoint: its exports, their folders, suites, pages and servers."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from fuzz.files import damaged
from fuzz.judge import Case
from imdbclf.export.export import FORMATS
from imdbclf.inference.check import SUITE

_ODD = [None, True, -1, 0, 1, 0.5, 1e308, 10**40, float("nan"), float("inf"), "", "a", "{", "{film}", "{}", "é" * 5_000]
_ODD_SHAPES: list[Any] = [[], [1], [[]], ["a", "a"], {}, {"a": 1}, {"film": ["x"]}]
_TARGETS = [
    "",
    ".",
    "/",
    "/dev/null",
    "/proc/x",
    "a/b",
    "file",
    "folder",
    "loop",
    "new",
    "ü\n[red]",
    "x" * 300,
    "~/x/y",
]
_PORTS = ["-1", "65536", "x", "", "1e3", "9" * 50]
_HOSTS = ["999.1.1.1", "nowhere.invalid", "a b", "::g", "[::1]", "-", "x" * 300, "\n", "ä" * 70, "http://127.0.0.1"]
_WORKERS = ["0", "-1", "65", "x", "", "1.5"]


def with_another_value(value: Any, random_: random.Random) -> Any:
    """A value of JSON in which one place has another value."""
    if not (isinstance(value, dict | list) and value and random_.random() < 0.9):
        return random_.choice(_ODD + _ODD_SHAPES)
    changed: Any = value.copy()
    key = random_.choice([*value] if isinstance(value, dict) else range(len(value)))
    changed[key] = with_another_value(value[key], random_)
    return changed


def _drawn(contents: bytes, value: Any, random_: random.Random) -> bytes:
    if random_.random() < 0.5:
        return damaged(contents, random_)
    return json.dumps(with_another_value(value, random_)).encode()


def suites(folder: Path, checkpoint: Path, count: int, seed: int) -> Iterator[Case]:
    """The shipped suite with damaged bytes or another value, and files that are none."""
    random_, contents = random.Random(seed), SUITE.read_bytes()  # noqa: S311 - cases, not secrets
    for number in range(count):
        path = folder / f"suite-{number}.yaml"
        path.write_bytes(_drawn(contents, yaml.safe_load(contents), random_))
        yield Case(f"check suite {number}", ("check", str(checkpoint), str(path)))
    for path in sorted((folder / "tables").iterdir()):
        yield Case(f"check {path.name}", ("check", str(checkpoint), str(path)))


def hub_folders(folder: Path, hub: Path, count: int, seed: int) -> Iterator[Case]:
    """Exported folders in which a file is damaged, missing, or has another value."""
    random_ = random.Random(seed)  # noqa: S311 - cases, not secrets
    for number in range(count):
        copy = folder / f"hub-{number}"
        shutil.copytree(hub, copy)
        config, weights = copy / "config.json", copy / "model.safetensors"
        changed = random_.choice([config, config, weights])
        if random_.random() < 0.1:
            changed.unlink()
        elif changed == config:
            config.write_bytes(_drawn(config.read_bytes(), json.loads(config.read_bytes()), random_))
        else:
            weights.write_bytes(damaged(weights.read_bytes(), random_))
        verb = random_.choice(["predict", "explain", "check"])
        texts = () if verb == "check" else ("a text", "")
        yield Case(f"{verb} hub {number} ({changed.name})", (verb, str(copy), *texts))


def targets(folder: Path, checkpoint: Path) -> Iterator[Case]:
    """Every format and `explain --html` with strange targets."""
    (folder / "file").write_text("mine", encoding="utf-8")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    for target, force in product(_TARGETS, ((), ("--force",))):
        for to in (*FORMATS, "pmml"):
            # A new file each time, so that little is written.
            yield Case(f"export {to} {target!r:.20}", ("export", str(checkpoint), target, "--to", to, *force))
        yield Case(f"explain {target!r:.20}", ("explain", str(checkpoint), "a text", "--html", target, *force))


def servers(folder: Path, checkpoint: Path) -> Iterator[Case]:
    """Servers that must not start."""
    for option, values in {"--port": _PORTS, "--host": _HOSTS, "--workers": _WORKERS}.items():
        for value in values:
            port = () if option == "--port" else ("--port", "0")
            yield Case(f"serve {option} {value!r:.20}", ("serve", str(checkpoint), *port, option, value))
    for path in sorted((folder / "tables").iterdir()):
        yield Case(f"serve {path.name}", ("serve", str(path), "--port", "0"))
