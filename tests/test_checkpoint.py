"""Checkpoints: plain, sufficient, and never executed."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_mutations import mutated
from commands import metrics_of

from imdbclf import ReviewClassifier
from imdbclf.checkpoint import attachment, carries, keep_calibration, load_plain, read_checkpoint
from imdbclf.data.term_weights import TermWeights
from imdbclf.data.vectorize import Vectorizer
from imdbclf.data.vocabulary import Vocabulary
from imdbclf.errors import UserError
from imdbclf.inference.evaluate import evaluate_checkpoint
from imdbclf.inference.predictor import Predictor
from imdbclf.model import CHECKPOINT_KEY
from imdbclf.model.calibration import EVEN
from imdbclf.model.network import MLP

MUTATIONS = 200
"""Copies of a checkpoint, each with one part replaced, dropped or of another size."""

DAMAGES = 200
"""Copies of a checkpoint, each with one flipped bit or one block of zeros."""


class Hostile:
    """Unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def best(finished_run: Path) -> Path:
    return finished_run / "checkpoints" / "best.ckpt"


def test_a_checkpoint_is_plain_types_and_carries_all_it_needs(best: Path) -> None:
    ours = torch.load(best, weights_only=True)[CHECKPOINT_KEY]
    assert len(ours["vocabulary"].split("\n")) == 499
    assert {"settings", "versions", "data_source", "label_names"} <= ours.keys()


def test_a_classifier_loads_from_the_path_alone(best: Path) -> None:
    model = ReviewClassifier.load_from_checkpoint(best)
    assert (len(model.vocabulary), model.network.parameter_count) == (499, 8305)


@pytest.mark.parametrize("plain_pickle", [True, False])
def test_a_hostile_file_is_refused_and_not_run(tmp_path: Path, plain_pickle: bool) -> None:
    trap, file = tmp_path / "trap", tmp_path / "hostile.ckpt"
    if plain_pickle:
        file.write_bytes(pickle.dumps({"state_dict": Hostile(trap)}))
    else:
        torch.save({"state_dict": Hostile(trap)}, file)
    with pytest.raises(UserError, match="not loaded: the file is corrupt or contains code"):
        load_plain(file)
    assert not trap.exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_a_file_cut_short_is_refused(best: Path, tmp_path: Path, share: float) -> None:
    data = best.read_bytes()
    (tmp_path / "cut.ckpt").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UserError, match="not a readable checkpoint"):
        read_checkpoint(tmp_path / "cut.ckpt")


def damaged(rng: np.random.Generator, data: bytes) -> bytes:
    """The data with one flipped bit, or with a block of zeros of up to 4 KB."""
    changed, place = bytearray(data), int(rng.integers(len(data)))
    if rng.random() < 0.5:
        changed[place] ^= 1 << int(rng.integers(8))
    else:
        changed[place : place + 4096] = bytes(len(changed[place : place + 4096]))
    return bytes(changed) if changed != data else damaged(rng, data)


def test_every_flipped_bit_and_every_zeroed_block_is_noticed(best: Path, tmp_path: Path) -> None:
    rng, data, file = np.random.default_rng(0), best.read_bytes(), tmp_path / "x.ckpt"
    for _ in range(DAMAGES):
        file.write_bytes(damaged(rng, data))
        with pytest.raises(UserError, match=r"x\.ckpt: not (a readable checkpoint|loaded: the file is corrupt)"):
            load_plain(file)


def test_a_damaged_digest_is_noticed_bit_by_bit(best: Path, tmp_path: Path) -> None:
    data, file = best.read_bytes(), tmp_path / "x.ckpt"
    for bit in range(8 * (len(data) - 70), 8 * len(data), 3):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        file.write_bytes(changed)
        with pytest.raises(UserError, match="its contents differ from its digest"):
            load_plain(file)


