"""Maxout: units that learn their own activation."""

from __future__ import annotations

from typing import Any

from autograd import max as largest

from ..layers.linear import Linear
from ..module import Module


class Maxout(Module):
    """
    Units that give the largest of several linear functions of their input.

    ``y[..., i] = max over k of (x @ weight[i * pieces + k] + bias[i * pieces + k])``: as a function
    of the input, a convex one of flat pieces. ReLU is the case of two pieces of which one is 0.
    Gradients go to the largest piece alone. Goodfellow, Warde-Farley, Mirza, Courville and Bengio
    2013, "Maxout networks".

    Parameters
    ----------
    in_features : int
    out_features : int
        Number of units.
    pieces : int, default 2
        Linear functions of each.

    Raises
    ------
    ValueError
        If a size is below 1; in the call, if the input is not (..., in_features).

    Examples
    --------
    >>> import autograd
    >>> unit = Maxout(1, 1, pieces=2)
    >>> _ = unit.linear.weight.detach().copy_(autograd.tensor([[1.0], [-1.0]]))
    >>> _ = unit.linear.bias.detach().zero_()
    >>> unit(autograd.tensor([[-3.0], [2.0]])).detach()  # the absolute value
    tensor([[3.],
            [2.]])
    """

    def __init__(self, in_features: int, out_features: int, pieces: int = 2) -> None:
        super().__init__()
        sizes = {"in_features": in_features, "out_features": out_features, "pieces": pieces}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"Maxout: {name} must be at least 1, not {size!r}")
        self.out_features = out_features
        self.pieces = pieces
        self.linear = Linear(in_features, out_features * pieces)

    def forward(self, x: Any) -> Any:
        """Map (..., in_features) to (..., out_features)."""
        every = self.linear(x)
        return largest(every.unflatten(-1, (self.out_features, self.pieces)), -1).values

    def extra_repr(self) -> str:
        """Sizes that the linear layer does not tell."""
        return f"out_features={self.out_features}, pieces={self.pieces}"


class MaxoutNetwork(Module):
    """
    A perceptron whose hidden units are maxout units.

    ============ ====== ==========
    layer        output parameters
    ============ ====== ==========
    maxout of 4  32     8320
    maxout of 4  32     4224
    linear       10     330
    ============ ====== ==========

    12,874 parameters altogether. (Numbers for the defaults.)

    Parameters
    ----------
    in_features : int, default 64
    num_classes : int, default 10
    hidden : int, default 32
        Units of each hidden layer.
    pieces : int, default 4
        Linear functions of each unit.

    Raises
    ------
    ValueError
        If a size is below 1; in the call, if the input is not (..., in_features).

    Examples
    --------
    >>> import autograd
    >>> MaxoutNetwork()(autograd.zeros(2, 64)).shape
    (2, 10)
    """

    def __init__(
        self, in_features: int = 64, num_classes: int = 10, hidden: int = 32, pieces: int = 4
    ) -> None:
        super().__init__()
        self.hidden1 = Maxout(in_features, hidden, pieces)
        self.hidden2 = Maxout(hidden, hidden, pieces)
        self.head = Linear(hidden, num_classes)

    def forward(self, x: Any) -> Any:
        """Map (..., in_features) to scores (..., num_classes)."""
        return self.head(self.hidden2(self.hidden1(x)))
