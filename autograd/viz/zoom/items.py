"""What a zoomed diagram is made of while it grows, and what it tells of its folded terms."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..model import Vertex
from .maps import Index
from .steps import Step


@dataclass(frozen=True, slots=True)
class Part:
    """Elements of one tensor among folded terms.

    Attributes
    ----------
    name : str
        Of the tensor.
    indices : tuple of tuple of int
        Of the elements.
    value : float or None
        Sum of the elements; None if they are not known.
    gradient : float or None
        Sum of what the folded terms contribute to their gradients; None if none flows there.
    """

    name: str
    indices: tuple[Index, ...]
    value: float | None
    gradient: float | None


@dataclass(frozen=True, slots=True)
class Folded:
    """Terms that are drawn as one vertex.

    Attributes
    ----------
    index : int
        Of that vertex.
    count : int
        How many terms.
    value : float or None
        Their sum.
    parts : tuple of Part
        The elements that they are made of.
    """

    index: int
    count: int
    value: float | None
    parts: tuple[Part, ...]


@dataclass(eq=False, slots=True)
class Item:
    """A vertex to be.

    Attributes
    ----------
    key : tuple of int
        Sorts the items: operands before their users.
    vertex : Vertex
    origin, position : int
        Of an element: the captured vertex and the position there; origin -1 for inner steps.
    operands : list of (Item, int, str, float or None)
        Each with slot, name of the argument, and slope.
    gradient : float
    expanded : bool
    """

    key: tuple[int, int, int, int]
    vertex: Vertex
    origin: int = -1
    position: int = 0
    operands: list[tuple[Item, int, str, float | None]] = field(default_factory=list)
    gradient: float = 0.0
    expanded: bool = False


@dataclass(eq=False, slots=True)
class Rest:
    """Folded `terms` of the `step` that made `user`, drawn as `item`."""

    item: Item
    user: Item
    step: Step
    terms: np.ndarray

    def gradients(self) -> list[np.ndarray]:
        """What each term contributes to the gradient of its element, factor by factor."""
        step, found = self.step, []
        for factor in step.factors:
            slopes = factor.slopes[self.terms]
            if not step.sums:
                found.append(self.user.gradient * slopes)
            elif len(step.factors) == 2:
                found.append(self.item.gradient * slopes)
            else:
                found.append(np.full(len(slopes), self.item.gradient))
        return found


def exact_sum(values: np.ndarray) -> float:
    """The sum, rounded once."""
    if np.isfinite(values).all():
        try:
            return math.fsum(values.tolist())
        except OverflowError:
            pass
    with np.errstate(all="ignore"):
        return float(np.sum(values, dtype=np.float64))


def element_label(tensor: str, index: Index) -> str:
    """How an element is called: ``w[3, 0]``."""
    return f"{tensor}[{', '.join(map(str, index))}]" if index else tensor


def tensor_labels(vertices: Sequence[Vertex]) -> list[str]:
    """A name for each vertex, no two alike.

    Without a name of its own it is called by its op and a number; where a name was used again
    (``x = relu(x)``) the later ones are ``x#2`` and so on.
    """
    taken = {vertex.name for vertex in vertices}
    count: Counter[str] = Counter()
    labels = []
    for vertex in vertices:
        name, mark = vertex.name, "#"
        if name:
            count[name] += 1
            if count[name] == 1:
                labels.append(name)
                continue
        else:
            name, mark = vertex.op or vertex.kind, ""
            count[name] += 1
        while (label := f"{name}{mark}{count[name]}") in taken:
            count[name] += 1
        taken.add(label)
        labels.append(label)
    return labels


def remark(*texts: str) -> str:
    """Remarks joined to one."""
    return "; ".join(text for text in texts if text)
