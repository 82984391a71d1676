"""Activations made of straight pieces: the slopes at their bends are those of PyTorch.

The forwards clip rather than choose: NumPy's ``where`` is slow where neighbours differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..families import elementwise, shape_of
from ..random import Generator, default_generator
from .arithmetic import where
from .shape import reshape


@elementwise(
    lambda g, y, x, negative_slope: where(x > 0.0, g, g * negative_slope),
    saves="x",
    scalar=lambda x, negative_slope=0.01: x if x > 0.0 else x * negative_slope,
    result="float",
    formula=("x if x > 0 else negative_slope * x", "1 if x > 0 else negative_slope"),
)
def _leaky_relu(x, *, negative_slope=0.01):
    """X where it is positive, a fraction of it elsewhere."""
    if 0.0 < negative_slope <= 1.0:
        return np.maximum(x, x * negative_slope)  # many times quicker than a choice
    return np.where(x > 0, x, x * negative_slope)[()]


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """
    Rectifier that lets a fraction of the negative side pass.

    Parameters
    ----------
    input : Tensor, any shape
    negative_slope : float, default 0.01
        The slope on the left, and at 0.
    inplace : bool
        Accepted; `input` is left alone.

    Examples
    --------
    >>> import autograd
    >>> leaky_relu(autograd.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return _leaky_relu(input, negative_slope=float(negative_slope))


@elementwise(
    lambda g, y, x, w: where(x > 0.0, g, g * w),
    lambda g, y, x, w: where(x > 0.0, 0.0, g * x),
    saves=("x w", "x"),
    scalar=lambda x, w: x if x > 0.0 else x * w,
    result="float",
    formula=("x if x > 0 else w * x", "1 if x > 0 else w", "0 if x > 0 else x"),
)
def _prelu(x, w):
    """X where it is positive, w times x elsewhere."""
    x = np.asarray(x, np.result_type(x, w))
    return x.clip(0, None) + x.clip(None, 0) * w


def prelu(input: Any, weight: Any) -> Any:
    """
    Rectifier whose slope on the left is learned. He et al. 2015, "Delving deep into rectifiers".

    Parameters
    ----------
    input : Tensor, any shape
    weight : Tensor, (1,), () or (C,)
        The slope on the left, one for all or one for each channel (dimension 1).

    Raises
    ------
    ValueError
        If the number of weights is not that of the channels.

    Examples
    --------
    >>> import autograd
    >>> autograd.prelu(autograd.tensor([-1.0, 2.0]), autograd.tensor([0.5]))
    tensor([-0.5000,  2.0000])
    """
    shape, weights = shape_of(input, "prelu"), shape_of(weight, "prelu")
    if len(weights) > 1:
        raise ValueError(f"prelu: weight must have at most one dimension, met shape {weights}")
    if not weights or weights == (1,):
        return _prelu(input, reshape(weight, ()))
    channels = shape[1] if len(shape) > 1 else 1
    if weights != (channels,):
        raise ValueError(
            f"prelu: {weights[0]} weights do not fit the {channels} channels of {shape}; expected "
            "1 weight, or one for each channel (dimension 1)"
        )
    return _prelu(input, reshape(weight, (-1,) + (1,) * (len(shape) - 2)))


def rrelu(
    input: Any,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Rectifier whose slope on the left is random in training. Xu et al. 2015, "Empirical evaluation
    of rectified activations in convolutional network".

    Parameters
    ----------
    input : Tensor, any shape
    lower, upper : float
        The slopes are uniform between them; their mean is taken outside training.
    training : bool
    inplace : bool
        Accepted; `input` is left alone.
    generator : Generator, optional
        Source of the random numbers; default the one that `autograd.manual_seed` seeds.

    Raises
    ------
    ValueError
        If `lower` is above `upper`.

    Examples
    --------
    >>> import autograd
    >>> autograd.rrelu(autograd.tensor([-48.0, 2.0]))
    tensor([-11.,   2.])
    """  # noqa: D205 - the title of a paper
    if not lower <= upper:
        raise ValueError(f"rrelu: lower {lower} must not be above upper {upper}")
    if not training:
        return _leaky_relu(input, negative_slope=(float(lower) + float(upper)) / 2.0)
    noise = (generator or default_generator).random(shape_of(input, "rrelu"))
    return _prelu(input, (noise * (upper - lower) + lower).astype(input.dtype))


@elementwise(
    lambda g, y, x, threshold, value: where(x <= threshold, 0.0, g),
    saves="x",
    scalar=lambda x, threshold=0.0, value=0.0: value if x <= threshold else x,
    formula=("value if x <= threshold else x", "0 if x <= threshold else 1"),
)
def _threshold(x, *, threshold=0.0, value=0.0):
    """X where it is above a threshold, else a value."""
    return np.where(x <= threshold, x.dtype.type(value), x)[()]


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """
    Take x where it is above `threshold`, else `value`.

    Examples
    --------
    >>> import autograd
    >>> autograd.threshold(autograd.tensor([-1.0, 2.0]), 1.0, -5.0)
    tensor([-5.,  2.])
    """
    return _threshold(input, threshold=threshold, value=value)


@elementwise(
    lambda g, y, x, min_val, max_val: where((x <= min_val) + (x >= max_val), 0.0, g),
    saves="x",
    scalar=lambda x, min_val=-1.0, max_val=1.0: x if x != x else min(max(x, min_val), max_val),
    result="float",
    formula=("min(max(x, min_val), max_val)", "0 if x <= min_val or x >= max_val else 1"),
)
def _hardtanh(x, *, min_val=-1.0, max_val=1.0):
    """X limited to a range."""
    return x.clip(min_val, max_val)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """
    Limit x to the range from `min_val` to `max_val`; the slope at both is 0, other than of `clamp`.

    Examples
    --------
    >>> import autograd
    >>> hardtanh(autograd.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} must not be above max_val {max_val}")
    return _hardtanh(input, min_val=float(min_val), max_val=float(max_val))


def relu6(input: Any, inplace: bool = False) -> Any:
    """
    Rectifier that ends at 6, ``min(max(x, 0), 6)``.

    Examples
    --------
    >>> import autograd
    >>> relu6(autograd.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """
    return _hardtanh(input, min_val=0.0, max_val=6.0)


@elementwise(
    lambda g, y, x: where((x > -3.0) * (x < 3.0), g / 6.0, 0.0),
    saves="x",
    scalar=lambda x: x if x != x else min(max(x + 3.0, 0.0), 6.0) / 6.0,
    domain=(-5.0, 5.0),
    result="float",
    formula=("min(max(x + 3, 0), 6) / 6", "1 / 6 if -3 < x < 3 else 0"),
)
def _hardsigmoid(x):
    """A straight line from 0 at -3 to 1 at 3."""
    return (x + 3.0).clip(0.0, 6.0) / 6.0


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """
    Sigmoid in straight pieces, ``relu6(x + 3) / 6``.

    Examples
    --------
    >>> import autograd
    >>> hardsigmoid(autograd.tensor([-4.0, 0.0, 3.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _hardsigmoid(input)


@elementwise(
    lambda g, y, x: g * where(x <= -3.0, 0.0, where(x < 3.0, x / 3.0 + 0.5, 1.0)),
    saves="x",
    scalar=lambda x: x if x != x else x * (min(max(x + 3.0, 0.0), 6.0) / 6.0),
    domain=(-5.0, 5.0),
    result="float",
    formula=("x * min(max(x + 3, 0), 6) / 6", "0 if x <= -3 else x / 3 + 1 / 2 if x < 3 else 1"),
)
def _hardswish(x):
    """X times `hardsigmoid`."""
    return x * ((x + 3.0).clip(0.0, 6.0) / 6.0)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """
    Swish in straight pieces, ``x * relu6(x + 3) / 6``. Howard et al. 2019, "Searching for
    MobileNetV3".

    Examples
    --------
    >>> import autograd
    >>> hardswish(autograd.tensor([-4.0, 1.0, 3.0]))
    tensor([-0.0000,  0.6667,  3.0000])
    """  # noqa: D205 - the title of a paper
    return _hardswish(input)


# --- Shrinking ------------------------------------------------------------------------------------


@elementwise(
    lambda g, y, x, lambd: where((x >= -lambd) * (x <= lambd), 0.0, g),
    saves="x",
    scalar=lambda x, lambd=0.5: x - lambd if x > lambd else x + lambd if x < -lambd else 0.0 * x,
    result="float",
    formula=(
        "x - lambd if x > lambd else x + lambd if x < -lambd else 0",
        "0 if -lambd <= x <= lambd else 1",
    ),
)
def _softshrink(x, *, lambd=0.5):
    """X moved towards 0 by lambd, and 0 nearer to it."""
    return x - x.clip(-lambd, lambd)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """
    Move x towards 0 by `lambd`, and to 0 what is nearer.

    Examples
    --------
    >>> import autograd
    >>> softshrink(autograd.tensor([-1.0, 0.25, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    if not lambd >= 0:
        raise ValueError(f"softshrink: lambd must not be negative, met {lambd}")
    return _softshrink(input, lambd=float(lambd))


@elementwise(
    lambda g, y, x, lambd: where((x >= -lambd) * (x <= lambd), 0.0, g),
    saves="x",
    scalar=lambda x, lambd=0.5: 0.0 if -lambd <= x <= lambd else x,
    result="float",
    formula=("0 if -lambd <= x <= lambd else x", "0 if -lambd <= x <= lambd else 1"),
)
def _hardshrink(x, *, lambd=0.5):
    """X, and 0 within lambd of it."""
    return x * (np.abs(x) > lambd)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """
    Set to 0 what lies within `lambd` of it.

    Examples
    --------
    >>> import autograd
    >>> autograd.hardshrink(autograd.tensor([-1.0, 0.25, 2.0]))
    tensor([-1.,  0.,  2.])
    """
    return _hardshrink(input, lambd=float(lambd))
