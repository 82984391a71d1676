"""`vmap`: a function of one example, run on a batch.

Inside, a tensor holds a `Batched` value, which has the shape of one example. A watcher sees every
op that meets one, and runs it on the whole batch: by a rule (`batching_rules`), else example by
example. So ops, rules of gradients and code in between need not know of it, and where nobody uses
`vmap` nothing is slower for it.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import OPS, Op, Spec, Variable, wrap
from ..watch import WATCHERS, Watcher
from .batched import Batched
from .batching_rules import Call, batch_first, rule_for
from .batching_sequences import RULES as RULES  # with all that are in other files
from .tree import flatten, spread, unflatten

RANDOMNESS = ("error", "different", "same")


class VmapFallbackWarning(UserWarning):
    """An op has no batching rule: `vmap` ran it on one example after the other.

    Said once for each op. To silence it:
    ``warnings.simplefilter("ignore", autograd.VmapFallbackWarning)``.
    """


_warned: set[str] = set()


class Level(Watcher):
    """One `vmap` at work: answers for the ops that meet its values."""

    def __init__(self, size: int, randomness: str) -> None:
        self.size, self.randomness = size, randomness
        self.depth = 1 + max((w.depth for w in WATCHERS if isinstance(w, Level)), default=0)
        self.thread = threading.get_ident()
        self.ended = self.asking = False

    def see(
        self, op: Op, inputs: Sequence[Any], values: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        """Run an op on all examples, if one of its arguments is a value of this level."""
        mine = False
        for value in values:
            if value.__class__ is Batched:
                if value.level.ended:
                    raise RuntimeError(
                        f"{op.name}: a tensor of a vmap that has returned; what is made inside "
                        "leaves a vmap only by being returned"
                    )
                if value.level.depth > self.depth:
                    return None  # of a vmap further in, whose turn comes first
                mine = mine or value.level is self
        if op.name == "dropout_key":
            return self.key(op, inputs, params, mine)
        if not mine:
            return None
        args = [self.argument(item, v) for item, v in zip(inputs, values, strict=True)]
        batched = [v.__class__ is Batched and v.level is self for v in values]
        call = Call(op, args, batched, params, self.size)
        if "generator" in params:
            return Batched(self.drawn(call), self)
        result = rule_for(op)(call)
        if result is None:
            self.tell_of_loop(op)
            result = self.loop(call)
        return Batched(result, self)

    def argument(self, item: Any, value: Any) -> Any:
        """An argument one level further out: all examples, or what they have in common."""
        return value.inner if value.__class__ is Batched and value.level is self else item

    def key(self, op: Op, inputs: Sequence[Any], params: dict[str, Any], mine: bool) -> Any:
        """What a random op draws from, as `randomness` says."""
        if self.asking or threading.get_ident() != self.thread:
            return None
        self.check_randomness()
        if self.randomness == "same":
            return params["generator"].key() if mine else None
        # One key, which the rule of dropout spends on the batch as a whole. Levels further out
        # are asked too.
        (x,) = inputs
        self.asking = True
        try:
            key = op.function(x.value.inner if mine else x, **params)
        finally:
            self.asking = False
        return Batched(OPS["expand"].function(key, shape=(self.size, *key.shape)), self)

    def check_randomness(self) -> None:
        """Refuse random numbers unless they were asked for."""
        if self.randomness == "error":
            raise RuntimeError(
                "vmap: a random op was called inside vmap with randomness='error'. Say "
                "randomness='different' for different numbers in each example, or "
                "randomness='same' for the same."
            )

    def drawn(self, call: Call) -> Any:
        """Samples of each example, as `randomness` says."""
        self.check_randomness()
        generator = call.params["generator"]
        again = generator.state_dict() if self.randomness == "same" else None
        return self.loop(call, lambda: again and generator.load_state_dict(again))

    def tell_of_loop(self, op: Op) -> None:
        """Say once that an op has no batching rule."""
        if op.name not in _warned:
            _warned.add(op.name)
            warnings.warn(
                f"vmap: {op.name} has no batching rule, so it runs on one example after the "
                "other; silence this with warnings.simplefilter('ignore', "
                "autograd.VmapFallbackWarning)",
                VmapFallbackWarning,
                stacklevel=3,
            )

    def loop(self, call: Call, before: Callable[[], object] | None = None) -> Any:
        """Run an op on one example after the other."""
        op = call.op
        if not self.size:
            specs = [
                Spec(a.shape[1:], a.dtype) if b else a
                for a, b in zip(call.args, call.batched, strict=True)
            ]
            spec = op.infer(*specs, **call.params)
            return wrap(np.zeros((0, *spec.shape), spec.dtype))
        results = []
        for i in range(self.size):
            if before is not None:
                before()
            row = [
                OPS["index"].function(a, index=(i,)) if b else a
                for a, b in zip(call.args, call.batched, strict=True)
            ]
            results.append(op.function(*row, **call.params))
        return stacked(results)

    def each(self, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        """Call a function of tensors, which is no op, on one example after the other."""
        rows = []
        for i in range(self.size):
            row = []
            for a in args:
                value: Any = getattr(a, "value", None)
                mine = value.__class__ is Batched and value.level is self
                row.append(OPS["index"].function(value.inner, index=(i,)) if mine else a)
            rows.append(function(*row))
        if not rows:
            raise RuntimeError("vmap: a Function of no examples")
        if not isinstance(rows[0], tuple):
            return wrap(Batched(stacked(rows), self))
        return tuple(wrap(Batched(stacked(column), self)) for column in zip(*rows, strict=True))

    def by_example(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function of NumPy on the raw values of each example."""
        rows = [
            function(*self._at(i, args), **{k: self._at(i, v) for k, v in kwargs.items()})
            for i in range(self.size)
        ]
        if not rows:
            raise RuntimeError(f"vmap: {function.__name__} of no examples")
        return Batched(stacked([r if isinstance(r, Variable) else wrap(r) for r in rows]), self)

    def _at(self, i: int, thing: Any) -> Any:
        """The raw value of example `i`."""
        if thing.__class__ is Batched:
            if thing.level is self:
                return OPS["index"].function(thing.inner, index=(i,)).value
            return thing
        if isinstance(thing, tuple | list):
            return type(thing)(self._at(i, t) for t in thing)
        return thing

    def left(self, how: str, variable: Variable, result: Any) -> None:
        """Take the graph off all examples when it is taken off one."""
        value = variable.value
        if how == "detach" and value.__class__ is Batched and value.level is self:
            result.value = Batched(value.inner.detach(), self)


