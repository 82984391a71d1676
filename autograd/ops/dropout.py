"""Dropout: noise that keeps a network from relying on single elements."""

from __future__ import annotations

from typing import Any

from .. import random
from ..families import structured
from ..graph import Spec


@structured(None, infer=lambda x, *, p, generator: Spec(x.shape, x.dtype))
def dropout_mask(x, /, *, p, generator):
    """Zeros with probability `p`, else 1 / (1 - p), in the shape of x."""
    keep = generator.random(x.shape) >= p
    scale = 0.0 if p == 1.0 else 1.0 / (1.0 - p)
    return (keep * x.dtype.type(scale)).astype(x.dtype, copy=False)


def _ready(draw):
    return [((draw((3, 4)),), {"p": 0.5, "generator": random.Generator(0)})]


dropout_mask.op.samples = _ready


def dropout(
    input: Any, p: float = 0.5, training: bool = True, *, generator: random.Generator | None = None
) -> Any:
    """Set elements to zero with probability `p`, and scale the rest by ``1 / (1 - p)``.

    Parameters
    ----------
    input : Tensor
    p : float
        From 0 to 1.
    training : bool
        If False, `input` itself is returned.
    generator : Generator, optional
        Source of the random numbers; default the one that `manual_seed` seeds.

    Raises
    ------
    ValueError
        If `p` is not a probability.

    Examples
    --------
    >>> import autograd
    >>> _ = autograd.manual_seed(0)
    >>> autograd.dropout(autograd.ones(4), 1.0)
    tensor([0., 0., 0., 0.])
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout: p must be from 0 to 1, not {p}")
    if not training or p == 0.0:
        return input
    source = random.default_generator if generator is None else generator
    return input * dropout_mask(input, p=float(p), generator=source)
