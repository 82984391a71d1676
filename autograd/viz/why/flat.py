"""Gradients that rounding or summing made zero: saturation, cancellation, underflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model import Edge
from ..summary import number
from .evidence import Evidence
from .stops import Stop

# A slope below this is as good as none: float32 loses 1e-7 beside 1.
SATURATED = 1e-6
SUMS_OF_PRODUCTS = ("matmul", "linear", "conv2d")


def saturated(evidence: Evidence, edge: Edge, closed: Any) -> Stop | None:
    """A bend so far out that it is flat."""
    vertex = evidence.vertices[edge.head]
    above = np.asarray(evidence.gradient(edge.head), np.float64)
    piece = np.asarray(evidence.piece(edge), np.float64)
    op = vertex.op
    value = evidence.value(edge.head)
    if op == "softmax" and value is not None:
        low, high = np.min(value), np.max(value)
        if low > SATURATED and high < 1.0 - SATURATED:
            return Stop(
                "constant",
                f"{evidence.label(edge.head)} sums to 1 whatever its input is, and what follows "
                "weighs all of it alike",
                "weigh its entries differently: pick one class, or compare with a target",
            )
    if above.shape == piece.shape:
        arrives = above != 0.0
        flat = arrives & (np.abs(piece) <= SATURATED * np.abs(above))
        count, size = int(flat.sum()), int(arrives.sum())
        how_many = f"{count} of {size} elements have"
    else:
        how_many = "its elements have"
    if op == "exp":
        return Stop(
            "underflow",
            f"{evidence.label(edge.head)} underflowed to 0: its slope is its result",
            "compute with logarithms (logsumexp, log_softmax), or keep its input above -87",
        )
    operand = evidence.value(edge.tail)
    span = ""
    if operand is not None and np.size(operand):
        span = f"; its input runs from {number(np.min(operand))} to {number(np.max(operand))}"
    mend = "a smaller initialisation, or normalisation before it"
    if op in ("sigmoid", "softmax", "log_softmax"):
        mend += "; for a loss use cross_entropy on the scores themselves, which does not saturate"
    return Stop(
        "saturated",
        f"{evidence.label(edge.head)} is saturated: {how_many} a slope below {number(SATURATED)}"
        f"{span}",
        mend,
    )


def summed_away(evidence: Evidence, edge: Edge) -> Stop | None:
    """Parts that are not zero and sum to zero: over a batch, or inside of a product."""
    node = evidence.nodes[edge.head]
    assert node is not None
    gradient, arguments = evidence.gradient(edge.head), evidence.arguments(edge.head)
    gradient = gradient if isinstance(gradient, float) else gradient[()]
    parts = evidence.rule(edge.head, edge.slot, gradient, arguments)
    if parts is not None and np.any(parts):
        parts = np.asarray(parts, np.float64)
    elif evidence.vertices[edge.head].op in SUMS_OF_PRODUCTS and all(
        a is not None for a in arguments[:2]
    ):
        sizes = [np.abs(a) if a is not None else None for a in arguments]
        parts = evidence.rule(edge.head, edge.slot, np.abs(gradient), sizes)
        if parts is None or not np.any(parts):
            return None
        most = number(float(np.max(parts)))
        return Stop(
            "cancellation",
            f"inside {evidence.label(edge.head)} the products cancel: they sum to 0, and their "
            f"sizes to up to {most}",
            "break the symmetry: samples (or units) pull in opposite directions equally hard",
        )
    else:
        return None
    up, down = float(parts[parts > 0].sum()), float(parts[parts < 0].sum())
    return Stop(
        "cancellation",
        f"it is used {parts.size} times by {evidence.label(edge.head)}, and the contributions "
        f"cancel: {number(up)} and {number(down)}",
        "break the symmetry: samples pull in opposite directions equally hard",
    )


def underflow(evidence: Evidence, edge: Edge) -> Stop | None:
    """A product that is too small for the dtype."""
    vertex = evidence.vertices[edge.head]
    if vertex.dtype not in ("float16", "float32"):
        return None
    wide = [_wide(a) for a in evidence.arguments(edge.head)]
    exact = evidence.rule(edge.head, edge.slot, _wide(evidence.gradient(edge.head)), wide)
    if exact is None or not np.any(exact):
        return None
    size = float(np.max(np.abs(np.asarray(exact, np.float64))))
    if size >= float(np.finfo(vertex.dtype).smallest_normal):
        return None  # what rounding left of a sum that cancels
    least = float(np.finfo(vertex.dtype).smallest_subnormal)
    return Stop(
        "underflow",
        f"{evidence.label(edge.head)} passes {number(size)}, which {vertex.dtype} rounds to 0 "
        f"(its smallest number is {number(least, 2)})",
        "multiply the loss by a large factor and divide the gradients by it, or use float64",
    )


def _wide(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
        return np.asarray(value, np.float64)[()]
    return value
