"""Front: what `Tensor` and `Scalar` share, the operators and functions of a number."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from . import differentiate
from .graph import Variable, new_leaf
from .ops import activation, arithmetic, transcendental

OPERANDS = (Variable, float, int, np.ndarray, np.generic)


class Front(Variable):
    """A variable with operators; the ops themselves are its methods, it is their first argument."""

    __slots__ = ()
    # ndarray + tensor is ours to answer; without this NumPy would build an object array.
    __array_ufunc__ = None

    # --- The graph ----------------------------------------------------------------------------

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Start (or stop) recording operations on this leaf; returns the variable itself.

        Raises
        ------
        TypeError
            If the dtype is not floating-point: only floats have gradients.
        RuntimeError
            If recording is to stop on a variable that is not a leaf.
        """
        if requires_grad and self.dtype is not float and self.dtype.kind != "f":
            raise TypeError(
                f"only floating-point tensors can require grad, not {self.dtype}; convert with "
                ".to(np.float32) first"
            )
        if not requires_grad and not self.is_leaf:
            raise RuntimeError("requires_grad_(False) is for leaves; use detach()")
        if requires_grad and self.node is None:
            self.node = new_leaf(self)
        self.requires_grad = bool(requires_grad)
        return self

    backward = differentiate.backward
    retain_grad = differentiate.retain_grad
    register_hook = differentiate.register_hook

    # --- Operators ----------------------------------------------------------------------------

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

    def __pos__(self) -> Any:
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

    # --- Functions ----------------------------------------------------------------------------

    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    abs = arithmetic.abs
    sign = arithmetic.sign
    clamp = arithmetic.clamp
    exp = transcendental.exp
    log = transcendental.log
    sqrt = transcendental.sqrt
    sin = transcendental.sin
    cos = transcendental.cos
    tanh = transcendental.tanh
    erf = transcendental.erf
    sigmoid = activation.sigmoid
    relu = activation.relu
    softplus = activation.softplus
