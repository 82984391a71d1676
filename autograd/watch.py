"""Watchers: observers of op calls and of backward passes.

A trace, a recording and a profile are watchers. There is none almost always, and the fast paths
of the ops test just that: what nobody watches costs nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .changes import CHANGES
from .graph import Abstract, Node, Op, Variable


class Watcher:
    """What a watcher may see while it stands in `WATCHERS`; each method here does nothing."""

    def see(
        self, op: Op, inputs: Sequence[Any], values: Sequence[Any], params: dict[str, Any]
    ) -> Abstract | None:
        """Look at a call before it runs; a result other than None stands for the call's own."""

    def made(self, op: Op, inputs: Sequence[Any], params: dict[str, Any], result: Any) -> None:
        """Look at the Variable that a call returned."""

    def enter(self, arguments: Sequence[Any]) -> None:
        """Look at what a call takes whose inside is not recorded, such as a user's Function."""

    def left(self, how: str, variable: Variable, result: Any) -> None:
        """Look at values that leave the graph: by ``detach()``, ``numpy()``, ``item()``."""

    def start(self, seeds: Mapping[Node, Any]) -> None:
        """Learn that a backward pass begins, and with what gradients."""

    def during(self, node: Node | None, gradient: Any) -> None:
        """Learn whose rule runs next, and on what complete gradient. None: the pass is over."""

    def flow(self, node: Node, slot: int, piece: Any) -> None:
        """Look at what `node` contributes to the gradient of its input number `slot`."""

    def arrive(self, node: Node, gradient: Any) -> None:
        """Look at the complete gradient of a node where the pass ended, such as a leaf."""


WATCHERS: list[Watcher] = []


class Views(Watcher):
    """Watches for the use of a view whose base was changed by a recorded op after it was made.

    The graph of such a view still tells of the old values. Watching costs time, so it begins
    with the first change that some view could have seen, and ends with the arrays so changed.
    """

    def __init__(self) -> None:
        self.changed: dict[int, weakref.ref[np.ndarray]] = {}

    def watch(self, array: np.ndarray) -> None:
        """Go on for as long as `array` lives."""
        key = id(array)

        def forget(_: Any) -> None:
            del self.changed[key]
            if not self.changed and self in WATCHERS:
                WATCHERS.remove(self)

        if key not in self.changed:
            self.changed[key] = weakref.ref(array, forget)

    def see(
        self, op: Op, inputs: Sequence[Any], values: Sequence[Any], params: dict[str, Any]
    ) -> None:
        """Raise if an input is such a view."""
        for item, value in zip(inputs, values, strict=True):
            if item is value or value.__class__ is not np.ndarray or value.base is None:
                continue
            if item.node is not None and item.node.op is not None:
                by = CHANGES.since(value, item.node.time)
                if by is not None:
                    raise RuntimeError(
                        f"{op.name}: an input of shape {value.shape} is a view of memory that "
                        f"{by} changed after the view was made; take the view again, or make it "
                        "a clone()"
                    )


def watch_views(array: np.ndarray) -> None:
    """Refuse views of `array` taken before now: a recorded op has just changed it in place."""
    watcher = next((w for w in WATCHERS if isinstance(w, Views)), None)
    if watcher is None:
        watcher = Views()
        WATCHERS.insert(0, watcher)
    watcher.watch(array)
