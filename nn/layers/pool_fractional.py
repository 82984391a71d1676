"""Max pooling over windows at random places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from autograd import Tensor
from autograd.ops.conv_arguments import ints
from autograd.ops.pool_fractional import fractional_max_pool2d, fractional_max_pool3d

from ..module import Module


class _FractionalMaxPool(Module):
    """What the layers share; each says over how many dimensions it goes."""

    dims: ClassVar[int]
    op: ClassVar[Callable[..., Any]]
    _random_samples: Tensor | None

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        who, count = type(self).__name__, self.dims
        if (output_size is None) == (output_ratio is None):
            raise ValueError(
                f"{who}: give output_size or output_ratio, and not both; met {output_size} and "
                f"{output_ratio}"
            )
        self.kernel_size = ints(who, "kernel_size", kernel_size, count, 1)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = (
            None if output_size is None else ints(who, "output_size", output_size, count, 1)
        )
        if output_ratio is not None and not isinstance(output_ratio, tuple | list):
            output_ratio = (output_ratio,) * count
        self.output_ratio = output_ratio
        if output_ratio is not None and (
            len(output_ratio) != count or not all(0 < ratio < 1 for ratio in output_ratio)
        ):
            raise ValueError(
                f"{who}: output_ratio must be between 0 and 1, one for all or one for each of "
                f"{count} dimensions, not {output_ratio}"
            )

    def forward(self, input: Any) -> Any:
        """Map (N, C, ...) to the same with fewer elements; N may be absent."""
        return self.op(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPool):
    """
    Largest element of windows at random places of images (N, C, H, W), N optional.

    The windows' places differ by channel and by call, in training as in evaluation. Graham 2014,
    "Fractional max-pooling". Draws from the generator that `autograd.manual_seed` seeds.

    Parameters
    ----------
    kernel_size : int or pair of int
    output_size : int or pair of int, optional
        Height and width of the result, ...
    output_ratio : float or pair of float, optional
        ... or their ratio to those of the input, between 0 and 1.
    return_indices : bool, default False
        Also return where each maximum stands in its plane.

    Raises
    ------
    ValueError
        If neither or both of size and ratio are given or one is out of range; in the call, if the
        windows do not fit into the input.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.FractionalMaxPool2d(2, output_ratio=0.6)(autograd.zeros(1, 3, 10, 15)).shape
    (1, 3, 6, 9)
    """

    dims = 2
    op = staticmethod(fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPool):
    """
    Largest element of windows at random places of volumes (N, C, D, H, W), N optional.

    Arguments and errors as in `FractionalMaxPool2d`, over three dimensions.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.FractionalMaxPool3d(2, output_size=(2, 3, 3))(autograd.zeros(3, 4, 6, 5)).shape
    (3, 2, 3, 3)
    """

    dims = 3
    op = staticmethod(fractional_max_pool3d)
