"""Sources with unlabelled reviews: one of each kind, with the same reviews."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from data.helpers import write_acl_tree, write_hub_layout, write_json_lines
from imdbclf.data.sources.sample import draw_reviews

KINDS = ("folder", "tree", "files")

ONLY_UNLABELLED = "zyzzyva"
"""A word that no labelled review has, and every unlabelled one."""

UNSUPERVISED = "unsupervised-00000-of-00001.parquet"

HEAD = """---
configs:
- config_name: plain_text
  data_files:
  - split: train
    path: plain_text/train-*
  - split: test
    path: plain_text/test-*
  - split: unsupervised
    path: plain_text/unsupervised-*
---
"""
"""The head of the lecture's dataset on the Hub, as far as it says which file belongs to which split."""


def unlabelled_split(folder: Path, labels: Sequence[int], texts: Sequence[str]) -> None:
    """Add a split without labels to a folder in the Hub's layout."""
    (folder / "README.md").write_text(HEAD, encoding="utf-8")
    columns = {"text": pa.array(texts, pa.string()), "label": pa.array(labels, pa.int8())}
    parquet.write_table(pa.table(columns), folder / "plain_text" / UNSUPERVISED)


def write_sources(here: Path) -> dict[str, list[str]]:
    """300 labelled, 100 test and 200 unlabelled reviews in each kind of source; returns the overrides that name it."""
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
    unlabelled_split(write_hub_layout(here / "folder", drawn["train"], drawn["test"]), [-1] * len(texts), texts)
    tree = write_acl_tree(here / "tree", drawn["train"], drawn["test"])
    (tree / "train" / "unsup").mkdir()
    for number, text in enumerate(texts):
        (tree / "train" / "unsup" / f"{number}_0.txt").write_text(text, encoding="utf-8")
    for part in ("train", "test"):
        rows = [{"text": text, "label": ("neg", "pos")[label]} for text, label in drawn[part]]
        write_json_lines(here / f"{part}.jsonl", rows)
    write_json_lines(here / "more.jsonl", [{"text": text} for text in texts])
    return named_sources(here)


def named_sources(here: Path) -> dict[str, list[str]]:
    """The overrides that name each of the sources that `write_sources` has written."""
    files = [f"data.{part}={here / part}.jsonl" for part in ("train", "test")]
    return {
        "folder": [f"data.source={here / 'folder'}", "data.unlabelled=unsupervised"],
        "tree": [f"data.source={here / 'tree'}", "data.unlabelled=unsup"],
        "files": ["data=files", *files, f"data.unlabelled={here / 'more.jsonl'}"],
    }
