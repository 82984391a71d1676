"""Recurrent layers: one op for a layer in one direction, over all steps.

The rows of all steps lie one after the other, as in a packed sequence (see `kernels/recurrent.py`),
and the product with the input is a `linear` before the op. Backward on raw values goes through the
gates that the forward left for it; on Variables the layer is made of small ops once more, one
step at a time, and their gradients are recorded, so that every order is right.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..dtypes import promoted, to_common
from ..engine import backpropagate
from ..families import structured
from ..graph import Spec, Variable, new_leaf, wrap
from ..modes import mode
from .activation import relu as relu_op
from .activation import sigmoid
from .linalg import _matmul
from .shape import _cat, _narrow, _permute, _reshape
from .transcendental import tanh

Spans = tuple[tuple[int, int], ...]
"""Rows of each step as pairs (steps in a row, rows of each): ((30, 8), (2, 5))."""


def spans_of(sizes: Sequence[int]) -> Spans:
    """Join neighbouring steps of one size."""
    return tuple((len(list(group)), size) for size, group in itertools.groupby(sizes))


@functools.lru_cache(maxsize=256)
def _sizes(spans: Spans) -> Any:
    sizes = np.repeat([n for _, n in spans], [steps for steps, _ in spans]).astype(np.int64)
    sizes.flags.writeable = False
    return sizes


def _total(spans: Spans) -> int:
    return sum(steps * rows for steps, rows in spans)


def _flat_spec(spans: Spans, *arrays: Any, states: tuple[Any, ...]) -> Spec:
    """The result of a layer: the rows of the first state, then the states."""
    size = _total(spans) * states[0].shape[1] + sum(s.shape[0] * s.shape[1] for s in states)
    return Spec((size,), promoted(arrays))


def _apart(flat: Any, total: int, *states: tuple[int, int]) -> tuple[Any, ...]:
    """The rows and the states of a flat result, as views."""
    parts, begin = [], 0
    for rows, width in ((total, states[0][1]), *states):
        part = _narrow(flat, dim=0, start=begin, stop=begin + rows * width)
        parts.append(_reshape(part, shape=(rows, width)))
        begin += rows * width
    return tuple(parts)


# --- Of small ops ---------------------------------------------------------------------------------


def _rows(x: Any, start: int, stop: int) -> Any:
    return x if stop - start == x.shape[0] else _narrow(x, dim=0, start=start, stop=stop)


def _parts(x: Any, count: int) -> list[Any]:
    """Equal parts of the columns."""
    n = x.shape[1] // count
    return [_narrow(x, dim=1, start=k * n, stop=(k + 1) * n) for k in range(count)]


def _by_steps(
    step: Callable[..., tuple[Any, ...]],
    inputs: Any,
    states: Sequence[Any],
    spans: Spans,
    reverse: bool,
) -> Any:
    """Run ``states = step(rows of inputs, *states)`` over the steps; a flat result."""
    sizes = _sizes(spans).tolist()
    starts = [0, *itertools.accumulate(sizes)]
    order = range(len(sizes))
    rows: list[Any] = [None] * len(sizes)
    for t in reversed(order) if reverse else order:
        n = sizes[t]
        inside = _rows(inputs, starts[t], starts[t] + n)
        new = step(inside, *(_rows(s, 0, n) for s in states))
        rows[t] = new[0]
        states = [
            a if n == s.shape[0] else _cat(a, _rows(s, n, s.shape[0]), dim=0)
            for a, s in zip(new, states, strict=True)
        ]
    return _cat(*(_reshape(v, shape=(v.shape[0] * v.shape[1],)) for v in (*rows, *states)), dim=0)


def _transposed(weight: Any) -> Any:
    return _permute(weight, dims=(1, 0))


def rnn_by_ops(inputs, hidden, weight, *, spans, reverse, relu):
    """The layer `_rnn_layer` made of small ops."""
    back = _transposed(weight)

    def step(a: Any, h: Any) -> tuple[Any, ...]:
        a = a + _matmul(h, back)
        return (relu_op(a) if relu else tanh(a),)

    return _by_steps(step, inputs, [hidden], spans, reverse)


def lstm_by_ops(inputs, hidden, cell, weight, projection, *, spans, reverse):
    """The layer `_lstm_layer` made of small ops."""
    back = _transposed(weight)
    out = None if projection is None else _transposed(projection)

    def step(a: Any, h: Any, c: Any) -> tuple[Any, ...]:
        i, f, z, o = _parts(a + _matmul(h, back), 4)
        c = sigmoid(f) * c + sigmoid(i) * tanh(z)
        h = sigmoid(o) * tanh(c)
        return h if out is None else _matmul(h, out), c

    return _by_steps(step, inputs, [hidden, cell], spans, reverse)


def gru_by_ops(inputs, hidden, weight, bias, *, spans, reverse):
    """The layer `_gru_layer` made of small ops."""
    back = _transposed(weight)

    def step(x: Any, h: Any) -> tuple[Any, ...]:
        a = _matmul(h, back)
        if bias is not None:
            a = a + bias
        (xr, xz, xn), (ar, az, an) = _parts(x, 3), _parts(a, 3)
        new = tanh(xn + sigmoid(xr + ar) * an)
        return (new + sigmoid(xz + az) * (h - new),)

    return _by_steps(step, inputs, [hidden], spans, reverse)


def _gradients(function: Callable[..., Any], g: Any, inputs: Sequence[Any], **params: Any) -> Any:
    """Gradients of <g, function(*inputs)> in the inputs, by ops that are recorded."""
    before = mode.grad
    mode.grad = True
    try:
        places = [None if v is None else _place(v) for v in inputs]
        y = function(*places, **params)
    finally:
        mode.grad = before
    targets = [p.node for p in places if p is not None]
    found = backpropagate({y.node: g}, targets, on_variables=True, retain_graph=True)
    return tuple(None if p is None else found.get(p.node) for p in places)


def _place(v: Any) -> Any:
    """The same values at a place in the graph of their own, from which gradients go on to `v`."""
    if isinstance(v, Variable) and v.requires_grad:
        return _reshape(v, shape=v.shape)
    place = wrap(v.value if isinstance(v, Variable) else v)
    place.node, place.requires_grad = new_leaf(place), True
    return place


# --- The ops --------------------------------------------------------------------------------------


def _rnn_rule(g, kept, inputs, hidden, weight, *, spans, reverse, relu):
    if kept is None:
        given = (inputs, hidden, weight)
        return _gradients(rnn_by_ops, g, given, spans=spans, reverse=reverse, relu=relu)
    after, before = kept
    return kernels.rnn_layer_backward(
        g, after, before, weight, _sizes(spans), reverse=reverse, relu=relu
    )


@structured(
    joint=_rnn_rule,
    saves="inputs hidden weight",
    aside=True,
    promotes=to_common,
    infer=lambda inputs, hidden, weight, *, spans, reverse, relu: _flat_spec(
        spans, inputs, hidden, weight, states=(hidden,)
    ),
    formula=(
        (
            "steps(relu(inputs + hidden @ T(weight))) if relu else "
            "steps(tanh(inputs + hidden @ T(weight)))"
        ),
        "unrolled(g)",
        "first(carried(g))",
        "T(unrolled(g)) @ before(y)",
    ),
)
def _rnn_layer(inputs, hidden, weight, /, *, spans, reverse, relu):
    """Elman's recurrent layer; the states come along."""
    y, *kept = kernels.rnn_layer(inputs, hidden, weight, _sizes(spans), reverse=reverse, relu=relu)
    return y, kept


