"""One layer of a recurrent network in one direction, over all steps of a batch of sequences.

The rows of all steps lie one after the other, as in a packed sequence: the first ``sizes[0]`` rows
are step 0, one row for each sequence; the next ``sizes[1]`` are step 1, and so on. The sequences
stand in order of falling length, so ``sizes`` never rises, and those that go on are the first ones.
In `reverse` the last step comes first. The products with the input are not part of it: they are one
matrix product over all rows, whose result is `inputs`.

A result that a later step needs (the state) is given in one flat array: the rows of `y`, then the
state of each sequence after its last step. What else comes along is for the backward form.
"""

from collections.abc import Iterator

import numpy as np

from .common import Floats, Indices
from .dispatch import implementation, reference
from .elementwise import sigmoid

_sigmoid = implementation(sigmoid, "reference")


def _steps(sizes: Indices, reverse: bool) -> Iterator[tuple[slice, int]]:
    """The rows of each step and their number, in the order of computation."""
    ends = np.cumsum(sizes).tolist()
    steps = [(slice(end - n, end), n) for end, n in zip(ends, sizes.tolist(), strict=True)]
    return iter(steps[::-1] if reverse else steps)


def _flat(*parts: Floats) -> Floats:
    """All numbers in one line."""
    return np.concatenate([part.reshape(-1) for part in parts])


def _parted(g: Floats, total: int, *states: tuple[int, int]) -> list[Floats]:
    """The rows of a flat array, and copies of the states behind them, of these shapes."""
    begin = total * states[0][1]
    parts = [g[:begin].reshape(total, states[0][1])]
    for rows, width in states:
        parts.append(g[begin : begin + rows * width].reshape(rows, width).copy())
        begin += rows * width
    return parts


# --- Plain ----------------------------------------------------------------------------------------


@reference
def rnn_layer(
    inputs: Floats, hidden: Floats, weight: Floats, sizes: Indices, *, reverse: bool, relu: bool
) -> tuple[Floats, Floats, Floats]:
    """Elman's recurrent layer.

    ::

        h = tanh(inputs[step] + h @ weight.T),    or relu

    Parameters
    ----------
    inputs : array (total, width)
    hidden : array (batch, width)
        The state before the first step.
    weight : array (width, width)
    sizes : array (steps,)
        Rows of each step: at least 1, at most batch, never rising, total together.
    reverse : bool
        From the last step to the first.
    relu : bool
        In the place of tanh.

    Returns
    -------
    flat : array (total * width + batch * width,)
        The state after each step, then the last one of each sequence.
    after, before : array (total, width)
        The state after and before each step.
    """
    h = hidden.copy()
    before, after = np.empty_like(inputs), np.empty_like(inputs)
    for rows, n in _steps(sizes, reverse):
        before[rows] = h[:n]
        a = inputs[rows] + h[:n] @ weight.T
        after[rows] = h[:n] = np.maximum(a, 0) if relu else np.tanh(a)
    return _flat(after, h), after, before


@reference
def rnn_layer_backward(
    g: Floats,
    after: Floats,
    before: Floats,
    weight: Floats,
    sizes: Indices,
    *,
    reverse: bool,
    relu: bool,
) -> tuple[Floats, Floats, Floats]:
    """Gradients of <g, flat> in inputs, hidden and weight; the arrays are those of `rnn_layer`."""
    total, width = after.shape
    batch = (g.size - after.size) // max(1, width)
    rising, dh = _parted(g, total, (batch, width))
    dinputs = np.empty_like(after)
    for rows, n in _steps(sizes, not reverse):
        d, y = dh[:n] + rising[rows], after[rows]
        dinputs[rows] = np.where(y <= 0, d.dtype.type(0), d) if relu else d * (1 - y * y)
        dh[:n] = dinputs[rows] @ weight
    return dinputs, dh, dinputs.T @ before


