"""`Function`: an op of a user's own, with its gradient written by hand, as in PyTorch."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from ..changes import CHANGES, owner
from ..engine import apply
from ..graph import Op, Variable, wrap
from ..modes import enable_grad, mode, no_grad
from ..protocols import exchange
from ..tensor import Tensor
from ..watch import WATCHERS
from .batched import Batched
from .calls import Weak, make_op, record_call
from .places import tracked_inside


class Context:
    """What `forward` leaves for `backward`, the `ctx` of a `Function`.

    Attributes
    ----------
    needs_input_grad : tuple of bool
        For each argument of ``apply``, whether its gradient is asked for.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._saved: list[tuple[Any, int | None]] = []
        self._to_save: tuple[Any, ...] = ()
        self._fixed: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True
        self._recorded: Any = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for `backward`: arguments, results or others."""
        for t in tensors:
            if t is not None and not isinstance(t, Variable):
                raise TypeError(
                    f"save_for_backward is for tensors and None, not {type(t).__name__}; keep "
                    "other things as attributes of ctx"
                )
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors that were saved."""
        if self._recorded is None:
            return self._to_save
        pieces, _, node = self._recorded
        return tuple(
            [t if slot is None else pieces.result(t, node(), slot) for t, slot in self._saved]
        )

    def keeps(self, array: np.ndarray) -> bool:
        """Whether something that was saved lies in the memory of `array`."""
        raw = [t.value if isinstance(t, Variable) else t for t, _ in self._saved]
        memory = owner(array)
        return any(isinstance(v, np.ndarray) and owner(v) is memory for v in raw)

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Results through which no gradient flows, such as indices."""
        self._fixed = outputs

    def mark_dirty(self, *tensors: Any) -> None:
        """Arguments that `forward` has changed in place; each must be among the results.

        The result is then the argument itself, which goes on in the graph as what this call made.

        Examples
        --------
        >>> import autograd
        >>> class Twice(autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         x *= 2.0
        ...         ctx.mark_dirty(x)
        ...         return x
        ...
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return g * 2.0
        >>> x = autograd.tensor([1.0], requires_grad=True)
        >>> y = x.clone()
        >>> Twice.apply(y) is y
        True
        >>> autograd.grad(y.sum(), x)
        (tensor([2.]),)
        """
        for t in tensors:
            if not isinstance(t, Tensor):
                raise TypeError(f"mark_dirty is for tensors, not {type(t).__name__}")
        self._dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (True, as it is) or None for an unused result."""
        self._materialize = bool(value)


def _is(one: Any, others: Any) -> bool:
    return any(one is other for other in others)


class Function:
    """An op of your own: subclass it with static methods `forward` and `backward`.

    ``forward(ctx, *args)`` computes the result; or ``forward(*args)`` with
    ``setup_context(ctx, inputs, output)`` beside it. ``backward(ctx, *grads)`` takes a gradient for
    each result and returns one for each argument, or None. What `forward` does is not recorded:
    the call is one node, which has the name of the class. Gradients of gradients work if
    `backward` computes with tensors.

    Examples
    --------
    >>> import autograd
    >>> class Cube(autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x * x
    >>> x = autograd.tensor(2.0, requires_grad=True)
    >>> (slope,) = autograd.grad(Cube.apply(x), x, create_graph=True)
    >>> slope.item()
    12.0
    >>> autograd.grad(slope, x)
    (tensor(12.),)
    """

    _op: Op

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._op = make_op(cls.__name__, functools.partial(_backward, cls), cls._again)

    def __init__(self) -> None:
        raise RuntimeError(
            f"{type(self).__name__}: a Function is not made, but applied: "
            f"{type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result; to be overridden."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save what `backward` needs, where `forward` takes no ctx."""
        raise NotImplementedError

    @staticmethod
    def backward(*args: Any, **kwargs: Any) -> Any:
        """Gradients of the arguments, of ctx and those of the results; to be overridden."""
        raise NotImplementedError(
            "a Function needs a static method backward(ctx, *grads) to be differentiated"
        )

    @classmethod
    def _again(cls, *values: Any, **_: Any) -> Any:
        """The forward on raw values, as whoever checks or draws a graph calls it."""
        result = cls.apply(*[wrap(v) if isinstance(v, np.ndarray) else v for v in values])
        return (result.value if isinstance(result, Variable) else result), None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run `forward` on `args` and record the call."""
        for watcher in WATCHERS:
            watcher.enter(args)
        needs = tuple([isinstance(a, Variable) and a.requires_grad for a in args])
        recorded = mode.grad and any(needs)
        levels = [a.value.level for a in args if getattr(a, "value", None).__class__ is Batched]
        beneath = None
        if levels and not (recorded and not any(map(tracked_inside, args))):
            # What vmap took apart is tracked too, and has to find this call in its own graph.
            beneath = max(levels, key=lambda level: level.depth).each(cls.apply, args)
            if not recorded:
                return beneath
        ctx = Context(needs if recorded else (False,) * len(args))
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        several = isinstance(result, tuple)
        outputs = list(result) if several else [result]
        _check_dirty(cls.__name__, ctx, args, outputs, recorded)
        if not recorded:
            return result
        if beneath is not None:
            for y, other in zip(outputs, beneath if several else (beneath,), strict=True):
                if isinstance(y, Variable) and not _is(y, args):
                    y.value = other.value
        made = _record(cls, ctx, args, outputs)
        return tuple(made) if several else made[0]


def _check_dirty(
    name: str, ctx: Context, args: tuple[Any, ...], outputs: list[Any], recorded: bool
) -> None:
    """See to what `forward` has changed in place."""
    for t in ctx._dirty:
        if not _is(t, args) or not _is(t, outputs):
            raise RuntimeError(
                f"{name}: a tensor of shape {t.shape} given to mark_dirty must be an argument of "
                "forward, and returned by it"
            )
        if recorded:
            t._check_changeable(name)
        CHANGES.mark(t.value, name)


def _record(cls: type[Function], ctx: Context, args: tuple[Any, ...], outputs: list[Any]) -> Any:
    """The results of a call as parts of the graph."""
    tensors = [i for i, y in enumerate(outputs) if isinstance(y, Variable)]
    if not tensors:
        raise TypeError(
            f"{cls.__name__}: forward must return a tensor or a tuple with tensors, not "
            f"{type(outputs[0]).__name__}"
        )
    raw = [outputs[i].value for i in tensors]
    # Raw values have no dtype of NumPy where they are Scalars: those are not recorded here.
    live = [
        getattr(v.dtype, "kind", "") == "f" and not _is(outputs[i], ctx._fixed)
        for i, v in zip(tensors, raw, strict=True)
    ]
    if not any(live):
        return outputs
    node, variables, pieces = record_call(cls._op, args, {"ctx": Weak(ctx)}, raw, live, ctx)
    made = list(outputs)
    dirty, ctx._dirty = ctx._dirty, ()
    for i, variable in zip(tensors, variables, strict=True):
        if _is(outputs[i], dirty) and variable.requires_grad:
            outputs[i]._go_on_from(variable.node)
        else:
            made[i] = variable
    slots = _slots(len(outputs), tensors, live)
    # The context must not hold a result, which holds the node, which holds the context: of a
    # result it keeps the value, and where it stands.
    for t in ctx._to_save:
        new = _is(t, dirty) or not _is(t, args)
        at = next((i for i in tensors if outputs[i] is t and new), None)
        slot = None if at is None else slots[at]
        ctx._saved.append((t, None) if slot is None else (t.value, slot))
    ctx._recorded = (pieces, slots, weakref.ref(node))
    ctx._to_save = ctx._fixed = ()
    if ctx._saved:
        exchange.KEEPERS.add(ctx)
    return made


def _slots(count: int, tensors: list[int], live: list[bool]) -> list[int | None]:
    """For each result, its number among those through which gradients flow."""
    slots: list[int | None] = [None] * count
    n = 0
    for i, on in zip(tensors, live, strict=True):
        if on:
            slots[i] = n
            n += 1
    return slots


def _backward(cls: type[Function], g: Any, y: Any, *inputs: Any, ctx: Any) -> list[Any]:
    """The joint rule of the calls of `cls`."""
    context: Context = ctx()
    pieces, slots, _ = context._recorded
    raw = not isinstance(g, Variable)
    parts = [wrap(p) if raw else p for p in pieces.apart(g)]
    unused = {i for i, start in enumerate(pieces.starts) if start not in pieces.arrived}
    pieces.arrived.clear()
    grads = [
        None if slot is None or (slot in unused and not context._materialize) else parts[slot]
        for slot in slots
    ]
    with no_grad() if raw or not mode.grad else enable_grad():
        found = cls.backward(context, *grads)
    found = list(found) if isinstance(found, tuple | list) else [found]
    if len(found) > len(inputs) and all(f is None for f in found[len(inputs) :]):
        found = found[: len(inputs)]
    if len(found) != len(inputs):
        raise RuntimeError(
            f"{cls.__name__}: backward returned {len(found)} gradients, but forward took "
            f"{len(inputs)} arguments; return None where there is no gradient"
        )
    checked = []
    for i, (piece, needed) in enumerate(zip(found, context.needs_input_grad, strict=True)):
        if piece is None or not needed:
            checked.append(None)
            continue
        if not isinstance(piece, Variable):
            raise TypeError(
                f"{cls.__name__}: backward returned {type(piece).__name__} as gradient {i}; a "
                "tensor or None was expected"
            )
        checked.append(piece.value if raw else piece)
    return checked


def _twice(*_: Any, **__: Any) -> Any:
    raise RuntimeError(
        "this gradient comes from a Function whose backward is marked once_differentiable: it "
        "cannot be differentiated again"
    )


ONCE = make_op("once_differentiable", _twice, lambda *values, **_: (values[0], None))


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the `backward` of a `Function` as not to be differentiated; goes below `staticmethod`.

    Inside, nothing is recorded; differentiating what it returned raises.

    Examples
    --------
    >>> import autograd
    >>> class Half(autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 0.5
    ...
    ...     @staticmethod
    ...     @autograd.once_differentiable
    ...     def backward(ctx, g):
    ...         return autograd.tensor(g.numpy() * 0.5)
    >>> x = autograd.tensor([4.0], requires_grad=True)
    >>> autograd.grad(Half.apply(x), x, autograd.ones(1))
    (tensor([0.5000]),)
    """

    @functools.wraps(backward)
    def once(ctx: Context, *grads: Any) -> Any:
        with no_grad():
            plain = [g if g is None or not g.requires_grad else g.detach() for g in grads]
            found = backward(ctx, *plain)
        sources = [
            v for v in (*grads, *ctx.saved_tensors) if isinstance(v, Variable) and v.requires_grad
        ]
        if not mode.grad or not sources:
            return found

        def guarded(piece: Any) -> Any:
            return piece if piece is None else apply(ONCE, (piece, *sources), {})

        return tuple(map(guarded, found)) if isinstance(found, tuple) else guarded(found)

    return once
