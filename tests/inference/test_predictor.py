"""From texts to probabilities."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imdbclf.inference.predictor import Predictor


@pytest.fixture(scope="module")
def predictor(finished_run: Path) -> Predictor:
    return Predictor.from_checkpoint(finished_run / "checkpoints" / "best.ckpt")


def test_opinions_are_told_apart(predictor: Predictor) -> None:
    good, bad = predictor.predict(["great wonderful best excellent perfect", "worst awful terrible waste boring"])
    assert (good.label, bad.label) == ("pos", "neg")
    assert good.probability > 0.5 > bad.probability


def test_an_empty_review_is_answered(predictor: Predictor) -> None:
    (answer,) = predictor.predict([""])
    assert 0 < answer.probability < 1
    assert answer.known_words == 0


def test_no_reviews_give_no_answers(predictor: Predictor) -> None:
    assert predictor.predict([]) == []


def test_known_words_counts_different_words_of_the_vocabulary(predictor: Predictor) -> None:
    (answer,) = predictor.predict(["The film, the FILM; the zzxqk!"])
    assert answer.known_words == 2


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_a_reviews_answer_does_not_depend_on_its_neighbours(predictor: Predictor, texts: list[str]) -> None:
    together = predictor.predict(texts)
    alone = [predictor.predict([text])[0] for text in texts]
    assert [one.probability for one in together] == pytest.approx([one.probability for one in alone], abs=1e-6)
