"""Gradients of a model for each example by itself, as by torch.func: vmap of grad."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor, VmapFallbackWarning, vmap
from autograd.func import functional_call, grad

SIZE = 3


class Last(nn.Module):
    """What a recurrent layer gives after the last step."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0][-1]


class Attending(nn.Module):
    """Each element of a sequence attends to those before it; without weights, so by one op."""

    def __init__(self, **options):
        super().__init__()
        self.layer = nn.MultiheadAttention(4, 2, **options)

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[0], dtype=x.dtype)
        return self.layer(x, x, x, need_weights=False, attn_mask=mask, is_causal=True)[0].sum(0)


MODELS = {
    "linear": (lambda: nn.Sequential(nn.Linear(4, 5), nn.GELU(), nn.Linear(5, 4)), (4,)),
    "conv2d": (
        lambda: nn.Sequential(nn.Conv2d(2, 4, 2), nn.GroupNorm(2, 4), nn.AdaptiveAvgPool2d(1)),
        (1, 2, 4, 3),
    ),
    "conv1d": (lambda: nn.Sequential(nn.Conv1d(2, 4, 2), nn.MaxPool1d(3)), (2, 4)),
    "conv transposed": (
        lambda: nn.Sequential(nn.ConvTranspose2d(2, 4, 2), nn.AvgPool2d((4, 3))),
        (2, 3, 2),
    ),
    "rnn": (lambda: Last(nn.RNN(3, 4, nonlinearity="relu")), (3, 3)),
    "lstm": (lambda: Last(nn.LSTM(3, 2, 2, bidirectional=True)), (3, 3)),
    "lstm, projected": (lambda: Last(nn.LSTM(3, 5, proj_size=4)), (2, 3)),
    "gru": (lambda: Last(nn.GRU(3, 4)), (3, 3)),
    "attention": (lambda: Attending(), (3, 4)),
    "attention, kdim": (lambda: Attending(kdim=4, vdim=4, add_bias_kv=True, bias=False), (3, 4)),
    "norms": (
        lambda: nn.Sequential(nn.LayerNorm(4), nn.RMSNorm(4), nn.Linear(4, 4), nn.Softplus()),
        (4,),
    ),
    "transformer": (
        lambda: nn.Sequential(nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0), nn.Flatten(0)),
        (1, 4),
    ),
}


def model_and_data(name):
    make, shape = MODELS[name]
    autograd.manual_seed(1)
    model = make().double()
    rng = np.random.default_rng(0)
    return model, Tensor(rng.normal(size=(SIZE, *shape))), Tensor(np.array([0, 3, 1]))


def loss_of(model):
    def loss(parameters, x, label):
        scores = functional_call(model, parameters, (x,)).reshape(1, -1)
        return nn.functional.cross_entropy(scores, label.reshape(1))

    return loss


def compare(found, wanted):
    assert found.keys() == wanted.keys()
    for key in found:
        a, b = found[key].detach().numpy(), wanted[key].detach().numpy()
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=key)


def by_loop(function, *args):
    rows = [function(*(a[i] for a in args)) for i in range(SIZE)]
    return {key: autograd.stack([row[key] for row in rows]) for key in rows[0]}


@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_each_example(name):
    model, x, labels = model_and_data(name)
    parameters, loss = dict(model.named_parameters()), loss_of(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", VmapFallbackWarning)
        found = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, x, labels)
    compare(found, by_loop(lambda a, label: grad(loss)(parameters, a, label), x, labels))


@pytest.mark.parametrize("name", ["linear", "conv1d", "gru", "attention"])
def test_products_with_the_hessian_of_each_example(name):
    model, x, labels = model_and_data(name)
    parameters, loss = dict(model.named_parameters()), loss_of(model)

    def slope(a, label):
        def squares(values):
            slopes = grad(loss)(values, a, label).values()
            return autograd.stack([(g * g).sum() for g in slopes]).sum()

        return grad(squares)(parameters)

    compare(vmap(slope)(x, labels), by_loop(slope, x, labels))


