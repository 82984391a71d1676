"""A call for every differentiable name: run here and in PyTorch, and checked to second order.

``CALLS[name](lib, a, b)`` takes `autograd` or `torch`, and two float64 matrices of 3 by 4 whose
elements lie between 0.1 and 0.9, all different. It gives a tensor, or several.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Call = Callable[[Any, Any, Any], Any]

# Functions of one argument: lib.name(a).
ALONE = """
abs acos asin asinh atan atanh ceil clone cos cosh deg2rad diag diagflat diagonal erf erfc erfinv
exp exp2 expm1 flatten fliplr flipud floor frac log log10 log1p log2 logit max mean median min msort
nan_to_num nanmean nansum neg norm positive prod rad2deg ravel reciprocal round rsqrt sgn sigmoid
sign sin sinc sinh sqrt square squeeze std std_mean sum t tan tanh tril triu trunc var var_mean
"""

# Functions of two arguments of one shape: lib.name(a, b).
PAIRS = """
add atan2 copysign dist div float_power fmax fmin fmod hypot inner kron logaddexp logaddexp2 maximum
minimum mul pow remainder sub true_divide xlogy
"""

# Functions of one argument and a dim: lib.name(a, dim=1).
ALONG = """
amax amin aminmax cummax cummin cumprod cumsum diff log_softmax logcumsumexp logsumexp softmax
sort unbind
"""

# Methods of one argument: a.name().
METHODS = "contiguous double float half"


def index(lib: Any, *values: int) -> Any:
    """Integers as a tensor."""
    return lib.tensor(values)


def mask(lib: Any) -> Any:
    """Every other element of a matrix of 3 by 4."""
    return lib.tensor([[True, False, True, False], [False, True, False, True], [True] * 4])


def places(lib: Any) -> Any:
    """Rows for each element of a matrix of 3 by 4, some of them twice."""
    return lib.tensor([[0, 1, 2, 0], [1, 1, 0, 2]])


def cube(a: Any) -> Any:
    """The elements as 2 by 3 by 2."""
    return a.reshape(2, 3, 2)


CALLS: dict[str, Call] = {
    **{n: lambda lib, a, b, n=n: getattr(lib, n)(a) for n in ALONE.split()},
    **{n: lambda lib, a, b, n=n: getattr(lib, n)(a, b) for n in PAIRS.split()},
    **{n: lambda lib, a, b, n=n: getattr(lib, n)(a, dim=1) for n in ALONG.split()},
    **{n: lambda lib, a, b, n=n: getattr(a, n)() for n in METHODS.split()},
    "T": lambda lib, a, b: a.T,
    "acosh": lambda lib, a, b: lib.acosh(a + 1),
    "addbmm": lambda lib, a, b: lib.addbmm(a[:2, :2], cube(a).mT, cube(b)),
    "addcdiv": lambda lib, a, b: lib.addcdiv(a, b, a + b, value=0.5),
    "addcmul": lambda lib, a, b: lib.addcmul(a, b, a + b, value=0.5),
    "addmm": lambda lib, a, b: lib.addmm(a[:, :3], a, b.T, beta=0.5, alpha=2),
    "addmv": lambda lib, a, b: lib.addmv(a[:, 0], a, b[0], beta=0.5, alpha=2),
    "addr": lambda lib, a, b: lib.addr(a, a[:, 0], b[0], beta=0.5, alpha=2),
    "atleast_1d": lambda lib, a, b: lib.atleast_1d(a[0, 0], b),
    "atleast_2d": lambda lib, a, b: lib.atleast_2d(a[0], b),
    "atleast_3d": lambda lib, a, b: lib.atleast_3d(a[0], b),
    "baddbmm": lambda lib, a, b: lib.baddbmm(a[0, :2], cube(a).mT, cube(b), alpha=2),
    "bernoulli": lambda lib, a, b: lib.bernoulli(a),
    "bmm": lambda lib, a, b: lib.bmm(cube(a).mT, cube(b)),
    "broadcast_tensors": lambda lib, a, b: lib.broadcast_tensors(a[:, :1], b[0]),
    "broadcast_to": lambda lib, a, b: lib.broadcast_to(a, (2, 3, 4)),
    "cat": lambda lib, a, b: lib.cat((a, b, a), 1),
    "chunk": lambda lib, a, b: lib.chunk(a, 3, 1),
    "clamp": lambda lib, a, b: lib.clamp(a, min=0.5 * b, max=b),
    "clamp_max": lambda lib, a, b: lib.clamp_max(a, 0.5),
    "clamp_min": lambda lib, a, b: lib.clamp_min(a, 0.5),
    "column_stack": lambda lib, a, b: lib.column_stack((a[:, 0], b)),
    "cross": lambda lib, a, b: lib.cross(a[:, :3], b[:, :3], dim=1),
    "diag_embed": lambda lib, a, b: lib.diag_embed(a, 1),
    "dot": lambda lib, a, b: lib.dot(a[0], b[0]),
    "dsplit": lambda lib, a, b: lib.dsplit(cube(a), 2),
    "dstack": lambda lib, a, b: lib.dstack((a, b)),
    "einsum": lambda lib, a, b: lib.einsum("ij,kj->ik", a, b),
    "expand": lambda lib, a, b: a.expand(2, 3, 4),
    "expand_as": lambda lib, a, b: a[:1].expand_as(b),
    "fill": lambda lib, a, b: lib.fill(a, b[0, 0]),
    "flip": lambda lib, a, b: lib.flip(a, (0, 1)),
    "gather": lambda lib, a, b: lib.gather(a, 0, places(lib)),
    "hsplit": lambda lib, a, b: lib.hsplit(a, 2),
    "hstack": lambda lib, a, b: lib.hstack((a, b)),
    "index_add": lambda lib, a, b: lib.index_add(a, 0, index(lib, 0, 0, 2), b, alpha=2),
    "index_copy": lambda lib, a, b: lib.index_copy(a, 0, index(lib, 2, 0), b[:2]),
    "index_fill": lambda lib, a, b: lib.index_fill(a, 1, index(lib, 0, 2), b[0, 0]),
    "index_put": lambda lib, a, b: lib.index_put(a, (index(lib, 0, 0),), b[:2], accumulate=True),
    "index_select": lambda lib, a, b: lib.index_select(a, 1, index(lib, 0, 0, 3)),
    "kthvalue": lambda lib, a, b: lib.kthvalue(a, 2, 1),
    "lerp": lambda lib, a, b: lib.lerp(a, b, a * b),
    "mT": lambda lib, a, b: cube(a).mT,
    "masked_fill": lambda lib, a, b: lib.masked_fill(a, mask(lib), b[0, 0]),
    "masked_scatter": lambda lib, a, b: lib.masked_scatter(a, mask(lib), b),
    "masked_select": lambda lib, a, b: lib.masked_select(a, mask(lib)),
    "matmul": lambda lib, a, b: lib.matmul(cube(a), b[:2]),
    "meshgrid": lambda lib, a, b: lib.meshgrid(a[0], b[:, 0], indexing="ij"),
    "mm": lambda lib, a, b: lib.mm(a, b.T),
    "movedim": lambda lib, a, b: lib.movedim(cube(a), 0, 2),
    "mv": lambda lib, a, b: lib.mv(a, b[0]),
    "narrow": lambda lib, a, b: lib.narrow(a, 1, 1, 2),
    "normal": lambda lib, a, b: lib.normal(a, b),
    "outer": lambda lib, a, b: lib.outer(a[0], b[:, 0]),
    "permute": lambda lib, a, b: lib.permute(cube(a), (2, 0, 1)),
    "put": lambda lib, a, b: a.put(index(lib, 0, 5), b[0, :2]),
    "repeat": lambda lib, a, b: a.repeat(2, 1, 2),
    "repeat_interleave": lambda lib, a, b: lib.repeat_interleave(a, index(lib, 1, 0, 2), 0),
    "reshape": lambda lib, a, b: lib.reshape(a, (2, -1)),
    "reshape_as": lambda lib, a, b: a.reshape_as(b.T),
    "roll": lambda lib, a, b: lib.roll(a, (1, 2), (0, 1)),
    "rot90": lambda lib, a, b: lib.rot90(a, 1, (0, 1)),
    "scatter": lambda lib, a, b: lib.scatter(a, 1, index(lib, 3, 0, 2).reshape(3, 1), b[:, :1]),
    "scatter_add": lambda lib, a, b: lib.scatter_add(a, 0, places(lib), b[:2]),
    "scatter_reduce": lambda lib, a, b: lib.scatter_reduce(a, 0, places(lib), b[:2], "prod"),
    "select": lambda lib, a, b: lib.select(a, 1, -1),
    "select_scatter": lambda lib, a, b: lib.select_scatter(a, b[0], 0, 1),
    "slice_scatter": lambda lib, a, b: lib.slice_scatter(a, b[:, :2], 1, 0, 4, 2),
    "split": lambda lib, a, b: lib.split(a, (1, 3), 1),
    "stack": lambda lib, a, b: lib.stack((a, b), 1),
    "take": lambda lib, a, b: lib.take(a, index(lib, 0, 5, 5)),
    "take_along_dim": lambda lib, a, b: lib.take_along_dim(a, places(lib), 0),
    "tensor_split": lambda lib, a, b: lib.tensor_split(a, 3, 1),
    "tensordot": lambda lib, a, b: lib.tensordot(cube(a), cube(b), ([0, 1], [0, 1])),
    "tile": lambda lib, a, b: lib.tile(a, (2, 2)),
    "to": lambda lib, a, b: a.to(b.dtype) * b,
    "topk": lambda lib, a, b: lib.topk(a, 2, 1),
    "trace": lambda lib, a, b: a.trace(),
    "transpose": lambda lib, a, b: lib.transpose(a, 0, 1),
    "unflatten": lambda lib, a, b: lib.unflatten(a, 1, (2, 2)),
    "unfold": lambda lib, a, b: a.unfold(1, 2, 1),
    "unsqueeze": lambda lib, a, b: lib.unsqueeze(a, 1),
    "view": lambda lib, a, b: a.view(2, 6),
    "view_as": lambda lib, a, b: a.view_as(b),
    "vsplit": lambda lib, a, b: lib.vsplit(a, 3),
    "vstack": lambda lib, a, b: lib.vstack((a[0], b)),
    "where": lambda lib, a, b: lib.where(mask(lib), a, b),
    "zero_": lambda lib, a, b: (a * b).zero_(),
}

# What a difference quotient cannot check, and why. Both are compared with PyTorch all the same, the
# random ones by shape and gradient.
RANDOM = {"bernoulli": "random", "normal": "random"}
ROUGH = {"float": "rounds to float32", "half": "rounds to float16"}
