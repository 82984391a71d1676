"""Functions that set random elements, or whole channels, to zero."""

from __future__ import annotations

import math
import warnings
from typing import Any

from autograd import dropout as _dropout
from autograd.families import shape_of as _shape_of
from autograd.ops.pool import floats as _floats
from autograd.random import Generator
from autograd.random import default_generator as _default_generator

# The limit on the left of SELU, negated: what dropped elements are set to.
_ALPHA = 1.7580993408473766


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Set elements to zero with probability `p`, and scale the rest by ``1 / (1 - p)``.

    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".

    Parameters
    ----------
    input : Tensor, any shape
    p : float, default 0.5
    training : bool, default True
        If False, `input` itself is returned.
    inplace : bool
        Accepted; `input` is left alone.
    generator : Generator, optional
        Source of the random numbers; default the one that `autograd.manual_seed` seeds.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    Examples
    --------
    >>> import autograd
    >>> dropout(autograd.ones(3), p=1.0)
    tensor([0., 0., 0.])
    """
    return _dropout(input, p, training, generator=generator)


def _probability(who: str, p: float) -> float:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{who}: p must be from 0 to 1, not {p}")
    return float(p)


def _noise(shape: tuple[int, ...], p: float, dtype: Any, generator: Generator | None) -> Any:
    """Ones, and zeros with probability p."""
    source = _default_generator if generator is None else generator
    return (source.random(shape) >= p).astype(dtype)


def _channels(
    who: str, dims: int, input: Any, p: float, training: bool, generator: Generator | None
) -> Any:
    """Drop whole channels of (N, C, ...), or of (C, ...) where it has `dims` dimensions."""
    p = _probability(who, p)
    shape = _shape_of(input, who)
    _floats(who, input)
    if not training or p == 0.0:
        return input
    kept = shape[:1] if len(shape) == dims else shape[:2]
    noise = _noise(kept + (1,) * (len(shape) - len(kept)), p, input.dtype, generator)
    return input * (noise / (1.0 - p) if p < 1.0 else noise).astype(input.dtype)


def dropout1d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Set whole channels of sequences (N, C, L) or (C, L) to zero with probability `p`.

    The rest is scaled by ``1 / (1 - p)``; arguments as of `dropout`. Tompson et al. 2015,
    "Efficient object localization using convolutional networks".

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.
    TypeError
        If the input is not of floats.
    RuntimeError
        If the input has another number of dimensions.

    Examples
    --------
    >>> import autograd
    >>> dropout1d(autograd.ones(1, 2, 3), p=1.0)
    tensor([[[0., 0., 0.],
             [0., 0., 0.]]])
    """
    shape = _shape_of(input, "dropout1d")
    if len(shape) not in (2, 3):
        raise RuntimeError(f"dropout1d: expected input (N, C, L) or (C, L), met {shape}")
    return _channels("dropout1d", 2, input, p, training, generator)


def dropout2d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Set whole channels of images (N, C, H, W) to zero with probability `p`.

    The rest is scaled by ``1 / (1 - p)``; arguments as of `dropout`. Three dimensions are read as
    (N, C, L), as in PyTorch; other numbers than 3 and 4 give a warning.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    Examples
    --------
    >>> import autograd
    >>> dropout2d(autograd.ones(4, 3, 2, 2), training=False).shape
    (4, 3, 2, 2)
    """
    _warn_unless("dropout2d", _shape_of(input, "dropout2d"), (3, 4))
    return _channels("dropout2d", 1, input, p, training, generator)


def dropout3d(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Set whole channels of volumes (N, C, D, H, W) or (C, D, H, W) to zero with probability `p`.

    The rest is scaled by ``1 / (1 - p)``; arguments as of `dropout`. Other numbers of dimensions
    give a warning, as in PyTorch.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    Examples
    --------
    >>> import autograd
    >>> dropout3d(autograd.ones(3, 2, 2, 2), training=False).shape
    (3, 2, 2, 2)
    """
    _warn_unless("dropout3d", _shape_of(input, "dropout3d"), (4, 5))
    return _channels("dropout3d", 4, input, p, training, generator)


def _warn_unless(who: str, shape: tuple[int, ...], dims: tuple[int, int]) -> None:
    if len(shape) not in dims:
        warnings.warn(
            f"{who}: expected input with {dims[0]} or {dims[1]} dimensions, met {shape}; use "
            "dropout to drop single elements",
            stacklevel=3,
        )


def _alpha_dropout(
    who: str, input: Any, noise_dims: int | None, p: float, training: bool,
    generator: Generator | None,
) -> Any:  # fmt: skip
    p = _probability(who, p)
    shape = _shape_of(input, who)
    _floats(who, input)
    if not training or p == 0.0:
        return input
    if p == 1.0:
        return input * 0.0
    if noise_dims is not None:
        shape = shape[:noise_dims] + (1,) * (len(shape) - noise_dims)
    noise = _noise(shape, p, input.dtype, generator)
    a = 1.0 / math.sqrt((_ALPHA**2 * p + 1.0) * (1.0 - p))
    scale, shift = noise * a, (noise - 1.0) * (_ALPHA * a) + _ALPHA * a * p
    return input * scale.astype(input.dtype) + shift.astype(input.dtype)


def alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Set elements to SELU's limit with probability `p`, keeping mean 0 and variance 1.

    The result is ``a * x + b``, and ``-1.7581 * a + b`` where an element is dropped. Klambauer et
    al. 2017, "Self-normalizing neural networks". Arguments as of `dropout`; `training` is False
    unless given, as in PyTorch.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    Examples
    --------
    >>> import autograd
    >>> alpha_dropout(autograd.ones(3), p=1.0, training=True)
    tensor([0., 0., 0.])
    """
    return _alpha_dropout("alpha_dropout", input, None, p, training, generator)


def feature_alpha_dropout(
    input: Any,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Set whole channels of (N, C, ...) to SELU's limit with probability `p`; see `alpha_dropout`.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1, or the input has fewer than two dimensions.

    Examples
    --------
    >>> import autograd
    >>> feature_alpha_dropout(autograd.ones(1, 1, 3), p=1.0, training=True)
    tensor([[[0., 0., 0.]]])
    """
    shape = _shape_of(input, "feature_alpha_dropout")
    if len(shape) < 2:
        raise ValueError(f"feature_alpha_dropout: expected input (N, C, ...), met {shape}")
    return _alpha_dropout("feature_alpha_dropout", input, 2, p, training, generator)
