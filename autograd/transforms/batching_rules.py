"""How ops run on a batch, by family: elementwise, reduction, movement, contraction.

A rule gets a `Call`, in which the batch is dimension 0 of every argument that has one, and returns
the result for all examples, its batch in front; None where it does not know how.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import OPS, Op, Spec

Rule = Callable[["Call"], Any]


@dataclass
class Call:
    """A call of an op with a batch among its arguments.

    Attributes
    ----------
    op : Op
    args : list
        Variables and raw values.
    batched : list of bool
        Which of them have the examples along dimension 0.
    params : dict
        Metadata for one example.
    size : int
        How many examples.
    """

    op: Op
    args: list[Any]
    batched: list[bool]
    params: dict[str, Any]
    size: int

    def rank(self, i: int) -> int:
        """Number of dimensions that argument `i` has for one example."""
        return len(getattr(self.args[i], "shape", ())) - self.batched[i]

    def all(self) -> list[Any]:
        """The arguments with every array among them repeated for each example."""
        return [
            a if b or not hasattr(a, "shape") else expand(a, (self.size, *a.shape))
            for a, b in zip(self.args, self.batched, strict=True)
        ]

    def run(self, *args: Any, **params: Any) -> Any:
        """The op itself."""
        return self.op.function(*args, **params)

    def spec(self, i: int) -> Any:
        """What argument `i` is for one example."""
        a = self.args[i]
        return Spec(a.shape[1:], a.dtype) if self.batched[i] else a


def reshape(x: Any, shape: Sequence[int]) -> Any:
    """Another shape."""
    return x if x.shape == tuple(shape) else OPS["reshape"].function(x, shape=tuple(shape))


def expand(x: Any, shape: Sequence[int]) -> Any:
    """Repeat along leading dimensions."""
    return OPS["expand"].function(x, shape=tuple(shape))


def permute(x: Any, dims: Sequence[int]) -> Any:
    """Reorder dimensions."""
    return OPS["permute"].function(x, dims=tuple(dims))


def matmul(a: Any, b: Any) -> Any:
    """Matrix product."""
    return OPS["matmul"].function(a, b)


def batch_first(x: Any, dim: int) -> Any:
    """Move dimension `dim` to the front."""
    dim %= len(x.shape)
    return x if dim == 0 else permute(x, (dim, *(i for i in range(len(x.shape)) if i != dim)))


def aligned(x: Any, rank: int) -> Any:
    """A batch of examples with dimensions of one put before theirs, until they have `rank`."""
    return reshape(x, (x.shape[0], *(1,) * (rank - len(x.shape) + 1), *x.shape[1:]))


def elementwise(call: Call) -> Any:
    """The batch broadcasts like any dimension, once examples have as many dimensions as others."""
    ranks = [call.rank(i) for i in range(len(call.args))]
    top = max(ranks)
    args = [aligned(a, top) if b else a for a, b in zip(call.args, call.batched, strict=True)]
    y = call.run(*args, **call.params)
    if 0 in ranks and top and y.dtype.kind != "b":
        # A single element does not decide the dtype; a batch of single elements would.
        wanted = call.op.infer(*[call.spec(i) for i in range(len(call.args))], **call.params).dtype
        if y.dtype != wanted:
            return OPS["cast"].function(y, dtype=wanted)
    return y


def reduction(call: Call) -> Any:
    """The dimensions that are folded stand one further to the right."""
    (x,), params = call.args, dict(call.params)
    dim = params.pop("dim")
    if not call.rank(0):
        return call.run(reshape(x, (call.size, 1)), **params | {"dim": 1, "keepdim": False})
    keepdim = params.pop("keepdim")
    return call.run(x, dim=tuple(d + 1 for d in dim), keepdim=keepdim, **params)


def along_dim(call: Call) -> Any:
    """All arguments have the dimension `dim`: it stands one further to the right."""
    if any(call.rank(i) == 0 for i, a in enumerate(call.args) if hasattr(a, "shape")):
        return None
    return call.run(*call.all(), **call.params | {"dim": call.params["dim"] + 1})


def to_shape(call: Call) -> Any:
    """Reshape each example."""
    return reshape(call.args[0], (call.size, *call.params["shape"]))


def permuted(call: Call) -> Any:
    """Reorder the dimensions of each example."""
    return permute(call.args[0], (0, *(d + 1 for d in call.params["dims"])))


def expanded(call: Call) -> Any:
    """Repeat dimensions of each example."""
    shape = call.params["shape"]
    return expand(aligned(call.args[0], len(shape)), (call.size, *shape))


def unchanged(call: Call) -> Any:
    """Nothing is different for a batch in front."""
    return call.run(*call.args, **call.params)


def padded(call: Call) -> Any:
    """No border around the batch."""
    return call.run(call.args[0], **call.params | {"widths": ((0, 0), *call.params["widths"])})


def _leading(index: tuple[Any, ...]) -> bool | None:
    """True if NumPy puts what index arrays pick in front; None if the rule below does not know."""
    kinds = [isinstance(e, np.ndarray) for e in index]
    if not any(kinds):
        return None if any(isinstance(e, bool | np.bool_) for e in index) else False
    if any(isinstance(e, bool | np.bool_) for e in index):
        return None
    at = [
        i for i, e in enumerate(index) if not (e is None or e is Ellipsis or isinstance(e, slice))
    ]
    return at[-1] - at[0] >= len(at)


def indexed(call: Call) -> Any:
    """A full slice for the batch before the index of one example."""
    index = call.params["index"]
    if _leading(index) is not False:
        return None
    return call.run(call.args[0], index=(slice(None), *index))


def unindexed(call: Call) -> Any:
    """The same for what puts elements back."""
    index, shape = call.params["index"], call.params["shape"]
    if _leading(index) is not False:
        return None
    return call.run(call.args[0], index=(slice(None), *index), shape=(call.size, *shape))


def put(call: Call) -> Any:
    """The same for assignment; the values have the dimensions of what they replace, or fewer."""
    index = call.params["index"]
    if _leading(index) is not False:
        return None
    x, value = call.all()
    if call.batched[1]:
        target = OPS["index"].infer(Spec(x.shape, x.dtype), index=(slice(None), *index))
        value = (
            aligned(value, len(target.shape) - 1)
            if value.shape[1:]
            else reshape(value, (call.size, *(1,) * (len(target.shape) - 1)))
        )
    else:
        value = call.args[1]
    return call.run(x, value, index=(slice(None), *index))


def product(call: Call) -> Any:
    """Matrix product, by as few and as large products as there can be."""
    a, b = call.args
    rank_a, rank_b = call.rank(0), call.rank(1)
    of_a, of_b = call.batched
    if of_a and not of_b and rank_b <= 2:
        return matmul(a, b)  # one matrix for all examples
    if of_b and not of_a and rank_b == 1 and rank_a == 2:
        return matmul(b, OPS["mT"].function(a))
    rank = max(rank_a, rank_b, 2)
    a = _matrices(a, of_a, rank_a, rank, row=True)
    b = _matrices(b, of_b, rank_b, rank, row=False)
    y = matmul(a, b)
    shape = list(y.shape)
    if rank_b == 1:
        shape.pop(-1)
    if rank_a == 1:
        shape.pop(-1 if rank_b == 1 else -2)
    return reshape(y, shape)


def _matrices(x: Any, batched: bool, rank: int, wanted: int, row: bool) -> Any:
    """Examples as matrices with as many leading dimensions as the other operand's."""
    shape = list(x.shape)
    if rank == 1:
        shape.insert(len(shape) - 1 if row else len(shape), 1)
        rank = 2
    if batched:
        shape[1:1] = [1] * (wanted - rank)
    return reshape(x, shape)


