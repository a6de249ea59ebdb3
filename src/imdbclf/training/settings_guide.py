"""Every setting as a person reads it: what it means, what is allowed, its default, its choices.

Types and ranges are those of the settings; meanings are the comments in `configs/`.
"""

from __future__ import annotations

import re
import textwrap
from functools import cache
from typing import Any, NamedTuple

from imdbclf.config_files import CONFIGS, PRIMARY, group_names, options
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

    @property
    def choices(self) -> dict[str, str]:
        """What each choice computes, where there is a formula."""
        return {name: FORMULAS[name] for name in self.allowed.split(", ") if name in FORMULAS}


class Group(NamedTuple):
    """One config group: its options with their meanings, which of them is the default, and its keys."""

    name: str
    default: str
    options: dict[str, str]
    settings: list[Setting]


def all_groups() -> list[Group]:
    """The keys that are in no group, then the groups in the order of `configs/train.yaml`."""
    main = (CONFIGS / f"{PRIMARY}.yaml").read_text(encoding="utf-8")
    defaults = {"": PRIMARY, **dict(re.findall(r"^  - (?:override )?(\S+): (\S+)$", main, re.MULTILINE))}
    names = [*defaults, *group_names()]
    groups = sorted({"", *group_names()} - {"hydra"}, key=names.index)
    return [_group(name, defaults.get(name, "")) for name in groups]


def _group(name: str, default: str) -> Group:
    """A group from its files, the default one first: it decides the order of the keys and their defaults."""
    found = options(name)
    keys: dict[str, tuple[str, str]] = {}
    meanings: dict[str, str] = {}
    for option in sorted(found, key=lambda option: option != default):
        for own, (value, meaning) in found[option].keys.items():
            key = f"{name}.{own}".replace("/", ".").removeprefix(".")
            keys.setdefault(key, (value, "" if default in {option, ""} else option))
            meanings[key] = meanings.get(key) or meaning.rstrip(".")
    # A name is that of the option; a key without a value has others below it.
    known = {*group_names(), "loss.name", "optimizer.name", "calibration.name"}
    settings = [
        Setting(key, value, option, meanings[key], what_is_allowed(_schemas()[key]) if key in _schemas() else "")
        for key, (value, option) in keys.items()
        if value and not key.endswith("_target_") and key not in known
    ]
    return Group(name, default, {one: FORMULAS.get(one, found[one].meaning) for one in found if name}, settings)


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
