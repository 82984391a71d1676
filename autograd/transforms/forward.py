"""Derivatives along a direction: `jvp` and `linearize`.

There are no forward rules: the gradient is linear in what flows into it, so the derivative of the
gradient in that is the Jacobian itself, and pulling a tangent back through it pushes the tangent
forward through the function. This takes two walks backwards where forward rules would take one
walk, and no second set of formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph import Variable
from ..modes import enable_grad, mode
from .places import cut_tree, filled, pulled, reaches_beyond, tracked, zeros_of
from .reverse import Chosen, cotangents_for, split_aux
from .tree import flatten, unflatten


class Linear:
    """A function linearised at a point: `push` takes tangents of its arguments to its results'."""

    def __init__(
        self, who: str, func: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool
    ) -> None:
        chosen = Chosen(who, primals, tuple(range(len(primals))), mode.grad)
        self.who, self.places = who, chosen.places
        with enable_grad():
            output, aux = split_aux(who, func(*chosen.args), has_aux)
            self.leaves, self.structure = flatten(output)
            for leaf in self.leaves:
                if not isinstance(leaf, Variable):
                    raise RuntimeError(
                        f"{who}: the function must return tensors, not {type(leaf).__name__}"
                    )
            self.beyond = reaches_beyond(self.leaves, self.places)
            self.weights = [
                zeros_of(y).requires_grad_() if y.requires_grad else None for y in self.leaves
            ]
            self.gradients = pulled(self.leaves, self.places, self.weights, record=True)
        self.output = cut_tree(output, self.places)
        self.aux = cut_tree(aux, self.places)

    def push(self, tangents: list[Any]) -> list[Any]:
        """Tangents of the results, for one tangent at each place."""
        record = mode.grad and (self.beyond or any(tracked(t) for t in tangents))
        pairs = [(g, t) for g, t in zip(self.gradients, tangents, strict=True) if g is not None]
        places = [w for w in self.weights if w is not None]
        found = iter(pulled([g for g, _ in pairs], places, [t for _, t in pairs], record))
        pushed = [None if w is None else next(found) for w in self.weights]
        return filled(pushed, self.leaves)


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """The result of `func`, and its derivative along `tangents`: the Jacobian times them.

    Parameters
    ----------
    func : callable
    primals : tuple
        Arguments: tensors, or tuples, lists and dictionaries of them.
    tangents : tuple
        The direction, in the structure and shapes of `primals`.
    strict : bool
        Raise if the result does not depend on the arguments, rather than return zeros.
    has_aux : bool
        `func` returns ``(output, aux)``; aux comes as a third result.

    Raises
    ------
    RuntimeError
        If tangents do not fit the primals.

    Examples
    --------
    >>> import autograd
    >>> x, t = autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 10.0])
    >>> autograd.jvp(lambda x: x**2, (x,), (t,))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    if not isinstance(primals, tuple) or not primals:
        raise RuntimeError(f"jvp: primals must be a non-empty tuple, not {type(primals).__name__}")
    leaves, structure = flatten(primals)
    if not isinstance(tangents, tuple):
        raise RuntimeError(f"jvp: tangents must be a tuple, not {type(tangents).__name__}")
    given = cotangents_for("jvp: tangents", leaves, tangents, structure)
    linear = Linear("jvp", func, primals, has_aux)
    if strict and not all(y.requires_grad for y in linear.leaves):
        raise RuntimeError("jvp: with strict=True each output must depend on the primals")
    pushed = unflatten(linear.push(given), linear.structure)
    return (linear.output, pushed, linear.aux) if has_aux else (linear.output, pushed)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The result of `func`, and its derivative at `primals` as a function of the tangents.

    `func` runs once, however many tangents are pushed.

    Examples
    --------
    >>> import autograd
    >>> y, push = autograd.func.linearize(lambda x: x**2, autograd.tensor([1.0, 2.0]))
    >>> push(autograd.tensor([1.0, 10.0]))
    tensor([ 2., 40.])
    """
    linear = Linear("linearize", func, primals, has_aux=False)
    leaves, structure = flatten(primals)

    def push(*tangents: Any) -> Any:
        given = cotangents_for("linearize: tangents", leaves, tangents, structure)
        return unflatten(linear.push(given), linear.structure)

    return linear.output, push
