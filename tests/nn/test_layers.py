"""Layers, losses and functional, first by themselves and then against torch."""

from __future__ import annotations

import copy
import inspect
import math

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F

TOLERANCE = 2e-6  # of a tensor's largest element: sums cancel in another order than torch's


def images(*shape, seed=0, dtype: type = np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# ------------------------------------------------------------------ without torch


def test_linear_computes_its_formula():
    layer = nn.Linear(3, 2)
    x = images(4, 3)
    weight, bias = (tensor.numpy() for tensor in layer.state_dict().values())
    expected = x @ weight.T + bias
    np.testing.assert_allclose(layer(autograd.tensor(x)).detach().numpy(), expected, rtol=1e-6)
    assert layer(autograd.tensor(x[0])).shape == (2,)
    assert layer(autograd.zeros(0, 3)).shape == (0, 2)
    assert nn.Linear(3, 2, bias=False).bias is None


def test_same_padding_keeps_the_size_whatever_the_kernel():
    x = autograd.tensor(images(1, 1, 7, 9))
    for kernel in (1, 2, 3, (2, 5), (4, 4)):
        for dilation in (1, 2, (1, 3)):
            layer = nn.Conv2d(1, 2, kernel, padding="same", dilation=dilation)
            assert layer(x).shape == (1, 2, 7, 9)
            assert layer(x[0]).shape == (2, 7, 9)
    assert nn.Conv2d(1, 1, 3, padding="valid")(x).shape == (1, 1, 5, 7)


def test_dtype_and_device_of_layers():
    for layer in (
        nn.Linear(2, 2, dtype=np.float64, device="cpu"),
        nn.Conv2d(2, 2, 1, dtype="float64"),
        nn.BatchNorm1d(2, dtype=np.float64),
    ):
        kinds = {t.dtype.name for t in layer.state_dict().values()}
        assert kinds <= {"float64", "int64"}
        assert "float64" in kinds
    autograd.set_default_dtype(np.float64)
    try:
        assert nn.Linear(2, 2).weight.dtype == np.float64
    finally:
        autograd.set_default_dtype(np.float32)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.Linear(-1, 2), ValueError, "in_features=-1"),
        (lambda: nn.Linear(2, 2, dtype=np.int64), TypeError, "floating-point"),
        (lambda: nn.Linear(2, 2, device="cuda"), ValueError, "cuda"),
        (lambda: nn.Conv2d(3, 4, 1, groups=2), ValueError, "in_channels"),
        (lambda: nn.Conv2d(4, 3, 1, groups=2), ValueError, "out_channels"),
        (lambda: nn.Conv2d(4, 4, 1, groups=0), ValueError, "groups"),
        (lambda: nn.Conv2d(0, 4, 1), ValueError, "in_channels"),
        (lambda: nn.Conv2d(1, 1, 0), ValueError, "kernel_size"),
        (lambda: nn.Conv2d(1, 1, (1, 2, 3)), TypeError, "kernel_size"),  # pyright: ignore[reportArgumentType] - wrong on purpose
        (lambda: nn.Conv2d(1, 1, 3, stride=0), ValueError, "stride"),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), ValueError, "padding"),
        (lambda: nn.Conv2d(1, 1, 3, padding="full"), ValueError, "'full'"),
        (lambda: nn.Conv2d(1, 1, 3, stride=2, padding="same"), ValueError, "stride"),
        (lambda: nn.Conv2d(1, 1, 3, padding_mode="odd"), ValueError, "padding_mode"),
        (lambda: nn.ConvTranspose1d(1, 1, 3, padding_mode="circular"), ValueError, "circular"),
        (lambda: nn.ConvTranspose1d(1, 1, 3, padding="same"), TypeError, "same"),  # pyright: ignore[reportArgumentType] - wrong on purpose
        (lambda: nn.ReflectionPad2d((1, 2)), TypeError, "4 ints"),
        (lambda: nn.Hardtanh(1.0, 1.0), ValueError, "min_val"),
        (lambda: nn.PReLU(0), ValueError, "num_parameters"),
        (lambda: nn.Unflatten(1, (2.0, 3)), TypeError, "unflattened_size"),  # pyright: ignore[reportArgumentType] - wrong on purpose
        (lambda: nn.MaxPool2d(2, padding=2), ValueError, "padding"),
        (lambda: nn.AvgPool2d(0), ValueError, "kernel_size"),
        (lambda: nn.AvgPool2d(2, divisor_override=0), ValueError, "divisor"),
        (lambda: nn.AvgPool1d(2, padding=2), ValueError, "padding"),
        (lambda: nn.MaxUnpool2d((1, 2, 3)), TypeError, "kernel_size"),
        (lambda: nn.LPPool2d(0, 2), ValueError, "norm_type"),
        (lambda: nn.FractionalMaxPool2d(2), ValueError, "output_ratio"),
        (lambda: nn.FractionalMaxPool2d(2, 2, 0.5), ValueError, "not both"),
        (lambda: nn.FractionalMaxPool3d(2, output_ratio=(0.5, 1.0, 0.5)), ValueError, "between"),
        (lambda: nn.BatchNorm1d(-1), ValueError, "num_features"),
        (lambda: nn.LayerNorm((2, -1)), ValueError, "normalized_shape"),
        (lambda: nn.LayerNorm(()), ValueError, "normalized_shape"),
        (lambda: nn.RMSNorm((2, -1)), ValueError, "normalized_shape"),
        (lambda: nn.InstanceNorm2d(-1), ValueError, "num_features"),
        (lambda: nn.GroupNorm(3, 4), ValueError, "num_groups=3"),
        (lambda: nn.GroupNorm(0, 4), ValueError, "num_groups=0"),
        (lambda: nn.Dropout(1.5), ValueError, "1.5"),
        (lambda: nn.Dropout(math.nan), ValueError, "p must"),
    ],
)
def test_wrong_arguments_are_refused_where_the_layer_is_made(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (nn.Linear(3, 2), (4, 5), "linear"),
        (nn.Conv2d(3, 2, 3), (1, 2, 8, 8), "conv2d"),
        (nn.Conv2d(3, 2, 3), (3, 8), "conv2d"),
        (nn.Conv2d(3, 2, 9), (1, 3, 8, 8), "does not fit"),
        (nn.Conv1d(3, 2, 3, padding=2, padding_mode="reflect"), (3, 2), "pad"),
        (nn.ConvTranspose2d(3, 2, 3), (1, 2, 8, 8), "conv_transpose2d"),
        (nn.Softmax2d(), (2, 3), "Softmax2d"),
        (nn.ReplicationPad3d(1), (2, 3, 3), "ReplicationPad3d"),
        (nn.PReLU(3), (2, 2), "prelu"),
        (nn.MaxPool2d(3), (1, 1, 2, 2), "does not fit"),
        (nn.FractionalMaxPool2d(2, 3), (1, 3, 3), "do not fit"),
        (nn.AdaptiveAvgPool2d(2), (3, 3), "adaptive_avg_pool2d"),
        (nn.BatchNorm1d(3), (2, 3, 4, 4), "2D or 3D"),
        (nn.BatchNorm2d(3), (2, 3), "4D"),
        (nn.BatchNorm1d(3), (2, 4), "running_mean"),
        (nn.BatchNorm1d(3), (1, 3), "more than one value"),
        (nn.LayerNorm((2, 3)), (3,), "normalized_shape"),
        (nn.LayerNorm(3), (3, 2), "normalized_shape"),
        (nn.RMSNorm((2, 3)), (3, 2), "rms_norm"),
        (nn.InstanceNorm1d(3, affine=True), (2, 4, 5), "3 channels"),
        (nn.InstanceNorm1d(3), (2, 3, 4, 4), "2D or 3D"),
        (nn.InstanceNorm2d(3, track_running_stats=True), (3, 1, 1), "more than one value"),
        (nn.LocalResponseNorm(2), (2, 3), "local_response_norm"),
        (nn.GroupNorm(1, 3), (2, 4, 5), "GroupNorm"),
        (nn.GroupNorm(3, 3), (1, 3), "more than one value"),
    ],
)
def test_wrong_inputs_are_refused(layer, shape, words):
    before = {name: t.tolist() for name, t in layer.state_dict().items()}
    with pytest.raises(ValueError, match=words):
        layer(autograd.zeros(*shape))
    assert {name: t.tolist() for name, t in layer.state_dict().items()} == before


