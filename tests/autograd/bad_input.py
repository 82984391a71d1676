"""Bad input to the ops, for test_bad_input.py: calls that must fail, and what must be said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

M = np.arange(6.0).reshape(2, 3)
V = np.array([1.0, 2.0, 3.0])
INTS = np.array([[0, 1, 2], [2, 1, 0]])
MASK = np.array([[True, False, True], [False, True, False]])
IMAGE = np.arange(32.0).reshape(1, 2, 4, 4)
LINE = np.arange(10.0).reshape(1, 2, 5)
SQUARE = np.array([[2.0, 1.0], [1.0, 3.0]])


class Bad(NamedTuple):
    """A call that must fail: of a library, its functional module, and its `tensor`."""

    call: Callable[[Any, Any, Any], Any]
    met: tuple[str, ...]
    """What the message must hold: shapes, sizes, dtypes and numbers of the call."""


ELEMENTWISE = {
    "add shapes": Bad(lambda lib, F, t: t(M) + t(np.ones(2)), ("(2, 3)", "(2,)")),
    "mul shapes": Bad(lambda lib, F, t: t(M) * t(np.ones((4, 3))), ("(2, 3)", "(4, 3)")),
    "compare shapes": Bad(lambda lib, F, t: t(M) < t(np.ones(2)), ("(2, 3)", "(2,)")),
    "where shapes": Bad(
        lambda lib, F, t: lib.where(t(MASK), t(M), t(np.ones(2))), ("(2, 3)", "(2,)")
    ),
    "maximum shapes": Bad(lambda lib, F, t: lib.maximum(t(M), t(np.ones(2))), ("(2, 3)", "(2,)")),
    "add text": Bad(lambda lib, F, t: lib.add(t(M), "1"), ("str",)),
    "exp of a list": Bad(lambda lib, F, t: lib.exp([1.0, 2.0]), ("list",)),
    "exp of two": Bad(lambda lib, F, t: lib.exp(t(M), t(M)), ()),
    "maximum of one": Bad(lambda lib, F, t: lib.maximum(t(M)), ()),
    "bits of floats": Bad(lambda lib, F, t: lib.bitwise_and(t(M), t(M)), ("float64",)),
    "clamp by nothing": Bad(lambda lib, F, t: lib.clamp(t(M)), ("min",)),
    "sub of bools": Bad(lambda lib, F, t: t(MASK) - t(MASK), ("bool",)),
    "neg of bools": Bad(lambda lib, F, t: -t(MASK), ("bool",)),
    "div rounding": Bad(lambda lib, F, t: lib.div(t(M), 2.0, rounding_mode="up"), ("'up'",)),
    "lerp shapes": Bad(lambda lib, F, t: lib.lerp(t(M), t(np.ones(2)), 0.5), ("(2, 3)", "(2,)")),
    "int zero division": Bad(lambda lib, F, t: t(INTS) // t(np.zeros(3, np.int64)), ()),
    "keyword": Bad(lambda lib, F, t: lib.exp(t(M), size=2), ("size",)),
    "gelu word": Bad(lambda lib, F, t: F.gelu(t(M), approximate="tan"), ("'tan'",)),
    "prelu weights": Bad(lambda lib, F, t: F.prelu(t(M), t(np.ones(2))), ("2", "3")),
    "glu odd": Bad(lambda lib, F, t: F.glu(t(M), 1), ("3",)),
    "softmax dim": Bad(lambda lib, F, t: lib.softmax(t(M), 2), ("2",)),
}

REDUCTION = {
    "sum dim": Bad(lambda lib, F, t: t(M).sum(2), ("2",)),
    "sum negative dim": Bad(lambda lib, F, t: t(M).sum(-3), ("-3",)),
    "sum dims twice": Bad(lambda lib, F, t: t(M).sum((0, 0)), ("(0, 0)",)),
    "sum dims twice, one negative": Bad(lambda lib, F, t: t(M).sum((0, -2)), ("(0, -2)",)),
    "sum dim is text": Bad(lambda lib, F, t: t(M).sum("rows"), ("str",)),
    "sum dim is a float": Bad(lambda lib, F, t: t(M).sum(1.5), ("float",)),
    "mean of integers": Bad(lambda lib, F, t: t(INTS).mean(), ("int64",)),
    "amax of nothing": Bad(lambda lib, F, t: t(np.ones((2, 0))).amax(1), ("(2, 0)",)),
    "max of nothing": Bad(lambda lib, F, t: t(np.ones((2, 0))).max(), ("(2, 0)",)),
    "max along nothing": Bad(lambda lib, F, t: t(np.ones((2, 0))).max(1), ("(2, 0)",)),
    "argmax of nothing": Bad(lambda lib, F, t: t(np.ones((2, 0))).argmax(), ("(2, 0)",)),
    "argmax along nothing": Bad(lambda lib, F, t: t(np.ones((2, 0))).argmax(1), ("(2, 0)",)),
    "argmax dim": Bad(lambda lib, F, t: t(M).argmax(2), ("2",)),
    "max dim": Bad(lambda lib, F, t: t(M).max(5), ("5",)),
    "var of integers": Bad(lambda lib, F, t: t(INTS).var(), ("int64",)),
    "norm of integers": Bad(lambda lib, F, t: lib.norm(t(INTS)), ("int64",)),
    "norm word": Bad(lambda lib, F, t: lib.norm(t(M), "two"), ("'two'",)),
    "logsumexp dim": Bad(lambda lib, F, t: t(M).logsumexp(2), ("2",)),
    "cumsum dim": Bad(lambda lib, F, t: t(M).cumsum(2), ("2",)),
    "cumsum without dim": Bad(lambda lib, F, t: t(M).cumsum(), ("dim",)),
    "prod dim": Bad(lambda lib, F, t: t(M).prod(2), ("2",)),
    "median dim": Bad(lambda lib, F, t: t(M).median(3), ("3",)),
    "diff of a number": Bad(lambda lib, F, t: t(np.float64(1.0)).diff(), ()),
    "all dim": Bad(lambda lib, F, t: t(MASK).all(4), ("4",)),
}

MOVEMENT = {
    "reshape": Bad(lambda lib, F, t: t(M).reshape(4, 2), ("(2, 3)", "(4, 2)")),
    "reshape two -1": Bad(lambda lib, F, t: t(M).reshape(-1, -1), ("(-1, -1)",)),
    "reshape negative": Bad(lambda lib, F, t: t(M).reshape(-2, -3), ("(-2, -3)",)),
    "reshape -1": Bad(lambda lib, F, t: t(M).reshape(4, -1), ("(2, 3)", "4")),
    "view": Bad(lambda lib, F, t: t(M).view(7), ("(2, 3)", "7")),
    "reshape by a float": Bad(lambda lib, F, t: t(M).reshape(6.0), ("6.0",)),
    "permute short": Bad(lambda lib, F, t: t(M).permute(0), ("(0,)",)),
    "permute twice": Bad(lambda lib, F, t: t(M).permute(0, 0), ("(0, 0)",)),
    "permute dim": Bad(lambda lib, F, t: t(M).permute(0, 2), ("2",)),
    "transpose dim": Bad(lambda lib, F, t: t(M).transpose(0, 2), ("2",)),
    "expand": Bad(lambda lib, F, t: t(M).expand(2, 4), ("(2, 3)", "(2, 4)")),
    "expand short": Bad(lambda lib, F, t: t(M).expand(3), ("(2, 3)", "(3,)")),
    "broadcast_to": Bad(lambda lib, F, t: lib.broadcast_to(t(M), (3, 3)), ("(2, 3)", "(3, 3)")),
    "squeeze dim": Bad(lambda lib, F, t: t(M).squeeze(2), ("2",)),
    "unsqueeze dim": Bad(lambda lib, F, t: t(M).unsqueeze(4), ("4",)),
    "flatten order": Bad(lambda lib, F, t: t(IMAGE).flatten(2, 1), ("2", "1")),
    "flatten dim": Bad(lambda lib, F, t: t(M).flatten(0, 5), ("5",)),
    "unflatten": Bad(lambda lib, F, t: t(M).unflatten(1, (2, 2)), ("(2, 2)", "3")),
    "cat shapes": Bad(lambda lib, F, t: lib.cat([t(M), t(np.ones((2, 2)))]), ("(2, 3)", "(2, 2)")),
    "cat ndims": Bad(lambda lib, F, t: lib.cat([t(M), t(V)]), ("(2, 3)", "(3,)")),
    "cat nothing": Bad(lambda lib, F, t: lib.cat([]), ()),
    "cat dim": Bad(lambda lib, F, t: lib.cat([t(M), t(M)], 2), ("2",)),
    "stack shapes": Bad(lambda lib, F, t: lib.stack([t(M), t(V)]), ("(2, 3)", "(3,)")),
    "stack nothing": Bad(lambda lib, F, t: lib.stack([]), ()),
    "stack dim": Bad(lambda lib, F, t: lib.stack([t(M)], 4), ("4",)),
    "split sizes": Bad(lambda lib, F, t: t(M).split([1, 1], 1), ("(1, 1)", "3")),
    "split negative": Bad(lambda lib, F, t: t(M).split(-1), ("-1",)),
    "chunk none": Bad(lambda lib, F, t: t(M).chunk(0), ("0",)),
    "flip dim": Bad(lambda lib, F, t: t(M).flip(2), ("2",)),
    "flip twice": Bad(lambda lib, F, t: t(M).flip((0, 0)), ("0",)),
    "roll lengths": Bad(lambda lib, F, t: t(M).roll((1, 2), (0,)), ("(1, 2)", "(0,)")),
    "rot90 dims": Bad(lambda lib, F, t: lib.rot90(t(M), 1, (0, 0)), ("0",)),
    "repeat short": Bad(lambda lib, F, t: t(M).repeat(2), ("2",)),
    "repeat negative": Bad(lambda lib, F, t: t(M).repeat(2, -1), ("-1",)),
    "repeat_interleave lengths": Bad(
        lambda lib, F, t: t(M).repeat_interleave(t(np.array([1, 2])), 1), ("2", "3")
    ),
    "narrow": Bad(lambda lib, F, t: t(M).narrow(1, 2, 2), ("2", "3")),
    "select": Bad(lambda lib, F, t: t(M).select(1, 3), ("3",)),
    "diagonal twice": Bad(lambda lib, F, t: t(M).diagonal(0, 1, 1), ("1",)),
    "diag of three dims": Bad(lambda lib, F, t: lib.diag(t(IMAGE[0])), ("(2, 4, 4)",)),
    "tril of a vector": Bad(lambda lib, F, t: t(V).tril(), ("(3,)",)),
    "movedim lengths": Bad(lambda lib, F, t: t(M).movedim((0, 1), (0,)), ("(0, 1)", "(0,)")),
    "unfold size": Bad(lambda lib, F, t: t(M).unfold(1, 4, 1), ("4", "3")),
    "unfold step": Bad(lambda lib, F, t: t(M).unfold(1, 2, 0), ("0",)),
    "pad odd": Bad(lambda lib, F, t: F.pad(t(M), (1, 1, 1)), ("(1, 1, 1)",)),
    "pad many": Bad(lambda lib, F, t: F.pad(t(V), (1, 1, 1, 1)), ("(1, 1, 1, 1)",)),
    "pad cut": Bad(lambda lib, F, t: F.pad(t(V), (-2, -2)), ("(3,)",)),
    "pad mode": Bad(lambda lib, F, t: F.pad(t(M), (1, 1), mode="edge"), ("'edge'",)),
    "meshgrid of matrices": Bad(
        lambda lib, F, t: lib.meshgrid(t(M), t(M), indexing="ij"), ("(2, 3)",)
    ),
    "pixel_shuffle": Bad(lambda lib, F, t: F.pixel_shuffle(t(IMAGE), 2), ("2",)),
}

CONTRACTION = {
    "matmul": Bad(lambda lib, F, t: t(M) @ t(M), ("(2, 3)",)),
    "matmul vector": Bad(lambda lib, F, t: t(M) @ t(np.ones(2)), ("(2, 3)", "(2,)")),
    "matmul batches": Bad(
        lambda lib, F, t: t(np.ones((2, 2, 3))) @ t(np.ones((3, 3, 2))), ("(2, 2, 3)", "(3, 3, 2)")
    ),
    "matmul of a number": Bad(lambda lib, F, t: t(M) @ t(np.float64(2.0)), ("()",)),
    "mm of vectors": Bad(lambda lib, F, t: lib.mm(t(V), t(V)), ("(3,)",)),
    "mv": Bad(lambda lib, F, t: lib.mv(t(M), t(np.ones(2))), ("(2, 3)", "(2,)")),
    "bmm": Bad(lambda lib, F, t: lib.bmm(t(M), t(M)), ("(2, 3)",)),
    "dot lengths": Bad(lambda lib, F, t: lib.dot(t(V), t(np.ones(2))), ("(3,)", "(2,)")),
    "dot of matrices": Bad(lambda lib, F, t: lib.dot(t(M), t(M)), ("(2, 3)",)),
    "outer of matrices": Bad(lambda lib, F, t: lib.outer(t(M), t(V)), ("(2, 3)",)),
    "inner": Bad(lambda lib, F, t: lib.inner(t(M), t(np.ones(2))), ("(2, 3)", "(2,)")),
    "cross sizes": Bad(lambda lib, F, t: lib.cross(t(M), t(M), dim=0), ("(2, 3)",)),
    "tensordot": Bad(lambda lib, F, t: lib.tensordot(t(M), t(M), 1), ("(2, 3)",)),
    "einsum sizes": Bad(lambda lib, F, t: lib.einsum("ij,jk->ik", t(M), t(M)), ("2", "3")),
    "einsum operands": Bad(lambda lib, F, t: lib.einsum("ij,jk->ik", t(M)), ("2", "1")),
    "einsum letters": Bad(lambda lib, F, t: lib.einsum("ijk->i", t(M)), ("2", "3")),
    "addmm": Bad(lambda lib, F, t: lib.addmm(t(V), t(M), t(M)), ("(2, 3)",)),
    "linear": Bad(lambda lib, F, t: F.linear(t(M), t(np.ones((4, 2)))), ("(2, 3)", "(4, 2)")),
    "bilinear": Bad(lambda lib, F, t: F.bilinear(t(M), t(M), t(np.ones((2, 3, 4)))), ("3", "4")),
    "cdist": Bad(lambda lib, F, t: lib.cdist(t(M), t(np.ones((2, 2)))), ("(2, 3)", "(2, 2)")),
    "kinds of matmul": Bad(lambda lib, F, t: t(MASK) @ "x", ("str",)),
}

INDEXING = {
    "index": Bad(lambda lib, F, t: t(M)[2], ("2",)),
    "index negative": Bad(lambda lib, F, t: t(M)[-3], ("-3",)),
    "index many": Bad(lambda lib, F, t: t(M)[0, 0, 0], ("(2, 3)",)),
    "index array": Bad(lambda lib, F, t: t(M)[t(np.array([0, 2]))], ("2",)),
    "index by floats": Bad(lambda lib, F, t: t(M)[t(V)], ("float64",)),
    "index by a float": Bad(lambda lib, F, t: t(M)[1.0], ("float",)),
    "index by text": Bad(lambda lib, F, t: t(M)["a"], ("str",)),
    "mask shape": Bad(lambda lib, F, t: t(M)[t(MASK[:, :2])], ("(2, 3)",)),
    "index shapes": Bad(
        lambda lib, F, t: t(M)[t(np.array([0, 1])), t(np.array([0, 1, 2]))], ("(2,)", "(3,)")
    ),
    "setitem": Bad(lambda lib, F, t: t(M).__setitem__(2, 1.0), ("2",)),
    "setitem shape": Bad(lambda lib, F, t: t(M).__setitem__(0, t(np.ones(2))), ("(2, 3)",)),
    "gather range": Bad(lambda lib, F, t: t(M).gather(1, t(INTS + 1)), ("3",)),
    "gather dims": Bad(lambda lib, F, t: t(M).gather(1, t(np.array([0]))), ("(2, 3)", "(1,)")),
    "gather dtype": Bad(lambda lib, F, t: t(M).gather(1, t(M)), ("float64",)),
    "gather dim": Bad(lambda lib, F, t: t(M).gather(2, t(INTS)), ("2",)),
    "gather size": Bad(
        lambda lib, F, t: t(M).gather(1, t(np.zeros((3, 1), np.int64))), ("(2, 3)", "(3, 1)")
    ),
    "index_select range": Bad(lambda lib, F, t: t(M).index_select(0, t(np.array([2]))), ("2",)),
    "index_select dims": Bad(lambda lib, F, t: t(M).index_select(0, t(INTS)), ("(2, 3)",)),
    "take range": Bad(lambda lib, F, t: lib.take(t(M), t(np.array([6]))), ("6",)),
    "scatter range": Bad(lambda lib, F, t: t(M).scatter(1, t(INTS + 1), t(M)), ("3",)),
    "scatter reduce": Bad(
        lambda lib, F, t: t(M).scatter_reduce(1, t(INTS), t(M), "median"), ("'median'",)
    ),
    "scatter_add size": Bad(
        lambda lib, F, t: t(M).scatter_add(1, t(INTS), t(M[:, :1])), ("(2, 3)", "(2, 1)")
    ),
    "index_add length": Bad(
        lambda lib, F, t: t(M).index_add(0, t(np.array([0])), t(M)), ("1", "2")
    ),
    "index_add range": Bad(lambda lib, F, t: t(M).index_add(0, t(np.array([0, 2])), t(M)), ("2",)),
    "index_copy": Bad(lambda lib, F, t: t(M).index_copy(0, t(np.array([0])), t(M)), ("1", "2")),
    "masked_fill mask": Bad(lambda lib, F, t: t(M).masked_fill(t(INTS), 0.0), ("int64",)),
    "masked_fill shape": Bad(
        lambda lib, F, t: t(M).masked_fill(t(MASK[:, :2]), 0.0), ("(2, 3)", "(2, 2)")
    ),
    "masked_select": Bad(lambda lib, F, t: t(M).masked_select(t(INTS)), ("int64",)),
    "masked_scatter": Bad(
        lambda lib, F, t: t(M).masked_scatter(t(MASK), t(np.ones(2))), ("3", "2")
    ),
    "put range": Bad(lambda lib, F, t: t(M).put(t(np.array([6])), t(np.ones(1))), ("6",)),
    "embedding range": Bad(lambda lib, F, t: F.embedding(t(np.array([2])), t(M)), ("2",)),
    "embedding floats": Bad(lambda lib, F, t: F.embedding(t(V), t(M)), ("float64",)),
    "one_hot": Bad(lambda lib, F, t: F.one_hot(t(np.array([3])), 3), ("3",)),
    "take_along_dim": Bad(lambda lib, F, t: lib.take_along_dim(t(M), t(M), 0), ("float64",)),
}
