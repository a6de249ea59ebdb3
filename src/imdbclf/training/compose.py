"""Hydra's part: from a command line to validated settings and a folder, before anything is made or read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, read_write
from omegaconf.errors import OmegaConfBaseException

from imdbclf.errors import UserError, nearest, one_line
from imdbclf.folders.run import claim, reserve
from imdbclf.settings import Settings, settings_keys

_PACKAGED = Path(__file__).parents[1] / "configs"
CONFIGS = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[3] / "configs"
"""The experiment space: inside the wheel, or at the top of the repository."""

PRIMARY = "train"

ONE_PROCESS = (
    "a run uses one process and one device; imdbclf train -m … hydra/launcher=processes runs the jobs of a sweep on "
    "all cores"
)
"""What to say to users who ask for more."""


class Refused(BaseException):
    """Carries an error past Hydra, which swallows what a callback raises and comments on what a job raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class BeforeAnything(Callback):
    """Validates what was composed before Hydra makes a folder, and finds a single run a folder of its own."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Validate a single run and reserve its folder."""
        with _refusing():
            settings = validated_ahead(config)
            chosen = Path(config.hydra.run.dir).expanduser()
            if any(override.startswith("hydra.run.dir=") for override in config.hydra.overrides.hydra):
                folder = claim(chosen)
            else:
                folder = reserve(chosen.with_name(f"{chosen.name}_{folder_name(settings.experiment)}"))
            with read_write(config.hydra):
                config.hydra.run.dir = str(folder)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (UserError, HydraException, OmegaConfBaseException) as error:
        raise Refused(explain_composition(error)) from error


def validated(config: DictConfig) -> Settings:
    """The typed settings of a composed config, `hydra` left aside.

    Raises:
        UserError: for the first wrong key or value, an unresolvable interpolation, or a run in several processes.
    """
    plain = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    container = OmegaConf.to_container(plain, resolve=True)
    settings = Settings.from_config({str(key): value for key, value in dict(container).items()})  # type: ignore[arg-type]
    _check_one_process(settings.trainer.model_dump())
    return settings


def _check_one_process(trainer: Mapping[str, Any]) -> None:
    """Refuse several processes for one run.

    Not part of the settings themselves, since checkpoints of older versions may come from such runs.
    `imdbclf.training.fit` checks what only Lightning can tell (`auto` and -1 mean all devices of the machine).

    Raises:
        UserError: if the arguments of the Trainer, or a launcher such as torchrun, say so.
    """
    counts = {f"trainer.{key}": trainer.get(key, 1) for key in ("devices", "num_nodes")}
    for key, value in (counts | {"WORLD_SIZE": os.environ.get("WORLD_SIZE", "1")}).items():
        if _count(value) > 1:
            msg = f"{key}={value}: must be 1; {ONE_PROCESS}"
            raise UserError(msg)
    if (strategy := trainer.get("strategy", "auto")) != "auto":
        msg = f"trainer.strategy={strategy}: must be auto; {ONE_PROCESS}"
        raise UserError(msg)


def _count(devices: object) -> int:
    """The number of devices, or 1 where the value does not say."""
    if isinstance(devices, str) and "," in devices:
        devices = [number for number in devices.split(",") if number.strip()]
    if isinstance(devices, list):
        return len(devices)
    return int(devices) if isinstance(devices, int) or (isinstance(devices, str) and devices.strip().isdigit()) else 1


def validated_ahead(config: DictConfig) -> Settings:
    """The typed settings of a config whose job has not begun, so that Hydra does not know its folder yet."""
    with read_write(config.hydra):
        config.hydra.runtime.output_dir = config.hydra.run.dir
    HydraConfig.instance().set_config(config)
    return validated(config)


def folder_name(text: str) -> str:
    """The text with every character that a shell, Hydra or a file system might trip over replaced by `-`."""
    return re.sub(r"[^\w.,-]+", "-", text).strip("-,.")[:100]


def short_key(key: str) -> str:
    """The last part of a key: `layers` of `model.layers`."""
    return re.split(r"[./]", key)[-1]


def override(key: str, value: str) -> str:
    """`key=value` with the value in quotes where Hydra's grammar needs them."""
    if re.fullmatch(r"[\w./-]+", value):
        return f"{key}={value}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{key}="{escaped}"'


def explain_composition(error: Exception) -> UserError:
    """One line for what Hydra says over several: which key or choice, what is allowed, the nearest right name."""
    if isinstance(error, UserError):
        return error
    text = str(error)
    for pattern, explain in _EXPLAINED.items():
        if found := pattern.search(text):
            return UserError(explain(found))
    return UserError(one_line(text))


def _no_option(found: re.Match[str]) -> str:
    group, name, options = found[1], found[2], found[3].split()
    if group == "hydra/launcher" and name.split("_")[0] in _LAUNCHER_EXTRAS:
        return _no_launcher(found)
    return f"{group}={name}: must be {', '.join(options)}{nearest(name, options)}"


def _no_launcher(found: re.Match[str]) -> str:
    return f"hydra/launcher={found[2]}: is not installed; pip install 'imdbclf[{found[2].split('_')[0]}]'"


def _no_key(found: re.Match[str]) -> str:
    return f"{found[1]}: there is no such key{nearest(found[1], known_names())}"


def _no_config(found: re.Match[str]) -> str:
    return f"{found[1]}: there is no such config{nearest(found[1], known_names())}"


def _no_grammar(found: re.Match[str]) -> str:
    return (
        f"{one_line(found.string).split(' See ')[0]} — Hydra can't read this; put values with blanks, commas or '=' "
        "into double quotes: 'key=\"a value\"'"
    )


_LAUNCHER_EXTRAS = ("joblib", "submitit", "ray")
"""Extras of the same name bring these."""

_EXPLAINED = {
    re.compile(
        r"Could not find '([\w/.-]+)/([^/']+)'.*?Available options in '[^']*':(.*?)(?:Config search|$)", re.DOTALL
    ): _no_option,
    re.compile(r"Could not load '(hydra/launcher)/(\w+)'"): _no_launcher,
    re.compile(r"Could not override '([\w./@-]+)'"): _no_key,
    re.compile(r"Could not find '([\w./-]+)'"): _no_config,
    re.compile(
        r"LexerNoViableAlt|mismatched input|extraneous input|no viable alternative|token recognition"
    ): _no_grammar,
}
"""What Hydra says, and how to say it; the first that is found counts."""


def known_names() -> list[str]:
    """Every key and every config group that an override may name."""
    groups = (folder.name for folder in CONFIGS.iterdir() if folder.is_dir())
    return [*settings_keys(), *groups, "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.launcher"]


def current_folder() -> Path:
    """The folder that Hydra has made for the running job."""
    return Path(HydraConfig.get().runtime.output_dir)
