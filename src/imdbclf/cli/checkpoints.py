"""Verbs of what a run leaves: evaluate, predict, explain, check, export, serve. Modules are imported when called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imdbclf.cli import options
from imdbclf.cli.app import app, echo, echo_json
from imdbclf.errors import UserError, listed, visible
from imdbclf.startup import fast_imports
from imdbclf.storage import json_text, write_text

if TYPE_CHECKING:
    import pyarrow as pa

    from imdbclf.inference.predictor import Predictor


@app.command()
def evaluate(
    checkpoint: options.CheckpointFile,
    source: options.RunSource = None,
    split: options.Split = "test",
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    reading: options.Reading = None,
    plot: options.Picture = None,
    report: options.ReportFile = None,
    false_negative_cost: options.FalseNegativeCost = 1.0,
    by: options.By = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
) -> None:
    """Measure a checkpoint on labelled reviews.

    Prints accuracy, loss, area under the ROC curve, F1 score and calibration error.
    """
    with fast_imports():
        from imdbclf.inference.evaluate import draw_part, evaluate_part  # noqa: PLC0415

    options.check_target("--picture", plot, force=force)
    options.check_report(report, false_negative_cost, by, force=force)
    with options.settings_as_options():
        _, chosen = options.source_settings(reading, source=source, text_column=text_column, label_column=label_column)
        part = evaluate_part(options.checkpoint_file(checkpoint), chosen, split)
    if plot is not None:
        draw_part(part, plot)
    if report is not None:
        from imdbclf.inference.report import write_evaluation_report  # noqa: PLC0415 - Matplotlib is slow to import

        write_evaluation_report(part, report, false_negative_cost, by)
    if as_json:
        echo_json(json_text(part.result) + "\n")
        return
    from imdbclf.reports.run_summary import print_evaluation  # noqa: PLC0415

    print_evaluation(part.result)
    if report is not None:
        echo(f"Report:   {report}, with .json and .csv beside it\n")


@app.command()
def predict(
    checkpoint: options.CheckpointFile,
    texts: options.Texts = None,
    file: Annotated[Path | None, typer.Option(help="One review per line, or CSV, TSV, JSON, Parquet.")] = None,
    text_column: options.TextColumn = None,
    reading: options.Reading = None,
    output: Annotated[
        Path | None, typer.Option(help="Write columns and predictions: .csv, .jsonl or .parquet.")
    ] = None,
    source: options.RunSource = None,
    split: options.Split = "test",
    first: Annotated[
        int | None, typer.Option(help="Of no text: the first N labelled reviews of --source, with the truth.", min=1)
    ] = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
) -> None:
    """Classify reviews.

    Prints one line per review: label, probability of being positive, number of known words, text.
    """
    _check_prediction(texts, file, output, first, of_source=source is not None or split != "test")
    options.check_target("--output", output, force=force)
    if first is not None:
        _predict_first(options.checkpoint_file(checkpoint), source, split, first, as_json=as_json)
        return
    table, rows = options.table_of_file(file, reading, text_column)
    predictor = options.predictor_of(checkpoint)
    with fast_imports():
        from imdbclf.inference.lines import read_texts  # noqa: PLC0415

    texts = (texts or None) if rows is None else rows
    batches = [texts] if texts is not None else read_texts(file)
    if output is None:
        _predict_texts(predictor, batches, as_json=as_json)
    else:
        _write_predictions(output, predictor, table, [text for batch in batches for text in batch])


def _check_prediction(
    texts: list[str] | None, file: Path | None, output: Path | None, first: int | None, *, of_source: bool
) -> None:
    """Refuse arguments that do not go together."""
    if first is not None and (texts or file is not None or output is not None):
        raise UserError("--first: is about labelled reviews of a source; give no text, --file or --output with it")
    if first is None and of_source:
        raise UserError("--source, --split: are for --first N; texts are arguments, or lines of a --file")
    if texts and file is not None:
        raise UserError("--file: cannot be combined with texts; give one of them")
    if output is not None and output.suffix not in {".csv", ".jsonl", ".parquet"}:
        raise UserError(f"--output {output}: must end in .csv, .jsonl or .parquet")


def _predict_texts(predictor: Predictor, batches: Iterable[list[str]], *, as_json: bool) -> None:
    threshold = predictor.checkpoint.threshold
    for batch in batches:
        found = zip(predictor.predict(batch), batch, strict=True)
        lines = [one.as_json(text) if as_json else one.as_line(text, threshold) for one, text in found]
        (echo_json if as_json else echo)("".join(f"{line}\n" for line in lines))


def _predict_first(path: Path, source: str | None, split: str, first: int, *, as_json: bool) -> None:
    with fast_imports():
        from imdbclf.inference.evaluate import evaluate_part, first_of  # noqa: PLC0415
        from imdbclf.reports.run_summary import print_first  # noqa: PLC0415

    part = evaluate_part(path, options.source_settings(None, source=source)[1], split)
    reviews = first_of(part, first)
    if as_json:
        echo_json("".join(json_text(one, indent=None) + "\n" for one in reviews))
        return
    about = f"{len(reviews)} of {len(part.reviews):,} reviews: {part.loaded.source.description}, part {split}"
    print_first(reviews, part.checkpoint.label_names[1], about)


@app.command()
def explain(
    checkpoint: options.CheckpointFile,
    texts: options.Texts = None,
    top: Annotated[
        int | None,
        typer.Option(help="Of no text: the N strongest words and n-grams of each class, in --source.", min=1),
    ] = None,
    source: options.RunSource = None,
    split: options.Split = "test",
    html: Annotated[Path | None, typer.Option(help="Write a page instead.")] = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
) -> None:
    """Show what each word does to the probability.

    The effect of a word is the probability minus what it would be without the word, in percentage points.
    """
    options.check_target("--html", html, force=force, begins=b"<title>Explanation: ")
    if top is not None and texts:
        raise UserError("--top: is about the whole network; give no text with it")
    if top is None and source is not None:
        raise UserError("--source: is for --top; texts are arguments, or lines of standard input")
    if top is None:
        _explain_texts(checkpoint, texts, html, as_json=as_json)
    else:
        _explain_network(options.checkpoint_file(checkpoint), top, source, split, html, as_json=as_json)


def _explain_texts(path: Path, texts: list[str] | None, html: Path | None, *, as_json: bool) -> None:
    with fast_imports():
        from imdbclf.inference.lines import read_texts  # noqa: PLC0415
        from imdbclf.reports.explanation import explanation_page, print_explanation, sections_of  # noqa: PLC0415

    predictor = options.predictor_of(path)
    positive = str(predictor.classes_[1])
    found = (one for batch in ([texts] if texts else read_texts(None)) for one in predictor.explain(batch))
    if html is not None:
        sections = (section for one in found for section in sections_of(one, positive))
        _write_page(html, explanation_page(str(path), positive, sections))
        return
    for explanation in found:
        if as_json:
            echo_json(json_text(asdict(explanation), indent=None) + "\n")
        else:
            print_explanation(explanation, positive)


def _explain_network(path: Path, top: int, source: str | None, split: str, html: Path | None, *, as_json: bool) -> None:
    with fast_imports():
        from imdbclf.inference.evaluate import evaluate_part  # noqa: PLC0415
        from imdbclf.inference.explain import Explainer  # noqa: PLC0415
        from imdbclf.reports import explanation  # noqa: PLC0415

    part = evaluate_part(path, options.source_settings(None, source=source)[1], split)
    labels = part.checkpoint.label_names
    strongest = explanation.strongest_terms(Explainer(part.checkpoint).terms(part.matrix), labels, top)
    reviews = f"{len(part.reviews):,} reviews of {part.loaded.source.description}, part {split}"
    about = f"A mean is over those of {reviews}, that have the word or n-gram."
    if html is not None:
        sections = explanation.term_sections(strongest, about)
        _write_page(html, explanation.explanation_page(str(path), labels[1], sections))
    elif as_json:
        echo_json(json_text({label: [asdict(one) for one in terms] for label, terms in strongest.items()}) + "\n")
    else:
        explanation.print_terms(strongest, about)


def _write_page(path: Path, page: str) -> None:
    write_text(path, visible(page))
    echo(f"{path}: written\n")


@app.command()
def check(
    checkpoint: options.CheckpointFile,
    suite: Annotated[Path | None, typer.Argument(help="A suite of tests; default: the shipped one.")] = None,
    least: Annotated[
        float, typer.Option("--min", help="Status 1 if a test's pass rate is lower, such as .9.", min=0, max=1)
    ] = 0.0,
    failures: Annotated[int, typer.Option(help="Failed cases to show of each test.", min=0)] = 1,
    as_json: options.AsJson = False,
) -> None:
    """Test the behaviour of a checkpoint.

    The tests are about negation, names, places, numbers, typos, and added praise or blame.
    """
    with fast_imports():
        from imdbclf.inference.check import SUITE, read_suite  # noqa: PLC0415
        from imdbclf.inference.check import check as results_of  # noqa: PLC0415
        from imdbclf.reports.behaviour import below, print_behaviours  # noqa: PLC0415

    tests, predictor = read_suite(suite or SUITE), options.predictor_of(checkpoint)
    found = results_of(predictor, tests)
    low = below(found, least)
    if as_json:
        echo_json(json_text({"tests": [one.as_dict(failures) for one in found], "below_min": low}) + "\n")
    else:
        print_behaviours(found, failures, str(predictor.classes_[1]))
    if low:
        typer.echo(f"below the pass rate asked for: {listed(low)}", err=True)
        raise typer.Exit(1)


@app.command()
def export(
    checkpoint: options.CheckpointFile,
    target: Annotated[Path, typer.Argument(help="The file or folder to write.", metavar="TARGET")],
    to: Annotated[str, typer.Option(help="The format: hub (a folder), onnx, torch (.pt2) or web (a page).")] = "onnx",
    half: Annotated[
        bool | None, typer.Option("--half/--full", help="Weights of 16 or 32 bits; default: 16 for web, else 32.")
    ] = None,
    force: options.Force = False,
    push: Annotated[str | None, typer.Option(help="Upload the folder to this repository.", metavar="REPO")] = None,
) -> None:
    """Write a checkpoint for other programs.

    The result is compared with the checkpoint before it gets its name.
    """
    with fast_imports():
        from imdbclf.export.export import export_checkpoint  # noqa: PLC0415

    if push is not None and to != "hub":
        raise UserError("--push: is for --to hub")
    done = export_checkpoint(options.checkpoint_file(checkpoint), target, to, half=half, force=force)
    echo(
        f"{done.path}: {done.size / 1e6:.2f} MB; checked on {done.texts:,} texts: "
        f"all labels equal, probabilities to {done.difference:.1e}\n"
    )
    if push is not None:
        from imdbclf.export.hub import push as uploaded  # noqa: PLC0415

        echo(f"{uploaded(done.path, push)}\n")


@app.command()
def serve(
    checkpoint: options.CheckpointFile,
    host: Annotated[str, typer.Option(help="The address; 0.0.0.0 is every network of the machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=64)] = 1,
) -> None:
    """Answer over HTTP.

    POST /predict and /explain take {"texts": [...]}; / is a page, /openapi.json describes all.
    """
    with fast_imports():
        try:
            from imdbclf.serve.server import serve as run  # noqa: PLC0415
        except ModuleNotFoundError as error:
            from imdbclf.console import install_command  # noqa: PLC0415

            raise UserError(f"serve: needs {error.name}; install it with: {install_command('serve')}") from error

    run(checkpoint, host, port, workers)


def _write_predictions(path: Path, predictor: Predictor, table: pa.Table | None, texts: list[str]) -> None:
    from imdbclf.inference.tables import table_of, write_table  # noqa: PLC0415

    columns = table_of(texts) if table is None else table
    label, probability = write_table(path, columns, predictor.predict(texts))
    echo(f"{path}: {len(texts):,} rows with the columns {label} and {probability}\n")
