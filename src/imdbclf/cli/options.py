"""Arguments and options that several verbs have, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imdbclf.config_files import completions
from imdbclf.errors import UserError, one_line
from imdbclf.startup import fast_imports

if TYPE_CHECKING:
    import pyarrow as pa

    from imdbclf.inference.predictor import Predictor
    from imdbclf.settings import DataSettings

_ADVICE = re.compile(r"[^=] data\.(encoding|delimiter|quote|escape|header|labels|positive|\w+_column)\b")
"""A message that names a setting with which the reviews can be read."""


def _complete(context: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    # Typer folds a longer meaning, and zsh would show the pieces as lines.
    return ((text, meaning[:76]) for text, meaning in completions(context.params.get("overrides") or [], incomplete))


Overrides = Annotated[
    list[str] | None,
    typer.Argument(help="Such as model.hidden=32 loss=mse.", metavar="KEY=VALUE", autocompletion=_complete),
]
Source = Annotated[str, typer.Argument(help="A folder (Hub layout or aclImdb), a Hub id, a file, 'sample' or 'auto'.")]
CheckpointFile = Annotated[Path, typer.Argument(help="A checkpoint, its run folder, or its --to hub.", metavar="CKPT")]
TextColumn = Annotated[str | None, typer.Option(help="Name of the text column.")]
LabelColumn = Annotated[str | None, typer.Option(help="Name of the label column.")]
Reading = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting of the reviews, such as data.encoding=cp1252.", metavar="KEY=VALUE"),
]
Texts = Annotated[list[str] | None, typer.Argument(help="Reviews; default: standard input.", metavar="TEXT")]
ReportFile = Annotated[
    Path | None, typer.Option("--report", help="Write a page to this .html file, and .json and .csv beside it.")
]
By = Annotated[str | None, typer.Option(help="For --report: a column of texts, by which accuracy is shown.")]
FalseNegativeCost = Annotated[
    float, typer.Option(help="Cost of a positive review called negative; the other error costs 1.")
]
RunSource = Annotated[
    str | None, typer.Option("--source", help="Where the reviews are; default: the source of the run.")
]
Split = Annotated[str, typer.Option(help="Part of the reviews: test, train, validation, or a split of a folder.")]
Picture = Annotated[Path | None, typer.Option("--picture", help="Write a reliability diagram to this PNG file.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an earlier file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def checkpoint_file(path: Path) -> Path:
    """The file itself; of a run folder, its best checkpoint."""
    from imdbclf.folders.run import checkpoint_in  # noqa: PLC0415
    from imdbclf.inference.pretrained import is_pretrained  # noqa: PLC0415

    if is_pretrained(path):
        raise UserError(f"{path}: is an export; this needs the checkpoint of a run, or the run's folder")
    return checkpoint_in(path)


def predictor_of(path: Path) -> Predictor:
    """The predictor of a checkpoint, of a run folder or of a folder that was exported for the Hub."""
    # Torch is imported only when a checkpoint is read.
    with fast_imports():
        from imdbclf.inference.predictor import Predictor  # noqa: PLC0415

        return Predictor.load(path)


def table_of_file(
    file: Path | None, reading: list[str] | None, text_column: str | None
) -> tuple[pa.Table | None, list[str] | None]:
    """A file with columns and its texts; None for both if there is none."""
    from imdbclf.inference.lines import is_table  # noqa: PLC0415

    if file is not None and is_table(file):
        from imdbclf.inference.tables import read_table  # noqa: PLC0415

        with settings_as_options():
            return read_table(file, source_settings(reading, text_column=text_column)[0])
    if text_column or reading:
        raise UserError("--text-column, --set: are for a --file with columns, such as a .csv")
    return None, None


def source_settings(reading: list[str] | None, **options: str | None) -> tuple[DataSettings, dict[str, Any]]:
    """The settings of the reviews, checked; and alone those that options or `--set` give."""
    from imdbclf.settings import Settings  # noqa: PLC0415

    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    if reading:
        from hydra.core.override_parser.overrides_parser import OverridesParser  # noqa: PLC0415 - slow to import
        from hydra.errors import OverrideParseException  # noqa: PLC0415

        try:
            parsed = OverridesParser.create().parse_overrides(reading)
        except OverrideParseException as error:
            msg = f"--set {one_line(error.override)}: must be KEY=VALUE, such as data.delimiter=semicolon"
            raise UserError(msg) from error
        given |= {one.key_or_group.removeprefix("data."): one.value() for one in parsed}
    settings = Settings.from_config({"experiment": "data", "data": given}).data
    return settings, {key: getattr(settings, key) for key in given}


@contextmanager
def settings_as_options() -> Iterator[None]:
    """Say of a message that advises a setting how this verb takes it."""
    try:
        yield
    except UserError as error:
        if _ADVICE.search(str(error)):
            raise UserError(f"{error} (here: --set KEY=VALUE)") from error
        raise


def check_target(option: str, path: Path | None, *, force: bool, begins: bytes = b"") -> None:
    """Refuse a file that cannot be written, or that exists, before any work.

    `force` replaces a file that has `begins` near its beginning, and no other.
    """
    if path is not None and (not path.parent.is_dir() or path.is_dir()):
        raise UserError(f"{option} {path}: must be a file in a folder that exists")
    if path is not None and path.exists() and not force:
        raise UserError(f"{option} {path}: exists; give --force to replace it, or another name")
    if path is not None and path.exists() and begins not in path.read_bytes()[:400]:
        raise UserError(f"{option} {path}: is no earlier report, so it is not replaced; give another name")


_REPORT = {".html": b"<title>Evaluation: ", ".json": b'{\n  "checkpoint": ', ".csv": b"review,label,probability,"}
"""The files of a report, and what is near the beginning of each."""


def check_report(page: Path | None, false_negative_cost: float, by: str | None, *, force: bool) -> None:
    """Refuse a wrong cost, and a page that cannot be written; `force` replaces an earlier report and nothing else."""
    if not 0 < false_negative_cost < float("inf"):
        raise UserError(f"--false-negative-cost {false_negative_cost:g}: must be a number above 0, such as 5")
    if page is None and (by is not None or false_negative_cost != 1):
        raise UserError("--by, --false-negative-cost: are for a report; give --report FILE.html with them")
    if page is not None and page.suffix != ".html":
        raise UserError(f"--report {page}: must end in .html")
    for path, begins in [(page.with_suffix(suffix), begins) for suffix, begins in _REPORT.items()] if page else []:
        check_target("--report", path, force=force, begins=begins)