# --- Long short-term memory -----------------------------------------------------------------------


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
    for rows, n in _steps(sizes, reverse):
        before[rows], cells[rows] = h[:n], c[:n]
        a = inputs[rows] + h[:n] @ weight.T
        a[:, : 2 * width] = _sigmoid(a[:, : 2 * width])
        a[:, 2 * width : 3 * width] = np.tanh(a[:, 2 * width : 3 * width])
        a[:, 3 * width :] = _sigmoid(a[:, 3 * width :])
        gates[rows] = a
        i, f, z, o = (a[:, k * width : (k + 1) * width] for k in range(4))
        c[:n] = f * c[:n] + i * z
        out = o * np.tanh(c[:n])
        y[rows] = h[:n] = out if projection is None else out @ projection.T
    return _flat(y, h, c), gates, before, cells


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
    rising, dh, dc = _parted(g, total, (batch, out), (batch, width))
    dinputs = np.empty_like(gates)
    inside, outside = np.empty_like(cells), np.empty_like(before)  # of the projection
    for rows, n in _steps(sizes, not reverse):
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


# --- Gated recurrent unit -------------------------------------------------------------------------


@reference
def gru_layer(
    inputs: Floats,
    hidden: Floats,
    weight: Floats,
    bias: Floats | None,
    sizes: Indices,
    *,
    reverse: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Gated recurrent unit, the reset gate after the product.

    ::

        a = h @ weight.T + bias
        r, z = sigmoid of the first two thirds of inputs[step] + a
        n = tanh(last third of inputs[step] + r * last third of a)
        h = n + z * (h - n)

    Parameters
    ----------
    inputs : array (total, 3 * width)
    hidden : array (batch, width)
        The state before the first step.
    weight : array (3 * width, width)
    bias : array (3 * width,), or None for zeros
    sizes, reverse
        As in `rnn_layer`.

    Returns
    -------
    flat : array (total * width + batch * width,)
        h after each step, then the last one of each sequence.
    gates : array (total, 3 * width)
        r, z, n.
    resets : array (total, width)
        The last third of a.
    before : array (total, width)
        h before each step.
    """
    h = hidden.copy()
    total, width = len(inputs), h.shape[1]
    gates = np.empty_like(inputs)
    before, resets, y = (np.empty((total, width), h.dtype) for _ in range(3))
    for rows, n in _steps(sizes, reverse):
        before[rows] = h[:n]
        a = h[:n] @ weight.T
        if bias is not None:
            a += bias
        rz = _sigmoid(inputs[rows, : 2 * width] + a[:, : 2 * width])
        resets[rows] = a[:, 2 * width :]
        new = np.tanh(inputs[rows, 2 * width :] + rz[:, :width] * resets[rows])
        gates[rows, : 2 * width], gates[rows, 2 * width :] = rz, new
        y[rows] = h[:n] = new + rz[:, width:] * (h[:n] - new)
    return _flat(y, h), gates, resets, before


@reference
def gru_layer_backward(
    g: Floats,
    gates: Floats,
    resets: Floats,
    before: Floats,
    weight: Floats,
    sizes: Indices,
    *,
    reverse: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Gradients of <g, flat> in inputs, hidden, weight and bias.

    The arrays are those of `gru_layer`.
    """
    total, width = before.shape
    batch = (g.size - before.size) // max(1, width)
    rising, dh = _parted(g, total, (batch, width))
    dinputs, dproducts = np.empty_like(gates), np.empty_like(gates)
    for rows, n in _steps(sizes, not reverse):
        r, z, new = (gates[rows, k * width : (k + 1) * width] for k in range(3))
        d = dh[:n] + rising[rows]
        dnew = d * (1 - z) * (1 - new * new)
        dr = dnew * resets[rows] * (r * (1 - r))
        dz = d * (before[rows] - new) * (z * (1 - z))
        dinputs[rows] = np.concatenate([dr, dz, dnew], axis=1)
        dproducts[rows] = np.concatenate([dr, dz, dnew * r], axis=1)
        dh[:n] = d * z + dproducts[rows] @ weight
    dbias = np.add.reduce(dproducts, axis=0, dtype=np.float64).astype(gates.dtype)
    return dinputs, dh, dproducts.T @ before, dbias
