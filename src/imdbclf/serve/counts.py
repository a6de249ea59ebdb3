"""What the workers of a server count, for Prometheus: each in a file of its own, summed when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

STATUSES = (200, 400, 404, 405, 408, 413, 500)
"""The statuses that the application has; the last stands for any other."""


class Counts:
    """Counters of one worker; a worker that ends leaves its file, so that sums never fall.

    `folder` is that of all workers; `paths` are those that the server has.
    """

    def __init__(self, folder: Path, paths: list[str]) -> None:
        self._folder, self._paths = folder, [*paths, "other"]
        # One row a path: requests of each status, seconds, texts.
        self._shape = (len(self._paths), len(STATUSES) + 2)
        with NamedTemporaryFile(dir=folder, delete=False) as file:
            self._own = np.asarray(np.memmap(file, np.float64, "w+", shape=self._shape))

    def add(self, path: str, status: int, seconds: float, texts: int) -> None:
        """Count one answer."""
        row = self._own[self._paths.index(path) if path in self._paths else -1]
        row[STATUSES.index(status) if status in STATUSES else -3] += 1
        row[-2] += seconds
        row[-1] += texts

    def lines(self) -> Iterator[str]:
        """The sums over all workers, in Prometheus' text format."""
        sums = np.sum([np.fromfile(file).reshape(self._shape) for file in self._folder.iterdir()], axis=0)
        of_path = list(zip(self._paths, sums, strict=True))
        yield "# TYPE imdbclf_requests_total counter\n"
        for path, row in of_path:
            for status, count in zip(STATUSES, row[:-2], strict=True):
                yield f'imdbclf_requests_total{{path="{path}",status="{status}"}} {count:.0f}\n'
        for place, name in ((-2, "imdbclf_seconds_total"), (-1, "imdbclf_texts_total")):
            yield f"# TYPE {name} counter\n"
            yield from (f'{name}{{path="{path}"}} {row[place]:.6f}\n' for path, row in of_path)
