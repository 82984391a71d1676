"""Residual networks for photographs, with torchvision's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import flatten

from .. import init
from ..layers.activation import ReLU
from ..layers.containers import Sequential
from ..layers.conv import Conv2d
from ..layers.linear import Linear
from ..layers.norm_channel import BatchNorm2d
from ..layers.pool import MaxPool2d
from ..layers.pool_adaptive import AdaptiveAvgPool2d
from ..module import Module
from .images import check_images

STAGES = 4


def _conv3x3(inputs: int, outputs: int, stride: int = 1) -> Conv2d:
    return Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)


class BasicBlock(Module):
    """
    Two 3x3 convolutions, whose result is added to what came in.

    ``y = relu(x + f(x))``, where ``f`` is convolution, batch norm, ReLU, convolution, batch norm.

    Parameters
    ----------
    inplanes, planes : int
        Channels of the input, and of the output.
    stride : int, default 1
        Of the first convolution.
    downsample : Module, optional
        Applied to the input before it is added, where its shape is not that of the result.

    Examples
    --------
    >>> import autograd
    >>> BasicBlock(8, 8)(autograd.zeros(1, 8, 4, 4)).shape
    (1, 8, 4, 4)
    """

    expansion = 1

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: Module | None = None
    ) -> None:
        super().__init__()
        self.conv1 = _conv3x3(inplanes, planes, stride)
        self.bn1 = BatchNorm2d(planes)
        self.relu = ReLU()
        self.conv2 = _conv3x3(planes, planes)
        self.bn2 = BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: Any) -> Any:
        """Map (N, inplanes, H, W) to (N, planes, H / stride, W / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(Module):
    """
    A 3x3 convolution between two of 1x1 that narrow and widen, added to what came in.

    It has four times the channels of a `BasicBlock` at about the same cost. As in torchvision, the
    stride is that of the 3x3 convolution, where the paper has it in the 1x1 before.

    Parameters
    ----------
    inplanes : int
        Channels of the input.
    planes : int
        Channels of the 3x3 convolution; the output has four times as many.
    stride : int, default 1
    downsample : Module, optional
        Applied to the input before it is added, where its shape is not that of the result.

    Examples
    --------
    >>> import autograd
    >>> Bottleneck(8, 2)(autograd.zeros(1, 8, 4, 4)).shape
    (1, 8, 4, 4)
    """

    expansion = 4

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, downsample: Module | None = None
    ) -> None:
        super().__init__()
        outputs = planes * self.expansion
        self.conv1 = Conv2d(inplanes, planes, kernel_size=1, bias=False)
        self.bn1 = BatchNorm2d(planes)
        self.conv2 = _conv3x3(planes, planes, stride)
        self.bn2 = BatchNorm2d(planes)
        self.conv3 = Conv2d(planes, outputs, kernel_size=1, bias=False)
        self.bn3 = BatchNorm2d(outputs)
        self.relu = ReLU()
        self.downsample = downsample

    def forward(self, x: Any) -> Any:
        """Map (N, inplanes, H, W) to (N, 4 * planes, H / stride, W / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(Module):
    """
    Residual network for photographs: layers learn what to add to what came in.

    =================== ============== =========== =========== ===========
    layer               output         ResNet-18   ResNet-34   ResNet-50
    =================== ============== =========== =========== ===========
    conv 7x7, stride 2  64 x 112 x 112
    max pool 3 stride 2 64 x 56 x 56
    layer1              64 x 56 x 56   2 basic     3 basic     3 bottleneck
    layer2              128 x 28 x 28  2 basic     4 basic     4 bottleneck
    layer3              256 x 14 x 14  2 basic     6 basic     6 bottleneck
    layer4              512 x 7 x 7    2 basic     3 basic     3 bottleneck
    mean, linear        1000
    parameters                         11689512    21797672    25557032
    =================== ============== =========== =========== ===========

    with a batch norm after each convolution. (Numbers for three input channels, images of 224x224
    and 1000 classes; bottlenecks have four times the channels given under output.)

    He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition". Where the shape
    changes, a 1x1 convolution with batch norm brings the input to it (the paper's option B). Names
    and shapes in `state_dict` are torchvision's, whose weights can be loaded, and weights start as
    there: convolutions from He's distribution by outgoing connections.

    Parameters
    ----------
    block : BasicBlock or Bottleneck
        The class.
    layers : sequence of int
        Blocks in each of the four stages.
    num_classes : int, default 1000
    zero_init_residual : bool, default False
        Start the last scale of each block from zero, so that each begins as the identity.
    in_channels : int, default 3
    width : int, default 64
        Channels of the first stage; each further one has twice as many.

    Raises
    ------
    ValueError
        If there are not four stages of at least one block each; in the call, if the input is not
        (N, in_channels, H, W).

    Examples
    --------
    >>> import autograd
    >>> model = ResNet(BasicBlock, (1, 1, 1, 1), num_classes=10, width=8)
    >>> model(autograd.zeros(2, 3, 64, 64)).shape
    (2, 10)
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        in_channels: int = 3,
        width: int = 64,
    ) -> None:
        super().__init__()
        if len(layers) != STAGES or min(layers) < 1:
            raise ValueError(
                f"ResNet: layers must be {STAGES} counts of at least 1, met {tuple(layers)}"
            )
        self.in_channels = in_channels
        self.inplanes = width
        self.conv1 = Conv2d(in_channels, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = BatchNorm2d(width)
        self.relu = ReLU()
        self.maxpool = MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._stage(block, width, layers[0], 1)
        self.layer2 = self._stage(block, 2 * width, layers[1], 2)
        self.layer3 = self._stage(block, 4 * width, layers[2], 2)
        self.layer4 = self._stage(block, 8 * width, layers[3], 2)
        self.avgpool = AdaptiveAvgPool2d(1)
        self.fc = Linear(self.inplanes, num_classes)
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init_residual and isinstance(module, BasicBlock):
                init.zeros_(module.get_parameter("bn2.weight"))
            elif zero_init_residual and isinstance(module, Bottleneck):
                init.zeros_(module.get_parameter("bn3.weight"))

    def _stage(
        self, block: type[BasicBlock] | type[Bottleneck], planes: int, count: int, stride: int
    ) -> Sequential:
        outputs = planes * block.expansion
        downsample = None
        if stride != 1 or self.inplanes != outputs:
            downsample = Sequential(
                Conv2d(self.inplanes, outputs, kernel_size=1, stride=stride, bias=False),
                BatchNorm2d(outputs),
            )
        blocks = [block(self.inplanes, planes, stride, downsample)]
        self.inplanes = outputs
        blocks += [block(outputs, planes) for _ in range(count - 1)]
        return Sequential(*blocks)

    def forward(self, x: Any) -> Any:
        """Map images (N, in_channels, H, W) to scores (N, num_classes)."""
        check_images("ResNet", x, self.in_channels, 1)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(flatten(self.avgpool(x), 1))


def resnet18(**arguments: Any) -> ResNet:
    """
    ResNet of 18 layers that learn: 11,689,512 parameters.

    Parameters
    ----------
    **arguments
        For `ResNet`, by name: ``num_classes``, ``zero_init_residual``, ``in_channels``, ``width``.

    Examples
    --------
    >>> len(resnet18(num_classes=10, width=8).layer3)
    2
    """
    return ResNet(BasicBlock, (2, 2, 2, 2), **arguments)


def resnet34(**arguments: Any) -> ResNet:
    """
    ResNet of 34 layers that learn: 21,797,672 parameters.

    Parameters
    ----------
    **arguments
        For `ResNet`, by name: ``num_classes``, ``zero_init_residual``, ``in_channels``, ``width``.

    Examples
    --------
    >>> len(resnet34(num_classes=10, width=8).layer3)
    6
    """
    return ResNet(BasicBlock, (3, 4, 6, 3), **arguments)


def resnet50(**arguments: Any) -> ResNet:
    """
    ResNet of 50 layers that learn, in bottlenecks: 25,557,032 parameters.

    Parameters
    ----------
    **arguments
        For `ResNet`, by name: ``num_classes``, ``zero_init_residual``, ``in_channels``, ``width``.

    Examples
    --------
    >>> resnet50(num_classes=10, width=8).fc
    Linear(in_features=256, out_features=10, bias=True)
    """
    return ResNet(Bottleneck, (3, 4, 6, 3), **arguments)
