"""The command `imdbclf`: one function a verb; what a verb needs is imported when it is called."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from imdbclf import __version__
from imdbclf.errors import UserError, is_full_disk, one_line
from imdbclf.startup import fast_imports

DEBUG_VARIABLE = "HYDRA_FULL_ERROR"
"""The variable by which Hydra's users ask for tracebacks; `--debug` sets it."""

_USAGE_ERROR = typer.BadParameter.__mro__[1]
"""What Click raises for a command line it can't read; Typer has a Click of its own, and does not name this class."""

app = typer.Typer(
    name="imdbclf",
    help="Classifying movie reviews: the lecture's multi-hot network.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Source = Annotated[str, typer.Argument(help="A folder (Hub layout or aclImdb), a Hub id, a file, 'sample', or 'auto'.")]
CheckpointFile = Annotated[Path, typer.Argument(help="A checkpoint that a run wrote.", metavar="CKPT")]
TextColumn = Annotated[str, typer.Option(help="The column of the texts.")]
LabelColumn = Annotated[str, typer.Option(help="The column of the labels.")]
Texts = Annotated[list[str] | None, typer.Argument(help="Reviews; without any, standard input.", metavar="[TEXT]…")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of words.")]


@app.callback(invoke_without_command=True)
def _common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    help="Fit, validate, test and predict; takes Hydra's overrides (`imdbclf train --help`).",
)
def train(context: typer.Context) -> None:
    """Hand everything that follows to Hydra."""
    with fast_imports():
        from imdbclf.training.app import train as run  # noqa: PLC0415

    run(context.args)


@app.command()
def data(
    source: Source = "auto",
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    review: Annotated[int, typer.Option(help="Which training review to show decoded, from 0.", min=0)] = 0,
) -> None:
    """Show what reviews there are: counts, balance, lengths, duplicates, vocabulary, a review decoded."""
    with fast_imports():
        from imdbclf.reports.data_overview import print_overview  # noqa: PLC0415
        from imdbclf.settings import Settings  # noqa: PLC0415

    settings = Settings.from_config(
        {
            "experiment": "data",
            "data": {"source": source, "text_column": text_column, "label_column": label_column},
        }
    ).data
    print_overview(settings, review)


@app.command()
def evaluate(
    checkpoint: CheckpointFile,
    source: Annotated[str | None, typer.Option(help="Where the reviews are; default: where the run had them.")] = None,
    split: Annotated[str, typer.Option(help="Which part: test or train.")] = "test",
    text_column: Annotated[str | None, typer.Option(help="The column of the texts.")] = None,
    label_column: Annotated[str | None, typer.Option(help="The column of the labels.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw here how often the probabilities come true (PNG).")] = None,
    as_json: AsJson = False,
) -> None:
    """Give the figures of a checkpoint on labelled reviews."""
    with fast_imports():
        from imdbclf.inference.evaluate import evaluate_checkpoint  # noqa: PLC0415

    result = evaluate_checkpoint(checkpoint, source, split, text_column, label_column, picture)
    if as_json:
        typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
        return
    from imdbclf.console import console  # noqa: PLC0415
    from imdbclf.reports.run_summary import metrics_table  # noqa: PLC0415

    console().print(metrics_table(result, f"{result['reviews']:,} reviews: {result['data_source']}, part {split}"))


@app.command()
def predict(
    checkpoint: CheckpointFile,
    texts: Texts = None,
    file: Annotated[Path | None, typer.Option(help="A text file with one review a line.")] = None,
    as_json: AsJson = False,
) -> None:
    """Classify reviews, one result a line: label, probability of being positive, known words, text."""
    with fast_imports():
        from imdbclf.inference.predictor import Predictor  # noqa: PLC0415

    predictor = Predictor.from_checkpoint(checkpoint)
    for text in _texts(texts, file):
        (prediction,) = predictor.predict([text])
        if as_json:
            about = {
                "label": prediction.label,
                "probability": prediction.probability,
                "known_words": prediction.known_words,
                "text": text,
            }
            typer.echo(json.dumps(about, ensure_ascii=False))
        else:
            typer.echo(
                f"{prediction.label}\t{prediction.probability:.4f}\t{prediction.known_words} known words\t"
                f"{one_line(text)[:60]}"
            )


@app.command("sweep-report")
def sweep_report(
    folder: Annotated[Path, typer.Argument(help="The folder of a sweep, with its sweep.json.", metavar="FOLDER")],
) -> None:
    """Write the report of a sweep anew: what was best, what can't be told from it, what each choice changes."""
    with fast_imports():
        from imdbclf.console import spoken  # noqa: PLC0415
        from imdbclf.folders.sweep import SweepFolder  # noqa: PLC0415
        from imdbclf.reports.sweep.console import print_sweep  # noqa: PLC0415
        from imdbclf.reports.sweep.page import write_sweep_report  # noqa: PLC0415

    report = write_sweep_report(SweepFolder(folder))
    with spoken():
        print_sweep(report)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of two or more runs.", metavar="RUN_A RUN_B [RUN…]")],
    reviews: Annotated[int, typer.Option(help="How many of the reviews that divide them most to show.", min=0)] = 10,
    as_json: AsJson = False,
) -> None:
    """Compare runs on the same test reviews: each later one with the first."""
    with fast_imports():
        from imdbclf.reports.compare.comparison import compare_runs  # noqa: PLC0415

    comparison = compare_runs(runs, reviews)
    if as_json:
        typer.echo(json.dumps(comparison.as_json(), indent=2, ensure_ascii=False))
        return
    from imdbclf.reports.compare.console import print_comparison  # noqa: PLC0415

    print_comparison(comparison)


