"""Why an op passes no gradient to one of its operands, told op by op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..model import Edge
from ..summary import number
from .evidence import Evidence
from .flat import SUMS_OF_PRODUCTS, saturated, summed_away, underflow
from .stops import Stop, dead_relu, dead_units, many_dead, share

PRODUCTS = ("mul", "div", *SUMS_OF_PRODUCTS)
BENDS = (
    "sigmoid",
    "tanh",
    "softplus",
    "silu",
    "gelu",
    "tanh_gelu",
    "erf",
    "softmax",
    "exp",
    "log_softmax",
)


def stop_of(evidence: Evidence, edge: Edge, closed: Any = None) -> Stop:
    """Tell why the head of `edge` sends no gradient to its tail.

    Parameters
    ----------
    closed : bool array, optional
        The elements of the tail in question. None: all of them.
    """
    op = evidence.vertices[edge.head].op
    teller = TELLERS.get(op)
    found = None if teller is None else teller(evidence, edge, closed)
    if found is None and op in PRODUCTS:
        found = _product(evidence, edge, closed)
    if found is None and op in BENDS:
        found = saturated(evidence, edge, closed)
    if found is None and closed is None:
        found = underflow(evidence, edge) or summed_away(evidence, edge)
    return found or Stop(
        "flat",
        f"{evidence.label(edge.head)} has slope 0 {share(evidence, edge, closed)}",
        "move the operand to where the op has a slope, or use another op",
    )


# --- One op each --------------------------------------------------------------------------------


def _relu(evidence: Evidence, edge: Edge, closed: Any) -> Stop:
    value = evidence.value(edge.head)
    if value is not None:
        dead, units, _ = dead_units(value)
        if many_dead(value) or (closed is None and dead == units):
            return dead_relu(evidence, edge.head)
    return Stop(
        "relu_closed",
        f"{evidence.label(edge.head)} is closed {share(evidence, edge, closed)}: their input is "
        "not positive" + ("" if closed is None else ", which is ordinary"),
        "make the input positive somewhere: a bias, another initialisation",
        ordinary=closed is not None,
    )


def _where(evidence: Evidence, edge: Edge, closed: Any) -> Stop:
    return Stop(
        "masked",
        f"{evidence.label(edge.head)} took the other branch {share(evidence, edge, closed)}",
        "look at the condition; a gradient flows only where this branch is taken",
    )


def _dropout(evidence: Evidence, edge: Edge, closed: Any) -> Stop:
    p = evidence.vertices[edge.head].params.get("p")
    return Stop(
        "masked",
        f"{evidence.label(edge.head)} with p = {number(p)} dropped it "
        f"{share(evidence, edge, closed)}",
        "a smaller p; the next draw takes others",
    )


def _clamp(evidence: Evidence, edge: Edge, closed: Any) -> Stop | None:
    if edge.slot != 0:
        return None
    low, high = evidence.arguments(edge.head)[1:]
    return Stop(
        "clamped",
        f"{evidence.label(edge.head)} cut its input off to [{_bound(low)}, {_bound(high)}] "
        f"{share(evidence, edge, closed)}; outside of its bounds it is flat",
        "wider bounds, or a bend in place of the edge (tanh, softplus)",
    )


def _bound(value: Any) -> str:
    return number(value) if np.ndim(value) == 0 and value is not None else "..."


def _choice(evidence: Evidence, edge: Edge, closed: Any) -> Stop:
    return Stop(
        "not_chosen",
        f"{evidence.label(edge.head)} chose others {share(evidence, edge, closed)}: only what is "
        "chosen gets a gradient",
        "a choice of more than one (mean, logsumexp, softmax weights), if all should learn",
    )


def _selection(evidence: Evidence, edge: Edge, closed: Any) -> Stop:
    return Stop(
        "not_selected",
        f"{evidence.label(edge.head)} leaves it out {share(evidence, edge, closed)}",
        "select it, if it should have a gradient",
    )


def _sign(evidence: Evidence, edge: Edge, closed: Any) -> Stop:
    return Stop(
        "flat",
        f"{evidence.label(edge.head)} moves in steps: its slope is 0 everywhere",
        "use a smooth form: tanh(k * x)",
    )


def _abs(evidence: Evidence, edge: Edge, closed: Any) -> Stop:
    return Stop(
        "flat",
        f"{evidence.label(edge.head)} of exactly 0 has slope 0 {share(evidence, edge, closed)}"
        + _fit(evidence, edge),
        "start elsewhere, or take it as the optimum that it may be",
    )


def _pow(evidence: Evidence, edge: Edge, closed: Any) -> Stop | None:
    base, power = evidence.arguments(edge.head)
    if edge.slot == 0 and power is not None and np.all(np.asarray(power) == 0.0):
        return Stop(
            "flat", f"{evidence.label(edge.head)} to the power 0 is constant", "another power"
        )
    if edge.slot == 0 and base is not None and not np.any(base):
        return _bottom(evidence, edge, closed)
    return None


def _bottom(evidence: Evidence, edge: Edge, closed: Any) -> Stop:
    """The square (or the like) of zero."""
    if _fit(evidence, edge):
        return Stop(
            "perfect_fit",
            f"{evidence.label(edge.head)} squares a difference of exactly 0: the fit is perfect "
            f"{share(evidence, edge, closed)}",
            "nothing to mend, unless prediction and target are one and the same tensor",
        )
    return Stop(
        "flat",
        f"{evidence.label(edge.head)} is at its bottom, 0, {share(evidence, edge, closed)}: the "
        "slope there is 0",
        "start elsewhere than at 0",
    )


def _fit(evidence: Evidence, edge: Edge) -> str:
    """Not empty if the operand is a difference."""
    return ": a perfect fit" if evidence.vertices[edge.tail].op == "sub" else ""


def _cross_entropy(evidence: Evidence, edge: Edge, closed: Any) -> Stop:
    dtype = evidence.vertices[edge.head].dtype
    return Stop(
        "saturated",
        f"{evidence.label(edge.head)} is saturated: every sample has its class with probability 1 "
        f"in {dtype}, and the slope, probability - target, is 0",
        "scale the scores down (a temperature, weight decay), or label_smoothing=0.1; check that "
        "the targets are not the scores themselves",
    )


TELLERS: dict[str, Callable[[Evidence, Edge, Any], Stop | None]] = {
    "relu": _relu,
    "where": _where,
    "dropout": _dropout,
    "clamp": _clamp,
    "maximum": _choice,
    "minimum": _choice,
    "amax": _choice,
    "amin": _choice,
    "max": _choice,
    "min": _choice,
    "median": _choice,
    "max_pool2d": _choice,
    "gather": _selection,
    "index": _selection,
    "narrow": _selection,
    "take_rows": _selection,
    "pick_class": _selection,
    "put": _selection,
    "sign": _sign,
    "abs": _abs,
    "pow": _pow,
    "cross_entropy": _cross_entropy,
}


# --- Products -----------------------------------------------------------------------------------


def _product(evidence: Evidence, edge: Edge, closed: Any) -> Stop | None:
    """A factor of zero."""
    op = evidence.vertices[edge.head].op
    if op == "div" and edge.slot == 0:
        return None
    slot = {0: 1, 1: 0}.get(edge.slot)
    if slot is None:
        return None
    factor = evidence.arguments(edge.head)[slot]
    if factor is None:
        return None
    other = next((e.tail for e in evidence.ins[edge.head] if e.slot == slot), -1)
    if other == edge.tail and op == "mul" and not np.any(factor):
        return _bottom(evidence, edge, closed)
    if np.any(factor):
        if closed is not None and op == "mul":
            return _mask(evidence, edge, other, closed)
        return None if op != "mul" else _mask_of_all(evidence, edge, other, factor)
    if other < 0:
        return Stop(
            "zero_factor",
            f"{evidence.label(edge.head)} multiplies it by the number 0",
            "another factor",
        )
    vertex = evidence.vertices[other]
    if vertex.kind in ("parameter", "leaf"):
        return Stop(
            "zero_weights",
            f"{evidence.label(edge.head)} multiplies it by {evidence.label(other)}, which is zero "
            "everywhere",
            "initialise it at random (kaiming, xavier): zeros stop the gradient of what lies below",
            operand=other,
        )
    if vertex.op == "relu":
        return dead_relu(evidence, other)
    return Stop(
        "zero_factor",
        f"{evidence.label(edge.head)} multiplies it by {evidence.label(other)}, which is zero "
        "everywhere",
        "look at why that factor is zero",
        operand=other,
    )


def _mask(evidence: Evidence, edge: Edge, other: int, closed: Any) -> Stop | None:
    factor = evidence.arguments(edge.head)[1 - edge.slot]
    try:
        zero = np.broadcast_to(np.asarray(factor) == 0.0, closed.shape) & closed
    except ValueError:
        return None
    if not zero.any():
        return None
    name = evidence.label(other) if other >= 0 else "the number 0"
    return Stop(
        "masked",
        f"{evidence.label(edge.head)} multiplies it by 0 {share(evidence, edge, zero)}: the zeros "
        f"of {name}",
        "look at the mask, if it should not close there",
        operand=other,
    )


def _mask_of_all(evidence: Evidence, edge: Edge, other: int, factor: Any) -> Stop | None:
    """A factor that is zero at every element at which a gradient arrives."""
    above = np.asarray(evidence.gradient(edge.head))
    try:
        hidden = np.broadcast_to(np.asarray(factor) == 0.0, above.shape)[above != 0.0].all()
    except ValueError:
        return None
    if not hidden:
        return None
    return Stop(
        "masked",
        f"{evidence.label(edge.head)} multiplies it by 0 at every element at which a gradient "
        "arrives",
        "look at the mask",
        operand=other,
    )
