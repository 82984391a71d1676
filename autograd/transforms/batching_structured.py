"""How convolution, pooling, normalisation, embedding and dropout run on a batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import OPS
from .batching_rules import RULES, Call, aligned, batch_first, permute, reshape


def merged(call: Call) -> Any:
    """Ops that treat the entries of dimension 0 alike: examples and entries become one dimension.

    Arguments without dimensions of an example (weights, where there are none) must be common.
    """
    args = [_joined(a) for a in call.all()]
    y = call.run(*args, **call.params)
    return reshape(y, (call.size, y.shape[0] // max(call.size, 1), *y.shape[1:]))


def _joined(a: Any) -> Any:
    """Examples and their dimension 0 as one dimension."""
    return reshape(a, (a.shape[0] * a.shape[1], *a.shape[2:])) if hasattr(a, "shape") else a


def _beside(x: Any, at: int) -> Any:
    """Examples side by side in dimension `at` of one of them, as channels are in groups."""
    order = [*range(1, at + 1), 0, *range(at + 1, len(x.shape))]
    x = permute(x, order)
    return reshape(x, (*x.shape[:at], x.shape[at] * x.shape[at + 1], *x.shape[at + 2 :]))


def _apart(y: Any, at: int, size: int) -> Any:
    """The reverse of `_beside`."""
    y = reshape(y, (*y.shape[:at], size, y.shape[at] // size, *y.shape[at + 1 :]))
    return batch_first(y, at)


def _grouped(call: Call) -> dict[str, Any]:
    return call.params | {"groups": call.params["groups"] * call.size}


def conv(call: Call) -> Any:
    """One filter bank: more images. A bank for each example: a group for each example."""
    if not call.size:
        return None
    x, weight, bias = call.args
    if not any(call.batched[1:]):
        y = call.run(_joined(x), weight, bias, **call.params)
        return reshape(y, (call.size, -1 if 0 not in y.shape else x.shape[1], *y.shape[1:]))
    x, weight, _ = call.all()
    y = _apart(call.run(_beside(x, 1), _joined(weight), None, **_grouped(call)), 1, call.size)
    if bias is None:
        return y
    bias = call.all()[2]
    return y + reshape(bias, (call.size, 1, bias.shape[1], *(1,) * (len(y.shape) - 3)))


def conv_input(call: Call) -> Any:
    """The same for the gradient of the images."""
    if not call.size:
        return None
    if not call.batched[1]:
        return _split(call, call.run(_joined(call.args[0]), call.args[1], **call.params))
    h, weight = call.all()
    return _apart(call.run(_beside(h, 1), _joined(weight), **_grouped(call)), 1, call.size)


def _split(call: Call, y: Any) -> Any:
    return reshape(y, (call.size, y.shape[0] // call.size, *y.shape[1:]))


def conv_weight(call: Call) -> Any:
    """A filter bank for each example: its group is that of its images and gradients."""
    if not call.size:
        return None
    x, h = call.all()
    return _split(call, call.run(_beside(x, 1), _beside(h, 1), **_grouped(call)))


def channels(call: Call) -> Any:
    """Normalisation over the batch: the channels of all examples side by side."""
    if not call.size:
        return None
    x, *others = call.all()
    flat = [_joined(v) if hasattr(v, "shape") else v for v in others]
    return _apart(call.run(_beside(x, 1), *flat, **call.params), 1, call.size)


def _normalised(call: Call, around: Any) -> Any:
    """Normalise all examples, then apply weights that differ by example."""
    x, *learned = call.all()  # a weight, and a bias where the op takes one
    without = [None] * len(learned)
    plain = Call(call.op, [x, *without], [True, *map(bool, without)], call.params, call.size)
    y = layer(plain) if around is layer else grouped_channels(plain)
    for v, times in zip(learned, (True, False), strict=False):
        if v is not None:
            rank = len(y.shape) - 1
            if around is layer:
                v = aligned(v, rank)
            else:
                v = reshape(v, (call.size, 1, v.shape[1], *(1,) * (rank - 2)))
            y = y * v if times else y + v
    return y


def layer(call: Call) -> Any:
    """Rows are normalised one by one in any case."""
    if any(call.batched[1:]):
        return _normalised(call, layer)
    return call.run(*call.args, **call.params)


def grouped_channels(call: Call) -> Any:
    """Images are normalised one by one in any case."""
    if any(call.batched[1:]) or not call.size:
        return _normalised(call, grouped_channels) if call.size else None
    x, weight, bias = call.args
    return _split(call, call.run(_joined(x), weight, bias, **call.params))


def dropout(call: Call) -> Any:
    """A key for the batch draws for all its elements; one from outside drops the same of each."""
    x, key = call.args
    if call.batched[1]:
        return call.run(call.all()[0], key[0], **call.params)
    mask = call.run(np.ones(x.shape[1:], x.dtype), key, **call.params)
    return x * mask


def take_rows(call: Call) -> Any:
    """One table: more indices. A table for each example: one long table."""
    x, indices = call.args
    if not call.batched[0]:
        return call.run(x, indices, **call.params)
    x, indices = call.all()
    params, skip = call.params | {"skip": -1}, call.params["skip"]
    y = call.run(_joined(x), _shifted(indices, x.shape[1]), **params)
    if skip < 0:
        return y
    # Of the long table no one row is left out: what came from one is a constant.
    constant = y if isinstance(y, np.ndarray) else y.detach()
    return _without(y, indices, skip, constant if call.params["shown"] else 0.0)


def add_rows(call: Call) -> Any:
    """A table of sums for each example: one long table."""
    h, indices = call.all()
    rows, skip = call.params["rows"], call.params["skip"]
    h = _without(h, indices, skip, 0.0) if skip >= 0 else h
    y = call.run(h, _shifted(indices, rows), rows=rows * call.size, skip=-1)
    return reshape(y, (call.size, rows, *y.shape[1:]))


def _without(rows: Any, indices: Any, skip: int, instead: Any) -> Any:
    """Other values for the rows whose index is `skip`."""
    return OPS["where"].function(reshape(indices, (*indices.shape, 1)) == skip, instead, rows)


def _shifted(indices: Any, rows: int) -> Any:
    """Indices into the table of their example, in a table of all."""
    start = np.arange(indices.shape[0]) * rows
    return indices + start.reshape((-1,) + (1,) * (len(indices.shape) - 1))


def cross_entropy(call: Call) -> Any:
    """Made of the ops that it unites."""
    x, target = call.args
    rank = len(x.shape) - 1 if call.batched[0] else len(x.shape)
    picked = OPS["log_softmax"].function(x, dim=rank - 1 + call.batched[0])
    rows = Call(OPS["pick_class"], [picked, target], call.batched, {"ignore_index": -1}, call.size)
    n = max(picked.shape[-2], 1)
    return -OPS["sum"].function(merged(rows), dim=1) / n


def cross_entropy_slope(call: Call) -> Any:
    """The slope of each row does not depend on the others but for the number of rows."""
    x, target = call.all()
    rows = x.shape[1]
    y = call.run(_joined(x), _joined(target), **call.params)
    return reshape(y, x.shape) * (y.shape[0] / max(rows, 1))


def ctc(call: Call) -> Any:
    """More texts: each stands for itself, in dimension 1 of the log-probabilities."""
    x, *texts = call.all()
    y = call.run(_beside(x, 1), *map(_joined, texts), **call.params)
    return reshape(y, (call.size, x.shape[2])) if len(y.shape) == 1 else _apart(y, 1, call.size)


def to_scalar(call: Call) -> Any:
    """Refused: a Scalar is one number."""
    raise RuntimeError("vmap: a Scalar meets a tensor inside vmap; use a 0-d tensor instead")


RULES |= {
    "conv1d": conv,
    "conv2d": conv,
    "conv3d": conv,
    "conv1d_input": conv_input,
    "conv2d_input": conv_input,
    "conv3d_input": conv_input,
    "conv1d_weight": conv_weight,
    "conv2d_weight": conv_weight,
    "conv3d_weight": conv_weight,
    "max_pool2d": merged,
    "max_pool2d_indices": merged,
    "max_pool2d_input": merged,
    "max_pool2d_scatter": merged,
    "max_pool2d_gather": merged,
    "avg_pool2d": merged,
    "avg_pool2d_spread": merged,
    "pick_class": merged,
    "put_class": merged,
    "cross_entropy": cross_entropy,
    "cross_entropy_slope": cross_entropy_slope,
    "ctc": ctc,
    "ctc_slope": ctc,
    "batch_norm": channels,
    "batch_norm_fixed": channels,
    "layer_norm": layer,
    "rms_norm": layer,
    "group_norm": grouped_channels,
    "dropout": dropout,
    "take_rows": take_rows,
    "add_rows": add_rows,
    "to_scalar": to_scalar,
}
