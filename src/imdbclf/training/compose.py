"""Hydra's part: from a command line to validated settings and a folder, before any work, and back to a command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, read_write
from omegaconf.errors import OmegaConfBaseException

from imdbclf.config_files import CONFIGS, PRIMARY, group_names, options
from imdbclf.console import command_line, install_command, program, shown_path
from imdbclf.errors import UserError, nearest, one_line
from imdbclf.folders.run import RunFolder, claim, reserve
from imdbclf.folders.sweep import SweepFolder
from imdbclf.settings import RENAMED, Settings, settings_keys
from imdbclf.storage import write_text
from imdbclf.training.trainer_arguments import ADDED, check_trainer

RESUME = "--resume"

_OF_PYTHON = (AssertionError, AttributeError, ValueError, TypeError, RuntimeError, OSError)
CONFIG_ERRORS = (UserError, HydraException, OmegaConfBaseException, *_OF_PYTHON)
"""What Hydra and paths raise for wrong values in a config."""


class Refused(BaseException):
    """Carries an error past Hydra, which hides errors of callbacks and adds comments to those of jobs."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class BeforeAnything(Callback):
    """Validates a single run before Hydra makes a folder, and chooses the folder.

    With `resume` it is a folder of a stopped run, which goes on there.
    """

    def __init__(self, resume: bool = False) -> None:
        self.resume = resume

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Validate the composed config, and claim the folder that the user named or reserve a new one."""
        try:
            settings = validated_ahead(config)
            chosen = chosen_folder(config, "run")
            if self.resume:
                folder = chosen
            elif any(override.startswith("hydra.run.dir=") for override in config.hydra.overrides.hydra):
                folder = claim(chosen)
            else:
                folder = reserve(chosen.with_name(f"{chosen.name}_{folder_name(settings.experiment)}"))
        except CONFIG_ERRORS as error:
            raise Refused(explain_composition(error)) from error
        with read_write(config.hydra):
            config.hydra.run.dir = str(folder)


def validated(config: DictConfig) -> Settings:
    """The typed settings of a composed config; its `hydra` group is left out.

    Raises:
        UserError: for the first wrong key or value.
        OmegaConfBaseException: for an interpolation that cannot be resolved.
    """
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    settings = Settings.from_config(OmegaConf.to_container(own, resolve=True))  # type: ignore[arg-type]
    check_trainer(settings)
    typed = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    if any(override.lstrip("+").startswith("data.val_size=") for override in typed):
        return settings.changed(data={"adapt_val_size": False})
    return settings


def composed(overrides: Sequence[str]) -> Settings:
    """The settings of a command line `imdbclf train OVERRIDES`, for what does not run it.

    Raises:
        UserError: for the first thing that is wrong.
    """
    try:
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            config = compose(PRIMARY, list(map(with_known_name, overrides)), return_hydra_config=True)
        return validated_ahead(config)
    except CONFIG_ERRORS as error:
        raise explain_composition(error, overrides) from error


def chosen_folder(config: DictConfig, mode: Literal["run", "sweep"]) -> Path:
    """The folder of a run or a sweep, as the config names it.

    Raises:
        UserError: for a name that Lightning cannot write to.
    """
    folder = Path(config.hydra[mode].dir).expanduser()
    if "::" in str(folder.absolute()):
        msg = f"hydra.{mode}.dir={folder}: must not contain '::', which Lightning reads as two paths; give another name"
        raise UserError(msg)
    return folder


def validated_ahead(config: DictConfig) -> Settings:
    """`validated` for a job that has not started, so that Hydra does not know its folder yet.

    Raises:
        UserError: also for a working directory that Hydra would change, so that relative paths would be others.
    """
    if config.hydra.job.chdir:
        msg = "hydra.job.chdir=true: must be false; relative paths of the settings are those of the working directory"
        raise UserError(msg)
    with read_write(config.hydra):
        config.hydra.runtime.output_dir = config.hydra.run.dir
    HydraConfig.instance().set_config(config)
    return validated(config)


def write_config(settings: Settings, path: Path) -> None:
    """Write the resolved experiment; its first line is the command that runs it again."""
    again = command_line([program(), "train", "--config-dir", shown_path(path.parent), "--config-name", path.stem])
    defaults = [{"hydra": "imdbclf"}, "_self_", {"override hydra/sweeper": "grid"}]
    text = OmegaConf.to_yaml(OmegaConf.create({"defaults": defaults, **settings.model_dump()}))
    write_text(path, f"# Run this again: {again}\n{text}")


def resume_command(folder: Path) -> str:
    """The command that goes on with the run or the sweep in a folder, wherever it was stopped."""
    return command_line([program(), "train", RESUME, shown_path(folder)])


def resumed_arguments(arguments: Sequence[str]) -> list[str]:
    """Hydra's arguments for `--resume FOLDER`: the config of a run, or the command of a sweep; others as given.

    Raises:
        UserError: if there are other arguments, or the folder holds neither a run nor a sweep, or its config is cut.
    """
    typed = [part for text in arguments for part in (text.split("=", 1) if text.startswith(f"{RESUME}=") else [text])]
    if RESUME not in typed:
        return typed
    option, *names = typed
    if option != RESUME or len(names) != 1:
        msg = f"{RESUME} FOLDER: takes nothing else; it goes on with the settings of the folder"
        raise UserError(f"{msg} (with others, ckpt_path=FOLDER/checkpoints/last.ckpt goes on in a new folder)")
    path = Path(names[0]).absolute()
    if (sweep := SweepFolder(path)).manifest.is_file():
        # The folder may have been moved since.
        typed = [text for text in shlex.split(sweep.read().command)[2:] if not text.startswith("hydra.sweep.dir=")]
        return [*typed, override("hydra.sweep.dir", shown_path(path))]
    if not (config := RunFolder(path).config).is_file():
        raise UserError(f"{RESUME} {names[0]}: is not the folder of a run or of a sweep")
    _refuse_cut(config)
    resumed = ["--config-dir", str(path), "--config-name", config.stem, override("hydra.run.dir", str(path))]
    return [*resumed, "++hydra.callbacks.before_anything.resume=true"]


def _refuse_cut(config: Path) -> None:
    """Refuse a config whose end is missing: Hydra would take the defaults for the settings that were there."""
    *_, last = Settings.model_fields
    if f"\n{last}:".encode() not in config.read_bytes():
        raise UserError(f"{config}: its end is missing, and with it settings of the run; restore it from a copy")


def with_known_name(override: str) -> str:
    """An override of an old name or of a Trainer's argument that no config has, as Hydra takes it."""
    key, equals, value = override.partition("=")
    key = RENAMED.get(key, key)
    plus = "++" if key.startswith("trainer.") and key.removeprefix("trainer.") in ADDED else ""
    return f"{plus}{key}{equals}{value}"


