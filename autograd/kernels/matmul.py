"""Matrix products.

Everything runs on code of our own (native/matmul.py), nothing on NumPy's BLAS, which wins no class
of sizes by enough to be worth a second way. `python -m benchmarks run matmul` measures it; against
OpenBLAS 0.3.31, whose kernels for a Zen 5 use half of its vector width, on one thread in float32,
ratios of times: squares of 1 to 512 1.5 to 2.0, of 1024 and 2048 1.5 to 1.8; the layers of an MLP
and their gradients 1.3 to 4; a matrix of 1000 x 1000 times a vector, where memory is the limit,
0.92 to 0.96; a batch of 32 products of 4 x 4 1.4. With two threads OpenBLAS rounds otherwise than
with one, and stalls for milliseconds where a core is shared; the code here does neither.
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from .common import Floats, Indices, Sample
from .dispatch import fast, implementation, reference
from .native import Unit


@reference
def matmul(a: Floats, b: Floats, /) -> Floats:
    """Matrix product in all of NumPy's forms: vectors, matrices, batches that broadcast.

    ::

        c[..., i, j] = sum over l of a[..., i, l] b[..., l, j]

    Parameters
    ----------
    a : array (..., m, k) or (k,)
    b : array (..., k, n) or (k,)
        At least 1-d both. Any layout; those that are read where they lie, without a copy, are
        matrices in C order, transposed ones, and in batches all permutations of dimensions that
        leave one of the last two contiguous.

    Returns
    -------
    array (..., m, n), or without the dimension that a vector lacks; for two vectors a NumPy scalar
        New. With k = 0 it is 0.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    return a.dot(b) if a.ndim == 2 == b.ndim else np.matmul(a, b)


