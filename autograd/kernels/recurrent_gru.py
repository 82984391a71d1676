"""Gated recurrent unit: one layer in one direction; see recurrent.py."""

import numpy as np

from .common import Floats, Indices
from .dispatch import fast, implementation, reference
from .matmul import matmul
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
from .reduce import sum as sum_of


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
    for rows, n in steps_of(sizes, reverse):
        before[rows] = h[:n]
        a = h[:n] @ weight.T
        if bias is not None:
            a += bias
        rz = sigmoid_reference(inputs[rows, : 2 * width] + a[:, : 2 * width])
        resets[rows] = a[:, 2 * width :]
        new = np.tanh(inputs[rows, 2 * width :] + rz[:, :width] * resets[rows])
        gates[rows, : 2 * width], gates[rows, 2 * width :] = rz, new
        y[rows] = h[:n] = new + rz[:, width:] * (h[:n] - new)
    return flat_of(y, h), gates, resets, before


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
    rising, dh = parted(g, total, (batch, width))
    dinputs, dproducts = np.empty_like(gates), np.empty_like(gates)
    for rows, n in steps_of(sizes, not reverse):
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


# --- Compiled -------------------------------------------------------------------------------------

UNIT.kernel(
    "gru_forward(inputs: T[total, wide], packed: T[room], packed_new: T[room_new], bias: T[wide],"
    " sizes: i8[steps], reverse: int, hidden: T[batch, width]!, y: T[total, width]!)"
    " -> gates: T like inputs, resets: T like y, before: T like y"
)
UNIT.kernel(
    "gru_backward(g: T[total, width], gates: T[total, wide], resets: T[total, width],"
    " before: T[total, width], packed: T[room], sizes: i8[steps], reverse: int,"
    " dhidden: T[batch, width]!) -> dinputs: T like gates, dproducts: T like gates"
)


@fast(gru_layer, UNIT)
def _gru_layer(
    inputs: Floats,
    hidden: Floats,
    weight: Floats,
    bias: Floats | None,
    sizes: Indices,
    *,
    reverse: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    batch, width = hidden.shape
    if not served(inputs, batch):
        return implementation(gru_layer, "reference")(
            inputs, hidden, weight, bias, sizes, reverse=reverse
        )
    flat, y, h = flat_with(len(inputs), hidden)
    # Apart, as the products for the new state do not add to the inputs.
    gates, new = packed(weight[: 2 * width], batch, True), packed(weight[2 * width :], batch, True)
    if bias is None:
        bias = np.zeros(len(weight), weight.dtype)
    kept = UNIT.gru_forward(inputs, gates, new, bias, sizes, int(reverse), h, y)
    return flat, *kept


@fast(gru_layer_backward, UNIT)
def _gru_layer_backward(
    g: Floats,
    gates: Floats,
    resets: Floats,
    before: Floats,
    weight: Floats,
    sizes: Indices,
    *,
    reverse: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    total, width = before.shape
    batch = (g.size - before.size) // max(1, width)
    if not served(gates, batch):
        return implementation(gru_layer_backward, "reference")(
            g, gates, resets, before, weight, sizes, reverse=reverse
        )
    rising, dh = parted(g, total, (batch, width))
    back = packed(weight, batch, False)
    dinputs, dproducts = UNIT.gru_backward(
        rising, gates, resets, before, back, sizes, int(reverse), dh
    )
    return dinputs, dh, matmul(dproducts.T, before), sum_of(dproducts, dim=(0,), keepdim=False)