def folder_name(text: str) -> str:
    """The text as a file name: characters that are special to shells, Hydra or file systems become `-`."""
    return re.sub(r"[^\w.,-]+", "-", text).strip("-,.")[:100]


def short_key(key: str) -> str:
    """The last part of a key: `layers` of `model.layers`."""
    return re.split(r"[./]", key)[-1]


def override(key: str, value: str) -> str:
    """`key=value`, with the value in quotes where Hydra's grammar needs them."""
    if re.fullmatch(r"[\w./-]+", value, re.ASCII):
        return f"{key}={value}"
    # In quotes a backslash is an ordinary character, except in front of a quote.
    escaped = re.sub(r'(\\*)("|\Z)', lambda found: found[1] * 2 + ('\\"' if found[2] else ""), value)
    return f'{key}="{escaped}"'


def explain_composition(error: Exception, overrides: Iterable[str] = ()) -> UserError:
    """Hydra's error in one line: which key or choice is wrong, what is allowed, the most similar name.

    `overrides` are those of the command line; some errors of Hydra do not say which of them is wrong.
    """
    if isinstance(error, UserError):
        return error
    reason = next(filter(None, map(_wrong_override, overrides)), None) or _reason(error)
    return UserError(reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…")


_LONGEST = 400
"""Characters of a message: an override can be as long as the shell allows."""


def _reason(error: Exception) -> str:
    text = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and error.filename else str(error)
    text = text or f"Hydra cannot use a value of hydra.* ({type(error).__name__}); leave it out"
    if found := _NO_LAUNCHER.search(text):
        return f"hydra/launcher={found[1]}: is not installed; {install_command(found[2])}"
    if found := _NO_OPTION.search(text):
        group, name, options = found[1], found[2], found[3].split()
        return f"{group}={name}: must be {', '.join(options)}{nearest(name, options)}"
    if found := _NO_KEY.search(text) or _NO_CONFIG.search(text):
        names = [*settings_keys(), *group_names(), "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir"]
        return f"{found[1]}: there is no such key{nearest(found[1], names)}"
    if found := _NO_SWEEP.search(text):
        return f"{found[1]}: several values are a sweep: imdbclf train -m; a value with commas needs double quotes"
    if _NO_GRAMMAR.search(text):
        rest = "Hydra cannot parse this; put values with spaces, commas, ~ or '=' into double quotes: 'key=\"a value\"'"
        return f"{one_line(text).split(' See ')[0]} — {rest}"
    return one_line(text)


def _wrong_override(typed: str) -> str | None:
    """What is wrong with an override, if it has a number that is too long, or a config group has no name of a file."""
    key, equals, value = typed.partition("=")
    if equals and not key.strip("+~"):
        return f"{typed}: names no key; settings are given as key=value"
    try:
        parsed = OverridesParser.create().parse_override(typed)
        choice = parsed.value()
    except ValueError:
        return f"{key}={value[:20]}…: must be shorter; this number has {len(value):,} digits"
    except HydraException:
        return None
    name = key.lstrip("+~").partition("@")[0]
    names = choice if isinstance(choice, list) else [choice]
    is_named = parsed.is_sweep_override() or all(isinstance(one, str) for one in names)
    if name not in group_names() or not equals or is_named:
        return None
    return f"{key}={value}: must be {', '.join(options(name))}"


# Patterns in Hydra's messages. These launchers are installed with an extra of the same name.
_NO_LAUNCHER = re.compile(r"Could not (?:find|load) 'hydra/launcher/((joblib|submitit|ray)(?:_\w+)?)'")
_NO_OPTION = re.compile(
    r"Could not find '([\w/.-]+)/([^/']+)'.*?Available options in '[^']*':(.*?)(?:Config search|$)", re.DOTALL
)
_NO_KEY = re.compile(r"Could not override '([\w./@-]+)'")
_NO_CONFIG = re.compile(r"Could not find '([\w./-]+)'")
_NO_SWEEP = re.compile(r"(?:Sweep parameters|Ambiguous value for argument) '(.*)'(?: requires|\n)")
_NO_GRAMMAR = re.compile(r"LexerNoViableAlt|mismatched input|extraneous input|no viable alternative|token recognition")
