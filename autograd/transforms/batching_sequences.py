"""How attention and recurrent layers run on a batch: examples become further sequences."""

from __future__ import annotations

from typing import Any

from ..graph import OPS
from .batching_dims import RULES
from .batching_rules import Call, aligned, expand, permute, reshape


def _common(call: Call, i: int) -> Any:
    """Argument `i` with the examples in front, repeated if it is common to all."""
    a = call.args[i]
    return a if call.batched[i] else expand(a, (call.size, *a.shape))


def attention(call: Call) -> Any:
    """The examples are one more leading dimension."""
    top = max(call.rank(i) for i in range(3))
    args = [aligned(a, top) if b else a for a, b in zip(call.args, call.batched, strict=True)]
    if not any(call.batched[:3]):  # a mask does not widen what it is added to
        args[0] = aligned(_common(call, 0), top)
    return call.run(*args, **call.params)


def self_attention(call: Call) -> Any:
    """More sequences beside those of an example."""
    size, sequences = call.size, 2 - call.params["rows"]
    if not size:
        return None
    qkv, mask = _common(call, 0), call.args[1]
    count = qkv.shape[sequences]
    if call.batched[1] or (call.rank(1) == 4 and mask.shape[0] > 1):
        mask = aligned(_common(call, 1), 4)
        mask = expand(mask, (size, count, *mask.shape[2:]))
        mask = reshape(mask, (size * count, *mask.shape[2:]))
    if sequences == 1:
        y = call.run(reshape(qkv, (size * count, *qkv.shape[2:])), mask, **call.params)
        return reshape(y, (size, count, *y.shape[1:]))
    qkv = permute(qkv, (1, 0, 2, 3))
    y = call.run(reshape(qkv, (qkv.shape[0], size * count, qkv.shape[3])), mask, **call.params)
    return permute(reshape(y, (y.shape[0], size, count, y.shape[2])), (1, 0, 2, 3))


def recurrent(call: Call) -> Any:
    """Weights of all examples: each row of a step becomes one for every example.

    So sequences stay in order of falling length. Weights of each example: one after the other.
    """
    count = call.op.inputs.index("weight")  # behind the inputs and the states
    if not call.size or any(call.batched[count:]):
        return None
    rows = [_common(call, i) for i in range(count)]
    joined = [reshape(permute(x, (1, 0, 2)), (x.shape[1] * call.size, x.shape[2])) for x in rows]
    spans = tuple((steps, n * call.size) for steps, n in call.params["spans"])
    flat = call.run(*joined, *call.args[count:], **call.params | {"spans": spans})
    inputs, *states = rows
    parts, begin = [], 0
    for length, width in ((inputs.shape[1], states[0].shape[2]), *(s.shape[1:] for s in states)):
        end = begin + length * call.size * width
        part = OPS["narrow"].function(flat, dim=0, start=begin, stop=end)
        part = permute(reshape(part, (length, call.size, width)), (1, 0, 2))
        parts.append(reshape(part, (call.size, length * width)))
        begin = end
    return OPS["cat"].function(*parts, dim=1)


RULES |= {
    "attention": attention,
    "self_attention": self_attention,
    "rnn_layer": recurrent,
    "lstm_layer": recurrent,
    "gru_layer": recurrent,
}
