"""A stopwatch that stands still while watchers work, and where calls come from.

Watchers are called one after the other. So a profile stands among them twice, first and last: the
first stops its watch before any other watcher does something, the last starts it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter_ns
from types import CodeType, FrameType
from typing import Any

from ...engine import backpropagate
from ...frames import is_user_code
from ..places import named_in

# Empty intervals timed to find out what the watch itself costs.
CALIBRATION = 201


class Stopwatch:
    """Counts nanoseconds, but for those in which it is stopped.

    Attributes
    ----------
    value : int
        What was counted until it was last stopped.
    excluded : int
        What passed while it was stopped.
    cost : int
        What an empty interval would count; taken off every interval.
    """

    def __init__(self) -> None:
        self.value = self.excluded = self.cost = 0
        self._since = perf_counter_ns()
        self._running = False

    def stop(self) -> None:
        """Stand still."""
        now = perf_counter_ns()
        if self._running:
            passed = now - self._since - self.cost
            self.value += passed if passed > 0 else 0
            self._since = now
            self._running = False

    def go(self) -> None:
        """Count on."""
        if not self._running:
            self._running = True
            now = perf_counter_ns()
            self.excluded += now - self._since
            self._since = now

    def calibrate(self, go: Callable[..., None], stop: Callable[..., None]) -> None:
        """Find out what is counted between `go` and `stop`: methods of watchers that do just that.

        Both are called as ``left``.
        """
        found = []
        for _ in range(CALIBRATION):
            before = self.value
            go("", None, None)
            stop("", None, None)
            found.append(self.value - before)
        self.cost = sorted(found)[CALIBRATION // 2]
        self.value = self.excluded = 0
        self._since = perf_counter_ns()


@dataclass(slots=True)
class ModuleCall:
    """One call of a module.

    Attributes
    ----------
    path : str
        Names from the outermost module inwards, with "#2" for the second call.
    module : str
        The same without the numbers of calls.
    type : str
    parent : ModuleCall or None
    """

    path: str
    module: str
    type: str
    parent: ModuleCall | None

    def around(self) -> list[ModuleCall]:
        """The call itself and all that it is inside of, innermost first."""
        found, call = [], self
        while call is not None:
            found.append(call)
            call = call.parent
        return found


@dataclass(slots=True)
class Place:
    """Where something was called from.

    Attributes
    ----------
    code, instruction : CodeType or None, int
        The line of the user's code.
    call : ModuleCall or None
        The innermost module.
    passes : int
        How many backward passes are going on.
    """

    code: CodeType | None = None
    instruction: int = -1
    call: ModuleCall | None = None
    passes: int = 0


@dataclass(slots=True)
class Places:
    """Tells from the running frames which line and which module call an op belongs to.

    Frames of module calls are held, as nothing else tells two calls apart; each look lets go of
    those that have returned. As there is a look before every op, no value of theirs is alive
    during an op that would not be without.
    """

    _stack: list[tuple[FrameType, ModuleCall]] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)
    # By the ids of a module and of one inside it, which are held so that they stay what they are.
    _names: dict[tuple[int, int], tuple[Any, Any, str]] = field(default_factory=dict)

    def look(self, frame: FrameType | None) -> Place:
        """Describe the place of `frame`."""
        place = Place()
        modules: list[tuple[FrameType, Any]] = []
        while frame is not None:
            code = frame.f_code
            if place.code is None and is_user_code(frame):
                place.code, place.instruction = code, frame.f_lasti
            if code is backpropagate.__code__:
                place.passes += 1
            elif code.co_name == "forward" and code.co_varnames[:1] == ("self",):
                module = frame.f_locals.get("self")
                if hasattr(module, "named_parameters") and hasattr(module, "named_modules"):
                    modules.append((frame, module))
            frame = frame.f_back
        place.call = self._call(modules[::-1])
        return place

    def forget(self) -> None:
        """Let go of all frames and modules."""
        self._stack.clear()
        self._names.clear()

    def _call(self, modules: list[tuple[FrameType, Any]]) -> ModuleCall | None:
        stack = self._stack
        same = 0
        while same < len(stack) and same < len(modules) and stack[same][0] is modules[same][0]:
            same += 1
        del stack[same:]
        for i in range(same, len(modules)):
            frame, module = modules[i]
            parent = stack[i - 1][1] if i else None
            kind = type(module).__name__
            if i:
                name = self._name(modules[i - 1][1], module)
            else:
                name = named_in(frame.f_back, module) or kind
            path = f"{parent.path}.{name}" if parent is not None else name
            count = self._counts[path] = self._counts.get(path, 0) + 1
            plain = f"{parent.module}.{name}" if parent is not None else name
            path = f"{path}#{count}" if count > 1 else path
            stack.append((frame, ModuleCall(path, plain, kind, parent)))
        return stack[-1][1] if stack else None

    def _name(self, outer: Any, module: Any) -> str:
        """The name under which `outer` knows `module`; the class if it does not."""
        key = id(outer), id(module)
        if key not in self._names:
            known = (n for n, m in outer.named_modules() if m is module and n)
            self._names[key] = outer, module, next(known, type(module).__name__)
        return self._names[key][2]
