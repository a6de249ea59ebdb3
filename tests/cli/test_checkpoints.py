"""The verbs of what a run leaves, on the command line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import metrics_of, run

Capture = pytest.CaptureFixture[str]


def test_evaluate_gives_again_what_the_run_said_from_any_folder(
    here: Path, best: str, finished_run: Path, capsys: Capture
) -> None:
    assert not list(here.iterdir())
    again = json.loads(run(capsys, "evaluate", best, "--json").out)
    reported = metrics_of(finished_run)
    assert {name: again[name] for name in again if name.startswith("test/")} == {
        name: reported[name] for name in reported if name.startswith("test/")
    }
    assert again["data_source"] == reported["data_source"]


def test_evaluate_takes_another_source_and_part(best: str, small_files: dict[str, Path], capsys: Capture) -> None:
    result = json.loads(run(capsys, "evaluate", best, "--source", "sample", "--split", "train", "--json").out)
    assert (result["reviews"], result["split"]) == (25_000, "train")
    other = json.loads(run(capsys, "evaluate", best, "--source", str(small_files["train"]), "--json").out)
    assert other["reviews"] == 600


def test_evaluate_for_people_is_a_table(best: str, capsys: Capture) -> None:
    out = run(capsys, "evaluate", best).out
    assert "200 reviews" in out
    assert "accuracy" in out


def test_predict_answers_a_line_a_review(best: str, capsys: Capture) -> None:
    result = run(capsys, "predict", best, "a great film, 'quoted' = so", "", "the worst")
    assert result.status == 0
    assert [line.split("\t")[0] in {"pos", "neg"} for line in result.out.splitlines()] == [True] * 3


def test_predict_shows_the_first_reviews_of_a_source_with_the_truth(best: str, capsys: Capture) -> None:
    shown = [json.loads(line) for line in run(capsys, "predict", best, "--first", "3", "--json").out.splitlines()]
    assert [set(one) for one in shown] == [{"row", "truth", "label", "probability", "text"}] * 3
    texts = [one["text"] for one in shown]
    again = [json.loads(line) for line in run(capsys, "predict", best, *texts, "--json").out.splitlines()]
    assert [one["probability"] for one in again] == pytest.approx([one["probability"] for one in shown], abs=1e-6)
    out = run(capsys, "predict", best, "--first", "2", "--split", "train").out
    assert "2 of 600 reviews" in out
    assert run(capsys, "predict", best, "--first", "0").err.startswith("error: Invalid value for '--first'")
    assert run(capsys, "predict", best, "--first", "2", "--split", "x").err.startswith("error: --split x: must be")
    assert run(capsys, "predict", best, "--first", "2", "text").err.startswith("error: --first: is about")
    assert run(capsys, "predict", best, "--split", "train", "text").err.startswith("error: --source, --split:")


def test_predict_reads_standard_input_and_files(
    best: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO("great\n\nawful Ünïcode\r\n".encode()), encoding="utf-8")
    )
    piped = run(capsys, "predict", best, "--json").out
    (tmp_path / "reviews.txt").write_bytes("great\n\nawful Ünïcode\r\n".encode())
    filed = run(capsys, "predict", best, "--file", str(tmp_path / "reviews.txt"), "--json").out
    assert piped == filed
    assert [json.loads(line)["text"] for line in piped.splitlines()] == ["great", "", "awful Ünïcode"]
    assert set(json.loads(piped.splitlines()[0])) == {"label", "probability", "known_words", "text"}


def test_predict_answers_each_line_of_a_slow_pipe_before_the_next(
    best: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def slowly(_file: Path | None) -> Iterator[list[str]]:
        for text in ("great", "awful"):
            yield [text]
            seen.append(capsys.readouterr().out)

    monkeypatch.setattr("imdbclf.inference.lines.read_texts", slowly)
    assert run(capsys, "predict", best).status == 0
    assert [line.split("\t")[-1] for line in seen] == ["great\n", "awful\n"]


def test_predict_names_the_line_that_is_not_utf8(best: str, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "latin.txt").write_bytes(b"good\nb\xe9d\n")
    result = run(capsys, "predict", best, "--file", str(tmp_path / "latin.txt"))
    assert result.status == 2
    assert "line 2 is not UTF-8 (byte 0xe9)" in result.err


MISTAKES = {
    (
        "evaluate",
        "{best}",
        "--set",
        "data.encodin=x",
    ): "data.encodin=x: there is no such key; did you mean",
    (
        "evaluate",
        "{best}",
        "--set",
        "data.header",
    ): "--set data.header: must be KEY=VALUE, such as",
    ("predict", "{best}", "x", "--set", "data.header=false"): "--text-column, --set: are for a --file with columns",
    ("evaluate", "{best}", "--source", ""): "data.source=: must be a text that is not empty",
    ("predict", "nowhere.ckpt", "x"): "nowhere.ckpt: there is no such checkpoint file",
    ("predict", "{best}", "x", "--file", "y"): "--file: cannot be combined with texts; give one of them",
    ("predict", "{best}", "--file", "nowhere.txt"): "nowhere.txt: cannot be read",
    ("evaluate", "{best}", "--split", "dev"): "--split dev: must be train or test or validation",
    ("evaluate", "{best}", "--source", "nowhere"): "data.source=nowhere: no such folder",
    ("data", "nowhere"): "data.source=nowhere: no such folder",
    ("data", "sample", "--review", "99999"): "--review 99999: must be below the 25,000 reviews of part train",
    ("prdict",): "No such command 'prdict'",
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.items())
def test_a_mistake_is_said_in_one_line(best: str, capsys: Capture, arguments: tuple[str, ...], message: str) -> None:
    result = run(capsys, *(argument.format(best=best) for argument in arguments))
    assert result.status == 2
    assert message in result.err
    assert result.err.count("\n") == 1


def test_json_stays_json_where_the_output_is_ascii(best: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    text, shown = "grand – 😀 \x1b\x9b", io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii", write_through=True))
    assert run(capsys, "predict", best, "--json", text).status == 0
    assert json.loads(shown.getvalue())["text"] == text
