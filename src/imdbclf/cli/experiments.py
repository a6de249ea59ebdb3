"""Verbs of experiments: what is learnt from, the network, runs and sweeps. Modules are imported when called."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from imdbclf.cli import options
from imdbclf.cli.app import app, echo, echo_json
from imdbclf.startup import fast_imports
from imdbclf.storage import json_text


@app.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    help="Train and test a network. `imdbclf train --help` lists all settings.",
)
def train(overrides: options.Overrides = None) -> None:
    """Pass all arguments to Hydra."""
    if any(one == "-h" or (len(one) > 3 and "--help".startswith(one)) for one in overrides or []):  # noqa: PLR2004 - --h
        from imdbclf.training.settings_guide import train_help  # noqa: PLC0415 - Hydra's own help is slow, and a dump

        echo(train_help() + "\n")
        return
    with fast_imports():
        from imdbclf.training.app import train as run  # noqa: PLC0415

    run(overrides or [])


@app.command()
def data(
    source: options.Source = "auto",
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    reading: options.Reading = None,
    review: Annotated[int, typer.Option(help="Number of the training review to vectorize, from 0.", min=0)] = 0,
    picture: Annotated[Path | None, typer.Option(help="Draw labels and lengths into this PNG file.")] = None,
) -> None:
    """Describe the reviews.

    Prints counts, lengths, duplicates, the most frequent words, and how one review becomes a multi-hot row.
    """
    with fast_imports():
        from imdbclf.reports.data_overview import print_overview  # noqa: PLC0415

    options.check_target("--picture", picture, force=False)
    with options.settings_as_options():
        settings, _ = options.source_settings(
            reading, source=source, text_column=text_column, label_column=label_column
        )
        print_overview(settings, review, picture)


@app.command()
def model(overrides: options.Overrides = None) -> None:
    """Show the network that `imdbclf train` would fit.

    Prints its layers with shapes and parameters, its loss, optimizer and metric.
    """
    with fast_imports():
        from imdbclf.training.announcement import print_network  # noqa: PLC0415

    print_network(overrides or [])


@app.command("sweep-report")
def sweep_report(
    folder: Annotated[Path, typer.Argument(help="The folder of a sweep (it contains sweep.json).", metavar="FOLDER")],
) -> None:
    """Write the report of a sweep.

    It names the best configuration, compares the others with it, and estimates the effect of each choice.
    """
    with fast_imports():
        from imdbclf.folders.sweep import SweepFolder  # noqa: PLC0415
        from imdbclf.reports.sweep.report import print_sweep, write_sweep_report  # noqa: PLC0415

    print_sweep(write_sweep_report(SweepFolder(folder)))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, two or more.", metavar="RUN")],
    reviews: Annotated[int, typer.Option(help="Number of most different reviews to show.", min=0)] = 10,
    as_json: options.AsJson = False,
) -> None:
    """Compare runs on the same test reviews.

    Each later run is compared with the first one.
    """
    with fast_imports():
        from imdbclf.reports.compare import compare_runs, print_comparison  # noqa: PLC0415

    comparison = compare_runs(runs, reviews)
    if as_json:
        echo_json(json_text(asdict(comparison)) + "\n")
    else:
        print_comparison(comparison)
