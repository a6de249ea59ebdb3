"""A file of reviews into the cache, timed."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from imdbclf.data.cache import cache_folder, load_or_encode
from imdbclf.data.sources.choose import open_source
from imdbclf.settings import DataSettings


def main(file: str, result: str) -> None:
    """Read, number the words, write the cache."""
    started = time.perf_counter()
    cached = load_or_encode(open_source(DataSettings(source="files", train=file)), cache_folder())
    seconds = time.perf_counter() - started
    found = {"encode_seconds": seconds, "dictionary": len(cached.corpus.dictionary)}
    Path(result).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
