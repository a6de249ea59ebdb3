"""What the workers of a server count, for Prometheus: each in a file of its own, summed when somebody asks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

STATUSES = (200, 400, 404, 405, 408, 413, 500)
"""The statuses that the application has; the last stands for any other."""

OTHER = "other"
"""Paths that the server does not have."""


class Counts:
    """Counters of one worker; a worker that ends leaves its file, so that sums never fall.

    `folder` is that of all workers; `paths` are those that the server has.
    """

    def __init__(self, folder: Path, paths: list[str]) -> None:
        self._folder, self._paths = folder, [*paths, OTHER]
        handle, name = tempfile.mkstemp(dir=folder)
        os.close(handle)
        # One row a path: requests of each status, seconds, texts.
        self._shape = (len(self._paths), len(STATUSES) + 2)
        self._own = np.memmap(name, np.float64, "w+", shape=self._shape)
        self._rows = {path: row for row, path in enumerate(self._paths)}
        self._places = {status: place for place, status in enumerate(STATUSES)}

    def add(self, path: str, status: int, seconds: float, texts: int) -> None:
        """Count one answer."""
        row = self._own[self._rows.get(path, -1)]
        row[self._places.get(status, len(STATUSES) - 1)] += 1
        row[-2] += seconds
        row[-1] += texts

    def as_text(self) -> str:
        """The sums over all workers in Prometheus' text format."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        files = [np.fromfile(file, np.float64).reshape(self._shape) for file in self._folder.iterdir()]
        sums = np.sum(files, axis=0)
        yield "# TYPE imdbclf_requests_total counter"
        for path, row in zip(self._paths, sums, strict=True):
            for status, count in zip(STATUSES, row[:-2], strict=True):
                yield f'imdbclf_requests_total{{path="{path}",status="{status}"}} {count:.0f}'
        for place, name in ((-2, "imdbclf_seconds_total"), (-1, "imdbclf_texts_total")):
            yield f"# TYPE {name} counter"
            for path, row in zip(self._paths, sums, strict=True):
                yield f'{name}{{path="{path}"}} {row[place]:.6g}'
