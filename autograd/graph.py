"""The graph: variables, the nodes that made them, and the ops that the nodes applied.

A `Variable` is what a user holds: a value, and the `Node` that produced it. A `Node` is what
happened: the op, its inputs, its metadata, and the values that its rules will read again.
They are separate objects, so a value is freed when nobody needs it while the graph stays.
Nothing here holds a reference cycle: a graph goes when its last output goes.

Everything that reads a graph (backward, tracing, drawing, checking) uses the one `toposort`.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from .changes import tick

OPS: dict[str, Op] = {}
"""The op table: every op by name, in order of definition."""

Rule = Callable[..., Any]
NUMBERS = (float, int, bool)


class Op:
    """What the engine knows of an op; made by the decorators of `families.py`.

    Attributes
    ----------
    name, family : str
    forward : callable
        ``forward(*arrays, **params) -> array``.
    function : callable
        What users call.
    inputs : tuple of str
        Names of the array arguments; one name for all of them if `variadic`.
    rules : list
        One for each input, ``rule(g, y, *inputs, **params)``. None: no gradient, on purpose.
    joint : callable or None
        One rule for all inputs: returns a gradient (or None) for each.
    aside : bool
        The forward returns ``(y, something)``, and the rules find that something in the place of
        y: what the forward had in its hands and they would have to work out again. It is
        a raw value; a rule that runs on Variables finds None and works it out from the inputs.
    reads : list of frozenset of str
        What each rule reads by value: names of inputs, and "y" for the result. Anything else
        reaches the rule as shape and dtype only.
    infer : callable
        ``infer(*specs, **params) -> Spec``, the result without running.
    scalar : callable or None
        The forward on Python floats.
    promotes : callable or None
        Brings raw values to the dtype in which the op computes.
    domain, samples
        Where tests may draw arguments from.
    formula : tuple of str or None
        The result as people write it, then the derivative in each input (None where there is no
        rule): Python expressions over the inputs, the metadata and "y" for the result, which
        `autograd.viz` prints. Of an elementwise op the local derivative; of any other what flows
        to the input, made of "g", the gradient that arrives. (): not said.
    """

    def __init__(self, name: str, family: str, inputs: tuple[str, ...], variadic: bool) -> None:
        self.name = name
        self.family = family
        self.inputs = inputs
        self.variadic = variadic
        self.rules: list[Rule | None] = [self._missing(argument) for argument in inputs]
        self.reads = [frozenset(("y", *inputs))] * len(inputs)
        self.joint: Rule | None = None
        self.aside = False
        self.differentiable = True
        self.forward: Callable[..., Any]
        self.function: Callable[..., Any]
        self.infer: Callable[..., Spec]
        self.scalar: Callable[..., Any] | None = None
        self.promotes: Callable[[list[Any]], list[Any]] | None = None
        self.domain: Any = None
        self.samples: Callable[..., Any] | None = None
        self.formula: tuple[str | None, ...] = ()
        self._kept: dict[tuple[bool, ...], tuple[bool, ...]] = {}

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def _missing(self, argument: str) -> Rule:
        def missing(*_: Any, **__: Any) -> Any:
            raise RuntimeError(f"{self.name} has no rule for the gradient of its {argument}")

        return missing

    @functools.cached_property
    def saves_values(self) -> bool:
        """False if no rule reads a value: a graph of such ops can be walked again."""
        return any(self.reads)

    def keeps(self, tracked: tuple[bool, ...]) -> tuple[bool, ...]:
        """Which of ``(y, *inputs)`` to save when the `tracked` inputs need a gradient."""
        kept = self._kept.get(tracked)
        if kept is None:
            if self.variadic:
                names, read = ("y", *self.inputs * len(tracked)), self.reads[0]
            else:
                names = ("y", *self.inputs)
                read = frozenset[str]().union(
                    *(r for r, t in zip(self.reads, tracked, strict=True) if t)
                )
            kept = self._kept[tracked] = tuple(name in read for name in names)
        return kept


class Node:
    """One recorded op application, or a leaf (`op` is None) at which gradients accumulate.

    Attributes
    ----------
    op : Op or None
    inputs : tuple
        One entry for each array argument, in order: a Node where a gradient flows, else a weak
        reference to the constant Variable, or the constant itself (an array, a number, None).
    params : dict
        The metadata of the call.
    saved : tuple or None
        ``(y, *inputs)`` as the rules get them: the value where a rule reads it, else something
        with its shape and dtype (None for y). None once freed.
    shape, dtype
        Of the result. The dtype of a Scalar is the Python type float.
    time : int
        Tick of creation: inputs are older than what is made of them.
    grad : Variable or None
        The accumulated gradient (leaves, and nodes asked to `retain_grad`).
    hooks : dict or None
        Callables that see the complete gradient.
    """

    __slots__ = (
        "__weakref__",
        "dtype",
        "grad",
        "hooks",
        "inputs",
        "op",
        "params",
        "saved",
        "shape",
        "time",
    )
    __array_ufunc__ = None  # array * node raises, rather than making an object array

    op: Op | None
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    saved: tuple[Any, ...] | None
    shape: tuple[int, ...]
    dtype: Any
    time: int
    grad: Any
    hooks: dict[Any, Callable[[Any], Any]] | None

    def __init__(
        self,
        op: Op | None,
        inputs: tuple[Any, ...],
        params: dict[str, Any],
        saved: tuple[Any, ...],
        shape: tuple[int, ...],
        dtype: Any,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.params = params
        self.saved = saved
        self.shape = shape
        self.dtype = dtype
        self.time = tick()
        self.grad = self.hooks = None

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def name(self) -> str:
        """Name of the op that happened; "leaf" of a leaf."""
        return self.op.name if self.op else "leaf"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """What each input came from, None for a constant; the number, PyTorch's, is always 0."""
        return tuple((v if isinstance(v, Node) else None, 0) for v in self.inputs)

    def __repr__(self) -> str:
        return f"<{self.name()} {self.shape}>"


