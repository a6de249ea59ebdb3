"""The first words of reviews that are in the cache; a missing cache is a note, not an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from imdbclf.data.cache import load_or_encode
from imdbclf.data.sources.files import FilesSource
from imdbclf.folders.run import RunFolder
from imdbclf.reports.compare.review_starts import WORDS, find_review_starts


@pytest.fixture
def folder(tmp_path: Path, small_files: dict[str, Path]) -> RunFolder:
    """A run on the small files."""
    run = RunFolder(tmp_path)
    run.config.write_text(
        "defaults:\n- hydra: imdbclf\nexperiment: x\ndata:\n  source: files\n"
        + "".join(f"  {part}: {path}\n" for part, path in small_files.items()),
        encoding="utf-8",
    )
    return run


def test_the_first_words_of_a_review_are_shown(
    folder: RunFolder, small_files: dict[str, Path], cache_folder: Path
) -> None:
    corpus = load_or_encode(FilesSource(small_files["train"], small_files["test"]), cache_folder).corpus
    test = corpus.parts["test"]
    words = corpus.dictionary.to_pylist()
    expected = [words[number] for number in test.words[test.offsets[5] : test.offsets[6]]][:WORDS]
    name = test.review_names()[5]
    found = find_review_starts(folder, [name, f"{name}-2", "0" * 16])
    assert found.note is None
    assert set(found.by_id) == {name, f"{name}-2"}
    assert found.by_id[name].removesuffix(" …").split() == expected


def test_reviews_that_are_not_in_the_cache_are_not_encoded(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IMDBCLF_CACHE", str(tmp_path / "empty"))
    found = find_review_starts(folder, ["0" * 16])
    assert (dict(found.by_id), "no longer in the cache" in str(found.note)) == ({}, True)
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    "config", ["{", "- a list", "experiment: x\ndata:\n  source: nowhere", "data:\n  batch_size: 0"]
)
def test_a_config_that_cannot_be_used_is_a_note(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    found = find_review_starts(RunFolder(tmp_path), ["0" * 16])
    assert "no words are shown" in str(found.note)
