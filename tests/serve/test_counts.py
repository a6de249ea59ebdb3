"""Counters of several workers."""

from __future__ import annotations

from pathlib import Path

from imdbclf.serve.counts import Counts


def test_the_counts_of_all_workers_are_summed(tmp_path: Path) -> None:
    first, second = Counts(tmp_path, ["/predict"]), Counts(tmp_path, ["/predict"])
    first.add("/predict", 200, 0.5, 3)
    second.add("/predict", 200, 0.25, 1)
    second.add("/elsewhere", 404, 0.0, 0)
    lines = "".join(second.lines()).splitlines()
    assert "".join(first.lines()).splitlines() == lines
    assert 'imdbclf_requests_total{path="/predict",status="200"} 2' in lines
    assert 'imdbclf_seconds_total{path="/predict"} 0.750000' in lines
    assert 'imdbclf_texts_total{path="/predict"} 4.000000' in lines
    assert 'imdbclf_requests_total{path="other",status="404"} 1' in lines


def test_a_status_that_has_no_column_is_counted_as_an_error_of_the_server(tmp_path: Path) -> None:
    counts = Counts(tmp_path, ["/"])
    counts.add("/", 502, 0.0, 0)
    assert 'imdbclf_requests_total{path="/",status="500"} 1' in "".join(counts.lines())
