"""Activation layers.

``inplace=`` is taken where PyTorch has it; the results are the same, and the input is left alone.
"""

from __future__ import annotations

from typing import Any

from autograd import gelu, log_softmax, relu, sigmoid, silu, softmax, tanh
from autograd.families import shape_of

from .. import functional as F
from ..module import Module


class Inplace(Module):
    """
    An activation that takes ``inplace=`` and nothing else; base of several.

    Parameters
    ----------
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import nn
    >>> isinstance(nn.Mish(inplace=True), Inplace)
    True
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Show `inplace`, if it was asked for."""
        return "inplace=True" if self.inplace else ""


class ReLU(Inplace):
    """
    Rectifier max(x, 0), element by element.

    Parameters
    ----------
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ReLU()(autograd.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return relu(input)


class Sigmoid(Module):
    """
    Logistic function 1 / (1 + exp(-x)), element by element.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Sigmoid()(autograd.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return sigmoid(input)


class Tanh(Module):
    """
    Hyperbolic tangent, element by element.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Tanh()(autograd.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return tanh(input)


class GELU(Module):
    """
    Gaussian error linear unit x * Phi(x), Phi the normal distribution function.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        "tanh": a formula with tanh that comes close.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.GELU()(autograd.tensor([-1.0, 1.0]))
    tensor([-0.1587,  0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """Which formula."""
        return f"approximate={self.approximate!r}"


class SiLU(Inplace):
    """
    Sigmoid linear unit x * sigmoid(x), also known as swish.

    Parameters
    ----------
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.SiLU()(autograd.tensor([-1.0, 1.0]))
    tensor([-0.2689,  0.7311])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return silu(input)


class Softplus(Module):
    """
    Smooth ramp ``log(1 + exp(beta * x)) / beta``, element by element.

    Parameters
    ----------
    beta : float, default 1
    threshold : float, default 20
        Where ``beta * x`` is larger the result is x itself.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Softplus()(autograd.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Slope and threshold."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """
    Exponentials that sum to one along `dim`: ``exp(x) / sum(exp(x))``.

    Parameters
    ----------
    dim : int
        PyTorch guesses one that is missing, and warns; here the call raises TypeError.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Softmax(dim=1)(autograd.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape that has the dimension."""
        return softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Show the dimension."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """
    Logarithm of `Softmax`, computed without underflow.

    Parameters
    ----------
    dim : int
        As in `Softmax`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LogSoftmax(dim=1)(autograd.zeros(1, 2))
    tensor([[-0.6931, -0.6931]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape that has the dimension."""
        return log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Show the dimension."""
        return f"dim={self.dim}"


class Softmin(Module):
    """
    `Softmax` of ``-x``: the smallest element gets the largest share.

    Parameters
    ----------
    dim : int
        As in `Softmax`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Softmin(dim=0)(autograd.tensor([0.0, 200.0]))
    tensor([1., 0.])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape that has the dimension."""
        return softmax(-input, self.dim)

    def extra_repr(self) -> str:
        """Show the dimension."""
        return f"dim={self.dim}"


class Softmax2d(Module):
    """
    `Softmax` over the channels of images (N, C, H, W) or (C, H, W), pixel by pixel.

    Raises
    ------
    ValueError
        In the call, if the input has another number of dimensions.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Softmax2d()(autograd.zeros(2, 1, 1))
    tensor([[[0.5000]],
            [[0.5000]]])
    """

    def forward(self, input: Any) -> Any:
        """Map images to images of the same shape."""
        shape = shape_of(input, "Softmax2d")
        if len(shape) not in (3, 4):
            raise ValueError(f"Softmax2d: expected (N, C, H, W) or (C, H, W), met {shape}")
        return softmax(input, -3)
