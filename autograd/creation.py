"""Tensors from data, or filled with what a formula says."""

from __future__ import annotations

from typing import Any

import numpy as np

from .device import check_device
from .dtypes import get_default_dtype, promoted
from .graph import Variable
from .ops.shape import lengths
from .protocols import exchange
from .tensor import Tensor


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, sharing memory where that is possible.

    Examples
    --------
    >>> import autograd, numpy as np
    >>> autograd.as_tensor(np.zeros(2)).dtype
    dtype('float64')
    """
    check_device("as_tensor", device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return Tensor(data, dtype=dtype)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the memory of an ndarray.

    Examples
    --------
    >>> import autograd, numpy as np
    >>> a = np.zeros(2)
    >>> t = autograd.from_numpy(a)
    >>> a[0] = 5.0
    >>> t
    tensor([5., 0.], dtype=float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an ndarray, not {type(array).__name__}")
    return Tensor(array)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor in the memory of an array of another library, such as PyTorch's or NumPy's.

    Parameters
    ----------
    ext_tensor : object with ``__dlpack__``, or a DLPack capsule
    device : {"cpu"}, optional
    copy : bool, optional
        True: always; False: never; default: only where it must be.

    Raises
    ------
    TypeError
        For anything else, or a dtype that tensors do not have.
    BufferError
        If the memory is not to be had.

    Examples
    --------
    >>> import autograd, numpy as np
    >>> a = np.zeros(2)
    >>> t = autograd.from_dlpack(a)
    >>> a[0] = 5.0
    >>> t
    tensor([5., 0.], dtype=float64)
    """
    return Tensor(exchange.borrow(ext_tensor, device, copy))


def full(
    size: Any,
    fill_value: float,
    *,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """A tensor of shape `size` filled with one number.

    Examples
    --------
    >>> import autograd
    >>> autograd.full((2,), 7.0)
    tensor([7., 7.])
    """
    check_device("full", device)
    if dtype is None:
        kinds = {bool: np.bool_, int: np.int64}
        dtype = kinds.get(type(fill_value), get_default_dtype())
    return Tensor(np.full(lengths("full", (size,)), fill_value, dtype), requires_grad)


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor of zeros.

    Examples
    --------
    >>> import autograd
    >>> autograd.zeros(2)
    tensor([0., 0.])
    """
    check_device("zeros", device)
    return Tensor(np.zeros(lengths("zeros", size), dtype or get_default_dtype()), requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor of ones.

    Examples
    --------
    >>> import autograd
    >>> autograd.ones(2)
    tensor([1., 1.])
    """
    check_device("ones", device)
    return Tensor(np.ones(lengths("ones", size), dtype or get_default_dtype()), requires_grad)


def empty(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """A tensor of a shape, whatever is in its memory.

    Examples
    --------
    >>> import autograd
    >>> autograd.empty(2, 3).shape
    (2, 3)
    """
    check_device("empty", device)
    return Tensor(np.empty(lengths("empty", size), dtype or get_default_dtype()), requires_grad)


def full_like(
    input: Tensor,
    fill_value: float,
    *,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """One number in the shape and dtype of `input`.

    Examples
    --------
    >>> import autograd
    >>> autograd.full_like(autograd.ones(2), 7)
    tensor([7., 7.])
    """
    check_device("full_like", device)
    return Tensor(np.full(input.shape, fill_value, dtype or input.dtype), requires_grad)


def zeros_like(
    input: Tensor, *, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Zeros in the shape and dtype of `input`.

    Examples
    --------
    >>> import autograd
    >>> autograd.zeros_like(autograd.ones(2))
    tensor([0., 0.])
    """
    check_device("zeros_like", device)
    return Tensor(np.zeros(input.shape, dtype or input.dtype), requires_grad)


def ones_like(
    input: Tensor, *, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Ones in the shape and dtype of `input`.

    Examples
    --------
    >>> import autograd
    >>> autograd.ones_like(autograd.zeros(2))
    tensor([1., 1.])
    """
    check_device("ones_like", device)
    return Tensor(np.ones(input.shape, dtype or input.dtype), requires_grad)


def empty_like(
    input: Tensor, *, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """A tensor of the shape and dtype of `input`, whatever is in its memory.

    Examples
    --------
    >>> import autograd
    >>> autograd.empty_like(autograd.zeros(2, 3)).shape
    (2, 3)
    """
    check_device("empty_like", device)
    return Tensor(np.empty(input.shape, dtype or input.dtype), requires_grad)


def scalar_tensor(
    s: float, *, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """A 0-d tensor, of the default dtype unless told otherwise.

    Examples
    --------
    >>> import autograd
    >>> autograd.scalar_tensor(3)
    tensor(3.)
    """
    check_device("scalar_tensor", device)
    return Tensor(np.array(s, dtype or get_default_dtype()), requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Numbers from `start` (0 if there is one argument) up to, not including, `end`.

    Raises
    ------
    ValueError
        If `step` is 0, or leads away from `end`.

    Examples
    --------
    >>> import autograd
    >>> autograd.arange(3)
    tensor([0, 1, 2])
    """
    check_device("arange", device)
    if end is None:
        start, end = 0, start
    if not step or (end - start) * step < 0:
        raise ValueError(f"arange: no steps of {step} lead from {start} to {end}")
    values = np.arange(start, end, step)
    if dtype is None:
        dtype = np.int64 if values.dtype.kind == "i" else get_default_dtype()
    return Tensor(values.astype(dtype), requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """`steps` evenly spaced numbers from `start` to `end`, both included.

    Examples
    --------
    >>> import autograd
    >>> autograd.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    check_device("linspace", device)
    values = np.linspace(start, end, steps)
    return Tensor(values.astype(dtype or get_default_dtype()), requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Ones on the diagonal of `n` rows and `m` (default: `n`) columns, zeros beside it.

    Examples
    --------
    >>> import autograd
    >>> autograd.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_device("eye", device)
    lengths("eye", (n,) if m is None else (n, m))
    return Tensor(np.eye(n, m, dtype=dtype or get_default_dtype()), requires_grad)


def numel(input: Tensor) -> int:
    """Number of elements.

    Examples
    --------
    >>> import autograd
    >>> autograd.numel(autograd.ones(2, 3))
    6
    """
    return input.numel()


def is_tensor(obj: Any) -> bool:
    """Tell whether `obj` is a Tensor.

    Examples
    --------
    >>> import autograd
    >>> autograd.is_tensor(autograd.ones(1)), autograd.is_tensor([1.0])
    (True, False)
    """
    return isinstance(obj, Tensor)


def result_type(tensor1: Any, tensor2: Any) -> np.dtype[Any]:
    """The dtype in which an op computes on two operands: tensors, arrays or numbers.

    Examples
    --------
    >>> import autograd
    >>> autograd.result_type(autograd.ones(2), 3)
    dtype('float32')
    """
    raw = [v.value if isinstance(v, Variable) else v for v in (tensor1, tensor2)]
    return promoted(raw)


def can_cast(from_: Any, to: Any) -> bool:
    """Tell whether PyTorch converts one dtype to another in place: never to a lower kind.

    (The kinds are bool < integer < float.)

    Examples
    --------
    >>> import numpy as np
    >>> can_cast(np.float64, np.float32), can_cast(np.float32, np.int64)
    (True, False)
    """
    rank = {"b": 0, "u": 1, "i": 1, "f": 2}
    return rank[np.dtype(from_).kind] <= rank[np.dtype(to).kind]
