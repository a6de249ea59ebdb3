"""Every setting as a person reads it: what it means, what is allowed, its default, its choices.

Types and ranges are those of the settings; meanings are the comments in `configs/`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from imdbclf.config_files import CONFIGS, PRIMARY, group_names, options, read_option
from imdbclf.setting_errors import what_is_allowed
from imdbclf.setting_values import FORMULAS
from imdbclf.settings import Settings
from imdbclf.training.trainer_arguments import TrainerArguments

WIDTH = 110
"""Columns of the help."""


class Setting(NamedTuple):
    """One key. `default` is that of the default option, or of `option`, the first that has the key."""

    key: str
    default: str
    option: str
    meaning: str
    allowed: str
    choices: dict[str, str]


class Group(NamedTuple):
    """One config group: its options with their meanings, which of them is the default, and its keys."""

    name: str
    default: str
    options: dict[str, str]
    settings: list[Setting]


def all_groups() -> list[Group]:
    """The keys that are in no group, then the groups in the order of `configs/train.yaml`."""
    main = CONFIGS / f"{PRIMARY}.yaml"
    defaults = dict(re.findall(r"^  - (?:override )?(\S+): (\S+)$", main.read_text(encoding="utf-8"), re.MULTILINE))
    names = sorted({*group_names()} - {"hydra"}, key=lambda name: [*defaults, name].index(name))
    groups = []
    for name in names:
        found = options(name)
        default = defaults.get(name, "basic")
        ordered = sorted(found, key=lambda option: option != default)
        keys = [
            (f"{name.replace('/', '.')}.{key}", option if default in found else "", value, meaning)
            for option in ordered
            for key, (value, meaning) in found[option].keys.items()
        ]
        meanings = {option: FORMULAS.get(option, found[option].meaning) for option in found}
        groups.append(Group(name, default, meanings, list(_settings(keys, default))))
    own = [(key, "", *read) for key, read in read_option(main).keys.items() if key not in names]
    return [Group("", "", {}, list(_settings(own, ""))), *groups]


def _settings(keys: list[tuple[str, str, str, str]], default: str) -> Iterator[Setting]:
    """The settings of a group, from its keys with option, value and comment; those of the default option come first."""
    schemas = _schemas()
    meanings = {key: meaning.rstrip(".") for key, _, _, meaning in reversed(keys) if meaning}
    first: dict[str, tuple[str, str]] = {}
    for key, option, value, _ in keys:
        first.setdefault(key, (option, value))
    for key, (option, value) in first.items():
        # A name is that of the option; a key without a value has others below it.
        if value and not key.endswith("_target_") and key not in _NAMES:
            schema = schemas.get(key, {})
            choices = {name: FORMULAS[name] for name in schema.get("enum", []) if name in FORMULAS}
            allowed = what_is_allowed(schema) if schema else ""
            yield Setting(key, value, "" if option == default else option, meanings.get(key, ""), allowed, choices)


@cache
def _schemas() -> dict[str, Any]:
    """The JSON schema of every key; of a key of several optimizers, the last one's."""
    whole = Settings.model_json_schema(by_alias=False)
    found = dict(whole["properties"])
    for group, node in whole["properties"].items():
        for reference in (one["$ref"] for one in [node, *node.get("oneOf", [])] if "$ref" in one):
            keys = whole["$defs"][reference.rpartition("/")[2]]["properties"]
            found |= {f"{group}.{key}": schema for key, schema in keys.items()}
    trainer = TrainerArguments.model_json_schema()["properties"]
    return found | {f"trainer.{key}": schema for key, schema in trainer.items()}


_NAMES = {"loss.name", "optimizer.name", "calibration.name"}

USAGE = """\
imdbclf train [GROUP=OPTION] [KEY=VALUE] …: train, validate and test a network.

  imdbclf train
  imdbclf train model.hidden=32 loss=mse
  imdbclf train experiment=lecture_final seed=1
  imdbclf train -m model.layers=1,3 model.activation=relu,tanh   a sweep: one run per combination
  imdbclf train --resume FOLDER                                  go on with a run or a sweep that was stopped
  imdbclf train --cfg job                                        show the settings and stop
  imdbclf train --config-dir FOLDER …                            use files of your own, too: docs/extend.md
"""


def train_help() -> str:
    """What `imdbclf train --help` prints: every group, option and key, in at most `WIDTH` columns."""
    lines = [USAGE, "Each group is a folder of configs/, each option a file in it. * marks the default."]
    for group in all_groups():
        lines += ["", group.name or "Settings without a group"]
        for option, meaning in group.options.items():
            mark = "*" if option == group.default else " "
            lines += _entry(f" {mark} {group.name}={option}", meaning)
        for one in group.settings:
            where = f" ({group.name}={one.option})" if one.option else ""
            is_said = all(name in one.meaning for name in re.split(", | or ", one.allowed))
            allowed = "" if is_said or one.choices else f" [{one.allowed}]"
            lines += _entry(f"   {one.key}={one.default}", f"{one.meaning}{allowed}{where}")
            for name, meaning in one.choices.items():
                lines += _entry(f"     {name}", meaning)
    return "\n".join(lines)


def _entry(begin: str, meaning: str, indent: int = 36) -> list[str]:
    """A key or an option with its meaning beside it, or below it if it is long."""
    above = [begin] if len(begin) >= indent else []
    first = "" if above else begin
    return above + textwrap.wrap(
        meaning, WIDTH, initial_indent=first.ljust(indent), subsequent_indent=" " * indent, break_on_hyphens=False
    )
