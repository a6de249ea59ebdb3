"""How reviews begin, where they are still in the cache; that they are not is no error."""

from __future__ import annotations

from pathlib import Path

import pytest

from imdbclf.data.cache import load_or_encode
from imdbclf.data.sources.files import FilesSource
from imdbclf.folders.run import RunFolder
from imdbclf.reports.compare.review_starts import WORDS, find_beginnings


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


def test_reviews_begin_with_their_first_words(
    folder: RunFolder, small_files: dict[str, Path], cache_folder: Path
) -> None:
    corpus = load_or_encode(FilesSource(small_files["train"], small_files["test"]), cache_folder).corpus
    test = corpus.parts["test"]
    words = corpus.dictionary.to_pylist()
    expected = [words[number] for number in test.words[test.offsets[5] : test.offsets[6]]][:WORDS]
    name = test.review_names()[5]
    found = find_beginnings(folder, [name, f"{name}-2", "0" * 16])
    assert found.note is None
    assert set(found.of) == {name, f"{name}-2"}
    assert found.of[name].removesuffix(" …").split() == expected


def test_reviews_that_are_not_in_the_cache_are_not_encoded_for_it(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IMDBCLF_CACHE", str(tmp_path / "empty"))
    found = find_beginnings(folder, ["0" * 16])
    assert (dict(found.of), "not in the cache any more" in str(found.note)) == ({}, True)
    assert not (tmp_path / "empty").exists()


@pytest.mark.parametrize(
    "config", ["{", "- a list", "experiment: x\ndata:\n  source: nowhere", "data:\n  batch_size: 0"]
)
def test_whatever_is_wrong_with_the_config_is_a_note(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    found = find_beginnings(RunFolder(tmp_path), ["0" * 16])
    assert "their words are not shown" in str(found.note)
