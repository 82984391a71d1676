"""Einstein summation: parsed, ordered greedily, and done by `matmul`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase
from types import EllipsisType
from typing import Any, TypeAlias

from ..families import shape_of
from .index import _index
from .linalg import _matmul
from .reduce import sum
from .shape import _permute, _reshape

LETTERS = ascii_uppercase + ascii_lowercase  # in the order in which results come without "->"

Label: TypeAlias = int  # the place in LETTERS; negative ones stand for the dimensions of "..."
Term: TypeAlias = list[Label | EllipsisType]


class Labelled:
    """A tensor and the label of each of its dimensions, all different."""

    def __init__(self, tensor: Any, labels: Sequence[Label]) -> None:
        self.tensor = tensor
        self.labels = tuple(labels)

    @property
    def sizes(self) -> dict[Label, int]:
        """The size of each label."""
        return dict(zip(self.labels, shape_of(self.tensor, "einsum"), strict=True))


# --- Reading the equation -------------------------------------------------------------------------


def _term(text: str) -> Term:
    """The labels of one operand, or of the result."""
    before, dots, after = text.partition("...")
    wrong = next((c for c in before + after if c not in LETTERS), None)
    if wrong is not None:
        raise ValueError(
            f"einsum: {wrong!r} in {text!r} is not a letter; expected letters and at most one '...'"
        )
    labels: Term = [LETTERS.index(c) for c in before]
    return labels + ([...] if dots else []) + [LETTERS.index(c) for c in after]


def _listed(labels: Any) -> Term:
    """The labels of a sublist such as ``[0, ..., 2]``."""
    term: Term = []
    for item in labels:
        if item is not Ellipsis and not 0 <= item.__index__() < len(LETTERS):
            raise ValueError(f"einsum: label {item} of a sublist must be from 0 to 51")
        term.append(item if item is Ellipsis else item.__index__())
    if term.count(Ellipsis) > 1:
        raise ValueError(f"einsum: more than one Ellipsis in {labels}")
    return term


def _parsed(args: tuple[Any, ...]) -> tuple[list[Any], list[Term], Term | None]:
    """Operands, their labels, and those of the result where they are given."""
    if not args:
        raise ValueError("einsum: expected an equation and operands")
    if isinstance(args[0], str):
        operands = list(args[1:])
        if len(operands) == 1 and isinstance(operands[0], list | tuple):
            operands = list(operands[0])
        left, arrow, right = args[0].replace(" ", "").partition("->")
        terms = [_term(t) for t in left.split(",")]
        output = _term(right) if arrow else None
    else:
        count = len(args) // 2 * 2
        operands = list(args[:count:2])
        terms = [_listed(labels) for labels in args[1:count:2]]
        output = _listed(args[-1]) if len(args) % 2 else None
    if len(terms) != len(operands) or not operands:
        raise ValueError(f"einsum: the equation is for {len(terms)} operands, met {len(operands)}")
    return operands, terms, output


def _spelled(term: Term, ndim: int, which: str) -> list[Label]:
    """Labels with the "..." spelled out, aligned from the right: the last one is -1."""
    named = [t for t in term if t is not Ellipsis]
    hidden = ndim - len(named)
    if hidden < 0 or (hidden and len(named) == len(term)):
        raise ValueError(f"einsum: {which} has {ndim} dimensions, and labels for {len(named)}")
    labels: list[Label] = []
    for t in term:
        labels += range(-hidden, 0) if t is ... else [t]
    return labels


def _named(label: Label) -> str:
    return LETTERS[label] if label >= 0 else "..."


# --- One operand ----------------------------------------------------------------------------------


def _diagonal(tensor: Any, labels: list[Label]) -> Labelled:
    """Take diagonals until no label stands twice."""
    while len(set(labels)) < len(labels):
        label = next(b for b in labels if labels.count(b) > 1)
        first = labels.index(label)
        second = labels.index(label, first + 1)
        shape = tensor.shape
        if shape[first] != shape[second]:
            raise ValueError(
                f"einsum: {_named(label)!r} stands for sizes {shape[first]} and {shape[second]} of "
                "one operand"
            )
        rest = [i for i in range(len(labels)) if i not in (first, second)]
        n = shape[first]
        tensor = _permute(tensor, dims=(*rest, first, second))
        tensor = _reshape(tensor, shape=(*(shape[i] for i in rest), n * n))
        tensor = _index(tensor, index=(..., slice(None, None, n + 1)))
        labels = [*(labels[i] for i in rest), label]
    return Labelled(tensor, labels)


def _without(operand: Labelled, dims: list[int]) -> Labelled:
    """Sum over some dimensions."""
    if not dims:
        return operand
    labels = [b for i, b in enumerate(operand.labels) if i not in dims]
    return Labelled(sum(operand.tensor, tuple(dims)), labels)


def _narrowed(operand: Labelled, sizes: dict[Label, int]) -> Labelled:
    """Drop dimensions of size one that broadcast to more."""
    mine = operand.sizes
    kept = [b for b in operand.labels if mine[b] == sizes[b]]
    if len(kept) == len(operand.labels):
        return operand
    return Labelled(_reshape(operand.tensor, shape=tuple(mine[b] for b in kept)), kept)


# --- Two operands ---------------------------------------------------------------------------------


def _arranged(operand: Labelled, labels: Sequence[Label], shape: tuple[int, ...]) -> Any:
    order = tuple(operand.labels.index(b) for b in labels)
    tensor = operand.tensor
    if order != tuple(range(len(order))):
        tensor = _permute(tensor, dims=order)
    return tensor if tensor.shape == shape else _reshape(tensor, shape=shape)


def _contracted(a: Labelled, b: Labelled, kept: set[Label]) -> Labelled:
    """Product of two operands, summed over the labels that both have and nobody needs."""
    sizes = a.sizes | b.sizes
    both = [t for t in a.labels if t in b.labels]
    batch, summed = [t for t in both if t in kept], [t for t in both if t not in kept]
    left = [t for t in a.labels if t not in both]
    right = [t for t in b.labels if t not in both]

    def of(labels: Sequence[Label]) -> tuple[int, ...]:
        return tuple(sizes[t] for t in labels)

    n, m, k, p = (math.prod(of(labels)) for labels in (batch, left, summed, right))
    result = (*batch, *left, *right)
    if not summed:
        x = _arranged(a, (*batch, *left), (*of(batch), *of(left), *(1,) * len(right)))
        w = _arranged(b, (*batch, *right), (*of(batch), *(1,) * len(left), *of(right)))
        return Labelled(x * w, result)
    if batch and not left and not right:  # many small sums: no matrices to speak of
        x = _arranged(a, (*batch, *summed), (*of(batch), k))
        w = _arranged(b, (*batch, *summed), (*of(batch), k))
        return Labelled(sum(x * w, -1), result)
    lead = (n,) if batch else ()
    x = _arranged(a, (*batch, *left, *summed), (*lead, m, k))
    w = _arranged(b, (*batch, *summed, *right), (*lead, k, p))
    return Labelled(_reshape(_matmul(x, w), shape=of(result)), result)


def _cheapest(operands: list[Labelled], output: list[Label]) -> tuple[int, int]:
    """The pair whose product adds the least memory: the usual greedy order."""

    def cost(pair: tuple[int, int]) -> int:
        a, b = (operands[i] for i in pair)
        rest = _needed([o for i, o in enumerate(operands) if i not in pair], output)
        sizes = a.sizes | b.sizes
        made = math.prod(n for t, n in sizes.items() if t in rest)
        return made - math.prod(a.sizes.values()) - math.prod(b.sizes.values())

    return min(itertools.combinations(range(len(operands)), 2), key=cost)


def _needed(operands: list[Labelled], output: list[Label]) -> set[Label]:
    return {*output, *(t for o in operands for t in o.labels)}


def _summed_alone(operands: list[Labelled], output: list[Label]) -> list[Labelled]:
    """Sum over what only one operand has and the result does not need."""
    done = []
    for i, operand in enumerate(operands):
        others = _needed(operands[:i] + operands[i + 1 :], output)
        done.append(_without(operand, [d for d, t in enumerate(operand.labels) if t not in others]))
    return done


# --- The whole ------------------------------------------------------------------------------------


def _sizes(operands: list[Labelled]) -> dict[Label, int]:
    """The size that each label stands for, ones broadcasting."""
    sizes: dict[Label, int] = {}
    for operand in operands:
        for label, n in operand.sizes.items():
            known = sizes.setdefault(label, n)
            if known == 1:
                sizes[label] = n
            elif n not in (1, known):
                shapes = [tuple(o.sizes.values()) for o in operands]
                raise ValueError(
                    f"einsum: {_named(label)!r} stands for sizes {known} and {n}; operands are of "
                    f"{shapes}"
                )
    return sizes


def _result(output: Term | None, labels: list[list[Label]]) -> list[Label]:
    """The labels of the result; without "->" those of "..." and then all that stand once."""
    every = list(itertools.chain(*labels))
    dots = sorted({t for t in every if t < 0})
    if output is None:
        return dots + sorted(t for t in set(every) if t >= 0 and every.count(t) == 1)
    spelled: list[Label] = []
    for t in output:
        spelled += dots if t is ... else [t]
    for t in spelled:
        if spelled.count(t) > 1:
            raise ValueError(f"einsum: {_named(t)!r} stands more than once in the result")
        if t not in every:
            raise ValueError(f"einsum: {_named(t)!r} of the result is in no operand")
    return spelled


def einsum(*args: Any) -> Any:
    """Sums of products along labelled dimensions.

    Parameters
    ----------
    *args
        An equation such as ``"bij,bjk->bik"`` and its operands (or a list of them); or operands
        each followed by a list of labels from 0 to 51 (and ``...``), with the list of the result
        at the end if wanted. A label that stands in the operands and not in the result is summed
        over, one that stands twice in an operand takes the diagonal, and ``...`` stands for
        further dimensions, which broadcast. Without ``->`` the result has the dimensions of
        ``...`` and then, sorted, every label that stands only once.

    Raises
    ------
    ValueError
        If the equation cannot be read, or does not fit the operands.

    Notes
    -----
    The operands are taken in pairs, always the pair whose product adds the least memory.

    Examples
    --------
    >>> import autograd
    >>> a, b = autograd.ones(2, 3), autograd.ones(3, 4)
    >>> autograd.einsum("ij,jk->ki", a, b).shape
    (4, 2)
    >>> autograd.einsum(a, [0, 1], b, [1, 2]).shape
    (2, 4)
    """
    tensors, terms, output = _parsed(args)
    labels = [
        _spelled(term, len(shape_of(t, "einsum")), f"operand {i}")
        for i, (t, term) in enumerate(zip(tensors, terms, strict=True))
    ]
    result = _result(output, labels)
    operands = [_diagonal(t, mine) for t, mine in zip(tensors, labels, strict=True)]
    sizes = _sizes(operands)
    operands = [_narrowed(o, sizes) for o in operands]
    while len(operands) > 1:
        operands = _summed_alone(operands, result)
        i, j = (0, 1) if len(operands) == 2 else _cheapest(operands, result)
        rest = [o for k, o in enumerate(operands) if k not in (i, j)]
        operands = [*rest, _contracted(operands[i], operands[j], _needed(rest, result))]
    (last,) = _summed_alone(operands, result)
    return _arranged(last, result, tuple(sizes[t] for t in result))
