"""Layers that put a border around sequences, images and volumes (N, C, ...), N optional.

Widths are an int for all sides, or (left, right, top, bottom, front, back) as far as there are
dimensions; a negative width cuts elements off.
"""

from __future__ import annotations

from typing import Any, ClassVar

from autograd import pad
from autograd.families import shape_of

from ..module import Module


class _Pad(Module):
    """What the layers share; each says over how many dimensions it goes, and how it fills."""

    dims: ClassVar[int]
    mode: ClassVar[str] = "constant"
    value: float | None = None

    def __init__(self, padding: Any) -> None:
        super().__init__()
        who, count = type(self).__name__, 2 * self.dims
        widths = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * count
        if len(widths) != count or any(
            isinstance(n, bool) or not hasattr(n, "__index__") for n in widths
        ):
            raise TypeError(f"{who}: padding must be an int or {count} ints, not {padding!r}")
        self.padding = widths

    def forward(self, input: Any) -> Any:
        """Map (N, C, ...) or (C, ...) to the same with a border."""
        # A constant may be put around the last dimensions of anything.
        if self.mode != "constant":
            shape = shape_of(input, type(self).__name__)
            if len(shape) not in (self.dims + 1, self.dims + 2):
                raise ValueError(
                    f"{type(self).__name__}: expected {self.dims + 1} or {self.dims + 2} "
                    f"dimensions, met {shape}"
                )
        return pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """Show the widths."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Widths and value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """
    Put a border of one value around sequences (N, C, L).

    Parameters
    ----------
    padding : int or (left, right)
    value : float

    Raises
    ------
    TypeError
        If `padding` is neither.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ConstantPad1d((1, 2), 5.0)(autograd.tensor([[1.0, 2.0]]))
    tensor([[5., 1., 2., 5., 5.]])
    """

    dims = 1


class ConstantPad2d(_ConstantPad):
    """
    Put a border of one value around images (N, C, H, W).

    Parameters
    ----------
    padding : int or (left, right, top, bottom)
    value : float

    Raises
    ------
    TypeError
        If `padding` is neither.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ConstantPad2d((1, 0, 1, 0), 5.0)(autograd.ones(1, 1, 2, 2)).shape
    (1, 1, 3, 3)
    """

    dims = 2


class ConstantPad3d(_ConstantPad):
    """
    Put a border of one value around volumes (N, C, D, H, W).

    Parameters
    ----------
    padding : int or (left, right, top, bottom, front, back)
    value : float

    Raises
    ------
    TypeError
        If `padding` is neither.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ConstantPad3d((1, 0, 1, 0, 0, 1), 5.0)(autograd.ones(1, 1, 2, 2, 2)).shape
    (1, 1, 3, 3, 3)
    """

    dims = 3


class ZeroPad1d(ConstantPad1d):
    """
    Put a border of zeros around sequences (N, C, L).

    Parameters
    ----------
    padding : int or (left, right)

    Raises
    ------
    TypeError
        If `padding` is neither.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ZeroPad1d((1, 2))(autograd.tensor([[1.0, 2.0]]))
    tensor([[0., 1., 2., 0., 0.]])
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """Show the widths."""
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """
    Put a border of zeros around images (N, C, H, W).

    Parameters
    ----------
    padding : int or (left, right, top, bottom)

    Raises
    ------
    TypeError
        If `padding` is neither.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ZeroPad2d((1, 0, 1, 0))(autograd.ones(1, 1, 2, 2)).shape
    (1, 1, 3, 3)
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """Show the widths."""
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """
    Put a border of zeros around volumes (N, C, D, H, W).

    Parameters
    ----------
    padding : int or (left, right, top, bottom, front, back)

    Raises
    ------
    TypeError
        If `padding` is neither.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ZeroPad3d((1, 0, 1, 0, 0, 1))(autograd.ones(1, 1, 2, 2, 2)).shape
    (1, 1, 3, 3, 3)
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """Show the widths."""
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """
    Mirror sequences (N, C, L) at their edges, which are not repeated.

    Parameters
    ----------
    padding : int or (left, right)

    Raises
    ------
    TypeError
        If `padding` is neither.
    ValueError
        In the call, if a width or the input's number of dimensions does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ReflectionPad1d((2, 1))(autograd.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2.]])
    """

    dims = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """
    Mirror images (N, C, H, W) at their edges, which are not repeated.

    Parameters
    ----------
    padding : int or (left, right, top, bottom)

    Raises
    ------
    TypeError
        If `padding` is neither.
    ValueError
        In the call, if a width or the input's number of dimensions does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ReflectionPad2d((1, 0, 1, 0))(autograd.ones(1, 1, 2, 2)).shape
    (1, 1, 3, 3)
    """

    dims = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """
    Mirror volumes (N, C, D, H, W) at their edges, which are not repeated.

    Parameters
    ----------
    padding : int or (left, right, top, bottom, front, back)

    Raises
    ------
    TypeError
        If `padding` is neither.
    ValueError
        In the call, if a width or the input's number of dimensions does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ReflectionPad3d((1, 0, 1, 0, 0, 1))(autograd.ones(1, 1, 2, 2, 2)).shape
    (1, 1, 3, 3, 3)
    """

    dims = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """
    Repeat the edges of sequences (N, C, L).

    Parameters
    ----------
    padding : int or (left, right)

    Raises
    ------
    TypeError
        If `padding` is neither.
    ValueError
        In the call, if a width or the input's number of dimensions does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ReplicationPad1d((2, 1))(autograd.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 1., 2., 3., 3.]])
    """

    dims = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """
    Repeat the edges of images (N, C, H, W).

    Parameters
    ----------
    padding : int or (left, right, top, bottom)

    Raises
    ------
    TypeError
        If `padding` is neither.
    ValueError
        In the call, if a width or the input's number of dimensions does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ReplicationPad2d((1, 0, 1, 0))(autograd.ones(1, 1, 2, 2)).shape
    (1, 1, 3, 3)
    """

    dims = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """
    Repeat the edges of volumes (N, C, D, H, W).

    Parameters
    ----------
    padding : int or (left, right, top, bottom, front, back)

    Raises
    ------
    TypeError
        If `padding` is neither.
    ValueError
        In the call, if a width or the input's number of dimensions does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.ReplicationPad3d((1, 0, 1, 0, 0, 1))(autograd.ones(1, 1, 2, 2, 2)).shape
    (1, 1, 3, 3, 3)
    """

    dims = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """
    Let sequences (N, C, L) go on at the other end.

    Parameters
    ----------
    padding : int or (left, right)

    Raises
    ------
    TypeError
        If `padding` is neither.
    ValueError
        In the call, if a width or the input's number of dimensions does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.CircularPad1d((2, 1))(autograd.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 3., 1., 2., 3., 1.]])
    """

    dims = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """
    Let images (N, C, H, W) go on at the other end.

    Parameters
    ----------
    padding : int or (left, right, top, bottom)

    Raises
    ------
    TypeError
        If `padding` is neither.
    ValueError
        In the call, if a width or the input's number of dimensions does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.CircularPad2d((1, 0, 1, 0))(autograd.ones(1, 1, 2, 2)).shape
    (1, 1, 3, 3)
    """

    dims = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """
    Let volumes (N, C, D, H, W) go on at the other end.

    Parameters
    ----------
    padding : int or (left, right, top, bottom, front, back)

    Raises
    ------
    TypeError
        If `padding` is neither.
    ValueError
        In the call, if a width or the input's number of dimensions does not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.CircularPad3d((1, 0, 1, 0, 0, 1))(autograd.ones(1, 1, 2, 2, 2)).shape
    (1, 1, 3, 3, 3)
    """

    dims = 3
    mode = "circular"
