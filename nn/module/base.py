"""Module: the base class of layers and models."""

from __future__ import annotations

import itertools
from typing import Any, Self

import numpy as np

from autograd import Tensor

from .hooks import Hooked
from .state import State
from .uninitialized import is_lazy


class Module(Hooked, State):
    """
    Base class of every layer and model: parameters, buffers, submodules, and a `forward`.

    Assigning a `Parameter`, a `Module` or a `Buffer` to an attribute registers it; `del`
    unregisters it. Names, order and keys are PyTorch's.

    Attributes
    ----------
    training : bool
        Set by `train` and `eval`; read by layers such as Dropout.

    Examples
    --------
    >>> import autograd, nn
    >>> class Affine(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.scale = nn.Parameter(autograd.ones(1))
    ...         self.shift = nn.Parameter(autograd.zeros(1))
    ...
    ...     def forward(self, x):
    ...         return x * self.scale + self.shift
    >>> model = Affine()
    >>> [name for name, _ in model.named_parameters()]
    ['scale', 'shift']
    >>> model(autograd.tensor([2.0])).sum().backward()
    >>> model.scale.grad
    tensor([2.])
    """

    def __init__(self) -> None:
        super().__init__()

    def train(self, mode: bool = True) -> Self:
        """
        Set the whole tree to training mode (or, with False, to evaluation mode).

        Raises
        ------
        ValueError
            If `mode` is no bool.

        Examples
        --------
        >>> import nn
        >>> nn.Dropout().train(False).training
        False
        """
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, not {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """
        Set the whole tree to evaluation mode.

        Examples
        --------
        >>> import nn
        >>> nn.Dropout().eval().training
        False
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """
        Let every parameter record operations, or (False) freeze them.

        Examples
        --------
        >>> import nn
        >>> nn.Linear(1, 1).requires_grad_(False).weight.requires_grad
        False
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """
        Forget the gradients of every parameter.

        Parameters
        ----------
        set_to_none : bool, default True
            False overwrites them with zeros instead.

        Examples
        --------
        >>> import autograd, nn
        >>> layer = nn.Linear(1, 1)
        >>> layer(autograd.ones(1, 1)).sum().backward()
        >>> layer.zero_grad()
        >>> layer.weight.grad is None
        True
        """
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is None:
                continue
            if set_to_none:
                parameter.grad = None
                continue
            if grad.requires_grad:
                parameter.grad = grad = grad.detach()
            grad.zero_()

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """
        Convert floating-point parameters, their gradients, and buffers to a dtype, in place.

        Called as ``to(dtype)``, ``to(tensor)`` (for its dtype), ``to(device, dtype)`` or by the
        keywords `device`, `dtype`, `non_blocking`; the one device is "cpu". Integer buffers stay
        as they are. A graph that was recorded before goes on with the old values: call this
        between steps, not inside one.

        Raises
        ------
        TypeError
            If the dtype is not a floating-point type, or an argument is none of these.

        Examples
        --------
        >>> import numpy as np, nn
        >>> nn.Linear(1, 1).to(np.float64).weight.dtype
        dtype('float64')
        >>> nn.Linear(1, 1).to("cpu").weight.dtype
        dtype('float32')
        """
        wanted = _destination(args, kwargs)
        if wanted is not None:
            for _, tensor in itertools.chain(self.named_parameters(), self.named_buffers()):
                if tensor.dtype.kind == "f":
                    _convert(tensor, wanted)
        return self

    def type(self, dst_type: Any) -> Self:
        """
        Convert every parameter and buffer to a floating-point dtype, buffers of integers too.

        Examples
        --------
        >>> import nn
        >>> nn.BatchNorm1d(1).type("float64").num_batches_tracked.dtype
        dtype('float64')
        """
        wanted = _floating("type", dst_type)
        for _, tensor in itertools.chain(self.named_parameters(), self.named_buffers()):
            _convert(tensor, wanted)
        return self

    def float(self) -> Self:
        """Convert to float32; see `to`."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Convert to float64; see `to`."""
        return self.to(np.float64)

    def half(self) -> Self:
        """Convert to float16; see `to`."""
        return self.to(np.float16)

    def cpu(self) -> Self:
        """Return the module: there is one device."""
        return self

    # --- Text -----------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """
        What stands between the brackets of ``repr(module)``; layers give their arguments.

        Examples
        --------
        >>> import nn
        >>> nn.Linear(2, 3).extra_repr()
        'in_features=2, out_features=3, bias=True'
        """
        return ""

    def __repr__(self) -> str:
        lines = self.extra_repr().split("\n") if self.extra_repr() else []
        inline = len(lines) == 1 and not self._module_names
        lines += [f"({name}): {indented(self.__dict__[name])}" for name in self._module_names]
        return bracketed(type(self).__name__, lines, inline)


def _floating(who: str, dtype: Any) -> np.dtype[Any]:
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        raise TypeError(
            f"{who}: {dtype!r} is no dtype; there are no devices to move to but 'cpu'"
        ) from None
    if wanted.kind != "f":
        raise TypeError(f"{who}: a module takes floating-point dtypes only, not {wanted}")
    return wanted


def _destination(args: tuple[Any, ...], kwargs: dict[str, Any]) -> np.dtype[Any] | None:
    """The dtype that arguments of `Module.to` name, if one does."""
    unknown = kwargs.keys() - {"device", "dtype", "tensor", "non_blocking", "memory_format"}
    if unknown or len(args) > 3:
        raise TypeError(f"to: expected (device, dtype, non_blocking), met {args} and {kwargs}")
    found = [kwargs["dtype"]] if kwargs.get("dtype") is not None else []
    for value in (*args, kwargs.get("device"), kwargs.get("tensor")):
        if isinstance(value, Tensor):
            found.append(value.dtype)
        elif not (value is None or isinstance(value, bool) or str(value) == "cpu"):
            found.append(value)
    if len(found) > 1:
        raise TypeError(f"to: expected one dtype, met {found}")
    return _floating("to", found[0]) if found else None


def _convert(tensor: Tensor, wanted: np.dtype[Any]) -> None:
    """Give a tensor another dtype, in place, and its gradient."""
    if tensor.dtype == wanted:
        return
    if is_lazy(tensor):
        tensor.value.pending_dtype = wanted
        return
    grad, tracked = tensor.grad, tensor.requires_grad
    tensor.value = tensor.array().astype(wanted)
    # The leaf's node knows the dtype of its gradient, so it is made anew.
    tensor.node, tensor.requires_grad = None, False
    tensor.requires_grad_(tracked)
    if grad is not None:
        tensor.grad = grad.detach().to(wanted)


def bracketed(name: str, lines: list[str], inline: bool = False) -> str:
    """`name` with `lines` in brackets: on its own line, or indented below it."""
    if not lines:
        return f"{name}()"
    if inline:
        return f"{name}({lines[0]})"
    inner = "\n  ".join(lines)
    return f"{name}(\n  {inner}\n)"


def indented(module: object) -> str:
    """The text of a submodule, its later lines indented below the first."""
    return repr(module).replace("\n", "\n  ")
