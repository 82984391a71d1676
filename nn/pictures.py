"""Pictures of a model: its graph from an input shape alone, a film of its loss on a sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import autograd
from autograd import Spec, Tensor, default_generator

from .module import Module


def graph(
    model: Module, *input_shapes: tuple[int, ...], dtype: Any = np.float32, **options: Any
) -> autograd.viz.Graph:
    """
    Draw what a model computes, from the shape of its input alone; nothing is computed.

    Parameters
    ----------
    model : Module
        Drawn in the mode, training or evaluation, that it is in. Its buffers stay as they are.
    *input_shapes : tuple of int
        With the batch, one for each argument of `forward`.
    dtype : dtype, default float32
        Of the inputs; an integer one for models that look up embeddings.
    **options
        Of `autograd.viz.graph`: ``depth=``, ``direction=``, ``theme=`` and so on.

    Returns
    -------
    autograd.viz.Graph
        Shown by notebooks; printed as text; ``save("model.svg")``.

    Raises
    ------
    TypeError
        If `model` is not a Module, or its `forward` looks at values.
    ValueError
        If no shape is given, or the model refuses the shapes.

    Examples
    --------
    >>> import nn
    >>> drawing = nn.graph(nn.Sequential(nn.Linear(4, 8), nn.ReLU()), (1, 4))
    >>> [vertex.op for vertex in drawing.diagram.vertices if vertex.op]
    ['linear', 'relu']
    """
    if not isinstance(model, Module):
        raise TypeError(f"nn.graph: expected a Module, not {type(model).__name__}")
    if not input_shapes:
        raise ValueError("nn.graph: give the shape of the input, such as (1, 1, 32, 32)")
    # In training mode, forward counts batches and draws random numbers also without values.
    state = default_generator.state_dict()
    buffers = [(buffer, buffer.value, np.array(buffer.value)) for buffer in model.buffers()]
    try:
        specs = [Spec(shape, dtype) for shape in input_shapes]
        return autograd.viz.graph(model, *specs, names={"model": model}, **options)
    finally:
        default_generator.load_state_dict(state)
        for buffer, value, before in buffers:
            buffer.value = value if isinstance(value, np.ndarray) else before
            buffer.value[...] = before


def loss_of(
    model: Module, loss: Callable[[Any, Any], Any], part: Sequence[np.ndarray], index: int
) -> Callable[[], Any]:
    """A function without arguments that gives the model's loss on one sample of a part."""
    *inputs, target = (Tensor(array[index : index + 1]) for array in part)

    def compute() -> Any:
        return loss(model(*inputs), target)

    return compute


def save_pictures(
    model: Module,
    loss: Callable[[Any, Any], Any],
    part: Sequence[np.ndarray],
    index: int,
    graph_path: Path,
    film_path: Path | None,
) -> None:
    """Draw graph and film of the loss on one sample.

    The model is drawn as it is used: in evaluation mode, and left in the mode it was in.
    """
    training = model.training
    model.eval()
    try:
        compute = loss_of(model, loss, part, index)
        autograd.viz.graph(compute, names={"model": model}).save(graph_path)
        if film_path is not None:
            autograd.viz.film(compute, names={"model": model}).save(film_path)
    finally:
        model.train(training)
