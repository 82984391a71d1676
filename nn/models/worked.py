"""A network of 2-2-2-2 units whose every number can be followed by hand."""

from __future__ import annotations

from typing import Any

from autograd import no_grad, sigmoid, tensor

from ..layers.linear import Linear
from ..module import Module

WEIGHTS = (
    ((1.0, -2.0), (-1.0, 1.0)),
    ((2.0, -1.0), (-2.0, -1.0)),
    ((3.0, -1.0), (-1.0, 4.0)),
)
BIASES = ((1.0, 0.0), (0.0, 0.0), (-2.0, 2.0))


class WorkedNetwork(Module):
    """
    The small sigmoid network that is computed on the blackboard in many courses.

    ============ ============ ============ ==========
    layer        weight       bias         parameters
    ============ ============ ============ ==========
    linear       1 -2, -1 1   1, 0         6
    sigmoid
    linear       2 -1, -2 -1  0, 0         6
    sigmoid
    linear       3 -1, -1 4   -2, 2        6
    sigmoid
    ============ ============ ============ ==========

    Each layer has two units, and each row of a weight belongs to one of them. The input (1, -1)
    gives (0.62, 0.83), and (0, 0) gives (0.51, 0.85). The numbers are those of Hung-yi Lee's
    lecture "Introduction of Deep Learning" (2016).

    All of them are learned: from here, gradient descent finds weights for the exclusive or.

    Raises
    ------
    ValueError
        In the call, if the input is not (..., 2).

    Examples
    --------
    >>> import autograd
    >>> network = WorkedNetwork()
    >>> network(autograd.tensor([[1.0, -1.0], [0.0, 0.0]])).detach()
    tensor([[0.6177, 0.8291],
            [0.5118, 0.8544]])
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = Linear(2, 2)
        self.layer2 = Linear(2, 2)
        self.layer3 = Linear(2, 2)
        with no_grad():
            for layer, weight, bias in zip(self.children(), WEIGHTS, BIASES, strict=True):
                layer.weight.copy_(tensor(weight))
                layer.bias.copy_(tensor(bias))

    def forward(self, x: Any) -> Any:
        """Map points (..., 2) to the activations of the two last units, (..., 2)."""
        x = sigmoid(self.layer1(x))
        x = sigmoid(self.layer2(x))
        return sigmoid(self.layer3(x))
