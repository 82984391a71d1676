"""Activations made of exponentials: ELU and its kin, gates."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..module import Module
from .activation import Inplace


class ELU(Module):
    """
    Exponential linear unit: x if x > 0, else ``alpha * (exp(x) - 1)``.

    Clevert et al. 2016, "Fast and accurate deep network learning by exponential linear units".

    Parameters
    ----------
    alpha : float, default 1.0
        Minus the limit on the left.
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ELU()(autograd.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SELU(Inplace):
    """
    `ELU` with a scale and an alpha that keep mean 0 and variance 1 from layer to layer.

    Klambauer et al. 2017, "Self-normalizing neural networks".

    Parameters
    ----------
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.SELU()(autograd.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.selu(input)


class CELU(Module):
    """
    `ELU` with a continuous slope: ``max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)``.

    Barron 2017, "Continuously differentiable exponential linear units".

    Parameters
    ----------
    alpha : float, default 1.0
        Minus the limit on the left.
    inplace : bool, default False
        Accepted; the input is left alone.

    Raises
    ------
    ValueError
        In the call, if `alpha` is 0.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.CELU(2.0)(autograd.tensor([-1.0, 2.0]))
    tensor([-0.7869,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.celu(input, self.alpha)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class Mish(Inplace):
    """
    ``x * tanh(softplus(x))``, element by element.

    Misra 2020, "Mish: a self regularized non-monotonic neural activation function".

    Parameters
    ----------
    inplace : bool, default False
        Accepted; the input is left alone.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Mish()(autograd.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.mish(input)


class LogSigmoid(Module):
    """
    ``log(1 / (1 + exp(-x)))``, element by element, without underflow.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.LogSigmoid()(autograd.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.logsigmoid(input)


class Softsign(Module):
    """
    ``x / (1 + abs(x))``, element by element.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Softsign()(autograd.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.softsign(input)


class Tanhshrink(Module):
    """
    ``x - tanh(x)``, element by element.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Tanhshrink()(autograd.tensor([0.0, 2.0]))
    tensor([0.0000, 1.0360])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.tanhshrink(input)


class GLU(Module):
    """
    Gated linear unit ``a * sigmoid(b)``, with a and b the two halves of the input along `dim`.

    Dauphin et al. 2017, "Language modeling with gated convolutional networks".

    Parameters
    ----------
    dim : int, default -1
        Its size, an even one, is halved.

    Raises
    ------
    ValueError
        In the call, if the size is odd.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.GLU()(autograd.tensor([4.0, 0.0]))
    tensor([2.])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        """Arguments, as PyTorch shows them."""
        return f"dim={self.dim}"
