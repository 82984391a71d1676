"""Initial values: functions that fill a tensor in place, outside the graph.

Random ones draw from `generator`, by default the one that `autograd.manual_seed` seeds.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from autograd import Generator, Tensor, no_grad
from autograd import random as _random


def _filled(name: str, tensor: Tensor, values: Any) -> Tensor:
    """Overwrite `tensor` with `values`, which broadcast."""
    _check(name, tensor)
    with no_grad():
        return tensor.copy_(values)


def _check(name: str, tensor: Tensor) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: expected a Tensor, not {type(tensor).__name__}")


def _source(generator: Generator | None) -> Generator:
    return _random.default_generator if generator is None else generator


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """
    Fill with uniform random numbers from [a, b).

    Parameters
    ----------
    tensor : Tensor, any shape
    a, b : float
    generator : Generator, optional

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If ``a > b``.

    Examples
    --------
    >>> import autograd
    >>> x = uniform_(autograd.zeros(100), 2.0, 3.0)
    >>> bool((x >= 2.0).all() and (x <= 3.0).all())
    True
    """
    if not a <= b:
        raise ValueError(f"uniform_: the range needs a <= b, met a={a}, b={b}")
    _check("uniform_", tensor)
    return _filled("uniform_", tensor, _source(generator).random(tensor.shape) * (b - a) + a)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """
    Fill with normal random numbers of a mean and a standard deviation.

    Parameters
    ----------
    tensor : Tensor, any shape
    mean, std : float
    generator : Generator, optional

    Returns
    -------
    Tensor
        `tensor` itself.

    Raises
    ------
    ValueError
        If ``std < 0``.

    Examples
    --------
    >>> import autograd
    >>> normal_(autograd.zeros(2), mean=5.0, std=0.0)
    tensor([5., 5.])
    """
    if not std >= 0:
        raise ValueError(f"normal_: std must be at least 0, not {std}")
    _check("normal_", tensor)
    return _filled("normal_", tensor, _source(generator).normal(tensor.shape) * std + mean)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """
    Fill with one number.

    Examples
    --------
    >>> import autograd
    >>> constant_(autograd.zeros(2), 3.0)
    tensor([3., 3.])
    """
    return _filled("constant_", tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """
    Fill with ones.

    Examples
    --------
    >>> import autograd
    >>> ones_(autograd.zeros(2))
    tensor([1., 1.])
    """
    return _filled("ones_", tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """
    Fill with zeros.

    Examples
    --------
    >>> import autograd
    >>> zeros_(autograd.ones(2))
    tensor([0., 0.])
    """
    return _filled("zeros_", tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """
    Fill a matrix with ones on the diagonal and zeros elsewhere.

    Raises
    ------
    ValueError
        If the tensor has not two dimensions.

    Examples
    --------
    >>> import autograd
    >>> eye_(autograd.zeros(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    _check("eye_", tensor)
    if tensor.ndim != 2:
        raise ValueError(
            f"eye_: only tensors with 2 dimensions have a diagonal, met {tensor.shape}"
        )
    return _filled("eye_", tensor, np.eye(tensor.shape[0], tensor.shape[1]))


# --- By fan-in and fan-out ------------------------------------------------------------------------


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """
    Factor by which weights grow so that a nonlinearity keeps the variance of its inputs.

    ================================ ===================================
    nonlinearity                     gain
    ================================ ===================================
    linear, conv1d to conv3d,        1
    conv_transpose1d to 3d, sigmoid
    tanh                             5 / 3
    relu                             sqrt(2)
    leaky_relu                       sqrt(2 / (1 + slope²))
    selu                             3 / 4
    ================================ ===================================

    Parameters
    ----------
    nonlinearity : str
    param : float, optional
        Negative slope of leaky_relu; default 0.01.

    Raises
    ------
    ValueError
        If the nonlinearity is unknown, or the slope no number.

    Examples
    --------
    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"calculate_gain: the slope must be a number, not {param!r}")
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity not in GAINS:
        raise ValueError(
            f"calculate_gain: unknown nonlinearity {nonlinearity!r}; expected one of "
            f"{', '.join([*GAINS, 'leaky_relu'])}"
        )
    return GAINS[nonlinearity]


GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4.0,
}


def fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """
    Numbers of inputs and outputs that one unit of a weight (out, in, ...) connects.

    For a convolution, each is multiplied with the size of the kernel.

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    Examples
    --------
    >>> import autograd
    >>> fan_in_and_fan_out(autograd.zeros(6, 1, 5, 5))
    (25, 150)
    """
    if tensor.ndim < 2:
        raise ValueError(
            f"fan-in and fan-out need a weight of at least 2 dimensions, met {tensor.shape}"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """
    Fill with U(-a, a), ``a = gain * sqrt(6 / (fan_in + fan_out))``.

    Keeps the variance of activations and gradients alike through layers with symmetric
    nonlinearities. Glorot and Bengio 2010, "Understanding the difficulty of training deep
    feedforward neural networks".

    Parameters
    ----------
    tensor : Tensor, (out, in, ...)
    gain : float
        See `calculate_gain`.
    generator : Generator, optional

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    Examples
    --------
    >>> import autograd
    >>> bool((xavier_uniform_(autograd.zeros(2, 4)).abs() <= 1.0).all())
    True
    """
    _check("xavier_uniform_", tensor)
    fan_in, fan_out = fan_in_and_fan_out(tensor)
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out)) if fan_in + fan_out else 0.0
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """
    Fill with N(0, std²), ``std = gain * sqrt(2 / (fan_in + fan_out))``.

    Glorot and Bengio 2010; see `xavier_uniform_`.

    Parameters
    ----------
    tensor : Tensor, (out, in, ...)
    gain : float
        See `calculate_gain`.
    generator : Generator, optional

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions.

    Examples
    --------
    >>> import autograd
    >>> xavier_normal_(autograd.zeros(2, 4)).shape
    (2, 4)
    """
    _check("xavier_normal_", tensor)
    fan_in, fan_out = fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / (fan_in + fan_out)) if fan_in + fan_out else 0.0
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """``gain / sqrt(fan)``; None where there is nothing to fill."""
    _check(name, tensor)
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode must be 'fan_in' or 'fan_out', not {mode!r}")
    if tensor.numel() == 0:
        warnings.warn(f"{name}: the tensor has no elements; nothing to do", stacklevel=3)
        return None
    fans = fan_in_and_fan_out(tensor)
    return calculate_gain(nonlinearity, a) / math.sqrt(fans[mode.lower() == "fan_out"])


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """
    Fill with U(-bound, bound), ``bound = gain * sqrt(3 / fan)``.

    Keeps the variance through layers with rectifiers. He et al. 2015, "Delving deep into
    rectifiers: surpassing human-level performance on ImageNet classification".

    Parameters
    ----------
    tensor : Tensor, (out, in, ...)
    a : float
        Negative slope of the rectifier that follows (for leaky_relu).
    mode : {"fan_in", "fan_out"}
        Keep the variance of activations or of gradients.
    nonlinearity : str
        Names the gain; see `calculate_gain`.
    generator : Generator, optional

    Raises
    ------
    ValueError
        If the tensor has fewer than two dimensions, or `mode` or `nonlinearity` is unknown.

    Examples
    --------
    >>> import autograd
    >>> bool((kaiming_uniform_(autograd.zeros(4, 6)).abs() <= 1.0).all())
    True
    """
    std = _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """
    Fill with N(0, std²), ``std = gain / sqrt(fan)``.

    He et al. 2015; arguments and errors as in `kaiming_uniform_`.

    Parameters
    ----------
    tensor : Tensor, (out, in, ...)
    a : float
    mode : {"fan_in", "fan_out"}
    nonlinearity : str
    generator : Generator, optional

    Examples
    --------
    >>> import autograd
    >>> kaiming_normal_(autograd.zeros(4, 6), nonlinearity="relu").shape
    (4, 6)
    """
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


# --- Truncated normal -----------------------------------------------------------------------------

# Drawing normals and throwing away those outside costs 1 / mass draws an element; below this mass
# another proposal is cheaper.
LEAST_MASS = 0.1


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """
    Fill with N(mean, std²) numbers, those outside [a, b] drawn again.

    Exact for every interval, by rejection: from normals where the interval holds much of their
    mass, else from a uniform or (in a tail) a truncated exponential distribution. Robert 1995,
    "Simulation of truncated normal variables".

    Parameters
    ----------
    tensor : Tensor, any shape
    mean, std : float
        Of the normal distribution before it is cut.
    a, b : float
        Limits of the values (not in units of `std`).
    generator : Generator, optional

    Raises
    ------
    ValueError
        If not ``a < b`` or not ``std > 0``.

    Examples
    --------
    >>> import autograd
    >>> x = trunc_normal_(autograd.zeros(1000))
    >>> bool((x.abs() <= 2.0).all())
    True
    """
    _check("trunc_normal_", tensor)
    if not a < b:
        raise ValueError(f"trunc_normal_: the interval needs a < b, met a={a}, b={b}")
    if not std > 0:
        raise ValueError(f"trunc_normal_: std must be greater than 0, not {std}")
    low, high = (a - mean) / std, (b - mean) / std
    if low + high < 0:  # the far side is the upper one from here on
        values = mean - std * _truncated(-high, -low, tensor.numel(), _source(generator))
    else:
        values = mean + std * _truncated(low, high, tensor.numel(), _source(generator))
    # The limits hold in the tensor's own precision too.
    values = np.clip(values, a, b).astype(tensor.dtype, copy=False).reshape(tensor.shape)
    return _filled("trunc_normal_", tensor, values)


def _truncated(low: float, high: float, count: int, source: Generator) -> np.ndarray:
    """`count` standard normals within [low, high], the middle of which is not negative."""
    mass = 0.5 * (math.erfc(low / math.sqrt(2.0)) - math.erfc(high / math.sqrt(2.0)))
    values = np.empty(count)
    done = 0
    while done < count:
        n = count - done
        if mass >= LEAST_MASS:
            drawn = source.normal((n,))
            drawn = drawn[(drawn >= low) & (drawn <= high)]
        elif low <= 0:
            drawn = low + (high - low) * source.random((n,))
            drawn = drawn[source.random((n,)) <= np.exp(-0.5 * drawn * drawn)]
        else:
            beyond = -np.log1p(source.random((n,)) * np.expm1(-low * (high - low))) / low
            drawn = low + beyond[source.random((n,)) <= np.exp(-0.5 * beyond * beyond)]
        values[done : done + len(drawn)] = drawn
        done += len(drawn)
    return values
