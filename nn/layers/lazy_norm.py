"""Normalisations that learn at their first call how many channels their input has."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

from ..module import UninitializedBuffer, UninitializedParameter
from .lazy import Lazy, materialize
from .norm_channel import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    ChannelNorm,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)

# Norms whose input may come without a batch.
ONE_SAMPLE = (InstanceNorm1d, InstanceNorm2d, InstanceNorm3d)


class _LazyNorm(Lazy, ChannelNorm):
    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _learn(self, num_features: int, bias: bool, dtype: Any) -> None:
        self.num_features = 0
        for name, there in {"weight": self.affine, "bias": bias}.items():
            self.register_parameter(name, UninitializedParameter(dtype=dtype) if there else None)
        tracked = self.track_running_stats
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, UninitializedBuffer(dtype=dtype) if tracked else None)
        count = Tensor(np.zeros((), np.int64)) if tracked else None
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Forget what was tracked, once there is something to fill."""
        if not self.has_uninitialized_params():
            super().reset_running_stats()

    def _fit(self, shape: tuple[int, ...], fresh: bool) -> None:
        if len(shape) not in self.dims:
            wanted = " or ".join(f"{n}D" for n in self.dims)
            raise ValueError(f"{type(self).__name__}: expected {wanted} input, met {shape}")
        alone = len(shape) == min(self.dims) and issubclass(self.final, ONE_SAMPLE)
        channels = shape[0 if alone else 1]
        tensors = (self.weight, self.bias, self.running_mean, self.running_var)
        for tensor in tensors:
            materialize(tensor, (channels,))
        there = [tensor for tensor in tensors if tensor is not None]
        self.num_features = there[0].shape[0] if there else channels
        if fresh:
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """
    `BatchNorm1d` that takes `num_features` from its first input; the rest is the same.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.LazyBatchNorm1d()
    >>> layer(autograd.randn(2, 3, 4)).shape
    (2, 3, 4)
    >>> layer.num_features
    3
    """

    final = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """
    `BatchNorm2d` that takes `num_features` from its first input; the rest is the same.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.LazyBatchNorm2d()
    >>> layer(autograd.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    >>> layer.num_features
    3
    """

    final = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """
    `BatchNorm3d` that takes `num_features` from its first input; the rest is the same.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.LazyBatchNorm3d()
    >>> layer(autograd.randn(2, 3, 2, 2, 2)).shape
    (2, 3, 2, 2, 2)
    >>> layer.num_features
    3
    """

    final = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """
    `InstanceNorm1d` that takes `num_features` from its first input; the rest is the same.

    Weight, bias and running statistics are there unless they are switched off, as in PyTorch.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.LazyInstanceNorm1d()
    >>> layer(autograd.randn(2, 3, 4)).shape
    (2, 3, 4)
    >>> layer.num_features
    3
    """

    final = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """
    `InstanceNorm2d` that takes `num_features` from its first input; the rest is the same.

    Weight, bias and running statistics are there unless they are switched off, as in PyTorch.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.LazyInstanceNorm2d()
    >>> layer(autograd.randn(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    >>> layer.num_features
    3
    """

    final = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """
    `InstanceNorm3d` that takes `num_features` from its first input; the rest is the same.

    Weight, bias and running statistics are there unless they are switched off, as in PyTorch.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.LazyInstanceNorm3d()
    >>> layer(autograd.randn(2, 3, 2, 2, 2)).shape
    (2, 3, 2, 2, 2)
    >>> layer.num_features
    3
    """

    final = InstanceNorm3d