@pytest.mark.parametrize("mmap", [True, False])
def test_a_checkpoint_with_a_digest_is_still_an_ordinary_one(best: Path, mmap: bool) -> None:
    assert torch.load(best, weights_only=True, mmap=mmap).keys() == load_plain(best).keys()
    assert zipfile.ZipFile(best).testzip() is None


def test_a_checkpoint_from_before_there_were_digests_loads(best: Path, tmp_path: Path) -> None:
    torch.save(load_plain(best), tmp_path / "older.ckpt")
    assert load_plain(tmp_path / "older.ckpt").keys() == load_plain(best).keys()


@pytest.mark.parametrize("contents", [{}, {"state_dict": {}}, [1, 2]])
def test_another_programs_checkpoint_is_refused(tmp_path: Path, contents: object) -> None:
    torch.save(contents, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match=r"x\.ckpt: a checkpoint, but not one of imdbclf's"):
        read_checkpoint(tmp_path / "x.ckpt")


def test_a_checkpoint_of_another_format_is_refused(tmp_path: Path) -> None:
    torch.save({CHECKPOINT_KEY: {"format": 99}}, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="a checkpoint, but made by another version of imdbclf"):
        read_checkpoint(tmp_path / "x.ckpt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"x\.ckpt: there is no such checkpoint file"):
        load_plain(tmp_path / "x.ckpt")


@pytest.mark.parametrize("sentence_ends", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_sentence_ends_read_back_the_same(altered: Callable[..., Path], sentence_ends: bool, weighted: bool) -> None:
    given = Vectorizer(Vocabulary(tuple(f"w{k}" for k in range(499))), TermWeights(unit_length=weighted), sentence_ends)
    assert read_checkpoint(altered(**attachment(given))).vectorizer == given


def without(path: Path, group: str, key: str) -> Path:
    """The checkpoint as versions wrote it that did not have the key."""
    contents = torch.load(path, weights_only=True)
    del contents[group][key]
    torch.save(contents, path)
    return path


def test_a_checkpoint_from_before_there_were_sentence_ends_has_none(altered: Callable[..., Path]) -> None:
    path = without(altered(), CHECKPOINT_KEY, "marks")
    assert read_checkpoint(path).vectorizer.sentence_ends is False
    assert carries(load_plain(path)[CHECKPOINT_KEY], read_checkpoint(path).vectorizer)


def test_a_checkpoint_from_before_there_were_ensembles_is_one_network(altered: Callable[..., Path]) -> None:
    path = without(altered(), "hyper_parameters", "members")
    assert isinstance(read_checkpoint(path).network, MLP)


def test_a_checkpoint_that_claims_a_larger_network_than_it_holds_is_refused(best: Path, tmp_path: Path) -> None:
    contents = torch.load(best, weights_only=True)
    contents["hyper_parameters"]["widths"] = [10**12]
    torch.save(contents, tmp_path / "large.ckpt")
    with pytest.raises(UserError, match="do not fit together"):
        read_checkpoint(tmp_path / "large.ckpt")


VOCABULARY = Vocabulary(("good", "not good", "not"))
WEIGHTS = np.array([0.5, 1, -2, 0.1], dtype=np.float32)
FEATURES = [
    Vectorizer(VOCABULARY),
    Vectorizer(VOCABULARY, TermWeights(WEIGHTS)),
    Vectorizer(VOCABULARY, TermWeights(WEIGHTS, unit_length=True)),
    Vectorizer(VOCABULARY, TermWeights(unit_length=True)),
    Vectorizer(VOCABULARY, sentence_ends=True),
]


@pytest.fixture
def altered(best: Path, tmp_path: Path) -> Callable[..., Path]:
    """Writes a copy of a checkpoint that carries other things."""

    def alter(**ours: Any) -> Path:
        contents = torch.load(best, weights_only=True)
        contents[CHECKPOINT_KEY] |= ours
        torch.save(contents, tmp_path / "altered.ckpt")
        return tmp_path / "altered.ckpt"

    return alter


@pytest.mark.parametrize("weights", [None, np.linspace(-1, 1, 500, dtype=np.float32)])
@pytest.mark.parametrize("unit_length", [True, False])
def test_weights_and_length_read_back_the_same(
    altered: Callable[..., Path], best: Path, weights: np.ndarray | None, unit_length: bool
) -> None:
    features = Vectorizer(read_checkpoint(best).vectorizer.vocabulary, TermWeights(weights, unit_length))
    found = read_checkpoint(altered(**attachment(features))).vectorizer
    assert found.vocabulary == features.vocabulary
    assert found.term_weights.unit_length == unit_length
    if weights is None:
        assert found.term_weights.by_column is None
    else:
        np.testing.assert_array_equal(found.term_weights.by_column, weights)


def test_a_run_on_n_grams_carries_its_weights(ngram_run: Path) -> None:
    features = read_checkpoint(ngram_run / "checkpoints/best.ckpt").vectorizer
    assert len(features) == 2000
    assert {term.count(" ") for term in features.vocabulary.terms} == {0, 1, 2}
    assert features.term_weights.by_column is not None
    assert features.term_weights.by_column.shape == (2000,)
    assert features.term_weights.unit_length


def test_a_checkpoint_from_before_there_were_weightings_is_one_of_ones_and_can_be_evaluated(
    altered: Callable[..., Path], best: Path, finished_run: Path, small_files: dict[str, Path]
) -> None:
    settings = load_plain(best)[CHECKPOINT_KEY]["settings"]
    older = {key: value for key, value in settings.items() if key != "features"}
    path = altered(settings=older | {"data": settings["data"] | {"vocab_size": 500}})
    assert "weighting" not in load_plain(path)[CHECKPOINT_KEY]
    assert read_checkpoint(path).vectorizer == Vectorizer(read_checkpoint(best).vectorizer.vocabulary)
    again = evaluate_checkpoint(path, {"source": str(small_files["test"])})
    assert again["test/accuracy"] == metrics_of(finished_run)["test/accuracy"]


@pytest.mark.parametrize(
    "weighting",
    [
        {"columns": torch.ones(499), "unit_length": False},
        {"columns": torch.ones(500, 1), "unit_length": False},
        {"columns": torch.ones(500)},
        {"columns": [1.0] * 500, "unit_length": True},
        "log_odds",
    ],
    ids=["shorter", "of two dimensions", "without a length", "a list", "a name"],
)
def test_weights_that_do_not_fit_the_columns_are_refused_in_a_line(
    altered: Callable[..., Path], weighting: object
) -> None:
    with pytest.raises(UserError, match="parts do not fit together") as refusal:
        read_checkpoint(altered(weighting=weighting))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("one", range(len(FEATURES)))
@pytest.mark.parametrize("other", range(len(FEATURES)))
def test_a_checkpoint_carries_the_features_that_it_was_given_and_no_others(one: int, other: int) -> None:
    assert carries(attachment(FEATURES[one]), FEATURES[other]) == (one == other)
    assert not carries(attachment(FEATURES[one]), Vectorizer(Vocabulary(("good",)), FEATURES[one].term_weights))


def test_evaluating_an_n_gram_run_gives_its_test_figures_again(ngram_run: Path) -> None:
    again, metrics = evaluate_checkpoint(ngram_run / "checkpoints/best.ckpt"), metrics_of(ngram_run)
    assert {name: again[name] for name in again if name.startswith("test/")} == {
        name: metrics[name] for name in metrics if name.startswith("test/")
    }


def test_a_checkpoint_without_a_temperature_has_the_temperature_1(best: Path) -> None:
    assert "temperature" not in load_plain(best)[CHECKPOINT_KEY]
    assert read_checkpoint(best).temperature == 1


def test_a_temperature_is_kept_and_nothing_else_changes(best: Path, tmp_path: Path) -> None:
    path = tmp_path / "best.ckpt"
    path.write_bytes(best.read_bytes())
    keep_calibration(path, 1.25)
    assert read_checkpoint(path).temperature == 1.25
    before, after = load_plain(best), load_plain(path)
    assert after[CHECKPOINT_KEY].pop("temperature") == 1.25
    weights = before.pop("state_dict"), after.pop("state_dict")
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    del before["optimizer_states"], after["optimizer_states"]
    assert repr(after) == repr(before)
    assert [file.name for file in tmp_path.iterdir()] == ["best.ckpt"]


def test_a_threshold_is_kept_and_that_of_equal_costs_is_not_written(best: Path, tmp_path: Path) -> None:
    path = tmp_path / "best.ckpt"
    path.write_bytes(best.read_bytes())
    for threshold in (0.2, EVEN):
        keep_calibration(path, 1.0, threshold)
        assert read_checkpoint(path).threshold == threshold
    assert "threshold" not in load_plain(path)[CHECKPOINT_KEY]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), "half"])
