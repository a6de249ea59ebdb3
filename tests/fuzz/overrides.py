"""Overrides of every key with values of every type, through composition and validation or through whole commands."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from hydra import compose, initialize_config_dir

from fuzz.judge import Case, Tally
from imdbclf.config_files import CONFIGS, PRIMARY
from imdbclf.errors import UserError
from imdbclf.settings import Settings, settings_keys
from imdbclf.training.compose import (
    CONFIG_ERRORS,
    explain_composition,
    validated_ahead,
    with_known_name,
)
from imdbclf.training.trainer_arguments import TrainerArguments

_GROUPS = sorted(path.name for path in CONFIGS.iterdir() if path.is_dir())
_HYDRA = ["run.dir", "sweep.dir", "job.chdir", "job.name", "output_subdir", "verbose", "sweeper.params", "run", "mode"]
KEYS = [
    *settings_keys(),
    *(f"trainer.{name}" for name in TrainerArguments.model_fields),
    *_GROUPS,
    *(f"hydra.{key}" for key in _HYDRA),
    *("hydra/launcher", "hydra/sweeper", "hydra/job_logging", "hydra/hydra_logging"),
    *("nothing", "model.nothing", "callbacks.mine", "logger.mine", "callbacks.mine._target_", "a.b.c", "", "."),
]
"""What an override can name, known or not."""

_NUMBERS = [0, 1, -1, 2, 3, 16, 512, 2**31, 2**32, 2**63, 10**40, 0.5, 0.0, -0.0, 1.0, 1e-9, 5e-324, 1e300, 1e400]
_WORDS = ["null", "true", "false", "nan", "inf", "-inf", "''", "' '", "a", "ä", "a b", "'a b'", "auto", "none", "bce"]
_SHAPES = ["[]", "[1]", "[1,2]", "[a,b]", "[[1]]", "{}", "{a:1}", "{a:{b:[1]}}", "{1:2}", "[null]", "1,2", "range(3)"]
_STRANGE = [
    *("", "9" * 5_000, "x" * 5_000, "${seed}", "${nothing}", "${oc.env:NOTHING}", "${seed", "a=b", "a::b", "'a::b'"),
    *("~/x", "'~nobody/x'", "../x", "/proc/x", "%s", "{", "]", '"', "'", "\\", "\t", "\\n", "1e", "0x10", "1_000"),
    *("00:00:00:00", "00:00:10:00", "[red]x", "$\\frac$", "=1+1", "choice(1,2)", "interval(0,1)", "int(1)", "str(1)"),
]
VALUES = [*map(str, _NUMBERS), *_WORDS, *_SHAPES, *_STRANGE]


def drawn(count: int, seed: int) -> Iterator[str]:
    """Overrides, each of a key, a value and at times a sign in front."""
    random_ = random.Random(seed)  # noqa: S311 - cases, not secrets
    for _ in range(count):
        sign = random_.choice(["", "", "", "", "+", "++", "~"])
        equals = "" if random_.random() < 0.03 else "="
        yield f"{sign}{random_.choice(KEYS)}{equals}{random_.choice(VALUES)}"


def commands(count: int, seed: int, rest: tuple[str, ...]) -> Iterator[Case]:
    """Whole commands; `rest` makes the runs that are accepted short."""
    for override in drawn(count, seed):
        yield Case(f"train {override[:60]}", ("train", *rest, override))


def composed(count: int, seed: int) -> Tally:
    """How composing and validating overrides ends, in this process."""
    tally = Tally()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        for override in drawn(count, seed):
            end = _end_of(override)
            tally.ends[end] += 1
            if end not in {"accepted", "refused"}:
                tally.faults.append(f"{override[:100]}: {end}")
    return tally


def _end_of(override: str) -> str:
    try:
        config = compose(PRIMARY, overrides=[with_known_name(override)], return_hydra_config=True)
        settings = validated_ahead(config)
    except CONFIG_ERRORS as error:
        return judged_line(str(explain_composition(error, [override])))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "accepted" if Settings.from_config(settings.model_dump()) == settings else "read back as another"


def judged_line(message: str) -> str:
    """`refused` if the message is one line with something in it."""
    return "refused" if re.fullmatch(r"\S.*", message) else f"no line: {message!r}"


def validated(count: int, seed: int) -> Tally:
    """How validating single values ends, without composing, which takes most of the time."""
    random_, tally = random.Random(seed), Tally()  # noqa: S311 - cases, not secrets
    values = [None, True, False, *_NUMBERS, float("nan"), *_WORDS, *_STRANGE, [], [1], [[1]], {}, {"a": 1}, {1: [2]}]
    for _ in range(count):
        key, value = random_.choice(settings_keys()), random_.choice(values)
        *groups, name = key.split(".")
        config = {name: value} if not groups else {groups[0]: {name: value}}
        try:
            settings = Settings.from_config({"experiment": "fuzz"} | config)
        except UserError as error:
            end = judged_line(str(error))
        except Exception as error:
            end = f"{type(error).__name__}: {error}"
        else:
            end = "accepted" if Settings.from_config(settings.model_dump()) == settings else "read back as another"
        tally.ends[end] += 1
        if end not in {"accepted", "refused"}:
            tally.faults.append(f"{key}={value!r:.80}: {end}")
    return tally
