from __future__ import annotations

import numpy as np
import pytest

from autograd import kernels

CASES = [
    ((5, 3), (4,)),
    ((5, 1), ()),
    ((1, 7), (2, 3)),
    ((5, 3), (0,)),
    ((5, 0), (4,)),
    ((40, 33), (7, 11)),
    ((1000, 130), (50, 40)),
    ((1000, 64), (1037,)),
    ((3, 300), (2000,)),
]


def reference(kernel, *args, **params):
    return kernels.implementation(kernel, "reference")(*args, **params)


def drawn(table, shape, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(table).astype(dtype)
    return (
        x,
        rng.integers(0, table[0], shape),
        rng.standard_normal((*shape, table[1])).astype(dtype),
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
@pytest.mark.parametrize(("table", "shape"), CASES, ids=str)
def test_rows_are_those_of_the_reference_bit_for_bit(table, shape, dtype):
    x, indices, g = drawn(table, shape, dtype)
    rows = table[0]
    before = kernels.get_num_threads()
    for count in (1, 2):
        kernels.set_num_threads(count)
        for skip in (-1, 0):
            y = kernels.take_rows(x, indices, skip=skip)
            np.testing.assert_array_equal(y, reference(kernels.take_rows, x, indices, skip=skip))
            added = kernels.add_rows(g, indices, rows=rows, skip=skip)
            wanted = reference(kernels.add_rows, g, indices, rows=rows, skip=skip)
            np.testing.assert_array_equal(added, wanted)
            assert y.shape == g.shape
            assert added.shape == table
    kernels.set_num_threads(before)


def test_layouts():
    x, indices, g = drawn((40, 33), (7, 12), np.float32)
    wanted = kernels.take_rows(x[::-1, ::2].copy(), indices[:, ::3].copy(), skip=-1)
    x.flags.writeable = indices.flags.writeable = g.flags.writeable = False
    np.testing.assert_array_equal(kernels.take_rows(x[::-1, ::2], indices[:, ::3], skip=-1), wanted)
    np.testing.assert_array_equal(
        kernels.add_rows(g[:, ::3], indices[:, ::3], rows=40, skip=-1),
        reference(kernels.add_rows, g[:, ::3], indices[:, ::3], rows=40, skip=-1),
    )


@pytest.mark.parametrize("index", [-1, 5, 2**62])
def test_indices_outside_the_table_are_refused(index):
    indices = np.array([0, index])
    with pytest.raises(IndexError, match=r"do not lie in 0 \.\. 4"):
        kernels.take_rows(np.ones((5, 3)), indices, skip=-1)
    with pytest.raises(IndexError, match=r"do not lie in 0 \.\. 4"):
        kernels.add_rows(np.ones((2, 3)), indices, rows=5, skip=-1)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="g has shape"):
        kernels.add_rows(np.ones((2, 3)), np.zeros(3, np.int64), rows=5, skip=-1)