def test_softmax_asks_for_its_dimension():
    for layer in (nn.Softmax(), nn.LogSoftmax()):
        with pytest.raises(TypeError, match="dim"):
            layer(autograd.zeros(2, 2))


def test_dropout_drops_scales_and_rests():
    layer = nn.Dropout(0.25)
    x = autograd.ones(100, 100)
    y = layer(x).numpy()
    assert set(np.unique(y)) == {np.float32(0.0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 0.02
    assert layer.eval()(x) is x
    autograd.manual_seed(3)
    first = F.dropout(x, 0.5).numpy()
    autograd.manual_seed(3)
    np.testing.assert_array_equal(F.dropout(x, 0.5).numpy(), first)
    own = F.dropout(x, 0.5, generator=autograd.Generator(3)).numpy()
    np.testing.assert_array_equal(own, first)
    assert nn.Dropout(1.0)(x).sum().item() == 0.0
    assert nn.Dropout(0.0)(x) is x


def test_dropout_gradient_is_its_mask():
    x = autograd.ones(20, requires_grad=True)
    y = nn.Dropout(0.5)(x)
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


def test_inplace_is_accepted_and_leaves_the_input_alone():
    x = autograd.tensor([-1.0, 2.0])
    assert nn.ReLU(inplace=True)(x).tolist() == [0.0, 2.0]
    assert F.relu(x, inplace=True).tolist() == [0.0, 2.0]
    nn.Dropout(1.0, inplace=True)(x)
    assert x.tolist() == [-1.0, 2.0]


def test_batch_norm_averages_all_batches_with_momentum_none():
    layer = nn.BatchNorm1d(2, momentum=None)
    batches = [images(5, 2, seed=i) for i in range(4)]
    for batch in batches:
        layer(autograd.tensor(batch))
    mean, var, count = layer.buffers()
    np.testing.assert_allclose(mean.numpy(), np.mean([b.mean(0) for b in batches], 0), atol=1e-6)
    np.testing.assert_allclose(
        var.numpy(), np.mean([b.var(0, ddof=1) for b in batches], 0), rtol=1e-5
    )
    assert count.item() == 4
    assert count.dtype == np.int64
    layer.reset_running_stats()
    assert mean.tolist() == [0.0, 0.0]
    assert var.tolist() == [1.0, 1.0]
    assert count.item() == 0


def test_batch_norm_evaluates_without_touching_its_buffers():
    layer = nn.BatchNorm2d(3).eval()
    before = copy.deepcopy(layer.state_dict())
    layer(autograd.tensor(images(2, 3, 4, 4)))
    for name, tensor in layer.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), before[name].numpy())


