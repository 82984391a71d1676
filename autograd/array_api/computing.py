"""Functions that the array API standard defines in other words than PyTorch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..ops import arithmetic, diagonals, distinct, extremes, gathering, sorting, statistics
from ..protocols import moving
from .making import sizes_of


def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    """The same elements in another shape, in memory of their own if `copy` is true.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.reshape(xp.arange(4), (2, -1))
    tensor([[0, 1],
            [2, 3]])
    """
    result = moving.reshape(x, sizes_of(shape))
    if copy:
        return arithmetic.clone(result)
    if copy is False and not np.shares_memory(result.array(), x.array()):
        raise ValueError(f"reshape: {x.shape} cannot be {shape} without a copy")
    return result


def max(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest elements.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.max(xp.asarray([[1.0, 5.0], [7.0, 2.0]]), axis=1)
    tensor([5., 7.])
    """
    return extremes.amax(x, axis, keepdims)


def min(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Smallest elements.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.min(xp.asarray([[1.0, 5.0], [7.0, 2.0]]), axis=1)
    tensor([1., 2.])
    """
    return extremes.amin(x, axis, keepdims)


def var(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """Variance: the sum of squares over n less `correction`.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.var(xp.asarray([1.0, 3.0]))
    tensor(1.)
    """
    return statistics.var(x, axis, correction=correction, keepdim=keepdims)


def std(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """Standard deviation, the root of `var`.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.std(xp.asarray([1.0, 3.0]))
    tensor(1.)
    """
    return statistics.std(x, axis, correction=correction, keepdim=keepdims)


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Sorted elements.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.sort(xp.asarray([3, 1, 2]), descending=True)
    tensor([3, 2, 1])
    """
    return sorting.sort(x, axis, descending, stable=stable).values


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Where the sorted elements stand.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.argsort(xp.asarray([3, 1, 2]))
    tensor([1, 2, 0])
    """
    return sorting.argsort(x, axis, descending, stable=stable)


def tril(x: Any, /, *, k: int = 0) -> Any:
    """The part of matrices on and below the diagonal number `k`.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.tril(xp.ones((2, 2)))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return diagonals.tril(x, k)


def triu(x: Any, /, *, k: int = 0) -> Any:
    """The part of matrices on and above the diagonal number `k`.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.triu(xp.ones((2, 2)))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return diagonals.triu(x, k)


def nonzero(x: Any, /) -> Any:
    """Places of what is not zero, one tensor of indices for each dimension.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.nonzero(xp.asarray([0, 5, 6]))
    (tensor([1, 2]),)
    """
    return gathering.nonzero(x, as_tuple=True)


# --- Sets -------------------------------------------------------------------------------------


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /) -> UniqueAll:
    """Distinct elements, where each stands first, the place of every element, and how many.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.unique_all(xp.asarray([3, 1, 3])).indices
    tensor([1, 0])
    """
    values, inverse, counts = distinct.unique(x, True, True, True)
    order = sorting.argsort(inverse.reshape(-1), stable=True)
    starts = counts.cumsum(0) - counts
    return UniqueAll(values, order[starts], inverse, counts)


def unique_counts(x: Any, /) -> UniqueCounts:
    """Distinct elements, and how many there are of each.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.unique_counts(xp.asarray([3, 1, 3])).counts
    tensor([1, 2])
    """
    return UniqueCounts(*distinct.unique(x, return_counts=True))


def unique_inverse(x: Any, /) -> UniqueInverse:
    """Distinct elements, and the place of every element among them.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.unique_inverse(xp.asarray([3, 1, 3])).inverse_indices
    tensor([1, 0, 1])
    """
    return UniqueInverse(*distinct.unique(x, return_inverse=True))


def unique_values(x: Any, /) -> Any:
    """Distinct elements in ascending order.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.unique_values(xp.asarray([3, 1, 3]))
    tensor([1, 3])
    """
    return distinct.unique(x)
