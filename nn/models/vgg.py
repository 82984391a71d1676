"""VGG: deep networks of nothing but 3x3 convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import flatten

from .. import init
from ..layers.activation import ReLU
from ..layers.containers import Sequential
from ..layers.conv import Conv2d
from ..layers.dropout import Dropout
from ..layers.linear import Linear
from ..layers.norm_channel import BatchNorm2d
from ..layers.pool import MaxPool2d
from ..layers.pool_adaptive import AdaptiveAvgPool2d
from ..module import Module
from .images import check_images

# The convolutions of each of the five stages, by the name of the network.
STAGES = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
GROWTH = (1, 2, 4, 8, 8)  # how many times as wide each stage is as the first
SMALLEST = 2 ** len(GROWTH)  # each stage halves the image


class VGG(Module):
    """
    Stages of 3x3 convolutions, each twice as wide and half as large as the one before.

    ==================== ============== ===============================
    layer                output         convolutions in VGG-11/13/16/19
    ==================== ============== ===============================
    conv 3x3, max pool 2 64 x 112 x 112 1 / 2 / 2 / 2
    conv 3x3, max pool 2 128 x 56 x 56  1 / 2 / 2 / 2
    conv 3x3, max pool 2 256 x 28 x 28  2 / 2 / 3 / 4
    conv 3x3, max pool 2 512 x 14 x 14  2 / 2 / 3 / 4
    conv 3x3, max pool 2 512 x 7 x 7    2 / 2 / 3 / 4
    linear, dropout      4096
    linear, dropout      4096
    linear               1000
    ==================== ============== ===============================

    with a ReLU after each convolution and each linear layer but the last: 132,863,336 parameters in
    VGG-11, 133,047,848 in VGG-13, 138,357,544 in VGG-16 and 143,667,240 in VGG-19, of which
    123,642,856 are in the linear layers. (Numbers for three input channels, images of 224x224 and
    1000 classes.)

    Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image
    recognition". Two 3x3 convolutions see as far as one of 5x5, with fewer weights and one ReLU
    more. Names and shapes in `state_dict` are torchvision's, whose weights can be loaded. As there,
    the maps are averaged to 7x7, so that other sizes of images can be used, and weights start from
    He's distribution (those of linear layers from a deviation of 0.01).

    Parameters
    ----------
    stages : sequence of int
        Convolutions in each of the five stages.
    num_classes : int, default 1000
    dropout : float, default 0.5
    batch_norm : bool, default False
        Normalise after each convolution; not in the paper, and easier to train.
    in_channels : int, default 3
    hidden : int, default 4096
        Units of the first two linear layers; small images need no more than some hundreds.
    width : int, default 64
        Channels of the first stage.

    Raises
    ------
    ValueError
        If there are not five stages of at least one convolution each; in the call, if the input is
        not (N, in_channels, H, W) with H and W at least 32.

    Examples
    --------
    >>> import autograd
    >>> model = VGG((1, 1, 1, 1, 1), num_classes=10, hidden=32, width=8)
    >>> model.features(autograd.zeros(2, 3, 64, 64)).shape
    (2, 64, 2, 2)
    """

    def __init__(
        self,
        stages: Sequence[int],
        num_classes: int = 1000,
        dropout: float = 0.5,
        batch_norm: bool = False,
        in_channels: int = 3,
        hidden: int = 4096,
        width: int = 64,
    ) -> None:
        super().__init__()
        if len(stages) != len(GROWTH) or min(stages) < 1:
            raise ValueError(
                f"VGG: stages must be {len(GROWTH)} counts of at least 1, met {tuple(stages)}"
            )
        self.in_channels = in_channels
        layers: list[Module] = []
        inputs = in_channels
        for count, growth in zip(stages, GROWTH, strict=True):
            for _ in range(count):
                layers.append(Conv2d(inputs, growth * width, kernel_size=3, padding=1))
                inputs = growth * width
                if batch_norm:
                    layers.append(BatchNorm2d(inputs))
                layers.append(ReLU())
            layers.append(MaxPool2d(2))
        self.features = Sequential(*layers)
        self.avgpool = AdaptiveAvgPool2d((7, 7))
        self.classifier = Sequential(
            Linear(inputs * 7 * 7, hidden),
            ReLU(),
            Dropout(dropout),
            Linear(hidden, hidden),
            ReLU(),
            Dropout(dropout),
            Linear(hidden, num_classes),
        )
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, Linear):
                init.normal_(module.weight, 0.0, 0.01)
            if isinstance(module, Conv2d | Linear) and module.bias is not None:
                init.zeros_(module.bias)

    def forward(self, x: Any) -> Any:
        """Map images (N, in_channels, H, W) to scores (N, num_classes)."""
        check_images("VGG", x, self.in_channels, SMALLEST)
        return self.classifier(flatten(self.avgpool(self.features(x)), 1))


def vgg11(**arguments: Any) -> VGG:
    """
    VGG with 11 layers that learn: 132,863,336 parameters.

    Parameters
    ----------
    **arguments
        For `VGG`, by name: ``num_classes``, ``dropout``, ``batch_norm``, ``in_channels``,
        ``hidden``, ``width``.

    Examples
    --------
    >>> import nn
    >>> model = vgg11(num_classes=10, hidden=32, width=8)
    >>> sum(isinstance(layer, nn.Conv2d) for layer in model.features)
    8
    """
    return VGG(STAGES["vgg11"], **arguments)


def vgg13(**arguments: Any) -> VGG:
    """
    VGG with 13 layers that learn: 133,047,848 parameters.

    Parameters
    ----------
    **arguments
        For `VGG`, by name: ``num_classes``, ``dropout``, ``batch_norm``, ``in_channels``,
        ``hidden``, ``width``.

    Examples
    --------
    >>> import nn
    >>> model = vgg13(num_classes=10, hidden=32, width=8)
    >>> sum(isinstance(layer, nn.Conv2d) for layer in model.features)
    10
    """
    return VGG(STAGES["vgg13"], **arguments)


def vgg16(**arguments: Any) -> VGG:
    """
    VGG with 16 layers that learn: 138,357,544 parameters.

    Parameters
    ----------
    **arguments
        For `VGG`, by name: ``num_classes``, ``dropout``, ``batch_norm``, ``in_channels``,
        ``hidden``, ``width``.

    Examples
    --------
    >>> import nn
    >>> model = vgg16(num_classes=10, hidden=32, width=8)
    >>> sum(isinstance(layer, nn.Conv2d) for layer in model.features)
    13
    """
    return VGG(STAGES["vgg16"], **arguments)


def vgg19(**arguments: Any) -> VGG:
    """
    VGG with 19 layers that learn: 143,667,240 parameters.

    Parameters
    ----------
    **arguments
        For `VGG`, by name: ``num_classes``, ``dropout``, ``batch_norm``, ``in_channels``,
        ``hidden``, ``width``.

    Examples
    --------
    >>> import nn
    >>> model = vgg19(num_classes=10, hidden=32, width=8)
    >>> sum(isinstance(layer, nn.Conv2d) for layer in model.features)
    16
    """
    return VGG(STAGES["vgg19"], **arguments)
