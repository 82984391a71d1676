"""Tensors from data or a formula, as the array API standard asks for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import creation
from ..dtypes import get_default_dtype
from ..ops import arithmetic
from ..protocols import exchange
from ..protocols.exchange import on_cpu
from ..tensor import Tensor, to_array


def sizes_of(given: Any) -> tuple[int, ...]:
    """A shape, of which the standard also lets a single int be one."""
    return tuple(given) if isinstance(given, list | tuple) else (given,)


def asarray(
    obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
) -> Tensor:
    """A tensor of `obj`, in its memory unless `copy` is true or another dtype is asked for.

    Raises
    ------
    ValueError
        If `copy` is False and there is no way without one; or for another device.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.asarray([1.0, 2.0])
    tensor([1., 2.])
    """
    on_cpu("asarray", device)
    if isinstance(obj, Tensor):
        result = obj if dtype is None else obj.to(dtype)
    else:
        result = Tensor(to_array(obj, dtype))
    if copy:
        return arithmetic.clone(obj) if result is obj else Tensor(np.array(result.array()))
    raw = obj if isinstance(obj, np.ndarray | np.generic) else None
    shared = result is obj or (raw is not None and np.shares_memory(result.array(), raw))
    if copy is False and not shared:
        raise ValueError(f"asarray: {type(obj).__name__} cannot be a tensor without a copy")
    return result


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Numbers from `start` up to, not including, `stop`; none where no steps lead there.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.arange(1, 6, 2)
    tensor([1, 3, 5])
    """
    on_cpu("arange", device)
    if stop is None:
        start, stop = 0, start
    if step and (stop - start) * step < 0:
        stop = start
    return creation.arange(start, stop, step, dtype=dtype)


def linspace(
    start: float,
    stop: float,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
) -> Tensor:
    """`num` evenly spaced numbers, the last of them `stop` or, without `endpoint`, one before.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.linspace(0, 1, 2, endpoint=False)
    tensor([0.0000, 0.5000])
    """
    on_cpu("linspace", device)
    values = np.linspace(start, stop, num, endpoint=endpoint)
    return Tensor(values.astype(dtype or get_default_dtype()))


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Tensor:
    """Ones on the diagonal number `k`, zeros beside it.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.eye(2, k=1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    on_cpu("eye", device)
    return Tensor(np.eye(n_rows, n_cols, k, dtype or get_default_dtype()))


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros in a shape.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.zeros(2)
    tensor([0., 0.])
    """
    on_cpu("zeros", device)
    return creation.zeros(sizes_of(shape), dtype=dtype)


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones in a shape.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.ones((2, 1)).shape
    (2, 1)
    """
    on_cpu("ones", device)
    return creation.ones(sizes_of(shape), dtype=dtype)


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of a shape, whatever is in its memory.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.empty((2, 3)).shape
    (2, 3)
    """
    on_cpu("empty", device)
    return creation.empty(sizes_of(shape), dtype=dtype)


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """One number in a shape.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.full(2, 7)
    tensor([7, 7])
    """
    on_cpu("full", device)
    return creation.full(sizes_of(shape), fill_value, dtype=dtype)


def zeros_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros in the shape of `x`.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.zeros_like(xp.ones(2))
    tensor([0., 0.])
    """
    on_cpu("zeros_like", device)
    return creation.zeros_like(x, dtype=dtype)


def ones_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones in the shape of `x`.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.ones_like(xp.zeros(2))
    tensor([1., 1.])
    """
    on_cpu("ones_like", device)
    return creation.ones_like(x, dtype=dtype)


def empty_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of the shape of `x`, whatever is in its memory.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.empty_like(xp.zeros(2)).shape
    (2,)
    """
    on_cpu("empty_like", device)
    return creation.empty_like(x, dtype=dtype)


def full_like(x: Tensor, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """One number in the shape of `x`.

    Examples
    --------
    >>> from autograd import array_api as xp
    >>> xp.full_like(xp.zeros(2), 7)
    tensor([7., 7.])
    """
    on_cpu("full_like", device)
    return creation.full_like(x, fill_value, dtype=dtype)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor in the memory of another library's array; see `autograd.from_dlpack`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import array_api as xp
    >>> xp.from_dlpack(np.zeros(2, np.float32))
    tensor([0., 0.])
    """
    return Tensor(exchange.borrow(x, device, copy))
