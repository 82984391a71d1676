"""How the ops of layers are written in ONNX: products, convolutions, pools, norms, embeddings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .builder import Builder
from .emitters_small import Emitter, input_of, number
from .sizes import ExportError, Line, run_op


def _matmul(b: Builder, line: Line) -> str:
    return b.add("MatMul", *(b.value(arg, line.dtype) for arg in line.args))


def _linear(b: Builder, line: Line) -> str:
    x, weight, bias = (b.value(arg, line.dtype) for arg in line.args)
    if len(b.shape(line.args[0])) == 2:
        return b.add("Gemm", x, weight, bias, transB=1)
    found = b.add("MatMul", x, b.add("Transpose", weight, perm=[1, 0]))
    return b.add("Add", found, bias) if bias else found


def _conv(b: Builder, line: Line) -> str:
    params = line.params
    return b.add(
        "Conv",
        *(b.value(arg, line.dtype) for arg in line.args),
        strides=list(params["stride"]),
        dilations=list(params["dilation"]),
        pads=[*params["padding"], *params["padding"]],
        group=params["groups"],
    )


def _conv_transpose(b: Builder, line: Line) -> str:
    params = line.params
    x, weight = line.args
    spatial = b.shape(x)[2:]
    kernel = b.shape(weight)[2:]
    extra = []
    for d, size in enumerate(params["size"]):
        size = b.fixed(size, f"{line.op}: the size of the result")
        n = b.fixed(spatial[d], f"{line.op}: the size of the input")
        k = b.fixed(kernel[d], f"{line.op}: the size of the kernel")
        reach = (n - 1) * params["stride"][d] + params["dilation"][d] * (k - 1) + 1
        extra.append(size - reach + 2 * params["padding"][d])
    return b.add(
        "ConvTranspose",
        b.value(x, line.dtype),
        b.value(weight, line.dtype),
        strides=list(params["stride"]),
        dilations=list(params["dilation"]),
        pads=[*params["padding"], *params["padding"]],
        group=params["groups"],
        output_padding=extra,
    )


# ---------------------------------------------------------------- pools


def _overhang(b: Builder, line: Line, dilation: tuple[int, ...]) -> list[int]:
    """How far the last window of each dimension reaches over the padding: ceil_mode's doing."""
    params, rank = line.params, len(line.params["kernel_size"])
    found = []
    for d in range(rank):
        n = b.fixed(b.shape(line.args[0])[2 + d], f"{line.op}: the size of the input")
        m = b.fixed(line.shape[2 + d], f"{line.op}: the size of the result")
        reach = (m - 1) * params["stride"][d] + dilation[d] * (params["kernel_size"][d] - 1) + 1
        found.append(max(0, reach - n - 2 * params["padding"][d]))
    return found


def _max_pool(b: Builder, line: Line) -> str:
    params = line.params
    over = _overhang(b, line, params["dilation"])
    values, places = b.add_many(
        "MaxPool",
        [b.value(line.args[0])],
        2,
        kernel_shape=list(params["kernel_size"]),
        strides=list(params["stride"]),
        dilations=list(params["dilation"]),
        pads=[*params["padding"], *(p + o for p, o in zip(params["padding"], over, strict=True))],
    )
    if not line.op.endswith("_indices"):
        return values
    # ONNX counts through the whole tensor, PyTorch within one image.
    size = math.prod(b.fixed(n, "max_pool: the size") for n in b.shape(line.args[0])[2:])
    return b.add("Mod", places, b.constant(np.array(size, np.int64)))


def _avg_pool(b: Builder, line: Line) -> str:
    params = line.params
    kernel = params["kernel_size"]
    whole = params["count_include_pad"] or not any(params["padding"])
    if any(_overhang(b, line, (1,) * len(kernel))):
        if params["divisor_override"] is not None:
            raise ExportError(
                f"avg_pool: divisor_override with ceil_mode is not written{b.where()}"
            )
        return _by_matrices(b, line)
    found = b.add(
        "AveragePool",
        input_of(b, line),
        kernel_shape=list(kernel),
        strides=list(params["stride"]),
        pads=[*params["padding"], *params["padding"]],
        count_include_pad=int(whole or params["divisor_override"] is not None),
    )
    if params["divisor_override"] is None:
        return found
    return b.add("Mul", found, number(b, line, math.prod(kernel) / params["divisor_override"]))


def _by_matrices(b: Builder, line: Line) -> str:
    """A mean over windows, one dimension after the other: each is a product with a matrix."""
    params, found = line.params, input_of(b, line)
    for d in range(2):
        n = b.fixed(b.shape(line.args[0])[2 + d], "avg_pool: the size of the input")
        one = {name: (params[name][d], 1) for name in ("kernel_size", "stride")}
        lines = np.eye(n, dtype=line.dtype).reshape(1, n, n, 1)
        rest = {name: params[name] for name in ("ceil_mode", "count_include_pad")}
        pad = {"padding": (params["padding"][d], 0), "divisor_override": None}
        matrix = run_op("avg_pool2d", lines, **one, **rest, **pad)[0, :, :, 0]
        found = b.along(found, 2 + d, len(line.shape), matrix)
    return found


