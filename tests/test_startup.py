from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imdbclf.startup import fast_imports


@pytest.fixture(autouse=True)
def _collector_as_it_was() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def test_what_is_imported_inside_is_left_out_of_later_collections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_fast.py").write_text("contents = [[] for _ in range(1000)]\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    gc.unfreeze()
    with fast_imports():
        assert not gc.isenabled()
        __import__("imported_fast")
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000
    del sys.modules["imported_fast"]


def test_nothing_is_frozen_where_nothing_was_imported_so_that_the_jobs_of_a_sweep_leave_no_garbage() -> None:
    gc.unfreeze()
    with fast_imports():
        pass
    assert gc.get_freeze_count() == 0


def test_a_collector_that_was_off_stays_off_and_an_error_turns_it_on_again() -> None:
    with pytest.raises(ImportError), fast_imports():
        __import__("no_such_module_anywhere")
    assert gc.isenabled()
    gc.disable()
    with fast_imports():
        pass
    assert not gc.isenabled()
