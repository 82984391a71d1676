"""Parametrizations that are often of use: weight_norm, spectral_norm, orthogonal."""

from __future__ import annotations

from typing import Any

from autograd import Tensor, dot, mv, no_grad, randn

from ..functional import normalize
from ..layers.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..module import Module
from .orthogonal import orthogonal as orthogonal
from .parametrize import PLACE, is_parametrized, register_parametrization

TRANSPOSED = (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
FIRST_ITERATIONS = 15  # of the power method, so that a new layer's norm is already right


def norm_except(v: Tensor, dim: int | None) -> Tensor:
    """
    Euclidean norm over all dimensions but `dim` (None or -1: over all of them).

    Raises
    ------
    IndexError
        If there is no such dimension.

    Examples
    --------
    >>> import autograd
    >>> norm_except(autograd.tensor([[3.0, 4.0], [6.0, 8.0]]), 0)
    tensor([[ 5.],
            [10.]])
    """
    if dim is None or dim == -1:
        return v.norm()
    if not 0 <= dim < len(v.shape):
        raise IndexError(f"weight_norm: dim {dim} is out of range for shape {v.shape}")
    others = [d for d in range(len(v.shape)) if d != dim]
    return v.norm(dim=others, keepdim=True) if others else v.abs()


class _WeightNorm(Module):
    """``g * v / |v|``, of a length and a direction."""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """Put length and direction together."""
        return weight_v * (weight_g / norm_except(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Take a weight apart."""
        return norm_except(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """
    Learn the length and the direction of a weight apart: ``w = g * v / |v|``.

    ``module.parametrizations.weight.original0`` is g and ``original1`` is v.

    Parameters
    ----------
    module : Module
    name : str
        Of the parameter.
    dim : int or None, default 0
        The dimension along which each slice has a length of its own; None (or -1): one for all.

    Returns
    -------
    Module
        `module` itself.

    Raises
    ------
    ValueError
        If there is no such parameter.
    IndexError
        If there is no such dimension.

    References
    ----------
    T. Salimans and D. P. Kingma, "Weight Normalization", 2016.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> list(layer.state_dict())
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module.register_load_state_dict_pre_hook(_OldKeys(name))
    return module


class _OldKeys:
    """Renames the keys of `nn.utils.weight_norm`, so that what it saved can be loaded."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        old = [f"{prefix}{self.name}_{ending}" for ending in "gv"]
        if is_parametrized(module, self.name) and all(key in state for key in old):
            for number, key in enumerate(old):
                state[f"{prefix}{PLACE}.{self.name}.original{number}"] = state.pop(key)


class _SpectralNorm(Module):
    """``w / sigma``, of the largest singular value as the power method knows it."""

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        ndim = len(weight.shape)
        if not -ndim <= dim < ndim:
            raise IndexError(f"spectral_norm: dim {dim} is out of range for shape {weight.shape}")
        if not isinstance(n_power_iterations, int) or n_power_iterations < 1:
            raise ValueError(
                f"spectral_norm: n_power_iterations must be >= 1, not {n_power_iterations!r}"
            )
        self.dim = dim % ndim
        self.eps = eps
        self.n_power_iterations = n_power_iterations
        self.single = ndim == 1  # of one dimension: its norm is known exactly
        if not self.single:
            matrix = matrix_of(weight, self.dim).detach()
            self.register_buffer("_u", unit(matrix.shape[0], weight.dtype, eps))
            self.register_buffer("_v", unit(matrix.shape[1], weight.dtype, eps))
            self._iterate(matrix, FIRST_ITERATIONS)

    def _iterate(self, matrix: Tensor, count: int) -> None:
        with no_grad():
            power_method(matrix, self._u, self._v, count, self.eps)

    def forward(self, weight: Tensor) -> Tensor:
        """Divide by the largest singular value; in training the estimate gets better."""
        if self.single:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = matrix_of(weight, self.dim)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        # Copies: the buffers change again before a backward pass may come.
        u, v = self._u.clone(), self._v.clone()
        return weight / dot(u, mv(matrix, v))

    def right_inverse(self, value: Tensor) -> Tensor:
        """Take a weight as it is: it is normalised when it is read."""
        return value


def matrix_of(weight: Tensor, dim: int) -> Tensor:
    """
    `weight` as a matrix whose rows are its slices along `dim`.

    Examples
    --------
    >>> import autograd
    >>> matrix_of(autograd.ones(2, 3, 4), 1).shape
    (3, 8)
    """
    if dim:
        weight = weight.permute([dim, *(d for d in range(len(weight.shape)) if d != dim)])
    return weight.flatten(1)


def unit(size: int, dtype: Any, eps: float) -> Tensor:
    """
    A random vector of length 1.

    Examples
    --------
    >>> import numpy as np
    >>> round(unit(3, np.float64, 1e-12).norm().item(), 6)
    1.0
    """
    return normalize(randn(size, dtype=dtype), dim=0, eps=eps)


def power_method(matrix: Tensor, u: Tensor, v: Tensor, count: int, eps: float) -> None:
    """
    Bring u and v, in place, nearer to the first singular vectors of a matrix.

    Examples
    --------
    >>> import autograd
    >>> u, v = autograd.tensor([0.6, 0.8]), autograd.tensor([1.0, 0.0])
    >>> power_method(autograd.tensor([[3.0, 0.0], [0.0, 1.0]]), u, v, 30, 1e-12)
    >>> u, v
    (tensor([1., 0.]), tensor([1., 0.]))
    """
    for _ in range(count):
        u.copy_(normalize(mv(matrix, v), dim=0, eps=eps))
        v.copy_(normalize(mv(matrix.T, u), dim=0, eps=eps))


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """
    Divide a weight by its largest singular value.

    The value is estimated by the power method, a step of which runs each time that the weight is
    read in training.

    Parameters
    ----------
    module : Module
    name : str
        Of the parameter.
    n_power_iterations : int, default 1
    eps : float
        Least length to divide by.
    dim : int, optional
        The dimension of the outputs: the rows of the matrix. Default: 1 for transposed
        convolutions, else 0.

    Returns
    -------
    Module
        `module` itself.

    Raises
    ------
    ValueError
        If there is no such parameter, or `n_power_iterations` is below 1.
    IndexError
        If there is no such dimension.

    References
    ----------
    T. Miyato, T. Kataoka, M. Koyama and Y. Yoshida, "Spectral Normalization for Generative
    Adversarial Networks", 2018.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 2, bias=False))
    >>> list(layer.state_dict())[-2:]
    ['parametrizations.weight.0._u', 'parametrizations.weight.0._v']
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"spectral_norm: {type(module).__name__} has no parameter {name!r}")
    if dim is None:
        dim = 1 if isinstance(module, TRANSPOSED) else 0
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)
