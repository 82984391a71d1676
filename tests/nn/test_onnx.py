"""Models written as ONNX give the same results in ONNX Runtime, for other batches than traced."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import nn.export
from nn.export import ExportError

pytest.importorskip("onnx", reason="the extra is not installed: pip install dagrad[onnx]")

F = nn.functional


class Function(nn.Module):
    """A function as a model."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *x: Any) -> Any:
        return self.function(*x)


class Odd(nn.Module):
    """Has an op that ONNX has not."""

    def forward(self, x: Any) -> Any:
        return x.erfinv()


def example(shape: tuple[int, ...], integers: bool = False) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    if integers:
        return rng.integers(0, 5, shape)
    return rng.standard_normal(shape, dtype=np.float32)


def run(path: Any, *inputs: np.ndarray) -> list[np.ndarray]:
    runtime: Any = pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: x for i, x in zip(session.get_inputs(), inputs, strict=True)})


def tensors(value: Any) -> list[np.ndarray]:
    if isinstance(value, tuple | list):
        return [array for item in value for array in tensors(item)]
    return [value.numpy()]


def check(
    model: nn.Module,
    tmp_path: Any,
    *shapes: tuple[int, ...],
    integers: bool = False,
    **options: Any,
) -> None:
    """Export from a batch of two; compare at the sizes 1, 2 and 5."""
    dim = options.get("batch_dim", 0)
    path = tmp_path / "model.onnx"
    nn.export.onnx(model, tuple(example(shape, integers) for shape in shapes), path, **options)
    model.eval()
    for batch in (2,) if dim is None else (1, 2, 5):
        inputs = []
        for shape in shapes:
            size = list(shape)
            if dim is not None:
                size[dim] = batch
            inputs.append(example(tuple(size), integers))
        with autograd.no_grad():
            expected = tensors(model(*(autograd.tensor(x) for x in inputs)))
        found = run(path, *inputs)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            largest = max(1.0, np.abs(b).max(initial=0.0))
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * largest)


# What their forward computes is drawn at random: the objective that they are trained by.
RANDOM = ("deep_belief", "rbm")


@pytest.mark.parametrize("name", RANDOM)
def test_a_random_objective_is_refused(name, tmp_path):
    entry = nn.models.find_model(name)
    with pytest.raises(nn.export.ExportError, match="'bernoulli' has no counterpart"):
        nn.export.onnx(entry.factory(), (2, *entry.input_shape), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [n for n in nn.models.list_models() if n not in RANDOM])
def test_every_model_of_the_zoo(name, tmp_path):
    entry = nn.models.find_model(name)
    check(entry.factory(), tmp_path, (2, *entry.input_shape), integers=entry.dtype == "int64")


LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "Linear": (lambda: nn.Linear(3, 4), (2, 3)),
    "Linear of rows": (lambda: nn.Linear(3, 4, bias=False), (2, 5, 3)),
    "Linear of rows, bias": (lambda: nn.Linear(3, 4), (2, 5, 3)),
    "Conv1d": (lambda: nn.Conv1d(4, 6, 3, 2, 1, groups=2), (2, 4, 8)),
    "Conv2d": (lambda: nn.Conv2d(2, 4, (3, 2), (2, 1), (1, 0), (1, 2)), (2, 2, 8, 7)),
    "Conv2d same": (lambda: nn.Conv2d(2, 4, 4, padding="same", bias=False), (2, 2, 6, 6)),
    "Conv3d": (lambda: nn.Conv3d(1, 2, 2), (2, 1, 3, 3, 3)),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(2, 3, 3, 2, 1, 1), (2, 2, 4)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 4, 3, 2, 1, 1, groups=2), (2, 2, 4, 3)),
    "MaxPool1d": (lambda: nn.MaxPool1d(2), (2, 2, 6)),
    "MaxPool2d": (lambda: nn.MaxPool2d(3, 2, 1), (2, 2, 8, 8)),
    "MaxPool2d up": (lambda: nn.MaxPool2d(3, 2, 1, ceil_mode=True), (2, 2, 8, 8)),
    "MaxPool2d indices": (lambda: nn.MaxPool2d(2, return_indices=True), (2, 3, 4, 4)),
    "MaxPool3d": (lambda: nn.MaxPool3d(2), (2, 1, 4, 4, 4)),
    "AvgPool1d": (lambda: nn.AvgPool1d(2), (2, 2, 6)),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, 2, 1), (2, 2, 8, 8)),
    "AvgPool2d up": (lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True), (2, 2, 8, 8)),
    "AvgPool2d inner": (
        lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        (2, 2, 8, 8),
    ),
    "AvgPool2d divisor": (lambda: nn.AvgPool2d(3, 2, 1, divisor_override=2), (2, 2, 7, 7)),
    "AdaptiveAvgPool2d 1": (lambda: nn.AdaptiveAvgPool2d(1), (2, 3, 6, 5)),
    "AdaptiveAvgPool2d 4": (lambda: nn.AdaptiveAvgPool2d((4, 3)), (2, 3, 6, 5)),
    "AdaptiveAvgPool1d": (lambda: nn.AdaptiveAvgPool1d(4), (2, 3, 6)),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d(2), (2, 3, 6, 4)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3), (2, 3)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(3, affine=False), (2, 3, 4, 4)),
    "LayerNorm": (lambda: nn.LayerNorm(4), (2, 3, 4)),
    "LayerNorm of images": (lambda: nn.LayerNorm((3, 4)), (2, 3, 4)),
    "LayerNorm plain": (lambda: nn.LayerNorm(4, elementwise_affine=False), (2, 4)),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), (2, 4, 3, 3)),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(3, affine=True), (2, 3, 4, 4)),
    "RMSNorm": (lambda: nn.RMSNorm(4), (2, 3, 4)),
    "Dropout": (lambda: nn.Dropout(), (2, 3)),
    "Flatten": (lambda: nn.Flatten(), (2, 3, 4)),
    "ZeroPad2d": (lambda: nn.ZeroPad2d((1, 2, 0, 1)), (2, 1, 3, 3)),
    "ReflectionPad2d": (lambda: nn.ReflectionPad2d(1), (2, 1, 3, 3)),
    "ReplicationPad1d": (lambda: nn.ReplicationPad1d(2), (2, 1, 3)),
    "CircularPad1d": (lambda: nn.CircularPad1d(2), (2, 1, 3)),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), (2, 2, 3, 3)),
    "Upsample bilinear": (lambda: nn.Upsample((5, 4), mode="bilinear"), (2, 2, 3, 3)),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), (2, 8, 3, 3)),
    "Transformer": (
        lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
        (2, 3, 4),
    ),
    "LSTM": (lambda: nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), (2, 4, 3)),
    "GRU": (lambda: nn.GRU(3, 4, batch_first=True), (2, 4, 3)),
    "RNN": (lambda: nn.RNN(3, 4, batch_first=True), (2, 4, 3)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, tmp_path):
    build, shape = LAYERS[name]
    check(build(), tmp_path, shape)


# fmt: off
ACTIVATION_NAMES = (
    "ReLU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus", "LeakyReLU",
    "ELU", "SELU", "CELU", "Mish", "Hardswish", "Hardsigmoid", "Hardtanh",
    "ReLU6", "Softsign", "Tanhshrink", "LogSigmoid", "Hardshrink", "Softshrink", "PReLU",
)
# fmt: on
ACTIVATIONS = {
    **{name: getattr(nn, name) for name in ACTIVATION_NAMES},
    "GELU tanh": lambda: nn.GELU("tanh"),
    "CELU 2": lambda: nn.CELU(2.0),
    "Softplus 2": lambda: nn.Softplus(2.0),
    "Threshold": lambda: nn.Threshold(0.1, 5.0),
    "Softmax": lambda: nn.Softmax(-1),
    "LogSoftmax": lambda: nn.LogSoftmax(1),
    "GLU": lambda: nn.GLU(2),
}


