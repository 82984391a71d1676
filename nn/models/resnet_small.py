"""Residual networks for small images."""

from __future__ import annotations

from typing import Any

from autograd import flatten, pad, relu

from .. import init
from ..layers.containers import Sequential
from ..layers.conv import Conv2d
from ..layers.linear import Linear
from ..layers.norm_channel import BatchNorm2d
from ..layers.pool_adaptive import AdaptiveAvgPool2d
from ..module import Module
from .images import check_images

STAGES = 3
PER_BLOCK = 2  # convolutions


class ResidualBlock(Module):
    """
    Two 3x3 convolutions, whose result is added to what came in; the shortcut learns nothing.

    Where the shape changes, the shortcut takes every second pixel and fills the new channels with
    zeros: the paper's option A.

    Parameters
    ----------
    in_channels, out_channels : int
    stride : int, default 1
        Of the first convolution.

    Raises
    ------
    ValueError
        If there are fewer channels out than in.

    Examples
    --------
    >>> import autograd
    >>> ResidualBlock(4, 8, stride=2)(autograd.zeros(1, 4, 6, 6)).shape
    (1, 8, 3, 3)
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        if out_channels < in_channels:
            raise ValueError(
                f"ResidualBlock: the shortcut cannot go from {in_channels} channels to "
                f"{out_channels}; zeros can only be added"
            )
        self.stride = stride
        self.new_channels = out_channels - in_channels
        self.conv1 = Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = BatchNorm2d(out_channels)
        self.conv2 = Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(out_channels)

    def forward(self, x: Any) -> Any:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        y = relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.stride != 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if self.new_channels:
            before = self.new_channels // 2
            x = pad(x, (0, 0, 0, 0, before, self.new_channels - before))
        return relu(x + y)


class SmallResNet(Module):
    """
    Residual network for small images: three stages of n blocks, 6n + 2 layers that learn.

    ==================== =========== =====================
    layer                output      parameters (20 layers)
    ==================== =========== =====================
    conv 3x3             16 x 32 x 32 432
    batch norm           16 x 32 x 32 32
    3 blocks             16 x 32 x 32 14016
    3 blocks, stride 2   32 x 16 x 16 51072
    3 blocks, stride 2   64 x 8 x 8   203520
    mean of each map     64
    linear               10          650
    ==================== =========== =====================

    269,722 parameters. (Numbers for three input channels, images of 32x32 and ten classes.)

    He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition", section 4.2, where
    20, 32, 44, 56 and 110 layers learn CIFAR-10. The shortcuts have no parameters (option A), and
    convolutions start from He's distribution.

    Parameters
    ----------
    depth : int, default 20
        Layers that learn: 6n + 2, so 8, 14, 20, 26, ...
    num_classes : int, default 10
    in_channels : int, default 3
    width : int, default 16
        Channels of the first stage; each further one has twice as many.

    Raises
    ------
    ValueError
        If `depth` is not 6n + 2; in the call, if the input is not (N, in_channels, H, W).

    Examples
    --------
    >>> import autograd
    >>> SmallResNet(depth=8, width=4)(autograd.zeros(2, 3, 28, 28)).shape
    (2, 10)
    """

    def __init__(
        self, depth: int = 20, num_classes: int = 10, in_channels: int = 3, width: int = 16
    ) -> None:
        super().__init__()
        blocks, rest = divmod(depth - 2, STAGES * PER_BLOCK)
        if blocks < 1 or rest:
            raise ValueError(f"{type(self).__name__}: depth must be 6n + 2, 8 or more, met {depth}")
        self.in_channels = in_channels
        self.conv1 = Conv2d(in_channels, width, 3, padding=1, bias=False)
        self.bn1 = BatchNorm2d(width)
        stages = []
        inputs = width
        for stage in range(STAGES):
            outputs = width * 2**stage
            first = ResidualBlock(inputs, outputs, stride=1 if stage == 0 else 2)
            others = [ResidualBlock(outputs, outputs) for _ in range(blocks - 1)]
            stages.append(Sequential(first, *others))
            inputs = outputs
        self.layer1, self.layer2, self.layer3 = stages
        self.avgpool = AdaptiveAvgPool2d(1)
        self.fc = Linear(inputs, num_classes)
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, x: Any) -> Any:
        """Map images (N, in_channels, H, W) to scores (N, num_classes)."""
        check_images(type(self).__name__, x, self.in_channels, 1)
        x = relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(flatten(self.avgpool(x), 1))


class ResNet20(SmallResNet):
    """
    The smallest residual network of the paper, for images of 32x32: 269,722 parameters.

    `SmallResNet` has the table, and the paper.

    Parameters
    ----------
    num_classes : int, default 10
    in_channels : int, default 3

    Raises
    ------
    ValueError
        In the call, if the input is not (N, in_channels, H, W).

    Examples
    --------
    >>> import autograd
    >>> ResNet20()(autograd.zeros(2, 3, 32, 32)).shape
    (2, 10)
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 3) -> None:
        super().__init__(20, num_classes, in_channels)
