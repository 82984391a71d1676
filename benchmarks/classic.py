"""The scalar engine that everybody writes first: one closure for each operation.

A rival for `overhead.py`, in the form known from many tutorials: values hold a set of parents and
a closure that pushes their gradient one step further; backward sorts the graph by recursion.
"""

from __future__ import annotations

from collections.abc import Callable


class Value:
    """A number with a gradient."""

    def __init__(self, data: float, parents: tuple[Value, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.parents = set(parents)
        self.push: Callable[[], None] = lambda: None

    def __add__(self, other: Value | float) -> Value:
        right = other if isinstance(other, Value) else Value(other)
        result = Value(self.data + right.data, (self, right))

        def push() -> None:
            self.grad += result.grad
            right.grad += result.grad

        result.push = push
        return result

    def __mul__(self, other: Value | float) -> Value:
        right = other if isinstance(other, Value) else Value(other)
        result = Value(self.data * right.data, (self, right))

        def push() -> None:
            self.grad += right.data * result.grad
            right.grad += self.data * result.grad

        result.push = push
        return result

    def relu(self) -> Value:
        """max(x, 0)."""
        result = Value(max(self.data, 0.0), (self,))

        def push() -> None:
            self.grad += (result.data > 0.0) * result.grad

        result.push = push
        return result

    def __radd__(self, other: float) -> Value:
        return self + other

    def __rmul__(self, other: float) -> Value:
        return self * other

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Value | float) -> Value:
        return self + (-other)

    def __rsub__(self, other: float) -> Value:
        return (-self) + other

    def backward(self) -> None:
        """Fill in the gradient of everything that this value depends on."""
        order: list[Value] = []
        seen: set[Value] = set()

        def visit(value: Value) -> None:
            if value not in seen:
                seen.add(value)
                for parent in value.parents:
                    visit(parent)
                order.append(value)

        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            value.push()
