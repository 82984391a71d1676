"""Values of the nodes of a live graph: where they are still held, or by running ops again."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..changes import CHANGES, owner
from ..engine import compute
from ..graph import Node, Spec, Variable
from .names import Names
from .record import Note


class Values:
    """What is known of the results of some nodes.

    Parameters
    ----------
    order : sequence of Node
        Inputs before users.
    notes : sequence of Note or None
        What was recorded of each.
    names : Names
        Knows live variables.

    Attributes
    ----------
    found : dict
        Node -> raw value.
    remarks : dict
        Node -> what is to be said of it, such as "changed in place since by add_".
    """

    def __init__(self, order: Sequence[Node], notes: Sequence[Note | None], names: Names) -> None:
        self.order, self.notes, self.names = order, notes, names
        self.found: dict[Node, Any] = {}
        self.remarks: dict[Node, str] = {}
        self._find()

    def _find(self) -> None:
        found = self.found
        for node, note in zip(self.order, self.notes, strict=True):
            if node.op is None:
                variable = leaf_of(node)
                if variable is not None:
                    self._keep(node, variable.value)
                continue
            if note is not None:
                self._keep(node, note.value)
            variable = self.names.variable_of(node)
            if node not in found and variable is not None:
                self._keep(node, variable.value)
            if node.saved is None:
                continue
            tracked = tuple(link.__class__ is Node for link in node.inputs)
            if node not in found and not node.op.aside and node.op.keeps(tracked)[0]:
                self._keep(node, node.saved[0])
            for slot, link in enumerate(node.inputs):
                if link.__class__ is Node and link not in found:
                    self._keep(link, node.saved[slot + 1])
        for node in self.order:
            if node not in found and node.op is not None and node not in self.remarks:
                self._keep(node, self._again(node))
        used: dict[Node, int] = {}  # users come in order of time: the first one counts
        for node in self.order:
            for link in node.inputs:
                if link.__class__ is Node:
                    used.setdefault(link, node.time)
        for node in self.order:
            self._note_changes(node, used.get(node, node.time))

    def _keep(self, node: Node, value: Any) -> None:
        """Take `value` for that of `node`, if it is a value and fits."""
        if value is None or isinstance(value, Spec | Node):
            return
        if node.dtype is float:
            if isinstance(value, float | int):
                self.found[node] = float(value)
        elif getattr(value, "shape", None) == node.shape and value.dtype == node.dtype:
            self.found[node] = value

    def _again(self, node: Node) -> Any:
        """Run the op of `node` again, if all it ran on is known and as it was."""
        assert node.op is not None
        if node.saved is None:
            return None
        arguments = []
        for slot, link in enumerate(node.inputs):
            value = node.saved[slot + 1]
            if value is None or isinstance(value, Node | Spec):
                if link.__class__ is Node:
                    value = self.found.get(link)
                else:
                    thing = link() if isinstance(link, weakref.ref) else link
                    value = thing.value if isinstance(thing, Variable) else thing
                if value is None and link is not None:
                    return None
                if isinstance(value, Spec) or CHANGES.since(value, node.time) is not None:
                    return None
            arguments.append(value)
        if node.op.promotes is not None:
            arguments = node.op.promotes(arguments)
        try:
            with np.errstate(all="ignore"):
                return compute(node.op, arguments, node.params)
        except ArithmeticError:  # a Scalar's division by zero raises
            return None

    def _note_changes(self, node: Node, used: int) -> None:
        """Tell of values that were changed in place since; an intermediate's are lost then."""
        value = self.found.get(node)
        by = CHANGES.since(value, used if node.op is None else node.time)
        if by is None:
            return
        if node.op is not None:
            del self.found[node]
            self.remarks[node] = f"its values are gone: changed in place since by {by}"
        else:
            self.remarks[node] = f"changed in place by {by} since it was used here"

    def saved_bytes(self) -> dict[Node, int]:
        """Bytes that each node keeps; what leaves, constants or earlier nodes hold not again."""
        counted: set[int] = set()
        for node in self.order:
            for link in node.inputs:
                thing = link() if isinstance(link, weakref.ref) else link
                _count(thing.value if isinstance(thing, Variable) else thing, counted)
            if node.op is None:
                _count(self.found.get(node), counted)
        found = {}
        for node in self.order:
            if node.op is not None and node.saved is not None:
                found[node] = sum(_count(value, counted) for value in node.saved)
        return found


def leaf_of(node: Node) -> Variable | None:
    """The variable of a leaf; None if it is gone."""
    assert node.saved is not None
    return node.saved[0]()


def _count(value: Any, counted: set[int]) -> int:
    """Bytes of the memory behind `value` that were not counted before."""
    if isinstance(value, tuple | list):
        return sum(_count(item, counted) for item in value)
    if not isinstance(value, np.ndarray):
        return 0
    base = owner(value)
    if id(base) in counted:
        return 0
    counted.add(id(base))
    return base.nbytes