class Variable:
    """A value in the graph: what `Tensor` and `Scalar` have in common."""

    __slots__ = ("__weakref__", "node", "requires_grad", "value")

    value: Any
    node: Node | None
    requires_grad: bool
    role = "tensor"  # a model calls some of them "parameter" or "buffer"

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        return self.value.shape

    @property
    def dtype(self) -> Any:
        """Type of the elements."""
        return self.value.dtype

    @property
    def is_leaf(self) -> bool:
        """True if no recorded op produced this."""
        return self.node is None or self.node.op is None

    @property
    def grad_fn(self) -> Node | None:
        """What happened to make this: the recorded op and its inputs; None for a leaf."""
        return None if self.is_leaf else self.node


class Spec:
    """Shape and dtype of an array, without values."""

    __slots__ = ("dtype", "shape")
    __array_ufunc__ = None

    def __init__(self, shape: Sequence[int], dtype: Any = np.float32) -> None:
        self.shape = tuple(int(n) for n in shape)
        self.dtype: Any = float if dtype is float else np.dtype(dtype)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spec):
            return NotImplemented
        return self.shape == other.shape and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        name = "float" if self.dtype is float else str(self.dtype)
        return f"{name}[{', '.join(map(str, self.shape))}]"


class Abstract(Spec):
    """The value of a traced variable: a Spec with an identity, numbered by its trace."""

    __slots__ = ("index", "trace")

    def __init__(self, spec: Spec, trace: Any, index: int) -> None:
        self.shape, self.dtype = spec.shape, spec.dtype
        self.trace = trace
        self.index = index

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class _Fronts:
    """The classes that users see: `Tensor` for arrays, `Scalar` for floats."""

    array: type[Variable] = Variable
    scalar: type[Variable] = Variable


def register_front(kind: str, cls: type[Variable]) -> None:
    """Name the class of results: for kind "array" `Tensor`, for kind "scalar" `Scalar`."""
    if kind == "array":
        _Fronts.array = cls
    elif kind == "scalar":
        _Fronts.scalar = cls
    else:
        raise ValueError(f"register_front: kind must be 'array' or 'scalar', not {kind!r}")


_new = object.__new__


def wrap(value: Any, node: Node | None = None, requires_grad: bool = False) -> Any:
    """Put a raw value (an array, a float, an Abstract) behind the front that belongs to it."""
    kind = value.__class__
    if kind is float or (kind is Abstract and value.dtype is float):
        variable = _new(_Fronts.scalar)
    else:
        variable = _new(_Fronts.array)
    variable.value = value
    variable.node = node
    variable.requires_grad = requires_grad
    return variable


def new_leaf(variable: Variable) -> Node:
    """Make the node of a leaf: the place where its gradient accumulates."""
    value = variable.value
    shape, dtype = ((), float) if value.__class__ is float else (value.shape, value.dtype)
    # Weak: the graph keeps the place of a parameter, not its memory.
    return Node(None, (), {}, (weakref.ref(variable),), shape, dtype)


_by_time = attrgetter("time")


def toposort(roots: Iterable[Node], *, leaves: bool = True) -> list[Node]:
    """Every node that `roots` depend on, inputs before users; the leaves too unless told not.

    Order of creation is a topological order: the search only collects, and never recurses.
    """
    stack = list(roots)
    seen = set(stack)
    while stack:
        for parent in stack.pop().inputs:
            if parent.__class__ is Node and parent not in seen:
                if parent.op is None and not leaves:
                    continue
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=_by_time)
