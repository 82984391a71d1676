from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import kernels
from autograd.kernels.attention import SAMPLES
from autograd.kernels.attention_plan import LEAST_ROWS

INF, NAN = math.inf, math.nan
TOLERANCE = {np.float32: (1e-3, 3e-5), np.float64: (1e-10, 1e-12)}


def arrays(rng, batch, sizes, dtype):
    """Queries, keys, values, and what flows back."""
    length, size, width, depth = sizes
    shapes = ((length, width), (size, width), (size, depth), (length, depth))
    return [rng.standard_normal((*batch, *shape)).astype(dtype) for shape in shapes]


def all_results(q, k, v, g, mask, **how):
    y, stats = kernels.attention(q, k, v, mask, **how)
    return [y, stats, *kernels.attention_backward(g, q, k, v, mask, stats, **how)]


def both(call, dtype):
    """Compare the fast kernels with the references; return the fast results."""
    fast = call()
    with kernels.use("reference"):
        expected = call()
    for a, b in zip(fast, expected, strict=True):
        assert a.dtype == b.dtype == dtype
        assert a.shape == b.shape
        relative, absolute = TOLERANCE[dtype]
        np.testing.assert_allclose(a, b, rtol=relative, atol=absolute)
    return fast


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    batch=st.lists(st.integers(0, 3), max_size=3),
    sizes=st.tuples(*[st.integers(0, n) for n in (40, 40, 20, 20)]),
    masked=st.sampled_from(["none", "bools", "row", "column", "numbers", "each"]),
    causal=st.booleans(),
    layout=st.sampled_from(["C", "F", "reversed", "gaps", "one for all"]),
    seed=st.integers(0, 99),
)
def test_equals_the_reference(dtype, batch, sizes, masked, causal, layout, seed):
    rng = np.random.default_rng(seed)
    q, k, v, g = arrays(rng, batch, sizes, dtype)
    length, size = sizes[:2]
    mask = {
        "none": None,
        "bools": rng.random((length, size)) < 0.6,
        "row": rng.random((1, size)) < 0.6,
        "column": rng.random((length, 1)) < 0.6,
        "numbers": rng.standard_normal((length, size)),
        "each": rng.standard_normal((*batch, length, size)).astype(dtype),
    }[masked]
    if layout == "one for all" and batch:
        k, v = k[:1], v[..., :1, :, :]
    elif layout == "F":
        q, k, v, g = map(np.asfortranarray, (q, k, v, g))
    elif layout == "reversed":
        q, k, v, g = (x[..., ::-1, ::-1] for x in (q, k, v, g))
    elif layout == "gaps":
        q, k, v, g = (np.concatenate([x, x], -1)[..., : x.shape[-1]] for x in (q, k, v, g))
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        both(lambda: all_results(q, k, v, g, mask, scale=0.4, causal=causal), dtype)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    ("length", "size"), [(2 * LEAST_ROWS + 1, 5000), (1200, 300), (300, 900), (1, 700)]
)
def test_several_blocks_of_queries(length, size, causal):
    rng = np.random.default_rng(0)
    q, k, v, g = arrays(rng, (2,), (length, size, 9, 5), np.float64)
    mask = rng.standard_normal((2, length, size))
    both(lambda: all_results(q, k, v, g, mask, scale=0.3, causal=causal), np.float64)


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(4, 7, 36), (1, 1, 6), (33, 2, 18), (0, 3, 12), (3, 0, 12)])
def test_heads_in_one_array(shape, dtype, rows):
    rng = np.random.default_rng(0)
    qkv = rng.standard_normal(shape).astype(dtype)
    g = rng.standard_normal((*shape[:2], shape[2] // 3)).astype(dtype)
    length = shape[rows]
    for heads, mask, causal in (
        (1, None, True),
        (2, rng.random((length, length)) < 0.7, False),
        (2, rng.standard_normal((shape[1 - rows], 1, 1, length)), True),
    ):

        def call(qkv=qkv, heads=heads, mask=mask, causal=causal):
            how = {"heads": heads, "rows": rows, "scale": 0.5, "causal": causal}
            y, stats = kernels.self_attention(qkv, mask, **how)
            return [y, stats, kernels.self_attention_backward(g, qkv, mask, stats, **how)]

        plain = both(call, dtype)
        for a, b in zip(plain, call(np.asfortranarray(qkv)), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_number_of_threads_changes_nothing(sample):
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal(shape, dtype=np.float32) for shape in sample.shapes)
    g = rng.standard_normal((*q.shape[:-1], v.shape[-1]), dtype=np.float32)
    before = kernels.get_num_threads()
    try:
        kernels.set_num_threads(1)
        alone = all_results(q, k, v, g, None, **sample.params)
        kernels.set_num_threads(3)
        together = all_results(q, k, v, g, None, **sample.params)
    finally:
        kernels.set_num_threads(before)
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


# One query, two keys with values 1 and 3: scores, and what comes out.
ROWS = {
    "equal": ([2.0, 2.0], 2.0),
    "large": ([1e4, -1e4], 1.0),
    "extremes": ([3e38, -3e38], 1.0),
    "small": ([-1e4, -1e4], 2.0),
    "forbidden": ([-INF, 5.0], 3.0),
    "all forbidden": ([-INF, -INF], 0.0),
    "infinity": ([INF, 0.0], NAN),
    "nan": ([NAN, 0.0], NAN),
    "nan and forbidden": ([-INF, NAN], NAN),
}


@pytest.mark.parametrize("mode", kernels.MODES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ROWS)
def test_awkward_rows_by_hand_and_without_warnings(name, dtype, mode):
    scores, expected = ROWS[name]
    q, k = np.ones((2, 1), dtype), np.zeros((2, 1), dtype)
    v, mask = np.array([[1.0], [3.0]], dtype), np.array([scores, [0.0, 0.0]], dtype)
    how = {"scale": 1.0, "causal": False}
    with np.errstate(divide="raise", over="raise", invalid="raise"), kernels.use(mode):
        y, stats = kernels.attention(q, k, v, mask, **how)
        found = kernels.attention_backward(np.ones_like(y), q, k, v, mask, stats, **how)
    np.testing.assert_allclose(y, [[expected], [2.0]], rtol=1e-6)
    assert all(np.isfinite(x).all() for x in found) or math.isnan(expected)


def test_a_row_that_sees_nothing_adds_nothing_to_gradients():
    rng = np.random.default_rng(0)
    q, k, v, g = arrays(rng, (), (3, 4, 2, 2), np.float64)
    mask = np.ones((3, 4), bool)
    mask[1] = False
    dq, dk, dv = all_results(q, k, v, g, mask, scale=1.0, causal=False)[2:]
    assert not dq[1].any()
    rest = [x[[0, 2]] for x in (q, g)]
    _, stats = kernels.attention(rest[0], k, v, None, scale=1.0, causal=False)
    expected = kernels.attention_backward(
        rest[1], rest[0], k, v, None, stats, scale=1.0, causal=False
    )
    for a, b in zip((dq[[0, 2]], dk, dv), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
