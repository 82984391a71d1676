"""Gradients as functions: `grad`, `grad_and_value`, `vjp`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..graph import Variable
from ..modes import enable_grad, mode
from .places import checked, cut, cut_tree, filled, fresh, pulled, reaches_beyond, tracked
from .tree import Structure, count, flatten, unflatten

Argnums = int | tuple[int, ...]


class Chosen:
    """The arguments in which a function is differentiated, as fresh places in the graph.

    Attributes
    ----------
    args : list
        All arguments, the chosen ones renewed.
    places : list of Variable
        The leaves of the chosen arguments.
    """

    def __init__(self, who: str, args: tuple[Any, ...], argnums: Argnums, recorded: bool) -> None:
        self.single = not isinstance(argnums, tuple)
        numbers = argnums if isinstance(argnums, tuple) else (argnums,)
        if not numbers or not all(isinstance(n, int) for n in numbers):
            raise TypeError(f"{who}: argnums must be an int or a tuple of ints, not {argnums!r}")
        if any(not -len(args) <= n < len(args) for n in numbers):
            raise RuntimeError(
                f"{who}: argnums={argnums!r}, but the function was called with {len(args)} "
                "positional arguments"
            )
        numbers = [n % len(args) for n in numbers]
        if len(set(numbers)) != len(numbers):
            raise ValueError(f"{who}: argnums={argnums!r} names an argument twice")
        self.args = list(args)
        self.places: list[Any] = []
        self.structures: list[Structure] = []
        for n in numbers:
            leaves, structure = flatten(args[n])
            leaves = [fresh(checked(who, v, f"argument {n}"), recorded) for v in leaves]
            self.args[n] = unflatten(leaves, structure)
            self.places += leaves
            self.structures.append(structure)

    def arranged(self, values: list[Any]) -> Any:
        """One value for each place, in the structure of the chosen arguments."""
        trees, start = [], 0
        for structure in self.structures:
            trees.append(unflatten(values[start:], structure))
            start += count(structure)
        return trees[0] if self.single else tuple(trees)


def split_aux(who: str, result: Any, has_aux: bool) -> tuple[Any, Any]:
    """What a function returned, as ``(output, aux)``."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(
            f"{who}: with has_aux=True the function must return (output, aux), not "
            f"{type(result).__name__}"
        )
    return result


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns ``(gradient, value)`` of `func`; see `grad`.

    With `has_aux`, ``(gradient, (value, aux))``.

    Examples
    --------
    >>> import autograd
    >>> autograd.func.grad_and_value(lambda x: x**2)(autograd.tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        recorded = mode.grad
        chosen = Chosen("grad", args, argnums, recorded)
        with enable_grad():
            value, aux = split_aux("grad", func(*chosen.args, **kwargs), has_aux)
        if not isinstance(value, Variable):
            raise RuntimeError(
                "grad: the function must return a tensor of a single element, not "
                f"{type(value).__name__}"
            )
        if value.shape != ():
            raise RuntimeError(
                "grad: the function must return a scalar (a tensor with no dimensions); it "
                f"returned one of shape {value.shape}. Sum or average it, or use jacrev() for the "
                "derivative of each element."
            )
        record = recorded and reaches_beyond([value], chosen.places)
        aux = cut_tree(aux, chosen.places)
        found = pulled([value], chosen.places, None, record, keep=False)
        gradient = chosen.arranged(filled(found, chosen.places))
        value = cut(value, chosen.places)
        return gradient, (value, aux) if has_aux else value

    return differentiated


def grad(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the gradient of `func`, a function with a scalar result.

    Parameters
    ----------
    func : callable
        Takes tensors, or tuples, lists and dictionaries of them; returns a tensor of shape ().
    argnums : int or tuple of int
        In which positional arguments.
    has_aux : bool
        `func` returns ``(output, aux)``, and the gradient comes as ``(gradient, aux)``.

    Returns
    -------
    callable
        Its result has the structure of the chosen argument (a tuple of such for a tuple).

    Raises
    ------
    RuntimeError
        If the result is not a scalar.
    TypeError
        If a chosen argument is not of floating-point tensors.

    Examples
    --------
    >>> import autograd
    >>> from autograd.func import grad
    >>> grad(grad(lambda x: x**3))(autograd.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return differentiated


def value_and_grad(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns ``(value, gradient)`` of `func`: `grad_and_value` in JAX's order.

    With `has_aux`, ``((value, aux), gradient)``.

    Examples
    --------
    >>> import autograd
    >>> autograd.value_and_grad(lambda x: (x * x).sum())(autograd.tensor([1.0, 2.0]))
    (tensor(5.), tensor([2., 4.]))
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return value, gradient

    return differentiated


def cotangents_for(who: str, outputs: list[Any], given: Any, structure: Structure) -> list[Any]:
    """The leaves of `given`, checked to be like `outputs`."""
    leaves, found = flatten(given)
    if found != structure:
        raise RuntimeError(f"{who}: expected a structure like {structure}, met {found}")
    for i, (leaf, output) in enumerate(zip(leaves, outputs, strict=True)):
        checked(who, leaf, f"entry {i}")
        if leaf.shape != output.shape:
            raise RuntimeError(
                f"{who}: entry {i} has shape {leaf.shape}, but what it belongs to has "
                f"{output.shape}"
            )
    return leaves


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Run `func`, and return its result with a function that pulls gradients back through it.

    Parameters
    ----------
    func : callable
    *primals : Tensor, or tuple, list or dict of them
        Its arguments.
    has_aux : bool
        `func` returns ``(output, aux)``.

    Returns
    -------
    output
        Of `func`.
    vjp_fn : callable
        Takes cotangents in the structure of the output, and returns one gradient for each
        primal, in a tuple: the cotangents times the Jacobian. It may be called again.
    aux
        Only with `has_aux`.

    Examples
    --------
    >>> import autograd
    >>> y, pull = autograd.vjp(lambda x: x**2, autograd.tensor([1.0, 2.0]))
    >>> pull(autograd.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    if not primals:
        raise ValueError("vjp: expected at least one argument to differentiate in")
    recorded = mode.grad
    chosen = Chosen("vjp", primals, tuple(range(len(primals))), recorded)
    with enable_grad():
        output, aux = split_aux("vjp", func(*chosen.args), has_aux)
    leaves, structure = flatten(output)
    for leaf in leaves:
        if not isinstance(leaf, Variable):
            raise RuntimeError(f"vjp: the function must return tensors, not {type(leaf).__name__}")

    def vjp_fn(*cotangents: Any) -> Any:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        weights = cotangents_for("vjp", leaves, given, structure)
        record = mode.grad and (
            any(tracked(w) for w in weights) or reaches_beyond(leaves, chosen.places)
        )
        found = pulled(leaves, chosen.places, weights, record)
        return chosen.arranged(filled(found, chosen.places))

    result = cut_tree(output, chosen.places)
    return (result, vjp_fn, cut_tree(aux, chosen.places)) if has_aux else (result, vjp_fn)
