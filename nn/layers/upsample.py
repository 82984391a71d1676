"""Layers that change the size of images by interpolation."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..module import Module


class Upsample(Module):
    """
    Resize sequences, images or volumes (N, C, ...) by interpolation; see `interpolate`.

    Parameters
    ----------
    size : int or sequence of int, optional
        Of the result, ...
    scale_factor : float or sequence of float, optional
        ... or how many times larger it is: one of the two.
    mode : {"nearest", "linear", "bilinear", "bicubic", "trilinear", ...}
    align_corners : bool, optional
        Let corner pixels' centres keep their places (of the modes that interpolate).
    recompute_scale_factor : bool, optional
        Work the factor out again from the sizes, which are whole numbers.

    Raises
    ------
    ValueError
        In the call, if the arguments do not fit the input.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.Upsample(scale_factor=2, mode="linear")(autograd.tensor([[[0.0, 4.0]]]))
    tensor([[[0., 1., 3., 4.]]])
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        if isinstance(scale_factor, tuple | list):
            self.scale_factor: Any = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Any) -> Any:
        """Resize (N, C, ...)."""
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        """Size or factor, and mode."""
        if self.scale_factor is not None:
            return f"scale_factor={self.scale_factor!r}, mode={self.mode!r}"
        return f"size={self.size!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """
    Enlarge images (N, C, H, W) by repeating pixels.

    Parameters
    ----------
    size, scale_factor
        As for `Upsample`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.UpsamplingNearest2d(scale_factor=2)(autograd.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """
    Enlarge images (N, C, H, W) bilinearly; the corner pixels keep their places.

    Parameters
    ----------
    size, scale_factor
        As for `Upsample`.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.UpsamplingBilinear2d((1, 3))(autograd.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