def test_batch_norm_gradients_are_right():
    layer = nn.BatchNorm1d(2).double()
    x = images(4, 2, dtype=np.float64)
    weights = images(4, 2, seed=1, dtype=np.float64)

    def loss(value):
        return (layer(autograd.tensor(value)) * weights).sum().item()

    t = autograd.tensor(x, requires_grad=True)
    (layer(t) * weights).sum().backward()
    assert t.grad is not None
    for i in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[i] = 1e-6
        slope = (loss(x + step) - loss(x - step)) / 2e-6
        assert t.grad.numpy()[i] == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_losses_by_hand():
    scores = autograd.tensor([[0.0, math.log(3.0)]])
    assert nn.CrossEntropyLoss()(scores, autograd.tensor([1])).item() == pytest.approx(
        math.log(4 / 3), rel=1e-6
    )
    weighted = nn.CrossEntropyLoss(autograd.tensor([1.0, 2.0]), reduction="sum")
    assert weighted(scores, autograd.tensor([1])).item() == pytest.approx(
        2 * math.log(4 / 3), rel=1e-6
    )
    assert list(weighted.state_dict()) == ["weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []
    assert nn.MSELoss(reduction="none")(scores, scores).tolist() == [[0.0, 0.0]]


def test_loss_errors():
    x = autograd.zeros(2, 3)
    with pytest.raises(IndexError, match="class index 3"):
        nn.CrossEntropyLoss()(x, autograd.tensor([0, 3]))
    with pytest.raises(ValueError, match="shape"):
        nn.CrossEntropyLoss()(x, autograd.tensor([0]))
    with pytest.raises(ValueError, match="shape"):
        nn.MSELoss()(x, autograd.zeros(2, 1))
    with pytest.raises(ValueError, match="reduction"):
        nn.MSELoss(reduction="average")(x, x)
    with pytest.raises(ValueError, match="reduction"):
        F.mse_loss(x, x, reduction="average", weight=x)
    with pytest.raises(ValueError, match="weight"):
        F.mse_loss(x, x, weight=autograd.zeros(3))
    with pytest.raises(TypeError, match="integers"):
        F.nll_loss(x, autograd.zeros(2))
    with pytest.raises(ValueError, match="beta"):
        F.softplus(x, beta=0)


def test_old_reduction_switches_are_understood_with_a_warning():
    x, y = autograd.tensor([[1.0, 2.0]]), autograd.tensor([[0.0, 0.0]])
    for arguments, reduction in [
        ((True, True), "mean"),
        ((None, True), "mean"),
        ((False, None), "sum"),
        ((None, False), "none"),
        ((False, False), "none"),
    ]:
        with pytest.warns(UserWarning, match=f"reduction='{reduction}'"):
            old = F.mse_loss(x, y, *arguments)
        assert (old == F.mse_loss(x, y, reduction=reduction)).all()
        with pytest.warns(UserWarning, match="deprecated"):
            assert nn.MSELoss(*arguments).reduction == reduction


def test_functional_softmax_converts_first():
    y = F.softmax(autograd.zeros(2), dim=0, dtype=np.float64)
    assert y.dtype == np.float64
    assert F.log_softmax(np.zeros(2, np.float32), axis=0, dtype="float64").dtype == np.float64


def test_flatten_and_identity():
    x = autograd.zeros(2, 3, 4, 5)
    assert nn.Flatten()(x).shape == (2, 60)
    assert nn.Flatten(0, 1)(x).shape == (6, 4, 5)
    assert nn.Identity("any", thing=1)(x) is x


# ------------------------------------------------------------------ against torch

LAYERS = [
    ("Linear", (5, 4), {}, (3, 5)),
    ("Linear", (5, 4), {"bias": False}, (2, 3, 5)),
    ("Linear", (5, 4), {}, (5,)),
    ("Conv2d", (3, 4, 3), {}, (2, 3, 8, 7)),
    ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 2), "groups": 2}, (2, 4, 8, 7)),
    ("Conv2d", (3, 4, 3), {"dilation": 2, "bias": False}, (2, 3, 8, 7)),
    ("Conv2d", (3, 4, 3), {"padding": "same"}, (2, 3, 8, 7)),
    ("Conv2d", (3, 4, (2, 4)), {"padding": "same", "dilation": (3, 1)}, (2, 3, 8, 7)),
    ("Conv2d", (3, 4, 3), {"padding": "valid"}, (3, 8, 7)),
    ("MaxPool2d", (2,), {}, (2, 3, 8, 7)),
    ("MaxPool2d", ((3, 2),), {"stride": 1, "padding": 1, "dilation": (1, 2)}, (2, 3, 8, 7)),
    ("MaxPool2d", (3, 2), {"ceil_mode": True}, (3, 8, 8)),
    ("AvgPool2d", (2,), {}, (2, 3, 8, 7)),
    ("AvgPool2d", (3, 2, 1), {"ceil_mode": True, "count_include_pad": False}, (2, 3, 8, 8)),
    ("AvgPool2d", (2,), {"divisor_override": 3}, (3, 8, 7)),
    ("BatchNorm1d", (5,), {}, (6, 5)),
    ("BatchNorm1d", (5,), {"momentum": None}, (6, 5, 3)),
    ("BatchNorm1d", (5,), {"affine": False, "momentum": 0.3}, (6, 5)),
    ("BatchNorm2d", (3,), {"eps": 1e-2}, (4, 3, 5, 5)),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, (4, 3, 5, 5)),
    ("BatchNorm2d", (3,), {"bias": False}, (4, 3, 5, 5)),
    ("LayerNorm", (5,), {}, (2, 3, 5)),
    ("LayerNorm", ((3, 5),), {"bias": False, "eps": 1e-2}, (2, 3, 5)),
    ("LayerNorm", ([4],), {"elementwise_affine": False}, (4,)),
    ("GroupNorm", (2, 4), {}, (3, 4, 5, 5)),
    ("GroupNorm", (4, 4), {"affine": False}, (3, 4, 5)),
    ("GroupNorm", (1, 4), {"bias": False, "eps": 1e-2}, (3, 4)),
    ("Flatten", (), {}, (2, 3, 4)),
    ("Flatten", (), {"start_dim": 0, "end_dim": -2}, (2, 3, 4)),
    ("Identity", (3,), {}, (2, 3)),
    ("ReLU", (), {}, (4, 5)),
    ("Sigmoid", (), {}, (4, 5)),
    ("Tanh", (), {}, (4, 5)),
    ("GELU", (), {}, (4, 5)),
    ("GELU", ("tanh",), {}, (4, 5)),
    ("SiLU", (), {}, (4, 5)),
    ("Softplus", (), {}, (4, 5)),
    ("Softplus", (2.5, 1.0), {}, (4, 5)),
    ("Softmax", (1,), {}, (4, 5)),
    ("LogSoftmax", (-2,), {}, (4, 5, 2)),
    ("Dropout", (0.0,), {}, (4, 5)),
]


