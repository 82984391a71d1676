"""How small ops are written in ONNX: elementwise functions, reductions, and what moves elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.trace import Ref

from .builder import Builder
from .sizes import ExportError, Line, Size

Emitter = Callable[[Builder, Line], str]

# Functions of one argument that have a name in ONNX, with fixed attributes.
UNARY: dict[str, tuple[str, dict[str, Any]]] = {
    "exp": ("Exp", {}),
    "log": ("Log", {}),
    "sqrt": ("Sqrt", {}),
    "abs": ("Abs", {}),
    "neg": ("Neg", {}),
    "sign": ("Sign", {}),
    "sin": ("Sin", {}),
    "cos": ("Cos", {}),
    "tan": ("Tan", {}),
    "asin": ("Asin", {}),
    "acos": ("Acos", {}),
    "atan": ("Atan", {}),
    "sinh": ("Sinh", {}),
    "cosh": ("Cosh", {}),
    "asinh": ("Asinh", {}),
    "acosh": ("Acosh", {}),
    "atanh": ("Atanh", {}),
    "tanh": ("Tanh", {}),
    "sigmoid": ("Sigmoid", {}),
    "relu": ("Relu", {}),
    "erf": ("Erf", {}),
    "floor": ("Floor", {}),
    "ceil": ("Ceil", {}),
    "reciprocal": ("Reciprocal", {}),
    "softsign": ("Softsign", {}),
    "gelu": ("Gelu", {"approximate": "none"}),
    "tanh_gelu": ("Gelu", {"approximate": "tanh"}),
    "mish": ("Mish", {}),
    "hardswish": ("HardSwish", {}),
    "hardsigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "clone": ("Identity", {}),
}
# Functions of two arguments in the dtype of the result, and those that compare.
BINARY = {
    "add": "Add",
    "sub": "Sub",
    "mul": "Mul",
    "div": "Div",
    "pow": "Pow",
    "maximum": "Max",
    "minimum": "Min",
}
COMPARE = {
    "eq": "Equal",
    "lt": "Less",
    "le": "LessOrEqual",
    "gt": "Greater",
    "ge": "GreaterOrEqual",
}
LOGICAL = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
BITWISE = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor"}
REDUCE = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "amax": "ReduceMax",
    "amin": "ReduceMin",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "prod": "ReduceProd",
    "logsumexp": "ReduceLogSumExp",
}
NORMS = {1.0: "ReduceL1", 2.0: "ReduceL2"}
BORDERS = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def input_of(b: Builder, line: Line) -> str:
    """The first argument in the dtype of the result."""
    return b.value(line.args[0], line.dtype)


def number(b: Builder, line: Line, value: float) -> str:
    """A constant in the dtype of the result."""
    return b.constant(np.asarray(value, line.dtype))


def _unary(b: Builder, line: Line) -> str:
    kind, attributes = UNARY[line.op]
    return b.add(kind, input_of(b, line), **attributes)


def _binary(b: Builder, line: Line) -> str:
    return b.add(BINARY[line.op], *(b.value(arg, line.dtype) for arg in line.args))


def _common(b: Builder, line: Line) -> np.dtype[Any]:
    arrays = [b.line(arg).dtype for arg in line.args if isinstance(arg, Ref)]
    common = np.result_type(*arrays)
    if common.kind != "f" and any(isinstance(arg, float) for arg in line.args):
        return np.dtype(np.float32)
    return common


def _compare(b: Builder, line: Line) -> str:
    common = _common(b, line)
    values = [b.value(arg, common) for arg in line.args]
    if line.op == "ne":
        return b.add("Not", b.add("Equal", *values))
    return b.add(COMPARE[line.op], *values)


def _logical(b: Builder, line: Line) -> str:
    return b.add(LOGICAL[line.op], *(b.value(arg, np.bool_) for arg in line.args))


def _bitwise(b: Builder, line: Line) -> str:
    kind = BITWISE[line.op] if line.dtype == np.bool_ else "Bitwise" + BITWISE[line.op]
    return b.add(kind, *(b.value(arg, line.dtype) for arg in line.args))


def _where(b: Builder, line: Line) -> str:
    condition, yes, no = line.args
    return b.add(
        "Where", b.value(condition, np.bool_), b.value(yes, line.dtype), b.value(no, line.dtype)
    )


def _clamp(b: Builder, line: Line) -> str:
    x, low, high = line.args
    found = b.value(x, line.dtype)
    for kind, bound, free in (("Max", low, -np.inf), ("Min", high, np.inf)):
        if isinstance(bound, Ref) or (bound is not None and bound != free):
            found = b.add(kind, found, b.value(bound, line.dtype))
    return found


def _silu(b: Builder, line: Line) -> str:
    x = input_of(b, line)
    return b.add("Mul", x, b.add("Sigmoid", x))


def _softplus(b: Builder, line: Line) -> str:
    # Above the threshold PyTorch takes the line itself, from which this differs by less than
    # exp(-threshold) / beta; it is left to the runtime's own form, which cannot overflow.
    x, beta = input_of(b, line), line.params["beta"]
    if beta == 1.0:
        return b.add("Softplus", x)
    scaled = b.add("Softplus", b.add("Mul", x, number(b, line, beta)))
    return b.add("Div", scaled, number(b, line, beta))


def _elu(b: Builder, line: Line) -> str:
    x, params = input_of(b, line), line.params
    below = b.add("Min", x, number(b, line, 0.0))
    below = b.add("Mul", below, number(b, line, params["input_scale"]))
    below = b.add("Elu", below, alpha=float(params["alpha"]))
    return b.add("Mul", b.add("Add", b.add("Relu", x), below), number(b, line, params["scale"]))


def _hardtanh(b: Builder, line: Line) -> str:
    low, high = (number(b, line, line.params[name]) for name in ("min_val", "max_val"))
    return b.add("Clip", input_of(b, line), low, high)


def _leaky_relu(b: Builder, line: Line) -> str:
    return b.add("LeakyRelu", input_of(b, line), alpha=float(line.params["negative_slope"]))


def _shrink(b: Builder, line: Line) -> str:
    bound = float(line.params["lambd"])
    bias = bound if line.op == "softshrink" else 0.0
    return b.add("Shrink", input_of(b, line), lambd=bound, bias=bias)


def _threshold(b: Builder, line: Line) -> str:
    x = input_of(b, line)
    above = b.add("Greater", x, number(b, line, line.params["threshold"]))
    return b.add("Where", above, x, number(b, line, line.params["value"]))


def _prelu(b: Builder, line: Line) -> str:
    return b.add("PRelu", input_of(b, line), b.value(line.args[1], line.dtype))


def _logsigmoid(b: Builder, line: Line) -> str:
    return b.add("Neg", b.add("Softplus", b.add("Neg", input_of(b, line))))


def _tanhshrink(b: Builder, line: Line) -> str:
    x = input_of(b, line)
    return b.add("Sub", x, b.add("Tanh", x))


def _rsqrt(b: Builder, line: Line) -> str:
    return b.add("Reciprocal", b.add("Sqrt", input_of(b, line)))


def _square(b: Builder, line: Line) -> str:
    x = input_of(b, line)
    return b.add("Mul", x, x)


def _cast(b: Builder, line: Line) -> str:
    return b.cast(b.value(line.args[0]), line.dtype)


def _not(b: Builder, line: Line) -> str:
    return b.add("Not", b.value(line.args[0], np.bool_))


def _not_bits(b: Builder, line: Line) -> str:
    return b.add("Not" if line.dtype == np.bool_ else "BitwiseNot", b.value(line.args[0]))


# ---------------------------------------------------------------- reductions


def _dims(b: Builder, line: Line) -> list[int]:
    dim = line.params["dim"]
    dims = range(len(b.shape(line.args[0]))) if dim in ((), None) else dim
    return [dims] if isinstance(dims, int) else list(dims)


def _reduce(b: Builder, line: Line) -> str:
    keep = int(line.params["keepdim"])
    return b.add(REDUCE[line.op], input_of(b, line), b.ints(*_dims(b, line)), keepdims=keep)


def _norm(b: Builder, line: Line) -> str:
    kind = NORMS.get(float(line.params["p"]))
    if kind is None:
        raise ExportError(f"{line.op}: a norm of p={line.params['p']} is not written{b.where()}")
    keep = int(line.params.get("keepdim", True))
    return b.add(kind, input_of(b, line), b.ints(*_dims(b, line)), keepdims=keep)


def _variance(b: Builder, line: Line) -> str:
    x, dims, keep = input_of(b, line), _dims(b, line), int(line.params["keepdim"])
    shape = b.shape(line.args[0])
    count = np.prod([b.fixed(shape[d], f"{line.op}: the number of elements") for d in dims])
    away = b.add("Sub", x, b.add("ReduceMean", x, b.ints(*dims), keepdims=1))
    total = b.add("ReduceSumSquare", away, b.ints(*dims), keepdims=keep)
    found = b.add("Div", total, number(b, line, max(count - line.params["correction"], 0)))
    return b.add("Sqrt", found) if line.op == "std" else found


def _argextreme(b: Builder, line: Line) -> str:
    kind = "ArgMax" if line.params["largest"] else "ArgMin"
    return b.add(kind, b.value(line.args[0]), axis=line.params["dim"], keepdims=1)


def _softmax(b: Builder, line: Line) -> str:
    kind = "Softmax" if line.op == "softmax" else "LogSoftmax"
    return b.add(kind, input_of(b, line), axis=line.params["dim"])


def _cumsum(b: Builder, line: Line) -> str:
    axis = b.constant(np.array(line.params["dim"], np.int64))
    return b.add("CumSum", input_of(b, line), axis, reverse=int(line.params["reverse"]))


# ---------------------------------------------------------------- what moves elements


def _reshape(b: Builder, line: Line) -> str:
    return b.reshape(b.value(line.args[0]), line.shape)


def _permute(b: Builder, line: Line) -> str:
    return b.add("Transpose", b.value(line.args[0]), perm=list(line.params["dims"]))


def _swap(b: Builder, line: Line) -> str:
    n = len(line.shape)
    return b.add("Transpose", b.value(line.args[0]), perm=[*range(n - 2), n - 1, n - 2])


def _expand(b: Builder, line: Line) -> str:
    return b.add("Expand", b.value(line.args[0]), b.sizes(line.shape))


def _cat(b: Builder, line: Line) -> str:
    return b.add(
        "Concat", *(b.value(arg, line.dtype) for arg in line.args), axis=line.params["dim"]
    )


def cut(b: Builder, name: str, dim: int, start: Any, stop: Any, step: int = 1) -> str:
    """Elements from start to stop along one dimension."""
    return b.add("Slice", name, b.scalar(start), b.scalar(stop), b.ints(dim), b.ints(step))


def _narrow(b: Builder, line: Line) -> str:
    params = line.params
    return cut(b, b.value(line.args[0]), params["dim"], params["start"], params["stop"])


END = 2**62  # further than any dimension


def _index(b: Builder, line: Line) -> str:
    found, dim = b.value(line.args[0]), 0
    index = line.params["index"]
    parts = list(index) if isinstance(index, tuple) else [index]
    shape = b.shape(line.args[0])
    if Ellipsis in [p for p in parts if not isinstance(p, np.ndarray)]:
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        used = sum(1 for part in parts if part is not None and part is not Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(shape) - used)
    lists = 0
    for part in parts:
        if part is None:
            found = b.add("Unsqueeze", found, b.ints(dim))
            dim += 1
        elif isinstance(part, slice):
            if part != slice(None):
                step = 1 if part.step is None else part.step
                start = part.start if part.start is not None else (0 if step > 0 else END)
                stop = part.stop if part.stop is not None else (END if step > 0 else -END)
                found = cut(b, found, dim, start, stop, step)
            dim += 1
        elif isinstance(part, np.ndarray) and part.dtype.kind in "iu" and not lists:
            lists += 1
            found = b.add("Gather", found, b.constant(part.astype(np.int64)), axis=dim)
            dim += part.ndim
        elif isinstance(part, int | Size | np.integer) and not isinstance(part, bool):
            one = b.scalar(part if isinstance(part, Size) else int(part))
            found = b.add("Squeeze", b.add("Gather", found, one, axis=dim), b.ints(dim))
        else:
            raise ExportError(f"index: an index of {type(part).__name__} is not written{b.where()}")
    return found


def _repeat(b: Builder, line: Line) -> str:
    times = line.params["times"]
    found, shape = b.value(line.args[0]), b.shape(line.args[0])
    if len(times) > len(shape):
        found = b.reshape(found, (*(1,) * (len(times) - len(shape)), *shape))
    return b.add("Tile", found, b.sizes((*(1,) * (len(shape) - len(times)), *times)))


def _flip(b: Builder, line: Line) -> str:
    found = b.value(line.args[0])
    for dim in line.params["dims"]:
        found = cut(b, found, dim, END, -END, -1)
    return found


def _triangle(b: Builder, line: Line) -> str:
    diagonal = b.constant(np.array(line.params["diagonal"], np.int64))
    return b.add("Trilu", b.value(line.args[0]), diagonal, upper=int(line.op == "triu"))


def _pad(b: Builder, line: Line) -> str:
    widths = line.params["widths"]
    pads = b.sizes([*(before for before, _ in widths), *(after for _, after in widths)])
    if line.op == "pad":
        return b.add("Pad", b.value(line.args[0]), pads, number(b, line, line.params["value"]))
    return b.add("Pad", b.value(line.args[0]), pads, mode=BORDERS[line.params["mode"]])


def _gather(b: Builder, line: Line) -> str:
    x, indices = line.args
    return b.add("GatherElements", b.value(x), b.value(indices), axis=line.params["dim"])


SMALL: dict[str, Emitter] = {
    **dict.fromkeys(UNARY, _unary),
    **dict.fromkeys(BINARY, _binary),
    **dict.fromkeys((*COMPARE, "ne"), _compare),
    **dict.fromkeys(LOGICAL, _logical),
    **dict.fromkeys(BITWISE, _bitwise),
    **dict.fromkeys(REDUCE, _reduce),
    "logical_not": _not,
    "bitwise_not": _not_bits,
    "where": _where,
    "clamp": _clamp,
    "silu": _silu,
    "softplus": _softplus,
    "elu": _elu,
    "hardtanh": _hardtanh,
    "leaky_relu": _leaky_relu,
    "softshrink": _shrink,
    "hardshrink": _shrink,
    "threshold": _threshold,
    "prelu": _prelu,
    "logsigmoid": _logsigmoid,
    "tanhshrink": _tanhshrink,
    "rsqrt": _rsqrt,
    "square": _square,
    "cast": _cast,
    "norm": _norm,
    "length": _norm,
    "var": _variance,
    "std": _variance,
    "argextreme": _argextreme,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "cumsum": _cumsum,
    "reshape": _reshape,
    "permute": _permute,
    "mT": _swap,
    "expand": _expand,
    "cat": _cat,
    "narrow": _narrow,
    "index": _index,
    "repeat": _repeat,
    "flip": _flip,
    "tril": _triangle,
    "triu": _triangle,
    "pad": _pad,
    "border": _pad,
    "gather": _gather,
}
