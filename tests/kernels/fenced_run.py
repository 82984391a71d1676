"""Run every op, and odd calls of the kernels, on fenced arrays: what test_bounds.py starts.

``python -m tests.kernels.fenced_run after|before SEED ROUNDS``
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
import optim
from autograd.kernels import memory
from tests.autograd.test_op_table import TABLE, cases, leaves, run
from tests.kernels.fence import fenced

Rng = np.random.Generator


def every_op(seed: int) -> int:
    """Forward and backward of the samples of every op, in both float types."""
    count = 0
    for op in TABLE.values():
        for args, params in cases(op, seed):
            for dtype in (np.float32, np.float64):
                given = leaves(op, args, dtype)
                back(run(op, given, params))
                count += 1
    return count


def back(result: Any) -> None:
    """Backward of the sum of squares, where there is a way back."""
    if getattr(result, "requires_grad", False):
        autograd.sum(result * result).backward()


def dtype_of(rng: Rng) -> Any:
    return (np.float32, np.float64)[rng.integers(2)]


def tensor(rng: Rng, *shape: int, dtype: Any) -> autograd.Tensor:
    """A leaf, now and then one with an odd layout."""
    array = rng.standard_normal(shape).astype(dtype)
    layout = rng.integers(4)
    if layout == 0 and len(shape) > 1:
        array = np.asfortranarray(array)
    elif layout == 1 and len(shape):
        array = array[::-1]
    return autograd.tensor(array, requires_grad=True)


def some(rng: Rng, high: int, low: int = 0) -> int:
    """A size, small ones more often."""
    return int(rng.integers(low, rng.choice([low + 4, low + 20, high]) + 1))


def a_matmul(rng: Rng) -> None:
    m, k, n, dtype = some(rng, 90), some(rng, 90), some(rng, 90), dtype_of(rng)
    batch = rng.choice([0, 1, 2])
    left = tensor(rng, *[3, 2][:batch], m, k, dtype=dtype)
    right = tensor(rng, *([2][: max(batch - 1, 0)]), n, k, dtype=dtype)
    back(left @ right.mT)
    back(left @ tensor(rng, k, dtype=dtype))
    back(autograd.linear(left, tensor(rng, n, k, dtype=dtype), tensor(rng, n, dtype=dtype)))


def a_convolution(rng: Rng) -> None:
    dtype = dtype_of(rng)
    groups = int(rng.choice([1, 1, 1, 2, 3]))
    inputs, outputs = groups * some(rng, 33, 1), groups * some(rng, 33, 1)
    if rng.integers(5) == 0:
        groups, outputs = inputs, inputs  # depthwise
    if rng.integers(5) == 0:
        inputs, outputs, groups = 16, 32, 1
    kernel = [int(k) for k in rng.choice([1, 2, 3, 3, 5], 2)]
    if rng.integers(2):
        kernel[1] = kernel[0]
    stride, padding, dilation = (
        tuple(int(v) for v in rng.choice(values, 2))
        for values in ([1, 1, 1, 2, 3], [0, 1, 1, 2], [1, 1, 1, 2])
    )
    if rng.integers(2):
        stride, padding, dilation = (1, 1), (1, 1), (1, 1)
    size = [
        max(some(rng, 40, 1), d * (k - 1) + 1 - 2 * p)
        for k, p, d in zip(kernel, padding, dilation, strict=True)
    ]
    x = tensor(rng, some(rng, 5), inputs, *size, dtype=dtype)
    weight = tensor(rng, outputs, inputs // groups, *kernel, dtype=dtype)
    bias = tensor(rng, outputs, dtype=dtype) if rng.integers(2) else None
    back(autograd.conv2d(x, weight, bias, stride, padding, dilation, groups))


def a_pooling(rng: Rng) -> None:
    kernel = tuple(int(k) for k in rng.integers(1, 5, 2))
    stride = tuple(int(s) for s in rng.integers(1, 4, 2))
    padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
    x = tensor(
        rng, some(rng, 4), some(rng, 4), some(rng, 40, 8), some(rng, 40, 8), dtype=dtype_of(rng)
    )
    ceil = bool(rng.integers(2))
    back(autograd.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil))
    back(autograd.avg_pool2d(x, kernel, stride, padding, ceil_mode=ceil))


def some_rows(rng: Rng) -> None:
    rows, cols = some(rng, 70), some(rng, 300, 1)
    x = tensor(rng, rows, cols, dtype=dtype_of(rng))
    for dim in (0, 1):
        back(autograd.softmax(x, dim))
        back(autograd.log_softmax(x, dim))
    back(autograd.cross_entropy(x, rng.integers(0, cols, rows), reduction="sum"))


def a_norm(rng: Rng) -> None:
    shape = (some(rng, 6, 2), some(rng, 20, 1), some(rng, 20, 1), some(rng, 20, 1))
    x = tensor(rng, *shape, dtype=dtype_of(rng))
    scale = tensor(rng, shape[1], dtype=x.dtype)
    back(autograd.batch_norm(x, None, None, scale, scale, training=True))


def other_norms(rng: Rng) -> None:
    channels = 2 * some(rng, 10, 1)
    x = tensor(rng, some(rng, 6), channels, some(rng, 20, 1), some(rng, 20, 1), dtype=dtype_of(rng))
    weight, bias = (tensor(rng, channels, dtype=x.dtype) for _ in "wb")
    back(autograd.group_norm(x, 2, weight, bias))
    back(autograd.layer_norm(x, x.shape[1:]))
    rows = tensor(rng, some(rng, 70), channels, dtype=x.dtype)
    back(autograd.layer_norm(rows, (channels,), weight, bias))


def a_table(rng: Rng) -> None:
    rows = some(rng, 60, 1)
    table = tensor(rng, rows, some(rng, 70), dtype=dtype_of(rng))
    back(autograd.embedding(rng.integers(0, rows, (some(rng, 9), some(rng, 40))), table))


def some_elements(rng: Rng) -> None:
    x = tensor(rng, some(rng, 40_000), dtype=dtype_of(rng))
    for name in ("relu", "exp", "tanh", "sigmoid", "softplus", "sin", "cos", "erf", "gelu", "silu"):
        back(getattr(autograd, name)(x))
    back((x * x + 1.0).log())
    back(autograd.dropout(x, 0.3))


def an_update(rng: Rng) -> None:
    parameters = [
        tensor(rng, some(rng, 20_000), dtype=np.float32).detach().requires_grad_() for _ in "abc"
    ]
    for make in (optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop):
        optimizer = make(parameters, lr=0.1)
        for p in parameters:
            p.grad = autograd.tensor(rng.standard_normal(p.shape).astype(np.float32))
        optimizer.step()


FUZZ: tuple[Callable[[Rng], None], ...] = (
    a_matmul,
    a_convolution,
    a_convolution,
    a_pooling,
    some_rows,
    a_norm,
    other_norms,
    a_table,
    some_elements,
    an_update,
)


def main(side: str, seed: int, rounds: int) -> None:
    """Run it all."""
    memory.LARGE = 1 << 62  # so that large results are fenced too
    rng = np.random.default_rng(seed)
    with fenced(side):
        print("ops", every_op(seed), flush=True)
        for i in range(rounds):
            for fuzz in FUZZ:
                state = rng.bit_generator.state
                try:
                    with np.errstate(all="ignore"):
                        fuzz(rng)
                except Exception:
                    print("failed:", fuzz.__name__, "round", i, "state", state, flush=True)
                    raise
        print("rounds", rounds, flush=True)
        os._exit(0)  # arrays that die later than the fence would ask it to free them


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
