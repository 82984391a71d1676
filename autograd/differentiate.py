"""`backward` and `grad`: the two ways to ask the engine for gradients."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .engine import accumulate, backpropagate
from .graph import Abstract, Node, Variable, wrap
from .modes import mode


def backward(
    variable: Variable,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Variable | Sequence[Variable] | None = None,
) -> None:
    """Accumulate into ``.grad`` the gradient of `variable` with respect to the leaves.

    Parameters
    ----------
    variable : Tensor or Scalar
        Where to start.
    gradient : Tensor, ndarray or float, optional
        Gradient flowing into `variable`, of its shape. May be left out for a single element.
    retain_graph : bool, optional
        Keep the saved values for another backward (default: `create_graph`).
    create_graph : bool
        Record the backward pass too, so that gradients can be differentiated.
    inputs : Tensor or sequence of Tensor, optional
        Accumulate into these only.

    Raises
    ------
    RuntimeError
        If `variable` does not require grad, has more than one element and no `gradient` is
        given, or its graph was freed.
    ValueError
        If `gradient` has another shape.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    node = variable.node
    if node is None or not variable.requires_grad:
        raise _no_graph(variable, "backward: the tensor")
    targets = None
    if inputs is not None:
        inputs = [inputs] if isinstance(inputs, Variable) else list(inputs)
        if not inputs:
            raise ValueError("backward: inputs is empty; leave it out to reach every leaf")
        targets = [_node(v, "backward: an entry of inputs") for v in inputs]
    seed = _seed(variable, node, gradient, create_graph)
    found = _walk({node: seed}, isinstance(seed, Variable), targets, retain_graph, create_graph)
    for target in list(found):
        accumulate(target, found)


def grad(
    outputs: Variable | Sequence[Variable],
    inputs: Variable | Sequence[Variable],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """Return the gradients of `outputs` with respect to `inputs`, leaving ``.grad`` alone.

    Parameters
    ----------
    outputs, inputs : Tensor or sequence of Tensor
    grad_outputs : Tensor or sequence of Tensor, optional
        Gradient flowing into each output; may be left out for single elements.
    retain_graph, create_graph : bool
        As for `backward`.
    allow_unused : bool
        Return None for an input on which the outputs do not depend, rather than raise.

    Returns
    -------
    tuple
        One gradient for each input, of its shape.

    Raises
    ------
    RuntimeError
        If an input was not used to make the outputs and `allow_unused` is False, or as for
        `backward`.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor(2.0, requires_grad=True)
    >>> (slope,) = autograd.grad(x**3, x, create_graph=True)
    >>> autograd.grad(slope, x)
    (tensor(12.),)
    """
    outputs = [outputs] if isinstance(outputs, Variable) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Variable) else list(inputs)
    if grad_outputs is None:
        grad_outputs = [None] * len(outputs)
    elif isinstance(grad_outputs, Variable | np.ndarray | float | int):
        grad_outputs = [grad_outputs]
    if len(grad_outputs) != len(outputs):
        raise ValueError(f"grad: {len(outputs)} outputs but {len(grad_outputs)} grad_outputs")
    targets = [_node(v, f"grad: input {i}") for i, v in enumerate(inputs)]
    seeds: dict[Node, Any] = {}
    for i, (output, gradient) in enumerate(zip(outputs, grad_outputs, strict=True)):
        node = _node(output, f"grad: output {i}")
        seed = _seed(output, node, gradient, create_graph)
        seeds[node] = seeds[node] + seed if node in seeds else seed
    on_variables = any(isinstance(g, Variable) for g in seeds.values())
    found = _walk(seeds, on_variables, targets, retain_graph, create_graph)
    gradients = []
    for i, target in enumerate(targets):
        g = found.get(target)
        if g is None and not allow_unused:
            raise RuntimeError(
                f"grad: input {i} (shape {target.shape}) was not used to make the outputs; give "
                "allow_unused=True to get None for it."
            )
        gradients.append(g if g is None or isinstance(g, Variable) else wrap(_owned(g)))
    return tuple(gradients)