def close(ours, theirs, what):
    wanted = theirs.detach().numpy()
    bound = TOLERANCE * max(1.0, float(abs(wanted).max()))
    np.testing.assert_allclose(ours.detach().numpy(), wanted, rtol=0, atol=bound, err_msg=what)


# Said by torch, of a copy of its own.
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("name", "args", "kwargs", "shape"),
    LAYERS,
    ids=[f"{name}-{i}" for i, (name, *_) in enumerate(LAYERS)],
)
def test_layer_agrees_with_torch(torch, name, args, kwargs, shape, training):
    theirs = getattr(torch.nn, name)(*args, **kwargs).train(training)
    ours = getattr(nn, name)(*args, **kwargs).train(training)
    with torch.no_grad():  # affine parameters that are not all 1 and 0
        for i, p in enumerate(theirs.parameters()):
            p.add_(torch.from_numpy(images(*p.shape, seed=i + 5)) * 0.1)
    ours.load_state_dict({key: t.numpy().copy() for key, t in theirs.state_dict().items()})
    assert repr(ours) == repr(theirs)
    for seed in range(3):  # several times, for the running statistics
        x = images(*shape, seed=seed)
        a = autograd.tensor(x, requires_grad=True)
        b = torch.tensor(x, requires_grad=True)
        y, z = ours(a), theirs(b)
        close(y, z, "output")
        g = images(*y.shape, seed=9)
        y.backward(autograd.tensor(g))
        z.backward(torch.tensor(g))
        close(a.grad, b.grad, "gradient of the input")
    for key, p in theirs.named_parameters():
        close(ours.get_parameter(key).grad, p.grad, f"gradient of {key}")
    for key, buffer in theirs.named_buffers():
        close(ours.get_buffer(key), buffer, key)


