"""Products of vectors, matrices and batches of them, all by way of `matmul`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import promoted
from ..families import contraction, dim_of, shape_of
from ..graph import Spec, Variable
from .arithmetic import where
from .conv_arguments import Sizes
from .linalg import _matmul
from .reduce import sum
from .shape import _permute, _reshape, unsqueeze


def _shapes(who: str, *operands: tuple[Any, int]) -> list[Sizes]:
    """Shapes of operands, each of which must have a given number of dimensions."""
    shapes = [shape_of(x, who) for x, _ in operands]
    if any(len(s) != n for s, (_, n) in zip(shapes, operands, strict=True)):
        wanted = " and ".join(f"{n}-d" for _, n in operands)
        raise ValueError(f"{who}: expected operands {wanted}, met {' and '.join(map(str, shapes))}")
    return shapes


def _fits(who: str, a: Sizes, b: Sizes, inner: int, other: int) -> None:
    if inner != other:
        raise ValueError(f"{who}: {a} and {b}: the sizes summed over differ, {inner} and {other}")


def mm(input: Any, mat2: Any) -> Any:
    """Matrix product of two matrices, (n, m) and (m, p).

    Raises
    ------
    ValueError
        If an operand is not 2-d, or the inner sizes differ.

    Examples
    --------
    >>> import autograd
    >>> autograd.mm(autograd.ones(2, 3), autograd.ones(3, 4)).shape
    (2, 4)
    """
    a, b = _shapes("mm", (input, 2), (mat2, 2))
    _fits("mm", a, b, a[1], b[0])
    return _matmul(input, mat2)


def mv(input: Any, vec: Any) -> Any:
    """Matrix (n, m) times vector (m,).

    Examples
    --------
    >>> import autograd
    >>> autograd.mv(autograd.ones(2, 3), autograd.ones(3))
    tensor([3., 3.])
    """
    a, b = _shapes("mv", (input, 2), (vec, 1))
    _fits("mv", a, b, a[1], b[0])
    return _matmul(input, vec)


def bmm(input: Any, mat2: Any) -> Any:
    """Products of matrices in two batches of one size, (b, n, m) and (b, m, p).

    Raises
    ------
    ValueError
        If an operand is not 3-d, or sizes differ; `matmul` broadcasts, this does not.

    Examples
    --------
    >>> import autograd
    >>> autograd.bmm(autograd.ones(5, 2, 3), autograd.ones(5, 3, 4)).shape
    (5, 2, 4)
    """
    a, b = _shapes("bmm", (input, 3), (mat2, 3))
    if a[0] != b[0]:
        raise ValueError(f"bmm: {a} and {b}: the batches differ, {a[0]} and {b[0]}")
    _fits("bmm", a, b, a[2], b[1])
    return _matmul(input, mat2)


def dot(input: Any, tensor: Any) -> Any:
    """Sum of the products of two vectors of one size.

    Examples
    --------
    >>> import autograd
    >>> autograd.dot(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0]))
    tensor(11.)
    """
    a, b = _shapes("dot", (input, 1), (tensor, 1))
    _fits("dot", a, b, a[0], b[0])
    return _matmul(input, tensor)


def inner(input: Any, other: Any) -> Any:
    """Sum of products over the last dimension of both; with a 0-d operand, the plain product.

    Examples
    --------
    >>> import autograd
    >>> autograd.inner(autograd.ones(2, 3), autograd.ones(4, 3)).shape
    (2, 4)
    """
    a, b = shape_of(input, "inner"), shape_of(other, "inner")
    if not a or not b:
        return input * other
    _fits("inner", a, b, a[-1], b[-1])
    return tensordot(input, other, ([-1], [-1]))


def outer(input: Any, vec2: Any) -> Any:
    """All products of the elements of two vectors: (n,) and (m,) give (n, m).

    Examples
    --------
    >>> import autograd
    >>> autograd.outer(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    _shapes("outer", (input, 1), (vec2, 1))
    return unsqueeze(input, 1) * vec2


ger = outer


def kron(input: Any, other: Any) -> Any:
    """Kronecker product: every element of `input` times the whole of `other`, as blocks.

    Operands of fewer dimensions count as having leading ones of size one.

    Examples
    --------
    >>> import autograd
    >>> autograd.kron(autograd.tensor([1.0, 10.0]), autograd.tensor([1.0, 2.0]))
    tensor([ 1.,  2., 10., 20.])
    """
    a, b = shape_of(input, "kron"), shape_of(other, "kron")
    ndim = max(len(a), len(b))
    a, b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    left = _reshape(input, shape=tuple(size for n in a for size in (n, 1)))
    right = _reshape(other, shape=tuple(size for n in b for size in (1, n)))
    return _reshape(left * right, shape=tuple(n * m for n, m in zip(a, b, strict=True)))


@contraction(
    lambda g, y, a, b, dim: _cross(b, g, dim=dim),  # pyright: ignore[reportGeneralTypeIssues]
    lambda g, y, a, b, dim: _cross(g, a, dim=dim),  # pyright: ignore[reportGeneralTypeIssues]
    saves=("b", "a"),
    infer=lambda a, b, *, dim: Spec(np.broadcast_shapes(a.shape, b.shape), promoted((a, b))),
    formula=("cross(a, b)", "cross(b, g)", "cross(g, a)"),
)
def _cross(a, b, /, *, dim):
    first, second = np.roll(a, -1, dim), np.roll(b, -1, dim)
    return first * np.roll(b, -2, dim) - np.roll(a, -2, dim) * second


_cross.op.samples = lambda draw: [
    ((draw((2, 3)), draw((2, 3))), {"dim": 1}),
    ((draw((3, 1)), draw((3, 2))), {"dim": 0}),
]


def cross(input: Any, other: Any, dim: int | None = None, *, axis: int | None = None) -> Any:
    """Cross product of vectors of three elements along `dim`; other dimensions broadcast.

    Parameters
    ----------
    input, other : Tensor
    dim : int, optional
        Default: the first dimension of size three.

    Raises
    ------
    ValueError
        If there is no such dimension, it is not of size three, or numbers of dimensions differ.

    Examples
    --------
    >>> import autograd
    >>> autograd.cross(autograd.tensor([1.0, 0.0, 0.0]), autograd.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    a, b = shape_of(input, "cross"), shape_of(other, "cross")
    if len(a) != len(b):
        raise ValueError(f"cross: expected operands of as many dimensions, met {a} and {b}")
    given = dim if axis is None else axis
    if given is None:
        both = np.broadcast_shapes(a, b)
        if 3 not in both:
            raise ValueError(f"cross: no dimension is of size 3, met {a} and {b}")
        given = both.index(3)
    at = dim_of("cross", given, len(a))
    if not a or a[at] != 3 or b[at] != 3:
        raise ValueError(f"cross: dim {given} must be of size 3, met {a} and {b}")
    return _cross(input, other, dim=at)


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Sum of products over several dimensions at once.

    Parameters
    ----------
    a, b : Tensor
    dims : int or pair of sequences of int
        Sum over the last `dims` of a and the first of b; or over the named ones of a and of b.

    Raises
    ------
    ValueError
        If the sizes summed over differ.

    Examples
    --------
    >>> import autograd
    >>> autograd.tensordot(autograd.ones(2, 3, 4), autograd.ones(3, 4, 5)).shape
    (2, 5)
    >>> autograd.tensordot(autograd.ones(2, 3), autograd.ones(2, 4), ([0], [0])).shape
    (3, 4)
    """
    left, right = shape_of(a, "tensordot"), shape_of(b, "tensordot")
    if isinstance(dims, Variable):
        dims = dims.value.tolist()
    if hasattr(dims, "__index__"):
        count = dims.__index__()
        if not 0 <= count <= min(len(left), len(right)):
            raise ValueError(f"tensordot: dims={count} does not fit {left} and {right}")
        dims = (range(len(left) - count, len(left)), range(count))
    pair = [[d] if hasattr(d, "__index__") else list(d) for d in dims]
    if len(pair) != 2 or len(pair[0]) != len(pair[1]):
        raise ValueError(f"tensordot: dims must name as many of a as of b, met {dims}")
    mine = [dim_of("tensordot", d, len(left)) for d in pair[0]]
    other = [dim_of("tensordot", d, len(right)) for d in pair[1]]
    if len(set(mine)) != len(mine) or len(set(other)) != len(other):
        raise ValueError(f"tensordot: a dimension appears twice in dims={dims}")
    for i, j in zip(mine, other, strict=True):
        if left[i] == 1 != right[j]:  # as PyTorch: a size of one goes with any
            b = sum(b, j, keepdim=True)
        elif right[j] == 1 != left[i]:
            a = sum(a, i, keepdim=True)
        else:
            _fits("tensordot", left, right, left[i], right[j])
    left, right = a.shape, b.shape
    rest = [i for i in range(len(left)) if i not in mine]
    more = [i for i in range(len(right)) if i not in other]
    summed = int(np.prod([left[i] for i in mine], dtype=np.int64))
    rows = tuple(left[i] for i in rest)
    columns = tuple(right[i] for i in more)
    x = _reshape(_permute(a, dims=(*rest, *mine)), shape=(_count(rows), summed))
    w = _reshape(_permute(b, dims=(*other, *more)), shape=(summed, _count(columns)))
    return _reshape(_matmul(x, w), shape=(*rows, *columns))


def _count(sizes: Sizes) -> int:
    return int(np.prod(sizes, dtype=np.int64))


# --- Sums of a tensor and a product ---------------------------------------------------------------


def _scaled_sum(who: str, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """``beta * input + alpha * product``; with beta 0 the input counts not at all, NaN or not."""
    shape, goal = shape_of(input, who), product.shape
    extra = len(goal) - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, goal[extra:], strict=True)):
        raise ValueError(f"{who}: input {shape} does not broadcast to the product's {goal}")
    whole = promoted((input, product)).kind != "f"
    if whole and any(isinstance(v, float) for v in (beta, alpha)):
        raise TypeError(f"{who}: beta and alpha must be integers for operands of integers")
    if not (isinstance(alpha, int) and alpha == 1):
        product = product * alpha
    if beta == 0:
        return product + where(np.False_, input, 0)
    return product + (input if isinstance(beta, int) and beta == 1 else input * beta)


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)``; `input` broadcasts to the product.

    Examples
    --------
    >>> import autograd
    >>> autograd.addmm(autograd.ones(2), autograd.ones(2, 3), autograd.ones(3, 2), alpha=2)
    tensor([[7., 7.],
            [7., 7.]])
    """
    a, b = _shapes("addmm", (mat1, 2), (mat2, 2))
    _fits("addmm", a, b, a[1], b[0])
    return _scaled_sum("addmm", input, _matmul(mat1, mat2), beta, alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat @ vec)``; `input` broadcasts to the product.

    Examples
    --------
    >>> import autograd
    >>> autograd.addmv(autograd.ones(2), autograd.ones(2, 3), autograd.ones(3))
    tensor([4., 4.])
    """
    a, b = _shapes("addmv", (mat, 2), (vec, 1))
    _fits("addmv", a, b, a[1], b[0])
    return _scaled_sum("addmv", input, _matmul(mat, vec), beta, alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * outer(vec1, vec2)``; `input` broadcasts to the product.

    Examples
    --------
    >>> import autograd
    >>> autograd.addr(autograd.zeros(2, 2), autograd.tensor([1.0, 2.0]), autograd.ones(2))
    tensor([[1., 1.],
            [2., 2.]])
    """
    _shapes("addr", (vec1, 1), (vec2, 1))
    return _scaled_sum("addr", input, unsqueeze(vec1, 1) * vec2, beta, alpha)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * bmm(batch1, batch2)``; `input` broadcasts to the products.

    Examples
    --------
    >>> import autograd
    >>> a, b = autograd.ones(5, 2, 3), autograd.ones(5, 3, 4)
    >>> autograd.baddbmm(autograd.ones(4), a, b).shape
    (5, 2, 4)
    """
    return _scaled_sum("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (sum of the products of two batches of matrices)``.

    Examples
    --------
    >>> import autograd
    >>> a, b = autograd.ones(5, 2, 3), autograd.ones(5, 3, 4)
    >>> autograd.addbmm(autograd.zeros(2, 4), a, b)[0]
    tensor([15., 15., 15., 15.])
    """
    a, b = _shapes("addbmm", (batch1, 3), (batch2, 3))
    if a[0] != b[0]:
        raise ValueError(f"addbmm: {a} and {b}: the batches differ, {a[0]} and {b[0]}")
    _fits("addbmm", a, b, a[2], b[1])
    # One product over batch and inner dimension together.
    left = _reshape(_permute(batch1, dims=(1, 0, 2)), shape=(a[1], a[0] * a[2]))
    product = _matmul(left, _reshape(batch2, shape=(b[0] * b[1], b[2])))
    return _scaled_sum("addbmm", input, product, beta, alpha)
