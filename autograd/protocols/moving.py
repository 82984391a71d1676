"""NumPy's functions that reshape, join, split, fill and multiply, in terms of ours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import promoted
from ..families import dim_of, shape_of
from ..graph import Spec, Variable, wrap
from ..ops import (
    arithmetic,
    diagonals,
    distinct,
    einsum,
    gathering,
    join,
    linalg,
    logic,
    products,
    rearrange,
    reduce,
    shape,
    views,
)
from .calling import operands, refused
from .folding import line


def reshape(a: Any, shape: Any = None, newshape: Any = None) -> Any:
    """Other sizes for the same elements."""
    given = newshape if shape is None else shape
    return _reshape(a, *given) if isinstance(given, list | tuple) else _reshape(a, given)


_reshape = shape.reshape  # whose module a parameter hides above


def transpose(a: Any, axes: Any = None) -> Any:
    """Dimensions in another order; reversed unless told."""
    ndim = len(shape_of(a, "np.transpose"))
    return shape.permute(a, tuple(range(ndim))[::-1] if axes is None else tuple(axes))


def broadcast_arrays(*args: Any) -> Any:
    """Arrays of one shape; as NumPy does it where one of them is None or text."""
    known = (Variable, np.ndarray, np.generic, float, int, list, tuple)
    if not all(isinstance(a, known) for a in args):
        return np.broadcast_arrays(*map(np.asarray, args))
    return views.broadcast_tensors(*operands(*args))


def expand_dims(a: Any, axis: Any) -> Any:
    """Dimensions of size one, where they shall be in the result."""
    axes = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
    ndim = len(shape_of(a, "np.expand_dims")) + len(axes)
    places = sorted(dim_of("np.expand_dims", d, ndim) for d in axes)
    if len(set(places)) != len(places):
        raise ValueError(f"np.expand_dims: a dimension appears twice in axis={axis}")
    for at in places:
        a = shape.unsqueeze(a, at)
    return a


def squeeze(a: Any, axis: Any = None) -> Any:
    """Dimensions of size one taken away."""
    met = shape_of(a, "np.squeeze")
    if axis is not None:
        axis = tuple(axis) if isinstance(axis, list | tuple) else (axis,)
        wide = [d for d in axis if met and met[dim_of("np.squeeze", d, len(met))] != 1]
        if wide:
            raise ValueError(f"np.squeeze: axis {wide[0]} of shape {met} is not of size one")
    return shape.squeeze(a, axis)


def flip(m: Any, axis: Any = None) -> Any:
    """Dimensions read backwards; all of them unless told."""
    if axis is None:
        axis = tuple(range(len(shape_of(m, "np.flip"))))
    return rearrange.flip(m, tuple(axis) if isinstance(axis, list | tuple) else (axis,))


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Elements moved along, those at the end to the beginning."""
    return rearrange.roll(a, shift, () if axis is None else axis)


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element several times."""
    if isinstance(repeats, list | tuple):
        repeats = np.asarray(repeats)
    return rearrange.repeat_interleave(a, repeats, axis)


def tile(A: Any, reps: Any) -> Any:
    """The whole array several times."""
    return rearrange.tile(A, tuple(reps) if isinstance(reps, list | tuple) else (reps,))


def pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    """A border of one number."""
    if mode != "constant":
        raise refused("np.pad", f"mode={mode!r} (autograd.pad has others); mode")
    if not isinstance(constant_values, int | float):
        raise refused("np.pad", "constant_values but one number; constant_values")
    ndim = len(shape_of(array, "np.pad"))
    widths = np.broadcast_to(np.asarray(pad_width), (ndim, 2)).tolist()
    if any(w < 0 for pair in widths for w in pair):
        raise ValueError(f"np.pad: widths must not be negative, met {pad_width}")
    return shape.pad(array, [w for pair in widths[::-1] for w in pair], value=constant_values)


# --- Joining and splitting --------------------------------------------------------------------


def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None) -> Any:
    """Arrays side by side; in one line for axis None."""
    pieces = operands(*arrays)
    if axis is None:
        pieces, axis = tuple([line(p) for p in pieces]), 0
    result = shape.cat(pieces, axis)
    return result if dtype is None else arithmetic.cast(result, np.dtype(dtype))


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Two arrays side by side."""
    return concatenate([arr, values], axis)


def stack(arrays: Any, axis: int = 0) -> Any:
    """Arrays along a new dimension."""
    return shape.stack(operands(*arrays), axis)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Nearly equal pieces, or pieces cut at places."""
    return list(join.tensor_split(ary, indices_or_sections, axis))


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Equal pieces, or pieces cut at places."""
    if hasattr(indices_or_sections, "__index__"):
        met = shape_of(ary, "np.split")
        if met and met[dim_of("np.split", axis, len(met))] % int(indices_or_sections):
            raise ValueError(
                f"np.split: axis {axis} of shape {met} does not split evenly into "
                f"{indices_or_sections}"
            )
    return array_split(ary, indices_or_sections, axis)


