"""``np.concatenate([tensor, array])``: NumPy's array functions as functions of ours.

Arguments are NumPy's and so is what comes back (an array, not an array with its indices; variance
over n; a list from `split`); dtypes and gradients are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..families import shape_of
from ..graph import Variable
from ..ops import (
    arithmetic,
    cumulative,
    diagonals,
    distinct,
    extremes,
    gathering,
    join,
    linalg,
    logic,
    products,
    rearrange,
    reduce,
    rounding,
    shape,
    statistics,
    trigonometry,
    views,
)
from . import folding, moving
from .calling import call, foreign, missing, operands, ours
from .ufuncs import vecdot

sum_of = folding.summing(reduce.sum)
prod_of = folding.summing(cumulative.prod)
mean_of = folding.summing(reduce.mean)
amax_of = folding.folding(extremes.amax)
amin_of = folding.folding(extremes.amin)
all_of = folding.folding(reduce.all)
any_of = folding.folding(reduce.any)

NAMED: dict[str, Callable[..., Any]] = {
    # Folding dimensions away.
    "sum": sum_of,
    "prod": prod_of,
    "mean": mean_of,
    "nansum": folding.summing(reduce.nansum),
    "nanmean": folding.summing(reduce.nanmean),
    "max": amax_of,
    "amax": amax_of,
    "min": amin_of,
    "amin": amin_of,
    "all": all_of,
    "any": any_of,
    "count_nonzero": folding.folding(reduce.count_nonzero),
    "argmax": folding.folding(extremes.argmax),
    "argmin": folding.folding(extremes.argmin),
    "std": folding.spread(statistics.std),
    "var": folding.spread(statistics.var),
    "ptp": folding.ptp,
    "average": folding.average,
    "median": folding.median,
    # Running along them.
    "cumsum": folding.scanning(cumulative.cumsum),
    "cumprod": folding.scanning(cumulative.cumprod),
    "cumulative_sum": folding.cumulative_sum,
    "cumulative_prod": folding.cumulative_prod,
    "diff": folding.diff,
    "sort": folding.sort,
    "argsort": folding.argsort,
    "searchsorted": folding.searchsorted,
    "unique": folding.unique,
    # Each element.
    "clip": folding.clip,
    "round": lambda a, decimals=0: rounding.round(a, decimals=decimals),
    "around": lambda a, decimals=0: rounding.round(a, decimals=decimals),
    "fix": rounding.trunc,
    "sinc": trigonometry.sinc,
    "nan_to_num": lambda x, copy=True, nan=0.0, posinf=None, neginf=None: rounding.nan_to_num(
        x, nan, posinf, neginf
    ),
    "copy": arithmetic.clone,
    "astype": lambda x, dtype, copy=True: arithmetic.cast(x, np.dtype(dtype)),
    "where": moving.where,
    "isclose": moving.isclose,
    # Other shapes of the same elements.
    "reshape": moving.reshape,
    "ravel": folding.line,
    "transpose": moving.transpose,
    "permute_dims": moving.transpose,
    "matrix_transpose": shape.mT,
    "swapaxes": views.swapaxes,
    "moveaxis": views.moveaxis,
    "expand_dims": moving.expand_dims,
    "squeeze": moving.squeeze,
    "broadcast_to": views.broadcast_to,
    "broadcast_arrays": moving.broadcast_arrays,
    "atleast_1d": views.atleast_1d,
    "atleast_2d": views.atleast_2d,
    "atleast_3d": views.atleast_3d,
    "flip": moving.flip,
    "fliplr": rearrange.fliplr,
    "flipud": rearrange.flipud,
    "roll": moving.roll,
    "rot90": lambda m, k=1, axes=(0, 1): rearrange.rot90(m, k, axes),
    "repeat": moving.repeat,
    "tile": moving.tile,
    "pad": moving.pad,
    # Joining and splitting.
    "concatenate": moving.concatenate,
    "concat": moving.concatenate,
    "append": moving.append,
    "stack": moving.stack,
    "hstack": lambda tup: join.hstack(operands(*tup)),
    "vstack": lambda tup: join.vstack(operands(*tup)),
    "dstack": lambda tup: join.dstack(operands(*tup)),
    "column_stack": lambda tup: join.column_stack(operands(*tup)),
    "split": moving.split,
    "array_split": moving.array_split,
    "hsplit": lambda ary, indices_or_sections: list(join.hsplit(ary, indices_or_sections)),
    "vsplit": lambda ary, indices_or_sections: list(join.vsplit(ary, indices_or_sections)),
    "dsplit": lambda ary, indices_or_sections: list(join.dsplit(ary, indices_or_sections)),
    "unstack": lambda x, axis=0: join.unbind(x, axis),
    "meshgrid": moving.meshgrid,
    # By number.
    "take": folding.take,
    "take_along_axis": folding.take_along_axis,
    "nonzero": lambda a: gathering.nonzero(a, as_tuple=True),
    "argwhere": distinct.argwhere,
    "flatnonzero": moving.flatnonzero,
    "isin": moving.isin,
    "diag": lambda v, k=0: diagonals.diag(v, k),
    "diagflat": lambda v, k=0: diagonals.diagflat(v, k),
    "diagonal": lambda a, offset=0, axis1=0, axis2=1: diagonals.diagonal(a, offset, axis1, axis2),
    "tril": lambda m, k=0: diagonals.tril(m, k),
    "triu": lambda m, k=0: diagonals.triu(m, k),
    "trace": moving.trace,
    # Filling.
    "zeros_like": moving.filled("zeros_like"),
    "ones_like": moving.filled("ones_like"),
    "empty_like": moving.filled("empty_like"),
    "full_like": moving.full_like,
    # Products.
    "dot": moving.dot,
    "vdot": lambda a, b: products.dot(folding.line(a), folding.line(b)),
    "inner": lambda a, b: products.inner(*operands(a, b)),
    "outer": moving.outer,
    "tensordot": moving.tensordot,
    "einsum": moving.einsum_of,
    "kron": lambda a, b: products.kron(*operands(a, b)),
    "cross": moving.cross,
    "linalg.norm": folding.norm,
    "linalg.vector_norm": folding.vector_norm,
    "linalg.matrix_norm": folding.matrix_norm,
    "linalg.matmul": lambda x1, x2: linalg.matmul(*operands(x1, x2)),
    "linalg.vecdot": vecdot,
    "linalg.outer": moving.outer,
    "linalg.tensordot": moving.tensordot,
    "linalg.cross": moving.cross,
    "linalg.multi_dot": moving.multi_dot,
    "linalg.matrix_transpose": shape.mT,
    "linalg.trace": moving.matrix_trace,
    "linalg.diagonal": lambda x, offset=0: diagonals.diagonal(x, offset, -2, -1),
    # Questions, whose answers are not arrays.
    "shape": lambda a: shape_of(a, "np.shape"),
    "ndim": lambda a: len(shape_of(a, "np.ndim")),
    "size": moving.size,
    "result_type": moving.result_type,
    "iscomplexobj": lambda x: False,
    "isrealobj": lambda x: True,
    "array_equal": lambda a1, a2: logic.equal(*moving.alike(a1, a2)),
    "allclose": moving.allclose,
}
"""Name of a function in NumPy -> what answers for it, with parameters of NumPy's names."""


