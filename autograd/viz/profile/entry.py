"""What a profile keeps of each op call: plain numbers, and no reference to the graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...graph import Op, Variable
from ..model import Source
from ..places import source_at
from .watch import ModuleCall, Place


@dataclass(slots=True)
class Entry:
    """One op call.

    Attributes
    ----------
    index : int
        Position in ``profile.entries``: inputs stand before what is made of them.
    op : str
    shape, dtype
        Of the result.
    place : Place
        Where it was called; `source` reads it.
    recorded : bool
        It left a node in the graph.
    in_backward : bool
        A rule called it, on Variables: its time is part of the rule's.
    started, ended : int
        When it ran, in nanoseconds since the start of the profile.
    forward, backward : int
        Nanoseconds that it took, and that its rules took, without what watched them.
    passes : list of (int, int)
        When its rules ran.
    output : int
        Bytes of new memory in its result; 0 for a view.
    result : int or None
        Number of the buffer of its result.
    saved : tuple of int
        Numbers of the buffers that it keeps for backward; those of leaves are not among them.
    inputs : tuple of int
        The entries that made its inputs.
    flops : int
        Floating-point operations of the forward; 0 if unknown.
    """

    index: int
    op: str
    shape: tuple[int, ...]
    dtype: str
    place: Place
    recorded: bool = False
    in_backward: bool = False
    started: int = 0
    ended: int = 0
    forward: int = 0
    backward: int = 0
    passes: list[tuple[int, int]] = field(default_factory=list)
    output: int = 0
    result: int | None = None
    saved: tuple[int, ...] = ()
    inputs: tuple[int, ...] = ()
    flops: int = 0

    @property
    def source(self) -> Source | None:
        """The place in the user's code."""
        code = self.place.code
        return None if code is None else source_at(code, self.place.instruction)

    @property
    def module(self) -> ModuleCall | None:
        """The innermost module call that it was part of."""
        return self.place.call

    @property
    def total(self) -> int:
        """Nanoseconds forward and backward."""
        return self.forward + self.backward


def flops(op: Op, inputs: Sequence[Any], shape: tuple[int, ...]) -> int:
    """Floating-point operations of a matrix product or a convolution; 0 for other ops.

    A multiplication and an addition for each product; the bias is one addition more.
    """
    shapes = [getattr(v.value if isinstance(v, Variable) else v, "shape", None) for v in inputs]
    size = math.prod(shape)
    if op.name == "matmul":
        first = shapes[0]
        return 2 * size * first[-1] if first else 0
    if op.name in ("linear", "conv2d"):
        weight = shapes[1]
        if not weight:
            return 0
        return size * (2 * math.prod(weight[1:]) + (len(shapes) > 2 and shapes[2] is not None))
    return 0
