"""Gradients of a live graph: the engine's own backward pass, watched, and what was recorded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine import backpropagate, fit
from ..graph import Abstract, Node, Variable
from ..watch import WATCHERS, Watcher
from .record import Note


class Flows(Watcher):
    """Collects what a backward pass computes.

    Attributes
    ----------
    gradients : dict
        Node -> its complete gradient, raw.
    contributions : dict
        (node, slot) -> what the node sends to that input.
    """

    def __init__(self) -> None:
        self.gradients: dict[Node, Any] = {}
        self.contributions: dict[tuple[Node, int], Any] = {}

    def during(self, node: Node | None, gradient: Any) -> None:
        """Take the complete gradient of a node."""
        if node is not None:
            self.gradients[node] = gradient

    def flow(self, node: Node, slot: int, piece: Any) -> None:
        """Take a contribution."""
        self.contributions[node, slot] = piece

    def arrive(self, node: Node, gradient: Any) -> None:
        """Take the complete gradient of a leaf."""
        self.gradients[node] = gradient


def differentiate(
    outputs: Sequence[Variable], order: Sequence[Node], notes: Sequence[Note | None]
) -> tuple[Flows, str]:
    """The gradients of all nodes, and why there are none; "" if there are.

    Where the graph was freed, what a recording noted serves instead.
    """
    ends = [v.node for v in outputs if v.node is not None and v.requires_grad]
    problem = ""
    flows = Flows()
    freed = next((n for n in order if n.op is not None and n.saved is None), None)
    if not ends:
        problem = "no output requires grad: there is no graph to walk backwards"
    elif any(v.value.__class__ is Abstract for v in outputs):
        problem = "the graph was traced without values"
    elif freed is not None:
        problem = (
            "an earlier backward freed the values that this graph had saved: give it "
            "retain_graph=True, or draw before it, or pass a function that makes the output"
        )
    elif any(math.prod(node.shape) != 1 for node in ends):
        shape = next(node.shape for node in ends if math.prod(node.shape) != 1)
        problem = f"an output of shape {shape} has no gradient of its own: reduce it first"
    else:
        try:
            _walk(ends, order, flows)
        except RuntimeError as error:  # a value was changed in place since
            problem = str(error)
            flows = Flows()
    if problem and any(note is not None and note.gradient is not None for note in notes):
        problem = ""
        for node, note in zip(order, notes, strict=True):
            if note is not None and note.gradient is not None:
                flows.gradients[node] = note.gradient
                for slot, piece in note.contributions.items():
                    flows.contributions[node, slot] = piece
    return flows, problem


def _walk(ends: Sequence[Node], order: Sequence[Node], flows: Flows) -> None:
    """The engine's own backward pass, leaving every ``.grad`` and every recording alone."""
    seeds: dict[Node, Any] = {}
    for node in ends:
        one = 1.0 if node.dtype is float else node.dtype.type(1)
        seeds[node] = np.full(node.shape, one) if node.shape else one
    kept = [(node, node.grad) for node in order if node.hooks is not None]
    watchers, WATCHERS[:] = WATCHERS[:], [flows]
    try:
        with np.errstate(all="ignore"):
            backpropagate(seeds, order, retain_graph=True)
    finally:
        WATCHERS[:] = watchers
        for node, grad in kept:
            node.grad = grad  # retain_grad is a hook


def slope_of(node: Node, slot: int, gradient: Any, piece: Any) -> float | None:
    """The partial derivative of a single number with respect to one of its operands."""
    assert node.op is not None
    if node.saved is None:
        upstream = float(gradient)
        return float(piece) / upstream if upstream and math.isfinite(upstream) else None
    one = 1.0 if node.dtype is float else node.dtype.type(1)
    with np.errstate(all="ignore"):
        if node.op.joint is not None:
            slope = node.op.joint(one, *node.saved, **node.params)[slot]
        else:
            rule = node.op.rules[slot]
            slope = None if rule is None else rule(one, *node.saved, **node.params)
    return None if slope is None else float(fit(slope, node.inputs[slot]))