def _lstm_rule(g, kept, inputs, hidden, cell, weight, projection, *, spans, reverse):
    if kept is None:
        given = (inputs, hidden, cell, weight, projection)
        return _gradients(lstm_by_ops, g, given, spans=spans, reverse=reverse)
    gates, before, cells = kept
    return kernels.lstm_layer_backward(
        g, gates, before, cells, weight, projection, _sizes(spans), reverse=reverse
    )


@structured(
    joint=_lstm_rule,
    saves="inputs hidden cell weight projection",
    aside=True,
    promotes=to_common,
    infer=lambda inputs, hidden, cell, weight, projection, *, spans, reverse: _flat_spec(
        spans, inputs, hidden, cell, weight, projection, states=(hidden, cell)
    ),
    formula=(
        "steps(lstm(inputs + hidden @ T(weight), cell) @ T(projection))",
        "unrolled(g)",
        "first(carried(g))",
        "first(carried(g))",
        "T(unrolled(g)) @ before(y)",
        "T(g + carried(g)) @ lstm(inputs + hidden @ T(weight), cell)",
    ),
)
def _lstm_layer(inputs, hidden, cell, weight, projection, /, *, spans, reverse):
    """Long short-term memory; gates and states come along."""
    y, *kept = kernels.lstm_layer(
        inputs, hidden, cell, weight, projection, _sizes(spans), reverse=reverse
    )
    return y, kept


