"""record: note where the user's code made each result, under what name, and what became of it.

A node says what was done, not where: to find that out costs more than most ops do. So it is done
on request, inside a ``with record():`` block, and kept beside the graph rather than in it. A note
goes when its node (or variable) goes.
"""

from __future__ import annotations

import math
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType, TracebackType
from typing import Any, Literal, Self

import numpy as np

from ..changes import tick
from ..frames import is_user_code
from ..graph import Abstract, Node, Op, Variable
from ..modes import mode
from ..watch import WATCHERS, Watcher
from .model import Source
from .places import bindings, locals_of, named_in, source_at

METHODS = ("detach", "numpy", "item", "tolist")
How = Literal["detach", "numpy", "item", "tolist", "no_grad", "constant"]


class Call:
    """One call of a module: what a cluster of the diagram frames.

    Attributes
    ----------
    module_name : str
        As the parent registered it, or the user's variable for the outermost.
    type : str
    path : str
    parent : Call or None
    parameters : int
        Number of elements.
    leaves : dict
        ``id(parameter or buffer) -> its path within the outermost module``; of the outermost
        call only.
    """

    __slots__ = ("leaves", "module_name", "parameters", "parent", "path", "type")

    def __init__(self, module: Any, name: str, parent: Call | None, path: str) -> None:
        self.module_name = name
        self.type = type(module).__name__
        self.parent = parent
        self.path = path
        parameters = [p for _, p in module.named_parameters()]
        self.parameters = sum(p.value.size for p in parameters if hasattr(p.value, "size"))
        self.leaves = {}
        if parent is None:
            self.leaves = {id(p): n for n, p in module.named_parameters()}
            self.leaves |= {id(b): n for n, b in module.named_buffers()}


@dataclass(slots=True)
class Note:
    """What was noted about one result, or about a leaf that was used.

    Attributes
    ----------
    name : str
        The user's variable, as far as it was seen bound; "" otherwise.
    code, instruction : CodeType or None, int
        Where it was made; `source` reads it.
    group : int
        Results made by one and the same run of an instruction have the same number.
    call : Call or None
        The innermost module call.
    order : int
        0 for the forward graph, 1 for what its backward pass recorded, and so on.
    rule_of : str
        Name of the op whose rule made this, in a recorded backward pass.
    value : array, number or None
        Raw, as it was made.
    gradient : array, number or None
        The complete gradient in the last backward pass.
    contributions : dict
        By slot: what the node sent to each of its inputs in the last backward pass.
    """

    name: str = ""
    code: CodeType | None = None
    instruction: int = -1
    group: int = -1
    call: Call | None = None
    order: int = 0
    rule_of: str = ""
    value: Any = None
    gradient: Any = None
    contributions: dict[int, Any] = field(default_factory=dict)

    @property
    def source(self) -> Source | None:
        """The place in the user's code."""
        return None if self.code is None else source_at(self.code, self.instruction)


