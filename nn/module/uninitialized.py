"""Parameters and buffers whose shape is not known yet: those of lazy modules."""

from __future__ import annotations

from typing import Any, NoReturn, TypeGuard

import numpy as np

from autograd import Tensor

from .parameter import Buffer, Parameter, factory


class UninitializedValues:
    """Stands where the array of a tensor will be; whoever looks at it is told what is missing."""

    __slots__ = ("pending_dtype",)

    def __init__(self, pending_dtype: Any) -> None:
        self.pending_dtype = pending_dtype

    def __getattr__(self, name: str) -> NoReturn:
        # Python asks for what it does not need, such as __deepcopy__; NumPy's questions are uses.
        if name.startswith("__") and not name.startswith("__array"):
            raise AttributeError(name)
        raise RuntimeError(
            "a parameter or buffer of a lazy module has no shape and no values yet: call the "
            "module once with an input (or load a state_dict), then make the optimizer and use it"
        )


class UninitializedParameter(Parameter):
    """
    A `Parameter` whose shape is not known yet; `materialize` makes it one.

    Parameters
    ----------
    requires_grad : bool, default True
    device : None or "cpu"
    dtype : dtype, optional
        The default dtype (float32) if not given.

    Raises
    ------
    RuntimeError
        When its shape or values are asked for.

    Examples
    --------
    >>> parameter = UninitializedParameter()
    >>> parameter
    <UninitializedParameter>
    >>> parameter.materialize((2, 3))
    >>> parameter.shape, type(parameter).__name__
    ((2, 3), 'Parameter')
    """

    __slots__ = ()

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        dtype = factory("UninitializedParameter", device, dtype)
        super().__init__(np.empty(0, dtype), requires_grad)
        self.value = UninitializedValues(dtype)

    @property
    def dtype(self) -> Any:
        """What it will be made of."""
        return self.value.pending_dtype

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a `Parameter` of this shape; the values are arbitrary."""
        _materialize(self, Parameter, shape, factory("materialize", device, dtype or self.dtype))

    def detach(self) -> Any:
        """Itself: there is nothing that records."""
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Say whether it will record operations."""
        self.requires_grad = requires_grad
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return type(self)(self.requires_grad, None, self.dtype)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, None, self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedBuffer(Buffer):
    """
    A `Buffer` whose shape is not known yet; `materialize` makes it one.

    Parameters
    ----------
    requires_grad : bool, default False
        Accepted; buffers are not learned.
    device : None or "cpu"
    dtype : dtype, optional
        The default dtype (float32) if not given.
    persistent : bool, default True
        Whether the buffer is part of `Module.state_dict`.

    Raises
    ------
    RuntimeError
        When its shape or values are asked for.

    Examples
    --------
    >>> buffer = UninitializedBuffer()
    >>> buffer.materialize((2,))
    >>> buffer.shape, type(buffer).__name__
    ((2,), 'Buffer')
    """

    def __init__(
        self,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        persistent: bool = True,
    ) -> None:
        dtype = factory("UninitializedBuffer", device, dtype)
        super().__init__(np.empty(0, dtype), persistent=persistent)
        self.value = UninitializedValues(dtype)

    @property
    def dtype(self) -> Any:
        """What it will be made of."""
        return self.value.pending_dtype

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a `Buffer` of this shape; the values are arbitrary."""
        _materialize(self, Buffer, shape, factory("materialize", device, dtype or self.dtype))

    def detach(self) -> Any:
        """Itself: there is nothing that records."""
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return type(self)(False, None, self.dtype, persistent=self.persistent)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (False, None, self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def _materialize(tensor: Tensor, kind: type, shape: Any, dtype: Any) -> None:
    tracked = tensor.requires_grad
    tensor.value = np.empty(shape, dtype)
    # The same object goes on under its final class, as modules and state_dicts hold it.
    tensor.__class__ = kind
    tensor.node, tensor.requires_grad = None, False
    if tracked:
        tensor.requires_grad_(True)


def is_lazy(tensor: Any) -> TypeGuard[UninitializedParameter | UninitializedBuffer]:
    """
    Whether it is a parameter or buffer whose shape is not known yet.

    Examples
    --------
    >>> is_lazy(UninitializedParameter())
    True
    """
    return isinstance(tensor, UninitializedParameter | UninitializedBuffer)