def affine(call: Call) -> Any:
    """`linear`: as it is, if the weights are the same for all examples."""
    x, weight, bias = call.args
    of_x, of_weight, of_bias = call.batched
    if not of_weight and not of_bias:
        return call.run(x, weight, bias)
    rows = Call(OPS["matmul"], [x, OPS["mT"].function(weight)], [of_x, of_weight], {}, call.size)
    y = (
        product(rows)
        if of_x or of_weight
        else expand(call.run(x, weight, None), (call.size, *x.shape[:-1], weight.shape[-2]))
    )
    if bias is None:
        return y
    return y + (aligned(bias, len(y.shape) - 1) if of_bias else bias)


FAMILIES: dict[str, Rule] = {"elementwise": elementwise, "reduction": reduction}

RULES: dict[str, Rule] = {
    "reshape": to_shape,
    "permute": permuted,
    "mT": unchanged,
    "expand": expanded,
    "cat": along_dim,
    "narrow": along_dim,
    "pad": padded,
    "index": indexed,
    "unindex": unindexed,
    "put": put,
    "gather": along_dim,
    "scatter": along_dim,
    "softmax": along_dim,
    "log_softmax": along_dim,
    "softmax_backward": along_dim,
    "log_softmax_backward": along_dim,
    "cast": unchanged,
    "matmul": product,
    "linear": affine,
}


def rule_for(op: Op) -> Rule:
    """The rule of an op: its own, else that of its family."""
    return RULES.get(op.name) or FAMILIES.get(op.family) or _none


def _none(call: Call) -> Any:
    return None
