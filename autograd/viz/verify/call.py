"""One recorded call, taken out of its graph so that it can be run again: op, operands, rule.

The rule runs through the engine's own backward pass, on a graph of this one call, so that what is
checked is what the engine would send on: broadcasting undone, dtypes restored.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...engine import backpropagate, compute, record
from ...graph import NUMBERS, Node, Op, new_leaf, wrap
from ...random import Generator
from ...watch import WATCHERS


class Call:
    """An op and what it ran on.

    Parameters
    ----------
    op : Op
    values : sequence
        The raw operands.
    params : dict
    tracked : tuple of bool
        Which operands a gradient flows to.
    """

    def __init__(
        self, op: Op, values: Sequence[Any], params: dict[str, Any], tracked: tuple[bool, ...]
    ) -> None:
        self.op = op
        self.values = list(values)
        self.params = params
        self.tracked = tracked

    def in_float64(self) -> Call:
        """The same call on copies in double precision; integers and bools stay as they are."""
        return Call(self.op, [widened(v) for v in self.values], self.params, self.tracked)

    def result(self, slot: int | None = None, value: np.ndarray | None = None) -> np.ndarray:
        """Run the op, with `value` as operand number `slot`."""
        values = list(self.values)
        if slot is not None and value is not None:
            values[slot] = _like(values[slot], value)
        return np.asarray(self._run(values)[1])

    def node(self) -> Node:
        """Run and record the call on leaves of its own."""
        values, y, aside = self._run(self.values)
        inputs = []
        for value, tracked in zip(self.values, self.tracked, strict=True):
            variable: Any = value
            if tracked:
                variable = wrap(value, None, True)
                variable.node = new_leaf(variable)
            inputs.append(variable)
        return record(self.op, inputs, values, self.params, y, self.tracked, aside)

    def _run(self, values: list[Any]) -> tuple[list[Any], Any, Any]:
        op, params = self.op, own_generators(self.params)
        if op.promotes is not None:
            values = op.promotes(values)
        with np.errstate(all="ignore"):
            if op.aside:
                y, aside = op.forward(*values, **params)
                return values, y, aside
            return values, compute(op, values, params), None


def alone(node: Node) -> Node:
    """A recorded node on leaves of its own, with copies of what it saved."""
    assert node.saved is not None
    links = []
    for link in node.inputs:
        if link.__class__ is Node:
            link = Node(None, (), {}, (), link.shape, link.dtype)
        links.append(link)
    saved = tuple(_copied(v) for v in node.saved)
    return Node(node.op, tuple(links), node.params, saved, node.shape, node.dtype)


class Rule:
    """What the rules of a node that stands alone send to its inputs.

    Attributes
    ----------
    node : Node
        From `Call.node` or `alone`.
    touched : str
        What the rules changed in place, which they must not; "" if nothing so far.
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        self.touched = ""

    def sends(
        self, gradient: Any, *, only: int | None = None, saved: tuple[Any, ...] | None = None
    ) -> list[Any]:
        """For each input an array, or None where nothing was sent.

        Parameters
        ----------
        gradient : ndarray
            What arrives, in the shape of the result.
        only : int, optional
            Run the rule of this input alone.
        saved : tuple, optional
            What the rules read instead of what the node saved.
        """
        node = self.node
        links = [
            link if link.__class__ is not Node or only in (None, i) else None
            for i, link in enumerate(node.inputs)
        ]
        leaves: list[Any] = [link for link in links if link.__class__ is Node]
        read = node.saved if saved is None else saved
        assert read is not None
        held = tuple(_copied(v) for v in read)
        stand_in = Node(node.op, tuple(links), node.params, held, node.shape, node.dtype)
        given = np.asarray(gradient)
        if node.dtype is float:
            seed: Any = float(given)
        elif node.shape:
            seed = np.array(given, dtype=node.dtype)
        else:
            seed = node.dtype.type(given)
        with unwatched(), np.errstate(all="ignore"):
            found = backpropagate({stand_in: seed}, leaves, retain_graph=True)
        if not np.array_equal(seed, given.astype(np.asarray(seed).dtype), equal_nan=True):
            self.touched = "the gradient that arrives"
        elif not all(_same(a, b) for a, b in zip(held, read, strict=True)):
            self.touched = "a value that it reads"
        return [
            np.array(found[link]) if link.__class__ is Node and link in found else None
            for link in links
        ]


@contextmanager
def unwatched() -> Iterator[None]:
    """Let no recording or profile see what runs inside."""
    watchers, WATCHERS[:] = WATCHERS[:], []
    try:
        yield
    finally:
        WATCHERS[:] = watchers


def widened(value: Any) -> Any:
    """A copy in float64 of whatever has real elements."""
    if value is None or value.__class__ in NUMBERS:
        return value
    array = np.asarray(value)
    return np.array(array, np.float64 if array.dtype.kind == "f" else None)


def own_generators(params: dict[str, Any]) -> dict[str, Any]:
    """The metadata with copies of random generators: a run must not move on the user's."""
    if not any(draws(v) for v in params.values()):
        return params
    return {k: _twin(v) if draws(v) else v for k, v in params.items()}


def draws(value: Any) -> bool:
    """Tell whether a piece of metadata is a source of random numbers."""
    return isinstance(value, Generator | np.random.Generator)


def _twin(generator: Any) -> Any:
    """A generator that will draw the same."""
    if isinstance(generator, np.random.Generator):
        return copy.deepcopy(generator)
    twin = Generator(0)
    twin.load_state_dict(generator.state_dict())
    return twin


def _like(old: Any, value: np.ndarray) -> Any:
    """`value` as the kind of operand that stood there."""
    if old.__class__ in NUMBERS:
        return float(value)
    return np.asarray(value, dtype=np.asarray(old).dtype)


def _copied(value: Any) -> Any:
    """A copy of what a rule could change in place."""
    return copy.deepcopy(value) if isinstance(value, np.ndarray | tuple | list | dict) else value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple | list):
        return all(_same(x, y) for x, y in zip(a, b, strict=True))
    return not isinstance(a, np.ndarray) or np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
