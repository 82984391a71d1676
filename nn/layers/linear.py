"""Linear, Bilinear and Identity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import bilinear, linear

from .. import init
from ..module import Module, Parameter, factory


def default_init(weight: Parameter, bias: Parameter | None) -> None:
    """Fill a weight (out, in, ...) and its bias as PyTorch's layers do by default.

    Both come from U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)): He's formula with a slope of sqrt(5).
    """
    if weight.numel():
        init.kaiming_uniform_(weight, a=math.sqrt(5.0))
    if bias is not None:
        fan_in = init.fan_in_and_fan_out(weight)[0]
        bound = 1.0 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(bias, -bound, bound)


class Linear(Module):
    """
    Affine map of the last dimension: ``y = x @ weight.T + bias``.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Attributes
    ----------
    weight : Parameter, (out_features, in_features)
    bias : Parameter, (out_features,), or None
        Both start from U(-k, k) with ``k = 1 / sqrt(in_features)``.

    Raises
    ------
    ValueError
        If a size is negative; in the call, if the input is not (..., in_features).

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Linear(3, 2)(autograd.ones(4, 3)).shape
    (4, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtype = factory("Linear", device, dtype)
        if in_features < 0 or out_features < 0:
            raise ValueError(
                f"Linear: sizes must be at least 0, met in_features={in_features}, "
                f"out_features={out_features}"
            )
        self.out_features = out_features
        self._learn(in_features, bias, dtype)

    def _learn(self, in_features: int, bias: bool, dtype: Any) -> None:
        """Make the parameters; a lazy layer leaves their shapes open."""
        self.in_features = in_features
        self.weight = Parameter(np.empty((self.out_features, in_features), dtype))
        if bias:
            self.bias = Parameter(np.empty(self.out_features, dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        default_init(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        """Map (..., in_features) to (..., out_features)."""
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes, and whether there is a bias."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """
    Bilinear map of two inputs: ``y[k] = x1 @ weight[k] @ x2 + bias[k]``.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Attributes
    ----------
    weight : Parameter, (out_features, in1_features, in2_features)
    bias : Parameter, (out_features,), or None
        Both start from U(-k, k) with ``k = 1 / sqrt(in1_features)``.

    Raises
    ------
    ValueError
        If `in1_features` is not positive or another size negative; in the call, if the inputs are
        not (..., in1_features) and (..., in2_features).

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Bilinear(3, 4, 2)(autograd.ones(5, 3), autograd.ones(5, 4)).shape
    (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        dtype = factory("Bilinear", device, dtype)
        if in1_features < 1 or in2_features < 0 or out_features < 0:
            raise ValueError(
                "Bilinear: in1_features must be positive and the others at least 0, met "
                f"in1_features={in1_features}, in2_features={in2_features}, "
                f"out_features={out_features}"
            )
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(np.empty((out_features, in1_features, in2_features), dtype))
        if bias:
            self.bias = Parameter(np.empty(out_features, dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        bound = 1.0 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        """Map (..., in1_features) and (..., in2_features) to (..., out_features)."""
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes, and whether there is a bias."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Identity(Module):
    """
    Its input, unchanged: a placeholder that takes any arguments and ignores them.

    Examples
    --------
    >>> import nn
    >>> nn.Identity(54, unused=True)("anything")
    'anything'
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return `input`."""
        return input
