"""Bad input to what layers compute, to what makes tensors, and to what takes gradients."""

from __future__ import annotations

import numpy as np

from tests.autograd.bad_input import IMAGE, INTS, LINE, MASK, Bad, M, V

CONV_AND_POOL = {
    "conv channels": Bad(
        lambda lib, F, t: F.conv2d(t(IMAGE), t(np.ones((1, 3, 2, 2)))), ("(1, 2, 4, 4)", "3")
    ),
    "conv dims": Bad(lambda lib, F, t: F.conv2d(t(M), t(np.ones((1, 2, 2, 2)))), ("(2, 3)",)),
    "conv kernel": Bad(lambda lib, F, t: F.conv2d(t(IMAGE), t(np.ones((1, 2, 5, 5)))), ("5", "4")),
    "conv bias": Bad(
        lambda lib, F, t: F.conv2d(t(IMAGE), t(np.ones((1, 2, 2, 2))), t(np.ones(3))), ("(3,)",)
    ),
    "conv groups": Bad(
        lambda lib, F, t: F.conv2d(t(IMAGE), t(np.ones((3, 1, 2, 2))), groups=2), ("3", "2")
    ),
    "conv stride": Bad(
        lambda lib, F, t: F.conv2d(t(IMAGE), t(np.ones((1, 2, 2, 2))), stride=0), ("0",)
    ),
    "conv padding": Bad(
        lambda lib, F, t: F.conv2d(t(IMAGE), t(np.ones((1, 2, 2, 2))), padding=-1), ("-1",)
    ),
    "conv padding word": Bad(
        lambda lib, F, t: F.conv2d(t(IMAGE), t(np.ones((1, 2, 2, 2))), padding="full"), ("full",)
    ),
    "conv1d kernel": Bad(lambda lib, F, t: F.conv1d(t(LINE), t(np.ones((1, 2, 6)))), ("6", "5")),
    "conv3d dims": Bad(
        lambda lib, F, t: F.conv3d(t(LINE), t(np.ones((1, 2, 2, 2, 2)))), ("(1, 2, 5)",)
    ),
    "conv_transpose channels": Bad(
        lambda lib, F, t: F.conv_transpose2d(t(IMAGE), t(np.ones((3, 1, 2, 2)))), ("2", "3")
    ),
    "conv_transpose output": Bad(
        lambda lib, F, t: F.conv_transpose1d(t(LINE), t(np.ones((2, 1, 2))), output_padding=2),
        ("2",),
    ),
    "max_pool kernel": Bad(lambda lib, F, t: F.max_pool2d(t(IMAGE), 5), ("5", "4")),
    "max_pool padding": Bad(lambda lib, F, t: F.max_pool2d(t(IMAGE), 2, padding=2), ("2",)),
    "max_pool dims": Bad(lambda lib, F, t: F.max_pool2d(t(M), 2), ("(2, 3)",)),
    "max_pool stride": Bad(lambda lib, F, t: F.max_pool2d(t(IMAGE), 2, stride=0), ("0",)),
    "avg_pool kernel": Bad(lambda lib, F, t: F.avg_pool2d(t(IMAGE), 5), ("5", "4")),
    "avg_pool divisor": Bad(
        lambda lib, F, t: F.avg_pool2d(t(IMAGE), 2, divisor_override=0), ("0",)
    ),
    "avg_pool1d dims": Bad(lambda lib, F, t: F.avg_pool1d(t(V), 2), ("(3,)",)),
    "adaptive size": Bad(lambda lib, F, t: F.adaptive_avg_pool2d(t(IMAGE), -1), ("-1",)),
    "adaptive dims": Bad(lambda lib, F, t: F.adaptive_avg_pool2d(t(M), 2), ("(2, 3)",)),
    "fold": Bad(lambda lib, F, t: F.fold(t(LINE), (4, 4), 2), ("(1, 2, 5)",)),
    "interpolate mode": Bad(
        lambda lib, F, t: F.interpolate(t(IMAGE), scale_factor=2, mode="cubic"), ("'cubic'",)
    ),
    "interpolate both": Bad(
        lambda lib, F, t: F.interpolate(t(IMAGE), size=2, scale_factor=2), ("size",)
    ),
    "grid_sample": Bad(
        lambda lib, F, t: F.grid_sample(t(IMAGE), t(np.ones((2, 2, 2, 2))), align_corners=False),
        ("(1, 2, 4, 4)", "(2, 2, 2, 2)"),
    ),
}

