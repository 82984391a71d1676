"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from autograd import Tensor, cat, no_grad


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """
    All parameters end to end, as one vector; gradients flow back to them.

    Parameters
    ----------
    parameters : iterable of Tensor

    Returns
    -------
    Tensor, (total,)

    Raises
    ------
    TypeError
        If one of them is no Tensor.
    ValueError
        If there are none.

    Examples
    --------
    >>> import nn
    >>> nn.utils.parameters_to_vector(nn.Linear(2, 3).parameters()).shape
    (9,)
    """
    tensors = _tensors("parameters_to_vector", parameters)
    if not tensors:
        raise ValueError("parameters_to_vector: no parameters")
    return cat([tensor.reshape(-1) for tensor in tensors])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """
    Overwrite parameters, in place, with the parts of a vector.

    Parameters
    ----------
    vec : Tensor, (total,)
        What lies behind the last parameter's part is not used.
    parameters : iterable of Tensor

    Raises
    ------
    TypeError
        If `vec` or a parameter is no Tensor.
    ValueError
        If the vector is too short; nothing is changed.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.Linear(2, 1)
    >>> nn.utils.vector_to_parameters(autograd.tensor([1.0, 2.0, 3.0]), layer.parameters())
    >>> layer.weight, layer.bias
    (Parameter containing:
    tensor([[1., 2.]], requires_grad=True), Parameter containing:
    tensor([3.], requires_grad=True))
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters: a Tensor expected, not {type(vec).__name__}")
    tensors = _tensors("vector_to_parameters", parameters)
    total = sum(tensor.numel() for tensor in tensors)
    if len(vec.shape) != 1 or vec.shape[0] < total:
        raise ValueError(
            f"vector_to_parameters: a vector of {total} elements expected, met shape {vec.shape}"
        )
    start = 0
    with no_grad():
        for tensor in tensors:
            stop = start + tensor.numel()
            tensor.copy_(vec[start:stop].reshape(tensor.shape))
            start = stop


def _tensors(who: str, parameters: Iterable[Tensor]) -> list[Tensor]:
    tensors = list(parameters)
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{who}: a Tensor expected, not {type(tensor).__name__}")
    return tensors
