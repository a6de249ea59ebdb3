"""Options that several verbs have."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import run

Capture = pytest.CaptureFixture[str]


OTHERWISE_WRITTEN = {
    "encoding": ("text,label\ncafé good,1\ncafé bad,0\n", "cp1252", ["data.encoding=cp1252"]),
    "header": (
        "a good one,1\na bad one,0\na fine one,1\na poor one,0\n",
        "utf-8",
        ["header=false", "data.text_column=1", "label_column=2"],
    ),
    "labels": ("text,label\ngood,5\nbad,1\nso,3\n", "utf-8", ["data.labels={1:neg,5:pos}"]),
}


@pytest.mark.parametrize("case", OTHERWISE_WRITTEN)
@pytest.mark.parametrize("verb", ["data", "evaluate", "predict"])
def test_each_verb_takes_the_settings_that_its_message_names(
    best: str, tmp_path: Path, capsys: Capture, case: str, verb: str
) -> None:
    text, encoding, settings = OTHERWISE_WRITTEN[case]
    (file := tmp_path / "reviews.csv").write_text(text, encoding=encoding)
    commands = {"data": ["data"], "evaluate": ["evaluate", best, "--source"], "predict": ["predict", best, "--file"]}
    command = [*commands[verb], str(file)]
    if verb != "predict":
        refused = run(capsys, *command)
        assert (refused.status, refused.err.count("\n")) == (2, 1)
        assert f"data.{case}" in refused.err
        assert refused.err.endswith(" (here: --set KEY=VALUE)\n")
    options = [part for setting in settings for part in ("--set", setting)]
    answered = run(capsys, *command, *options)
    assert answered.status == 0, answered.err
