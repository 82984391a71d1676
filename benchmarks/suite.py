"""The kernels of this library, with what they are measured beside."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import kernels

from .subjects import Arrays, kernel


def torch_function(path: str) -> Callable[..., Any]:
    """A function of PyTorch by its dotted name, looked for when it is called."""

    def call(*args: Any) -> Any:
        torch: Any = importlib.import_module("torch")
        for word in path.split("."):
            torch = getattr(torch, word)
        return torch(*args)

    return call


def matrices(size: Any, rng: np.random.Generator) -> Arrays:
    """Two factors for (rows, inner, columns), or squares."""
    m, k, n = size if isinstance(size, tuple) else (size,) * 3
    return rng.standard_normal((m, k)), rng.standard_normal((k, n))


kernel(
    name="matmul",
    reference=np.matmul,
    inputs=matrices,
    flops=lambda a, b: 2.0 * a.shape[0] * a.shape[1] * b.shape[1],
    rivals={"numpy": np.matmul, "torch": torch_function("matmul")},
    sizes=(128, 512, 1024, (64, 784, 128), (4096, 64, 4096)),
)(kernels.matmul)

LINES: dict[str, tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]] = {
    "exp": (kernels.exp, np.exp, {"numpy": np.exp, "torch": torch_function("exp")}),
    "log": (
        lambda x: kernels.log(np.abs(x)),
        lambda x: np.log(np.abs(x)),
        {"numpy": lambda x: np.log(np.abs(x)), "torch": lambda x: x.abs().log()},
    ),
    "tanh": (kernels.tanh, np.tanh, {"numpy": np.tanh, "torch": torch_function("tanh")}),
    "sigmoid": (
        kernels.sigmoid,
        lambda x: 1.0 / (1.0 + np.exp(-x)),
        {"torch": torch_function("sigmoid")},
    ),
    "relu": (
        kernels.relu,
        lambda x: np.maximum(x, 0.0),
        {"numpy": lambda x: np.maximum(x, 0), "torch": torch_function("relu")},
    ),
}
for _name, (_ours, _reference, _rivals) in LINES.items():
    kernel(
        name=_name,
        reference=_reference,
        inputs=lambda size, rng: (rng.standard_normal(size),),
        rivals=_rivals,
    )(_ours)


def rows(size: Any, rng: np.random.Generator) -> Arrays:
    """Lines of scores."""
    return (rng.standard_normal(size),)


def softmax_formula(x: np.ndarray) -> np.ndarray:
    """Softmax of each row."""
    z = np.exp(x - x.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)


kernel(
    name="softmax",
    reference=softmax_formula,
    inputs=rows,
    rivals={"numpy": softmax_formula, "torch": lambda x: x.softmax(-1)},
    sizes=((128, 10), (512, 512), (4096, 1000)),
)(lambda x: kernels.softmax(x, axis=-1))


def images(size: Any, rng: np.random.Generator) -> Arrays:
    """Images and filters of (batch, channels, side, outputs, filter side)."""
    batch, channels, side, outputs, k = size
    return (
        rng.standard_normal((batch, channels, side, side)),
        rng.standard_normal((outputs, channels, k, k)),
    )


def conv_flops(x: np.ndarray, w: np.ndarray) -> float:
    """Multiplications and additions of the definition, which Winograd's algorithm undercuts."""
    return 2.0 * x.shape[0] * x.shape[2] * x.shape[3] * w.size


def same_conv(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Cross-correlation whose output is as large as its input."""
    pad = w.shape[2] // 2
    return kernels.conv2d(x, w, None, stride=(1, 1), padding=(pad, pad), dilation=(1, 1), groups=1)


def conv_reference(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The definition, one tap of the filter at a time."""
    pad = w.shape[2] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = x.shape[2:]
    y = np.zeros((x.shape[0], w.shape[0], height, width))
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            window = padded[:, :, i : i + height, j : j + width]
            y += np.einsum("oc,nchw->nohw", w[:, :, i, j], window, optimize=True)
    return y


kernel(
    name="conv2d",
    reference=conv_reference,
    inputs=images,
    flops=conv_flops,
    rivals={"torch": lambda x, w: torch_function("conv2d")(x, w, None, 1, w.shape[2] // 2)},
    sizes=((32, 16, 32, 16, 3), (32, 64, 8, 64, 3), (4, 64, 56, 64, 3), (4, 64, 56, 256, 1)),
    dtypes=("float32",),
    tolerance=1e-4,
)(same_conv)
