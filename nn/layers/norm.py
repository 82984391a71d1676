"""Normalisation of each sample by itself: over layers, groups, squares, neighbouring channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import group_norm, layer_norm, local_response_norm, rms_norm
from autograd.families import shape_of

from .. import init
from ..module import Module, Parameter, factory


def _normalized(who: str, shape: int | Sequence[int]) -> tuple[int, ...]:
    sizes = shape if isinstance(shape, Sequence) else (shape,)
    sizes = tuple(int(n) for n in sizes)
    if min(sizes, default=-1) < 0:
        raise ValueError(f"{who}: normalized_shape must be sizes of at least 0, not {shape}")
    return sizes


class _Affine(Module):
    """What the layers share: a weight and a bias that may be missing."""

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
        self.normalized_shape = _normalized("LayerNorm", normalized_shape)
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


class RMSNorm(Module):
    """
    Divide each sample by the root of its mean square, ``x / sqrt(mean(x**2) + eps)``, then scale.

    Zhang and Sennrich 2019, "Root mean square layer normalization".

    Parameters
    ----------
    normalized_shape : int or sequence of int
        Sizes of the last dimensions, over which the mean is taken.
    eps : float, optional
        Keeps the root away from 0; default: the smallest step of the input's dtype at 1.
    elementwise_affine : bool, default True
        Learn the weight.
    device : None or "cpu"
    dtype : dtype, optional
        Of the weight; the default dtype (float32) if not given.

    Attributes
    ----------
    weight : Parameter, normalized_shape, or None
        Starts at 1.

    Raises
    ------
    ValueError
        If a size is negative, or, in the call, the input has other last dimensions.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.RMSNorm(2)(autograd.tensor([[1.0, 7.0]])).detach()
    tensor([[0.2000, 1.4000]])
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtype = factory("RMSNorm", device, dtype)
        self.normalized_shape = _normalized("RMSNorm", normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        values = Parameter(np.empty(self.normalized_shape, dtype)) if elementwise_affine else None
        self.register_parameter("weight", values)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Any) -> Any:
        """Normalise (..., *normalized_shape)."""
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class LocalResponseNorm(Module):
    """
    Divide by a mean of squares over neighbouring channels of (N, C, ...).

    ``y = x / (k + alpha * mean of x**2 over size channels) ** beta``. Krizhevsky et al. 2012,
    "ImageNet classification with deep convolutional neural networks".

    Parameters
    ----------
    size : int
        Number of channels.
    alpha : float, default 1e-4
    beta : float, default 0.75
    k : float, default 1

    Raises
    ------
    ValueError
        In the call, if the input has fewer than three dimensions, or `size` is below 1.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LocalResponseNorm(1, alpha=3.0, beta=0.5)(autograd.ones(1, 2, 1))
    tensor([[[0.5000],
             [0.5000]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Any) -> Any:
        """Normalise (N, C, ...)."""
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