def test_activations(tmp_path):
    together = [build() for build in ACTIVATIONS.values()]
    check(Function(lambda x: [layer(x) for layer in together]), tmp_path, (2, 3, 4))


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "arithmetic": (lambda x: 2 - (x * 3 + 1) / (x.abs() + 0.5) ** 2, (2, 3)),
    "with the batch size": (lambda x: x * x.shape[0] / (x.shape[0] + 1), (2, 3)),
    "integers": (lambda x: x + autograd.arange(3) * 2, (2, 3)),
    "comparisons": (lambda x: autograd.where((x > 0) & (x != 1) | ~(x <= -1), x, -x), (2, 3)),
    "clamp": (lambda x: x.clamp(-0.5, 0.5).clamp(min=0.1).maximum(x * 0.1), (2, 3)),
    "means": (lambda x: [x.mean((2, 3)), x.amax(1), x.sum(-1, keepdim=True)], (2, 3, 4, 2)),
    "spread": (lambda x: [x.var(1), x.std(-1, unbiased=False), x.logsumexp(1)], (2, 3, 4)),
    "norms": (lambda x: [F.normalize(x, dim=1), x.norm(dim=-1), x.norm(p=1, dim=1)], (2, 3, 4)),
    "extremes": (lambda x: [x.max(1)[0], x.argmax(1), x.min(2)[1]], (2, 3, 4)),
    "slices": (lambda x: [x[:, -1], x[:, 1:3, None, ::2], x[..., 0], x[:, ::-1]], (2, 3, 4)),
    "lists": (lambda x: x[:, [2, 0]], (2, 3, 4)),
    "parts": (lambda x: autograd.cat([*autograd.chunk(x, 3, 1), x], 1), (2, 6)),
    "stack": (lambda x: autograd.stack([x, x * 2], 1).flatten(1), (2, 3)),
    "batch in front": (lambda x: x.reshape(-1, 2).sum(1), (2, 4)),
    "images as rows": (lambda x: x.flatten(2).transpose(1, 2), (2, 3, 2, 2)),
    "new dimensions": (lambda x: x.unsqueeze(1).expand(-1, 3, -1).repeat(1, 1, 2), (2, 3)),
    "matmul": (lambda x: autograd.einsum("bij,bkj->bik", x, x) @ x, (2, 3, 4)),
    "zeros of the batch": (lambda x: autograd.cat([autograd.zeros(x.shape[0], 1), x], 1), (2, 3)),
    "attention": (lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), (2, 2, 3, 4)),
    "masked": (
        lambda x: x.masked_fill(autograd.ones(3, 3).triu(1) > 0, -np.inf).softmax(-1),
        (2, 3, 3),
    ),
    "cumulative": (lambda x: [x.cumsum(1), x.tril(), x.flip(1)], (2, 3, 3)),
    "rounding": (
        lambda x: [x.round(), x.trunc(), x.frac(), (x * 3).round(decimals=1), x % 0.3, x // 0.3],
        (2, 3),
    ),
    "logarithms": (
        lambda x: [x.abs().log1p(), x.expm1(), x.exp2(), x.abs().log2(), x.abs().log10()],
        (2, 3),
    ),
    "errors": (lambda x: [x.erf(), x.erfc()], (2, 3)),
    "not numbers": (
        lambda x: autograd.nan_to_num(
            autograd.where(x > 0.3, np.inf, autograd.where(x < -0.3, np.nan, x)), 1.0, 2.0
        ),
        (2, 5),
    ),
    "order": (lambda x: [*x.topk(2, 1), *x.sort(1, descending=True)], (2, 5)),
    "truth": (lambda x: [(x > 0).any(1), (x > -1).all(1), x.isnan()], (2, 3)),
    "rearranged": (
        lambda x: [x.roll(1, 1), x.repeat_interleave(2, 1), x.unfold(1, 2, 1), x.diagonal(0, 1, 2)],
        (2, 3, 4),
    ),
    "windows of images": (lambda x: F.unfold(x, 2), (2, 1, 4, 4)),
    "one number": (lambda x: x.mean() * x.shape[0], (2, 3)),
    "itself and a constant": (lambda x: [x, autograd.ones(2)], (2, 3)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, tmp_path):
    function, shape = FUNCTIONS[name]
    check(Function(function), tmp_path, shape)


def test_embedding_takes_integers(tmp_path):
    model = nn.Sequential(nn.Embedding(5, 3, padding_idx=0), nn.Flatten(), nn.Linear(12, 2))
    check(model, tmp_path, (2, 4), integers=True)


def test_several_inputs_and_a_batch_in_the_middle(tmp_path):
    check(nn.MultiheadAttention(4, 2), tmp_path, (3, 2, 4), (5, 2, 4), (5, 2, 4), batch_dim=1)


def test_sizes_of_the_example_only(tmp_path):
    check(
        Function(lambda x: x.reshape(2, -1) + autograd.arange(6)), tmp_path, (2, 6), batch_dim=None
    )
    with pytest.raises((ExportError, ValueError, RuntimeError)):
        nn.export.onnx(Function(lambda x: x.reshape(2, -1)), (2, 3), tmp_path / "no.onnx")
    constants = {n: autograd.randn(n, 3) for n in range(6)}
    with pytest.raises(ExportError, match="not the same for every example"):
        nn.export.onnx(Function(lambda x: x + constants[x.shape[0]]), (2, 3), tmp_path / "no.onnx")
    branches = Function(lambda x: x * 2 if x.shape[0] % 2 else x.sum(1))
    with pytest.raises(ExportError, match="does something else for a batch of 3 than for one of 4"):
        nn.export.onnx(branches, (2, 3), tmp_path / "no.onnx")
    chance = Function(lambda x: x * autograd.rand(3))
    with pytest.raises(ExportError, match="it is random, or depends on the batch size"):
        nn.export.onnx(chance, (2, 3), tmp_path / "no.onnx")
    with pytest.raises(ExportError, match="roll: it rearranges the batch"):
        nn.export.onnx(Function(lambda x: x.roll(1, 0)), (2, 3), tmp_path / "no.onnx")
    assert not (tmp_path / "no.onnx").exists()


def test_an_op_without_a_counterpart_names_its_module(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), Odd()))
    words = r"the op 'erfinv' has no counterpart .* \(in module '1\.1', at test_onnx\.py:\d+\)"
    with pytest.raises(ExportError, match=words):
        nn.export.onnx(model, (1, 2), tmp_path / "odd.onnx")
    assert not list(tmp_path.iterdir())
    assert not any(module._forward_hooks for module in model.modules())