def stacked(results: Sequence[Any]) -> Any:
    """Tensors of one shape along a new dimension 0."""
    rows = [OPS["reshape"].function(r, shape=(1, *r.shape)) for r in results]
    return OPS["cat"].function(*rows, dim=0)


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Make of a function of one example a function of a batch of them.

    Parameters
    ----------
    func : callable
        Takes tensors, or tuples, lists and dictionaries of them, and returns such.
    in_dims : int, None, or a structure of them
        Along which dimension of each argument the examples lie; None for what all have in
        common. An int stands for all arguments; a tuple has one entry for each, which may itself
        follow the structure of the argument. Keyword arguments are taken apart along 0.
    out_dims : int, or a structure of ints
        Where the examples lie in the results.
    randomness : {"error", "different", "same"}
        What dropout does inside: raise, draw for each example, or once for all.
    chunk_size : int, optional
        Run so many examples at a time, for the sake of memory; default all at once.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        If `in_dims` or `out_dims` do not fit the arguments or the results, or sizes differ.
    RuntimeError
        Inside, where Python asks for a value: ``if x > 0``, ``x.item()``.

    Warns
    -----
    VmapFallbackWarning
        Once for each op without a batching rule.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> autograd.vmap(lambda row: row.sum())(x)
    tensor([3., 7.])

    The gradient for each example by itself:

    >>> autograd.vmap(autograd.func.grad(lambda row: (row * row).sum()))(x)
    tensor([[2., 4.],
            [6., 8.]])
    """
    if randomness not in RANDOMNESS:
        raise RuntimeError(f"vmap: randomness must be one of {RANDOMNESS}, not {randomness!r}")
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"vmap: chunk_size must be at least 1, not {chunk_size}")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        if not args and not kwargs:
            raise ValueError("vmap: expected at least one argument to take apart")
        batch = Batch(args, kwargs, in_dims)
        step = batch.size if chunk_size is None else chunk_size
        starts = range(0, batch.size, max(step, 1)) or range(1)
        parts = [
            batch.run(func, start, min(start + step, batch.size), out_dims, randomness)
            for start in starts
        ]
        first, structure, dims = parts[0]
        if len(parts) == 1:
            return unflatten(first, structure)
        joined = [
            pieces[0] if dim is None else OPS["cat"].function(*pieces, dim=dim)
            for pieces, dim in zip(zip(*(p[0] for p in parts), strict=True), dims, strict=True)
        ]
        return unflatten(joined, structure)

    return mapped


class Batch:
    """The arguments of a call of `vmap`, taken apart."""

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], in_dims: Any) -> None:
        given = list(in_dims) if isinstance(in_dims, list) else in_dims
        if not isinstance(given, int | tuple | list | dict) or isinstance(given, bool):
            raise ValueError(
                f"vmap: in_dims must be an int or a structure like the arguments, not {in_dims!r}"
            )
        self.leaves, self.structure = flatten((args, kwargs))

        def misfit() -> ValueError:
            return ValueError(
                f"vmap: in_dims={in_dims!r} does not fit the structure of the arguments, "
                f"{flatten(args)[1]}: give one entry for each argument"
            )

        prefix = tuple(given) if isinstance(given, list) else given
        dims = spread(prefix, args, misfit) + [0] * len(flatten(kwargs)[0])
        self.inner: list[Any] = []
        sizes: dict[int, int] = {}
        for i, (leaf, dim) in enumerate(zip(self.leaves, dims, strict=True)):
            self.inner.append(None if dim is None else self._first(i, leaf, dim))
            if dim is not None:
                sizes[i] = self.inner[i].shape[0]
        if not sizes:
            raise ValueError("vmap: in_dims is None everywhere: there is nothing to take apart")
        if len(set(sizes.values())) > 1:
            met = ", ".join(f"{n} of argument {i}" for i, n in sizes.items())
            raise ValueError(f"vmap: the sizes of the taken dimensions differ: {met}")
        self.size = next(iter(sizes.values()))

    @staticmethod
    def _first(i: int, leaf: Any, dim: Any) -> Any:
        if isinstance(dim, bool) or not isinstance(dim, int):
            raise ValueError(f"vmap: an entry of in_dims must be an int or None, not {dim!r}")
        if isinstance(leaf, np.ndarray):
            leaf = wrap(leaf)
        if not isinstance(leaf, Variable) or leaf.dtype is float:
            raise ValueError(
                f"vmap: in_dims={dim} for argument {i}, which is {type(leaf).__name__} and not a "
                "Tensor; say None for it"
            )
        if not -len(leaf.shape) <= dim < len(leaf.shape):
            raise ValueError(
                f"vmap: in_dims={dim} for argument {i}, which has shape {leaf.shape}; expected "
                f"{-len(leaf.shape)} to {len(leaf.shape) - 1}"
            )
        return batch_first(leaf, dim)

    def run(
        self, func: Callable[..., Any], start: int, stop: int, out_dims: Any, randomness: str
    ) -> tuple[list[Any], Any, list[Any]]:
        """Call `func` on the examples from `start` to `stop`: results, their structure, dims."""
        level = Level(stop - start, randomness)
        leaves = []
        for leaf, inner in zip(self.leaves, self.inner, strict=True):
            if inner is None:
                leaves.append(leaf)
                continue
            if stop - start < self.size:
                inner = OPS["narrow"].function(inner, dim=0, start=start, stop=stop)
            leaves.append(wrap(Batched(inner, level)))
        args, kwargs = unflatten(leaves, self.structure)
        WATCHERS.append(level)
        try:
            result = func(*args, **kwargs)
        finally:
            WATCHERS.remove(level)
            level.ended = True
        outputs, structure = flatten(result)

        def misfit() -> ValueError:
            return ValueError(
                f"vmap: out_dims={out_dims!r} does not fit the structure of the result, {structure}"
            )

        if not isinstance(out_dims, int | tuple | list | dict) and out_dims is not None:
            raise ValueError(f"vmap: out_dims must be an int or a structure, not {out_dims!r}")
        # A tuple of one entry is as good as the entry for a result that is no container.
        prefix = out_dims
        if isinstance(out_dims, tuple | list) and not isinstance(result, tuple | list | dict):
            prefix = out_dims[0] if len(out_dims) == 1 else out_dims
        dims = spread(prefix, result, misfit)
        placed = [level_output(level, y, d) for y, d in zip(outputs, dims, strict=True)]
        positions = [
            None if d is None else d % len(y.shape) for y, d in zip(placed, dims, strict=True)
        ]
        return placed, structure, positions


def level_output(level: Level, y: Any, dim: Any) -> Any:
    """A result of all examples, with these along `dim`."""
    if dim is None and not isinstance(y, Variable):
        return y
    if not isinstance(y, Variable) or y.dtype is float:
        raise ValueError(
            f"vmap: the function must return tensors, not {type(y).__name__}; say out_dims=None "
            "for a result that is no tensor"
        )
    of_level = y.value.__class__ is Batched and y.value.level is level
    if dim is None:
        if of_level:
            raise ValueError("vmap: out_dims is None for a result that differs by example")
        return y
    full = (level.size, *y.shape)
    inner = y.value.inner if of_level else OPS["expand"].function(y, shape=full)
    rank = len(inner.shape)
    if isinstance(dim, bool) or not isinstance(dim, int) or not -rank <= dim < rank:
        raise IndexError(
            f"vmap: out_dims={dim!r} for a result of shape {y.shape}; expected {-rank} to "
            f"{rank - 1}"
        )
    return batch_last(inner, dim % rank)


def batch_last(inner: Any, dim: int) -> Any:
    """Move dimension 0 to `dim`."""
    if dim == 0:
        return inner
    order = list(range(1, len(inner.shape)))
    order.insert(dim, 0)
    return OPS["permute"].function(inner, dims=tuple(order))
