"""A teacher's answers to unlabelled reviews: from files, a folder in the Hub's layout and an aclImdb tree."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from commands import made, metrics_of, run
from data.helpers import (
    TEST,
    TRAIN,
    contents,
    encode,
    hub_cache,
    loaded,
    read_back,
    write_acl_tree,
    write_hub_layout,
    write_json_lines,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from training.stops import stopped_at
from training.unlabelled import UNSUPERVISED, unlabelled_split

from imdbclf.checkpoint import read_checkpoint
from imdbclf.data.load import open_source
from imdbclf.data.prepare import PreparedReviews, load_reviews, prepare_reviews
from imdbclf.data.selection import PseudoLabelled, learn_vocabulary
from imdbclf.data.sources.folder import FolderSource
from imdbclf.data.sources.hub import HubSource
from imdbclf.data.sources.sample import draw_reviews
from imdbclf.settings import DataSettings, FeatureSettings

Capture = pytest.CaptureFixture[str]

SMALL = ["data.val_size=100", "data.batch_size=64", "features.columns=500", "trainer.max_epochs=2", "optimizer.lr=0.01"]
TAUGHT = ["teacher.members=2", "features.dropout=0.2"]
ONLY_UNLABELLED = "zyzzyva"
"""A word that no labelled review has, and every unlabelled one."""

KINDS = ("folder", "tree", "files")


def state_of(folder: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(folder / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
    return state


def equal_weights(one: Path, other: Path) -> bool:
    ours, theirs = state_of(one), state_of(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """300 labelled, 100 test and 200 unlabelled reviews as each kind of source has them: the overrides that name it."""
    here = tmp_path_factory.mktemp("sources")
    parts = {
        "train": draw_reviews("train").slice(0, 300),
        "test": draw_reviews("test").slice(0, 100),
        "more": draw_reviews("train").slice(300, 200),
    }
    drawn = {
        name: [(row["text"], int(row["label"] in (1, "pos"))) for row in part.to_pylist()]
        for name, part in parts.items()
    }
    texts = [f"{text} {ONLY_UNLABELLED}" for text, _ in drawn["more"]]
    folder = write_hub_layout(here / "folder", drawn["train"], drawn["test"])
    unlabelled_split(folder, [-1] * len(texts), texts)
    tree = write_acl_tree(here / "tree", drawn["train"], drawn["test"])
    (tree / "train" / "unsup").mkdir()
    for number, text in enumerate(texts):
        (tree / "train" / "unsup" / f"{number}_0.txt").write_text(text, encoding="utf-8")
    for part in ("train", "test"):
        rows = [{"text": text, "label": ("neg", "pos")[label]} for text, label in drawn[part]]
        write_json_lines(here / f"{part}.jsonl", rows)
    write_json_lines(here / "more.jsonl", [{"text": text} for text in texts])
    files = [f"data.{part}={here / part}.jsonl" for part in ("train", "test")]
    return {
        "folder": [f"data.source={folder}", "data.unlabelled=unsupervised"],
        "tree": [f"data.source={tree}", "data.unlabelled=unsup"],
        "files": ["data=files", *files, f"data.unlabelled={here / 'more.jsonl'}"],
    }


@pytest.fixture(scope="module")
def students(
    tmp_path_factory: pytest.TempPathFactory, sources: dict[str, list[str]], cache_folder: Path
) -> dict[str, Path]:
    """The folder of a student from each kind of source, made once; tests only read them."""
    folders = {kind: tmp_path_factory.mktemp("run") / kind for kind in KINDS}
    for kind, folder in folders.items():
        made(cache_folder, "train", *sources[kind], *SMALL, *TAUGHT, f"hydra.run.dir={folder}")
    return folders


@pytest.mark.parametrize("kind", KINDS)
def test_the_student_learns_from_labels_and_answers_and_has_terms_that_no_label_stands_by(
    students: dict[str, Path], kind: str
) -> None:
    said = (students[kind] / "train.log").read_text(encoding="utf-8")
    assert "200 training, 100 validation, 100 test, 200 unlabelled reviews" in said
    lines = ["The teacher (networks: 2)", "Member 2 of 2:", "The student learns from 200 labels and 200 pseudo-labels"]
    assert [said.index(line) for line in lines] == sorted(said.index(line) for line in lines)
    assert said.count("epoch 2/2") == 3
    checkpoint = read_checkpoint(students[kind] / "checkpoints/best.ckpt")
    assert ONLY_UNLABELLED in checkpoint.vectorizer.vocabulary.terms
    assert metrics_of(students[kind])["parameters"] == 500 * 16 + 16 + 16 * 16 + 16 + 16 + 1


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_student_does_not_depend_on_how_its_reviews_were_written_down(students: dict[str, Path], kind: str) -> None:
    assert equal_weights(students[kind], students["folder"])


def test_a_students_folder_is_that_of_any_run(students: dict[str, Path], finished_run: Path) -> None:
    def files(folder: Path) -> set[str]:
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}

    assert files(students["folder"]) == files(finished_run)


def test_without_a_teacher_unlabelled_reviews_teach_nothing(
    here: Path, sources: dict[str, list[str]], students: dict[str, Path], capsys: Capture
) -> None:
    common = [*sources["files"], *SMALL, "features.dropout=0.2"]
    assert run(capsys, "train", *common, "hydra.run.dir=with").status == 0
    assert run(capsys, "train", *common, "data.unlabelled=null", "hydra.run.dir=without").status == 0
    assert equal_weights(here / "with", here / "without")
    assert not equal_weights(here / "with", students["files"])


def test_the_labels_of_unlabelled_reviews_do_not_matter(
    here: Path, sources: dict[str, list[str]], students: dict[str, Path], capsys: Capture
) -> None:
    folder = shutil.copytree(sources["folder"][0].removeprefix("data.source="), here / "labelled")
    texts = parquet.read_table(folder / "plain_text" / UNSUPERVISED)["text"].to_pylist()
    unlabelled_split(folder, [number % 2 for number in range(len(texts))], texts)
    arguments = [f"data.source={folder}", sources["folder"][1], *SMALL, *TAUGHT]
    assert run(capsys, "train", *arguments, "hydra.run.dir=run").status == 0
    assert equal_weights(here / "run", students["folder"])


def test_a_teacher_may_be_one_network_and_the_student_an_ensemble(
    here: Path, sources: dict[str, list[str]], capsys: Capture
) -> None:
    several = ["teacher.members=1", "model.members=2", "trainer.max_epochs=1", "hydra.run.dir=run"]
    result = run(capsys, "train", *sources["files"], *SMALL, *several)
    assert result.status == 0, result.err
    assert result.out.count("Member ") == 3
    assert metrics_of(here / "run")["parameters"] == 2 * (500 * 16 + 16 + 16 * 16 + 16 + 16 + 1)
    assert not {"teacher", "members"} & {path.name for path in (here / "run").iterdir()}


def test_a_student_is_evaluated_without_unlabelled_reviews(
    here: Path, sources: dict[str, list[str]], small_files: dict[str, Path], capsys: Capture
) -> None:
    tree = shutil.copytree(sources["tree"][0].removeprefix("data.source="), here / "tree")
    arguments = [f"data.source={tree}", sources["tree"][1], *SMALL, *TAUGHT, "hydra.run.dir=run"]
    assert run(capsys, "train", *arguments).status == 0
    shutil.rmtree(tree / "train" / "unsup")

    def evaluated(*options: str) -> dict[str, float]:
        answer = run(capsys, "evaluate", "run/checkpoints/best.ckpt", "--json", *options)
        assert answer.status == 0, answer.err
        figures: dict[str, float] = json.loads(answer.out[answer.out.index("{") :])
        return figures

    assert evaluated()["test/accuracy"] == metrics_of(here / "run")["test/accuracy"]
    assert evaluated("--source", str(small_files["test"]))["reviews"] == 200


REFUSED = {
    ("folder", "data.unlabelled=unsup"): "must be null or a split of {} without labels (unsupervised)",
    ("folder", "data.unlabelled=test"): "must be null or a split of {} without labels (unsupervised)",
    ("folder without", "data.unlabelled=unsupervised"): "must be null or a split of {} without labels (none there)",
    ("tree", "data.unlabelled=more"): "must be null for {}, or unsup or unsupervised, with a folder train/unsup there",
    ("tree without", "data.unlabelled=unsup"): "or unsup or unsupervised, with a folder train/unsup there",
    ("sample", "data.unlabelled=unsupervised"): "must be null; the bundled sample has no unlabelled reviews",
    ("files", "data.unlabelled=nowhere.jsonl"): "data.unlabelled=nowhere.jsonl: there is no such file",
    ("files", "data.unlabelled=unsupervised"): "data.unlabelled=unsupervised: must end in one of .csv",
    ("files", "data.unlabelled=empty.csv"): "part unlabelled is empty; there must be at least one review",
    ("files", "data.unlabelled=null"): "teacher.members=2: pseudo-labels unlabelled reviews; data.unlabelled names",
    ("files", "ckpt_path=x.ckpt"): "ckpt_path=x.ckpt: several networks can't go on from one checkpoint; must be null",
}


@pytest.mark.parametrize(("kind", "override"), REFUSED)
def test_a_teacher_without_reviews_is_refused_in_one_line_and_leaves_nothing(
    here: Path, sources: dict[str, list[str]], capsys: Capture, kind: str, override: str
) -> None:
    arguments = ["data=sample"] if kind == "sample" else list(sources[kind.split(maxsplit=1)[0]])
    where = arguments[0].removeprefix("data.source=")
    if "with" in kind:
        where = str(shutil.copytree(where, here / "copy", ignore=shutil.ignore_patterns("unsup*")))
        arguments[0] = f"data.source={where}"
    (here / "empty.csv").write_text("text\n", encoding="utf-8")
    result = run(capsys, "train", *arguments, *SMALL, *TAUGHT, override)
    assert result.status == 2
    assert REFUSED[kind, override].format(where) in result.err
    assert result.err.count("\n") == 1
    assert not list(here.rglob("outputs/*"))


@pytest.mark.parametrize("epochs", [3, 5], ids=["the teacher", "the student"])
def test_a_run_whose_teacher_or_student_is_stopped_says_so_in_a_line_and_leaves_nothing(
    here: Path, sources: dict[str, list[str]], capsys: Capture, monkeypatch: pytest.MonkeyPatch, epochs: int
) -> None:
    stopped_at(monkeypatch, epochs)
    result = run(capsys, "train", *sources["files"], *SMALL, *TAUGHT, "hydra.run.dir=run")
    assert result.status == 130
    assert "Interrupted before all networks were trained; nothing was kept." in result.out.splitlines()[-1]
    assert "Go on:" not in result.out
    assert not (here / "run").exists()


def test_a_swept_student_goes_on_from_a_finished_teacher_and_equals_an_undisturbed_one(
    here: Path,
    sources: dict[str, list[str]],
    students: dict[str, Path],
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweep = ["train", "-m", *sources["files"], *SMALL, *TAUGHT, "seed=0", "hydra.sweep.dir=sweep"]
    # Before the student's first epoch; after it; at last to its end.
    for epochs, status in ((4, 130), (1, 130), (9, 0)):
        undisturb = stopped_at(monkeypatch, epochs)
        assert run(capsys, *sweep).status == status
        undisturb()
    (folder,) = (here / "sweep/runs").iterdir()
    attempts = (folder / "train.log").read_text(encoding="utf-8").split("Fit:  ")[1:]
    assert ["Member 2 of 2" in said for said in attempts] == [True, False, False]
    assert [said.count("epoch 1/2") for said in attempts] == [2, 1, 0]
    assert ["The student learns" in said for said in attempts] == [True, True, True]
    assert metrics_of(folder) == metrics_of(students["files"])
    assert equal_weights(folder, students["files"])
    assert not (folder / "teacher").exists()


# What is learnt from answers, by plain counting.

WORDS = ["awful", "fine", "film", "dull", "great", "odd"]
REVIEW = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)
LABELLED = st.lists(st.tuples(REVIEW, st.integers(0, 1)), min_size=1, max_size=6)
ANSWERED = st.lists(st.tuples(REVIEW, st.floats(0, 1, width=32)), min_size=1, max_size=6)


def counted(reviews: Sequence[tuple[str, float]]) -> dict[str, tuple[float, float]]:
    """The shares of positive and of negative reviews that have each word."""
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
@given(LABELLED, ANSWERED, st.integers(3, 8))
def test_terms_are_chosen_by_the_shares_that_the_answers_are(
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
@given(LABELLED, ANSWERED)
def test_weights_are_log_odds_of_the_shares_that_the_answers_are(
    labelled: list[tuple[str, int]], pseudo_labelled: list[tuple[str, float]]
) -> None:
    features = FeatureSettings(columns=100, weighting="log_odds")
    made_of = prepared(labelled, pseudo_labelled, features)
    weights, terms = made_of.vectorizer.term_weights, made_of.vectorizer.vocabulary.terms
    assert weights is not None
    assert weights.by_column is not None
    # Column 0 is that of unknown words, which none of the training reviews has.
    expected = ratios(counted([*labelled, *pseudo_labelled]), len(terms) + 1)
    found = dict(zip(terms, weights.by_column[1:].tolist(), strict=True))
    assert found == pytest.approx(expected, abs=1e-5)
    assert len(made_of.matrices["train"]) == len(labelled) + len(pseudo_labelled)
    assert "unlabelled" not in made_of.matrices


@settings(max_examples=30, deadline=None)
@given(LABELLED, LABELLED, st.sampled_from(["frequency", "log_odds", "z_score"]), st.integers(1, 2))
def test_answers_of_0_and_1_choose_what_labels_would(
    labelled: list[tuple[str, int]], more: list[tuple[str, int]], selection: str, order: int
) -> None:
    features = FeatureSettings.model_validate({"columns": 3, "selection": selection, "order": order, "smoothing": 0.5})
    both = [*labelled, *more, ("great film", 1)]
    corpus = encode(train=both)
    expected = learn_vocabulary(corpus, corpus.parts["train"], features)
    parts = encode(train=[("great film", 1), *labelled], unlabelled=more)
    answers = parts.parts["unlabelled"].labels.astype(np.float32)
    found = learn_vocabulary(
        parts, parts.parts["train"], features, None, PseudoLabelled(parts.parts["unlabelled"], answers)
    )
    assert found.terms == expected.terms


# What is read and kept of a source.


def settings_of(overrides: Sequence[str]) -> DataSettings:
    named = (override.replace("data=", "data.source=").removeprefix("data.") for override in overrides)
    return DataSettings.model_validate(dict(override.split("=", 1) for override in named))


def fingerprints(overrides: Sequence[str]) -> tuple[str, str]:
    """Those of the labelled reviews alone, and of all."""
    wanted = settings_of(overrides)
    alone = wanted.model_copy(update={"unlabelled": None})
    return open_source(alone).fingerprint(), open_source(wanted).fingerprint()


@pytest.mark.parametrize("kind", KINDS)
def test_unlabelled_reviews_are_kept_apart_from_what_is_kept_of_the_labelled_ones(
    sources: dict[str, list[str]], kind: str, tmp_path: Path
) -> None:
    alone, whole = fingerprints(sources[kind])
    assert alone != whole
    if kind == "files":
        return
    copy = shutil.copytree(
        sources[kind][0].removeprefix("data.source="), tmp_path / kind, ignore=shutil.ignore_patterns("unsup*")
    )
    assert open_source(DataSettings(source=str(copy))).fingerprint() == alone


@pytest.mark.parametrize("kind", KINDS)
def test_changed_unlabelled_reviews_are_read_anew(sources: dict[str, list[str]], kind: str, tmp_path: Path) -> None:
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
WHOLE = HubSource("stanfordnlp/imdb", unlabelled="unsupervised")


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


def test_the_lectures_dataset_is_read_without_the_split_that_its_head_names_and_nobody_wants(tmp_path: Path) -> None:
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
    fresh = HubSource(source.repo_id, unlabelled=source.unlabelled)
    assert ("unlabelled" in fresh.read().parts) == (source.unlabelled is not None)
    assert asked == [("stanfordnlp/imdb", ignored)]


def test_what_the_hub_gives_without_labels_is_encoded_apart() -> None:
    assert IMDB.fingerprint() == "hub stanfordnlp/imdb@e6281661ce1c48d982bc483cf8a173c1bbeb5d31 text label"
    assert WHOLE.fingerprint() == f"{IMDB.fingerprint()} and unsupervised"
