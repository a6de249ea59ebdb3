"""The exact effects of words on a probability."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import run
from hypothesis import given, settings
from hypothesis import strategies as st

from imdbclf.checkpoint import Checkpoint
from imdbclf.data.multihot import UNKNOWN, MultiHotMatrix
from imdbclf.data.term_weights import TermWeights
from imdbclf.data.tokenize import tokenize
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.inference.explain import Explainer
from imdbclf.inference.predictor import Predictor
from imdbclf.model.calibration import calibrated_one
from imdbclf.model.network import arrays_of, make_network, members_of

Capture = pytest.CaptureFixture[str]
TERMS = ("not", "bad", "good", "not bad", "a film", "not a bad", "bad .", ".", "!")
WORDS = st.lists(st.sampled_from(["not", "bad", "good", "a", "film", "odd", "Good", ".", "!"]), max_size=12).map(
    " ".join
)
WEIGHTS = TermWeights(np.linspace(-1, 2, len(TERMS) + 1, dtype=np.float32), unit_length=True)


ONES = TermWeights()


def checkpoint(members: int = 1, weights: TermWeights = ONES) -> Checkpoint:
    torch.manual_seed(3)
    network = make_network(members, len(TERMS) + 1, [6, 4], "tanh", 0.0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    return Checkpoint(network.eval(), Vectorizer(Vocabulary(TERMS), weights, True), "bce", ("neg", "pos"), 1.5)


KINDS = {"ones": checkpoint(), "weights": checkpoint(weights=WEIGHTS), "members": checkpoint(3, WEIGHTS)}


def without(made: Checkpoint, text: str, blanked: set[str]) -> float:
    """The probability of the text with a blank, which is in no term, in the place of words."""
    vectorizer, words = made.vectorizer, tokenize(text, sentence_ends=True)
    whole = vectorizer.vocabulary.columns_of(words)
    left = set(vectorizer.vocabulary.columns_of(["\0" if word in blanked else word for word in words]).tolist())
    left = left - {UNKNOWN} | ({UNKNOWN} & set(whole.tolist()))
    columns = np.array(sorted(left), dtype=np.int32)
    ends = np.array([0, len(columns)], dtype=np.int64)
    values = MultiHotMatrix(ends, columns, len(vectorizer), vectorizer.term_weights).values
    logits = [arrays_of(member).logit(columns, values) for member in members_of(made.network)]
    return calibrated_one(sum(logits) / len(logits), made.temperature)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(text=WORDS)
def test_effects_are_differences_from_the_text_with_blanks(kind: str, text: str) -> None:
    made = KINDS[kind]
    found = Explainer(made).explain(text)
    whole = without(made, text, set())
    assert found.probability == pytest.approx(whole, abs=1e-6)
    in_terms = {word for term in TERMS for word in term.split(" ")}
    assert {one.word for one in found.words} <= in_terms & set(tokenize(text, sentence_ends=True))
    for one in found.words:
        assert one.effect == pytest.approx(whole - without(made, text, {one.word}), abs=1e-6)
    for pair in found.pairs:
        first, second = (without(made, text, {word}) for word in pair.words)
        assert pair.effect == pytest.approx(whole - first - second + without(made, text, set(pair.words)), abs=1e-6)
    assert [abs(one.effect) for one in found.words] == sorted((abs(one.effect) for one in found.words), reverse=True)


def test_a_text_without_known_words_is_answered() -> None:
    found = Explainer(KINDS["weights"]).explain("nothing here")
    assert (found.words, found.pairs) == ([], [])
    assert found.probability == pytest.approx(Predictor(KINDS["weights"]).predict(["nothing here"])[0].probability)


def row_without(made: Checkpoint, columns: list[int], left_out: int) -> float:
    kept = np.array([column for column in columns if column != left_out], dtype=np.int32)
    ends = np.array([0, len(kept)], dtype=np.int64)
    values = MultiHotMatrix(ends, kept, len(made.vectorizer), made.vectorizer.term_weights).values
    logits = [member.logit(kept, values) for member in made.arrays()]
    return calibrated_one(sum(logits) / len(logits), made.temperature)


@pytest.mark.parametrize("kind", KINDS)
def test_the_effect_of_a_term_is_the_mean_over_the_rows_that_have_it(kind: str) -> None:
    made = KINDS[kind]
    rows = made.vectorizer.rows_of(["not a bad film .", "a film a day", "bad bad", "", "good", "odd"])
    expected: dict[str, list[float]] = {}
    for number in range(len(rows)):
        columns = rows.row(number).tolist()
        for column in columns[columns[:1] == [UNKNOWN] :]:
            effect = row_without(made, columns, -1) - row_without(made, columns, column)
            expected.setdefault(TERMS[column - 1], []).append(effect)
    found = Explainer(made).terms(rows)
    assert {one.term: one.reviews for one in found} == {term: len(each) for term, each in expected.items()}
    for one in found:
        assert one.effect == pytest.approx(np.mean(expected[one.term]), abs=1e-6)
    assert [one.effect for one in found] == sorted((one.effect for one in found), reverse=True)


def test_rare_terms_are_left_out() -> None:
    made = KINDS["ones"]
    rows = made.vectorizer.rows_of([*["good"] * 2, "bad", *["odd"] * 998])
    assert [one.term for one in Explainer(made).terms(rows)] == ["good"]


def test_the_predictor_explains_what_it_predicts(ngram_run: Path) -> None:
    predictor = Predictor.from_checkpoint(ngram_run / "checkpoints/best.ckpt")
    texts = ["A great film, not bad at all.", "What a waste of time!"]
    for explained, predicted in zip(predictor.explain(texts), predictor.predict(texts), strict=True):
        assert explained.label == predicted.label
        assert explained.probability == pytest.approx(predicted.probability, abs=1e-6)
    with pytest.raises(TypeError, match=r"texts is a str"):
        predictor.explain("one text")


def test_the_command_shows_text_words_and_signs(finished_run: Path, capsys: Capture) -> None:
    result = run(capsys, "explain", str(finished_run), "A great film, but the worst [/b] ending.", "")
    assert result.status == 0, result.err
    assert "A great film, but the worst [/b] ending." in result.out
    assert "effect, points" in result.out
    assert "−" in result.out
    assert "No word of this text is in the vocabulary." in result.out


def test_the_command_gives_json(finished_run: Path, capsys: Capture) -> None:
    long = run(capsys, "explain", str(finished_run), "great film " * 50_000).out
    assert len(long) < 20_000
    assert "… (550,000 characters in all)" in long
    (line,) = run(capsys, "explain", str(finished_run), "--json", "great film").out.splitlines()
    found = json.loads(line)
    assert set(found) == {"text", "label", "probability", "words", "pairs"}
    assert {one["word"] for one in found["words"]} == {"great", "film"}


def test_a_page_shows_texts_as_they_are_and_runs_nothing(finished_run: Path, tmp_path: Path, capsys: Capture) -> None:
    page = tmp_path / "page.html"
    command = (
        "explain",
        str(finished_run),
        "<script>alert(1)</script> great {{ film }}\x1b",
        "xyzzy",
        "--html",
        str(page),
    )
    assert run(capsys, *command).status == 0
    text = page.read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; " in re.sub("</?span[^>]*>", "", text)
    assert "{{ " in text
    assert "<script" not in text
    assert "\\u001b" in text
    assert "No word of this text is in the vocabulary." in text
    assert run(capsys, *command).err.startswith(f"error: --html {page}: exists; give --force")
    assert run(capsys, *command, "--force").status == 0
    page.write_text("mine", encoding="utf-8")
    assert "is no earlier report" in run(capsys, *command, "--force").err
    assert page.read_text(encoding="utf-8") == "mine"


def test_the_strongest_terms_are_shown_for_each_class(finished_run: Path, tmp_path: Path, capsys: Capture) -> None:
    command = ("explain", str(finished_run), "--top", "3")
    found = json.loads(run(capsys, *command, "--json").out)
    assert {label: len(terms) for label, terms in found.items()} == {"pos": 3, "neg": 3}
    assert all(one["effect"] > 0 for one in found["pos"])
    assert all(one["effect"] < 0 for one in found["neg"])
    out = run(capsys, *command).out
    assert "200 reviews of files" in out
    assert all(one["term"] in out for terms in found.values() for one in terms)
    page = tmp_path / "page.html"
    assert run(capsys, *command, "--html", str(page)).status == 0
    assert f'<td class="text">{found["pos"][0]["term"]}</td>' in page.read_text(encoding="utf-8")
    assert run(capsys, *command, "a text").err.startswith("error: --top: is about the whole network")
    assert run(capsys, "explain", str(finished_run), "--source", "sample").err.startswith(
        "error: --source: is for --top"
    )


@pytest.mark.parametrize(("units", "activation"), [([3], "tanh"), ([19, 13], "gelu")])
def test_words_with_equal_effects_keep_their_order_on_every_machine(units: list[int], activation: str) -> None:
    text = "one two three four five six"
    for seed in range(20):
        torch.manual_seed(seed)
        network = make_network(1, 2, units, activation, 0.0).eval()
        made = Checkpoint(network, Vectorizer(Vocabulary((text,)), ONES, False), "bce", ("neg", "pos"), 1.0)
        assert [one.word for one in Explainer(made).explain(text).words] == text.split()
