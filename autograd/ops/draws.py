"""Samples whose distribution a tensor gives: constants, whatever gradient the tensor asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import random
from ..families import shape_of, structured
from ..graph import Spec


@structured(
    None, infer=lambda p, **_: Spec(p.shape, p.dtype), formula=("1 if random() < p else 0", None)
)
def _bernoulli(p, /, *, generator):
    if not np.all((p >= 0.0) & (p <= 1.0)):
        raise ValueError(
            f"bernoulli: probabilities must be from 0 to 1, met {np.min(p)} to {np.max(p)}"
        )
    return (generator.random(p.shape) < p).astype(p.dtype)


_bernoulli.op.samples = lambda draw: [
    ((np.abs(np.tanh(draw((2, 3)))),), {"generator": random.Generator(0)})
]


def bernoulli(input: Any, *, generator: random.Generator | None = None) -> Any:
    """1 with the probability that `input` says, else 0, in its shape and dtype.

    Raises
    ------
    TypeError
        If `input` is not of floats.
    ValueError
        If an element is no probability.

    Examples
    --------
    >>> import autograd
    >>> autograd.bernoulli(autograd.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    shape_of(input, "bernoulli")
    if input.dtype.kind != "f":
        raise TypeError(f"bernoulli: probabilities must be floats, not {input.dtype}")
    return _bernoulli(input, generator=generator or random.default_generator)


@structured(
    None,
    infer=lambda weights, *, num_samples, **_: Spec((*weights.shape[:-1], num_samples), np.int64),
    formula=("random(weights)", None),
)
def _multinomial(weights, /, *, num_samples, replacement, generator):
    weights = np.asarray(weights, np.float64)
    if not np.isfinite(weights).all() or (weights < 0.0).any():
        raise ValueError("multinomial: weights must be finite and not negative")
    rows = np.atleast_2d(weights)
    enough = 1 if replacement else num_samples
    if ((rows > 0.0).sum(-1) < enough).any():
        raise ValueError(f"multinomial: {num_samples} samples, but fewer weights that are positive")
    if replacement:
        ends = np.cumsum(rows, -1)
        drawn = generator.random((len(rows), num_samples)) * ends[:, -1:]
        found = np.stack(
            [np.searchsorted(e, d, side="right") for e, d in zip(ends, drawn, strict=True)]
        )
        # Rounding may carry a draw past the last index of positive weight.
        last = rows.shape[-1] - 1 - np.argmax(rows[:, ::-1] > 0.0, -1)
        found = np.minimum(found, last[:, None])
    else:
        # The smallest of exponential waiting times: draws without putting back.
        with np.errstate(divide="ignore"):
            waits = -np.log1p(-generator.random(rows.shape)) / rows
        found = np.argsort(waits, axis=-1, kind="stable")[:, :num_samples]
    return found.astype(np.int64).reshape(*weights.shape[:-1], num_samples)


_multinomial.op.samples = lambda draw: [
    (
        (np.abs(draw(shape)) + 0.1,),
        {"num_samples": 2, "replacement": again, "generator": random.Generator(0)},
    )
    for shape, again in (((4,), True), ((2, 3), False))
]


def multinomial(
    input: Any,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: random.Generator | None = None,
) -> Any:
    """Indices drawn with probabilities proportional to weights.

    Parameters
    ----------
    input : Tensor, (C,) or (N, C)
        Weights, not negative; they need not sum to 1.
    num_samples : int
    replacement : bool
        Whether an index may be drawn again.
    generator : Generator, optional
        Source of the random numbers; default the one that `manual_seed` seeds.

    Returns
    -------
    Tensor of int64, (num_samples,) or (N, num_samples)

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or fewer are positive than samples are asked for.

    Examples
    --------
    >>> import autograd
    >>> autograd.multinomial(autograd.tensor([0.0, 3.0, 0.0]), 4, replacement=True)
    tensor([1, 1, 1, 1])
    """
    shape = shape_of(input, "multinomial")
    if len(shape) not in (1, 2) or not shape[-1]:
        raise ValueError(f"multinomial: weights must be (C,) or (N, C), met {shape}")
    if num_samples < 1:
        raise ValueError(f"multinomial: num_samples must be at least 1, not {num_samples}")
    source = generator or random.default_generator
    return _multinomial(input, num_samples=num_samples, replacement=replacement, generator=source)
