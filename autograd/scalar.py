"""Scalar: the same engine over Python floats."""

from __future__ import annotations

from typing import Any

from .front import Front
from .graph import new_leaf, register_front
from .watch import WATCHERS


class Scalar(Front):
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
        for watcher in WATCHERS:
            watcher.left("item", self, None)
        return self.value

    def detach(self) -> Scalar:
        """The same number without the graph."""
        result = Scalar(self.value, requires_grad=False)
        for watcher in WATCHERS:
            watcher.left("detach", self, result)
        return result

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
        return self.item()

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.value)


register_front("scalar", Scalar)
