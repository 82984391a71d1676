"""trace: run a function on shapes and dtypes alone, and get what it did as a Graph.

The same ops and the same rules run, on variables without values: so a traced backward pass is
the one that eager would run, and the trace keeps the rules honest (a rule that looks at a value
cannot be traced).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

from .engine import apply
from .graph import NUMBERS, Abstract, Node, Op, Spec, Variable, wrap
from .ops import diagonals
from .tensor import Tensor
from .transforms.tree import LEAF, Structure, flatten, unflatten
from .watch import WATCHERS, Watcher


@dataclass(frozen=True)
class Ref:
    """An argument that is the result of an earlier step."""

    index: int

    def __repr__(self) -> str:
        return f"%{self.index}"


@dataclass(frozen=True)
class Step:
    """One line of a Graph: an input, a constant, or the application of an op.

    Attributes
    ----------
    index : int
        Position in ``graph.steps``; printed as ``%index``.
    spec : Spec
        Shape and dtype of the result.
    op : Op or None
        None for an input or a constant.
    args : tuple
        A `Ref` for each array, numbers and None as they are.
    params : dict
        The metadata of the call.
    value : ndarray, Variable or None
        Of a constant: the tensor (or array) itself, such as a parameter.
    backward_of : str or None
        Name of the op whose rule made this step, in a backward pass.
    """

    index: int
    spec: Spec
    op: Op | None = None
    args: tuple[Any, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    backward_of: str | None = None

    def __str__(self) -> str:
        head = f"%{self.index}: {self.spec} = "
        if self.op is None:
            return head + ("input" if self.value is None else "constant")
        words = [repr(a) for a in self.args]
        words += [f"{k}={_brief(v)}" for k, v in self.params.items()]
        text = f"{head}{self.op.name}({', '.join(words)})"
        return f"{text}  # backward of {self.backward_of}" if self.backward_of else text


class Graph:
    """What a traced function does: steps in the order in which they ran.

    Call it with arrays (or tensors) in the place of the inputs to get the outputs; `values`
    gives the result of every step. ``str(graph)`` is its text, one step a line.

    Attributes
    ----------
    steps : list of Step
    inputs : list of int
        Indices of the steps that are inputs, in the order of the arguments.
    outputs : list of Ref, number or None
        What the function returned, from left to right where it was nested.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.inputs: list[int] = []
        self.outputs: list[Any] = []
        self.structure: Structure = LEAF

    def values(self, *arrays: Any) -> list[Any]:
        """Evaluate step by step.

        Parameters
        ----------
        *arrays : ndarray, Tensor, Scalar or float
            One for each input, of its shape and dtype.

        Returns
        -------
        list
            The raw value of every step.

        Raises
        ------
        ValueError
            If the number of arrays, a shape or a dtype differs from the inputs'.
        """
        raw = [_raw(a) for a in arrays]
        if len(raw) != len(self.inputs):
            raise ValueError(f"this graph has {len(self.inputs)} inputs, not {len(raw)}")
        results: list[Any] = [None] * len(self.steps)
        for index, value in zip(self.inputs, raw, strict=True):
            spec = self.steps[index].spec
            if _spec(value) != spec:
                raise ValueError(f"input %{index} must be {spec}, not {_spec(value)}")
            results[index] = value
        for step in self.steps:
            if step.op is not None:
                args = [results[a.index] if isinstance(a, Ref) else a for a in step.args]
                results[step.index] = apply(step.op, args, step.params)
            elif step.value is not None:
                results[step.index] = _raw(step.value)
        return results

    def __call__(self, *arrays: Any) -> Any:
        """Evaluate, and return what the traced function returned, with raw values in it."""
        results = self.values(*arrays)
        outputs = [results[o.index] if isinstance(o, Ref) else o for o in self.outputs]
        return unflatten(outputs, self.structure)

    def __len__(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        taken = ", ".join(f"%{i}: {self.steps[i].spec}" for i in self.inputs)
        lines = [f"graph({taken}):"]
        lines += [f"    {step}" for step in self.steps if step.index not in self.inputs]
        lines.append(f"    return {', '.join(repr(o) for o in self.outputs)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Graph: {len(self.steps)} steps, {len(self.inputs)} inputs>"


class _Tracer(Watcher):
    """Sees every op call, and answers those on traced values."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.rule_of: Node | None = None
        # Constants by identity; the steps hold them, so that an id is not used again.
        self._constants: dict[int, Ref] = {}

    def new(self, spec: Spec, **what: Any) -> Abstract:
        """Add a step and return the value that stands for its result."""
        index = len(self.graph.steps)
        if self.rule_of is not None and self.rule_of.op is not None:
            what["backward_of"] = self.rule_of.op.name
        self.graph.steps.append(Step(index, spec, **what))
        return Abstract(spec, self, index)

    def see(
        self, op: Op, inputs: Sequence[Any], values: Sequence[Any], params: dict[str, Any]
    ) -> Abstract | None:
        """Take over a call with a traced value among its inputs."""
        mine = False
        for value in values:
            if value.__class__ is Abstract:
                if value.trace is not self:
                    if any(value.trace is watcher for watcher in WATCHERS):
                        return None  # an outer trace's: its tracer answers
                    raise RuntimeError(
                        f"{op.name}: a tensor of a trace that has ended; a traced tensor lives "
                        "only inside the traced function"
                    )
                mine = True
            elif isinstance(value, Abstract):
                return None  # of a vmap inside the traced function: its turn comes first
        if not mine:
            return None
        args = tuple(
            self.reference(item, value) for item, value in zip(inputs, values, strict=True)
        )
        spec = op.infer(*[_spec(v) if hasattr(v, "shape") else v for v in values], **params)
        return self.new(spec, op=op, args=args, params=params)

    def reference(self, item: Any, value: Any) -> Any:
        """How a step refers to one argument (or the graph to one output)."""
        if value.__class__ is Abstract:
            return Ref(value.index)
        if value is None or (value.__class__ in NUMBERS and item is value):
            return value
        # A parameter comes as itself in the forward pass, and as another variable over the same
        # array in the rules: one constant.
        key = id(item if value.__class__ is float else value)
        if key not in self._constants:
            rule_of, self.rule_of = self.rule_of, None
            self._constants[key] = Ref(self.new(_spec(value), value=item).index)
            self.rule_of = rule_of
        return self._constants[key]

    def during(self, node: Node | None, gradient: Any) -> None:
        """Learn whose rule is running."""
        self.rule_of = node


@overload
def trace(function: Callable[..., Any], *specs: Any) -> Graph: ...
@overload
def trace(function: Variable | np.ndarray) -> Any: ...
def trace(function: Any, *specs: Any) -> Any:
    """Run `function` on inputs that have shapes and dtypes but no values.

    Of a matrix in the place of a function: the sum of its diagonal, as in PyTorch.

    Parameters
    ----------
    function : callable, or Tensor
        Takes one Tensor (or Scalar) for each spec and returns a Tensor, a Scalar, or tuples, lists
        and dictionaries of them. It may differentiate: ``autograd.grad(loss, parameters)``.
        Tensors that it uses from outside, such as parameters, become constants of the graph, read
        when the graph is evaluated. What it does to buffers (running statistics) is not part of
        the graph.
    *specs : Spec, Tensor, Scalar, ndarray, or tuple of int
        What the inputs are like: a tuple is a float32 shape. A Tensor also says whether its
        input requires grad.

    Returns
    -------
    Graph

    Raises
    ------
    TypeError
        If the function asks for a value (``bool(x)``, ``float(x)``, ``x.numpy()``).

    Examples
    --------
    >>> import autograd
    >>> graph = autograd.trace(lambda x: (x * x).sum(), (3,))
    >>> print(graph)
    graph(%0: float32[3]):
        %1: float32[3] = mul(%0, %0)
        %2: float32[] = sum(%1, dim=(0,), keepdim=False)
        return %2
    >>> float(graph(autograd.tensor([1.0, 2.0, 3.0])))
    14.0
    >>> autograd.trace(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if isinstance(function, Variable | np.ndarray):
        return diagonals.trace(function)
    tracer = _Tracer()
    inputs = []
    for like in specs:
        abstract = tracer.new(_spec(like))
        tracer.graph.inputs.append(abstract.index)
        variable = wrap(abstract)
        if isinstance(like, Variable) and like.requires_grad:
            variable.requires_grad_()
        inputs.append(variable)
    WATCHERS.append(tracer)
    try:
        result = function(*inputs)
    finally:
        WATCHERS.remove(tracer)
    graph = tracer.graph
    outputs, graph.structure = flatten(result)
    for output in outputs:
        value = output.value if isinstance(output, Variable) else output
        if value is not None and not isinstance(output, Variable | float | int):
            raise TypeError(
                f"trace: the function must return tensors, numbers or None, not {type(output)}"
            )
        graph.outputs.append(tracer.reference(output, value))
    return graph


def _spec(like: Any) -> Spec:
    """Shape and dtype of an example."""
    if isinstance(like, Spec):
        return Spec(like.shape, like.dtype)
    if isinstance(like, tuple):
        return Spec(like)
    value = like.value if isinstance(like, Variable) else like
    if isinstance(value, float):
        return Spec((), float)
    if isinstance(value, np.ndarray | np.generic | Spec):
        return Spec(value.shape, value.dtype)
    raise TypeError(
        f"trace: an input is described by a Spec, a Tensor, an ndarray or a shape, not "
        f"{type(like).__name__}"
    )


def _raw(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.array()
    return value.value if isinstance(value, Variable) else value


@functools.singledispatch
def _brief(value: Any) -> str:
    """Metadata as text; long arrays by shape."""
    return repr(value)


@_brief.register
def _(value: np.ndarray) -> str:
    return repr(value.tolist()) if value.size <= 8 else f"{value.dtype}[{value.shape}]"


@_brief.register
def _(value: tuple) -> str:
    return f"({', '.join(_brief(v) for v in value)}{',' if len(value) == 1 else ''})"
