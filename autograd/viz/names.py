"""Names: what the user's code calls the things in a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Any

from ..graph import Node, Variable
from .places import assigned_name, bindings
from .record import Call, Note


class Names:
    """Names of variables, from all that is known: given, recorded, or bound in running frames.

    Parameters
    ----------
    given : mapping, optional
        Name -> variable, or module whose parameters are meant.

    Raises
    ------
    TypeError
        If a value of `given` is something else.
    """

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._variables: dict[int, str] = {}
        self._nodes: dict[Node, tuple[str, Variable]] = {}
        self._modules: dict[str, dict[int, str]] = {}
        self._given: list[str] = []
        # Ids are keys: what they belong to must live as long.
        self._held: list[Any] = []
        for name, thing in (given or {}).items():
            if not isinstance(thing, Variable) and not hasattr(thing, "named_parameters"):
                raise TypeError(
                    f"names: {name!r} must name a Tensor, a Scalar or a module, not "
                    f"{type(thing).__name__}"
                )
            self._take(name, thing)
        self._given = list(self._modules)

    def look_around(self, frames: Iterable[FrameType]) -> None:
        """Learn the names bound in `frames`; those of earlier frames count first."""
        for frame in frames:
            for name, thing in bindings(frame):
                self._take(name, thing)

    def _take(self, name: str, thing: Any) -> None:
        self._held.append(thing)
        if isinstance(thing, Variable):
            self._variables.setdefault(id(thing), name)
            self._variables.setdefault(id(thing.value), name)  # ops may be given the bare array
            if thing.node is not None:
                self._nodes.setdefault(thing.node, (name, thing))
        elif name not in self._modules and not isinstance(thing, type):
            leaves = {id(p): n for n, p in thing.named_parameters()}
            leaves |= {id(b): n for n, b in thing.named_buffers()}
            self._modules.setdefault(name, leaves)

    def of_call(self, call: Call) -> None:
        """Learn the parameters of the outermost module of a recorded call."""
        while call.parent is not None:
            call = call.parent
        self._modules[call.module_name] = call.leaves

    def of_module(self, call: Call) -> str:
        """The name of the outermost module of a call: one that was given, or the recorded one."""
        for name in self._given:
            if self._modules[name] and self._modules[name] == call.leaves:
                return name
        return call.module_name

    def variable_of(self, node: Node) -> Variable | None:
        """A live variable that stands for the result of `node`."""
        found = self._nodes.get(node)
        return None if found is None else found[1]

    def of_leaf(self, variable: Any, node: Node | None, note: Note | None) -> str:
        """The name of a leaf or a constant; "" if it has none."""
        if variable is not None:
            path = self._path(variable)
            if path:
                return path
        if variable is not None and id(variable) in self._variables:
            return self._variables[id(variable)]
        if note is not None and note.name:
            return note.name
        found = None if node is None else self._nodes.get(node)
        return "" if found is None else found[0]

    def _path(self, variable: Any) -> str:
        """The path of a parameter or buffer, with the module's name where that alone tells."""
        key = id(variable)
        paths = [(root, leaves[key]) for root, leaves in self._modules.items() if key in leaves]
        if not paths:
            return ""
        # A part of a model may be bound to a name of its own: the longest path is the whole.
        root, path = max(paths, key=lambda pair: pair[1].count("."))
        others = {i for leaves in self._modules.values() for i, p in leaves.items() if p == path}
        return path if others == {key} else f"{root}.{path}"

    def of_result(self, node: Node, note: Note | None, final: bool) -> str:
        """The name of a result; `final` if it is what its line computed in the end."""
        if note is not None and note.order == 0 and note.code is not None:
            if final:
                name = assigned_name(note.code, note.instruction)
                if name:
                    return name
            if note.name:
                return note.name
        found = self._nodes.get(node)
        return "" if found is None else found[0]