def test_a_threshold_that_is_none_is_refused(altered: Callable[..., Path], threshold: object) -> None:
    with pytest.raises(UserError, match=r"parts do not fit together \(imdbclf.threshold"):
        read_checkpoint(altered(threshold=threshold))


def test_a_temperature_that_could_not_be_written_leaves_the_checkpoint_as_it_was(
    best: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "best.ckpt"
    path.write_bytes(best.read_bytes())

    def interrupted(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        keep_calibration(path, 1.25)
    assert path.read_bytes() == best.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["best.ckpt"]


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf"), float("nan"), "warm", None])
def test_a_temperature_that_is_none_is_refused(best: Path, tmp_path: Path, temperature: object) -> None:
    contents = torch.load(best, weights_only=True)
    contents[CHECKPOINT_KEY]["temperature"] = temperature
    torch.save(contents, tmp_path / "x.ckpt")
    with pytest.raises(UserError, match="do not fit together"):
        read_checkpoint(tmp_path / "x.ckpt")


TEXTS = ["a good film", "w1 w2"]


def refusal(path: Path, done: str) -> str:
    """Why a checkpoint cannot be used for predictions; empty if it can."""
    try:
        predictor = Predictor.from_checkpoint(path)
        [prediction.as_json("x") for prediction in predictor.predict(TEXTS)]
        predictor.probabilities(TEXTS * 40)
    except UserError as error:
        return str(error)
    except Exception as error:
        raise AssertionError(done) from error
    return ""


def what_is_read(run: Path) -> dict[str, Any]:
    """The parts of a run's checkpoint that are read for predictions and evaluations."""
    whole = load_plain(run / "checkpoints" / "best.ckpt")
    ours = whole[CHECKPOINT_KEY] | {"settings": {"data": whole[CHECKPOINT_KEY]["settings"]["data"]}}
    return {name: whole[name] for name in ("hyper_parameters", "state_dict", "epoch")} | {CHECKPOINT_KEY: ours}


def test_a_tensor_that_claims_more_numbers_than_the_file_holds_is_refused_anywhere(
    altered: Callable[..., Path],
) -> None:
    for large in (torch.ones(1).expand(10**9, 16), torch.ones(9, device="meta"), torch.ones(9, 9).to_sparse()):
        with pytest.raises(UserError, match="claims more numbers than the file holds"):
            load_plain(altered(anything={"inside": [large]}))


def test_a_changed_checkpoint_is_used_or_refused_in_a_line(finished_run: Path, ngram_run: Path, tmp_path: Path) -> None:
    both = [what_is_read(run) for run in (finished_run, ngram_run)]
    rng, file, refused = np.random.default_rng(6), tmp_path / "x.ckpt", 0
    for number in range(MUTATIONS):
        changed, done = mutated(both[number % 2], rng)
        torch.save(changed, file)
        line = refusal(file, done)
        assert "\n" not in line
        assert line.startswith(f"{file}: ") or not line
        refused += bool(line)
    assert refused > MUTATIONS / 5
