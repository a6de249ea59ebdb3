from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.helpers import TEXTS
from imdbclf.data.arrow import strings, to_arrow, to_numpy


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint64, np.float32])
@pytest.mark.parametrize("length", [0, 1, 5])
def test_numbers_come_back_as_they_went(dtype: type, length: int) -> None:
    numbers: npt.NDArray[Any] = np.arange(length).astype(dtype)
    array = to_arrow(numbers)
    assert array.equals(pa.array(numbers))
    again = to_numpy(array)
    assert again.dtype == dtype
    assert again.tolist() == numbers.tolist()


def test_a_slice_and_a_stride_are_what_they_show() -> None:
    assert to_numpy(pa.array([1, 2, 3, 4], pa.int32()).slice(1, 2)).tolist() == [2, 3]
    assert to_arrow(np.arange(6)[::2]).to_pylist() == [0, 2, 4]


@given(st.lists(TEXTS, max_size=5))
def test_texts_are_texts(texts: list[str]) -> None:
    assert strings(texts).equals(pa.array(texts, pa.string()))


def test_half_of_a_surrogate_pair_is_a_blank() -> None:
    assert strings(["a\udce9b"]).to_pylist() == ["a b"]
