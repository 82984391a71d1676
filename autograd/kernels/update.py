"""Optimizer steps and sums over gradients: one pass over memory each.

A step reads and writes every array of a parameter once, where NumPy takes a pass for each
operation. The arithmetic is that of the references, operation by operation, so both round alike.
"""

import numpy as np

from .common import Floats, Sample
from .dispatch import fast, implementation, native, reference
from .native import Unit

UNIT = Unit("update", "autograd.kernels.native.update")

CHUNK = 1 << 15
"""Elements whose squares make one partial sum; the native side has the same number."""


@reference
def sgd_step(
    param: Floats,
    grad: Floats,
    momentum_buffer: Floats | None,
    sign: float,
    weight_decay: float,
    keep: float,
    take: float,
    lead: float,
    lr: float,
    /,
) -> None:
    """One step of gradient descent, in place.

    ::

        g = sign * grad + weight_decay * param
        b = keep * b + take * g          if there is a momentum buffer b; else g stands for it
        d = lead * b + g                 if lead is not 0 (Nesterov); else b
        param = param - lr * d

    Parameters
    ----------
    param, momentum_buffer : array
        Of one shape and dtype; changed. The buffer may be None.
    grad : array
    sign : float
        1, or -1 to go up.
    weight_decay, keep, take, lead, lr : float
    """
    g = downhill(param, grad, sign, weight_decay)
    if momentum_buffer is None:
        param -= lr * g
        return
    momentum_buffer *= keep
    momentum_buffer += take * g
    param -= lr * (lead * momentum_buffer + g if lead else momentum_buffer)


@reference
def asgd_step(
    param: Floats,
    grad: Floats,
    ax: Floats,
    sign: float,
    weight_decay: float,
    keep: float,
    lr: float,
    share: float,
    /,
) -> None:
    """One step of averaged gradient descent, in place.

    ::

        g = sign * grad + weight_decay * param
        param = keep * param - lr * g
        ax = ax + share * (param - ax)   if share is not 1; else param

    Parameters
    ----------
    param, ax : array
        Of one shape and dtype; changed.
    grad : array
    sign : float
        1, or -1 to go up.
    weight_decay, keep, lr, share : float
    """
    g = downhill(param, grad, sign, weight_decay)
    param *= keep
    param -= lr * g
    if share == 1:
        ax[...] = param
    else:
        ax += share * (param - ax)


@reference
def lion_step(
    param: Floats,
    grad: Floats,
    exp_avg: Floats,
    sign: float,
    decay: float,
    lead: float,
    share: float,
    keep: float,
    take: float,
    lr: float,
    /,
) -> None:
    """One step of Lion, in place.

    ::

        g = sign * grad
        param = param - (lr * sign_of(lead * m + share * g) + decay * param)
        m = keep * m + take * g

    Parameters
    ----------
    param, exp_avg : array
        Of one shape and dtype; changed.
    grad : array
    sign : float
        1, or -1 to go up.
    decay, lead, share, keep, take, lr : float
    """
    g = grad if sign == 1 else sign * grad
    step = lr * np.sign(lead * exp_avg + share * g)
    if decay:
        step = step + decay * param
    param -= step
    exp_avg *= keep
    exp_avg += take * g


@reference
def rprop_step(
    param: Floats,
    grad: Floats,
    prev: Floats,
    step_size: Floats,
    sign: float,
    shrink: float,
    grow: float,
    low: float,
    high: float,
    /,
) -> None:
    """One step of resilient backpropagation, in place.

    ::

        g = sign * grad
        t = g * prev                     its sign tells whether the gradient turned
        s = s * (grow if t > 0, shrink if t < 0, else 1), between low and high
        g = 0 if t < 0 else g
        param = param - sign_of(g) * s
        prev = g

    Parameters
    ----------
    param, prev, step_size : array
        Of one shape and dtype; changed. The last is the s of the formula.
    grad : array
    sign : float
        1, or -1 to go up.
    shrink, grow, low, high : float
    """
    g = grad if sign == 1 else sign * grad
    turn = g * prev
    factor = np.where(turn > 0, grow, np.where(turn < 0, shrink, np.where(turn == 0, 1.0, turn)))
    step_size *= factor.astype(step_size.dtype)
    np.clip(step_size, low, high, out=step_size)
    prev[...] = np.where(turn < 0, 0, g)
    param -= np.sign(prev) * step_size


@reference
def adam_step(
    param: Floats,
    grad: Floats,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    max_exp_avg_sq: Floats | None,
    sign: float,
    weight_decay: float,
    decay: float,
    rate: float,
    keep: float,
    take: float,
    eps: float,
    lr: float,
    /,
) -> None:
    """One step of Adam or AdamW, in place; corrections of the averages are folded into lr and eps.

    ::

        g = sign * grad + weight_decay * param
        m = m + rate * (g - m)
        v = keep * v + take * g * g
        u = max(u, v)                    if there is such an array (AMSGrad); else v stands for it
        param = param - (lr * m / (sqrt(u) + eps) + decay * param)

    Parameters
    ----------
    param, exp_avg, exp_avg_sq, max_exp_avg_sq : array
        Of one shape and dtype; changed. The last may be None.
    grad : array
    sign : float
        1, or -1 to go up.
    weight_decay, decay, rate, keep, take, eps, lr : float
    """
    g = downhill(param, grad, sign, weight_decay)
    exp_avg += rate * (g - exp_avg)
    exp_avg_sq *= keep
    exp_avg_sq += take * (g * g)
    spread = exp_avg_sq
    if max_exp_avg_sq is not None:
        spread = np.maximum(max_exp_avg_sq, exp_avg_sq, out=max_exp_avg_sq)
    step = lr * (exp_avg / (np.sqrt(spread) + eps))
    if decay:
        step = step + decay * param
    param -= step


