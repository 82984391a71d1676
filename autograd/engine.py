"""The engine: recording what is done, and the chain rule that walks it backwards.

Nothing here knows which ops exist: an `Op` carries its own rules (see `families.py`).
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from .changes import CHANGES
from .graph import (
    NUMBERS,
    OPS,
    Abstract,
    Node,
    Op,
    Spec,
    Variable,
    toposort,
    wrap,
)
from .modes import mode
from .watch import WATCHERS

# --- Recording --------------------------------------------------------------------------------


def apply(op: Op, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
    """Run `op`; record it if a gradient may flow.

    Without any Variable among `inputs` this is the plain forward on raw values: that is how a
    rule runs at NumPy speed, and how it is recorded when it meets Variables. (Elementwise ops
    and reductions have a shorter way to the same end in `families.py`.)
    """
    values = []
    tracked = []
    any_variable = False
    for item in inputs:
        if isinstance(item, Variable):
            any_variable = True
            values.append(item.value)
            tracked.append(item.requires_grad)
        else:
            values.append(item)
            tracked.append(False)
    y = aside = None
    watchers = tuple(WATCHERS) if WATCHERS and any_variable else ()
    for watcher in watchers:
        answer = watcher.see(op, inputs, values, params)
        y = y if answer is None else answer
    if y is None:
        if op.promotes is not None:
            values = op.promotes(values)
        if op.aside:
            y, aside = op.forward(*values, **params)
        else:
            y = compute(op, values, params)
    if True in tracked and op.differentiable and mode.grad:
        result = wrap(y, record(op, inputs, values, params, y, tuple(tracked), aside), True)
    else:
        result = wrap(y) if any_variable else y
    for watcher in watchers:
        watcher.made(op, inputs, params, result)
    return result


def compute(op: Op, values: Sequence[Any], params: dict[str, Any]) -> Any:
    """Forward on raw values of one dtype, by the float function where all are Python numbers."""
    if (
        op.scalar is not None
        and values[0].__class__ in NUMBERS
        and all(v.__class__ in NUMBERS for v in values)
    ):
        y = op.scalar(*values, **params)
        # One operand may be a float and the result another, an int.
        return float(y) if y.__class__ is int and float in map(type, values) else y
    y = op.forward(*values, **params)
    return y[0] if op.aside else y


def record(
    op: Op,
    inputs: Sequence[Any],
    values: Sequence[Any],
    params: dict[str, Any],
    y: Any,
    tracked: tuple[bool, ...],
    aside: Any = None,
) -> Node:
    """Make the Node of a call whose result is `y`; `values` are what the forward computed on."""
    keeps = op.keeps(tracked)
    links = []
    saved = [y if keeps[0] else aside]
    for i, item in enumerate(inputs):
        value = values[i]
        keep = keeps[i + 1]
        track = tracked[i]
        if track:
            link = item.node
            saved.append(value if keep else link)
        else:
            link = weakref.ref(item) if isinstance(item, Variable) else item
            if keep or value is None or value.__class__ in NUMBERS:
                saved.append(value)
            elif hasattr(value, "dtype"):
                saved.append(Spec(value.shape, value.dtype))
            else:  # an object that a user's Function takes
                saved.append(None)
        links.append(link)
    shape, dtype = ((), float) if y.__class__ is float else (y.shape, y.dtype)
    return Node(op, tuple(links), params, tuple(saved), shape, dtype)


# --- The chain rule ---------------------------------------------------------------------------


def backpropagate(
    seeds: dict[Node, Any],
    targets: Iterable[Node] | None = None,
    *,
    retain_graph: bool = False,
    on_variables: bool = False,
) -> dict[Node, Any]:
    """Walk the graph backwards from `seeds`.

    Parameters
    ----------
    seeds : dict
        Node -> gradient flowing into it. Emptied.
    targets : iterable of Node, optional
        Walk only the paths that lead to these, and return their gradients. None: walk to every
        leaf, and accumulate there.
    on_variables : bool
        Feed the rules Variables, so that what they do is recorded or traced, not raw values.

    Returns
    -------
    dict
        Target -> its complete gradient, raw or a Variable as the seeds are.
    """
    # Leaves use nothing, so any moment after their last user will do: the end.
    order = toposort(seeds, leaves=False)
    wanted = None if targets is None else set(targets)
    useful = None if wanted is None else leading_to(wanted, order)
    grads = seeds
    # Asked whether there are any before each loop below: cheaper than a loop over none.
    watchers = tuple(WATCHERS) if WATCHERS else ()
    for watcher in watchers:
        watcher.start(seeds)
    found: dict[Node, Any] = {}
    summed: set[Node] = set()  # nodes whose pending gradient is a sum that nobody else holds
    while order:
        node = order.pop()
        if node not in grads or node.op is None:
            continue
        if node.hooks is not None:
            grads[node] = run_hooks(node, grads[node])
        g = grads.pop(node)
        if wanted is not None and node in wanted:
            found[node] = g
        op, params, saved = node.op, node.params, node.saved
        joint = op.joint
        if saved is None:
            raise RuntimeError(
                f"backward came a second time to {op.name} {node.shape}, whose saved values were "
                "freed by the first: give the first backward retain_graph=True."
            )
        if node.time < CHANGES.last:
            check_unchanged(node)
        if watchers:
            for watcher in watchers:
                watcher.during(node, g)
        if on_variables:
            saved = lifted(node)
        rules: Any = op.rules if joint is None else joint(g, *saved, **params)
        piece = before = rule = None
        for i, parent in enumerate(node.inputs):
            if parent.__class__ is not Node or (rule := rules[i]) is None:
                continue
            if useful is not None and parent not in useful:
                continue
            if joint is not None:
                piece = rule
            elif params:
                piece = rule(g, *saved, **params)
            else:
                piece = rule(g, *saved)
            if piece is None:
                continue
            if parent.dtype is float:
                if piece.__class__ is not float:
                    piece = fit(piece, parent)
            elif piece.shape != parent.shape or piece.dtype is not parent.dtype:
                piece = fit(piece, parent)
            if watchers:
                for watcher in watchers:
                    watcher.flow(node, i, piece)
            if parent not in grads:
                grads[parent] = piece
            elif parent in summed:
                before = grads[parent]
                before += piece
            else:
                grads[parent] = piece = grads[parent] + piece
                if piece.__class__ is np.ndarray:
                    summed.add(parent)
        # Let go of every value before the next rule runs: the peak of memory is made here.
        g = piece = before = saved = rules = rule = None
        if op.saves_values and not retain_graph:
            node.saved = None
    for watcher in watchers:
        watcher.during(None, None)
    for node in list(grads):
        if node.hooks is not None:
            grads[node] = run_hooks(node, grads[node])
        if watchers:
            for watcher in watchers:
                watcher.arrive(node, grads[node])
        if wanted is None:
            accumulate(node, grads)
        elif node in wanted:
            found[node] = grads.pop(node)
    return found


def leading_to(targets: set[Node], order: Sequence[Node]) -> set[Node]:
    """The nodes of `order` (inputs first) from which a path leads to a target."""
    useful = set(targets)
    for node in order:
        if any(p.__class__ is Node and p in useful for p in node.inputs):
            useful.add(node)
    return useful


def lifted(node: Node) -> tuple[Any, ...]:
    """The saved values of `node` as Variables in their places in the graph."""
    assert node.saved is not None
    y, *rest = node.saved
    assert node.op is not None
    lifted: list[Any] = [None if y is None or node.op.aside else wrap(y, node, True)]
    for value, link in zip(rest, node.inputs, strict=True):
        if value is None or value.__class__ in (Node, Spec):
            lifted.append(value)
        elif link.__class__ is Node:
            lifted.append(wrap(value, link, True))
        else:
            lifted.append(wrap(value) if isinstance(value, Abstract) else value)
    return tuple(lifted)


def fit(gradient: Any, target: Node) -> Any:
    """Bring a gradient to the shape and dtype of the input that it belongs to.

    The one place that undoes broadcasting: sums over the dimensions that were repeated. (And
    repeats over the dimensions that a rule left at one, as the rule of `sum` may.)
    """
    g: Any = gradient
    if target.dtype is float:
        if isinstance(g, Variable) and g.dtype is float:
            return g
        return OPS["to_scalar"].function(g)
    shape = target.shape
    if not g.shape and not isinstance(g, Variable):  # what `sum` of everything sends back
        full = np.empty(shape, target.dtype)
        full.fill(g)
        return full if shape else full[()]
    extra = len(g.shape) - len(shape)
    if extra > 0 and g.shape[extra:] == shape:
        dim = tuple(range(extra))
        if g.__class__ is np.ndarray:
            g = OPS["sum"].forward(g, dim=dim, keepdim=False)
        else:
            g = OPS["sum"].function(g, dim)
    elif g.shape != shape:
        repeated = [
            i
            for i, n in enumerate(g.shape)
            if i < extra or (extra >= 0 and n != 1 and shape[i - extra] == 1)
        ]
        if repeated:
            g = OPS["sum"].function(g, tuple(repeated), keepdim=True)
            if extra > 0:
                g = OPS["reshape"].function(g, shape=shape)
        if g.shape != shape:
            g = OPS["expand"].function(g, shape=shape)
    if g.dtype != target.dtype:
        g = OPS["cast"].function(g, dtype=target.dtype)
    return g


def run_hooks(node: Node, g: Any) -> Any:
    """Show the complete gradient to the hooks of `node`; one that returns a value replaces it."""
    raw = not isinstance(g, Variable)
    variable = wrap(g) if raw else g
    before = mode.grad
    mode.grad = before and not raw  # what a hook computes is recorded only with create_graph
    try:
        for hook in list((node.hooks or {}).values()):
            result = hook(variable)
            if result is None:
                continue
            if not isinstance(result, Variable) or getattr(result.value, "shape", ()) != node.shape:
                raise RuntimeError(
                    f"a hook must return None or a gradient of shape {node.shape}, not {result!r}"
                )
            variable = result
    finally:
        mode.grad = before
    return variable.value if raw else variable


def check_unchanged(node: Node) -> None:
    """Raise if a value that `node` saved was changed in place since."""
    assert node.op is not None
    assert node.saved is not None
    names = node.op.inputs * len(node.inputs) if node.op.variadic else node.op.inputs
    for name, value in zip(("result", *names), node.saved, strict=False):
        by = CHANGES.since(value, node.time)
        if by is not None:
            raise RuntimeError(
                f"{by} changed in place a value that {node.op.name} had saved for backward (its "
                f"{name}, shape {value.shape}): the gradient would be wrong. Use the "
                f"out-of-place form of {by}, or let it change a clone()."
            )


def accumulate(node: Node, grads: dict[Node, Any]) -> None:
    """Move the gradient of `node` out of `grads` into ``node.grad``, as PyTorch does.

    An existing gradient is added to in place, so that whoever holds it sees the sum.
    """
    # Two references are the dictionary's and the argument's: a third is somebody else's.
    shared = getrefcount(grads[node]) > 2
    g = grads.pop(node)
    old = node.grad
    if isinstance(g, Variable):
        if old is not None:
            g = old + g
        elif mode.grad:  # the same gradient may have flowed elsewhere too
            g = OPS["clone"].function(g)
        node.grad = g
    elif old is None:
        if g.__class__ is np.ndarray and (shared or g.base is not None):
            g = g.copy()
        node.grad = wrap(g)
    elif old.requires_grad:
        node.grad = wrap(old.value + g)
    elif old.value.__class__ is np.ndarray and old.value.flags.writeable:
        old.value += g
        CHANGES.mark(old.value, "the accumulation into .grad")
    else:
        old.value = old.value + g
