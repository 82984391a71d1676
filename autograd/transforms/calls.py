"""Calls recorded as one node whose gradient a function computes, not the rules of an op.

A node has one result. A call with several is recorded as a node whose result stands for all of
them, laid end to end, and for each result a node that takes its piece; so its gradient is asked for
once, when those of all pieces are there.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine import record
from ..graph import OPS, Node, Op, Spec, Variable, wrap


class Weak(weakref.ref[Any]):
    """A weak reference among the metadata of a node, which prints as what it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "..."


def make_op(name: str, joint: Callable[..., Any], forward: Callable[..., Any]) -> Op:
    """An op outside of the table: any number of inputs, and one rule for all of them."""
    op = Op(name, "structured", ("inputs",), variadic=True)
    op.joint = joint
    # The call's context is saved in the place of y and goes when backward has used it; no value
    # of an input is, but something is read, so that a second backward says what is wrong.
    op.aside = True
    op.reads = [frozenset({"context"})]
    op.forward = forward
    op.function = forward
    op.infer = lambda *specs, **_: specs[0]
    return op


def _piece_rule(g: Any, y: Any, x: Any, start: int, shape: tuple[int, ...], arrived: Any) -> Any:
    here = arrived()
    if here is not None:
        here.add(start)
    n = math.prod(shape)
    flat = OPS["reshape"].function(g, shape=(n,))
    return OPS["pad"].function(flat, widths=((start, x.shape[0] - start - n),), value=0.0)


def _piece(x: Any, /, *, start: int, shape: tuple[int, ...], arrived: Any) -> Any:
    return x[start : start + math.prod(shape)].reshape(shape)


PIECE = Op("output", "movement", ("x",), variadic=False)
PIECE.rules = [_piece_rule]
PIECE.reads = [frozenset[str]()]
PIECE.forward = PIECE.function = _piece
PIECE.infer = lambda x, *, start, shape, arrived: Spec(shape, x.dtype)


class Arrived(set[int]):
    """Which pieces of a call have sent a gradient, since the call's own rule last ran."""


class Pieces:
    """How the results of a call that differentiate lie in the one result of its node.

    Attributes
    ----------
    shapes : list of tuple
        Of the results.
    starts : list of int
        Where each begins; empty for a single result, which is the node's.
    arrived : Arrived
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        self.shapes = list(shapes)
        sizes = [math.prod(shape) for shape in shapes]
        self.starts = [sum(sizes[:i]) for i in range(len(sizes))] if len(sizes) > 1 else []
        self.arrived = Arrived()

    def result(self, y: Any, node: Node, slot: int) -> Any:
        """Raw value `y` as the result number `slot` of the call that `node` is."""
        if self.starts:
            about = {"start": self.starts[slot], "shape": y.shape, "arrived": Weak(self.arrived)}
            node = Node(PIECE, (node,), about, (None, node), y.shape, y.dtype)
        return wrap(y, node, True)

    def apart(self, g: Any) -> list[Any]:
        """The gradients of the results, of what flows into the node of the call."""
        if not self.starts:
            return [g]
        pieces = []
        for start, shape in zip(self.starts, self.shapes, strict=True):
            stop = start + math.prod(shape)
            piece = OPS["narrow"].function(g, dim=0, start=start, stop=stop)
            pieces.append(OPS["reshape"].function(piece, shape=shape))
        return pieces


def record_call(
    op: Op,
    inputs: Sequence[Any],
    params: dict[str, Any],
    outputs: Sequence[Any],
    live: Sequence[bool],
    context: Any,
) -> tuple[Node, list[Any], Pieces]:
    """Record a call; return its node, its results as Variables, and how they lie in the node.

    Parameters
    ----------
    outputs : sequence
        Raw values.
    live : sequence of bool
        Through which of them gradients flow.
    context
        What the joint rule of `op` finds in the place of y.
    """
    values = [v.value if isinstance(v, Variable) else v for v in inputs]
    tracked = tuple([isinstance(v, Variable) and v.requires_grad for v in inputs])
    chosen = [y for y, on in zip(outputs, live, strict=True) if on]
    pieces = Pieces([getattr(y, "shape", ()) for y in chosen])
    place: Any = chosen[0]
    if pieces.starts:
        dtype = np.result_type(*[y.dtype for y in chosen])
        place = Spec((sum(math.prod(shape) for shape in pieces.shapes),), dtype)
    node = record(op, inputs, values, params, place, tracked, context)
    slots = iter(range(len(chosen)))
    variables = [
        pieces.result(y, node, next(slots)) if on else wrap(y)
        for y, on in zip(outputs, live, strict=True)
    ]
    return node, variables, pieces
