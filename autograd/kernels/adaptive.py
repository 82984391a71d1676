"""Steps of the optimizers that scale by what they know of past gradients: Adagrad and its kin.

Adam and RMSprop, the most used of them, are in update.py. As there, a step is one pass over memory,
and the arithmetic is that of the references, operation by operation.
"""

import numpy as np

from .common import Floats, Sample
from .dispatch import native, reference
from .native import Unit
from .update import downhill

UNIT = Unit("adaptive", "autograd.kernels.native.adaptive", uses=("update",))


@reference
def adagrad_step(
    param: Floats,
    grad: Floats,
    total: Floats,
    sign: float,
    weight_decay: float,
    eps: float,
    lr: float,
    /,
) -> None:
    """One step of Adagrad, in place.

    ::

        g = sign * grad + weight_decay * param
        s = s + g * g
        param = param - lr * (g / (sqrt(s) + eps))

    Parameters
    ----------
    param, total : array
        Of one shape and dtype; changed. The last is the s of the formula.
    grad : array
    sign : float
        1, or -1 to go up.
    weight_decay, eps, lr : float
    """
    g = downhill(param, grad, sign, weight_decay)
    total += g * g
    param -= lr * (g / (np.sqrt(total) + eps))


@reference
def adadelta_step(
    param: Floats,
    grad: Floats,
    square_avg: Floats,
    acc_delta: Floats,
    sign: float,
    weight_decay: float,
    keep: float,
    take: float,
    eps: float,
    lr: float,
    /,
) -> None:
    """One step of Adadelta, in place.

    ::

        g = sign * grad + weight_decay * param
        v = keep * v + take * g * g
        d = sqrt(a + eps) / sqrt(v + eps) * g
        a = keep * a + take * d * d
        param = param - lr * d

    Parameters
    ----------
    param, square_avg, acc_delta : array
        Of one shape and dtype; changed. The last two are v and a.
    grad : array
    sign : float
        1, or -1 to go up.
    weight_decay, keep, take, eps, lr : float
    """
    g = downhill(param, grad, sign, weight_decay)
    square_avg *= keep
    square_avg += take * (g * g)
    step = np.sqrt(acc_delta + eps) / np.sqrt(square_avg + eps) * g
    acc_delta *= keep
    acc_delta += take * (step * step)
    param -= lr * step


@reference
def adamax_step(
    param: Floats,
    grad: Floats,
    exp_avg: Floats,
    exp_inf: Floats,
    sign: float,
    weight_decay: float,
    rate: float,
    keep: float,
    eps: float,
    lr: float,
    /,
) -> None:
    """One step of Adamax, in place; the correction of the average is folded into lr.

    ::

        g = sign * grad + weight_decay * param
        m = m + rate * (g - m)
        u = max(keep * u, |g| + eps)
        param = param - lr * (m / u)

    Parameters
    ----------
    param, exp_avg, exp_inf : array
        Of one shape and dtype; changed. The last two are m and u.
    grad : array
    sign : float
        1, or -1 to go up.
    weight_decay, rate, keep, eps, lr : float
    """
    g = downhill(param, grad, sign, weight_decay)
    exp_avg += rate * (g - exp_avg)
    exp_inf *= keep
    np.maximum(exp_inf, np.abs(g) + eps, out=exp_inf)
    param -= lr * (exp_avg / exp_inf)


@reference
def nadam_step(
    param: Floats,
    grad: Floats,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    sign: float,
    weight_decay: float,
    decay: float,
    rate: float,
    keep: float,
    take: float,
    spread: float,
    eps: float,
    lead: float,
    lr: float,
    /,
) -> None:
    """One step of NAdam or RAdam, in place; all corrections are folded into the last numbers.

    ::

        g = sign * grad + weight_decay * param
        m = m + rate * (g - m)
        v = keep * v + take * g * g
        param = param - ((lr * m + lead * g) / (spread * sqrt(v) + eps) + decay * param)

    Where `spread` or `lead` is 0, what it would multiply has no part in the result, even if it is
    not finite.

    Parameters
    ----------
    param, exp_avg, exp_avg_sq : array
        Of one shape and dtype; changed. The last two are m and v.
    grad : array
    sign : float
        1, or -1 to go up.
    weight_decay, decay, rate, keep, take, spread, eps, lead, lr : float
    """
    g = downhill(param, grad, sign, weight_decay)
    exp_avg += rate * (g - exp_avg)
    exp_avg_sq *= keep
    exp_avg_sq += take * (g * g)
    step = lr * exp_avg
    if lead:
        step = step + lead * g
    step = step / (spread * np.sqrt(exp_avg_sq) + eps if spread else eps)
    if decay:
        step = step + decay * param
    param -= step


native(
    adagrad_step,
    UNIT,
    "adagrad_step(param: T[*n]!, grad: T[*n], total: T[*n]!, sign: float, weight_decay: float, "
    "eps: float, lr: float)",
)
native(
    adadelta_step,
    UNIT,
    "adadelta_step(param: T[*n]!, grad: T[*n], square_avg: T[*n]!, acc_delta: T[*n]!, "
    "sign: float, weight_decay: float, keep: float, take: float, eps: float, lr: float)",
)
native(
    adamax_step,
    UNIT,
    "adamax_step(param: T[*n]!, grad: T[*n], exp_avg: T[*n]!, exp_inf: T[*n]!, sign: float, "
    "weight_decay: float, rate: float, keep: float, eps: float, lr: float)",
)
native(
    nadam_step,
    UNIT,
    "nadam_step(param: T[*n]!, grad: T[*n], exp_avg: T[*n]!, exp_avg_sq: T[*n]!, sign: float, "
    "weight_decay: float, decay: float, rate: float, keep: float, take: float, spread: float, "
    "eps: float, lead: float, lr: float)",
)

SAMPLES = (
    Sample("bias", ((10,),)),
    Sample("layer", ((128, 784),)),
)
"""Shapes of parameters."""
