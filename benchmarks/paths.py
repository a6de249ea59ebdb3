"""Where the benchmarks read and write."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "benchmarks.png"
README = ROOT / "README.md"
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
COSTS = ROOT / "benchmarks" / "costs.json"
SCALING_PAGE = ROOT / "docs" / "scaling.md"
LECTURE_SWEEP = ROOT / "benchmarks" / "lecture_sweep.csv"
LECTURE_SWEEP_PAGE = ROOT / "docs" / "lecture-sweep.md"
PERFORMANCE = ROOT / "benchmarks" / "performance.json"
PERFORMANCE_PAGE = ROOT / "docs" / "performance.md"
PERFORMANCE_PICTURE = ROOT / "docs" / "performance.png"
SEARCH = ROOT / "benchmarks" / "search.json"
SEARCH_PAGE = ROOT / "docs" / "search.md"
SEARCH_PICTURE = ROOT / "docs" / "search.png"
VALIDATION = ROOT / "benchmarks" / "validation.json"
VALIDATION_PAGE = ROOT / "docs" / "validation.md"
VALIDATION_PICTURE = ROOT / "docs" / "validation.png"
LADDER = ROOT / "benchmarks" / "ladder.json"
LADDER_PAGE = ROOT / "docs" / "ladder.md"
LADDER_PICTURE = ROOT / "docs" / "ladder.png"