def _walk(
    seeds: dict[Node, Any],
    on_variables: bool,
    targets: Sequence[Node] | None,
    retain_graph: bool | None,
    create_graph: bool,
) -> dict[Node, Any]:
    if retain_graph is None:
        retain_graph = create_graph
    if not on_variables:  # raw values: the rules record nothing
        return backpropagate(seeds, targets, retain_graph=retain_graph)
    before = mode.grad
    mode.grad = create_graph and not mode.inference
    try:
        return backpropagate(seeds, targets, retain_graph=retain_graph, on_variables=True)
    finally:
        mode.grad = before


def _node(variable: Any, who: str) -> Node:
    if not isinstance(variable, Variable):
        raise TypeError(f"{who} must be a Tensor or Scalar, not {type(variable).__name__}")
    if variable.node is None or not variable.requires_grad:
        raise _no_graph(variable, who)
    return variable.node


def _no_graph(variable: Variable, who: str) -> RuntimeError:
    return RuntimeError(
        f"{who} (shape {getattr(variable.value, 'shape', ())}) does not require grad: it was not "
        "made from a tensor with requires_grad=True, or it was made inside no_grad() or from a "
        "detached or integer tensor."
    )


def _seed(variable: Variable, node: Node, given: Any, create_graph: bool) -> Any:
    """The gradient that flows into `variable`: raw, or a Variable where rules must see one."""
    dtype, shape = node.dtype, node.shape
    symbolic = (
        create_graph
        or isinstance(variable.value, Abstract)
        or (given is not None and isinstance(getattr(given, "value", None), Abstract))
    )
    if given is None:
        if shape and math.prod(shape) != 1:
            raise RuntimeError(
                f"backward from a tensor of shape {shape}: only a single element has an implied "
                "gradient of 1. Reduce it first, or give gradient= of that shape."
            )
        one = 1.0 if dtype is float else dtype.type(1)
        raw = np.full(shape, one) if shape else one
        return wrap(raw) if symbolic else raw
    found = given.shape if isinstance(given, Variable) else np.shape(given)
    if found != shape:
        raise ValueError(
            f"backward: gradient has shape {found}, but the tensor it flows into has {shape}"
        )
    if isinstance(given, Variable):
        if symbolic:
            return given
        given = given.value
    raw = float(given) if dtype is float else np.asarray(given, dtype)[()]
    return wrap(raw) if symbolic else raw


def _owned(g: Any) -> Any:
    """Copy an array that may share memory with a saved value or another gradient."""
    return g.copy() if g.__class__ is np.ndarray else g


class Handle:
    """What `register_hook` returns: `remove()` takes the hook off again."""

    def __init__(self, hooks: dict[Any, Any], key: object) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        """Take the hook off; a second call does nothing."""
        self._hooks.pop(self._key, None)


def register_hook(variable: Variable, hook: Callable[[Any], Any]) -> Handle:
    """Call `hook(gradient)` when the gradient of `variable` is complete.

    A result other than None replaces the gradient.
    """
    node = _node(variable, "register_hook: the tensor")
    hooks = node.hooks = {} if node.hooks is None else node.hooks
    kept = hooks.pop(RETAIN, None)
    key = object()
    hooks[key] = hook
    if kept is not None:
        hooks[RETAIN] = kept  # last: it sees what the other hooks leave
    return Handle(hooks, key)


RETAIN = "retain"


def retain_grad(variable: Variable) -> None:
    """Keep the gradient of an intermediate result in ``.grad``, as a leaf's is kept."""
    node = _node(variable, "retain_grad: the tensor")
    if node.op is None:
        return
    here = weakref.ref(node)  # a strong reference would be a cycle

    def keep(gradient: Any) -> None:
        target = here()
        if target is not None:
            if not gradient.requires_grad:
                gradient = wrap(_owned(gradient.value))
            target.grad = gradient if target.grad is None else target.grad + gradient

    if node.hooks is None:
        node.hooks = {}
    node.hooks[RETAIN] = keep
