"""Ops that move or repeat elements."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import get_default_dtype, promoted, to_common
from ..families import dim_of, dims_of, movement, only_one, shape_of, simple
from ..graph import Spec
from .border import _border, check_border


def with_axis(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function that takes `dim` take it under the name `axis` too."""

    @functools.wraps(function)
    def call(*args: Any, axis: Any = None, **options: Any) -> Any:
        if axis is not None:
            options["dim"] = only_one(function.__name__, "dim", options.get("dim"), "axis", axis)
        return function(*args, **options)

    return call


def sizes(who: str, given: Any, named: Any = None) -> tuple[int, ...]:
    """Sizes given as ``(2, 3)``, as one sequence ``((2, 3),)``, or by keyword, as `named`."""
    if named is not None:
        if given:
            raise TypeError(f"{who}: give {given} or {named}, not both")
        given = (named,)
    if len(given) == 1 and isinstance(given[0], tuple | list):
        given = given[0]
    try:
        return tuple([n.__index__() for n in given])
    except AttributeError:
        raise TypeError(f"{who}: expected ints, not {tuple(given)}") from None


def lengths(who: str, given: Any) -> tuple[int, ...]:
    """The shape of something new, as `sizes` reads it: none of them may be negative."""
    shape = sizes(who, given)
    if min(shape, default=0) < 0:
        raise ValueError(f"{who}: a size must be at least 0, met {shape}")
    return shape


@movement(lambda g, y, x, shape: _reshape(g, shape=x.shape), formula=("reshape(x)", "reshape(g)"))  # pyright: ignore[reportGeneralTypeIssues]
def _reshape(x, /, *, shape):
    if x.__class__ is float:  # a Scalar becomes a tensor
        return np.full(shape, x, get_default_dtype())
    return x.reshape(shape)


_reshape.op.samples = lambda draw: [((draw((2, 3)),), {"shape": (3, 2)})]