class _Notes:
    """Notes by the identity of a node or a variable, which they do not keep alive."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[Any], Note]] = {}

    def get(self, thing: Any) -> Note | None:
        entry = self._entries.get(id(thing))
        return entry[1] if entry is not None and entry[0]() is thing else None

    def of(self, thing: Any) -> Note:
        """The note of `thing`, a new one if there is none."""
        note = self.get(thing)
        if note is None:
            key, entries = id(thing), self._entries
            note = Note()
            entries[key] = (weakref.ref(thing, lambda _: entries.pop(key, None)), note)
        return note


_NOTES = _Notes()


def note_of(thing: Node | Variable | np.ndarray) -> Note | None:
    """Return what a recording noted of a node, a variable (by its node if it has one), an array."""
    if isinstance(thing, Variable) and thing.node is not None:
        thing = thing.node
    return _NOTES.get(thing)


@dataclass(frozen=True, slots=True)
class Event:
    """A value left the graph.

    Attributes
    ----------
    how : str
        "detach", "numpy", "item", "tolist": that method was called. "no_grad": an op ran on
        something that requires grad while nothing was recorded. "constant": an op without
        a gradient, such as a comparison, did.
    op : str
        Name of that op; "" for the methods.
    inputs : tuple of weak references to Variable
    result : weak reference to Variable, or None
    source : Source or None
    time : int
        By the clock of the graph: nodes with a greater `time` were made later.
    """

    how: How
    op: str
    inputs: tuple[weakref.ref[Variable], ...]
    result: weakref.ref[Variable] | None
    source: Source | None
    time: int


class Recording(Watcher):
    """What happened inside one ``with record():`` block, on the thread that opened it.

    Attributes
    ----------
    events : list of Event
        Where values left the graph, in order.
    passes : int
        How many backward passes ran.
    end : float
        When it ended, by the clock of the graph: nodes of a greater `time` were made later.

    Parameters
    ----------
    private : bool
        Not to be found as `latest`, the recording that `why` looks at.
    """

    latest: Recording | None = None  # the user's last; it holds no values

    def __init__(self, *, private: bool = False) -> None:
        self._private = private
        self.events: list[Event] = []
        self.passes = 0
        self.end: float = math.inf
        self._rule_of: Node | None = None
        self._group = 0
        self._last: tuple[FrameType, int] | None = None
        self._stack: list[tuple[FrameType, Call]] = []
        self._calls: dict[str, int] = {}
        self._thread = 0

    def __enter__(self) -> Self:
        if self in WATCHERS:
            raise RuntimeError("record: this recording is running already")
        self._thread = threading.get_ident()
        if not self._private:
            Recording.latest = self
        WATCHERS.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        WATCHERS.remove(self)
        self.end = tick()
        # Frames hold every local variable of the user's functions.
        self._stack, self._last, self._rule_of = [], None, None

    # --- Forward ------------------------------------------------------------------------------

    def made(self, op: Op, inputs: Sequence[Any], params: dict[str, Any], result: Any) -> None:
        """Note the result of a call."""
        if threading.get_ident() != self._thread:
            return
        user, modules = self._frames(sys._getframe(1))
        note = _NOTES.of(result if result.node is None else result.node)
        if result.value.__class__ is not Abstract:
            note.value = result.value
        rule_of = self._rule_of
        if rule_of is not None:
            forward = _NOTES.of(rule_of)
            note.order = forward.order + 1
            note.rule_of = rule_of.op.name if rule_of.op is not None else ""
            note.code, note.instruction = forward.code, forward.instruction
            return
        if user is not None:
            note.code, note.instruction = user.f_code, user.f_lasti
            if self._last is None or self._last[0] is not user or self._last[1] != user.f_lasti:
                self._group += 1
            self._last = (user, user.f_lasti)
            note.group = self._group
            self._name_inputs(user, inputs)
        note.call = self._call(modules, user)
        if result.node is None and any(isinstance(v, Variable) and v.requires_grad for v in inputs):
            self._event(
                "constant" if mode.grad else "no_grad", op.name, inputs, result, note.source
            )

    def left(self, how: str, variable: Variable, result: Any) -> None:
        """Note that values left the graph."""
        if threading.get_ident() != self._thread:
            return
        user, _ = self._frames(sys._getframe(1))
        source = None if user is None else source_at(user.f_code, user.f_lasti)
        if user is not None:
            self._name_inputs(user, (variable,))
        if how in METHODS:
            self._event(how, "", (variable,), result, source)
        else:
            self._event("constant", how, (variable,), result, source)

    def _event(
        self, how: Any, op: str, inputs: Sequence[Any], result: Any, source: Source | None
    ) -> None:
        found = tuple(weakref.ref(v) for v in inputs if isinstance(v, Variable))
        made = weakref.ref(result) if isinstance(result, Variable) else None
        self.events.append(Event(how, op, found, made, source, tick()))

    @staticmethod
    def _frames(frame: FrameType | None) -> tuple[FrameType | None, list[tuple[FrameType, Any]]]:
        """The innermost frame of the user's code, and the running modules, outermost first."""
        user: FrameType | None = None
        modules = []
        while frame is not None:
            code = frame.f_code
            if user is None and is_user_code(frame):
                user = frame
            if code.co_name == "forward" and code.co_varnames[:1] == ("self",):
                module = locals_of(frame).get("self")
                if hasattr(module, "named_parameters") and hasattr(module, "named_modules"):
                    modules.append((frame, module))
            frame = frame.f_back
        return user, modules[::-1]

    def _call(self, modules: list[tuple[FrameType, Any]], user: FrameType | None) -> Call | None:
        """The call of the innermost module; calls that go on since the last op stay the same."""
        stack = self._stack
        same = 0
        while same < len(stack) and same < len(modules) and stack[same][0] is modules[same][0]:
            same += 1
        del stack[same:]
        for i in range(same, len(modules)):
            frame, module = modules[i]
            parent = stack[i - 1][1] if i else None
            if i:
                name = _registered(modules[i - 1][1], module)
            else:
                name = named_in(frame.f_back, module) or type(module).__name__
            path = f"{parent.path}.{name}" if parent is not None else name
            count = self._calls[path] = self._calls.get(path, 0) + 1
            stack.append(
                (frame, Call(module, name, parent, f"{path}#{count}" if count > 1 else path))
            )
        return stack[-1][1] if stack else None

    @staticmethod
    def _name_inputs(user: FrameType, inputs: Sequence[Any]) -> None:
        """Name what the user's code has just used by the variables that hold it."""
        wanted = {}
        for item in inputs:
            if isinstance(item, Variable | np.ndarray):
                note = _NOTES.of(getattr(item, "node", None) or item)
                if not note.name:
                    wanted[id(item)] = note
        if wanted:
            for name, thing in bindings(user):
                # A function may have handed on the bare array.
                note = wanted.get(id(thing)) or wanted.get(id(getattr(thing, "value", None)))
                if note is not None and not note.name:
                    note.name = name

    # --- Backward -----------------------------------------------------------------------------

    def start(self, seeds: Mapping[Node, Any]) -> None:
        """Count the backward passes."""
        self.passes += 1

    def during(self, node: Node | None, gradient: Any) -> None:
        """Note the complete gradient of a node."""
        if threading.get_ident() == self._thread:
            self._rule_of = node
            if node is not None:
                note = _NOTES.of(node)
                note.gradient = _raw(gradient)
                note.contributions = {}

    def flow(self, node: Node, slot: int, piece: Any) -> None:
        """Note a contribution."""
        if threading.get_ident() == self._thread:
            _NOTES.of(node).contributions[slot] = _raw(piece)

    def arrive(self, node: Node, gradient: Any) -> None:
        """Note the complete gradient of a leaf."""
        if threading.get_ident() == self._thread:
            _NOTES.of(node).gradient = _raw(gradient)


