"""Normalisation over batches, layers and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Tensor, batch_norm, group_norm, layer_norm
from autograd.families import shape_of

from .. import init
from ..module import Module, Parameter, factory


class _BatchNorm(Module):
    """What BatchNorm1d and BatchNorm2d share; each says which numbers of dimensions it takes."""

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    dims: tuple[int, ...]

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
        super().__init__()
        who = type(self).__name__
        dtype = factory(who, device, dtype)
        if num_features < 0:
            raise ValueError(f"{who}: num_features must be at least 0, not {num_features}")
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        learned = {"weight": affine, "bias": affine and bias}
        for name, there in learned.items():
            values = Parameter(np.empty(num_features, dtype)) if there else None
            self.register_parameter(name, values)
        tracked = {
            "running_mean": np.empty(num_features, dtype),
            "running_var": np.empty(num_features, dtype),
            "num_batches_tracked": np.zeros((), np.int64),
        }
        for name, array in tracked.items():
            self.register_buffer(name, Tensor(array) if track_running_stats else None)
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

    def forward(self, input: Any) -> Any:
        """Normalise (N, num_features, ...), channel by channel."""
        shape = shape_of(input, type(self).__name__)
        if len(shape) not in self.dims:
            wanted = " or ".join(f"{n}D" for n in self.dims)
            raise ValueError(
                f"{type(self).__name__}: expected {wanted} input (N, {self.num_features}, ...), "
                f"met {shape}"
            )
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

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


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


class _Affine(Module):
    """What LayerNorm and GroupNorm share: a weight and a bias that may be missing."""

    weight: Parameter | None
    bias: Parameter | None

    def _learn(self, shape: tuple[int, ...], dtype: Any, weight: bool, bias: bool) -> None:
        for name, there in (("weight", weight), ("bias", bias)):
            values = Parameter(np.empty(shape, dtype)) if there else None
            self.register_parameter(name, values)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class LayerNorm(_Affine):
    """
    Normalise each sample over its last dimensions, to ``(x - mean) / sqrt(var + eps)``, then scale.

    The same in training and in evaluation. Ba, Kiros and Hinton 2016, "Layer normalization".

    Parameters
    ----------
    normalized_shape : int or sequence of int
        Sizes of the last dimensions, over which mean and variance are taken.
    eps : float, default 1e-5
        Keeps the root away from 0.
    elementwise_affine : bool, default True
        Learn weight and bias.
    bias : bool, default True
        Learn the bias (if `elementwise_affine`).
    device : None or "cpu"
    dtype : dtype, optional
        Of parameters; the default dtype (float32) if not given.

    Attributes
    ----------
    weight, bias : Parameter, normalized_shape, or None
        Start at 1 and 0.

    Raises
    ------
    ValueError
        If a size is negative, or, in the call, the input has other last dimensions.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LayerNorm(2, eps=0.0)(autograd.tensor([[0.0, 2.0]])).detach()
    tensor([[-1.,  1.]])
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtype = factory("LayerNorm", device, dtype)
        sizes = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
        self.normalized_shape = tuple(int(n) for n in sizes)
        if min(self.normalized_shape, default=-1) < 0:
            raise ValueError(
                f"LayerNorm: normalized_shape must be sizes of at least 0, not {normalized_shape}"
            )
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._learn(self.normalized_shape, dtype, elementwise_affine, elementwise_affine and bias)

    def forward(self, input: Any) -> Any:
        """Normalise (..., *normalized_shape)."""
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(_Affine):
    """
    Normalise groups of channels of each sample: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    The same in training and in evaluation. Wu and He 2018, "Group normalization".

    Parameters
    ----------
    num_groups : int
        Divides `num_channels`.
    num_channels : int
        C of the input (N, C, ...).
    eps : float, default 1e-5
        Keeps the root away from 0.
    affine : bool, default True
        Learn a weight and a bias for each channel.
    device : None or "cpu"
    dtype : dtype, optional
        Of parameters; the default dtype (float32) if not given.
    bias : bool, default True
        Learn the bias (if `affine`).

    Attributes
    ----------
    weight, bias : Parameter, (num_channels,), or None
        Start at 1 and 0.

    Raises
    ------
    ValueError
        If the groups do not fit, or, in the call, the input has another number of channels.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.GroupNorm(2, 4, eps=0.0)(autograd.tensor([[0.0, 2.0, 5.0, 3.0]])).detach()
    tensor([[-1.,  1.,  1., -1.]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        dtype = factory("GroupNorm", device, dtype)
        if num_groups < 1 or num_channels < 0 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_groups={num_groups} must divide num_channels={num_channels}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._learn((num_channels,), dtype, affine, affine and bias)

    def forward(self, input: Any) -> Any:
        """Normalise (N, num_channels, ...), group by group."""
        shape = shape_of(input, "GroupNorm")
        if shape[1:2] != (self.num_channels,):
            raise ValueError(f"GroupNorm: expected (N, {self.num_channels}, ...), met {shape}")
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
