"""Perceptrons for points and for pixels, as deep and as wide as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from autograd import flatten

from ..layers.activation import ReLU, Tanh
from ..layers.containers import Sequential
from ..layers.dropout import Dropout
from ..layers.linear import Linear
from ..module import Module

ACTIVATIONS: dict[str, type[Module]] = {"relu": ReLU, "tanh": Tanh}
SIDE = 16  # of the images of PixelMLP


class SpiralMLP(Module):
    """
    A multi-layer perceptron for points in the plane, such as those of `nn.data.spirals`.

    ============ =========== ==========
    layer        output      parameters
    ============ =========== ==========
    linear       32          96
    linear       32          1056
    linear       2           66
    ============ =========== ==========

    with a ReLU after each linear layer but the last, 1218 parameters altogether. (Numbers for the
    defaults.) Each unit of the first layer sees one straight line in the plane; what the layers
    after it make of the lines may bend as often as a spiral.

    Parameters
    ----------
    num_classes : int, default 2
    hidden : sequence of int, default (32, 32)
        Units of each hidden layer; without any, the network is a linear classifier.
    activation : {"relu", "tanh"}

    Raises
    ------
    ValueError
        If a number of units is below 1 or the activation is another word; in the call, if the
        input is not (..., 2).

    Examples
    --------
    >>> import autograd
    >>> SpiralMLP(num_classes=3, hidden=(16, 16, 16))(autograd.zeros(5, 2)).shape
    (5, 3)
    """

    def __init__(
        self, num_classes: int = 2, hidden: Sequence[int] = (32, 32), activation: str = "relu"
    ) -> None:
        super().__init__()
        sizes = _sizes("SpiralMLP", 2, hidden, num_classes)
        if activation not in ACTIVATIONS:
            raise ValueError(f"SpiralMLP: activation must be 'relu' or 'tanh', not {activation!r}")
        layers: list[Module] = []
        for fan_in, fan_out in pairwise(sizes[:-1]):
            layers += [Linear(fan_in, fan_out), ACTIVATIONS[activation]()]
        self.layers = Sequential(*layers, Linear(sizes[-2], num_classes))

    def forward(self, x: Any) -> Any:
        """Map points (..., 2) to scores (..., num_classes)."""
        if not x.ndim or x.shape[-1] != 2:
            raise ValueError(f"SpiralMLP: expected points (..., 2), met {tuple(x.shape)}")
        return self.layers(x)


class PixelMLP(Module):
    """
    A multi-layer perceptron on the 256 pixels of images of 16x16, with dropout where one wants it.

    ============ =========== ==========
    layer        output      parameters
    ============ =========== ==========
    linear       128         32896
    linear       64          8256
    linear       10          650
    ============ =========== ==========

    with a ReLU after each linear layer but the last, 41802 parameters altogether. (Numbers for the
    defaults.)

    Dropout is that of Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks
    from overfitting", who recommend 0.5 for hidden units and 0.2 for inputs.

    Parameters
    ----------
    in_channels : int, default 1
    num_classes : int, default 10
    hidden : sequence of int, default (128, 64)
        Units of each hidden layer; without any, the network is a linear classifier.
    dropout : float, default 0.0
        Share of the units of each hidden layer that are left out in training.
    input_dropout : float, default 0.0
        Share of the pixels that are left out in training.

    Raises
    ------
    ValueError
        If a number of units is below 1 or a share is not from 0 to 1; in the call, if the input is
        neither (N, in_channels, 16, 16) nor (N, in_channels * 256).

    Examples
    --------
    >>> import autograd
    >>> model = PixelMLP(hidden=(512, 512), dropout=0.5, input_dropout=0.2)
    >>> model(autograd.zeros(2, 1, 16, 16)).shape
    (2, 10)
    >>> model(autograd.zeros(2, 256)).shape
    (2, 10)
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        hidden: Sequence[int] = (128, 64),
        dropout: float = 0.0,
        input_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        sizes = _sizes("PixelMLP", in_channels * SIDE * SIDE, hidden, num_classes)
        layers: list[Module] = [Dropout(input_dropout)] if input_dropout else []
        for fan_in, fan_out in pairwise(sizes[:-1]):
            layers += [Linear(fan_in, fan_out), ReLU()]
            if dropout:
                layers.append(Dropout(dropout))
        self.layers = Sequential(*layers, Linear(sizes[-2], num_classes))

    def forward(self, x: Any) -> Any:
        """Map images (N, in_channels, 16, 16), or their pixels, to scores (N, num_classes)."""
        shape = tuple(x.shape)
        pixels = self.in_channels * SIDE * SIDE
        if len(shape) < 2 or shape[1:] not in ((self.in_channels, SIDE, SIDE), (pixels,)):
            raise ValueError(
                f"PixelMLP: expected images (N, {self.in_channels}, {SIDE}, {SIDE}) or "
                f"(N, {pixels}), met {shape}"
            )
        return self.layers(flatten(x, 1))


def _sizes(who: str, inputs: int, hidden: Sequence[int], outputs: int) -> list[int]:
    sizes = [inputs, *hidden, outputs]
    if min(sizes) < 1:
        raise ValueError(
            f"{who}: every layer needs at least 1 unit, met {inputs} inputs, hidden layers of "
            f"{list(hidden)} and {outputs} classes"
        )
    return sizes
