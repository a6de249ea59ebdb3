"""From texts to probabilities."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imdbclf.checkpoint import Checkpoint
from imdbclf.data.multihot import MultiHotMatrix
from imdbclf.data.term_weights import TermWeights
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.inference import predictor as predictor_module
from imdbclf.inference.predictor import Prediction, Predictor
from imdbclf.model.network import MLP, make_network


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


def test_a_sure_network_overflows_nowhere() -> None:
    network = MLP(2, [1]).eval()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 1e6)
    one = Predictor(Checkpoint(network, Vectorizer(Vocabulary(("a",))), "bce", ["neg", "pos"]))
    assert one.predict(["a"])[0].probability == 1
    torch.nn.init.constant_(network.rest[1].weight, -1e6)  # type: ignore[arg-type]
    assert one.predict(["a"])[0].probability == 0


def test_a_thousand_reviews_are_answered_as_each_alone(predictor: Predictor) -> None:
    texts = ["great film", "worst film ever", "", "zzxqk", "boring, boring"] * 200
    together = predictor.predict(texts)
    for text, answer in zip(texts[:5], together[:5], strict=True):
        (alone,) = predictor.predict([text])
        assert (alone.label, alone.known_words) == (answer.label, answer.known_words)
        assert alone.probability == pytest.approx(answer.probability, abs=1e-6)
    assert predictor.probabilities(texts).tolist() == [answer.probability for answer in together]
    assert predictor.probabilities(texts[:2]) == pytest.approx(
        [answer.probability for answer in together[:2]], abs=1e-6
    )


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


TERMS = ("good", "not good", "not", "at all", "not good at", ".", "!", "all . not")
OPINIONS = st.lists(st.sampled_from(["good", "not", "at", "all", ".", "!", "unheard", "É"]), max_size=8).map(" ".join)
WEIGHTINGS = st.builds(
    TermWeights, st.sampled_from([None, np.linspace(-3, 3, len(TERMS) + 1, dtype=np.float32)]), st.booleans()
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(OPINIONS, min_size=1, max_size=6),
    WEIGHTINGS,
    st.booleans(),
    st.sampled_from([1, 3]),
    st.sampled_from([1.0, 2.5]),
    st.integers(0, 5),
)
def test_one_text_and_many_agree_on_columns_exactly_and_on_probabilities_to_a_millionth(
    texts: list[str], weights: TermWeights, sentence_ends: bool, members: int, temperature: float, seed: int
) -> None:
    torch.manual_seed(seed)
    network = make_network(members, len(TERMS) + 1, [5, 3], "tanh", 0.0).eval()
    vectorizer = Vectorizer(Vocabulary(TERMS), weights, sentence_ends)
    predictor = Predictor(Checkpoint(network, vectorizer, "bce", ["neg", "pos"], temperature))
    alone = [predictor.predict([text])[0] for text in texts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predictor_module, "FEW", 0)
        together, probabilities = predictor.predict(texts), predictor.probabilities(texts)
    assert [one.known_words for one in together] == [one.known_words for one in alone]
    assert [one.probability for one in together] == pytest.approx([one.probability for one in alone], abs=1e-6)
    assert probabilities.tolist() == [one.probability for one in together]
    assert [one.label for one in together] == [one.label for one in alone]


@pytest.fixture(scope="module")
def ngram_predictor(ngram_run: Path) -> Predictor:
    return Predictor.from_checkpoint(ngram_run / "checkpoints" / "best.ckpt")


def test_a_text_alone_in_bulk_and_in_a_corpus_has_one_answer_by_n_grams(
    ngram_predictor: Predictor, ngram_run: Path, small_files: dict[str, Path]
) -> None:
    lines = small_files["test"].read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    in_bulk, alone = ngram_predictor.predict(texts), [ngram_predictor.predict([text])[0] for text in texts]
    assert [one.known_words for one in in_bulk] == [one.known_words for one in alone]
    probabilities = np.array([one.probability for one in in_bulk])
    np.testing.assert_allclose(probabilities, [one.probability for one in alone], atol=1e-6)
    reported = pq.read_table(ngram_run / "predictions.parquet").to_pydict()["probability"]
    np.testing.assert_allclose(np.sort(probabilities), np.sort(reported), atol=1e-6)


def test_n_grams_and_their_order_count(ngram_predictor: Predictor) -> None:
    vocabulary = ngram_predictor.checkpoint.vectorizer.vocabulary
    pair = next(term for term in vocabulary.terms if term.count(" ") == 1 and len(set(term.split(" "))) == 2)
    words = pair.split(" ")
    said, turned = ngram_predictor.predict([pair, " ".join(words[::-1])])
    assert said.known_words == 1 + sum(word in vocabulary.column for word in words)
    assert said.probability != turned.probability
    assert ngram_predictor.predict([""])[0].known_words == 0


def test_a_label_follows_from_the_threshold_for_one_text_and_many_and_in_explanations(predictor: Predictor) -> None:
    texts = ["great film", "worst film ever", "", "boring, boring"] * 20
    probabilities = predictor.probabilities(texts)
    for threshold in (0.0, float(np.median(probabilities)), 1.0):
        other = Predictor(replace(predictor.checkpoint, threshold=threshold))
        labels = [other.checkpoint.label_names[int(one > threshold)] for one in probabilities]
        assert [one.label for one in other.predict(texts)] == labels
        assert [one.label for one in other.predict(texts[:4])] == labels[:4]
        assert [one.label for one in other.explain(texts[:4])] == labels[:4]
        np.testing.assert_array_equal(other.probabilities(texts), probabilities)


def test_the_temperature_divides_every_logit_one_at_a_time_and_in_bulk(predictor: Predictor) -> None:
    warm = Predictor(replace(predictor.checkpoint, temperature=2.5))
    texts = ["great film", "worst film ever", "", "boring, boring"] * 20
    for count in (4, 80):
        bare, scaled = predictor.probabilities(texts[:count]), warm.probabilities(texts[:count])
        logits = np.log(bare / (1 - bare.astype(np.float64)))
        np.testing.assert_allclose(scaled, 1 / (1 + np.exp(-logits / 2.5)), atol=1e-6)
        assert [answer.probability for answer in warm.predict(texts[:count])] == pytest.approx(scaled.tolist())
        assert [answer.label for answer in warm.predict(texts[:count])] == [
            answer.label for answer in predictor.predict(texts[:count])
        ]


def test_a_prediction_is_a_line_of_the_beginning_of_its_text_or_a_json_object_with_the_whole() -> None:
    prediction, text = Prediction("pos", 0.98765, 3), "Grand\tfilm ü " + "x" * 60
    assert prediction.as_line(text) == f"pos\t0.9877\t3 known words\tGrand film ü {'x' * 47}"
    assert prediction.as_line("Grand", 0.144) == "pos\t0.9877\t3 known words (positive above 0.144)\tGrand"
    assert prediction.as_json(text) == (
        '{"label": "pos", "probability": 0.98765, "known_words": 3, "text": "Grand\\tfilm ü ' + "x" * 60 + '"}'
    )


def test_the_count_of_texts_decides_which_way_they_go(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    whole = Vectorizer.rows_of

    def counted(vectorizer: Vectorizer, texts: Sequence[str]) -> MultiHotMatrix:
        asked.append(len(texts))
        return whole(vectorizer, texts)

    monkeypatch.setattr(Vectorizer, "rows_of", counted)
    monkeypatch.setattr(predictor_module, "AT_ONCE", 50)
    for count in (64, 65):
        assert len(predictor.predict(["good"] * count)) == count
        assert predictor.probabilities(["good"] * count).shape == (count,)
    assert asked == [50, 15] * 2
    warm = Predictor(predictor.checkpoint)
    warm.warm_up()
    asked.clear()
    for count in (18, 19):
        assert np.abs(warm.probabilities(["good"] * count) - predictor.probabilities(["good"])).max() < 1e-6
    assert asked == [19]


@pytest.mark.parametrize("texts", ["one text", b"one", {"a": 1}, None, 3, pa.table({"text": ["a"]})])
def test_what_is_no_list_of_texts_is_refused(predictor: Predictor, texts: Any) -> None:
    for function in (predictor.predict, predictor.probabilities):
        with pytest.raises(TypeError, match=r"^texts is a .*; give a list of texts, such as"):
            function(texts)


@pytest.mark.parametrize("text", [None, float("nan"), b"bytes", 3])
@pytest.mark.parametrize("count", [1, 100])
def test_what_is_no_text_is_named_by_its_position(predictor: Predictor, text: Any, count: int) -> None:
    with pytest.raises(TypeError, match=rf"^texts\[{count}\] is a {type(text).__name__} .*; give a str"):
        predictor.predict(["good"] * count + [text])


def test_a_copied_predictor_and_checkpoint_predict_the_same(predictor: Predictor) -> None:
    for copied in (copy.deepcopy(predictor), pickle.loads(pickle.dumps(predictor))):  # noqa: S301 - our own
        assert copied.predict(["a great film"]) == predictor.predict(["a great film"])
    checkpoint = predictor.checkpoint
    for other in (copy.deepcopy(checkpoint), pickle.loads(pickle.dumps(checkpoint))):  # noqa: S301 - our own
        assert Predictor(other).predict(["a great film"] * 70) == predictor.predict(["a great film"] * 70)


@pytest.mark.parametrize("count", [0, 1, 3, 70])
def test_probabilities_of_both_classes_have_the_shape_that_scikit_learn_gives_them(
    predictor: Predictor, count: int
) -> None:
    texts = ["a great film"] * count
    both = predictor.predict_proba(texts)
    assert both.shape == (count, 2)
    assert both.dtype == np.float32
    assert predictor.classes_.tolist() == ["neg", "pos"]
    assert both[:, 1].tolist() == predictor.probabilities(texts).tolist()
    assert both.sum(axis=1) == pytest.approx(1)
    assert predictor.classes_[both.argmax(axis=1)].tolist() == [one.label for one in predictor.predict(texts)]


def test_threads_share_a_predictor(finished_run: Path) -> None:
    fresh = Predictor.from_checkpoint(finished_run / "checkpoints" / "best.ckpt")
    texts = ["a great film", "the worst film", ""] * 30
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda count: (fresh.predict(texts[:count]), fresh.explain(texts[:2])), [3, 90] * 8))
    assert answers == [(fresh.predict(texts[:count]), fresh.explain(texts[:2])) for count in [3, 90] * 8]
