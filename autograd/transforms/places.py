"""Fresh places in the graph, and gradients between them: what every transform is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import differentiate
from ..graph import OPS, Node, Variable, toposort, wrap
from ..modes import mode
from .batched import Batched
from .tree import flatten, unflatten


def checked(who: str, value: Any, what: str) -> Variable:
    """A Tensor or Scalar in which one can differentiate, or TypeError."""
    if not isinstance(value, Variable):
        raise TypeError(
            f"{who}: {what} must be a Tensor or a Scalar (or a tuple, list or dict of them), not "
            f"{type(value).__name__}; make a tensor of it first"
        )
    if value.dtype is not float and value.dtype.kind != "f":
        raise TypeError(
            f"{who}: {what} is of {value.dtype}; only floating-point tensors have gradients: "
            "convert with .float() first"
        )
    return value


def fresh(x: Variable, recorded: bool) -> Any:
    """The value of `x` at a place of its own, in which one can differentiate.

    Where `recorded` (and x is part of a graph) gradients flow on to x.
    """
    if recorded and x.requires_grad:
        if x.dtype is float:
            return OPS["clone"].function(x)
        return OPS["reshape"].function(x, shape=x.shape)  # a view: nothing is copied
    place = wrap(x.value)
    place.requires_grad_()
    return place


def tracked(x: Any) -> bool:
    """True if a gradient flows through `x`, at its own level or below that of a `vmap`."""
    while isinstance(x, Variable):
        if x.requires_grad:
            return True
        x = x.value.inner if x.value.__class__ is Batched else None
    return False


def tracked_inside(x: Any) -> bool:
    """True if a gradient flows through the tensor that a `vmap` took apart to make `x`."""
    return isinstance(x, Variable) and x.value.__class__ is Batched and tracked(x.value.inner)


def reaches_beyond(outputs: Iterable[Any], places: Sequence[Variable]) -> bool:
    """True if `outputs` depend on something that requires grad besides the `places`.

    Only then must their gradients be recorded for somebody further out.
    """
    mine = {p.node for p in places}
    roots = []
    for v in outputs:
        while isinstance(v, Variable):
            if v.requires_grad and v.node is not None:
                roots.append(v.node)
            v = v.value.inner if v.value.__class__ is Batched else None
    return any(node.op is None and node not in mine for node in toposort(roots))


def cut(x: Any, places: Sequence[Variable]) -> Any:
    """An output without its graph, if that leads to the `places` alone."""
    if not isinstance(x, Variable) or not x.requires_grad or reaches_beyond([x], places):
        return x
    return wrap(x.value)


def cut_tree(tree: Any, places: Sequence[Variable]) -> Any:
    """Every leaf of a tree as `cut` leaves it."""
    leaves, structure = flatten(tree)
    return unflatten([cut(leaf, places) for leaf in leaves], structure)


def zeros_of(x: Any) -> Any:
    """Zeros like `x`, a Variable or a Node."""
    return wrap(0.0 if x.dtype is float else np.zeros(x.shape, x.dtype)[()])


def pulled(
    outputs: Sequence[Any],
    places: Sequence[Any],
    cotangents: Sequence[Any] | None,
    record: bool,
    keep: bool = True,
) -> list[Any]:
    """Gradients in `places` of the `outputs` weighted by `cotangents`; None where there is none.

    With `keep` the graph can be walked again.
    """
    live = [
        i
        for i, y in enumerate(outputs)
        if isinstance(y, Variable) and y.requires_grad and isinstance(y.node, Node)
    ]
    if not live:
        return [None] * len(places)
    weights = None if cotangents is None else [cotangents[i] for i in live]
    before = mode.grad
    mode.grad = record and not mode.inference
    try:
        return list(
            differentiate.grad(
                [outputs[i] for i in live],
                places,
                weights,
                retain_graph=keep or record,
                create_graph=record,
                allow_unused=True,
            )
        )
    finally:
        mode.grad = before


def filled(gradients: Sequence[Any], places: Sequence[Any]) -> list[Any]:
    """Gradients, with zeros in the place of None."""
    return [zeros_of(p) if g is None else g for g, p in zip(gradients, places, strict=True)]
