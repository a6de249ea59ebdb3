"""Unlabelled reviews: how they are read and cached, and what is learned from their pseudo-labels."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.helpers import TEST, TRAIN, contents, encode, hub_cache, loaded, read_back, write_hub_layout
from data.unlabelled import KINDS, UNSUPERVISED, unlabelled_split, write_sources
from imdbclf.data.load_corpus import open_source
from imdbclf.data.prepare import PreparedReviews, load_reviews, prepare_reviews
from imdbclf.data.selection import PseudoLabelled, learn_vocabulary
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.sources.hub import HubSource
from imdbclf.errors import UserError
from imdbclf.settings import DataSettings, FeatureSettings, SourceSettings


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The overrides that name each kind of source."""
    return write_sources(tmp_path_factory.mktemp("sources"))


# What is learned from pseudo-labels, compared with plain counting

WORDS = ["awful", "fine", "film", "dull", "great", "odd"]
REVIEW = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)
LABELLED = st.lists(st.tuples(REVIEW, st.integers(0, 1)), min_size=1, max_size=6)
PSEUDO_LABELLED = st.lists(st.tuples(REVIEW, st.floats(0, 1, width=32)), min_size=1, max_size=6)


def counted(reviews: Sequence[tuple[str, float]]) -> dict[str, tuple[float, float]]:
    """The fractions of positive and of negative reviews that have each word, summed."""
    words = sorted({word for text, _ in reviews for word in text.split()})
    shares = {word: [share for text, share in reviews if word in text.split()] for word in words}
    return {word: (math.fsum(of), math.fsum(1 - share for share in of)) for word, of in shares.items()}


def ratios(counts: dict[str, tuple[float, float]], columns: int) -> dict[str, float]:
    """Wang & Manning's log-odds of each word, with one added to every count of as many columns as there are."""
    others = columns - len(counts)
    total_p, total_q = (sum(both[side] + 1 for both in counts.values()) + others for side in (0, 1))
    return {word: math.log((p + 1) / total_p) - math.log((q + 1) / total_q) for word, (p, q) in counts.items()}


def prepared(
    labelled: Sequence[tuple[str, int]], pseudo_labelled: Sequence[tuple[str, float]], features: FeatureSettings
) -> PreparedReviews:
    corpus = encode(train=labelled, unlabelled=[(text, -1) for text, _ in pseudo_labelled])
    # Rows have an order of their own.
    left, probabilities = list(pseudo_labelled), []
    for words, _ in read_back(corpus, corpus.parts["unlabelled"]):
        found = next(one for one in left if one[0] == " ".join(words))
        left.remove(found)
        probabilities.append(found[1])
    pseudo_labels = np.array(probabilities, dtype=np.float32)
    return prepare_reviews(loaded(corpus), DataSettings(val_size=0), features, 0, pseudo_labels)