def meshgrid(*xi: Any, indexing: str = "xy", copy: bool = True) -> Any:
    """Grids of coordinates, by default with x along the second dimension."""
    return join.meshgrid(*operands(*xi), indexing=indexing)


# --- Filling ----------------------------------------------------------------------------------


def filled(name: str) -> Any:
    """The adapter of zeros_like and its kind: the values do not matter, so nothing is recorded."""
    make = getattr(np, name.removesuffix("_like"))

    def like(a: Any, dtype: Any = None, shape: Any = None) -> Any:
        return wrap(make(_sizes(a, shape), _dtype(a, dtype)))

    return like


def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    """One value everywhere; it may be a tensor, from which a gradient comes."""
    value = fill_value if isinstance(fill_value, Variable) else wrap(np.asarray(fill_value)[()])
    value = arithmetic.cast(value, np.dtype(_dtype(a, dtype)))
    return views.broadcast_to(value, _sizes(a, shape))


def _sizes(a: Any, given: Any) -> Any:
    sizes = shape_of(a, "np") if given is None else given
    return tuple(sizes) if isinstance(sizes, list | tuple) else (sizes,)


def _dtype(a: Any, dtype: Any) -> Any:
    return getattr(a, "dtype", float) if dtype is None else dtype


# --- Products ---------------------------------------------------------------------------------


def dot(a: Any, b: Any) -> Any:
    """NumPy's dot product: over the last dimension of a and the last but one of b."""
    a, b = operands(a, b)
    left, right = shape_of(a, "np.dot"), shape_of(b, "np.dot")
    if not left or not right:
        return arithmetic.mul(a, b)
    if len(right) <= 2:
        return linalg.matmul(a, b)
    return products.tensordot(a, b, ([-1], [-2]))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sums of products over several dimensions."""
    a, b = operands(a, b)
    return products.tensordot(a, b, axes)


def multi_dot(arrays: Any) -> Any:
    """A chain of matrix products, from the left."""
    first, *rest = operands(*arrays)
    for matrix in rest:
        first = linalg.matmul(first, matrix)
    return first


def einsum_of(*operands: Any, optimize: Any = False) -> Any:
    """Sums of products by name; every order of them is tried here in any case."""
    return einsum.einsum(*operands)


def cross(a: Any, b: Any, axis: int = -1) -> Any:
    """Cross products of vectors of three."""
    return products.cross(a, b, axis)


def outer(a: Any, b: Any) -> Any:
    """All products of two lines of elements."""
    a, b = operands(a, b)
    return products.outer(line(a), line(b))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """The sum of a diagonal."""
    return reduce.sum(diagonals.diagonal(a, offset, axis1, axis2), -1, dtype=dtype)


def matrix_trace(x: Any, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of the diagonal of each matrix in the last two dimensions."""
    return trace(x, offset, -2, -1, dtype)


# --- Questions --------------------------------------------------------------------------------


def size(a: Any, axis: Any = None) -> int:
    """Number of elements, or along one dimension."""
    met = shape_of(a, "np.size")
    return math.prod(met) if axis is None else met[dim_of("np.size", axis, len(met))]


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype in which ours compute on operands and dtypes together."""
    raw = [v.value if isinstance(v, Variable) else v for v in arrays_and_dtypes]
    plain = (np.ndarray, np.generic, Spec, float, int)
    return promoted([v if isinstance(v, plain) else Spec((1,), np.dtype(v)) for v in raw])


def where(condition: Any, *sides: Any) -> Any:
    """One of two values; or the places where the condition is true."""
    return gathering.where(*operands(condition), *operands(*sides))


def flatnonzero(a: Any) -> Any:
    """Places in row-major order of what is not zero."""
    return gathering.nonzero(line(a), as_tuple=True)[0]


def isin(
    element: Any, test_elements: Any, invert: bool = False, assume_unique: bool = False
) -> Any:
    """Which elements are among others."""
    return distinct.isin(*operands(element, test_elements), invert=invert)


def alike(*values: Any) -> tuple[Any, ...]:
    """Operands of one dtype: NumPy compares any two."""
    values = operands(*values)
    dtype = result_type(*values)
    return tuple([arithmetic.cast(np.asarray(v) if _bare(v) else v, dtype) for v in values])


def _bare(value: Any) -> bool:
    return isinstance(value, float | int)


def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Which elements are nearly equal."""
    a, b = alike(a, b)
    return logic.isclose(a, b, rtol, atol, equal_nan)


def allclose(
    a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are nearly equal."""
    a, b = alike(a, b)
    return logic.allclose(a, b, rtol, atol, equal_nan)
