"""Dropout layers."""

from __future__ import annotations

from typing import Any

from autograd import dropout

from ..module import Module


class Dropout(Module):
    """
    In training, set elements to zero with probability `p` and scale the rest by ``1 / (1 - p)``.

    In evaluation, the identity. Srivastava et al. 2014, "Dropout: a simple way to prevent neural
    networks from overfitting". Draws from the generator that `autograd.manual_seed` seeds.

    Parameters
    ----------
    p : float, default 0.5
    inplace : bool, default False
        Accepted; the input is left alone.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Dropout(0.5).eval()(autograd.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"Dropout: p must be from 0 to 1, not {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        """Probability and `inplace`."""
        return f"p={self.p}, inplace={self.inplace}"