@settings(max_examples=40, deadline=None)
@given(LABELLED, PSEUDO_LABELLED, st.integers(3, 8))
def test_pseudo_labels_count_as_fractions_where_terms_are_selected(
    labelled: list[tuple[str, int]], pseudo_labelled: list[tuple[str, float]], columns: int
) -> None:
    counts = counted([*labelled, *pseudo_labelled])
    sizes = {word: abs(ratio) for word, ratio in ratios(counts, len(counts)).items()}
    scores = {word: sizes[word] / math.sqrt(1 / (p + 1) + 1 / (q + 1)) for word, (p, q) in counts.items()}
    chosen = prepared(
        labelled, pseudo_labelled, FeatureSettings(columns=columns, selection="z_score")
    ).vectorizer.vocabulary
    assert len(chosen.terms) == min(columns - 1, len(counts))
    best = sorted(scores.values(), reverse=True)[: len(chosen.terms)]
    assert [scores[term] for term in chosen.terms] == pytest.approx(best, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(LABELLED, PSEUDO_LABELLED)
def test_pseudo_labels_count_as_fractions_in_the_term_weights(
    labelled: list[tuple[str, int]], pseudo_labelled: list[tuple[str, float]]
) -> None:
    features = FeatureSettings(columns=100, weighting="log_odds")
    made_of = prepared(labelled, pseudo_labelled, features)
    weights, terms = made_of.vectorizer.term_weights, made_of.vectorizer.vocabulary.terms
    assert weights.by_column is not None
    # Column 0 is that of unknown words, which none of the training reviews has.
    expected = ratios(counted([*labelled, *pseudo_labelled]), len(terms) + 1)
    found = dict(zip(terms, weights.by_column[1:].tolist(), strict=True))
    assert found == pytest.approx(expected, abs=1e-5)
    assert len(made_of.matrices["train"]) == len(labelled) + len(pseudo_labelled)
    assert "unlabelled" not in made_of.matrices


@settings(max_examples=30, deadline=None)
@given(LABELLED, LABELLED, st.sampled_from(["frequency", "log_odds", "z_score"]), st.integers(1, 2))
def test_pseudo_labels_of_0_and_1_select_the_terms_that_labels_would(
    labelled: list[tuple[str, int]], more: list[tuple[str, int]], selection: str, order: int
) -> None:
    features = FeatureSettings.model_validate({"columns": 3, "selection": selection, "order": order, "smoothing": 0.5})
    both = [*labelled, *more, ("great film", 1)]
    corpus = encode(train=both)
    expected = learn_vocabulary(corpus, corpus.parts["train"], features)
    parts = encode(train=[("great film", 1), *labelled], unlabelled=more)
    pseudo_labels = parts.parts["unlabelled"].labels.astype(np.float32)
    found = learn_vocabulary(
        parts, parts.parts["train"], features, None, PseudoLabelled(parts.parts["unlabelled"], pseudo_labels)
    )
    assert found.terms == expected.terms


# What is read and cached


def settings_of(overrides: Sequence[str]) -> DataSettings:
    named = (override.replace("data=", "data.source=").removeprefix("data.") for override in overrides)
    return DataSettings.model_validate(dict(override.split("=", 1) for override in named))


def fingerprints(overrides: Sequence[str]) -> tuple[str, str]:
    """Those of the labelled reviews alone, and of all."""
    wanted = settings_of(overrides)
    alone = wanted.model_copy(update={"unlabelled": None})
    return open_source(alone).fingerprint(), open_source(wanted).fingerprint()


@pytest.mark.parametrize("kind", KINDS)
def test_unlabelled_reviews_do_not_change_the_fingerprint_of_the_labelled_ones(
    sources: dict[str, list[str]], kind: str, tmp_path: Path
) -> None:
    alone, whole = fingerprints(sources[kind])
    assert alone != whole
    if kind != "folder":  # the fingerprint of a tree has the times of its files, and copies have others
        return
    copy = shutil.copytree(
        sources[kind][0].removeprefix("data.source="), tmp_path / kind, ignore=shutil.ignore_patterns("unsup*")
    )
    assert open_source(DataSettings(source=str(copy))).fingerprint() == alone


@pytest.mark.parametrize("kind", KINDS)
def test_changed_unlabelled_reviews_are_read_again(sources: dict[str, list[str]], kind: str, tmp_path: Path) -> None:
    named = sources[kind][-1].removeprefix("data.unlabelled=")
    if kind == "files":
        changed = Path(shutil.copy(named, tmp_path / "more.jsonl"))
        overrides = [*sources[kind][:-1], f"data.unlabelled={changed}"]
    else:
        folder = shutil.copytree(sources[kind][0].removeprefix("data.source="), tmp_path / kind)
        changed = folder / "plain_text" / UNSUPERVISED if kind == "folder" else folder / "train/unsup/0_0.txt"
        overrides = [f"data.source={folder}", sources[kind][1]]
    alone, whole = fingerprints(overrides)
    changed.write_bytes(changed.read_bytes() + b"\n")
    assert fingerprints(overrides)[0] == alone
    assert fingerprints(overrides)[1] != whole


def test_the_labelled_reviews_are_found_encoded_whether_or_not_the_unlabelled_ones_are(
    sources: dict[str, list[str]], tmp_path: Path
) -> None:
    whole = settings_of(sources["files"]).model_copy(update={"val_size": 100, "cache_dir": str(tmp_path)})
    alone = whole.model_copy(update={"unlabelled": None})
    loaded = [load_reviews(wanted, 0) for wanted in (alone, whole, alone, whole)]
    assert [one.loaded.from_cache for one in loaded] == [False, False, True, True]
    assert ["unlabelled" in one.loaded.corpus.parts for one in loaded] == [False, True, False, True]


IMDB = HubSource("stanfordnlp/imdb")
WHOLE = HubSource("stanfordnlp/imdb", SourceSettings(unlabelled="unsupervised"))


def test_the_hubs_cache_must_hold_the_unlabelled_split_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = write_hub_layout(hub_cache(tmp_path))
    assert HubSource("stanfordnlp/imdb").obstacle() is None
    assert "is not in the Hub cache" in (WHOLE.obstacle() or "")
    unlabelled_split(folder, [-1, -1], ["an odd film", "a fine film"])
    assert WHOLE.obstacle() is None
    assert WHOLE.read().parts["unlabelled"].to_pydict() == {"text": ["an odd film", "a fine film"], "label": [-1, -1]}
    assert set(IMDB.read().parts) == {"train", "test"}


def test_the_lectures_dataset_is_read_without_its_unlabelled_split(tmp_path: Path) -> None:
    folder = write_hub_layout(tmp_path / "hub")
    unlabelled_split(folder, [-1], ["an odd film"])
    (folder / "plain_text" / UNSUPERVISED).unlink()
    assert contents(FolderSource(folder).read()) == {"train": TRAIN, "test": TEST}


@pytest.mark.parametrize(("source", "ignored"), [(IMDB, ["*unsupervised*"]), (WHOLE, [])], ids=["labelled", "all"])
def test_the_unlabelled_split_is_downloaded_where_it_is_wanted_alone(
    source: HubSource, ignored: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))
    folder, asked = write_hub_layout(tmp_path / "hub"), []
    unlabelled_split(folder, [-1], ["an odd film"])

    def download(repo_id: str, **options: object) -> str:
        asked.append((repo_id, options["ignore_patterns"]))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    fresh = HubSource(source.repo_id, source.settings)
    assert ("unlabelled" in fresh.read().parts) == (source.settings.unlabelled is not None)
    assert asked == [("stanfordnlp/imdb", ignored)]


