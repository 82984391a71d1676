"""Dropout: noise that keeps a network from relying on single elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import random
from ..families import structured
from ..graph import Spec
from ..kernels import dropout as dropout_kernel


@structured(None, infer=lambda x, *, generator: Spec((2,), "int64"), formula=("random()", None))
def dropout_key(x, /, *, generator):
    """Draw what decides which elements are dropped; x only says that the op is for it."""
    return generator.key()


@structured(
    lambda g, y, x, key, p: _dropout(g, key, p=p),  # pyright: ignore[reportGeneralTypeIssues]
    None,
    saves=("key", ""),
    infer=lambda x, key, *, p: Spec(x.shape, x.dtype),
    formula=("x * mask(key) / (1 - p)", "g * mask(key) / (1 - p)", None),
)
def _dropout(x, key, /, *, p):
    """Drop by a key: linear in x, so in backward the same elements are dropped from the gradient.

    Which ones is worked out again, faster than a mask could be read.
    """
    return dropout_kernel(x, key, p=p)


dropout_key.op.samples = lambda draw: [((draw((3, 4)),), {"generator": random.Generator(0)})]
_dropout.op.samples = lambda draw: [
    ((draw((3, 4)), np.array([7, -2])), {"p": 0.5}),
    ((draw((5, 30)), np.array([2**40 + 1, 3])), {"p": 0.25}),
]


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
    return _dropout(input, dropout_key(input, generator=source), p=float(p))
