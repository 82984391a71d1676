"""Dropout layers; in evaluation each of them is the identity.

They draw from the generator that `autograd.manual_seed` seeds. ``inplace=`` is accepted; the input
is left alone.
"""

from __future__ import annotations

from typing import Any

from autograd import dropout

from .. import functional as F
from ..module import Module


class _Dropout(Module):
    """A probability, and `inplace`."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"{type(self).__name__}: p must be from 0 to 1, not {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Probability and `inplace`."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
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

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return dropout(input, self.p, self.training)


class Dropout1d(_Dropout):
    """
    In training, set whole channels of sequences (N, C, L) or (C, L) to zero; see `Dropout`.

    Tompson et al. 2015, "Efficient object localization using convolutional networks".

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Dropout1d(1.0)(autograd.ones(1, 2))
    tensor([[0., 0.]])
    """

    def forward(self, input: Any) -> Any:
        """Apply to sequences."""
        return F.dropout1d(input, self.p, self.training)


class Dropout2d(_Dropout):
    """
    In training, set whole channels of images (N, C, H, W) to zero; see `Dropout`.

    Three dimensions are read as (N, C, L), as in PyTorch.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Dropout2d()(autograd.ones(2, 3, 4, 4)).shape
    (2, 3, 4, 4)
    """

    def forward(self, input: Any) -> Any:
        """Apply to images."""
        return F.dropout2d(input, self.p, self.training)


class Dropout3d(_Dropout):
    """
    In training, set whole channels of volumes (N, C, D, H, W), N optional, to zero; see `Dropout`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Dropout3d()(autograd.ones(2, 3, 2, 2, 2)).shape
    (2, 3, 2, 2, 2)
    """

    def forward(self, input: Any) -> Any:
        """Apply to volumes."""
        return F.dropout3d(input, self.p, self.training)


class AlphaDropout(_Dropout):
    """
    In training, set elements to SELU's limit with probability `p`, keeping mean 0 and variance 1.

    Klambauer et al. 2017, "Self-normalizing neural networks". Arguments and errors as of
    `Dropout`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.AlphaDropout().eval()(autograd.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Any) -> Any:
        """Apply to a tensor of any shape."""
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """
    In training, set whole channels of (N, C, ...) to SELU's limit; see `AlphaDropout`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.FeatureAlphaDropout().eval()(autograd.ones(1, 1, 3))
    tensor([[[1., 1., 1.]]])
    """

    def forward(self, input: Any) -> Any:
        """Apply to (N, C, ...)."""
        return F.feature_alpha_dropout(input, self.p, self.training)
