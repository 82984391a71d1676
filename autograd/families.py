"""The decorators that make ops, one for each family.

========== ============================================ ==========================================
family     shape of the result                          typical members
========== ============================================ ==========================================
elementwise the inputs broadcast together               mul, exp, where
reduction  some dimensions removed, or left at one      sum, amax, logsumexp
movement   elements only moved or repeated              reshape, permute, cat, index
contraction products summed over shared dimensions      matmul
structured as its own ``infer`` says                    conv2d, max_pool2d, nll_loss
========== ============================================ ==========================================

An op is written as its forward on raw values::

    @elementwise(lambda g, y, x: g / (2.0 * y), saves="y", scalar=math.sqrt)
    def sqrt(x):
        return np.sqrt(x)

Array arguments are positional (those before ``/`` where there is one), metadata follows. There
is one rule for each array argument, called as ``rule(g, y, *inputs, **params)`` and written with
operators and other ops only: so it runs on raw arrays, on floats, on Variables that record it,
and on traced ones that have no values. `None` says "no gradient, on purpose".

``saves`` names what the rules read by value, as a string of names (``"x y"``; ``y`` is the
result), or a tuple of such strings, one for each rule. What a rule does not name reaches it as
shape and dtype only. Default: everything.

``formula`` says the same for people, who see it in pictures of a graph (see `Op.formula`)::

    formula = ("sqrt(x)", "1 / (2 * y)")
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np

from .dtypes import floating, get_default_dtype, promoted, to_common, to_common_float
from .engine import apply, compute
from .graph import NUMBERS, OPS, Node, Op, Rule, Spec, Variable, wrap
from .modes import mode
from .watch import WATCHERS

NO_PARAMS: dict[str, Any] = {}


class Operation(Protocol):
    """A decorated op: the function that users call, with its `Op`."""

    op: Op
    __name__: str
    __doc__: str | None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the op."""
        ...

    def vjp(self, argument: str) -> Callable[[Rule], Rule]:
        """Attach the decorated function as the rule of one input."""
        ...


