"""AlexNet, and a small form of it for small images."""

from __future__ import annotations

from typing import Any

from autograd import flatten

from .. import init
from ..layers.activation import ReLU
from ..layers.containers import Sequential
from ..layers.conv import Conv2d
from ..layers.dropout import Dropout
from ..layers.linear import Linear
from ..layers.norm import LocalResponseNorm
from ..layers.pool import MaxPool2d
from ..module import Module
from .images import check_images

LARGEST = 254  # the last map has 6x6 numbers for images of 223 to 254 pixels


def _normalisation() -> LocalResponseNorm:
    """The paper's k = 2, n = 5, alpha = 1e-4, beta = 0.75.

    The paper adds up the squares of 5 channels where `LocalResponseNorm`, as PyTorch's, takes
    their mean: hence 5 times its alpha.
    """
    return LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)


def _draw(model: Module) -> None:
    """Give all weights the variance that ReLU keeps, and start all biases from zero."""
    for module in model.modules():
        if isinstance(module, Conv2d | Linear):
            init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                init.zeros_(module.bias)


class AlexNet(Module):
    """
    The network that won ImageNet's contest of 2012, for images of 224x224.

    ======================= ============ ===========
    layer                   output       parameters
    ======================= ============ ===========
    conv 11x11, stride 4    96 x 55 x 55 34944
    response norm
    max pool 3, stride 2    96 x 27 x 27
    conv 5x5, 2 groups      256 x 27 x 27 307456
    response norm
    max pool 3, stride 2    256 x 13 x 13
    conv 3x3                384 x 13 x 13 885120
    conv 3x3, 2 groups      384 x 13 x 13 663936
    conv 3x3, 2 groups      256 x 13 x 13 442624
    max pool 3, stride 2    256 x 6 x 6
    dropout, linear         4096         37752832
    dropout, linear         4096         16781312
    linear                  1000         4097000
    ======================= ============ ===========

    with a ReLU after each convolution and each linear layer but the last: 60,965,224 parameters,
    of which 96 % are in the linear layers. (Numbers for three input channels and 1000 classes.)

    Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep convolutional neural
    networks". Two graphics cards held half of the maps each, and where they did not exchange theirs
    a convolution has two groups; torchvision's ``alexnet`` is another network, of a later paper,
    with fewer maps and no groups. The paper says 224x224 and has 55x55 maps after the first
    convolution, which takes 2 pixels of zeros around the image, or images of 227x227; here it is
    the former. What differs: weights start from He's distribution and biases from zero, where the
    paper has a fixed deviation of 0.01 and ones in some biases, from which few images learn slowly.

    Parameters
    ----------
    num_classes : int, default 1000
    dropout : float, default 0.5
    in_channels : int, default 3
    hidden : int, default 4096
        Units of the first two linear layers.

    Raises
    ------
    ValueError
        In the call, if the input is not (N, in_channels, 224, 224); sizes from 223 to 254, such as
        227, give maps of the same final size and are taken too.

    Examples
    --------
    >>> import autograd
    >>> model = AlexNet(num_classes=10, hidden=32)
    >>> model.features(autograd.zeros(1, 3, 224, 224)).shape
    (1, 256, 6, 6)
    """

    def __init__(
        self,
        num_classes: int = 1000,
        dropout: float = 0.5,
        in_channels: int = 3,
        hidden: int = 4096,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.features = Sequential(
            Conv2d(in_channels, 96, kernel_size=11, stride=4, padding=2),
            ReLU(),
            _normalisation(),
            MaxPool2d(3, stride=2),
            Conv2d(96, 256, kernel_size=5, padding=2, groups=2),
            ReLU(),
            _normalisation(),
            MaxPool2d(3, stride=2),
            Conv2d(256, 384, kernel_size=3, padding=1),
            ReLU(),
            Conv2d(384, 384, kernel_size=3, padding=1, groups=2),
            ReLU(),
            Conv2d(384, 256, kernel_size=3, padding=1, groups=2),
            ReLU(),
            MaxPool2d(3, stride=2),
        )
        self.classifier = Sequential(
            Dropout(dropout),
            Linear(256 * 6 * 6, hidden),
            ReLU(),
            Dropout(dropout),
            Linear(hidden, hidden),
            ReLU(),
            Linear(hidden, num_classes),
        )
        _draw(self)

    def forward(self, x: Any) -> Any:
        """Map images (N, in_channels, 224, 224) to scores (N, num_classes)."""
        check_images("AlexNet", x, self.in_channels, 223, LARGEST)
        return self.classifier(flatten(self.features(x), 1))


class SmallAlexNet(Module):
    """
    AlexNet's ideas at the size of handwritten digits: trains in seconds.

    ======================= =========== ==========
    layer                   output      parameters
    ======================= =========== ==========
    conv 5x5                16 x 28 x 28 416
    response norm
    max pool 3, stride 2    16 x 14 x 14
    conv 5x5, 2 groups      32 x 14 x 14 6432
    response norm
    max pool 3, stride 2    32 x 7 x 7
    conv 3x3                48 x 7 x 7  13872
    conv 3x3, 2 groups      48 x 7 x 7  10416
    conv 3x3, 2 groups      32 x 7 x 7  6944
    max pool 3, stride 2    32 x 4 x 4
    dropout, linear         128         65664
    dropout, linear         128         16512
    linear                  10          1290
    ======================= =========== ==========

    with a ReLU after each convolution and each linear layer but the last: 121,546 parameters.
    (Numbers for one input channel and ten classes, images of 28x28; 32x32 have the same count.)

    As in `AlexNet` there are five convolutions, three of them in two groups that do not see each
    other's maps, local response normalisation after the first two, max pooling whose windows of 3
    overlap because they move by 2, and dropout before the first two linear layers.

    Parameters
    ----------
    num_classes : int, default 10
    dropout : float, default 0.5
    in_channels : int, default 1

    Raises
    ------
    ValueError
        In the call, if the input is not (N, in_channels, H, W) with H and W from 25 to 32.

    Examples
    --------
    >>> import autograd
    >>> SmallAlexNet()(autograd.zeros(2, 1, 28, 28)).shape
    (2, 10)
    """

    def __init__(self, num_classes: int = 10, dropout: float = 0.5, in_channels: int = 1) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.features = Sequential(
            Conv2d(in_channels, 16, kernel_size=5, padding=2),
            ReLU(),
            _normalisation(),
            MaxPool2d(3, stride=2, padding=1),
            Conv2d(16, 32, kernel_size=5, padding=2, groups=2),
            ReLU(),
            _normalisation(),
            MaxPool2d(3, stride=2, padding=1),
            Conv2d(32, 48, kernel_size=3, padding=1),
            ReLU(),
            Conv2d(48, 48, kernel_size=3, padding=1, groups=2),
            ReLU(),
            Conv2d(48, 32, kernel_size=3, padding=1, groups=2),
            ReLU(),
            MaxPool2d(3, stride=2, padding=1),
        )
        self.classifier = Sequential(
            Dropout(dropout),
            Linear(32 * 4 * 4, 128),
            ReLU(),
            Dropout(dropout),
            Linear(128, 128),
            ReLU(),
            Linear(128, num_classes),
        )
        _draw(self)

    def forward(self, x: Any) -> Any:
        """Map images (N, in_channels, 28, 28), or 32x32, to scores (N, num_classes)."""
        check_images("SmallAlexNet", x, self.in_channels, 25, 32)
        return self.classifier(flatten(self.features(x), 1))
