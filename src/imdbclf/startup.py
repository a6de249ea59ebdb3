"""Starting quickly: a library of a thousand modules makes a million objects, and none of them is garbage."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def fast_imports() -> Iterator[None]:
    """Imports inside run without the garbage collector, which would look through all modules again and again.

    What was imported is then left out of later collections too (`gc.freeze`), at the end of the process included.
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