def test_max_pool_indices_are_torchs(torch):
    x = images(2, 3, 6, 6)
    y, i = nn.MaxPool2d(2, return_indices=True)(autograd.tensor(x))
    z, j = torch.nn.MaxPool2d(2, return_indices=True)(torch.tensor(x))
    close(y, z, "values")
    np.testing.assert_array_equal(i.numpy(), j.numpy())


CLASSES = np.array([1, 0, 3, 2, 1])
LOSSES = [
    ("CrossEntropyLoss", {}, CLASSES),
    ("CrossEntropyLoss", {"label_smoothing": 0.2, "ignore_index": 1}, CLASSES),
    ("CrossEntropyLoss", {"weight": True, "label_smoothing": 0.1}, CLASSES),
    ("CrossEntropyLoss", {"weight": True}, "probabilities"),
    ("NLLLoss", {}, CLASSES),
    ("NLLLoss", {"weight": True, "ignore_index": 0}, CLASSES),
    ("MSELoss", {}, "probabilities"),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "kwargs", "target"), LOSSES)
def test_loss_agrees_with_torch(torch, name, kwargs, target, reduction):
    x = images(5, 4)
    if isinstance(target, str):
        raw = np.abs(images(5, 4, seed=1))
        target = raw / raw.sum(1, keepdims=True)
    kwargs = {**kwargs, "reduction": reduction}
    weight = np.array([0.5, 1.0, 2.0, 3.0], np.float32)
    ours_kwargs, theirs_kwargs = dict(kwargs), dict(kwargs)
    if "weight" in kwargs:
        ours_kwargs["weight"] = autograd.tensor(weight)
        theirs_kwargs["weight"] = torch.tensor(weight)
    ours, theirs = getattr(nn, name)(**ours_kwargs), getattr(torch.nn, name)(**theirs_kwargs)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    a, b = autograd.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = ours(a, autograd.tensor(target)), theirs(b, torch.tensor(target))
    close(y, z, "loss")
    y.sum().backward()
    z.sum().backward()
    close(a.grad, b.grad, "gradient")


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
def test_functional_agrees_with_torch(torch):
    T = torch.nn.functional
    x, w = images(2, 3, 6, 5), images(4, 3, 2, 3, seed=1)
    a, b, t, u = autograd.tensor(x), autograd.tensor(w), torch.tensor(x), torch.tensor(w)
    close(F.conv2d(a, b, padding="same"), T.conv2d(t, u, padding="same"), "conv2d same")
    close(F.conv2d(a, b, None, 2, 1), T.conv2d(t, u, None, 2, 1), "conv2d")
    close(F.softplus(a * 9, 2, 3), T.softplus(t * 9, 2, 3), "softplus")
    close(F.pad(a, (1, 2, 0, 1), value=2.0), T.pad(t, (1, 2, 0, 1), value=2.0), "pad")
    close(F.mse_loss(a, a * 2, weight=abs(a)), T.mse_loss(t, t * 2, weight=abs(t)), "mse")
    labels = np.array([2, 0])
    np.testing.assert_array_equal(
        F.one_hot(autograd.tensor(labels), 4).numpy(), T.one_hot(torch.tensor(labels), 4).numpy()
    )


