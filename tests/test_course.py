"""The course: each page has what a page needs, and the output that it shows is the output of its commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[1] / "docs" / "lecture").glob("[1-9]-*.md"))
_BLOCK = re.compile(r"^```(bash|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_HERE = ("imdbclf serve", "sweep=", "for name", "--source sentences", "--set", "done")
"""Commands that do not end, take minutes, or need files that are not ours."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_a_command_its_output_a_picture_a_task_and_a_question_with_its_answer(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for part in (
        "**What.**",
        "**Why.**",
        "```bash",
        "```text",
        "\n![",
        "\n## Try this\n",
        "\n## Question\n",
        "<details>",
    ):
        assert part in text
    assert len(text.splitlines()) <= 100
    following = PAGES[(PAGES.index(page) + 1) % len(PAGES)].name if page != PAGES[-1] else "index.md"
    assert f"({following})" in text.splitlines()[-1]


@pytest.mark.slow
def test_the_pages_show_what_their_commands_print(real_imdb: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "IMDBCLF_DATA": str(real_imdb), "COLUMNS": "100"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    wrong = []
    for page in PAGES:
        printed = ""
        for kind, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if kind == "bash":
                commands = [line for line in block.splitlines() if not any(part in line for part in NOT_HERE)]
                printed = "".join(_printed(command, tmp_path, environment) for command in commands)
                printed = " ".join(printed.replace(str(real_imdb), "/data/imdb").split())
            elif printed:
                shown = [" ".join(line.removesuffix("…").split()) for line in block.splitlines()]
                wrong += [f"{page.name}: {line}" for line in shown if line not in printed]
    assert not wrong


def _printed(command: str, folder: Path, environment: dict[str, str]) -> str:
    shell = ["bash", "-c", command]
    return subprocess.run(shell, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout
