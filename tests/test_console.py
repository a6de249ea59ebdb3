"""What users read and copy: commands for their shell, and how this program and its extras are named."""

from __future__ import annotations

import logging
import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from imdbclf.console import TerminalHandler, command_line, install_command, program, tell, text_table

WORDS = st.lists(st.text(min_size=1) | st.text("\\\"' a&,[]|\t", min_size=1), min_size=1)


def words_on_windows(line: str) -> list[str]:
    """What a program on Windows finds in its command line: the rules of Microsoft's C library."""
    words: list[str] = []
    word, in_quotes, at = "", False, 0
    while at < len(line):
        backslashes = len(line[at:]) - len(line[at:].lstrip("\\"))
        at += backslashes
        quote = line[at : at + 1] == '"'
        word += "\\" * (backslashes // 2 if quote else backslashes)
        if quote and backslashes % 2:
            word += '"'
        elif quote and in_quotes and line[at + 1 : at + 2] == '"':
            word, at = word + '"', at + 1
        elif quote:
            in_quotes = not in_quotes
        elif line[at : at + 1] == " " and not in_quotes:
            words, word = [*words, word], ""
        else:
            word += line[at : at + 1]
        at += 1
    return [*words, word]


@given(WORDS)
def test_a_printed_command_is_split_into_the_same_words_again(words: list[str]) -> None:
    assert shlex.split(command_line(words, windows=False)) == words
    assert words_on_windows(command_line(words, windows=True)) == words


@given(WORDS)
def test_cmd_and_powershell_find_their_own_characters_inside_quotes_only(words: list[str]) -> None:
    outside = command_line(words, windows=True).split('"')[::2]
    assert not set("&|<>^();,'`[]{}*?~#\t\n") & set("".join(outside))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["imdbclf", "train", "model.hidden=32"], "imdbclf train model.hidden=32"),
        (
            [r".venv\Scripts\imdbclf.EXE", "--resume", r"C:\my runs\a"],
            r'.venv\Scripts\imdbclf.EXE --resume "C:\my runs\a"',
        ),
        (["model.hidden=[64,32]", r"C:\my runs" + "\\"], r'"model.hidden=[64,32]" "C:\my runs\\"'),
        (['data.train="a b"'], '"data.train=""a b"""'),
    ],
)
def test_commands_for_windows_have_double_quotes_only_where_they_need_them(words: list[str], line: str) -> None:
    assert command_line(words, windows=True) == line


def test_the_program_is_named_by_its_path_unless_the_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "bin" / "imdbclf"
    own.parent.mkdir()
    own.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(own.with_name("python")))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert program() == "bin/imdbclf"
    monkeypatch.setenv("PATH", str(own.parent))
    assert program() == "imdbclf"


def test_an_extra_is_installed_by_the_names_of_its_libraries_because_no_index_has_this_package() -> None:
    *pip, launcher, ray = shlex.split(install_command("ray"))
    assert pip[1:] == ["-m", "pip", "install"]
    assert Path(pip[0]).samefile(sys.executable)
    assert launcher.startswith("hydra-ray-launcher>=")
    assert ray.startswith("ray>=")
    assert shlex.split(install_command("unheard of"))[-1] == ".[unheard of]"


HOSTILE = "[/foo] [red]x[/red] :smile: \x1b[2J\\"
SHOWN = "[/foo] [red]x[/red] :smile: \\u001b[2J\\"


def test_markup_and_control_characters_of_a_table_are_shown() -> None:
    console = Console(width=200, record=True, force_terminal=True)
    console.print(text_table([HOSTILE], [[HOSTILE]], title=HOSTILE, caption=HOSTILE))
    assert console.export_text().count(SHOWN) == 4


def test_markup_and_control_characters_of_a_line_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalHandler().emit(logging.makeLogRecord({"msg": HOSTILE, "levelno": logging.INFO}))
    tell(HOSTILE)
    assert capsys.readouterr().out == f"{SHOWN}\n" * 2