LOSS_AND_NORM = {
    "cross_entropy rows": Bad(
        lambda lib, F, t: F.cross_entropy(t(M), t(np.array([0]))), ("(2, 3)", "(1,)")
    ),
    "cross_entropy class": Bad(
        lambda lib, F, t: F.cross_entropy(t(M), t(np.array([0, 3]))), ("3",)
    ),
    "cross_entropy reduction": Bad(
        lambda lib, F, t: F.cross_entropy(t(M), t(np.array([0, 1])), reduction="avg"), ("avg",)
    ),
    "cross_entropy weight": Bad(
        lambda lib, F, t: F.cross_entropy(t(M), t(np.array([0, 1])), t(np.ones(2))), ("(2,)", "3")
    ),
    "cross_entropy smoothing": Bad(
        lambda lib, F, t: F.cross_entropy(t(M), t(np.array([0, 1])), label_smoothing=2.0), ("2.0",)
    ),
    "nll_loss floats": Bad(lambda lib, F, t: F.nll_loss(t(M), t(np.ones(2))), ("float64",)),
    "nll_loss dims": Bad(lambda lib, F, t: F.nll_loss(t(M), t(INTS)), ("(2, 3)",)),
    "bce shapes": Bad(
        lambda lib, F, t: F.binary_cross_entropy(t(MASK * 1.0), t(np.ones(2))), ("(2, 3)", "(2,)")
    ),
    "bce range": Bad(lambda lib, F, t: F.binary_cross_entropy(t(M), t(MASK * 1.0)), ()),
    "layer_norm shape": Bad(lambda lib, F, t: F.layer_norm(t(M), (2,)), ("(2, 3)", "(2,)")),
    "layer_norm weight": Bad(
        lambda lib, F, t: F.layer_norm(t(M), (3,), t(np.ones(2))), ("(3,)", "(2,)")
    ),
    "group_norm": Bad(lambda lib, F, t: F.group_norm(t(IMAGE), 3), ("3", "2")),
    "batch_norm stats": Bad(
        lambda lib, F, t: F.batch_norm(t(M), t(np.ones(2)), t(np.ones(2))), ("2", "3")
    ),
    "batch_norm one": Bad(
        lambda lib, F, t: F.batch_norm(t(M[:1]), None, None, training=True), ("(1, 3)",)
    ),
    "batch_norm nothing": Bad(lambda lib, F, t: F.batch_norm(t(M), None, None), ()),
    "dropout": Bad(lambda lib, F, t: F.dropout(t(M), 1.5), ("1.5",)),
    "cosine": Bad(
        lambda lib, F, t: F.cosine_similarity(t(M), t(np.ones((2, 2)))), ("(2, 3)", "(2, 2)")
    ),
}

