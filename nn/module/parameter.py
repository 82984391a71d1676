"""Parameter and Buffer: the tensors that a module holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, get_default_dtype
from autograd.graph import wrap
from autograd.printing import tensor_text


class Parameter(Tensor):
    """
    A tensor that a module learns: assigned to an attribute of a `Module`, it registers itself.

    Results of operations on it are plain Tensors.

    Parameters
    ----------
    data : Tensor, ndarray, number or nested sequence, optional
        Shared, not copied, if it is a Tensor or an ndarray. Default: an empty tensor.
    requires_grad : bool, default True

    Raises
    ------
    TypeError
        If `data` are not floating-point and `requires_grad` is true.

    Examples
    --------
    >>> import autograd
    >>> Parameter(autograd.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()
    role = "parameter"

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        super().__init__(np.empty(0, get_default_dtype()) if data is None else data, requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + _text(self)


class Buffer(Tensor):
    """
    A tensor that belongs to a module's state but is not learned: assigned, it registers itself.

    Parameters
    ----------
    data : Tensor, ndarray, number or nested sequence
        Shared, not copied, if it is a Tensor or an ndarray.
    persistent : bool, default True
        Whether the buffer is part of `Module.state_dict`.

    Examples
    --------
    >>> import autograd, nn
    >>> module = nn.Module()
    >>> module.steps = Buffer(autograd.zeros(1))
    >>> list(module.state_dict())
    ['steps']
    """

    persistent = True
    role = "buffer"

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(np.empty(0, get_default_dtype()) if data is None else data)
        self.persistent = persistent

    def __repr__(self) -> str:
        return _text(self)


def _text(tensor: Tensor) -> str:
    return tensor_text(wrap(tensor.value, tensor.node, tensor.requires_grad))


def factory(who: str, device: Any, dtype: Any) -> np.dtype[Any]:
    """Read the `device` and `dtype` arguments of a layer: the dtype of its parameters.

    `device` stands in PyTorch's signatures; here there is one device.
    """
    if device is not None and str(device) != "cpu":
        raise ValueError(f"{who}: device {device!r} does not exist here; 'cpu' is the only one")
    wanted = get_default_dtype() if dtype is None else np.dtype(dtype)
    if wanted.kind != "f":
        raise TypeError(f"{who}: parameters need a floating-point dtype, not {wanted}")
    return wanted
