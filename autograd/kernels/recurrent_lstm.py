"""Long short-term memory: one layer in one direction; see recurrent.py."""

import numpy as np

from .common import Floats, Indices
from .dispatch import fast, implementation, reference
from .matmul import matmul
from .memory import empty
from .recurrent import (
    UNIT,
    flat_of,
    flat_with,
    packed,
    parted,
    served,
    sigmoid_reference,
    steps_of,
)


@reference
def lstm_layer(
    inputs: Floats,
    hidden: Floats,
    cell: Floats,
    weight: Floats,
    projection: Floats | None,
    sizes: Indices,
    *,
    reverse: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Long short-term memory.

    ::

        i, f, g, o = the four quarters of inputs[step] + h @ weight.T
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c),    then @ projection.T if there is one

    Parameters
    ----------
    inputs : array (total, 4 * width)
    hidden : array (batch, out)
        The state h before the first step; out = width without a projection.
    cell : array (batch, width)
        The state c before the first step.
    weight : array (4 * width, out)
    projection : array (out, width), optional
    sizes, reverse
        As in `rnn_layer`.

    Returns
    -------
    flat : array (total * out + batch * out + batch * width,)
        h after each step, then the last h and the last c of each sequence.
    gates : array (total, 4 * width)
        sigmoid(i), sigmoid(f), tanh(g), sigmoid(o).
    before : array (total, out)
        h before each step.
    cells : array (total, width)
        c before each step.
    """
    h, c = hidden.copy(), cell.copy()
    total, width = len(inputs), cell.shape[1]
    gates = np.empty_like(inputs)
    before, cells = np.empty((total, h.shape[1]), h.dtype), np.empty((total, width), c.dtype)
    y = np.empty_like(before)
    for rows, n in steps_of(sizes, reverse):
        before[rows], cells[rows] = h[:n], c[:n]
        a = inputs[rows] + h[:n] @ weight.T
        a[:, : 2 * width] = sigmoid_reference(a[:, : 2 * width])
        a[:, 2 * width : 3 * width] = np.tanh(a[:, 2 * width : 3 * width])
        a[:, 3 * width :] = sigmoid_reference(a[:, 3 * width :])
        gates[rows] = a
        i, f, z, o = (a[:, k * width : (k + 1) * width] for k in range(4))
        c[:n] = f * c[:n] + i * z
        out = o * np.tanh(c[:n])
        y[rows] = h[:n] = out if projection is None else out @ projection.T
    return flat_of(y, h, c), gates, before, cells


@reference
def lstm_layer_backward(
    g: Floats,
    gates: Floats,
    before: Floats,
    cells: Floats,
    weight: Floats,
    projection: Floats | None,
    sizes: Indices,
    *,
    reverse: bool,
) -> tuple[Floats, Floats, Floats, Floats, Floats | None]:
    """Gradients of <g, flat> in inputs, hidden, cell, weight and projection (None without one).

    The arrays are those of `lstm_layer`.
    """
    (total, out), width = before.shape, cells.shape[1]
    batch = (g.size - total * out) // max(1, out + width)
    rising, dh, dc = parted(g, total, (batch, out), (batch, width))
    dinputs = np.empty_like(gates)
    inside, outside = np.empty_like(cells), np.empty_like(before)  # of the projection
    for rows, n in steps_of(sizes, not reverse):
        i, f, z, o = (gates[rows, k * width : (k + 1) * width] for k in range(4))
        bent = np.tanh(f * cells[rows] + i * z)
        d = dh[:n] + rising[rows]
        if projection is not None:
            inside[rows], outside[rows] = o * bent, d
            d = d @ projection
        into = dc[:n] + d * o * (1 - bent * bent)
        dinputs[rows] = np.concatenate(
            [
                into * z * (i * (1 - i)),
                into * cells[rows] * (f * (1 - f)),
                into * i * (1 - z * z),
                d * bent * (o * (1 - o)),
            ],
            axis=1,
        )
        dc[:n] = into * f
        dh[:n] = dinputs[rows] @ weight
    dprojection = None if projection is None else outside.T @ inside
    return dinputs, dh, dc, dinputs.T @ before, dprojection


# --- Compiled -------------------------------------------------------------------------------------

UNIT.kernel(
    "lstm_forward(inputs: T[total, wide], packed: T[room], projection: T[room_out],"
    " sizes: i8[steps], reverse: int, projected: int, hidden: T[batch, out]!,"
    " cell: T[batch, width]!, inside: T[slots, width]!, y: T[total, out]!)"
    " -> gates: T like inputs, before: T like y, cells: T[total, width]"
)
UNIT.kernel(
    "lstm_backward(g: T[total, out], gates: T[total, wide], cells: T[total, width],"
    " packed: T[room], projection: T[room_out], sizes: i8[steps], reverse: int, projected: int,"
    " dhidden: T[batch, out]!, dcell: T[batch, width]!, inside: T[rows, width]!,"
    " outside: T[rows, out]!, scratch: T[slots, width]!) -> dinputs: T like gates"
)


@fast(lstm_layer, UNIT)
def _lstm_layer(
    inputs: Floats,
    hidden: Floats,
    cell: Floats,
    weight: Floats,
    projection: Floats | None,
    sizes: Indices,
    *,
    reverse: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Scratch: with a projection one step of h before it."""
    batch, width = cell.shape
    if not served(inputs, batch):
        return implementation(lstm_layer, "reference")(
            inputs, hidden, cell, weight, projection, sizes, reverse=reverse
        )
    flat, y, h, c = flat_with(len(inputs), hidden, cell)
    back, projected = packed(weight, batch, True), projection is not None
    out = back if projection is None else packed(projection, batch, True)
    inside = np.empty((batch if projected else 0, width), cell.dtype)
    kept = UNIT.lstm_forward(
        inputs, back, out, sizes, int(reverse), int(projected), h, c, inside, y
    )  # fmt: skip
    return flat, *kept


@fast(lstm_layer_backward, UNIT)
def _lstm_layer_backward(
    g: Floats,
    gates: Floats,
    before: Floats,
    cells: Floats,
    weight: Floats,
    projection: Floats | None,
    sizes: Indices,
    *,
    reverse: bool,
) -> tuple[Floats, Floats, Floats, Floats, Floats | None]:
    """Scratch: with a projection the rows inside and outside of it, and one step."""
    (total, out), width = before.shape, cells.shape[1]
    batch = (g.size - total * out) // max(1, out + width)
    if not served(gates, batch):
        return implementation(lstm_layer_backward, "reference")(
            g, gates, before, cells, weight, projection, sizes, reverse=reverse
        )
    rising, dh, dc = parted(g, total, (batch, out), (batch, width))
    back, projected = packed(weight, batch, False), projection is not None
    through = back if projection is None else packed(projection, batch, False)
    rows, slots = (total, batch) if projected else (0, 0)
    inside, outside = empty((rows, width), g.dtype), empty((rows, out), g.dtype)
    scratch = np.empty((slots, width), g.dtype)
    dinputs = UNIT.lstm_backward(
        rising, gates, cells, back, through, sizes, int(reverse), int(projected), dh, dc, inside,
        outside, scratch,
    )  # fmt: skip
    dprojection = matmul(outside.T, inside) if projected else None
    return dinputs, dh, dc, matmul(dinputs.T, before), dprojection