def test_the_model_is_left_as_it_was(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout())
    model[1].eval()
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    nn.export.onnx(model, (4, 2), tmp_path / "m.onnx")
    assert [module.training for module in model.modules()] == [True, True, False, True]
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_what_the_file_says(tmp_path):
    library: Any = importlib.import_module("onnx")
    path = tmp_path / "m.onnx"
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(32, 3))
    nn.export.onnx(
        model,
        (1, 1, 6, 6),
        path,
        input_names=["image"],
        output_names=["scores"],
        metadata={"by": "me"},
    )
    made = library.load(path)
    names = {initializer.name for initializer in made.graph.initializer}
    assert {n for n in model.state_dict() if "num_batches" not in n} <= names
    assert [i.name for i in made.graph.input] == ["image"]
    assert [o.name for o in made.graph.output] == ["scores"]
    assert [d.dim_param or d.dim_value for d in made.graph.input[0].type.tensor_type.shape.dim] == [
        "batch",
        1,
        6,
        6,
    ]
    assert {p.key: p.value for p in made.metadata_props} == {"model": "Sequential", "by": "me"}
    assert made.producer_name == "dagrad"
    assert made.opset_import[0].version == 20
    assert all(node.name for node in made.graph.node)
    before = path.read_bytes()
    nn.export.onnx(
        model,
        (3, 1, 6, 6),
        path,
        input_names=["image"],
        output_names=["scores"],
        metadata={"by": "me"},
    )
    assert path.read_bytes() == before  # the example's batch leaves no trace


@pytest.mark.parametrize(
    ("args", "options", "error", "words"),
    [
        (("x",), {}, TypeError, "not a str"),
        (((1, 2),), {"input_names": ["a", "b"]}, ValueError, "1 different input names"),
        (((1, 2),), {"output_names": ["a", "b"]}, ValueError, "2 output names for 1 outputs"),
        (((1, 2),), {"input_names": ["weight"]}, ValueError, "of an input and of a parameter"),
        (((1, 2),), {"output_names": ["input"]}, ValueError, "is taken"),
        ((((1, 2), (3, 2)),), {}, ValueError, "batches of different sizes"),
    ],
)
def test_bad_arguments(tmp_path, args, options, error, words):
    with pytest.raises(error, match=words):
        nn.export.onnx(nn.Linear(2, 2), args[0], tmp_path / "x.onnx", **options)


def test_a_missing_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(importlib.import_module("sys").modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install dagrad\[onnx\]"):
        nn.export.onnx(nn.Linear(2, 2), (1, 2), tmp_path / "x.onnx")
