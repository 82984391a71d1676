"""Normalisation over batches, and over each channel of each sample."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import Tensor, batch_norm
from autograd.families import shape_of

from .. import functional as F
from .. import init
from ..module import Module, Parameter, factory


class ChannelNorm(Module):
    """
    What normalisations by channel share: weight and bias, and running statistics, or none of them.

    Each says which numbers of dimensions it takes.

    Examples
    --------
    >>> import nn
    >>> isinstance(nn.BatchNorm1d(3), ChannelNorm)
    True
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    dims: tuple[int, ...]

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ) -> None:
        super().__init__()
        dtype = factory(type(self).__name__, device, dtype)
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._learn(num_features, affine and bias, dtype)

    def _learn(self, num_features: int, bias: bool, dtype: Any) -> None:
        """Make parameters and buffers; a lazy layer leaves their shapes open."""
        if num_features < 0:
            raise ValueError(
                f"{type(self).__name__}: num_features must be at least 0, not {num_features}"
            )
        self.num_features = num_features
        learned = {"weight": self.affine, "bias": bias}
        for name, there in learned.items():
            values = Parameter(np.empty(num_features, dtype)) if there else None
            self.register_parameter(name, values)
        tracked = {
            "running_mean": np.empty(num_features, dtype),
            "running_var": np.empty(num_features, dtype),
            "num_batches_tracked": np.zeros((), np.int64),
        }
        for name, array in tracked.items():
            self.register_buffer(name, Tensor(array) if self.track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what was tracked: mean 0, variance 1, no batches."""
        for buffer, value in (
            (self.running_mean, 0.0),
            (self.running_var, 1.0),
            (self.num_batches_tracked, 0),
        ):
            if buffer is not None:
                buffer.fill_(value)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and statistics as new."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input(self, input: Any) -> tuple[int, ...]:
        """The shape, if it has one of the right numbers of dimensions."""
        shape = shape_of(input, type(self).__name__)
        if len(shape) not in self.dims:
            wanted = " or ".join(f"{n}D" for n in self.dims)
            raise ValueError(
                f"{type(self).__name__}: expected {wanted} input (N, {self.num_features}, ...), "
                f"met {shape}"
            )
        return shape

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        )

    def forward(self, input: Any) -> Any:
        """Normalise (N, num_features, ...), channel by channel."""
        self._check_input(input)
        tracking = self.training and self.track_running_stats
        count = self.num_batches_tracked if tracking else None
        momentum = self.momentum
        if momentum is None:  # the plain average over all batches
            momentum = 0.0 if count is None else 1.0 / (count.item() + 1)
        mean, var = self.running_mean, self.running_var
        # Without statistics, those of the batch serve in evaluation too.
        by_batch = self.training or (mean is None and var is None)
        if self.training and not self.track_running_stats:
            mean = var = None
        y = batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)
        if count is not None:
            count.add_(1)
        return y


class BatchNorm1d(_BatchNorm):
    """
    Normalise each feature over the batch: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    In training, mean and variance are those of the batch, and running ones move towards them by
    `momentum` (their variance with n - 1); in evaluation the running ones are used. Ioffe and
    Szegedy 2015, "Batch normalization: accelerating deep network training by reducing internal
    covariate shift".

    Parameters
    ----------
    num_features : int
        C of the input (N, C) or (N, C, L).
    eps : float, default 1e-5
        Keeps the root away from 0.
    momentum : float or None, default 0.1
        None: the running statistics are the plain average over all batches.
    affine : bool, default True
        Learn weight and bias.
    track_running_stats : bool, default True
        False: statistics of the batch are used in evaluation too.
    device : None or "cpu"
    dtype : dtype, optional
        Of parameters and statistics; the default dtype (float32) if not given.
    bias : bool, default True
        Learn the bias (if `affine`).

    Attributes
    ----------
    weight, bias : Parameter, (C,), or None
        Start at 1 and 0.
    running_mean, running_var : buffer, (C,), or None
    num_batches_tracked : int64 buffer, (), or None

    Raises
    ------
    ValueError
        In the call, if the input has another number of dimensions or of channels, or (in
        training) one value a channel.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.BatchNorm1d(1, eps=0.0)
    >>> layer(autograd.tensor([[0.0], [2.0]])).detach()
    tensor([[-1.],
            [ 1.]])
    >>> layer.running_mean
    tensor([0.1000])
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """
    Normalise each channel of images (N, C, H, W) over the batch and the image.

    Arguments, attributes and errors as in `BatchNorm1d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.BatchNorm2d(3)(autograd.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """
    Normalise each channel of volumes (N, C, D, H, W) over the batch and the volume.

    Arguments, attributes and errors as in `BatchNorm1d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.BatchNorm3d(3)(autograd.randn(2, 3, 2, 2, 2)).shape
    (2, 3, 2, 2, 2)
    """

    dims = (5,)


class _InstanceNorm(ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        )

    def forward(self, input: Any) -> Any:
        """Normalise (N, num_features, ...), each sample and channel by itself; N may be absent."""
        shape = self._check_input(input)
        alone = len(shape) == min(self.dims)
        channels = shape[0 if alone else 1]
        if channels != self.num_features:
            text = (
                f"{type(self).__name__}: expected {self.num_features} channels, met {channels} in "
                f"an input of {shape}"
            )
            if self.affine or self.track_running_stats:
                raise ValueError(text)
            warnings.warn(f"{text}; without parameters, that does not matter", stacklevel=2)
        y = F.instance_norm(
            input[None] if alone else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y[0] if alone else y


class InstanceNorm1d(_InstanceNorm):
    """
    Normalise each channel of each sample: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    Ulyanov et al. 2016, "Instance normalization: the missing ingredient for fast stylization".

    Parameters
    ----------
    num_features : int
        C of the input (N, C, L) or (C, L).
    eps : float, default 1e-5
        Keeps the root away from 0.
    momentum : float or None, default 0.1
        How far running statistics move; None: not at all.
    affine : bool, default False
        Learn weight and bias.
    track_running_stats : bool, default False
        Keep running statistics, and use them in evaluation.
    device : None or "cpu"
    dtype : dtype, optional
        Of parameters and statistics; the default dtype (float32) if not given.
    bias : bool, default True
        Learn the bias (if `affine`).

    Attributes
    ----------
    weight, bias : Parameter, (C,), or None
        Start at 1 and 0.
    running_mean, running_var : buffer, (C,), or None
    num_batches_tracked : int64 buffer, (), or None
        Stays 0, as in PyTorch.

    Raises
    ------
    ValueError
        In the call, if the input has another number of dimensions or of channels, or one value a
        channel.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.InstanceNorm1d(1, eps=0.0)(autograd.tensor([[[0.0, 2.0]], [[7.0, 5.0]]]))
    tensor([[[-1.,  1.]],
            [[ 1., -1.]]])
    """

    dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """
    Normalise each channel of each image (N, C, H, W), N optional.

    Arguments, attributes and errors as in `InstanceNorm1d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.InstanceNorm2d(3)(autograd.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """
    Normalise each channel of each volume (N, C, D, H, W), N optional.

    Arguments, attributes and errors as in `InstanceNorm1d`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.InstanceNorm3d(3)(autograd.randn(2, 3, 2, 2, 2)).shape
    (2, 3, 2, 2, 2)
    """

    dims = (4, 5)
