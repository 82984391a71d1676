"""Whole Jacobians and Hessians, all rows or all columns at once by `vmap`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Variable, wrap
from ..modes import enable_grad, mode
from .batching import vmap
from .forward import Linear
from .places import cut_tree, filled, pulled, reaches_beyond, zeros_of
from .reverse import Argnums, Chosen, split_aux
from .tree import flatten, unflatten


def one_hot(like: Any) -> Any:
    """Every basis element of the space of `like`, along a new dimension 0."""
    n = math.prod(like.shape)
    return wrap(np.eye(n, dtype=like.dtype).reshape(n, *like.shape))


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that returns the Jacobian of `func`, row by row: for few results of many inputs.

    Parameters
    ----------
    func : callable
        Takes and returns tensors, or tuples, lists and dictionaries of them.
    argnums : int or tuple of int
        In which positional arguments.
    has_aux : bool
        `func` returns ``(output, aux)``, and the Jacobian comes as ``(jacobian, aux)``.
    chunk_size : int, optional
        So many rows at a time, for the sake of memory; default all at once.

    Returns
    -------
    callable
        For a tensor of shape s and an argument of shape t it returns one of shape s + t; for a
        structure of results, that structure of such.

    Examples
    --------
    >>> import autograd
    >>> from autograd.func import jacrev
    >>> jacrev(lambda x: x * x)(autograd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        recorded = mode.grad
        chosen = Chosen("jacrev", args, argnums, recorded)
        with enable_grad():
            output, aux = split_aux("jacrev", func(*chosen.args, **kwargs), has_aux)
        leaves, structure = flatten(output)
        rows = []
        for leaf in leaves:
            if not isinstance(leaf, Variable):
                raise RuntimeError(
                    f"jacrev: the function must return tensors, not {type(leaf).__name__}"
                )
            rows.append(chosen.arranged(_rows(leaf, chosen.places, recorded, chunk_size)))
        found = unflatten(rows, structure)
        return (found, cut_tree(aux, chosen.places)) if has_aux else found

    return jacobian


def _rows(y: Any, places: list[Any], recorded: bool, chunk_size: int | None) -> list[Any]:
    """The Jacobian of `y` in each place."""
    if not y.requires_grad or not math.prod(y.shape):
        empty = [np.zeros((*y.shape, *p.shape), p.dtype) for p in places]
        return [wrap(e[()]) for e in empty]
    record = recorded and reaches_beyond([y], places)

    def pull(weight: Any) -> list[Any]:
        return filled(pulled([y], places, [weight], record), places)

    found = vmap(pull, chunk_size=chunk_size)(one_hot(y))
    return [g.reshape((*y.shape, *p.shape)) for g, p in zip(found, places, strict=True)]


def jacfwd(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    randomness: str = "error",
) -> Callable[..., Any]:
    """A function that returns the Jacobian of `func`, column by column; see `jacrev`.

    For few inputs of many results. `chunk_size` columns at a time (default: all at once) take less
    memory.

    Examples
    --------
    >>> import autograd
    >>> from autograd.func import jacfwd
    >>> jacfwd(lambda x: x * x)(autograd.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        numbers = argnums if isinstance(argnums, tuple) else (argnums,)
        chosen = Chosen("jacfwd", args, argnums, False)  # checks; says what belongs to what
        numbers = tuple(n % len(args) for n in numbers)

        def partly(*inside: Any) -> Any:
            full = list(args)
            for n, value in zip(numbers, inside, strict=True):
                full[n] = value
            return func(*full, **kwargs)

        linear = Linear("jacfwd", partly, tuple(args[n] for n in numbers), has_aux)
        zeros = [zeros_of(p) for p in linear.places]
        columns = []  # for each place, for each result
        for i, place in enumerate(linear.places):

            def push(tangent: Any, i: int = i) -> list[Any]:
                return linear.push([tangent if j == i else z for j, z in enumerate(zeros)])

            if math.prod(place.shape):
                pushed = vmap(push, out_dims=-1, randomness=randomness, chunk_size=chunk_size)(
                    one_hot(place)
                )
            else:
                pushed = [wrap(np.zeros((*y.shape, 0), y.dtype)) for y in linear.leaves]
            columns.append(
                [
                    c.reshape((*y.shape, *place.shape))
                    for c, y in zip(pushed, linear.leaves, strict=True)
                ]
            )
        rows = [
            chosen.arranged([column[k] for column in columns]) for k in range(len(linear.leaves))
        ]
        found = unflatten(rows, linear.structure)
        return (found, linear.aux) if has_aux else found

    return jacobian


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that returns the second derivatives of `func`: ``jacfwd(jacrev(func))``.

    Examples
    --------
    >>> import autograd
    >>> from autograd.func import hessian
    >>> hessian(lambda x: (x * x * x).sum())(autograd.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
