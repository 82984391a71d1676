"""Why a gradient is zero: the ops that stopped it, and why they did."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model import Edge
from ..summary import number
from .answer import Cause
from .evidence import Evidence
from .slopes import stop_of
from .stops import Stop, dead_relu, many_dead

# Steps from a product to its relu: a bias, a normalisation, a reshape, and the relu.
NEAR = 4

SELECTS = (
    "index", "gather", "narrow", "take_rows", "pick_class", "amax", "amin", "max", "min", "median",
    "max_pool2d",
)  # fmt: skip
PRODUCTS = ("matmul", "linear", "conv2d")


def causes_of_zero(evidence: Evidence, gradient: Any) -> list[Cause]:
    """Find what made the whole gradient of the target zero.

    Parameters
    ----------
    evidence : Evidence
    gradient : array or number
        All zeros.
    """
    known = evidence.gradient(evidence.target)
    if known is None:
        return []
    if np.any(np.asarray(known) != 0.0):
        return [
            Cause(
                "zeroed",
                "this graph gives a gradient that is not zero (norm "
                f"{number(float(np.linalg.norm(np.asarray(known, np.float64))))}): .grad was "
                "overwritten since, as zero_grad(set_to_none=False) does, or by a hook",
                "read .grad between backward() and zero_grad()",
            )
        ]
    root = evidence.gradient(evidence.root)
    if root is not None and not np.any(root):
        return [
            Cause(
                "zero_seed",
                "backward started from a gradient of zero",
                "give backward a gradient that is not zero, or none for a loss of one element",
                evidence.vertices[evidence.root].source,
                (evidence.root,),
            )
        ]
    return _frontier(evidence)


def _frontier(evidence: Evidence) -> list[Cause]:
    """The ops that take a gradient and pass none on, those nearest to the loss first."""
    causes: dict[tuple[str, int], Cause] = {}
    for index in reversed(evidence.path):
        gradient = evidence.gradient(index)
        if gradient is None or np.any(gradient):
            continue
        if _hooked(evidence, index):
            vertex = evidence.vertices[index]
            causes[("hook", index)] = Cause(
                "hook",
                f"a hook on {evidence.label(index)} put zeros in the place of its gradient",
                "remove the hook, or let it return None",
                vertex.source,
                (index,),
            )
            continue
        live = []
        for edge in evidence.ways(index):
            above, piece = evidence.gradient(edge.head), evidence.piece(edge)
            if above is None or piece is None or not np.any(above):
                continue
            if np.any(piece):
                live.append(edge)
            else:
                cause = _stopped(evidence, edge)
                causes.setdefault((cause.kind, edge.head), cause)
        if live:
            causes[("cancellation", index)] = _cancelled(evidence, index, live)
    return list(causes.values())


def _hooked(evidence: Evidence, index: int) -> bool:
    """Whether contributions that do not cancel became a gradient of zero."""
    node = evidence.nodes[index]
    pieces = [evidence.piece(edge) for edge in evidence.outs[index]]
    pieces = [p for p in pieces if p is not None]
    if node is None or node.hooks is None or not pieces:
        return False
    return bool(np.any(np.sum([np.asarray(p) for p in pieces], axis=0)))


def _cancelled(evidence: Evidence, index: int, live: list[Edge]) -> Cause:
    """Contributions that sum to zero."""
    at = np.unravel_index(
        np.argmax(np.abs(np.asarray(evidence.piece(live[0])))),
        np.shape(evidence.piece(live[0])),
    )
    parts = [
        f"{number(float(np.asarray(evidence.piece(e))[at]))} from {evidence.label(e.head)}"
        for e in live
    ]
    source = next((s for e in live if (s := evidence.vertices[e.head].source)), None)
    return Cause(
        "cancellation",
        f"the contributions to the gradient of {evidence.label(index)} cancel: "
        f"{' and '.join(parts)}",
        "the loss does not depend on it as written: break the symmetry, or drop one of the uses",
        source,
        (index,),
    )


def _stopped(evidence: Evidence, edge: Edge) -> Cause:
    """The cause that one op makes by passing nothing on."""
    stop = stop_of(evidence, edge)
    vertex = evidence.vertices[edge.head]
    culprits = (edge.head,) if stop.operand < 0 else (edge.head, stop.operand)
    return Cause(stop.kind, stop.text, stop.mend, stop.source or vertex.source, culprits)


# --- Zero in places -----------------------------------------------------------------------------


def causes_of_partial_zero(evidence: Evidence, gradient: Any) -> tuple[list[Cause], list[str]]:
    """Find what made some elements of the target's gradient zero.

    Returns
    -------
    causes : list of Cause
    remarks : list of str
        What is as it should be, such as the closed half of a relu.
    """
    known = evidence.gradient(evidence.target)
    if known is None or np.shape(known) != np.shape(gradient):
        return [], []
    zero = np.asarray(known) == 0.0
    causes: dict[tuple[str, int], Cause] = {}
    remarks: list[str] = []
    todo = [(evidence.target, zero)]
    seen = set()
    while todo:
        index, mask = todo.pop(0)
        for edge in evidence.ways(index):
            if (edge.head, edge.slot) in seen or not mask.any():
                continue
            seen.add((edge.head, edge.slot))
            vertex = evidence.vertices[edge.head]
            above, piece = evidence.gradient(edge.head), evidence.piece(edge)
            if above is None or piece is None:
                continue
            node = evidence.nodes[edge.head]
            family = node.op.family if node is not None and node.op is not None else ""
            above, closed = np.asarray(above), mask & (np.asarray(piece) == 0.0)
            if vertex.op in PRODUCTS:
                stop = _dead_slices(evidence, edge, mask)
            elif vertex.op in SELECTS:
                stop = stop_of(evidence, edge, closed) if closed.any() else None
            elif family == "elementwise" and above.shape == mask.shape:
                here = closed & (above != 0.0)
                stop = stop_of(evidence, edge, here) if here.any() else None
                todo.append((edge.head, mask & (above == 0.0)))
            elif vertex.op in ("reshape", "permute", "mT", "expand") or above.shape == mask.shape:
                todo += _moved(evidence, edge, mask)
                stop = None
            else:
                stop = None
            if stop is None:
                continue
            if stop.ordinary:
                remarks.append(stop.text)
            else:
                culprits = (edge.head,) if stop.operand < 0 else (stop.operand,)
                key = (stop.kind, culprits[-1])
                source = stop.source or vertex.source
                causes.setdefault(key, Cause(stop.kind, stop.text, stop.mend, source, culprits))
    return list(causes.values()), list(dict.fromkeys(remarks))


def _moved(evidence: Evidence, edge: Edge, mask: Any) -> list[tuple[int, Any]]:
    """Where a mask lies after an op that moved elements."""
    vertex = evidence.vertices[edge.head]
    if vertex.op == "reshape":
        return [(edge.head, mask.reshape(vertex.shape))]
    if vertex.op == "permute":
        return [(edge.head, mask.transpose(vertex.params["dims"]))]
    if vertex.op == "mT":
        return [(edge.head, mask.swapaxes(-1, -2))]
    return []


def _dead_slices(evidence: Evidence, edge: Edge, mask: Any) -> Stop | None:
    """Dead units behind whole rows or columns of zeros in the gradient of a weight."""
    if mask.ndim and not any(
        mask.all(axis=tuple(i for i in range(mask.ndim) if i != axis)).any()
        for axis in range(mask.ndim)
    ):
        return None
    # The operand that the weight meets, or the relu that follows.
    near = [other.tail for other in evidence.ins[edge.head] if other.slot != edge.slot]
    index = edge.head
    for _ in range(NEAR):
        near.append(index)
        users = evidence.ways(index)
        if len(users) != 1:
            break
        index = users[0].head
    near.append(index)
    for candidate in near:
        for at in (candidate, *(e.tail for e in evidence.ins[candidate])):
            value = evidence.value(at)
            if evidence.vertices[at].op == "relu" and value is not None and many_dead(value):
                return dead_relu(evidence, at)
    return None
