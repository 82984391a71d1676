"""LeNet-5."""

from __future__ import annotations

from typing import Any

from autograd import flatten, max_pool2d, relu

from ..layers.conv import Conv2d
from ..layers.linear import Linear
from ..module import Module


class LeNet5(Module):
    """
    The classic small network for images of 32x32, such as handwritten digits.

    ============ ============== ===========
    layer        output         parameters
    ============ ============== ===========
    conv 5x5     6 x 28 x 28    156
    max pool 2   6 x 14 x 14
    conv 5x5     16 x 10 x 10   2416
    max pool 2   16 x 5 x 5
    linear       120            48120
    linear       84             10164
    linear       10             850
    ============ ============== ===========

    with a ReLU after each convolution and each linear layer but the last. (Numbers for one input
    channel and ten classes.)

    The sizes are those of LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied
    to document recognition". What differs, as in most implementations of today: ReLU where the
    paper has a scaled tanh, max pooling where it has means with a learned scale and shift; the
    second convolution sees all six maps, not chosen subsets; the outputs are scores for
    cross-entropy, where the paper has radial basis functions with fixed codes; and weights start as
    `Conv2d` and `Linear` draw them.

    Parameters
    ----------
    in_channels : int, default 1
    num_classes : int, default 10

    Raises
    ------
    ValueError
        In the call, if the input is not (N, in_channels, 32, 32).

    Examples
    --------
    >>> import autograd
    >>> LeNet5()(autograd.zeros(2, 1, 32, 32)).shape
    (2, 10)
    """

    def __init__(self, in_channels: int = 1, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = Conv2d(in_channels, 6, kernel_size=5)
        self.conv2 = Conv2d(6, 16, kernel_size=5)
        self.fc1 = Linear(16 * 5 * 5, 120)
        self.fc2 = Linear(120, 84)
        self.fc3 = Linear(84, num_classes)

    def forward(self, x: Any) -> Any:
        """Map images (N, in_channels, 32, 32) to scores (N, num_classes)."""
        x = max_pool2d(relu(self.conv1(x)), 2)
        x = max_pool2d(relu(self.conv2(x)), 2)
        x = flatten(x, 1)
        x = relu(self.fc1(x))
        x = relu(self.fc2(x))
        return self.fc3(x)
