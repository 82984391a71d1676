"""Stops: what `why` says of an op that passes no gradient; and the dead units of a relu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..model import Edge, Source
from .evidence import Evidence

# Fewer samples than this are all on the closed side of a healthy relu now and then.
ENOUGH_SAMPLES = 8
# With fewer samples some units that are closed for all of them open for others.
MANY_SAMPLES = 256
# A smaller share of dead units is nothing to look for a remedy for.
DEAD_SHARE = 0.1
# More unit numbers than this are not written out.
MOST_UNITS = 8


@dataclass(frozen=True, slots=True)
class Stop:
    """Why an op stopped a gradient.

    Attributes
    ----------
    kind, text, mend : str
        As in a Cause.
    operand : int
        Vertex of the operand that is to blame; -1 if none is.
    source : Source or None
        If it is not the op's own.
    ordinary : bool
        As it should be.
    """

    kind: str
    text: str
    mend: str
    operand: int = -1
    source: Source | None = None
    ordinary: bool = False


def share(evidence: Evidence, edge: Edge, closed: Any) -> str:
    """How many elements are meant."""
    size = int(np.prod(evidence.vertices[edge.tail].shape))
    if closed is None:
        return "at its only element" if size == 1 else f"at all {size} elements"
    return f"at {int(closed.sum())} of {size} elements"


def dead_units(value: Any) -> tuple[int, int, int]:
    """How many units are zero for every sample, of how many, over how many samples.

    Units are the channels of images, (N, C, H, W), and else the last dimension.
    """
    array = np.asarray(value)
    if array.ndim < 2:
        return int((array <= 0.0).sum()), int(array.size), 1
    axis = 1 if array.ndim >= 4 else array.ndim - 1
    others = tuple(i for i in range(array.ndim) if i != axis)
    dead = (array <= 0.0).all(axis=others)
    return int(dead.sum()), int(dead.size), int(array.size // max(dead.size, 1))


def many_dead(value: Any) -> bool:
    """Whether more units of a relu are dead than happens in a healthy net."""
    dead, units, samples = dead_units(value)
    return samples >= ENOUGH_SAMPLES and dead >= max(DEAD_SHARE * units, 1)


def dead_relu(evidence: Evidence, index: int) -> Stop:
    """The dead units of a relu, in words."""
    value = np.asarray(evidence.value(index))
    dead, units, samples = dead_units(value)
    if value.ndim < 2:
        what = f"{dead} of {units} elements are zero"
    else:
        axis = 1 if value.ndim >= 4 else value.ndim - 1
        others = tuple(i for i in range(value.ndim) if i != axis)
        which = np.flatnonzero((value <= 0.0).all(axis=others))
        shown = ", ".join(map(str, which[:MOST_UNITS])) + (
            ", ..." if which.size > MOST_UNITS else ""
        )
        what = f"{dead} of {units} units are zero for every sample"
        if dead < units:
            what += f" ({samples} per unit): units {shown}"
            what += "; a larger batch may open some" if samples < MANY_SAMPLES else ""
    return Stop(
        "dead_relu",
        f"{evidence.label(index)}: {what}; a relu passes no gradient where its input is not "
        "positive",
        "a smaller learning rate, a bias that starts positive, a better scaled initialisation "
        "(kaiming), normalisation before it, or an activation with a slope on both sides (gelu, "
        "softplus)",
        operand=index,
        source=evidence.vertices[index].source,
    )
