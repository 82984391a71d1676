"""Random numbers whose spread follows from the numbers of inputs and outputs of a unit."""

from __future__ import annotations

import math
import warnings

from autograd import Generator, Tensor

from .fill import check, normal_, uniform_


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
    check("xavier_uniform_", tensor)
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
    check("xavier_normal_", tensor)
    fan_in, fan_out = fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / (fan_in + fan_out)) if fan_in + fan_out else 0.0
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    """``gain / sqrt(fan)``; None where there is nothing to fill."""
    check(name, tensor)
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