def define(
    forward: Callable[..., Any],
    family: str,
    rules: Sequence[Rule | None],
    *,
    saves: str | tuple[str, ...] | None = None,
    joint: Rule | None = None,
    differentiable: bool = True,
    infer: Callable[..., Spec],
    promotes: Callable[[list[Any]], list[Any]] | None = None,
    scalar: Callable[..., Any] | None = None,
    domain: Any = None,
    samples: Callable[..., Any] | None = None,
    formula: tuple[str | None, ...] = (),
) -> Op:
    """Make the Op of a forward function and enter it in the table."""
    name = forward.__name__.strip("_")
    if name in OPS:
        raise ValueError(f"an op named {name!r} exists already")
    parameters = list(inspect.signature(forward).parameters.values())
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if variadic:
        arrays = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    else:
        arrays = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
        arrays = arrays or [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    op = Op(name, family, tuple(arrays), variadic)
    op.forward = forward
    if rules:
        if len(rules) != len(arrays):
            raise ValueError(f"{name} has inputs {arrays}, but {len(rules)} rules")
        op.rules = list(rules)
    op.joint = joint
    op.differentiable = differentiable and (
        joint is not None or any(r is not None for r in op.rules)
    )
    if saves is not None:
        texts = (saves,) * len(arrays) if isinstance(saves, str) else saves
        unknown = {n for text in texts for n in text.split()} - {"y", *arrays}
        if unknown or len(texts) != len(arrays):
            raise ValueError(f"{name}: saves={saves!r} does not fit its inputs {arrays}")
        op.reads = [frozenset(text.split()) for text in texts]
    op.infer = infer
    op.promotes = promotes
    op.scalar = scalar
    op.domain = domain
    op.samples = samples
    if formula and (len(formula) != 1 + len(arrays) or formula[0] is None):
        raise ValueError(
            f"{name}: formula={formula!r} must be the result and one for each of {arrays}"
        )
    op.formula = formula
    OPS[name] = op
    return op


def publish(op: Op, call: Callable[..., Any], forward: Callable[..., Any]) -> Operation:
    """Give the public function of an op the name, the docs and the signature of its forward."""
    call.__name__ = op.name
    call.__qualname__ = op.name
    call.__module__ = forward.__module__
    call.__doc__ = forward.__doc__
    call.__wrapped__ = forward  # pyright: ignore[reportFunctionMemberAccess] - as functools.wraps
    operation = cast(Operation, call)
    operation.op = op

    def vjp(argument: str) -> Callable[[Rule], Rule]:
        if argument not in op.inputs:
            raise ValueError(f"{op.name} has no input {argument!r}; it has {op.inputs}")

        def attach(rule: Rule) -> Rule:
            op.rules[op.inputs.index(argument)] = rule
            op.differentiable = True
            return rule

        return attach

    operation.vjp = vjp
    op.function = operation
    return operation


# --- Elementwise ------------------------------------------------------------------------------


def elementwise(
    *rules: Any,
    saves: str | tuple[str, ...] | None = None,
    scalar: Callable[..., Any] | None = None,
    domain: Any = (-3.0, 3.0),
    samples: Callable[..., Any] | None = None,
    result: str = "same",
    formula: tuple[str | None, ...] = (),
) -> Callable[[Callable[..., Any]], Operation]:
    """Make an op that acts on each element of its broadcast inputs.

    Parameters
    ----------
    result : {"same", "float", "bool"}
        Dtype of the result: that of the promoted inputs; a float type, integers becoming the
        default one; or bool (and then no gradient).
    scalar : callable, optional
        The same on Python floats.
    domain : (low, high), or one for each input
        Where tests draw arguments.
    formula : tuple of str, optional
        What people read: the result, and the derivative in each input (see `Op.formula`).
    """

    def decorate(forward: Callable[..., Any]) -> Operation:
        def infer(*specs: Any, **_: Any) -> Spec:
            shape = np.broadcast_shapes(*(getattr(s, "shape", ()) for s in specs))
            if all(not hasattr(s, "shape") or s.dtype is float for s in specs):
                return Spec(shape, bool if result == "bool" else float)
            if result == "bool":
                return Spec(shape, bool)
            dtype = promoted(specs)
            return Spec(shape, floating(dtype) if result == "float" else dtype)

        op = define(
            forward,
            "elementwise",
            rules,
            saves=saves,
            differentiable=result != "bool",
            infer=infer,
            promotes=to_common_float if result == "float" else to_common,
            scalar=scalar,
            domain=domain,
            samples=samples,
            formula=formula,
        )
        simple = len(inspect.signature(forward).parameters) == len(op.inputs)
        simple = simple and op.differentiable  # the short paths record without asking
        if simple and len(op.inputs) == 1:
            return publish(op, _unary(op), forward)
        if simple and len(op.inputs) == 2:
            return publish(op, _binary(op), forward)
        return publish(op, _general(op), forward)

    return decorate


def _unary(op: Op) -> Callable[..., Any]:
    """The public function of a one-input elementwise op, with its own short path."""
    forward, scalar = op.forward, op.scalar
    keep_y, keep_x = op.keeps((True,))

    def call(x: Any, /) -> Any:
        if not isinstance(x, Variable):
            if x.__class__ in ARRAYS:
                return forward(x)
            if scalar is not None and x.__class__ is float:
                return scalar(x)
            if x.__class__ in NESTED:
                raise nested(op, x)
            return forward(x)
        value = x.value
        if WATCHERS:
            return apply(op, (x,), NO_PARAMS)
        if value.__class__ is float:
            if scalar is None:
                raise TypeError(f"{op.name} has no form for Scalars; use a Tensor")
            y = scalar(value)
            shape, dtype = (), float
        elif value.dtype.kind == "f":
            y = forward(value)
            shape, dtype = y.shape, y.dtype
        else:
            return apply(op, (x,), NO_PARAMS)
        if x.requires_grad and mode.grad:
            saved = (y if keep_y else None, value if keep_x else x.node)
            return wrap(y, Node(op, (x.node,), NO_PARAMS, saved, shape, dtype), True)
        return wrap(y)

    return call


def _binary(op: Op) -> Callable[..., Any]:
    """The public function of a two-input elementwise op, with its own short path.

    It serves float arrays of one dtype, Scalars, and either with a Python number; whatever else
    comes goes the general way. Two raw arrays come from a rule at work.
    """
    forward, scalar = op.forward, op.scalar
    general = _general(op)
    keeps = [(False,) * 3] + [op.keeps(t) for t in ((True, False), (False, True), (True, True))]

    def call(x: Any, y: Any, /) -> Any:
        if isinstance(x, Variable):
            a, grad_a = x.value, x.requires_grad
            if isinstance(y, Variable):
                b, grad_b = y.value, y.requires_grad
            else:
                b, grad_b = y, False
        elif isinstance(y, Variable):
            a, grad_a, b, grad_b = x, False, y.value, y.requires_grad
        elif x.__class__ is np.ndarray and y.__class__ is np.ndarray and x.dtype is y.dtype:
            return forward(x, y)
        else:
            return general(x, y)
        if WATCHERS:
            return general(x, y)
        kind_a, kind_b = a.__class__, b.__class__
        if kind_a in ARRAYS and (kind_a is kind_b or kind_b in ARRAYS):
            dtype = a.dtype
            if dtype is not b.dtype or dtype.kind != "f":
                return general(x, y)
            try:
                z = forward(a, b)
            except ValueError as error:
                raise shapes_differ(op, (a, b)) from error
            shape = z.shape
        elif kind_a is float or kind_a is int:
            if kind_b is float or kind_b is int:
                if scalar is None:
                    raise TypeError(f"{op.name} has no form for Scalars; use a Tensor")
                z = scalar(a, b)
                if z.__class__ is int:  # of maximum(0.5, 1), for one
                    z = float(z)
                shape, dtype = (), float
            elif getattr(b, "dtype", NO_DTYPE).kind == "f":
                z = forward(a, b)
                shape, dtype = z.shape, z.dtype
            else:
                return general(x, y)
        elif kind_b is float or kind_b is int:
            if getattr(a, "dtype", NO_DTYPE).kind != "f":
                return general(x, y)
            z = forward(a, b)
            shape, dtype = z.shape, z.dtype
        else:
            return general(x, y)
        if (grad_a or grad_b) and mode.grad:
            keep_z, keep_a, keep_b = keeps[grad_a + 2 * grad_b]
            links = (
                x.node if grad_a else x if a is x else weakref.ref(x),
                y.node if grad_b else y if b is y else weakref.ref(y),
            )
            saved = (z if keep_z else None, a if keep_a else None, b if keep_b else None)
            return wrap(z, Node(op, links, NO_PARAMS, saved, shape, dtype), True)
        return wrap(z)

    return call


NO_DTYPE = np.dtype(object)
NESTED = frozenset((list, tuple, str))
# The exact types of values that NumPy results have: quicker to test than isinstance.
ARRAYS = frozenset((np.ndarray, np.float32, np.float64))
EVERY = tuple(tuple(range(n)) for n in range(65))  # all dimensions of up to NumPy's 64


def _general(op: Op) -> Callable[..., Any]:
    """The public function of any other op: arrays positional, metadata by keyword."""
    count = len(op.inputs)
    parameters = inspect.signature(op.forward).parameters.values()
    metadata = {p.name: p.default for p in parameters if p.name not in op.inputs}
    names = metadata.keys()
    optional = {n: d for n, d in metadata.items() if d is not inspect.Parameter.empty}
    forward, scalar, variadic = op.forward, op.scalar, op.variadic
    explains = op.family == "elementwise"

    def call(*inputs: Any, **params: Any) -> Any:
        for v in inputs:
            if isinstance(v, Variable):
                break
        else:  # a rule at work on raw values: nothing to convert, nothing to record
            kind = inputs[0].__class__ if inputs else None
            if kind is not np.ndarray:
                if kind in NESTED:
                    raise nested(op, inputs[0])
                if scalar is not None and kind in NUMBERS:
                    return compute(op, inputs, params)
            y = forward(*inputs, **params)
            return y[0] if op.aside else y
        if len(inputs) != count and not variadic:
            raise TypeError(
                f"{op.name} takes {count} arrays ({', '.join(op.inputs)}), not {len(inputs)}"
            )
        if (params or names) and params.keys() != names:
            params = optional | params
            if params.keys() != names:
                raise TypeError(f"{op.name} takes the keywords {list(names)}, not {list(params)}")
        try:
            return apply(op, inputs, params)
        except ValueError as error:
            if explains:
                raise shapes_differ(op, inputs, error) from error
            raise

    return call


def nested(op: Op, given: Any) -> TypeError:
    """Say that a list is no operand: NumPy would take it, and return an array."""
    return TypeError(
        f"{op.name}: an operand is {type(given).__name__}: expected a Tensor, Scalar, ndarray or a "
        "number; make a tensor of it first"
    )


def shapes_differ(op: Op, inputs: Sequence[Any], error: ValueError | None = None) -> ValueError:
    """Say which shapes do not broadcast; `error` itself if they do."""
    shapes = [getattr(getattr(v, "value", v), "shape", ()) for v in inputs]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        met = " and ".join(str(s) for s in shapes)
        return ValueError(
            f"{op.name}: shapes {met} do not broadcast together; aligned from the right, two "
            "dimensions must be equal or one of them 1"
        )
    return error or ValueError(f"{op.name}: failed on shapes {shapes}")


# --- The other families -----------------------------------------------------------------------


def reduction(
    *rules: Any,
    saves: str | tuple[str, ...] | None = None,
    samples: Callable[..., Any] | None = None,
    domain: Any = (-3.0, 3.0),
    result: Any = None,
    floats: bool = False,
    casts: bool = False,
    formula: tuple[str | None, ...] = (),
) -> Callable[[Callable[..., Any]], Operation]:
    """Make an op ``f(x, dim, keepdim)`` that folds dimensions away.

    Users may say ``dim=`` or ``axis=``, ``keepdim=`` or ``keepdims=``; the forward and the rules
    see `dim` as a sorted tuple of non-negative ints, never None.

    Parameters
    ----------
    result : dtype or callable, optional
        Dtype of the result, or a function of the input's dtype. Default: that of the input.
    floats : bool
        Compute integers in the default float type.
    casts : bool
        Users may say ``dtype=``: what the elements are converted to before they are folded.
    """

    def decorate(forward: Callable[..., Any]) -> Operation:
        def infer(x: Any, *, dim: tuple[int, ...], keepdim: bool, **_: Any) -> Spec:
            dtype = floating(promoted((x,))) if floats else x.dtype
            if result is not None:
                dtype = (
                    result(dtype) if callable(result) and not isinstance(result, type) else result
                )
            return Spec(reduced_shape(x.shape, dim, keepdim), dtype)

        op = define(
            forward,
            "reduction",
            rules,
            saves=saves,
            infer=infer,
            promotes=to_common_float if floats else to_common,
            domain=domain,
            samples=samples,
            formula=formula,
        )

        keep_y, keep_x = op.keeps((True,))
        name = op.name

        def call(
            x: Any,
            /,
            dim: Any = None,
            keepdim: bool = False,
            *,
            axis: Any = None,
            keepdims: bool | None = None,
            **params: Any,
        ) -> Any:
            if axis is not None:
                dim = only_one(name, "dim", dim, "axis", axis)
            if keepdims is not None:
                keepdim = keepdims
            if params and casts and (dtype := params.pop("dtype", None)) is not None:
                return _in_dtype(np.dtype(dtype), call, x, dim, keepdim, params)
            variable = isinstance(x, Variable)
            value = x.value if variable else x
            if value.__class__ in ARRAYS and not WATCHERS and value.dtype.kind == "f":
                params["dim"] = EVERY[value.ndim] if dim is None else dims_of(name, dim, value.ndim)
                params["keepdim"] = keepdim
                y = forward(value, **params)
                if not variable:
                    return y
                if x.requires_grad and mode.grad and op.differentiable:
                    saved = (y if keep_y else None, value if keep_x else x.node)
                    return wrap(y, Node(op, (x.node,), params, saved, y.shape, y.dtype), True)
                return wrap(y)
            if getattr(value, "dtype", float) is float:  # a Scalar or number: as a 0-d array
                return call(OPS["reshape"].function(x, shape=()), dim, keepdim, **params)
            params["dim"] = dims_of(name, dim, len(shape_of(x, name)))
            params["keepdim"] = keepdim
            return apply(op, (x,), params)

        return publish(op, call, forward)

    return decorate


def _in_dtype(
    dtype: np.dtype[Any], call: Callable[..., Any], x: Any, dim: Any, keepdim: bool, params: Any
) -> Any:
    """A reduction of `x` converted to `dtype`, with a result of that dtype."""
    cast = OPS["cast"].function
    if dtype.kind == "f":
        return call(cast(x, dtype=dtype), dim, keepdim, **params)
    if isinstance(x, Variable):
        x = wrap(x.value)  # integers have no gradient
    return cast(call(cast(x, dtype=dtype), dim, keepdim, **params), dtype=dtype)


def movement(
    *rules: Any,
    saves: str = "",
    joint: Rule | None = None,
    samples: Callable[..., Any] | None = None,
    infer: Callable[..., Spec] | None = None,
    promotes: Callable[[list[Any]], list[Any]] | None = None,
    formula: tuple[str | None, ...] = (),
) -> Callable[[Callable[..., Any]], Operation]:
    """Make an op that moves or repeats elements; its rules need no values, only shapes."""

    def decorate(forward: Callable[..., Any]) -> Operation:
        def by_running(*specs: Any, **params: Any) -> Spec:
            y = forward(*(hollow(s) for s in specs), **params)
            return Spec(y.shape, y.dtype)

        op = define(
            forward,
            "movement",
            rules,
            saves=saves,
            joint=joint,
            infer=infer or by_running,
            promotes=promotes,
            samples=samples,
            formula=formula,
        )
        return publish(op, _general(op), forward)

    return decorate


def simple(operation: Operation) -> Operation:
    """Give an op of one array and no metadata the short path of elementwise ops."""
    return publish(operation.op, _unary(operation.op), operation.op.forward)


def hollow(spec: Any) -> Any:
    """An array of the shape and dtype of `spec` that takes the memory of one element."""
    if not isinstance(spec, Spec):
        return spec
    return np.broadcast_to(
        np.zeros((), get_default_dtype() if spec.dtype is float else spec.dtype), spec.shape
    )


def contraction(
    *rules: Any,
    infer: Callable[..., Spec],
    saves: str | tuple[str, ...] | None = None,
    samples: Callable[..., Any] | None = None,
    formula: tuple[str | None, ...] = (),
) -> Callable[[Callable[..., Any]], Operation]:
    """Make an op that sums products over shared dimensions."""
    return _plain("contraction", rules, saves, None, infer, to_common, samples, formula)


def structured(
    *rules: Any,
    infer: Callable[..., Spec],
    saves: str | tuple[str, ...] | None = None,
    joint: Rule | None = None,
    aside: bool = False,
    promotes: Callable[[list[Any]], list[Any]] | None = None,
    samples: Callable[..., Any] | None = None,
    formula: tuple[str | None, ...] = (),
) -> Callable[[Callable[..., Any]], Operation]:
    """Make an op with a shape rule of its own, such as a convolution or a loss.

    Parameters
    ----------
    aside : bool
        The forward returns ``(y, something)`` and the rules find `something` (or None, when they
        run on Variables) in the place of y.
    """
    decorate = _plain("structured", rules, saves, joint, infer, promotes, samples, formula)

    def with_aside(forward: Callable[..., Any]) -> Operation:
        operation = decorate(forward)
        operation.op.aside = aside
        return operation

    return with_aside


def _plain(
    family: str,
    rules: Sequence[Rule | None],
    saves: str | tuple[str, ...] | None,
    joint: Rule | None,
    infer: Callable[..., Spec],
    promotes: Callable[[list[Any]], list[Any]] | None,
    samples: Callable[..., Any] | None,
    formula: tuple[str | None, ...],
) -> Callable[[Callable[..., Any]], Operation]:
    def decorate(forward: Callable[..., Any]) -> Operation:
        op = define(
            forward,
            family,
            rules,
            saves=saves,
            joint=joint,
            infer=infer,
            promotes=promotes,
            samples=samples,
            formula=formula,
        )
        return publish(op, _general(op), forward)

    return decorate


# --- Dimensions, as every family reads them ---------------------------------------------------


def shape_of(x: Any, who: str) -> tuple[int, ...]:
    """The shape of an operand: Variable, array, or number."""
    try:
        return x.shape
    except AttributeError:
        if isinstance(x, float | int):
            return ()
        raise TypeError(
            f"{who}: expected a Tensor, an ndarray or a number, not {type(x).__name__}"
        ) from None


def dim_of(who: str, dim: Any, ndim: int) -> int:
    """One dimension as a non-negative int; a 0-d operand has dimension 0 (and -1) too."""
    try:
        index = dim.__index__()
    except AttributeError:
        raise TypeError(f"{who}: dim must be an int, not {type(dim).__name__}") from None
    limit = max(ndim, 1)
    if not -limit <= index < limit:
        raise IndexError(
            f"{who}: dim {index} is out of range for {ndim} dimensions (expected {-limit} to "
            f"{limit - 1})"
        )
    return index % limit


def dims_of(who: str, dim: Any, ndim: int) -> tuple[int, ...]:
    """Dimensions as a sorted tuple of non-negative ints; None means all of them."""
    return _dims(who, tuple(dim) if isinstance(dim, list) else dim, ndim)


@functools.lru_cache(maxsize=1024)
def _dims(who: str, dim: Any, ndim: int) -> tuple[int, ...]:
    if dim is None or dim == () or (ndim == 0 and isinstance(dim, tuple)):
        return tuple(range(ndim))
    if not isinstance(dim, tuple):
        index = dim_of(who, dim, ndim)
        return (index,) if ndim else ()
    dims = sorted(dim_of(who, d, ndim) for d in dim)
    if len(set(dims)) != len(dims):
        raise ValueError(f"{who}: a dimension appears twice in dim={dim}")
    return tuple(dims)


def reduced_shape(shape: tuple[int, ...], dim: tuple[int, ...], keepdim: bool) -> tuple[int, ...]:
    """`shape` without the dimensions `dim`, or with them at size one."""
    if keepdim:
        return tuple(1 if i in dim else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in dim)


def only_one(who: str, first: str, a: Any, second: str, b: Any) -> Any:
    """Whichever of two spellings of an argument was given."""
    if a is not None and b is not None:
        raise TypeError(f"{who}: give {first} or {second}, not both")
    return b if a is None else a