@reference
def linear(x: Floats, weight: Floats, bias: Floats | None, /) -> Floats:
    """Affine map ``x @ weight.T + bias``.

    Parameters
    ----------
    x : array (..., k)
        At least 2-d.
    weight : array (n, k)
    bias : array (n,), or None for zeros

    Returns
    -------
    array (..., n)
        New.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    y = matmul_reference(x, weight.T)
    if bias is not None:
        y += bias
    return y


matmul_reference = implementation(matmul, "reference")


def _otherwise(a_transposed: bool, b_transposed: bool) -> Any:
    """What takes dtypes that there is no code for."""

    def multiply(a: Any, b: Any, bias: Any) -> Any:
        c = np.dot(a.T if a_transposed else a, b.T if b_transposed else b)
        return c if bias is None else c + bias

    return multiply


UNIT = Unit("matmul", "autograd.kernels.native.matmul", uses=("tiles",))
UNIT.kernel("nn(a: T[m, k], b: T[k, n], bias: T[n]?) -> c: T[m, n]", None, _otherwise(False, False))
UNIT.kernel("nt(a: T[m, k], b: T[n, k], bias: T[n]?) -> c: T[m, n]", None, _otherwise(False, True))
UNIT.kernel("tn(a: T[k, m], b: T[k, n], bias: T[n]?) -> c: T[m, n]", None, _otherwise(True, False))
UNIT.kernel("tt(a: T[k, m], b: T[n, k], bias: T[n]?) -> c: T[m, n]", None, _otherwise(True, True))
UNIT.kernel("mv(a: T[m, k], x: T[k]) -> y: T[m]", None, np.dot)
UNIT.kernel("vm(x: T[k], a: T[k, n]) -> y: T[n]", None, np.dot)
UNIT.kernel("vv(x: T[k], y: T[k]) -> s: T[]", None, np.dot)
UNIT.kernel(
    "batches(a: T[*p], b: T[*q], a_at: i8[r], b_at: i8[r], m: int, n: int, k: int,"
    " a_row: int, a_col: int, b_row: int, b_col: int) -> c: T[r, m, n]"
)


@fast(matmul, UNIT)
def _matmul(a: Floats, b: Floats, /) -> Floats:
    if a.ndim == 2 == b.ndim:
        return UNIT.nn(a, b, None) if not (a.flags.fnc or b.flags.fnc) else _matrices(a, b, None)
    if a.ndim == 1 or b.ndim == 1:
        return _with_vector(a, b)
    if a.dtype != b.dtype or a.dtype.char not in "fd":  # float32, float64
        return matmul_reference(a, b)
    if b.ndim == 2 and a.flags.c_contiguous:
        return _rows(a, b, None)
    return _batches(a, b)


@fast(linear, UNIT)
def _linear(x: Floats, weight: Floats, bias: Floats | None, /) -> Floats:
    if x.ndim == 2:
        if weight.flags.c_contiguous and not x.flags.fnc:
            return UNIT.nt(x, weight, bias)
        return _matrices(x, weight.T, bias)
    return _rows(x, weight.T, bias)


def _matrices(a: Floats, b: Floats, bias: Floats | None) -> Floats:
    """Two matrices; the code for a transposed one takes it as it lies in memory."""
    if a.flags.fnc:  # in columns, and not in rows as well
        return UNIT.tt(a.T, b.T, bias) if b.flags.fnc else UNIT.tn(a.T, b, bias)
    return UNIT.nt(a, b.T, bias) if b.flags.fnc else UNIT.nn(a, b, bias)


def _rows(a: Floats, b: Floats, bias: Floats | None) -> Floats:
    """One matrix for all batches: one tall product."""
    *batch, k = a.shape
    tall = a.reshape(math.prod(batch), k)  # not -1, which nothing tells where k is 0
    return _matrices(tall, b, bias).reshape(*batch, b.shape[1])


def _with_vector(a: Floats, b: Floats) -> Any:
    """A row on the left, or a column on the right."""
    if a.ndim == 1:
        if b.ndim == 1:
            return UNIT.vv(a, b)[()]
        if b.ndim == 2:
            return UNIT.mv(b.T, a) if b.flags.fnc else UNIT.vm(a, b)
        return _matmul(a[np.newaxis], b)[..., 0, :]
    if a.ndim == 2:
        return UNIT.vm(b, a.T) if a.flags.fnc else UNIT.mv(a, b)
    return _matmul(a, b[:, np.newaxis])[..., 0]


def _batches(a: Floats, b: Floats) -> Floats:
    """Products of matrices that lie in two arrays at any places."""
    plan = _plan(a.shape, a.strides, b.shape, b.strides, a.itemsize)
    # In the order that the elements have in memory, ravel gives a view.
    if not a.flags.c_contiguous:
        a = a.ravel(order="K" if plan.a_dense else "C")
    if not b.flags.c_contiguous:
        b = b.ravel(order="K" if plan.b_dense else "C")
    return UNIT.batches(a, b, *plan.arguments).reshape(plan.shape)


class _Plan(NamedTuple):
    """What `_batches` needs to know of its operands."""

    shape: tuple[int, ...]
    a_dense: bool
    b_dense: bool
    arguments: tuple[Any, ...]


@functools.lru_cache(maxsize=256)
def _plan(
    a_shape: tuple[int, ...],
    a_strides: tuple[int, ...],
    b_shape: tuple[int, ...],
    b_strides: tuple[int, ...],
    itemsize: int,
) -> _Plan:
    """Work out where the matrices begin, and how far apart their elements are."""
    (m, k), (depth, n) = a_shape[-2:], b_shape[-2:]
    if k != depth:
        raise ValueError(f"matmul: {a_shape} @ {b_shape}: {k} columns and {depth} rows")
    batch = np.broadcast_shapes(a_shape[:-2], b_shape[:-2])
    a_dense = _is_dense(a_shape, a_strides, itemsize)
    # The rows or the columns of b must be contiguous.
    b_dense = _is_dense(b_shape, b_strides, itemsize) and itemsize in b_strides[-2:]
    a_steps = _steps(a_shape, a_strides, itemsize, a_dense)
    b_steps = _steps(b_shape, b_strides, itemsize, b_dense)
    places = _places(a_shape, a_steps, batch), _places(b_shape, b_steps, batch)
    arguments = (*places, m, n, k, *a_steps[-2:], *b_steps[-2:])
    return _Plan((*batch, m, n), a_dense, b_dense, arguments)


def _is_dense(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> bool:
    """Whether the elements fill a piece of memory, in any order of the dimensions."""
    size = itemsize
    for stride, n in sorted((s, n) for s, n in zip(strides, shape, strict=True) if n != 1):
        if stride != size:
            return False
        size *= n
    return size > 0


def _steps(
    shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int, dense: bool
) -> tuple[int, ...]:
    """Strides in elements: those of the array, or of its copy in C order."""
    if dense:  # a dimension of size 1 may have any stride, which must not be used
        return tuple(s // itemsize if n != 1 else 1 for s, n in zip(strides, shape, strict=True))
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


def _places(shape: tuple[int, ...], steps: tuple[int, ...], batch: tuple[int, ...]) -> Indices:
    """Where each matrix of a batch begins."""
    places = np.zeros((), np.int64)
    for n, step in zip(shape[:-2], steps[:-2], strict=True):
        places = places[..., np.newaxis] + np.arange(n) * step
    return np.ascontiguousarray(np.broadcast_to(places, batch)).reshape(-1)


SAMPLES = (
    Sample("layer", ((64, 784), (784, 128))),
    Sample("scores", ((128, 512), (512, 10))),
    Sample("square", ((256, 256), (256, 256))),
    Sample("attention", ((4, 2, 32, 16), (4, 2, 16, 32))),
    Sample("row", ((512,), (512, 100))),
    Sample("column", ((100, 512), (512,))),
)
"""Arguments of `matmul`."""