def reshape(input: Any, *sizes_of: Any, shape: Any = None) -> Any:
    """Give the same elements, in row-major order, another shape; a view where possible.

    Parameters
    ----------
    input : Tensor
    *sizes_of : int, or one sequence (also `shape`)
        One entry may be -1: it is worked out from the others.

    Raises
    ------
    ValueError
        If the number of elements differs.

    Examples
    --------
    >>> import autograd
    >>> autograd.reshape(autograd.arange(6), (2, -1)).shape
    (2, 3)
    """
    old = shape_of(input, "reshape")
    new = sizes("reshape", sizes_of, shape)
    count, known = math.prod(old), math.prod(n for n in new if n != -1)
    if new.count(-1) == 1 and known and count % known == 0:
        new = tuple(count // known if n == -1 else n for n in new)
    if min(new, default=0) < 0 or math.prod(new) != count:
        raise ValueError(f"reshape: shape {old} has {count} elements, which do not fill {new}")
    return _reshape(input, shape=new)


def line(input: Any) -> Any:
    """All elements in one dimension."""
    return _reshape(input, shape=(math.prod(shape_of(input, "reshape")),))


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Merge the dimensions from `start_dim` to `end_dim` into one.

    Examples
    --------
    >>> import autograd
    >>> autograd.flatten(autograd.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    shape = shape_of(input, "flatten")
    first = dim_of("flatten", start_dim, len(shape))
    last = dim_of("flatten", end_dim, len(shape))
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    merged = math.prod(shape[first : last + 1])
    return _reshape(input, shape=(*shape[:first], merged, *shape[last + 1 :]))


def _inverse(dims: Sequence[int]) -> tuple[int, ...]:
    return tuple(dims.index(i) for i in range(len(dims)))


@movement(
    lambda g, y, x, dims: _permute(g, dims=_inverse(dims)),  # pyright: ignore[reportGeneralTypeIssues]
    formula=("permute(x)", "permute(g)"),
)
def _permute(x, /, *, dims):
    return x.transpose(dims)


_permute.op.samples = lambda draw: [((draw((2, 3, 4)),), {"dims": (2, 0, 1)})]


def permute(input: Any, *order: Any, dims: Any = None) -> Any:
    """Reorder the dimensions; a view.

    Examples
    --------
    >>> import autograd
    >>> autograd.permute(autograd.zeros(2, 3, 4), (2, 0, 1)).shape
    (4, 2, 3)
    """
    ndim = len(shape_of(input, "permute"))
    new = tuple(dim_of("permute", d, ndim) for d in sizes("permute", order, dims))
    if sorted(new) != list(range(ndim)):
        raise ValueError(f"permute: dims {new} do not name each of {ndim} dimensions once")
    return _permute(input, dims=new)


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Swap two dimensions; a view.

    Examples
    --------
    >>> import autograd
    >>> autograd.transpose(autograd.zeros(2, 3), 0, 1).shape
    (3, 2)
    """
    ndim = len(shape_of(input, "transpose"))
    a, b = dim_of("transpose", dim0, ndim), dim_of("transpose", dim1, ndim)
    order = list(range(ndim))
    if ndim:
        order[a], order[b] = order[b], order[a]
    return _permute(input, dims=tuple(order))


@simple
@movement(lambda g, y, x: mT(g), formula=("T(x)", "T(g)"))  # pyright: ignore[reportGeneralTypeIssues]
def mT(x, /):
    """Swap the last two dimensions; a view.

    Examples
    --------
    >>> import autograd
    >>> autograd.mT(autograd.zeros(2, 3)).shape
    (3, 2)
    """
    if x.ndim < 2:
        raise ValueError(f"mT: expected at least two dimensions, met shape {x.shape}")
    return x.swapaxes(-1, -2)


mT.op.samples = lambda draw: [((draw((2, 3, 4)),), {})]


@movement(
    lambda g, y, x, shape: g, formula=("expand(x)", "sum(g)")
)  # the engine sums over the repeated dimensions
def _expand(x, /, *, shape):
    return np.broadcast_to(x, shape)


_expand.op.samples = lambda draw: [((draw((3, 1)),), {"shape": (2, 3, 4)})]


def expand(input: Any, *sizes_of: Any, size: Any = None) -> Any:
    """Repeat dimensions of size one, without copying; -1 leaves a dimension as it is.

    Raises
    ------
    ValueError
        If a dimension that is not of size one would have to change.

    Examples
    --------
    >>> import autograd
    >>> autograd.expand(autograd.zeros(3, 1), 3, 4).shape
    (3, 4)
    """
    old = shape_of(input, "expand")
    new = sizes("expand", sizes_of, size)
    extra = len(new) - len(old)
    full = tuple(old[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(new))
    fits = extra >= 0 and all(o in (1, n) for o, n in zip(old, full[extra:], strict=True))
    if not fits or min(full, default=0) < 0:
        raise ValueError(f"expand: shape {old} does not expand to {new}")
    if getattr(input, "dtype", float) is float:  # a Scalar or a number
        input = _reshape(input, shape=())
    return _expand(input, shape=full)


def squeeze(input: Any, dim: Any = None, *, axis: Any = None) -> Any:
    """Remove dimensions of size one: all of them, or those of `dim` that are of size one.

    Examples
    --------
    >>> import autograd
    >>> autograd.squeeze(autograd.zeros(1, 3, 1)).shape
    (3,)
    """
    shape = shape_of(input, "squeeze")
    dim = dim if axis is None else only_one("squeeze", "dim", dim, "axis", axis)
    if dim is None:
        chosen = range(len(shape))
    else:
        chosen = dims_of("squeeze", dim, len(shape)) if dim != () else ()
    new = tuple(n for i, n in enumerate(shape) if n != 1 or i not in chosen)
    return _reshape(input, shape=new)


def unsqueeze(input: Any, dim: Any = None, *, axis: int | None = None) -> Any:
    """Insert a dimension of size one before `dim`.

    Examples
    --------
    >>> import autograd
    >>> autograd.unsqueeze(autograd.zeros(2, 3), -1).shape
    (2, 3, 1)
    """
    shape = shape_of(input, "unsqueeze")
    at = dim_of("unsqueeze", dim if axis is None else axis, len(shape) + 1)
    return _reshape(input, shape=(*shape[:at], 1, *shape[at:]))


def _cat_rule(g, y, *tensors, dim):
    pieces, start = [], 0
    for t in tensors:
        stop = start + t.shape[dim]
        pieces.append(_narrow(g, dim=dim, start=start, stop=stop))
        start = stop
    return pieces


def _cat_infer(*specs, dim):
    shape = list(specs[0].shape)
    shape[dim] = sum(s.shape[dim] for s in specs)
    return Spec(shape, promoted(specs))


@movement(
    joint=_cat_rule, infer=_cat_infer, promotes=to_common, formula=("cat(tensors)", "split(g)")
)
def _cat(*tensors, dim):
    return np.concatenate(tensors, axis=dim)


_cat.op.samples = lambda draw: [((draw((2, 3)), draw((2, 1)), draw((2, 2))), {"dim": 1})]


def cat(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Join tensors along an existing dimension.

    Raises
    ------
    ValueError
        If there are none, or their other dimensions differ.

    Examples
    --------
    >>> import autograd
    >>> autograd.cat([autograd.zeros(2, 3), autograd.ones(1, 3)]).shape
    (3, 3)
    """
    tensors = tuple(tensors)
    if not tensors:
        raise ValueError("cat: expected at least one tensor")
    shapes = [shape_of(t, "cat") for t in tensors]
    if (0,) in shapes and any(s != (0,) for s in shapes):  # PyTorch skips the empty vector
        tensors = tuple(t for t, s in zip(tensors, shapes, strict=True) if s != (0,))
        shapes = [s for s in shapes if s != (0,)]
    if not shapes[0]:
        raise ValueError("cat: 0-d tensors have no dimension to join along; use stack")
    at = dim_of("cat", dim if axis is None else axis, len(shapes[0]))
    rest = {(len(s), *s[:at], *s[at + 1 :]) for s in shapes}
    if len(rest) > 1:
        raise ValueError(f"cat: along dim {at} all other dimensions must be equal, met {shapes}")
    return _cat(*tensors, dim=at)


def stack(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Join tensors of one shape along a new dimension.

    Raises
    ------
    ValueError
        If there are none, or their shapes differ.

    Examples
    --------
    >>> import autograd
    >>> autograd.stack([autograd.zeros(3), autograd.ones(3)]).shape
    (2, 3)
    """
    tensors = tuple(tensors)
    shapes = {shape_of(t, "stack") for t in tensors}
    if len(shapes) != 1:
        raise ValueError(f"stack: expected tensors of one shape, met {sorted(shapes)}")
    at = dim_of("stack", dim if axis is None else axis, len(shapes.pop()) + 1)
    return _cat(*(unsqueeze(t, at) for t in tensors), dim=at)


def _narrow_shape(shape, dim, start, stop):
    return (*shape[:dim], stop - start, *shape[dim + 1 :])


@movement(
    lambda g, y, x, dim, start, stop: _pad(  # pyright: ignore[reportGeneralTypeIssues]
        g,
        widths=tuple(
            (start, x.shape[dim] - stop) if i == dim else (0, 0) for i in range(len(x.shape))
        ),
        value=0.0,
    ),
    formula=("x[start:stop]", "pad(g)"),
)
def _narrow(x, /, *, dim, start, stop):
    return x[(slice(None),) * dim + (slice(start, stop),)]


_narrow.op.samples = lambda draw: [((draw((2, 5)),), {"dim": 1, "start": 1, "stop": 3})]


def _unpad(g, widths, shape):
    for i, (n, (before, _)) in enumerate(zip(shape, widths, strict=True)):
        if g.shape[i] != n:
            g = _narrow(g, dim=i, start=before, stop=before + n)  # pyright: ignore[reportGeneralTypeIssues]
    return g


@movement(
    lambda g, y, x, widths, value: _unpad(g, widths, x.shape),
    infer=lambda x, *, widths, value: Spec(
        [n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)], x.dtype
    ),
    formula=("pad(x)", "crop(g)"),
)
def _pad(x, /, *, widths, value):
    y = np.full([n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)], value, x.dtype)
    y[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True))] = x
    return y


_pad.op.samples = lambda draw: [((draw((2, 3)),), {"widths": ((1, 0), (2, 1)), "value": 0.5})]


def _cut(input: Any, pairs: Sequence[tuple[int, int]], widths: tuple[int, ...]) -> Any:
    """Take off what negative widths say."""
    shape = input.shape
    for i, (a, b) in enumerate(pairs):
        if a < 0 or b < 0:
            size = shape[i] + min(a, 0) + min(b, 0)
            if size < 0:
                raise ValueError(f"pad: widths {widths} cut more than shape {shape} has")
            input = _narrow(input, dim=i, start=-min(a, 0), stop=-min(a, 0) + size)
    return input


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Put a border around the last dimensions.

    Parameters
    ----------
    input : Tensor
    pad : sequence of int
        ``(last_before, last_after, second_last_before, ...)``, as in PyTorch. A negative width
        cuts elements off.
    mode : {"constant", "reflect", "replicate", "circular"}
        Fill with `value`; mirror at the edge, which is not repeated; repeat the edge; or go on at
        the other end. All but "constant" are for the last 1, 2 or 3 dimensions, with one or two
        more in front.
    value : float, optional
        What to fill with (0).

    Raises
    ------
    ValueError
        If there are more pairs than dimensions, an odd number of widths, an unknown mode, more
        is cut than there is, or a border is wider than the mode can fill.

    Examples
    --------
    >>> import autograd
    >>> autograd.pad(autograd.ones(2), (1, 2))
    tensor([0., 1., 1., 0., 0.])
    >>> autograd.pad(autograd.tensor([[1.0, 2.0, 3.0]]), (2, 1), mode="reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise ValueError(
            f"pad: mode {mode!r} is unknown; expected 'constant', 'reflect', 'replicate' or "
            "'circular'"
        )
    if mode != "constant" and value:
        raise ValueError(f"pad: mode {mode!r} takes no value")
    shape = shape_of(input, "pad")
    widths = sizes("pad", (tuple(pad),))
    if len(widths) % 2 or len(widths) > 2 * len(shape):
        raise ValueError(
            f"pad: expected a pair of widths for each of at most {len(shape)} dimensions, "
            f"met {widths}"
        )
    pairs = [(0, 0)] * (len(shape) - len(widths) // 2)
    pairs += [(widths[i], widths[i + 1]) for i in range(len(widths) - 2, -1, -2)]
    if any(n + a + b < 0 for n, (a, b) in zip(shape, pairs, strict=True)):
        raise ValueError(f"pad: widths {widths} cut more than shape {shape} has")
    grown = tuple((max(a, 0), max(b, 0)) for a, b in pairs)
    if mode == "constant":
        return _pad(_cut(input, pairs, widths), widths=grown, value=0.0 if value is None else value)
    check_border(shape, widths, pairs, mode)
    if mode == "circular":
        return _border(_cut(input, pairs, widths), widths=grown, mode=mode)
    # A reflection sees what is cut off at the other end.
    return _cut(_border(input, widths=grown, mode=mode), pairs, widths)
