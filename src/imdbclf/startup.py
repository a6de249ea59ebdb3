"""Fast imports: a large library makes a million objects at import, and none of them is garbage."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def fast_imports() -> Iterator[None]:
    """Inside, imports run without the garbage collector, which would check all objects many times.

    `gc.freeze` excludes the imported objects from later collections, also at the end of the process.
    """
    before, was_enabled = len(sys.modules), gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > before:
            gc.freeze()
        if was_enabled:
            gc.enable()
