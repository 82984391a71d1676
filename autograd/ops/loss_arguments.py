"""What losses ask of their arguments: one shape, and weights that fit it."""

from __future__ import annotations

from typing import Any

from ..families import shape_of


def weighed(losses: Any, weight: Any, who: str) -> Any:
    """
    Losses times a weight that broadcasts to their shape; as they are where it is None.

    Raises
    ------
    ValueError
        If the weight does not broadcast to the shape of the losses.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.loss_arguments import weighed
    >>> weighed(autograd.ones(2), autograd.tensor([1.0, 3.0]), "my_loss")
    tensor([1., 3.])
    """
    if weight is None:
        return losses
    check_broadcasts(who, "weight", weight, losses.shape)
    return losses * weight


def check_broadcasts(who: str, name: str, value: Any, shape: tuple[int, ...]) -> None:
    """
    Refuse what does not broadcast to `shape`.

    Raises
    ------
    ValueError
        Which it then is.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.loss_arguments import check_broadcasts
    >>> check_broadcasts("my_loss", "weight", autograd.ones(3), (2, 3))
    """
    met = shape_of(value, who)
    fits = len(met) <= len(shape) and all(
        n in (1, m) for n, m in zip(reversed(met), reversed(shape), strict=False)
    )
    if not fits:
        raise ValueError(f"{who}: {name} {met} must broadcast to the shape of the input, {shape}")


def one_shape(who: str, **tensors: Any) -> tuple[int, ...]:
    """
    The shape that all of them have: in a loss, to broadcast is nearly always a mistake.

    Raises
    ------
    ValueError
        If they differ.

    Examples
    --------
    >>> import autograd
    >>> from autograd.ops.loss_arguments import one_shape
    >>> one_shape("my_loss", input=autograd.ones(2), target=autograd.ones(2))
    (2,)
    """
    shapes = [shape_of(tensor, who) for tensor in tensors.values()]
    if any(shape != shapes[0] for shape in shapes):
        met = [f"{name} {shape}" for name, shape in zip(tensors, shapes, strict=True)]
        raise ValueError(
            f"{who}: {', '.join(met[:-1])} and {met[-1]} must have one shape (a loss does not "
            "broadcast)"
        )
    return shapes[0]
