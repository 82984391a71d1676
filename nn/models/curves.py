"""Curves as sums of steps: the smallest networks with a hidden layer."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from autograd import Tensor, from_numpy, no_grad, relu, sigmoid

from ..layers.linear import Linear
from ..module import Module


class SigmoidSum(Module):
    """
    A curve as a sum of k sigmoids: ``y = bias + sum of c_i * sigmoid(w_i * x + b_i)``.

    ============ ============ =======================
    layer        output       parameters
    ============ ============ =======================
    inner        k            ``2 * k``
    outer        1            ``k + 1``
    ============ ============ =======================

    That is a network with one hidden layer: with enough sigmoids it comes as close as wanted to any
    continuous curve on an interval. Cybenko 1989, "Approximation by superpositions of a sigmoidal
    function".

    The steps start side by side, one in the middle of each of k equal parts of the interval, with
    heights as `Linear` draws them. Each is as wide as two of the parts: neighbours overlap, so that
    there is a gradient everywhere.

    Parameters
    ----------
    k : int
        Number of sigmoids, at least 1.
    low, high : float, default 0.0 and 1.0
        The interval on which the curve is wanted.

    Raises
    ------
    ValueError
        If k is below 1 or `low` not below `high`; in the call, if the input is not (..., 1).

    Examples
    --------
    >>> import autograd, nn
    >>> model = SigmoidSum(5)
    >>> model(autograd.zeros(8, 1)).shape, nn.summary(model, (1,)).parameters
    ((8, 1), 16)
    """

    steepness = 4.0
    """``sigmoid(4 * z)`` rises with slope 1 at its middle, as the hard sigmoid does."""

    def __init__(self, k: int, low: float = 0.0, high: float = 1.0) -> None:
        super().__init__()
        if k < 1:
            raise ValueError(f"{type(self).__name__}: k must be at least 1, got {k}")
        if not -np.inf < low < high < np.inf:
            raise ValueError(
                f"{type(self).__name__}: low must be below high, got {low!r} and {high!r}"
            )
        self.inner = Linear(1, k)
        self.outer = Linear(k, 1)
        part = (high - low) / k
        middles = low + part * (np.arange(k) + 0.5)
        self._place(middles - part, middles + part)

    def _place(self, starts: np.ndarray, ends: np.ndarray) -> None:
        """Let step i rise between ``starts[i]`` and ``ends[i]``: its middle at theirs."""
        slopes = self.steepness / (ends - starts)
        _fill(self.inner, slopes[:, None], -slopes * (starts + ends) / 2)

    def steps(self, x: Any) -> Any:
        """Map places (..., 1) to the k steps there, each from 0 to 1."""
        return sigmoid(self.inner(x))

    def forward(self, x: Any) -> Any:
        """Map places (..., 1) to values (..., 1)."""
        return self.outer(self.steps(x))


class HardSigmoidSum(SigmoidSum):
    """
    A piecewise linear curve, as a sum of k hard sigmoids, each made of two ReLUs.

    ============ ============ =======================
    layer        output       parameters
    ============ ============ =======================
    inner        k            ``2 * k``
    outer        1            ``k + 1``
    ============ ============ =======================

    ``y = bias + sum of c_i * (relu(z_i) - relu(z_i - 1))`` with ``z_i = w_i * x + b_i``: a hard
    sigmoid is 0, then a ramp, then 1. Every piecewise linear curve is such a sum, see `through`.

    Parameters
    ----------
    k : int
        Number of hard sigmoids, at least 1.
    low, high : float, default 0.0 and 1.0
        The interval on which the curve is wanted, over which the ramps are spread at the start.

    Raises
    ------
    ValueError
        If k is below 1 or `low` not below `high`; in the call, if the input is not (..., 1).

    Examples
    --------
    >>> import autograd
    >>> peak = HardSigmoidSum.through([0.0, 0.5, 1.0], [0.0, 2.0, 1.0])
    >>> peak(autograd.tensor([[0.25], [0.5], [0.75]])).tolist()
    [[1.0], [2.0], [1.5]]
    """

    def _place(self, starts: np.ndarray, ends: np.ndarray) -> None:
        slopes = 1.0 / (ends - starts)
        _fill(self.inner, slopes[:, None], -slopes * starts)

    def steps(self, x: Any) -> Any:
        """Map places (..., 1) to the k ramps there, each from 0 to 1."""
        z = self.inner(x)
        return relu(z) - relu(z - 1.0)

    @classmethod
    def through(cls, x: Any, y: Any) -> Self:
        """
        The piecewise linear curve through given points, without any training.

        Between two neighbours one ramp rises, as high as the curve does there; before the first
        point and after the last the curve is constant.

        Parameters
        ----------
        x : array of numbers, (k + 1,)
            Increasing.
        y : array of numbers, (k + 1,)

        Raises
        ------
        ValueError
            If the shapes differ, there are fewer than two points, x does not increase, or a number
            is infinite or NaN.
        """
        places, values = (
            np.asarray(given.numpy() if isinstance(given, Tensor) else given, dtype=np.float64)
            for given in (x, y)
        )
        if places.ndim != 1 or places.shape != values.shape or len(places) < 2:
            raise ValueError(
                f"{cls.__name__}.through: expected x and y of one shape (k + 1,), of at least two "
                f"points, got {places.shape} and {values.shape}"
            )
        if not (np.isfinite(places).all() and np.isfinite(values).all()):
            raise ValueError(f"{cls.__name__}.through: a number is infinite or NaN")
        if (np.diff(places) <= 0).any():
            raise ValueError(f"{cls.__name__}.through: x must increase")
        model = cls(len(places) - 1, float(places[0]), float(places[-1]))
        model._place(places[:-1], places[1:])
        _fill(model.outer, np.diff(values)[None], values[:1])
        return model


def _fill(layer: Linear, weight: np.ndarray, bias: np.ndarray) -> None:
    with no_grad():
        layer.weight.copy_(from_numpy(weight.astype(layer.weight.dtype)))
        if layer.bias is not None:
            layer.bias.copy_(from_numpy(bias.astype(layer.bias.dtype)))
