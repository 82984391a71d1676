"""Why a gradient is huge or tiny: its norm at each step of the way back, and who changed it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

import numpy as np

from ..summary import number
from .answer import Cause, Row
from .evidence import Evidence

# Between the largest norm on the way and the norm at the tensor: float32 updates of weights near 1
# by less than a millionth of the gradient above are lost in rounding.
VANISHED = 1e-6
# Between the smallest norm on the way and the norm at the tensor.
EXPLODED = 1e5
# One step that changes the norm by less than this is ordinary.
NOTABLE = 1.25

NORMS = ("batch_norm", "layer_norm", "group_norm")
SHIFTS = ("add", "sub", "linear", "conv2d")

SHRINKING = {
    "sigmoid": "its slope is at most 0.25: use relu, gelu or tanh in hidden layers",
    "tanh": "saturated units have little slope: a smaller initialisation, or normalisation",
    "softmax": "probabilities near 0 and 1 have little slope: use cross_entropy on the scores",
    "relu": "closed units pass nothing: kaiming initialisation keeps half of them open",
}
PRODUCTS = ("matmul", "linear", "conv2d", "mul", "div")


def way_back(evidence: Evidence) -> list[Row]:
    """Gradient norms from the root to the target, by the users that contribute most."""
    index, way = evidence.target, [evidence.target]
    while index != evidence.root:
        known = [e for e in evidence.ways(index) if evidence.piece(e) is not None]
        if not known:
            return []
        index = max(known, key=lambda e: (_finite(norm(evidence.piece(e))), e.head)).head
        way.append(index)
    rows: list[Row] = []
    for index in reversed(way):
        gradient = evidence.gradient(index)
        if gradient is None:
            return []
        size = norm(gradient)
        factor = size / rows[-1].norm if rows and rows[-1].norm else None
        rows.append(Row(index, evidence.label(index), size, factor))
    return rows


def norm(value: Any) -> float:
    """Euclidean norm of all elements, without overflow."""
    array = np.asarray(value, np.float64)
    top = float(np.max(np.abs(array), initial=0.0))
    if top == 0.0 or not math.isfinite(top):
        return top
    return top * float(np.linalg.norm((array / top).reshape(-1)))


def _finite(size: float) -> float:
    return math.inf if math.isnan(size) else size


def causes_of_size(evidence: Evidence, rows: list[Row]) -> tuple[str, list[Cause]]:
    """Tell whether the gradient vanished or exploded on its way, and by whom.

    Returns
    -------
    verdict : str
        "vanishing", "exploding" or "healthy".
    causes : list of Cause
    """
    if len(rows) < 2:
        return "healthy", []
    last = rows[-1].norm
    least, most = min(row.norm for row in rows), max(row.norm for row in rows)
    # The first step is the loss's own slope, small where the fit is good: that is no fault.
    if last < VANISHED * most and last < VANISHED * _after_loss(evidence, rows):
        shifted = _normalised_away(evidence, rows)
        return "vanishing", shifted or _culprits(evidence, rows, shrinking=True)
    if least > 0.0 and last > EXPLODED * least:
        return "exploding", _culprits(evidence, rows, shrinking=False)
    return "healthy", []


def _after_loss(evidence: Evidence, rows: list[Row]) -> float:
    """The largest norm below the loss: from the first vertex that is more than one number."""
    inner = [row.norm for row in rows if evidence.vertices[row.vertex].shape]
    return max(inner, default=rows[0].norm) if len(inner) > 1 else rows[0].norm


def _normalised_away(evidence: Evidence, rows: list[Row]) -> list[Cause]:
    """A constant shift before a normalisation that takes the mean away: only rounding is left."""
    if len(rows) < 3 or (rows[-1].factor or 0.0) > VANISHED**0.5:
        return []
    norm_, shift = (evidence.vertices[row.vertex] for row in rows[-3:-1])
    if norm_.op not in NORMS or shift.op not in SHIFTS:
        return []
    return [
        Cause(
            "normalised_away",
            f"{evidence.label(norm_.index)} takes the mean away, and with it whatever "
            f"{evidence.label(shift.index)} adds: what is left of the gradient is rounding",
            "leave it out (bias=False): the normalisation has a bias of its own",
            shift.source,
            (norm_.index,),
        )
    ]


def _culprits(evidence: Evidence, rows: list[Row], shrinking: bool) -> list[Cause]:
    """The ops that change the norm most, those of one kind taken together."""
    totals: Counter[str] = Counter()
    steps: dict[str, list[int]] = {}
    for above, row in itertools.pairwise(rows):
        if row.factor is None or not 0.0 < row.factor < math.inf:
            continue
        change = -math.log(row.factor) if shrinking else math.log(row.factor)
        op = evidence.vertices[above.vertex].op
        totals[op] += change  # pyright: ignore[reportArgumentType] - a counter of floats
        if change > math.log(NOTABLE):
            steps.setdefault(op, []).append(above.vertex)
    causes = []
    for op, total in totals.most_common():
        if total < math.log(10.0) or op not in steps:
            break
        found = steps[op]
        each = math.exp(-total / len(found) if shrinking else total / len(found))
        first = evidence.vertices[found[0]]
        times = f"{len(found)} steps of {op}" if len(found) > 1 else evidence.label(found[0])
        verb = "shrink" if shrinking else "multiply"
        text = (
            f"{times} {verb}{'s' if len(found) == 1 else ''} the norm by a factor of "
            f"{number(each, 3)}{' each (on average)' if len(found) > 1 else ''}"
        )
        kind = "vanishing" if shrinking else "exploding"
        causes.append(Cause(kind, text, _mend(op, shrinking), first.source, tuple(found)))
    return causes


def _mend(op: str, shrinking: bool) -> str:
    if shrinking and op in SHRINKING:
        return SHRINKING[op]
    if op in PRODUCTS:
        size = "larger" if shrinking else "smaller"
        tail = "residual connections" if shrinking else "clip_grad_norm_ as a stopgap"
        return (
            f"weights of a {size} scale (kaiming for relu, xavier for tanh), normalisation between "
            f"layers, or {tail}"
        )
    if shrinking:
        return "scale what it works on, normalise between layers, or add residual connections"
    return (
        "scale what it works on, normalise between layers, or clip the gradient (clip_grad_norm_)"
    )