NETWORK = {
    "attention widths": Bad(
        lambda lib, F, t: F.scaled_dot_product_attention(t(M), t(np.ones((4, 2))), t(M)),
        ("(2, 3)", "(4, 2)"),
    ),
    "attention mask": Bad(
        lambda lib, F, t: F.scaled_dot_product_attention(t(M), t(M), t(M), t(np.ones((3, 3)))),
        ("(3, 3)",),
    ),
    "attention mask dtype": Bad(
        lambda lib, F, t: F.scaled_dot_product_attention(t(M), t(M), t(M), t(INTS[:, :2])),
        ("int64",),
    ),
    "ctc_loss lengths": Bad(
        lambda lib, F, t: F.ctc_loss(
            t(np.zeros((4, 1, 3))), t(np.array([[1, 2]])), t(np.array([5])), t(np.array([2]))
        ),
        ("5", "4"),
    ),
    "huber delta": Bad(lambda lib, F, t: F.huber_loss(t(M), t(M), delta=-1.0), ("-1.0",)),
    "smooth_l1 beta": Bad(lambda lib, F, t: F.smooth_l1_loss(t(M), t(M), beta=-1.0), ("-1.0",)),
    "kl_div reduction": Bad(lambda lib, F, t: F.kl_div(t(M), t(M), reduction="all"), ("all",)),
    "gaussian_nll variance": Bad(
        lambda lib, F, t: F.gaussian_nll_loss(t(M), t(M), t(-M)), ("negative",)
    ),
    "cosine_embedding target": Bad(
        lambda lib, F, t: F.cosine_embedding_loss(t(M), t(M), t(M)), ("(2, 3)",)
    ),
    "multi_margin p": Bad(
        lambda lib, F, t: F.multi_margin_loss(t(M), t(np.array([0, 1])), p=3), ("3",)
    ),
    "triplet margin": Bad(
        lambda lib, F, t: F.triplet_margin_loss(t(M), t(M), t(M), margin=-1.0), ("-1.0",)
    ),
    "rms_norm shape": Bad(lambda lib, F, t: F.rms_norm(t(M), (2,)), ("(2, 3)", "(2,)")),
    "one_hot of floats": Bad(lambda lib, F, t: F.one_hot(t(V), 3), ("float64",)),
    "alpha_dropout": Bad(lambda lib, F, t: F.alpha_dropout(t(M), -0.1), ("-0.1",)),
    "gumbel dim": Bad(lambda lib, F, t: F.gumbel_softmax(t(M), dim=2), ("2",)),
    "instance_norm one": Bad(
        lambda lib, F, t: F.instance_norm(t(np.ones((1, 2, 1)))), ("(1, 2, 1)",)
    ),
}

SORTING = {
    "sort dim": Bad(lambda lib, F, t: t(M).sort(2), ("2",)),
    "argsort dim": Bad(lambda lib, F, t: t(M).argsort(2), ("2",)),
    "topk many": Bad(lambda lib, F, t: t(M).topk(4), ("4", "3")),
    "topk negative": Bad(lambda lib, F, t: t(M).topk(-1), ("-1",)),
    "topk dim": Bad(lambda lib, F, t: t(M).topk(1, 2), ("2",)),
    "kthvalue zero": Bad(lambda lib, F, t: t(M).kthvalue(0), ("0",)),
    "kthvalue many": Bad(lambda lib, F, t: t(M).kthvalue(4), ("4",)),
    "unique dim": Bad(lambda lib, F, t: t(M).unique(dim=2), ("2",)),
    "mode dim": Bad(lambda lib, F, t: t(M).mode(2), ("2",)),
    "searchsorted shapes": Bad(
        lambda lib, F, t: lib.searchsorted(t(M), t(np.ones((3, 1)))), ("(2, 3)", "(3, 1)")
    ),
    "searchsorted side": Bad(
        lambda lib, F, t: lib.searchsorted(t(V), t(V), side="middle"), ("middle",)
    ),
    "bucketize": Bad(lambda lib, F, t: lib.bucketize(t(V), t(M)), ("(2, 3)",)),
}

MAKING = {
    "ragged": Bad(lambda lib, F, t: lib.tensor([[1.0], [1.0, 2.0]]), ()),
    "text": Bad(lambda lib, F, t: lib.tensor("text"), ()),
    "an object": Bad(lambda lib, F, t: lib.tensor(object()), ()),
    "zeros negative": Bad(lambda lib, F, t: lib.zeros(-1), ("-1",)),
    "ones float": Bad(lambda lib, F, t: lib.ones(1.5), ("1.5",)),
    "full negative": Bad(lambda lib, F, t: lib.full((2, -3), 1.0), ("-3",)),
    "arange backwards": Bad(lambda lib, F, t: lib.arange(3, 1), ("3", "1")),
    "arange still": Bad(lambda lib, F, t: lib.arange(1, 3, 0), ("0",)),
    "linspace": Bad(lambda lib, F, t: lib.linspace(0, 1, -1), ("-1",)),
    "eye negative": Bad(lambda lib, F, t: lib.eye(-1), ("-1",)),
    "integers require grad": Bad(
        lambda lib, F, t: lib.tensor([1, 2], requires_grad=True), ("int64",)
    ),
    "randn negative": Bad(lambda lib, F, t: lib.randn(-2), ("-2",)),
    "randint empty": Bad(lambda lib, F, t: lib.randint(3, 3, (2,)), ("3",)),
    "randperm": Bad(lambda lib, F, t: lib.randperm(-1), ("-1",)),
    "bernoulli": Bad(lambda lib, F, t: lib.bernoulli(t(M)), ()),
    "multinomial many": Bad(lambda lib, F, t: lib.multinomial(t(V), 4), ("4",)),
    "multinomial negative": Bad(lambda lib, F, t: lib.multinomial(t(-V), 1), ()),
    "normal": Bad(lambda lib, F, t: lib.normal(0.0, -1.0, (2,)), ("-1",)),
    "from_numpy of a list": Bad(lambda lib, F, t: lib.from_numpy([1.0]), ("list",)),
}

