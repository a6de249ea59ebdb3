"""The page that classifies in the browser; Node runs its script."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from commands import run

from benchmarks.exported_page import CHROMIUM, NODE, in_browser, in_node
from export.test_onnx import KINDS, checkpoint
from imdbclf.checkpoint import Checkpoint, read_checkpoint
from imdbclf.errors import UserError
from imdbclf.export.texts import drawn_texts
from imdbclf.export.web import is_ours, probabilities, write
from imdbclf.inference.predictor import Predictor

Capture = pytest.CaptureFixture[str]


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


@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_the_script_says_what_the_numbers_say_and_explains_it(written: tuple[Checkpoint, Path, float]) -> None:
    made, path, exact = written
    texts = drawn_texts(made.vectorizer.vocabulary)[:100]
    found = in_node(path, texts, path.parent)
    assert found["probabilities"] == pytest.approx(probabilities(path, texts).tolist(), abs=1e-6)
    for effects, explained in zip(found["effects"], Predictor(made).explain(texts), strict=True):
        expected = {one.word: one.effect for one in explained.words}
        assert dict(effects) == pytest.approx(expected, abs=2 * exact)


TYPED = """(text => { const review = document.getElementById("review"); review.value = text;
review.dispatchEvent(new Event("input")); return document.getElementById("answer").textContent; })"""

CLICKED = """(word => { [...document.querySelectorAll("#words [role=button]")].find(one =>
  one.textContent === word).click();
return document.getElementById("answer").textContent; })"""


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
    scripts = [f"{function}({json.dumps(given)})" for function, given in calls]
    shown = asyncio.run(in_browser(tmp_path / "page.html", tmp_path / "profile", scripts)).values
    without = explained.probability - strongest.effect
    (nothing,) = Predictor(made).predict([""])
    expected = [explained.probability, without, explained.probability, nothing.probability]
    labels = [made.label_names[p > made.threshold] for p in expected]
    assert shown == [
        f"{one} (probability of pos: {100 * p:.1f}\u00a0%; pos above {100 * made.threshold:.1f}\u00a0%)"
        for one, p in zip(labels, expected, strict=True)
    ]


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


@pytest.mark.slow
@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_a_vocabulary_of_200_000_terms_is_no_limit(tmp_path: Path) -> None:
    made = checkpoint(terms=tuple(f"w{number}" for number in range(200_000)))
    write(made, tmp_path / "page.html", half=True)
    expected = Predictor(made).probabilities(["w7 w199999"]).tolist()
    assert in_node(tmp_path / "page.html", ["w7 w199999"], tmp_path)["probabilities"] == pytest.approx(
        expected, abs=2e-3
    )


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
