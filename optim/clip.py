"""Keep gradients from growing too large, before a step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.changes import CHANGES
from autograd.kernels import scale_by, sum_of_squares

# Sums run over pieces of this many elements: they are small in memory as float64, and the same
# pieces on every machine give the same rounding.
PIECE = 65536


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    r"""Scale gradients down, in place, so that their joint norm is at most `max_norm`.

    The norm is that of all gradients laid end to end. If it is above `max_norm`, each gradient is
    multiplied by ``max_norm / (norm + 1e-6)``.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient do not count.
    max_norm : float
    norm_type : float
        The p of the p-norm; ``float("inf")`` (or "inf") for the largest absolute value.
    error_if_nonfinite : bool
        Raise if the norm is NaN or infinite. Otherwise such a norm makes the gradients NaN or 0.

    Returns
    -------
    Tensor
        The norm before clipping, 0-d; summed in float64 and rounded to the gradients' dtype.

    Raises
    ------
    RuntimeError
        If the norm is not finite and `error_if_nonfinite`; the gradients are left alone.
    TypeError
        If `parameters` holds something other than Tensors.
    ValueError
        If `max_norm` is negative or NaN, or `norm_type` is 0 or NaN.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
    networks", 2013.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optim.clip_grad_norm_([w], max_norm=1.0)
    tensor(10.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    limit = as_number("clip_grad_norm_: max_norm", max_norm)
    p = as_number("clip_grad_norm_: norm_type", norm_type)
    if limit < 0:
        raise ValueError(f"clip_grad_norm_: max_norm must be >= 0, not {max_norm!r}")
    if p == 0:
        raise ValueError("clip_grad_norm_: norm_type must not be 0, as 0 is no norm to scale by")
    grads = gradients(parameters, "clip_grad_norm_")
    if not grads:
        return Tensor(0.0)
    with np.errstate(all="ignore"):  # infinities are looked at below
        norm = total_norm([g.array() for g in grads], p)
        result = np.array(norm, np.result_type(*[g.dtype for g in grads]))
    if error_if_nonfinite and not np.isfinite(result):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of order {p:g} of the gradients is {norm}, so they cannot "
            "be clipped; give error_if_nonfinite=False to scale them all the same"
        )
    factor = limit / (norm + 1e-6)
    if not factor >= 1.0:  # written so that NaN reaches the gradients, as in PyTorch
        with np.errstate(all="ignore"):
            for g in grads:
                scale(g, factor, "clip_grad_norm_")
    return Tensor(result)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Bring every element of the gradients, in place, between -`clip_value` and `clip_value`.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are left out.
    clip_value : float

    Raises
    ------
    TypeError
        If `parameters` holds something other than Tensors.
    ValueError
        If `clip_value` is negative or NaN.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([3.0, -0.25], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optim.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([ 1.0000, -0.5000])
    """
    limit = as_number("clip_grad_value_: clip_value", clip_value)
    if limit < 0:
        raise ValueError(f"clip_grad_value_: clip_value must be >= 0, not {clip_value!r}")
    for g in gradients(parameters, "clip_grad_value_"):
        overwrite(g, np.clip(g.array(), -limit, limit), "clip_grad_value_")


def gradients(parameters: Any, who: str) -> list[Tensor]:
    """The gradients that there are."""
    several = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for i, param in enumerate(several):
        if not isinstance(param, Tensor):
            raise TypeError(f"{who}: parameter {i} is of type {type(param).__name__}, not a Tensor")
    return [param.grad for param in several if param.grad is not None]


def total_norm(arrays: list[np.ndarray], p: float) -> float:
    """The p-norm of all elements of `arrays`."""
    if math.isinf(p):
        sizes = [np.abs(a) for a in arrays if a.size]
        # np.max passes NaN on; Python's max would lose it.
        extreme = np.max if p > 0 else np.min
        return float(extreme([extreme(a) for a in sizes])) if sizes else 0.0
    if p == 2:
        total = sum(map(sum_of_squares, arrays))
    else:
        total = sum(float((np.abs(piece) ** p).sum()) for piece in pieces(arrays))
    return float(np.float64(total) ** (1.0 / p))


def pieces(arrays: list[np.ndarray]) -> Iterator[np.ndarray]:
    """All elements as float64, in which powers of float32 numbers do not overflow."""
    for array in arrays:
        flat = array.reshape(-1)
        for start in range(0, flat.size, PIECE):
            yield flat[start : start + PIECE].astype(np.float64)


def scale(gradient: Tensor, factor: float, by: str) -> None:
    """Multiply a gradient by a number: in its memory, where that may be written."""
    array = gradient.array()
    if array.flags.writeable:
        scale_by(array, factor)
        CHANGES.mark(array, by)
    else:
        gradient.value = np.asarray(array * array.dtype.type(factor))


def overwrite(gradient: Tensor, values: np.ndarray, by: str) -> None:
    """Put new values into a gradient: into its memory, where that may be written."""
    array = gradient.array()
    if array.flags.writeable:
        array[...] = values
        CHANGES.mark(array, by)
    else:
        gradient.value = np.asarray(values)


def as_number(what: str, value: Any) -> float:
    """`value` as a float that is not NaN."""
    try:
        x = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{what} must be a number, not {value!r}") from None
    if math.isnan(x):
        raise ValueError(f"{what} must be a number, not {value!r}")
    return x
