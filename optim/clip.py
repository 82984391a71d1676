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
    foreach: bool | None = None,
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
    foreach
        Accepted for PyTorch's sake: there is one implementation, whatever it says.

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
    limit = max_norm_of("clip_grad_norm_", max_norm)
    grads = gradients(parameters, "clip_grad_norm_")
    norm, result = measured(grads, norm_type, error_if_nonfinite, "clip_grad_norm_")
    shrink(grads, limit, norm, "clip_grad_norm_")
    return result


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    r"""Norm of several tensors laid end to end.

    Parameters
    ----------
    tensors : Tensor or iterable of Tensor
        Such as the gradients of a model.
    norm_type : float
        The p of the p-norm; ``float("inf")`` (or "inf") for the largest absolute value.
    error_if_nonfinite : bool
        Raise if the norm is NaN or infinite.
    foreach
        Accepted for PyTorch's sake: there is one implementation, whatever it says.

    Returns
    -------
    Tensor
        0-d; summed in float64 and rounded to the tensors' dtype.

    Raises
    ------
    RuntimeError
        If the norm is not finite and `error_if_nonfinite`.
    TypeError
        If `tensors` holds something other than Tensors.
    ValueError
        If `norm_type` is 0 or NaN.

    Examples
    --------
    >>> import autograd, optim
    >>> optim.get_total_norm([autograd.tensor([3.0, 0.0]), autograd.tensor(4.0)])
    tensor(5.)
    """
    several = tensors_of(tensors, "get_total_norm", "tensor")
    return measured(several, norm_type, error_if_nonfinite, "get_total_norm")[1]


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor | float,
    foreach: bool | None = None,
) -> None:
    r"""Scale gradients down, in place, as `clip_grad_norm_` does, with a norm that is known.

    If `total_norm` is above `max_norm`, each gradient is multiplied by ``max_norm / (total_norm +
    1e-6)``.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient do not count.
    max_norm : float
    total_norm : Tensor or float
        As from `get_total_norm`. NaN makes the gradients NaN.
    foreach
        Accepted for PyTorch's sake: there is one implementation, whatever it says.

    Raises
    ------
    TypeError
        If `parameters` holds something other than Tensors.
    ValueError
        If `max_norm` is negative or NaN, or `total_norm` is not a number.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> optim.clip_grads_with_norm_([w], max_norm=1.0, total_norm=10.0)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    who = "clip_grads_with_norm_"
    limit = max_norm_of(who, max_norm)
    try:
        norm = float(total_norm)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{who}: total_norm must be a number, not {total_norm!r}") from None
    shrink(gradients(parameters, who), limit, norm, who)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Bring every element of the gradients, in place, between -`clip_value` and `clip_value`.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are left out.
    clip_value : float
    foreach
        Accepted for PyTorch's sake: there is one implementation, whatever it says.

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


def tensors_of(given: Any, who: str, what: str = "parameter") -> list[Tensor]:
    """A Tensor, or several, as a list."""
    several = [given] if isinstance(given, Tensor) else list(given)
    for i, tensor in enumerate(several):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{who}: {what} {i} is of type {type(tensor).__name__}, not a Tensor")
    return several


def gradients(parameters: Any, who: str) -> list[Tensor]:
    """The gradients that there are."""
    return [param.grad for param in tensors_of(parameters, who) if param.grad is not None]


def max_norm_of(who: str, max_norm: Any) -> float:
    """The largest norm that is allowed, checked."""
    limit = as_number(f"{who}: max_norm", max_norm)
    if limit < 0:
        raise ValueError(f"{who}: max_norm must be >= 0, not {max_norm!r}")
    return limit


def measured(tensors: list[Tensor], norm_type: Any, finite: bool, who: str) -> tuple[float, Tensor]:
    """The norm of all elements, in float64 and as users get it."""
    p = as_number(f"{who}: norm_type", norm_type)
    if p == 0:
        raise ValueError(f"{who}: norm_type must not be 0, as 0 is no norm to scale by")
    if not tensors:
        return 0.0, Tensor(0.0)
    with np.errstate(all="ignore"):  # infinities are looked at below
        norm = total_norm([t.array() for t in tensors], p)
        result = np.array(norm, np.result_type(*[t.dtype for t in tensors]))
    if finite and not np.isfinite(result):
        raise RuntimeError(
            f"{who}: the norm of order {p:g} of the gradients is {norm}, so they cannot be "
            "clipped; give error_if_nonfinite=False to scale them all the same"
        )
    return norm, Tensor(result)


def shrink(grads: list[Tensor], limit: float, norm: float, who: str) -> None:
    """Bring gradients of some norm down to a limit."""
    factor = limit / (norm + 1e-6)
    if not factor >= 1.0:  # written so that NaN reaches the gradients, as in PyTorch
        with np.errstate(all="ignore"):
            for g in grads:
                scale(g, factor, who)


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
