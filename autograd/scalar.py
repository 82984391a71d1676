"""Scalar: the same engine over Python floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import differentiate
from .graph import Variable, new_leaf, register_front
from .ops import activation, arithmetic, transcendental


class Scalar(Variable):
    """One number that records what is done with it.

    Takes the same operators and functions as `Tensor`, computes with Python floats (so errors
    are Python's too: a division by zero raises), and mixes with tensors: the result is then a
    tensor.

    Parameters
    ----------
    value : float
    requires_grad : bool
        True unless said otherwise: a number that needs no gradient can be a plain float.

    Examples
    --------
    >>> from autograd import Scalar
    >>> x = Scalar(3.0)
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> y, x.grad
    (scalar(15., op=add), scalar(8.))
    """

    __slots__ = ()
    # ndarray * scalar is ours to answer; without this NumPy would build an object array.
    __array_ufunc__ = None

    def __init__(self, value: float, requires_grad: bool = True) -> None:
        try:
            self.value = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"a Scalar holds one number, not {value!r}") from None
        self.node = None
        self.requires_grad = False
        if requires_grad:
            self.requires_grad_()

    @property
    def shape(self) -> tuple[int, ...]:
        """Always ()."""
        return ()

    @property
    def dtype(self) -> type[float]:
        """Always float."""
        return float

    @property
    def grad(self) -> Scalar | None:
        """The accumulated gradient, or None; a plain number may be assigned."""
        return None if self.node is None else self.node.grad

    @grad.setter
    def grad(self, gradient: Any) -> None:
        if gradient is not None and not isinstance(gradient, Scalar):
            gradient = Scalar(gradient, requires_grad=False)
        if self.node is None:
            self.node = new_leaf(self)
        self.node.grad = gradient

    @property
    def data(self) -> float:
        """The number itself; assignable."""
        return self.value

    @data.setter
    def data(self, number: float) -> None:
        self.value = float(number)

    def item(self) -> float:
        """The number itself."""
        return self.value

    def requires_grad_(self, requires_grad: bool = True) -> Scalar:
        """Start (or stop) recording operations on this leaf; returns the scalar itself."""
        if not requires_grad and not self.is_leaf:
            raise RuntimeError("requires_grad_(False) is for leaves; use detach()")
        if requires_grad and self.node is None:
            self.node = new_leaf(self)
        self.requires_grad = bool(requires_grad)
        return self

    def detach(self) -> Scalar:
        """The same number without the graph."""
        return Scalar(self.value, requires_grad=False)

    backward = differentiate.backward
    retain_grad = differentiate.retain_grad
    register_hook = differentiate.register_hook

    def __repr__(self) -> str:
        plain = 1e-4 <= abs(self.value) < 1e8 or self.value == 0.0
        if plain and self.value.is_integer():
            number = f"{self.value:.0f}."
        else:
            number = f"{self.value:.4f}" if plain else f"{self.value:.4e}"
        if self.node is not None and self.node.op is not None:
            return f"scalar({number}, op={self.node.op.name})"
        return f"scalar({number}{', requires_grad=True' if self.requires_grad else ''})"

    def __float__(self) -> float:
        return self.value

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __hash__(self) -> int:
        return id(self)

    __add__ = arithmetic.add

    def __radd__(self, other: Any) -> Any:
        return arithmetic.add(other, self)

    __sub__ = arithmetic.sub

    def __rsub__(self, other: Any) -> Any:
        return arithmetic.sub(other, self)

    __mul__ = arithmetic.mul

    def __rmul__(self, other: Any) -> Any:
        return arithmetic.mul(other, self)

    __truediv__ = arithmetic.div

    def __rtruediv__(self, other: Any) -> Any:
        return arithmetic.div(other, self)

    __pow__ = arithmetic.pow

    def __rpow__(self, other: Any) -> Any:
        return arithmetic.pow(other, self)

    __neg__ = arithmetic.neg

    def __pos__(self) -> Scalar:
        return self

    __abs__ = arithmetic.abs

    def __eq__(self, other: Any) -> Any:
        return arithmetic.eq(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return arithmetic.ne(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __lt__(self, other: Any) -> Any:
        return arithmetic.lt(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __le__(self, other: Any) -> Any:
        return arithmetic.le(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __gt__(self, other: Any) -> Any:
        return arithmetic.gt(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __ge__(self, other: Any) -> Any:
        return arithmetic.ge(self, other) if isinstance(other, OPERANDS) else NotImplemented

    exp = transcendental.exp
    log = transcendental.log
    sqrt = transcendental.sqrt
    sin = transcendental.sin
    cos = transcendental.cos
    tanh = transcendental.tanh
    sigmoid = activation.sigmoid
    relu = activation.relu
    softplus = activation.softplus
    abs = arithmetic.abs
    sign = arithmetic.sign
    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    clamp = arithmetic.clamp


register_front("scalar", Scalar)
OPERANDS = (Variable, float, int, np.ndarray, np.generic)
