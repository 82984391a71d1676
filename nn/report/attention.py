"""Where the layers of a Transformer look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..serialize import PathLike
from .canvas import blank, save


def save_attention(
    path: PathLike,
    maps: Sequence[np.ndarray],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str = "",
) -> None:
    """
    Draw attention maps: a row of pictures for each layer, one for each of its heads.

    Parameters
    ----------
    path : path-like
        Of the PNG file.
    maps : sequence of ndarray, (heads, L, S)
        Weights of each layer; every layer has as many heads.
    rows, columns : sequence of str
        What stands at the L positions that look, and at the S that are looked at.
    title : str

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If the file cannot be written.
    ValueError
        If there is no map, or shapes differ.
    """
    arrays = [np.asarray(weights) for weights in maps]
    heads = len(arrays[0]) if arrays and arrays[0].ndim else 0
    shape = (heads, len(rows), len(columns))
    if not heads or any(weights.shape != shape for weights in arrays):
        raise ValueError(
            f"save_attention: expected maps (heads, {len(rows)}, {len(columns)}) of every layer, "
            f"met {[weights.shape for weights in arrays]}"
        )
    figure = blank(1.2 + 3.2 * heads, 0.5 + 3.2 * len(arrays))
    axes = figure.subplots(len(arrays), heads, squeeze=False)
    for layer, weights in enumerate(arrays):
        for head, axis in enumerate(axes[layer]):
            axis.imshow(weights[head], cmap="Blues", vmin=0.0, vmax=1.0)
            axis.set_xticks(range(len(columns)), columns)
            axis.set_yticks(range(len(rows)), rows)
            axis.set_title(f"layer {layer + 1}" + (f", head {head + 1}" if heads > 1 else ""))
            axis.set(xlabel="looked at", ylabel="answered")
    figure.colorbar(axes[0, 0].images[0], ax=axes, label="weight", shrink=0.6)
    figure.suptitle(title)
    save(figure, path)
