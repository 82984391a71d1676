"""A perceptron with one hidden layer."""

from __future__ import annotations

from typing import Any

from autograd import avg_pool2d, flatten, relu

from ..layers.linear import Linear
from ..module import Module

POOL = 4  # 32x32 to 8x8, the size of scikit-learn's digits before they are enlarged


class MLP(Module):
    """
    A multi-layer perceptron for images of 32x32, small enough to watch each of its weights.

    ============ =========== ==========
    layer        output      parameters
    ============ =========== ==========
    mean pool 4  1 x 8 x 8
    linear       32          2080
    linear       10          330
    ============ =========== ==========

    with a ReLU between the two linear layers. (Numbers for one input channel and ten classes.)

    Parameters
    ----------
    in_channels : int, default 1
    num_classes : int, default 10
    hidden : int, default 32
        Units of the hidden layer.

    Raises
    ------
    ValueError
        In the call, if the input is not (N, in_channels, 32, 32).

    Examples
    --------
    >>> import autograd
    >>> MLP()(autograd.zeros(2, 1, 32, 32)).shape
    (2, 10)
    """

    def __init__(self, in_channels: int = 1, num_classes: int = 10, hidden: int = 32) -> None:
        super().__init__()
        self.fc1 = Linear(in_channels * 8 * 8, hidden)
        self.fc2 = Linear(hidden, num_classes)

    def forward(self, x: Any) -> Any:
        """Map images (N, in_channels, 32, 32) to scores (N, num_classes)."""
        pixels = flatten(avg_pool2d(x, POOL), 1)
        hidden = relu(self.fc1(pixels))
        return self.fc2(hidden)