def _texts(texts: Sequence[str] | None, file: Path | None) -> Iterator[str]:
    """The reviews to classify: the arguments, else the lines of the file, else those of standard input."""
    if texts and file is not None:
        msg = "give texts or --file, not both"
        raise UserError(msg)
    if texts:
        yield from texts
        return
    if file is None and sys.stdin.isatty():
        typer.echo("One review a line; end with Ctrl-D.", err=True)
    name = "standard input" if file is None else str(file)
    try:
        with sys.stdin.buffer if file is None else file.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                try:
                    yield line.decode("utf-8").rstrip("\r\n")
                except UnicodeDecodeError as error:
                    msg = f"{name}: line {number} is not UTF-8 (byte 0x{line[error.start]:02x})"
                    raise UserError(msg) from error
    except OSError as error:
        msg = f"{name}: cannot be read ({error.strerror})"
        raise UserError(msg) from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 if all went well, 1 for an error in the program, 2 for one that a person can mend."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    with _reported():
        # Where Typer stands alone it prints errors in boxes; here they are lines.
        status = app(arguments, standalone_mode=False)
    sys.exit(status if isinstance(status, int) else 0)


@contextmanager
def _reported() -> Iterator[None]:
    """Errors as one line on standard error, unless a traceback was asked for."""
    try:
        yield
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", 130)
    except BrokenPipeError:
        # Whoever read our output has gone; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            raise
        _fail(*_explained(error))


def _explained(error: Exception) -> tuple[str, int]:
    """What to say of an error, and the exit status."""
    if isinstance(error, UserError):
        return str(error), 2
    if isinstance(error, _USAGE_ERROR):
        return one_line(error.format_message()), 2  # type: ignore[attr-defined]
    if is_full_disk(error):
        return "no space left on the disk; make room and run it again", 2
    if isinstance(error, PermissionError):
        return f"{error.filename}: no permission to write or read there", 2
    return f"{type(error).__name__}: {one_line(error)} (--debug shows where)", 1


def _fail(message: str, status: int) -> None:
    typer.echo(f"error: {one_line(message)}", err=True)
    sys.exit(status)