@reference
def rmsprop_step(
    param: Floats,
    grad: Floats,
    square_avg: Floats,
    momentum_buffer: Floats | None,
    grad_avg: Floats | None,
    sign: float,
    weight_decay: float,
    keep: float,
    take: float,
    eps: float,
    momentum: float,
    lr: float,
    /,
) -> None:
    """One step of RMSprop, in place.

    ::

        g = sign * grad + weight_decay * param
        v = keep * v + take * g * g
        a = a + take * (g - a)           if there is such an array (centered)
        d = g / (sqrt(max(v - a * a, 0)) + eps)    if centered; else g / (sqrt(v) + eps)
        b = momentum * b + d             if there is a momentum buffer; else d stands for it
        param = param - lr * b

    Parameters
    ----------
    param, square_avg, momentum_buffer, grad_avg : array
        Of one shape and dtype; changed. The last two may be None.
    grad : array
    sign : float
        1, or -1 to go up.
    weight_decay, keep, take, eps, momentum, lr : float

    Notes
    -----
    A steady gradient has no variance, and rounding may make that less than none, whose root would
    be NaN for good: so the maximum.
    """
    g = downhill(param, grad, sign, weight_decay)
    square_avg *= keep
    square_avg += take * (g * g)
    spread = square_avg
    if grad_avg is not None:
        grad_avg += take * (g - grad_avg)
        spread = np.maximum(square_avg - grad_avg * grad_avg, 0)
    step = g / (np.sqrt(spread) + eps)
    if momentum_buffer is not None:
        momentum_buffer *= momentum
        momentum_buffer += step
        step = momentum_buffer
    param -= lr * step


def downhill(param: Floats, grad: Floats, sign: float, weight_decay: float) -> Floats:
    """The gradient in the direction to go down, with that of the L2 penalty."""
    g = grad if sign == 1 else sign * grad
    return g + weight_decay * param if weight_decay else g


@reference
def scale_by(target: Floats, factor: float, /) -> None:
    """Target = factor * target, in place."""
    target *= factor


@reference
def sum_of_squares(x: Floats, /) -> float:
    """Sum of the squares of all elements, taken and added in float64.

    Pieces of `CHUNK` elements are summed on their own and their sums added in order, so the result
    does not depend on the number of threads.
    """
    flat = x.reshape(-1)
    total = 0.0
    for begin in range(0, flat.size, CHUNK):
        piece = flat[begin : begin + CHUNK].astype(np.float64)
        total += float(np.square(piece).sum())
    return total


native(
    sgd_step,
    UNIT,
    "sgd_step(param: T[*n]!, grad: T[*n], momentum_buffer: T[*n]!?, sign: float, "
    "weight_decay: float, keep: float, take: float, lead: float, lr: float)",
)
native(
    asgd_step,
    UNIT,
    "asgd_step(param: T[*n]!, grad: T[*n], ax: T[*n]!, sign: float, weight_decay: float, "
    "keep: float, lr: float, share: float)",
)
native(
    lion_step,
    UNIT,
    "lion_step(param: T[*n]!, grad: T[*n], exp_avg: T[*n]!, sign: float, decay: float, "
    "lead: float, share: float, keep: float, take: float, lr: float)",
)
native(
    rprop_step,
    UNIT,
    "rprop_step(param: T[*n]!, grad: T[*n], prev: T[*n]!, step_size: T[*n]!, sign: float, "
    "shrink: float, grow: float, low: float, high: float)",
)
native(
    adam_step,
    UNIT,
    "adam_step(param: T[*n]!, grad: T[*n], exp_avg: T[*n]!, exp_avg_sq: T[*n]!, "
    "max_exp_avg_sq: T[*n]!?, sign: float, weight_decay: float, decay: float, rate: float, "
    "keep: float, take: float, eps: float, lr: float)",
)
native(
    rmsprop_step,
    UNIT,
    "rmsprop_step(param: T[*n]!, grad: T[*n], square_avg: T[*n]!, momentum_buffer: T[*n]!?, "
    "grad_avg: T[*n]!?, sign: float, weight_decay: float, keep: float, take: float, eps: float, "
    "momentum: float, lr: float)",
)
native(scale_by, UNIT, "scale_by(target: T[*n]!, factor: float)")
UNIT.kernel("square_sums(x: T[*n], sums: f8[chunks]!)")


@fast(sum_of_squares, UNIT)
def _sum_of_squares(x: Floats, /) -> float:
    if x.dtype != np.float32 and x.dtype != np.float64:
        return implementation(sum_of_squares, "reference")(x)
    sums = np.empty(-(-x.size // CHUNK))
    UNIT.square_sums(x, sums)
    return sum(sums.tolist())


SAMPLES = (
    Sample("bias", ((10,),)),
    Sample("layer", ((128, 784),)),
    Sample("large", ((1_000_003,),)),
)
"""Shapes of parameters."""
