"""Anomaly detection: where the first NaN or infinity came from, forward or backward."""

from __future__ import annotations

import linecache
import sys
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from ..frames import user_frames
from ..graph import Node, Op, Spec, Variable
from ..watch import WATCHERS, Watcher


class AnomalyWatcher(Watcher):
    """Looks at every result and every gradient, and raises at the first that is not finite.

    Values that came in so (a mask of minus infinity) are nobody's fault: only an op that makes
    such values out of finite ones is reported.
    """

    def __init__(self, check_nan: bool) -> None:
        self.check_nan = check_nan
        self.made_at: weakref.WeakKeyDictionary[Node, str] = weakref.WeakKeyDictionary()
        self.gradient: Any = None

    def made(self, op: Op, inputs: Sequence[Any], params: dict[str, Any], result: Any) -> None:
        """Look at the result of an op."""
        node = getattr(result, "node", None)
        if node is not None:
            self.made_at[node] = line_here()
        if self.check_nan:
            self.judge(op.name, "the result", result, named(op, inputs), line_here)

    def during(self, node: Node | None, gradient: Any) -> None:
        """Remember what flows into the rule that runs next."""
        self.gradient = gradient

    def flow(self, node: Node, slot: int, piece: Any) -> None:
        """Look at what a rule gave."""
        if not self.check_nan or node.op is None:
            return
        inputs = {"the gradient": self.gradient}
        if node.saved is not None:
            inputs["the result"] = node.saved[0] if "y" in node.op.reads[0] else None
            names = (
                node.op.inputs
                if not node.op.variadic
                else [f"input {i}" for i in range(len(node.inputs))]
            )
            inputs |= dict(zip(names, node.saved[1:], strict=True))
        where = self.made_at.get(node)
        self.judge(
            f"backward of {node.op.name}",
            f"the gradient of its input {slot}",
            piece,
            inputs,
            lambda: where or "its forward ran outside of detect_anomaly, which would say where",
        )

    def judge(
        self, who: str, what: str, result: Any, inputs: Mapping[str, Any], where: Any
    ) -> None:
        """Raise if `result` is not finite though `inputs` are."""
        value = numbers(result)
        if value is None or np.isfinite(value).all():
            return
        given = {name: numbers(v) for name, v in inputs.items()}
        if any(v is not None and not np.isfinite(v).all() for v in given.values()):
            return
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
        element = f"element {index}" if index else "its only element"
        parts = []
        for name, v in given.items():
            if v is not None:
                at, number = element_at(v, index, value.shape)
                parts.append(
                    f"{name}{list(at) if at else ''} = {number!s}"
                    if at is not None
                    else f"{name} of shape {v.shape}, from {v.min()!s} to {v.max()!s}"
                )
        raise RuntimeError(
            f"detect_anomaly: {who} made the first value that is not finite: {what}, shape "
            f"{value.shape}, has {value[index]!s} as {element}"
            + (f", from {', '.join(parts)}" if parts else "")
            + f".\n  {where()}"
        )


def numbers(x: Any) -> Any:
    """The float array behind a variable or raw value; None if there is none, or it is empty."""
    value = x.value if isinstance(x, Variable) else x
    if value is None or isinstance(value, Node | Spec | bool | int):
        return None
    if isinstance(value, float):
        return np.asarray(value)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f" and value.size:
        return np.asarray(value)
    return None


def element_at(v: Any, index: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """The element of an operand that stands where `index` is in a result, if they broadcast."""
    try:
        if np.broadcast_shapes(v.shape, shape) != shape:
            return None, None
    except ValueError:
        return None, None
    own = index[len(index) - v.ndim :]
    own = tuple(0 if n == 1 else i for i, n in zip(own, v.shape, strict=True))
    return own, v[own]


def named(op: Op, inputs: Sequence[Any]) -> dict[str, Any]:
    """The inputs of a call by name."""
    if op.variadic:
        return {f"input {i}": v for i, v in enumerate(inputs)}
    return dict(zip(op.inputs, inputs, strict=False))


def line_here() -> str:
    """The line of the user's code that is running."""
    frame = next(user_frames(sys._getframe(1)), None)
    if frame is None:
        return "called from inside the library"
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}: {text}"


class set_detect_anomaly:
    """Turn anomaly detection on or off: from now on, or inside a ``with`` block.

    Parameters
    ----------
    mode : bool
    check_nan : bool
        Raise; otherwise only note where each op was called.

    Examples
    --------
    >>> import autograd
    >>> with autograd.set_detect_anomaly(True):
    ...     autograd.tensor([1.0]).exp()
    tensor([2.7183])
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = [w for w in WATCHERS if isinstance(w, AnomalyWatcher)]
        for watcher in self.before:
            WATCHERS.remove(watcher)
        self.now = AnomalyWatcher(check_nan) if mode else None
        if self.now is not None:
            WATCHERS.append(self.now)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.now is not None and self.now in WATCHERS:
            WATCHERS.remove(self.now)
        WATCHERS.extend(self.before)


class detect_anomaly:
    """Find the first NaN or infinity: an error names the op, the line, the element, its inputs.

    It looks at what ops give (forward) and at what their rules give (backward). An op that was
    given NaN or infinity is not to blame. Watching costs time; without it there is no cost.

    Parameters
    ----------
    check_nan : bool
        Raise; otherwise only note where each op was called.

    Raises
    ------
    RuntimeError
        Inside, at the call (or in the ``backward()``) that made the value.

    Examples
    --------
    >>> import autograd, numpy as np
    >>> x = autograd.tensor([1.0, 0.0])
    >>> with autograd.detect_anomaly(), np.errstate(divide="ignore"):
    ...     y = x.log()
    Traceback (most recent call last):
    RuntimeError: detect_anomaly: log made the first value that is not finite: the result, ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self.switches: list[set_detect_anomaly] = []

    def __enter__(self) -> None:
        self.switches.append(set_detect_anomaly(True, self.check_nan))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.switches.pop().__exit__(kind, error, traceback)