def test_unlabelled_reviews_of_the_hub_have_a_fingerprint_of_their_own() -> None:
    assert IMDB.fingerprint() == "hub stanfordnlp/imdb@e6281661ce1c48d982bc483cf8a173c1bbeb5d31 text label"
    assert WHOLE.fingerprint() == f"{IMDB.fingerprint()} and unsupervised"


REFUSED = {
    ("folder", "unsup"): "must be null or a split of {} without labels (unsupervised)",
    ("folder", "test"): "must be null or a split of {} without labels (unsupervised)",
    ("folder without", "unsupervised"): "must be null or a split of {} without labels (none there)",
    ("tree", "more"): "must be null for {}, or unsup or unsupervised, with a folder train/unsup there",
    ("tree without", "unsup"): "or unsup or unsupervised, with a folder train/unsup there",
    ("sample", "unsupervised"): "must be null for the bundled sample",
    ("files", "unsupervised"): "data.unlabelled=unsupervised: there is no such file",
    ("files", "empty.csv"): "part unlabelled is empty; there must be at least one review",
}


@pytest.mark.parametrize(("kind", "named"), REFUSED)
def test_unlabelled_reviews_that_are_not_there_are_refused_with_what_is(
    here: Path, sources: dict[str, list[str]], kind: str, named: str
) -> None:
    overrides = ["data=sample"] if kind == "sample" else list(sources[kind.split(maxsplit=1)[0]])
    where = overrides[0].removeprefix("data.source=")
    if "without" in kind:
        where = str(shutil.copytree(where, here / "copy", ignore=shutil.ignore_patterns("unsup*")))
        overrides[0] = f"data.source={where}"
    (here / "empty.csv").write_text("text\n", encoding="utf-8")
    wanted = settings_of(overrides).model_copy(update={"unlabelled": named, "val_size": 100})
    with pytest.raises(UserError) as refused:
        load_reviews(wanted, 0)
    assert REFUSED[kind, named].format(where) in str(refused.value)
