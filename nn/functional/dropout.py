"""Functions that set random elements to zero."""

from __future__ import annotations

from typing import Any

from autograd import dropout as _dropout
from autograd.random import Generator


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Any:
    """
    Set elements to zero with probability `p`, and scale the rest by ``1 / (1 - p)``.

    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".

    Parameters
    ----------
    input : Tensor, any shape
    p : float, default 0.5
    training : bool, default True
        If False, `input` itself is returned.
    inplace : bool
        Accepted; `input` is left alone.
    generator : Generator, optional
        Source of the random numbers; default the one that `autograd.manual_seed` seeds.

    Raises
    ------
    ValueError
        If `p` is not from 0 to 1.

    Examples
    --------
    >>> import autograd
    >>> dropout(autograd.ones(3), p=1.0)
    tensor([0., 0., 0.])
    """
    return _dropout(input, p, training, generator=generator)
