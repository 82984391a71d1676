"""Why ``.grad`` of an intermediate result is None, and whether it was meant to be a leaf."""

from __future__ import annotations

from ...graph import Node
from ..model import Source
from ..record import note_of
from ..summary import number
from .answer import Cause
from .code import rebinds
from .cuts import Case
from .evidence import leaf_of
from .size import norm


def causes_of_intermediate(case: Case, node: Node) -> list[Cause]:
    """A result does not keep its gradient; perhaps it took the name of the leaf it is made from."""
    name, causes = case.name, []
    note = note_of(node)
    source = None if note is None else note.source
    leaf = _replaced(node, source, name)
    op = node.op.name if node.op is not None else ""
    if leaf is not None:
        causes.append(
            Cause(
                "replaced",
                f"{name} is no longer the leaf: it is the result of {op}, made from that leaf, at "
                "which gradients arrive",
                f"update in place, `with no_grad(): {name} -= ...` (or use an optimizer); a "
                f"freshly computed start value needs {name} = ({name}.detach()).requires_grad_()",
                source,
            )
        )
    noted = None if note is None else note.gradient
    seen = f"; in the recording it had norm {number(norm(noted))}" if noted is not None else ""
    causes.append(
        Cause(
            "intermediate",
            f"{name} is the result of {op}, not a leaf: gradients of intermediate results are "
            f"passed on, not kept{seen}",
            f"call {name}.retain_grad() before backward, or use autograd.grad(loss, {name})",
            source,
        )
    )
    return causes


def _replaced(node: Node, source: Source | None, name: str) -> Node | None:
    """The leaf that a result has taken the name of."""
    leaves = []
    stack, seen = [node], {node}
    while stack:  # elementwise steps only: an update does nothing else
        made = stack.pop()
        for link in made.inputs:
            if link.__class__ is Node and link not in seen and link.shape == node.shape:
                seen.add(link)
                if link.op is None:
                    leaves.append(link)
                elif link.op.family in ("elementwise", "structured"):
                    stack.append(link)
    leaves.sort(key=lambda leaf: leaf.time)
    rebound = "" if source is None else rebinds(source).removeprefix("self.")
    for leaf in leaves:
        note = note_of(leaf)
        if rebound and rebound in (name, "" if note is None else note.name):
            return leaf
    # Nobody holds the leaf any more: its name must have gone to something else.
    return next((leaf for leaf in leaves if leaf_of(leaf) is None), None)
