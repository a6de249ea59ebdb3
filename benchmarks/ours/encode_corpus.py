"""A file of reviews into the cache, timed."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from imdbclf.data.load import load_corpus
from imdbclf.settings import SourceSettings


def main(file: str, result: str) -> None:
    """Read, number the words, write the cache."""
    started = time.perf_counter()
    cached = load_corpus(SourceSettings(source="files", train=file))
    seconds = time.perf_counter() - started
    found = {"encode_seconds": seconds, "dictionary": len(cached.corpus.dictionary)}
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