@pytest.mark.parametrize(
    "name",
    [
        "relu",
        "sigmoid",
        "tanh",
        "batch_norm",
        "layer_norm",
        "group_norm",
        "dropout",
        "cross_entropy",
        "nll_loss",
        "mse_loss",
    ],
)
def test_functional_signatures_are_torchs(torch, name):
    """Same names, order and defaults; what is ours alone comes after, by keyword only."""

    def positional(function):
        return [
            (p.name, p.default)
            for p in inspect.signature(function).parameters.values()
            if p.kind is not p.KEYWORD_ONLY
        ]

    ours, theirs = positional(getattr(F, name)), positional(getattr(torch.nn.functional, name))
    if len(theirs) > 1:
        assert ours == theirs
    else:
        assert len(ours) == 1


def test_default_initial_values_have_torchs_bounds(torch):
    autograd.manual_seed(0)
    torch.manual_seed(0)
    for name, args in [
        ("Linear", (300, 200)),
        ("Conv2d", (8, 64, (5, 3))),
        ("Conv2d", (32, 64, 3, 1, 0, 1, 4)),
    ]:
        ours, theirs = getattr(nn, name)(*args), getattr(torch.nn, name)(*args)
        for key, p in theirs.named_parameters():
            mine, other = ours.get_parameter(key).detach().numpy(), p.detach().numpy()
            assert mine.dtype == other.dtype
            assert abs(mine).max() == pytest.approx(abs(other).max(), rel=0.1), (name, key)
            assert mine.std() == pytest.approx(other.std(), rel=0.15), (name, key)
            assert abs(mine.mean()) < 4 * mine.std() / math.sqrt(mine.size)