def _found(path: str) -> Any:
    where = np.linalg if path.startswith("linalg.") else np
    return getattr(where, path.rpartition(".")[2], None)


FUNCTIONS = {_found(name): (f"np.{name}", adapter) for name, adapter in NAMED.items()}
"""The same by the function itself; an older NumPy has not all of them."""

VALUES = frozenset(
    {
        np.save,
        np.savez,
        np.savez_compressed,
        np.savetxt,
        np.array_repr,
        np.array_str,
        np.array2string,
        np.shares_memory,
        np.may_share_memory,
        np.histogram,
        np.histogram2d,
        np.histogramdd,
        np.histogram_bin_edges,
        np.bincount,
        np.digitize,
        np.lexsort,
        np.ix_,
        np.linspace,
        np.logspace,
        np.geomspace,
    }
)
"""Functions that write, print, count or place: they get the values, and raise for a tensor that
requires grad; what they return is NumPy's."""


def answer(function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What ``__array_function__`` of a tensor says: the result of our function."""
    known = (Variable, np.ndarray, np.generic)
    if not all(issubclass(kind, known) for kind in types) or foreign(args):
        return NotImplemented
    into_an_array = function is np.copyto and not isinstance(args[0] if args else None, Variable)
    if function in VALUES or into_an_array:
        return function(*map(_values, args), **{k: _values(v) for k, v in kwargs.items()})
    name, adapter = FUNCTIONS.get(function, ("", None))
    if adapter is None:
        module = function.__module__.removeprefix("numpy").lstrip(".")
        raise missing(f"np.{module + '.' if module else ''}{function.__name__}")
    if not kwargs and len(args) == 1:  # nothing to be told apart, and the most frequent call
        return ours(adapter(*args))
    return call(name, function, adapter, args, kwargs)


def _values(argument: Any) -> Any:
    return np.asarray(argument) if isinstance(argument, Variable) else argument
