"""The page that classifies in the browser; Node runs its script."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from commands import run
from sweeps.helpers import wait_until

from export.test_onnx import KINDS, checkpoint
from imdbclf.checkpoint import Checkpoint, read_checkpoint
from imdbclf.errors import UserError
from imdbclf.export.texts import drawn_texts
from imdbclf.export.web import is_ours, probabilities, write
from imdbclf.inference.predictor import Predictor

Capture = pytest.CaptureFixture[str]

RUN = """
const fs = require("fs"), page = fs.readFileSync(process.argv[1], "utf8");
const script = page.match(/<script id="classifier">([^]*?)<\\/script>/)[1];
const [readModel, classify] = new Function(script + "; return [readModel, classify];")();
const texts = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
readModel(page.match(/id="model">([^<]*)</)[1]).then((model) => {
  const found = texts.map((text) => classify(model, text));
  console.log(JSON.stringify(found.map(({ probability, effects }) => [probability, [...effects]])));
});
"""


@pytest.fixture(params=[*((kind, False) for kind in KINDS), ("members", True)], ids=str)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Checkpoint, Path, float]:
    """A checkpoint, its page, and what 16 bits cost at most: these weights are far larger than those of a real one."""
    kind, half = request.param
    write(KINDS[kind], tmp_path / "page.html", half=half)
    return KINDS[kind], tmp_path / "page.html", 2e-3 if half else 1e-6


def test_the_numbers_in_the_page_give_the_probabilities(written: tuple[Checkpoint, Path, float]) -> None:
    made, path, exact = written
    texts = drawn_texts(made.vectorizer.vocabulary)[:100]
    assert probabilities(path, texts) == pytest.approx(Predictor(made).probabilities(texts), abs=exact)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_script_says_what_the_numbers_say_and_explains_it(written: tuple[Checkpoint, Path, float]) -> None:
    made, path, exact = written
    texts = drawn_texts(made.vectorizer.vocabulary)[:100]
    given = path.with_name("texts.json")
    given.write_text(json.dumps(texts), encoding="utf-8")
    command = ["node", "-e", RUN, str(path), str(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8")
    found = json.loads(done.stdout)
    assert [probability for probability, _ in found] == pytest.approx(probabilities(path, texts).tolist(), abs=1e-6)
    for (_, effects), explained in zip(found, Predictor(made).explain(texts), strict=True):
        expected = {one.word: one.effect for one in explained.words}
        assert dict(effects) == pytest.approx(expected, abs=2 * exact)


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

SHOWN = 'document.getElementById("answer")?.textContent'

TYPED = """(text => { const review = document.getElementById("review"); review.value = text;
review.dispatchEvent(new Event("input")); return document.getElementById("answer").textContent; })"""

CLICKED = """(word => { [...document.querySelectorAll("#words button")].find(one => one.textContent === word).click();
return document.getElementById("answer").textContent; })"""


async def in_browser(page: Path, profile: Path, calls: Sequence[tuple[str, str]]) -> list[str | None]:
    """What functions of JavaScript return in the page, one after the other, in Chromium."""
    options = ["--headless", "--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    browser = await asyncio.create_subprocess_exec(str(CHROMIUM), *options, page.as_uri(), stderr=subprocess.DEVNULL)
    try:
        wait_until((profile / "DevToolsActivePort").exists)
        port = (profile / "DevToolsActivePort").read_text().splitlines()[0]
        async with aiohttp.ClientSession() as session:
            targets = await (await session.get(f"http://127.0.0.1:{port}/json/list")).json()
            address = next(target["webSocketDebuggerUrl"] for target in targets if target["url"] == page.as_uri())
            async with session.ws_connect(address) as socket:
                while not await answer_of(socket, SHOWN):
                    await asyncio.sleep(0.05)
                return [await answer_of(socket, f"{function}({json.dumps(word)})") for function, word in calls]
    finally:
        browser.terminate()
        await browser.wait()


async def answer_of(socket: aiohttp.ClientWebSocketResponse, script: str) -> str | None:
    """The value of an expression of JavaScript; None if it fails."""
    await socket.send_json({"id": 1, "method": "Runtime.evaluate", "params": {"expression": script}})
    value: str | None = (await socket.receive_json())["result"]["result"].get("value")
    return value


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_shows_the_probability_of_what_is_typed_and_of_what_is_left_when_a_word_is_clicked(
    tmp_path: Path, finished_run: Path
) -> None:
    made, text = read_checkpoint(finished_run / "checkpoints/best.ckpt"), "a great film, but the worst ending"
    made = replace(made, threshold=Predictor(made).predict([""])[0].probability - 1e-3)
    write(made, tmp_path / "page.html", half=False)
    (explained,) = Predictor(made).explain([text])
    strongest = explained.words[0]
    assert abs(strongest.effect) > 0.01
    calls = [(TYPED, text), (CLICKED, strongest.word), (CLICKED, strongest.word), (TYPED, "")]
    shown = asyncio.run(in_browser(tmp_path / "page.html", tmp_path / "profile", calls))
    without = explained.probability - strongest.effect
    (nothing,) = Predictor(made).predict([""])
    expected = [explained.probability, without, explained.probability, nothing.probability]
    assert shown == [f"{made.label_names[p > made.threshold]} (probability of pos: {100 * p:.1f} %)" for p in expected]


def test_the_page_loads_nothing_and_shows_labels_as_text(tmp_path: Path, finished_run: Path) -> None:
    best = read_checkpoint(finished_run / "checkpoints/best.ckpt")
    odd = Checkpoint(best.network, best.vectorizer, best.loss, ("<b>", "</script>"))
    write(odd, tmp_path / "page.html", half=True)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<b>" not in page
    assert page.count("</script>") == 3
    assert is_ours(tmp_path / "page.html")


def test_an_activation_that_the_page_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--to web: the page does not know the activation gelu"):
        write(checkpoint(activation="gelu"), tmp_path / "page.html", half=True)


def test_the_command_writes_16_bits_unless_it_is_told_otherwise_and_replaces_the_page(
    here: Path, finished_run: Path, capsys: Capture
) -> None:
    arguments = ("export", str(finished_run), "page.html", "--to", "web")
    assert run(capsys, *arguments).status == 0
    small = (here / "page.html").stat().st_size
    assert run(capsys, *arguments, "--force", "--full").status == 0
    assert small < 0.7 * (here / "page.html").stat().st_size
    (here / "page.html").write_text("mine")
    assert run(capsys, *arguments, "--force").status == 2
