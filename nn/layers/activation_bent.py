"""Activations made of straight pieces: rectifiers, hard twins, shrinking."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import prelu

from .. import functional as F
from .. import init as initial
from ..module import Module, Parameter, factory


class LeakyReLU(Module):
    """
    Rectifier that lets a fraction of the negative side pass.

    ``x if x > 0 else negative_slope * x``, element by element.

    Parameters
    ----------
    negative_slope : float, default 1e-2
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LeakyReLU(0.1)(autograd.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """
    Rectifier whose slope on the left is learned: ``x if x > 0 else weight * x``.

    He et al. 2015, "Delving deep into rectifiers: surpassing human-level performance on ImageNet
    classification".

    Parameters
    ----------
    num_parameters : int, default 1
        1, or the number of channels (dimension 1 of the input).
    init : float, default 0.25
        Where the slopes start.
    device : None or "cpu"
    dtype : dtype, optional
        Of the slopes; the default dtype (float32) if not given.

    Attributes
    ----------
    weight : Parameter, (num_parameters,)

    Raises
    ------
    ValueError
        If `num_parameters` is below 1; in the call, if the channels are not as many.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.PReLU()(autograd.tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        dtype = factory("PReLU", device, dtype)
        if num_parameters < 1:
            raise ValueError(f"PReLU: num_parameters must be at least 1, not {num_parameters}")
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(np.empty(num_parameters, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set every slope to `init`."""
        initial.constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape (with the channels second, if there are several)."""
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Number of slopes."""
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """
    Rectifier whose slope on the left is random in training, and the mean one in evaluation.

    Xu et al. 2015, "Empirical evaluation of rectified activations in convolutional network".
    Draws from the generator that `autograd.manual_seed` seeds.

    Parameters
    ----------
    lower, upper : float, default 1 / 8 and 1 / 3
        The slopes are uniform between them.
    inplace : bool, default False
        Accepted; the input is left alone.

    Raises
    ------
    ValueError
        In the call, if `lower` is above `upper`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.RReLU(0.25, 0.75).eval()(autograd.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.rrelu(input, self.lower, self.upper, self.training)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return f"lower={self.lower}, upper={self.upper}" + (
            ", inplace=True" if self.inplace else ""
        )


class Hardtanh(Module):
    """
    Limit x to a range: ``min(max(x, min_val), max_val)``, element by element.

    Parameters
    ----------
    min_val, max_val : float, default -1 and 1
    inplace : bool, default False
        Accepted; the input is left alone.
    min_value, max_value : float, optional
        Deprecated names of the limits.

    Raises
    ------
    ValueError
        If not ``min_val < max_val``.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Hardtanh()(autograd.tensor([-2.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        if min_value is not None or max_value is not None:
            warnings.warn(
                f"{type(self).__name__}: min_value and max_value are deprecated; use min_val and "
                "max_val",
                FutureWarning,
                stacklevel=2,
            )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if not self.min_val < self.max_val:
            raise ValueError(
                f"{type(self).__name__}: min_val {self.min_val} must be below max_val "
                f"{self.max_val}"
            )

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.hardtanh(input, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        text = f"min_val={self.min_val}, max_val={self.max_val}"
        return text + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    """
    Rectifier that ends at 6: ``min(max(x, 0), 6)``, element by element.

    Parameters
    ----------
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ReLU6()(autograd.tensor([-2.0, 5.0, 8.0]))
    tensor([0., 5., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """Show `inplace`, if it was asked for."""
        return "inplace=True" if self.inplace else ""


class Hardsigmoid(Module):
    """
    `Sigmoid` in straight pieces: ``min(max(x + 3, 0), 6) / 6``, element by element.

    Parameters
    ----------
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Hardsigmoid()(autograd.tensor([-4.0, 0.0, 3.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.hardsigmoid(input)


class Hardswish(Module):
    """
    `SiLU` in straight pieces: ``x * min(max(x + 3, 0), 6) / 6``, element by element.

    Howard et al. 2019, "Searching for MobileNetV3".

    Parameters
    ----------
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Hardswish()(autograd.tensor([1.0, 3.0]))
    tensor([0.6667, 3.0000])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.hardswish(input)


class Hardshrink(Module):
    """
    Set to 0 what lies within `lambd` of it.

    Parameters
    ----------
    lambd : float, default 0.5

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Hardshrink()(autograd.tensor([0.25, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return f"{self.lambd}"


class Softshrink(Module):
    """
    Move x towards 0 by `lambd`, and to 0 what is nearer.

    Parameters
    ----------
    lambd : float, default 0.5

    Raises
    ------
    ValueError
        In the call, if `lambd` is negative.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Softshrink()(autograd.tensor([0.25, 2.0]))
    tensor([0.0000, 1.5000])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return f"{self.lambd}"


class Threshold(Module):
    """
    Take x where it is above `threshold`, else `value`.

    Parameters
    ----------
    threshold : float
    value : float
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Threshold(1.0, -5.0)(autograd.tensor([-1.0, 2.0]))
    tensor([-5.,  2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.threshold(input, self.threshold, self.value)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return f"threshold={self.threshold}, value={self.value}" + (
            ", inplace=True" if self.inplace else ""
        )