def _gru_rule(g, kept, inputs, hidden, weight, bias, *, spans, reverse):
    if kept is None:
        given = (inputs, hidden, weight, bias)
        return _gradients(gru_by_ops, g, given, spans=spans, reverse=reverse)
    gates, resets, before = kept
    dinputs, dhidden, dweight, dbias = kernels.gru_layer_backward(
        g, gates, resets, before, weight, _sizes(spans), reverse=reverse
    )
    return dinputs, dhidden, dweight, None if bias is None else dbias


@structured(
    joint=_gru_rule,
    saves="inputs hidden weight bias",
    aside=True,
    promotes=to_common,
    infer=lambda inputs, hidden, weight, bias, *, spans, reverse: _flat_spec(
        spans, inputs, hidden, weight, bias, states=(hidden,)
    ),
    formula=(
        "steps(gru(inputs, hidden @ T(weight) + bias, hidden))",
        "unrolled(g)",
        "first(carried(g))",
        "T(unrolled(g)) @ before(y)",
        "sum(unrolled(g))",
    ),
)
def _gru_layer(inputs, hidden, weight, bias, /, *, spans, reverse):
    """Gated recurrent unit; gates and states come along."""
    y, *kept = kernels.gru_layer(inputs, hidden, weight, bias, _sizes(spans), reverse=reverse)
    return y, kept


EVEN, RAGGED = ((2, 2),), ((1, 3), (2, 2), (1, 1))

_rnn_layer.op.samples = lambda draw: [
    (
        (draw((_total(spans), 2)), draw((spans[0][1], 2)), draw((2, 2))),
        {"spans": spans, "reverse": reverse, "relu": relu},
    )
    for spans, reverse, relu in ((EVEN, False, False), (RAGGED, True, False), (RAGGED, False, True))
]
_lstm_layer.op.samples = lambda draw: [
    (
        (
            draw((_total(spans), 8)),
            draw((spans[0][1], out)),
            draw((spans[0][1], 2)),
            draw((8, out)),
            draw((out, 2)) if out != 2 else None,
        ),
        {"spans": spans, "reverse": reverse},
    )
    for spans, reverse, out in ((EVEN, False, 2), (RAGGED, True, 2), (RAGGED, False, 1))
]
_gru_layer.op.samples = lambda draw: [
    (
        (
            draw((_total(spans), 6)),
            draw((spans[0][1], 2)),
            draw((6, 2)),
            draw((6,)) if bias else None,
        ),
        {"spans": spans, "reverse": reverse},
    )
    for spans, reverse, bias in ((EVEN, False, True), (RAGGED, True, False), (RAGGED, False, True))
]


# --- As the modules call them ---------------------------------------------------------------------


def rnn_layer(
    inputs: Any, hidden: Any, weight: Any, *, spans: Spans, reverse: bool, relu: bool
) -> tuple[Any, Any]:
    """Elman's layer: the rows of all steps, and the last state of each sequence."""
    flat = _rnn_layer(inputs, hidden, weight, spans=spans, reverse=reverse, relu=relu)
    y, h = _apart(flat, inputs.shape[0], hidden.shape)
    return y, h


def lstm_layer(
    inputs: Any,
    hidden: Any,
    cell: Any,
    weight: Any,
    projection: Any,
    *,
    spans: Spans,
    reverse: bool,
) -> tuple[Any, Any, Any]:
    """Long short-term memory: the rows of all steps, and the last h and c of each sequence."""
    flat = _lstm_layer(inputs, hidden, cell, weight, projection, spans=spans, reverse=reverse)
    y, h, c = _apart(flat, inputs.shape[0], hidden.shape, cell.shape)
    return y, h, c


def gru_layer(
    inputs: Any, hidden: Any, weight: Any, bias: Any, *, spans: Spans, reverse: bool
) -> tuple[Any, Any]:
    """Gated recurrent unit: the rows of all steps, and the last state of each sequence."""
    flat = _gru_layer(inputs, hidden, weight, bias, spans=spans, reverse=reverse)
    y, h = _apart(flat, inputs.shape[0], hidden.shape)
    return y, h