GRADIENTS = {
    "backward of many": Bad(lambda lib, F, t: leaf(t).mul(2).backward(), ("(2, 3)",)),
    "backward of nothing": Bad(lambda lib, F, t: t(M).sum().backward(), ()),
    "backward shape": Bad(lambda lib, F, t: leaf(t).mul(2).backward(t(V)), ("(2, 3)", "(3,)")),
    "backward twice": Bad(lambda lib, F, t: twice(leaf(t)), ()),
    "leaf in place": Bad(lambda lib, F, t: leaf(t).add_(1.0), ("leaf",)),
    "in place shape": Bad(lambda lib, F, t: t(V).add_(t(M)), ("(3,)", "(2, 3)")),
    "in place dtype": Bad(lambda lib, F, t: t(INTS).add_(0.5), ("int64",)),
    "saved and changed": Bad(lambda lib, F, t: changed(leaf(t)), ()),
    "numpy of a recorded": Bad(lambda lib, F, t: leaf(t).numpy(), ("detach",)),
    "item of many": Bad(lambda lib, F, t: t(M).item(), ("6",)),
    "truth of many": Bad(lambda lib, F, t: bool(t(M)), ("(2, 3)",)),
    "length of a number": Bad(lambda lib, F, t: len(t(np.float64(1.0))), ("0-d",)),
    "iterating a number": Bad(lambda lib, F, t: list(t(np.float64(1.0))), ("0-d",)),
    "grad of a dtype": Bad(lambda lib, F, t: t(INTS).requires_grad_(), ("int64",)),
    "grad assigned": Bad(lambda lib, F, t: setattr(leaf(t), "grad", t(V)), ("(2, 3)", "(3,)")),
    "vjp weights": Bad(
        lambda lib, F, t: lib.func.vjp(lambda x: x * 2, t(M))[1](t(V)), ("(2, 3)", "(3,)")
    ),
    "grad of many": Bad(lambda lib, F, t: lib.func.grad(lambda x: x * 2)(t(M)), ("(2, 3)",)),
    "jvp tangents": Bad(
        lambda lib, F, t: lib.func.jvp(lambda x: x * 2, (t(M),), (t(V),)), ("(2, 3)", "(3,)")
    ),
    "vmap sizes": Bad(lambda lib, F, t: lib.func.vmap(lambda a, b: a + b)(t(M), t(V)), ("2", "3")),
    "vmap dims": Bad(lambda lib, F, t: lib.func.vmap(lambda a: a, in_dims=2)(t(M)), ("2",)),
    "vmap branches": Bad(
        lambda lib, F, t: lib.func.vmap(lambda a: a if a.sum() > 0 else -a)(t(M)), ()
    ),
    "jacrev argnums": Bad(lambda lib, F, t: lib.func.jacrev(lambda x: x, argnums=1)(t(M)), ("1",)),
    "jacrev of integers": Bad(
        lambda lib, F, t: lib.func.jacrev(lambda x: x.sum())(t(INTS)), ("int64",)
    ),
}


def leaf(t):
    return t(M).requires_grad_()


def twice(x):
    y = (x * x).sum()
    y.backward()
    y.backward()


def changed(x):
    y = x.exp()
    y += 1.0
    y.sum().backward()
