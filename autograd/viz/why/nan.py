"""Why there is NaN or infinity: the first op that made it, forward or backward, and its reason."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ..model import Edge
from ..summary import number
from .answer import Cause
from .evidence import Evidence

MENDS = {
    "log_of_zero": "keep the argument away from 0: log(x + eps), clamp(x, eps), or log_softmax",
    "log_of_negative": "make the argument positive: exp or softplus before it, or clamp(x, eps)",
    "division_by_zero": "keep the divisor away from 0: x / (y + eps), or where(y == 0, 1, y)",
    "zero_over_zero": "keep the divisor away from 0: x / (y + eps), or where(y == 0, 1, y)",
    "sqrt_of_negative": "make the argument positive: clamp(x, 0) or square it; look at why it is "
    "below 0 (rounding in a difference of squares?)",
    "sqrt_at_zero": "sqrt(x + eps), or give it where(x == 0, 1, x)",
    "norm_at_zero": "a norm has no slope at 0: use sqrt(sum(x * x) + eps), or mask the input of "
    "sqrt with where",
    "overflow": "make the numbers smaller: subtract the maximum first (logsumexp, log_softmax), "
    "clamp, normalise, or use float64; if parameters grew step by step, a smaller learning rate",
    "inf_minus_inf": "look at what made the infinities; a maximum subtracted first keeps them away",
    "zero_times_inf": "make the infinite factor finite where the other is 0: where(ok, x, 1) as "
    "the input of what is infinite",
    "power": "keep the base away from 0: (x + eps) ** p, or where(x == 0, 1, x) ** p",
    "power_of_negative": "the base must not be negative for a broken exponent: abs(x) ** p",
    "mean_of_nothing": "there must be at least one element: skip empty batches",
    "var_of_one": "give correction=0 (unbiased=False), or more than one element",
    "softmax_of_nothing": "leave at least one entry of the row unmasked, or mask with a large "
    "negative number in place of -inf",
    "input": "look at where the data or the parameter comes from; an earlier step with a too large "
    "learning rate leaves NaN in parameters",
    "where_trap": "where chooses between results, but the gradient of the branch that was not "
    "taken is 0 * inf = NaN: make its input safe, op(where(ok, x, 1)), inside the outer where",
    "seed": "the gradient that backward was given is itself not finite",
    "accumulated": "call zero_grad() before backward",
    "arithmetic": "look at the operands named here",
}


def causes_of_nan(evidence: Evidence, gradient: Any) -> list[Cause]:
    """Find what first became NaN or infinite.

    Parameters
    ----------
    evidence : Evidence
    gradient : array, number or None
        The gradient that is asked about; None if the value of the root is.
    """
    value = evidence.value(evidence.root)
    if value is not None and bad(value):
        return forward_origins(evidence)
    if gradient is None:
        return []
    found = backward_origin(evidence)
    if found is not None:
        return [found]
    known = None if evidence.target < 0 else evidence.gradient(evidence.target)
    if known is not None and not bad(known):
        return [
            Cause(
                "accumulated",
                "this graph gives a finite gradient: .grad holds NaN from an earlier backward "
                "pass, to which later ones only add",
                MENDS["accumulated"],
            )
        ]
    return _hidden_origins(evidence)


def bad(value: Any) -> bool:
    """Whether any element is NaN or infinite."""
    array = np.asarray(value)  # of None it makes an object
    return array.dtype.kind == "f" and not bool(np.isfinite(array).all())


def first_bad(value: Any) -> tuple[int, ...]:
    """The place of the first element that is NaN or infinite."""
    array = np.asarray(value)
    return tuple(int(i) for i in np.unravel_index(np.argmin(np.isfinite(array)), array.shape))


# --- Forward ------------------------------------------------------------------------------------


def forward_origins(evidence: Evidence) -> list[Cause]:
    """What first made a value that is not finite, of those that the root was made of."""
    reached, stack = {evidence.root}, [evidence.root]
    while stack:
        for edge in evidence.ins[stack.pop()]:
            value = evidence.value(edge.tail)
            if edge.tail not in reached and value is not None and bad(value):
                reached.add(edge.tail)
                stack.append(edge.tail)
    origins, inputs = [], []
    for index in sorted(reached):
        if not _originates(evidence, index, reached):
            continue
        if evidence.vertices[index].op:
            origins.append(_forward_cause(evidence, index))
        else:
            inputs.append(_input_cause(evidence, index))
    return inputs + origins


def _originates(evidence: Evidence, index: int, reached: set[int]) -> bool:
    """Whether a vertex holds infinity or NaN and no operand did, or NaN where they had infinity."""
    value = evidence.value(index)
    if value is None or not bad(value):
        return False
    worse = [evidence.value(edge.tail) for edge in evidence.ins[index] if edge.tail in reached]
    if not worse:
        return all(evidence.value(edge.tail) is not None for edge in evidence.ins[index])
    return bool(np.isnan(value).any()) and not any(np.isnan(operand).any() for operand in worse)


def _hidden_origins(evidence: Evidence) -> list[Cause]:
    """Infinities on the way that a where above them hides, where no gradients are known."""
    causes = []
    values = ((v.index, v.value) for v in evidence.vertices)
    reached = {index for index, value in values if value is not None and bad(value)}
    hides: set[int] = set()  # vertices whose value a where may leave out
    for index in reversed(evidence.path):
        users = evidence.ways(index)
        if any(evidence.vertices[e.head].op == "where" or e.head in hides for e in users):
            hides.add(index)
            if evidence.vertices[index].op and _originates(evidence, index, reached):
                cause = _forward_cause(evidence, index)
                text = f"{cause.text}; a where above may hide the value, but 0 * inf in backward"
                causes.append(
                    replace(
                        cause,
                        kind="where_trap",
                        text=f"{text} is NaN",
                        mend=MENDS["where_trap"],
                        sure=False,
                    )
                )
    return causes[::-1]


def _input_cause(evidence: Evidence, index: int) -> Cause:
    vertex = evidence.vertices[index]
    value = np.asarray(vertex.value)
    at = first_bad(value)
    count = int((~np.isfinite(value)).sum())
    return Cause(
        "input",
        f"{evidence.label(index)} held {_say(value[at])} before any op ran: {count} of "
        f"{value.size} elements, first at {_place(at)}",
        MENDS["input"],
        vertex.source,
        (index,),
    )


def _forward_cause(evidence: Evidence, index: int) -> Cause:
    vertex = evidence.vertices[index]
    value = np.asarray(vertex.value)
    at = first_bad(value)
    operands = [_at(x, value.shape, at) for x in evidence.arguments(index)]
    kind, reason = _reason(evidence, index, float(value[at]), operands)
    count = int((~np.isfinite(value)).sum())
    return Cause(
        kind,
        f"{evidence.label(index)} made {_say(float(value[at]))} at {_place(at)} "
        f"({count} of {value.size} elements): {reason}",
        MENDS[kind],
        vertex.source,
        (index,),
    )


def _reason(evidence: Evidence, index: int, made: float, at: list[Any]) -> tuple[str, str]:
    """Why an op gave a number that is not finite; `at` are its operands there, where aligned."""
    vertex = evidence.vertices[index]
    op = vertex.op
    x = at[0] if at else None
    y = at[1] if len(at) > 1 else None
    if op in ("log", "sqrt") and x is not None:
        if x == 0.0:
            return "log_of_zero", "log(0) is -inf"
        return f"{op}_of_negative", f"{op}({number(x)}) of a negative number is NaN"
    if op == "div" and x is not None and y == 0.0:
        if x == 0.0:
            return "zero_over_zero", "0 / 0 is NaN"
        return "division_by_zero", f"{number(x)} / 0 is infinite"
    if op == "pow" and x is not None and y is not None:
        if x == 0.0 and y < 0.0:
            return "power", f"0 ** {number(y)} is infinite"
        if x < 0.0 and math.isnan(made):
            return "power_of_negative", f"({number(x)}) ** {number(y)} has no real value"
    if op == "var":
        return "var_of_one", (
            f"the variance of {_count(evidence, index)} element(s) with correction "
            f"{number(vertex.params.get('correction', 1))} divides by 0"
        )
    if op == "mean" and math.isnan(made) and not _count(evidence, index):
        return "mean_of_nothing", "the mean of no elements is NaN"
    if op in ("add", "sub") and x is not None and y is not None and math.isnan(made):
        return "inf_minus_inf", f"{number(x)} {'+' if op == 'add' else '-'} {number(y)} is NaN"
    if op == "mul" and x is not None and y is not None and math.isnan(made):
        return "zero_times_inf", f"{number(x)} * {number(y)} is NaN"
    if op in ("softmax", "log_softmax") and math.isnan(made):
        return "softmax_of_nothing", "a whole row is -inf, or holds inf"
    if op in ("sum", "mean", "matmul", "linear") and math.isnan(made):
        return "inf_minus_inf", "infinities of both signs meet in the sum, or inf meets 0"
    if math.isinf(made):
        given = ", ".join(number(v) for v in at if v is not None)
        most = "" if vertex.dtype == "float" else f", beyond {vertex.dtype}'s largest number"
        if vertex.dtype.startswith("float") and vertex.dtype != "float":
            most += f" {number(float(np.finfo(vertex.dtype).max), 2)}"
        return "overflow", f"{op}{f'({given})' if given else ''} overflows{most}"
    given = ", ".join(number(v) for v in at if v is not None)
    return "arithmetic", f"{op}({given}) is {_say(made)}"


def _count(evidence: Evidence, index: int) -> int:
    """How many elements a reduction folds into each."""
    vertex = evidence.vertices[index]
    tail = evidence.vertices[evidence.ins[index][0].tail]
    return math.prod(tail.shape[i] for i in vertex.params.get("dim", ()))


def _at(operand: Any, shape: tuple[int, ...], at: tuple[int, ...]) -> float | None:
    """The element of an operand that meets element `at` of the result, if they broadcast."""
    if operand is None:
        return None
    try:
        return float(np.broadcast_to(np.asarray(operand), shape)[at])
    except (ValueError, TypeError):
        return None


def _say(value: float) -> str:
    return "NaN" if math.isnan(value) else number(value)


def _place(at: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, at))}]" if at else "its only element"


# --- Backward -----------------------------------------------------------------------------------


def backward_origin(evidence: Evidence) -> Cause | None:
    """The first rule, in backward order, that made something not finite out of finite gradients."""
    root = evidence.gradient(evidence.root)
    if root is not None and bad(root):
        return Cause("seed", "backward started from a gradient that is not finite", MENDS["seed"])
    on_path = set(evidence.path)
    for index in reversed(evidence.path):
        gradient = evidence.gradient(index)
        if gradient is None or bad(gradient):
            continue
        for edge in evidence.ins[index]:
            piece = evidence.piece(edge)
            if edge.tail in on_path and piece is not None and bad(piece):
                return _backward_cause(evidence, edge)
    for index in reversed(evidence.path):
        pieces = [evidence.piece(edge) for edge in evidence.ways(index)]
        gradient = evidence.gradient(index)
        known = gradient is not None and all(piece is not None for piece in pieces)
        if known and bad(gradient) and not any(bad(piece) for piece in pieces):
            return Cause(
                "overflow",
                f"the contributions to the gradient of {evidence.label(index)} are finite, their "
                "sum is not",
                MENDS["overflow"],
                evidence.vertices[index].source,
                (index,),
            )
    return None


def _backward_cause(evidence: Evidence, edge: Edge) -> Cause:
    head, index = evidence.vertices[edge.head], edge.head
    piece = np.asarray(evidence.piece(edge))
    at = first_bad(piece)
    made = float(piece[at])
    gradient = np.asarray(evidence.gradient(index))
    g = _at(gradient, piece.shape, at)
    operands = [_at(x, piece.shape, at) for x in evidence.arguments(index)]
    given = ", ".join(
        f"{name} = {number(v)}"
        for name, v in zip(_arguments(evidence, index), operands, strict=False)
        if v is not None
    )
    trap = _trap(evidence, index, at, gradient.shape == piece.shape) if g == 0.0 else None
    place = f"at {_place(at)}{f' ({given})' if given else ''}"
    start = f"backward, {evidence.label(index)} made {_say(made)} {place}"
    if trap is not None:
        outer = evidence.vertices[trap]
        return Cause(
            "where_trap",
            f"{start}: {outer.op} did not take this element, so its gradient is 0, and the "
            f"slope of {head.op} there is infinite: 0 * inf is NaN",
            MENDS["where_trap"],
            head.source or outer.source,
            (index, trap),
        )
    kind, reason = _slope_reason(evidence, edge, operands, g, made)
    vertices = (index,)
    return Cause(kind, f"{start}: {reason}", MENDS[kind], head.source, vertices)


def _arguments(evidence: Evidence, index: int) -> list[str]:
    names = {edge.slot: edge.argument for edge in evidence.ins[index]}
    node = evidence.nodes[index]
    count = 0 if node is None else len(node.inputs)
    return [names.get(slot, f"operand {slot}") for slot in range(count)]


def _trap(evidence: Evidence, index: int, at: tuple[int, ...], aligned: bool) -> int | None:
    """The where (or mask) above that made the gradient of element `at` zero."""
    while aligned:
        for edge in evidence.ways(index):
            head = evidence.vertices[edge.head]
            above = evidence.gradient(edge.head)
            if above is None or head.shape != evidence.vertices[index].shape:
                continue
            if float(np.asarray(above)[at]) != 0.0:
                masks = head.op == "where" or (head.op == "mul" and _masked(evidence, edge, at))
                return edge.head if masks or head.op in ("clamp", "relu") else None
            index = edge.head
            break
        else:
            return None
    return None


def _masked(evidence: Evidence, edge: Edge, at: tuple[int, ...]) -> bool:
    other = evidence.arguments(edge.head)[1 - edge.slot]
    return _at(other, evidence.vertices[edge.head].shape, at) == 0.0


def _slope_reason(
    evidence: Evidence, edge: Edge, at: list[Any], g: float | None, made: float
) -> tuple[str, str]:
    """Why the rule of the head gave a number that is not finite."""
    vertex = evidence.vertices[edge.head]
    op = vertex.op
    x = at[0] if at else None
    y = at[1] if len(at) > 1 else None
    if op == "sqrt" and x == 0.0:
        if _sums_squares(evidence, edge.tail):
            return "norm_at_zero", "it ends a norm, and all elements are 0: the slope 1 / (2 * 0)"
        return "sqrt_at_zero", "the slope of sqrt at 0, 1 / (2 * 0), is infinite"
    if op == "log" and x == 0.0:
        return "log_of_zero", "the slope of log at 0, 1 / 0, is infinite"
    if op == "div" and y == 0.0:
        return "division_by_zero", "the slope of a quotient divides by the divisor, which is 0"
    if op == "pow" and x == 0.0:
        return "power", f"the slope of x ** {number(y) if y is not None else 'p'} at 0 is infinite"
    if op == "pow" and x is not None and x < 0.0:
        return "power_of_negative", "the slope in the exponent takes the log of a negative base"
    if op == "var":
        return (
            "var_of_one",
            f"the variance of {_count(evidence, edge.head)} element(s) divides by 0",
        )
    if any(v is not None and not math.isfinite(v) for v in at):
        return "zero_times_inf", (
            f"an operand is infinite, and its gradient {number(g) if g is not None else ''} "
            "times that is not a number"
        )
    infinite = [v for v in evidence.arguments(edge.head) if v is not None and bad(v)]
    if infinite:
        return "zero_times_inf", "an operand holds infinities, and 0 times one is NaN"
    if math.isinf(made):
        return (
            "overflow",
            f"the product with the gradient {number(g) if g is not None else ''} overflows",
        )
    return "arithmetic", "its rule gives no finite number for these operands"


def _sums_squares(evidence: Evidence, index: int) -> bool:
    """Whether a vertex is a sum of squares."""
    if evidence.vertices[index].op not in ("sum", "mean"):
        return False
    inner = evidence.ins[index][0].tail
    made = evidence.vertices[inner]
    tails = [edge.tail for edge in evidence.ins[inner]]
    return (made.op == "mul" and len(tails) == 2 and tails[0] == tails[1]) or (
        made.op == "pow" and made.scalars.get(1) == 2
    )