class Keep(Watcher):
    """Keeps, inside a ``with`` block and after it, what every op and every exit took and gave.

    A graph does not keep the leaves that a function makes and forgets.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[list[Any], Any]] = []

    def __enter__(self) -> Self:
        WATCHERS.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        WATCHERS.remove(self)

    def made(self, op: Op, inputs: Sequence[Any], params: dict[str, Any], result: Any) -> None:
        """Keep a call."""
        self.calls.append((list(inputs), result))

    def left(self, how: str, variable: Variable, result: Any) -> None:
        """Keep what left."""
        self.calls.append(([variable], result))


def record() -> Recording:
    """Note, inside a ``with`` block, where and under what names results are made.

    A graph made inside is drawn with variable names, source lines, modules, and the values of
    all intermediate results (which stay in memory as long as their nodes do); a backward pass
    inside leaves all gradients. `why` tells more of what happened inside.

    Returns
    -------
    Recording
        Its ``events`` tell where values left the graph.

    Examples
    --------
    >>> import autograd
    >>> from autograd import viz
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> with viz.record() as recording:
    ...     h = x * 3.0
    ...     loss = h.sum()
    ...     loss.backward()
    >>> viz.note_of(h).name, viz.note_of(h).gradient
    ('h', array([1., 1.], dtype=float32))
    """
    return Recording()


def _raw(value: Any) -> Any:
    value = value.value if isinstance(value, Variable) else value
    return None if value.__class__ is Abstract else value


def _registered(parent: Any, module: Any) -> str:
    """The name under which `parent` knows `module`: "0", "block.conv"; the class if it does not."""
    for name, candidate in parent.named_modules():
        if candidate is module and name:
            return name
    return type(module).__name__