def _line_by_line(b: Builder, line: Line) -> str:
    """A linear map of the lines along `dim`: what it makes of unit vectors is its matrix."""
    dim = line.params["dim"]
    n = b.fixed(b.shape(line.args[0])[dim], f"{line.op}: the size of the input")
    rest = {name: value for name, value in line.params.items() if name != "dim"}
    matrix = run_op(line.op, np.eye(n, dtype=line.dtype), dim=1, **rest)
    return b.along(input_of(b, line), dim, len(line.shape), matrix)


# ---------------------------------------------------------------- normalisation


def _or_ones(b: Builder, line: Line, weight: Any, bias: Any, size: int) -> tuple[str, str]:
    weight = np.ones(size) if weight is None else weight
    bias = np.zeros(size) if bias is None else bias
    return b.value(weight, line.dtype), b.value(bias, line.dtype)


def _batch_norm_fixed(b: Builder, line: Line) -> str:
    x, mean, var, weight, bias = line.args
    channels = b.fixed(line.shape[1], "batch_norm: the number of channels")
    scale, shift = _or_ones(b, line, weight, bias, channels)
    return b.add(
        "BatchNormalization",
        b.value(x, line.dtype),
        scale,
        shift,
        b.value(mean, line.dtype),
        b.value(var, line.dtype),
        epsilon=float(line.params["eps"]),
    )


def _batch_norm(b: Builder, line: Line) -> str:
    """By the batch's own statistics: instances, each in a channel of its own."""
    x, weight, bias = line.args
    dims = [d for d in range(len(line.shape)) if d != 1]
    found = b.value(x, line.dtype)
    axes = b.ints(*dims)
    away = b.add("Sub", found, b.add("ReduceMean", found, axes, keepdims=1))
    spread = b.add("ReduceMean", b.add("Mul", away, away), axes, keepdims=1)
    spread = b.add("Sqrt", b.add("Add", spread, number(b, line, line.params["eps"])))
    return _by_channel(b, line, b.add("Div", away, spread), weight, bias)


def _by_channel(b: Builder, line: Line, name: str, weight: Any, bias: Any) -> str:
    """Scale and shift of each channel, where there are any."""
    for kind, factor in (("Mul", weight), ("Add", bias)):
        if factor is not None:
            shape = (*b.shape(factor), *(1,) * (len(line.shape) - 2))
            name = b.add(kind, name, b.reshape(b.value(factor, line.dtype), shape))
    return name


def _group_norm(b: Builder, line: Line) -> str:
    x, weight, bias = line.args
    groups = line.params["groups"]
    inner = [b.fixed(n, "group_norm: the size of the input") for n in line.shape[1:]]
    rows = b.reshape(b.value(x, line.dtype), (line.shape[0], groups, math.prod(inner) // groups))
    scale, shift = _or_ones(b, line, None, None, groups)
    eps = float(line.params["eps"])
    rows = b.add("InstanceNormalization", rows, scale, shift, epsilon=eps)
    return _by_channel(b, line, b.reshape(rows, line.shape), weight, bias)


def _layer_norm(b: Builder, line: Line) -> str:
    x, weight, bias = line.args
    size = b.fixed(line.shape[-1], "layer_norm: the size of a row")
    scale, shift = _or_ones(b, line, weight, bias, size)
    eps = float(line.params["eps"])
    return b.add("LayerNormalization", b.value(x, line.dtype), scale, shift, axis=-1, epsilon=eps)


def _rms_norm(b: Builder, line: Line) -> str:
    x, weight = (b.value(arg, line.dtype) for arg in line.args)
    square = b.add("ReduceMean", b.add("Mul", x, x), b.ints(-1), keepdims=1)
    root = b.add("Sqrt", b.add("Add", square, number(b, line, line.params["eps"])))
    found = b.add("Div", x, root)
    return b.add("Mul", found, weight) if weight else found


def _take_rows(b: Builder, line: Line) -> str:
    weight, indices = line.args
    return b.add("Gather", b.value(weight), b.value(indices), axis=0)


LAYERS: dict[str, Emitter] = {
    "matmul": _matmul,
    "linear": _linear,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _conv),
    **dict.fromkeys(("conv1d_input", "conv2d_input", "conv3d_input"), _conv_transpose),
    **dict.fromkeys(("max_pool2d", "max_pool2d_indices", "max_pool3d_indices"), _max_pool),
    "avg_pool2d": _avg_pool,
    "resample": _line_by_line,
    "window_sum": _line_by_line,
    "batch_norm": _batch_norm,
    "batch_norm_fixed": _batch_norm_fixed,
    "group_norm": _group_norm,
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "take_rows": _take_rows,
}
