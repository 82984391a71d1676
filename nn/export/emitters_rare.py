"""How ops that are made of several ONNX operators are written: rounding, order, rearrangement."""

from __future__ import annotations

import math

import numpy as np

from .builder import Builder
from .emitters_small import Emitter, input_of, number
from .sizes import ExportError, Line, Size, run_op

# Logarithms and powers of other bases: a factor behind the logarithm, or before the power.
LOGARITHMS = {"log2": 1 / math.log(2.0), "log10": 1 / math.log(10.0)}


def _shifted(b: Builder, line: Line) -> str:
    """log1p and expm1; ONNX has no form that keeps the digits of small numbers."""
    x, one = input_of(b, line), number(b, line, 1.0)
    if line.op == "log1p":
        return b.add("Log", b.add("Add", x, one))
    return b.add("Sub", b.add("Exp", x), one)


def _logarithm(b: Builder, line: Line) -> str:
    return b.add("Mul", b.add("Log", input_of(b, line)), number(b, line, LOGARITHMS[line.op]))


def _exp2(b: Builder, line: Line) -> str:
    return b.add("Pow", number(b, line, 2.0), input_of(b, line))


def _erfc(b: Builder, line: Line) -> str:
    return b.add("Sub", number(b, line, 1.0), b.add("Erf", input_of(b, line)))


def _cut_off(b: Builder, name: str) -> str:
    """Towards zero."""
    return b.add("Mul", b.add("Sign", name), b.add("Floor", b.add("Abs", name)))


def _trunc(b: Builder, line: Line) -> str:
    return _cut_off(b, input_of(b, line))


def _frac(b: Builder, line: Line) -> str:
    x = input_of(b, line)
    return b.add("Sub", x, _cut_off(b, x))


def _round(b: Builder, line: Line) -> str:
    x, decimals = input_of(b, line), line.params["decimals"]
    if not decimals:
        return b.add("Round", x)  # half to even, in both
    scale = number(b, line, 10.0**decimals)
    return b.add("Div", b.add("Round", b.add("Mul", x, scale)), scale)


def _divided(b: Builder, line: Line) -> str:
    """floor_divide, trunc_divide, and what they leave: remainder, fmod."""
    a, d = (b.value(arg, line.dtype) for arg in line.args)
    if line.dtype.kind != "f":
        raise ExportError(f"{line.op}: a division of integers is not written{b.where()}")
    quotient = b.add("Div", a, d)
    down = line.op in ("floor_divide", "remainder")
    whole = b.add("Floor", quotient) if down else _cut_off(b, quotient)
    if line.op.endswith("divide"):
        return whole
    return b.add("Sub", a, b.add("Mul", whole, d))


def _lerp(b: Builder, line: Line) -> str:
    start, end, weight = (b.value(arg, line.dtype) for arg in line.args)
    return b.add("Add", start, b.add("Mul", weight, b.add("Sub", end, start)))


def _isnan(b: Builder, line: Line) -> str:
    return b.add("IsNaN", b.value(line.args[0]))


def _isinf(b: Builder, line: Line) -> str:
    return b.add("IsInf", b.value(line.args[0]))


def _nan_to_num(b: Builder, line: Line) -> str:
    x, params = input_of(b, line), line.params
    found = b.add("Where", b.add("IsNaN", x), number(b, line, params["nan"]), x)
    for name, kind in (("posinf", "detect_negative"), ("neginf", "detect_positive")):
        value = params[name]
        if not math.isinf(value):
            infinite = b.add("IsInf", x, **{kind: 0})
            found = b.add("Where", infinite, number(b, line, value), found)
    return found


def _truth(b: Builder, line: Line) -> str:
    """All and any, as the least and the largest of zeros and ones."""
    dims = line.params["dim"]
    dims = [dims] if isinstance(dims, int) else list(dims)
    ones = b.cast(b.value(line.args[0], np.bool_), np.int32)
    kind = "ReduceMin" if line.op == "all" else "ReduceMax"
    found = b.add(kind, ones, b.ints(*dims), keepdims=int(line.params["keepdim"]))
    return b.cast(found, np.bool_)


def _topk(b: Builder, line: Line) -> str:
    params = line.params
    _, places = b.add_many(
        "TopK",
        [b.value(line.args[0]), b.scalar(params["k"])],
        2,
        axis=params["dim"],
        largest=int(params["largest"]),
        sorted=int(params["ordered"]),
    )
    return places


def _argsort(b: Builder, line: Line) -> str:
    dim = line.params["dim"]
    size = b.fixed(b.shape(line.args[0])[dim], "argsort: the size of what is sorted")
    _, places = b.add_many(
        "TopK",
        [b.value(line.args[0]), b.ints(size)],
        2,
        axis=dim,
        largest=int(line.params["descending"]),
    )
    return places


def _places(b: Builder, line: Line) -> str:
    """A rearrangement: where each element of the result comes from is found by running the op."""
    shape = b.shape(line.args[0])
    free = bool(shape) and isinstance(shape[0], Size)
    if free and line.shape[:1] != shape[:1]:
        raise ExportError(f"{line.op}: it rearranges the batch, which is not written{b.where()}")
    fixed = [b.fixed(size, f"{line.op}: a size") for size in shape[free:]]
    count = math.prod(fixed)
    if not free:
        found = run_op(line.op, np.arange(count).reshape(fixed), **line.params)
        flat = b.reshape(b.value(line.args[0]), (count,))
        return b.add("Gather", flat, b.constant(found.astype(np.int64)), axis=0)
    two = run_op(line.op, np.arange(2 * count).reshape(2, *fixed), **line.params)
    if len(two) != 2 or not np.array_equal(two[0] + count, two[1]) or (two[0] >= count).any():
        raise ExportError(f"{line.op}: it rearranges the batch, which is not written{b.where()}")
    rows = b.reshape(b.value(line.args[0]), (shape[0], count))
    return b.add("Gather", rows, b.constant(two[0].astype(np.int64)), axis=1)


RARE: dict[str, Emitter] = {
    **dict.fromkeys(("log1p", "expm1"), _shifted),
    **dict.fromkeys(LOGARITHMS, _logarithm),
    "exp2": _exp2,
    "erfc": _erfc,
    "trunc": _trunc,
    "frac": _frac,
    "round": _round,
    **dict.fromkeys(("floor_divide", "trunc_divide", "remainder", "fmod"), _divided),
    "lerp": _lerp,
    "isnan": _isnan,
    "isinf": _isinf,
    "nan_to_num": _nan_to_num,
    **dict.fromkeys(("all", "any"), _truth),
    "topk": _topk,
    "argsort": _argsort,
    **dict.fromkeys(("roll", "repeat_each", "windows", "diagonal"), _places),
}