@pytest.mark.parametrize("name", ["linear", "lstm", "attention", "norms"])
def test_several_models_at_once(name):
    first, x, labels = model_and_data(name)
    model, _, _ = model_and_data(name)
    several = {
        key: autograd.stack([p, 2.0 * q, -p]).detach()
        for (key, p), q in zip(first.named_parameters(), model.parameters(), strict=True)
    }
    loss = loss_of(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VmapFallbackWarning)  # an LSTM of its own for each
        found = vmap(grad(loss), in_dims=(0, None, None))(several, x[0], labels[0])
    rows = [grad(loss)({k: v[i] for k, v in several.items()}, x[0], labels[0]) for i in range(SIZE)]
    compare(found, {key: autograd.stack([row[key] for row in rows]) for key in several})


@pytest.mark.parametrize("padding", [None, 1])
@pytest.mark.parametrize("inside", [True, False])
def test_embeddings(padding, inside):
    """The row for padding learns nothing, whichever of vmap and grad comes first."""
    table = Tensor(np.random.default_rng(0).normal(size=(SIZE, 4, 2)))
    indices = Tensor(np.array([[0, 1, 1], [2, 2, 1], [3, 0, 0]]))

    def loss(weight, at):
        return (nn.functional.embedding(at, weight, padding) ** 3).sum()

    if inside:
        found = vmap(grad(loss))(table, indices)
        common = vmap(grad(loss), in_dims=(None, 0))(table[0], indices)
    else:
        found = grad(lambda t: vmap(loss)(t, indices).sum())(table)
        common = None
    wanted = autograd.stack([grad(loss)(table[i], indices[i]) for i in range(SIZE)])
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-12)
    if common is not None:
        wanted = autograd.stack([grad(loss)(table[0], indices[i]) for i in range(SIZE)])
        np.testing.assert_allclose(common.numpy(), wanted.numpy(), rtol=1e-12)


@pytest.mark.parametrize("kind", [np.int32, np.uint8])
def test_embeddings_of_indices_of_other_types(kind):
    table = Tensor(np.random.default_rng(0).normal(size=(4, 2)))
    indices = Tensor(np.array([[0, 1], [3, 3]], kind))
    found = vmap(lambda at: nn.functional.embedding(at, table))(indices)
    assert np.array_equal(found.numpy(), table.numpy()[indices.numpy()])
    traced = autograd.trace(lambda at: nn.functional.embedding(at, table), indices)
    assert np.array_equal(traced(indices), found.numpy())


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (2, 1, 3, 3), (3, 3)])
@pytest.mark.parametrize("batched", [(True, False), (False, True), (True, True)])
def test_masks_of_several_sequences(rows, shape, batched):
    rng = np.random.default_rng(0)
    each = (2, 3, 6) if rows else (3, 2, 6)
    qkv = Tensor(rng.normal(size=(SIZE, *each) if batched[0] else each))
    mask = Tensor(rng.random((SIZE, *shape) if batched[1] else shape) < 0.6)

    def attend(a, m):
        function = autograd.graph.OPS["self_attention"].function
        return function(a, m, heads=1, rows=rows, scale=0.5, causal=False)

    found = vmap(attend, in_dims=tuple(0 if b else None for b in batched))(qkv, mask)
    for i in range(SIZE):
        wanted = attend(*(t[i] if b else t for t, b in zip((qkv, mask), batched, strict=True)))
        np.testing.assert_allclose(found[i].numpy(), wanted.numpy(), rtol=1e-12, atol=1e-14)


def test_only_the_mask_of_each_example():
    """A mask is added to scores that are the same for all, and does not widen them unseen."""
    q = Tensor(np.random.default_rng(0).normal(size=(2, 3, 2)))
    masks = Tensor(np.random.default_rng(1).normal(size=(SIZE, 3, 3)))

    def attend(mask):
        return nn.functional.scaled_dot_product_attention(q, q, q, mask)

    found = vmap(attend)(masks)
    wanted = autograd.stack([attend(m) for m in masks])
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-12)
    slopes = vmap(grad(lambda m: (attend(m) ** 2).sum()))(masks)
    wanted = autograd.stack([grad(lambda m: (attend(m) ** 2).sum())(m) for m in masks])
    np.testing.assert_allclose(slopes.numpy(), wanted.numpy(), rtol=1e-9, atol=1e-12)
    assert vmap(attend)(masks[:0]).shape == (0, 2, 3, 2)
