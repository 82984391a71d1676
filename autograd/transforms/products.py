"""Jacobians, Hessians and their products with vectors, as in torch.autograd.functional.

Unlike the transforms of `autograd.func` they take the arguments at once, as one tensor or a tuple,
and cut their results off the graph unless told `create_graph`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import Variable, wrap
from ..modes import enable_grad
from .batching import stacked, vmap
from .jacobians import one_hot
from .places import checked, filled, fresh, pulled, zeros_of

Func = Callable[..., Any]
STRATEGIES = ("reverse-mode", "forward-mode")


def as_tuple(who: str, what: str, given: Any) -> tuple[tuple[Any, ...], bool]:
    """A tensor or a tuple of tensors, as a tuple; and whether it was one."""
    several = isinstance(given, tuple)
    items = given if several else (given,)
    for i, item in enumerate(items):
        if not isinstance(item, Variable):
            raise TypeError(
                f"{who}: {what} must be a Tensor or a tuple of Tensors; met "
                f"{type(item).__name__}{f' at {i}' if several else ''}"
            )
    return items, several


def one_or_all(items: Sequence[Any], several: bool) -> Any:
    """The reverse of `as_tuple`."""
    return tuple(items) if several else items[0]


class Run:
    """A function run at fresh places.

    Attributes
    ----------
    places, outputs : sequence of Variable
    many_in, many_out : bool
        Whether the user gave, and the function returned, a tuple.
    """

    def __init__(self, who: str, func: Func, inputs: Any, create_graph: bool, strict: bool) -> None:
        self.who, self.create_graph, self.strict = who, create_graph, strict
        given, self.many_in = as_tuple(who, "inputs", inputs)
        with enable_grad():
            self.places = [
                fresh(checked(who, v, f"input {i}"), create_graph) for i, v in enumerate(given)
            ]
            self.outputs, self.many_out = as_tuple(
                who, "the result of the function", func(*self.places)
            )
        if strict:
            for i, y in enumerate(self.outputs):
                if not y.requires_grad:
                    raise RuntimeError(
                        f"{who}: with strict=True, output {i} must depend on the inputs by "
                        "operations that are recorded; it does not require grad"
                    )

    def pull(self, weights: Sequence[Any] | None, record: bool | None = None) -> list[Any]:
        """Gradients in the places."""
        found = pulled(
            self.outputs,
            self.places,
            weights,
            self.create_graph if record is None else record,
        )
        self.check(found, "input")
        return filled(found, self.places)

    def check(self, found: Sequence[Any], what: str) -> None:
        """Raise if a gradient is missing and `strict`."""
        if not self.strict:
            return
        for i, g in enumerate(found):
            if g is None:
                raise RuntimeError(
                    f"{self.who}: with strict=True the outputs must depend on {what} {i}, and "
                    "they do not"
                )

    def values(self) -> Any:
        """The results, cut off unless `create_graph`."""
        found = [y if self.create_graph else wrap(y.value) for y in self.outputs]
        return one_or_all(found, self.many_out)

    def scalar(self) -> None:
        """Raise unless there is one result of a single element."""
        if self.many_out:
            raise RuntimeError(f"{self.who}: the function must return one tensor, not a tuple")
        if math.prod(self.outputs[0].shape) != 1:
            raise RuntimeError(
                f"{self.who}: the function must return a single element; it returned shape "
                f"{self.outputs[0].shape}"
            )


def _vector(who: str, v: Any, like: Sequence[Any], of: str) -> list[Any]:
    """`v` checked to be like the tensors it is multiplied with; ones, if left out."""
    if v is None:
        if len(like) != 1 or math.prod(like[0].shape) != 1:
            raise RuntimeError(
                f"{who}: v may be left out only where there is a single element in {of}"
            )
        only = like[0]
        return [wrap(1.0 if only.dtype is float else np.ones(only.shape, only.dtype)[()])]
    items, _ = as_tuple(who, "v", v)
    if len(items) != len(like):
        raise RuntimeError(f"{who}: v has {len(items)} tensors, but there are {len(like)} in {of}")
    for i, (item, other) in enumerate(zip(items, like, strict=True)):
        if item.shape != other.shape:
            raise RuntimeError(
                f"{who}: v must have the shape of {of}: tensor {i} has {item.shape}, expected "
                f"{other.shape}"
            )
    return list(items)


def vjp(
    func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The result of `func`, and `v` times its Jacobian.

    Parameters
    ----------
    func : callable
        Takes and returns a tensor or several.
    inputs : Tensor or tuple of Tensor
    v : Tensor or tuple of Tensor, optional
        Like the result; may be left out if that is a single element.
    create_graph : bool
        Let the results be differentiated.
    strict : bool
        Raise where the result does not depend on an input, rather than return zeros.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0])
    >>> autograd.functional.vjp(lambda x: (x * x).sum(), x)
    (tensor(5.), tensor([2., 4.]))
    """
    run = Run("vjp", func, inputs, create_graph, strict)
    weights = _vector("vjp", v, run.outputs, "the result")
    return run.values(), one_or_all(run.pull(weights), run.many_in)


