"""What a graph does not say: which of its constants were computed from its leaves.

A comparison and a ``detach()`` record nothing: in the graph their results are constants. But they
would be others if a leaf were, so that a page which moves the leaf must know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ...graph import Op, Variable
from ...watch import WATCHERS, Watcher
from ..capture import Captured
from ..model import Diagram

# In the place of a leaf's index: a variable that is no leaf.
OTHER = -1


class Origins(Watcher):
    """Follows all that a function computes; and keeps its variables until the graph is read.

    (The graph itself does not keep leaves that the function makes and forgets.)
    """

    def __init__(self) -> None:
        self._kept: list[Any] = []
        self._roots: dict[int, frozenset[int]] = {}
        self._computed: list[tuple[Any, frozenset[int]]] = []

    def __enter__(self) -> Self:
        WATCHERS.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        WATCHERS.remove(self)
        self._kept.clear()
        self._roots.clear()
        self._computed.clear()

    def _of(self, variable: Variable) -> frozenset[int]:
        return self._roots.get(id(variable)) or frozenset((id(variable),))

    def made(self, op: Op, inputs: Sequence[Any], params: dict[str, Any], result: Any) -> None:
        """Note what the result of a call was computed from."""
        variables = [v for v in inputs if isinstance(v, Variable)]
        self._kept += [*variables, result]
        roots = frozenset[int]().union(*map(self._of, variables))
        self._roots[id(result)] = roots
        if result.node is None:
            self._computed.append((result.value, roots))

    def left(self, how: str, variable: Variable, result: Any) -> None:
        """Note what left the graph."""
        roots = self._of(variable)
        self._kept += [variable, result]
        if isinstance(result, Variable):
            self._roots[id(result)] = roots
        self._computed.append((getattr(result, "value", result), roots))

    def hidden(self, captured: Captured) -> dict[int, set[int]]:
        """For each constant that was computed: the leaves it depends on, or `OTHER`."""
        leaf: dict[int, int] = {}
        for index, node in enumerate(captured.nodes):
            if node is not None and node.op is None and node.saved is not None:
                leaf[id(node.saved[0]())] = index
        found: dict[int, set[int]] = {}
        for vertex, node in zip(captured.diagram.vertices, captured.nodes, strict=True):
            if node is not None or vertex.value is None:
                continue
            for value, roots in self._computed:
                if _same(value, vertex.value):
                    indices = {leaf.get(root, OTHER) for root in roots}
                    found.setdefault(vertex.index, set()).update(indices)
        return found


def _same(a: Any, b: Any) -> bool:
    """Whether they may be the same values: too often is safe."""
    try:
        x, y = np.asarray(a), np.asarray(b)
        return x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
    except (TypeError, ValueError):
        return False


def suspects(diagram: Diagram) -> dict[int, set[int]]:
    """As `Origins.hidden` where nobody watched: a choice may have been made from any leaf."""
    everything = {OTHER, *(v.index for v in diagram.vertices if not v.op)}
    return {
        v.index: everything
        for v in diagram.vertices
        if not v.op and v.kind == "constant" and (v.dtype == "bool" or v.source is not None)
    }
