"""Between NumPy and Arrow without `pa.array` and `np.asarray`, which take a fifth of a second to import pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imdbclf.data.tokenize import utf8

NOWHERE = -1
"""The place of what is not there."""


def to_numpy(array: pa.Array) -> npt.NDArray[Any]:
    """The numbers of an array without nulls, without a copy."""
    return np.from_dlpack(array)


def to_arrow(numbers: npt.NDArray[Any]) -> pa.Array:
    """An array of the numbers, without a copy."""
    numbers = np.ascontiguousarray(numbers)
    return pa.Array.from_buffers(pa.from_numpy_dtype(numbers.dtype), len(numbers), [None, pa.py_buffer(numbers)])


def strings(texts: Sequence[str]) -> pa.Array:
    """A `string` array; half of a surrogate pair, which is no character, becomes a blank."""
    encoded = [utf8(text) for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return pa.Array.from_buffers(
        pa.string(), len(encoded), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    )


def places_among(values: pa.Array, wanted: pa.Array) -> npt.NDArray[np.int32]:
    """Where each of n values is among the wanted ones, int32 (n,); `NOWHERE` for one that is not there."""
    # Made of a Python number, it would import pandas.
    nowhere = to_arrow(np.array([NOWHERE], dtype=np.int32))[0]
    return to_numpy(pc.fill_null(pc.index_in(values, value_set=wanted), nowhere))