def _forward(run: Run, tangents: Sequence[Any]) -> list[Any]:
    """The Jacobian times `tangents`: that of the gradient in what flows into it, transposed."""
    dummies = [zeros_of(y) for y in run.outputs]
    for d in dummies:
        d.requires_grad_()
    found = pulled(run.outputs, run.places, dummies, True)
    run.check(found, "input")
    pairs = [(g, t) for g, t in zip(found, tangents, strict=True) if g is not None]
    pushed = pulled([g for g, _ in pairs], dummies, [t for _, t in pairs], run.create_graph)
    return filled(pushed, dummies)


def jvp(
    func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The result of `func`, and its Jacobian times `v`; arguments as for `vjp`, `v` like inputs.

    Examples
    --------
    >>> import autograd
    >>> x, v = autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 10.0])
    >>> autograd.functional.jvp(lambda x: x * x, x, v)
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    run = Run("jvp", func, inputs, create_graph, strict)
    tangents = _vector("jvp", v, run.places, "the inputs")
    return run.values(), one_or_all(_forward(run, tangents), run.many_out)


def jacobian(
    func: Func,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func` at `inputs`.

    Parameters
    ----------
    func : callable
        Takes and returns a tensor or several.
    inputs : Tensor or tuple of Tensor
    create_graph : bool
        Let the result be differentiated.
    strict : bool
        Raise where the result does not depend on an input, rather than return zeros.
    vectorize : bool
        All rows at once by `vmap`, not one after the other.
    strategy : {"reverse-mode", "forward-mode"}
        By rows, or (with `vectorize`) by columns, for few inputs of many results.

    Returns
    -------
    Tensor or nested tuple of Tensor
        For a result of shape s and an input of shape t, one of shape s + t; a tuple over results
        of a tuple over inputs where there are tuples of these.

    Examples
    --------
    >>> import autograd
    >>> autograd.jacobian(lambda x: x * x, autograd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"jacobian: strategy must be one of {STRATEGIES}, not {strategy!r}")
    if strategy == "forward-mode":
        if not vectorize:
            raise NotImplementedError("jacobian: strategy='forward-mode' needs vectorize=True")
        if strict:
            raise RuntimeError("jacobian: strict=True needs strategy='reverse-mode'")
    run = Run("jacobian", func, inputs, create_graph, strict)
    if strategy == "forward-mode":
        return _by_columns(run)
    rows = [one_or_all(_rows_of(run, i, vectorize), run.many_in) for i in range(len(run.outputs))]
    return one_or_all(rows, run.many_out)


def _rows_of(run: Run, i: int, vectorize: bool) -> list[Any]:
    """The Jacobian of output `i` in each input."""
    y = run.outputs[i]
    count = math.prod(y.shape)
    if not count or not y.requires_grad:
        run.check([None] * (len(run.places) if count else 0), "input")
        return [wrap(np.zeros((*y.shape, *p.shape), p.dtype)[()]) for p in run.places]
    missing: list[Any] = []

    def pull(weight: Any) -> list[Any]:
        found = pulled([y], run.places, [weight], run.create_graph)
        missing[:] = found
        return filled(found, run.places)

    if y.dtype is float:
        found = pull(wrap(1.0))
        run.check(missing, "input")
        return found
    basis = one_hot(y)
    if vectorize:
        found = vmap(pull)(basis)
    else:
        columns = zip(*[pull(row) for row in basis], strict=True)
        found = [stacked(column) for column in columns]
    run.check(missing, "input")
    return [g.reshape((*y.shape, *p.shape)) for g, p in zip(found, run.places, strict=True)]


def _by_columns(run: Run) -> Any:
    """The whole Jacobian in forward mode."""
    zeros = [zeros_of(p) for p in run.places]
    columns = []
    for i, place in enumerate(run.places):

        def push(tangent: Any, i: int = i) -> list[Any]:
            return _forward(run, [tangent if j == i else z for j, z in enumerate(zeros)])

        pushed = vmap(push, out_dims=-1)(one_hot(place))
        columns.append(
            [c.reshape((*y.shape, *place.shape)) for c, y in zip(pushed, run.outputs, strict=True)]
        )
    rows = [one_or_all([c[k] for c in columns], run.many_in) for k in range(len(run.outputs))]
    return one_or_all(rows, run.many_out)


def _gradient(who: str, func: Func, several: bool, strict: bool) -> Func:
    """The gradient of a function with a single element, as a function of the same inputs."""

    def gradient(*places: Any) -> Any:
        inner = Run(who, func, tuple(places) if several else places[0], True, strict)
        inner.scalar()
        return one_or_all(inner.pull(None), several)

    return gradient


def hessian(
    func: Func,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function with a single element as its result.

    Arguments as for `jacobian`, which it is of the gradient.

    Examples
    --------
    >>> import autograd
    >>> autograd.hessian(lambda x: (x * x * x).sum(), autograd.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    _, several = as_tuple("hessian", "inputs", inputs)
    gradient = _gradient("hessian", func, several, strict)
    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def vhp(
    func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The result of `func`, a single element, and `v` times its Hessian; arguments as for `jvp`.

    Examples
    --------
    >>> import autograd
    >>> x, v = autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 10.0])
    >>> autograd.vhp(lambda x: (x**3).sum(), x, v)
    (tensor(9.), tensor([  6., 120.]))
    """
    return _second("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Func, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The result of `func`, a single element, and its Hessian times `v`; see `vhp`.

    The Hessian is symmetric, so that this is `vhp` but for functions whose is not.

    Examples
    --------
    >>> import autograd
    >>> x, v = autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 10.0])
    >>> autograd.hvp(lambda x: (x**3).sum(), x, v)
    (tensor(9.), tensor([  6., 120.]))
    """
    return _second("hvp", func, inputs, v, create_graph, strict)


def _second(
    who: str, func: Func, inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    run = Run(who, func, inputs, create_graph, strict)
    run.scalar()
    weights = _vector(who, v, run.places, "the inputs")
    first = run.pull(None, record=True)
    if strict:
        for i, g in enumerate(first):
            if not g.requires_grad:
                raise RuntimeError(
                    f"{who}: with strict=True the gradient in input {i} must depend on the inputs"
                )
    if who == "vhp":
        found = pulled(first, run.places, weights, create_graph)
        run.check(found, "input")
        return run.values(), one_or_all(filled(found, run.places), run.many_in)
    live = [g for g in first if g.requires_grad]
    dummies = [zeros_of(g).requires_grad_() for g in live]
    back = pulled(live, run.places, dummies, True)
    run.check(back, "input")
    pairs = [(b, w) for b, w in zip(back, weights, strict=True) if b is not None]
    pushed = iter(pulled([b for b, _ in pairs], dummies, [w for _, w in pairs], create_graph))
    found = [next(pushed) if g.requires_grad else None for g in first]
    return run.values(), one_or_all(filled(found, run.places), run.many_in)
