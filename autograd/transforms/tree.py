"""Trees: tuples, lists, dictionaries and named tuples of values, nested in any way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


class Leaf:
    """The structure of a single value."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return "*"


LEAF = Leaf()


class Branch:
    """The structure of a container: its type, its keys, and the structures inside."""

    def __init__(self, kind: type, keys: list[Any] | None, children: list[Any]) -> None:
        self.kind, self.keys, self.children = kind, keys, children

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Branch):
            return NotImplemented
        return (self.kind, self.keys, self.children) == (other.kind, other.keys, other.children)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        inside = [repr(child) for child in self.children]
        if self.keys is not None:
            inside = [f"{k!r}: {c}" for k, c in zip(self.keys, inside, strict=True)]
        return f"{self.kind.__name__}({', '.join(inside)})"

    def build(self, parts: list[Any]) -> Any:
        """A container of this type around `parts`."""
        if self.keys is not None:
            if self.kind is dict:
                return dict(zip(self.keys, parts, strict=True))
            return self.kind(list(zip(self.keys, parts, strict=True)))
        if hasattr(self.kind, "_fields"):
            return self.kind(*parts)
        return self.kind(parts)


Structure = Leaf | Branch


def opened(tree: Any) -> Branch | None:
    """The outermost container of a tree with its contents as `children`; None for a leaf."""
    if isinstance(tree, dict):
        return Branch(type(tree), list(tree), list(tree.values()))
    if isinstance(tree, tuple | list):
        return Branch(type(tree), None, list(tree))
    return None


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of a tree from left to right, and its structure.

    Examples
    --------
    >>> flatten({"a": 1, "b": (2, 3)})
    ([1, 2, 3], dict('a': *, 'b': tuple(*, *)))
    """
    leaves: list[Any] = []
    return leaves, _collect(tree, leaves)


# The recursions are functions of the module: one inside another function refers to itself, and what
# it was given would be held until the cycle collector comes.


def _collect(part: Any, leaves: list[Any]) -> Structure:
    branch = opened(part)
    if branch is None:
        leaves.append(part)
        return LEAF
    branch.children = [_collect(child, leaves) for child in branch.children]
    return branch


def unflatten(leaves: list[Any], structure: Structure) -> Any:
    """The tree of a structure around `leaves`.

    Examples
    --------
    >>> unflatten([1, 2, 3], flatten({"a": 0, "b": (0, 0)})[1])
    {'a': 1, 'b': (2, 3)}
    """
    return _built(structure, iter(leaves))


def _built(part: Structure, supply: Iterator[Any]) -> Any:
    if isinstance(part, Leaf):
        return next(supply)
    return part.build([_built(child, supply) for child in part.children])


def count(structure: Structure) -> int:
    """How many leaves a structure has."""
    return 1 if isinstance(structure, Leaf) else sum(map(count, structure.children))


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `function` applied to each leaf."""
    leaves, structure = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], structure)


def spread(prefix: Any, tree: Any, error: Callable[[], Exception]) -> list[Any]:
    """For each leaf of `tree`, the leaf of `prefix` that stands for it.

    A leaf of `prefix` stands for all that is below its place; `error` makes what is raised where
    the two do not fit.
    """
    found: list[Any] = []
    _spread(prefix, tree, error, found)
    return found


def _spread(above: Any, part: Any, error: Callable[[], Exception], found: list[Any]) -> None:
    outer, branch = opened(above), opened(part)
    if outer is None:
        found.extend([above] * len(flatten(part)[0]))
        return
    same_kind = branch is not None and (outer.keys is None) == (branch.keys is None)
    if branch is None or not same_kind or len(outer.children) != len(branch.children):
        raise error()
    entries = outer.children
    if outer.keys is not None:
        by_key = dict(zip(outer.keys, entries, strict=True))
        if by_key.keys() != set(branch.keys or ()):
            raise error()
        entries = [by_key[key] for key in branch.keys or ()]
    for inner, child in zip(entries, branch.children, strict=True):
        _spread(inner, child, error, found)
