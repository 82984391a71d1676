"""Parameters as vectors, folded normalisation, stateless calls, skipped initial values."""

from __future__ import annotations

import copy
from typing import Any, cast

import numpy as np
import pytest

import autograd
import nn
import optim
from nn import utils


def test_parameters_as_a_vector_and_back(torch):
    ours: Any = nn.Linear(3, 2)
    vector = utils.parameters_to_vector(ours.parameters())
    theirs = torch.nn.Linear(3, 2)
    torch.nn.utils.vector_to_parameters(
        torch.from_numpy(vector.detach().numpy()), theirs.parameters()
    )
    np.testing.assert_array_equal(ours.weight.detach().numpy(), theirs.weight.detach().numpy())
    (vector * 2.0).sum().backward()
    np.testing.assert_array_equal(ours.bias.grad.numpy(), [2.0, 2.0])
    before = ours.weight
    utils.vector_to_parameters(autograd.arange(8.0), ours.parameters())
    assert ours.weight is before
    np.testing.assert_array_equal(ours.weight.detach().numpy(), [[0, 1, 2], [3, 4, 5]])


def test_vectors_that_do_not_fit():
    layer = nn.Linear(2, 1)
    before = layer.weight.detach().numpy().copy()
    with pytest.raises(ValueError, match="a vector of 3 elements expected"):
        utils.vector_to_parameters(autograd.ones(2), layer.parameters())
    with pytest.raises(ValueError, match="a vector of 3 elements expected"):
        utils.vector_to_parameters(autograd.ones(1, 3), layer.parameters())
    with pytest.raises(TypeError, match="a Tensor expected"):
        utils.vector_to_parameters([1.0] * 3, layer.parameters())  # pyright: ignore[reportArgumentType] - refused
    with pytest.raises(TypeError, match="a Tensor expected"):
        utils.parameters_to_vector([1.0])  # pyright: ignore[reportArgumentType] - refused
    with pytest.raises(ValueError, match="no parameters"):
        utils.parameters_to_vector([])
    np.testing.assert_array_equal(layer.weight.detach().numpy(), before)


def test_clipping_is_that_of_optim():
    assert utils.clip_grad_norm_ is optim.clip_grad_norm_
    assert utils.clip_grad_value_ is optim.clip_grad_value_
    assert utils.get_total_norm([autograd.tensor([3.0, 4.0])]).item() == 5.0


def trained(bn: Any, shape: tuple[int, ...]) -> Any:
    """With statistics and parameters that are not those of a new module."""
    rng = np.random.default_rng(0)
    for tensor in (bn.running_mean, bn.weight, bn.bias):
        if tensor is not None:
            with autograd.no_grad():
                tensor.copy_(rng.normal(size=shape).astype(np.float32))
    with autograd.no_grad():
        bn.running_var.copy_(rng.random(shape).astype(np.float32) + 0.1)
    return bn.eval()


@pytest.mark.parametrize(
    ("layer", "bn", "shape", "transpose"),
    [
        (nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3), (2, 2, 5), False),
        (nn.Conv2d(2, 4, 2, groups=2, bias=False), nn.BatchNorm2d(4), (2, 2, 5, 4), False),
        (nn.Conv2d(2, 4, 2), nn.BatchNorm2d(4, affine=False), (2, 2, 5, 4), False),
        (nn.ConvTranspose2d(2, 3, 2), nn.BatchNorm2d(3), (2, 2, 3, 3), True),
    ],
)
def test_folded_normalisation(layer, bn, shape, transpose):
    trained(bn, (bn.num_features,))
    layer = layer.eval()
    before = copy.deepcopy(layer.state_dict())
    fused = utils.fuse_conv_bn_eval(layer, bn, transpose)
    x = autograd.randn(*shape)
    np.testing.assert_allclose(
        fused(x).detach().numpy(), bn(layer(x)).detach().numpy(), rtol=1e-4, atol=1e-5
    )
    assert type(fused) is type(layer)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name].numpy())


def test_folded_weights_like_pytorch(torch):
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=s) for s in ((3, 2, 2), (3,), (3,), (3,), (3,), (3,))]
    arrays[3] = np.abs(arrays[3])
    w, b, mean, var, scale, shift = arrays
    for bias, weight in ((b, scale), (None, None)):
        given: Any = (w, bias, mean, var, 1e-3, weight, None if weight is None else shift)
        mine = utils.fuse_conv_bn_weights(
            *(cast(Any, autograd.tensor(v)) if isinstance(v, np.ndarray) else v for v in given)
        )
        theirs = torch.nn.utils.fuse_conv_bn_weights(
            *(torch.tensor(v) if isinstance(v, np.ndarray) else v for v in given)
        )
        for a, c in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(a.detach().numpy(), c.detach().numpy(), rtol=1e-12)


def test_folded_linear_layers():
    linear, bn = nn.Linear(3, 4).eval(), trained(nn.BatchNorm1d(4), (4,))
    x = autograd.randn(5, 3)
    fused = utils.fuse_linear_bn_eval(linear, bn)
    np.testing.assert_allclose(
        fused(x).detach().numpy(), bn(linear(x)).detach().numpy(), rtol=1e-4, atol=1e-5
    )
    with pytest.raises(ValueError, match="must be in evaluation mode"):
        utils.fuse_linear_bn_eval(linear.train(), bn)
    linear.eval()
    with pytest.raises(ValueError, match="4 outputs of the linear layer, but 3 features"):
        utils.fuse_linear_bn_eval(linear, nn.BatchNorm1d(3).eval())
    with pytest.raises(ValueError, match="no running statistics"):
        utils.fuse_linear_bn_eval(linear, nn.BatchNorm1d(4, track_running_stats=False).eval())


def test_calls_with_other_tensors():
    layer = nn.Linear(2, 1)
    given = {"weight": autograd.ones(1, 2), "bias": autograd.zeros(1)}
    found = utils.stateless.functional_call(layer, given, autograd.tensor([[1.0, 2.0]]))
    assert found.item() == 3.0
    assert layer.weight is dict(layer.named_parameters())["weight"]


def test_skipped_initial_values_draw_nothing():
    autograd.manual_seed(5)
    expected = autograd.rand(3).numpy()
    autograd.manual_seed(5)
    layer = utils.skip_init(nn.Linear, 2, 3, bias=False)
    assert layer.bias is None
    np.testing.assert_array_equal(autograd.rand(3).numpy(), expected)
    with pytest.raises(TypeError, match="a class of modules expected"):
        utils.skip_init(dict)
