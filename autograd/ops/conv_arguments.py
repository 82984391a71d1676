"""What the convolutions take, in any number of dimensions, as tuples that have been checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ..families import shape_of
from ..kernels.common import conv_output_size
from .shape import pad

Sizes: TypeAlias = tuple[int, ...]
AXES = ("L",), ("H", "W"), ("D", "H", "W")
KINDS = ("an int", "an int or a pair of ints", "an int or three ints")


def ints(who: str, name: str, value: Any, count: int, least: int) -> Sizes:
    """An int, or `count` of them, as a tuple; ValueError below `least`."""
    items = tuple(value) if isinstance(value, tuple | list) else (value,)
    if len(items) == 1:
        items *= count
    if len(items) != count or any(
        isinstance(n, bool) or not hasattr(n, "__index__") for n in items
    ):
        raise TypeError(f"{who}: {name} must be {KINDS[count - 1]}, not {value!r}")
    if min(items) < least:
        raise ValueError(f"{who}: {name} must be at least {least}, not {value!r}")
    return tuple(n.__index__() for n in items)


def named_padding(
    who: str, padding: str, kernel_size: Sizes, stride: Sizes, dilation: Sizes
) -> tuple[Sizes, Sizes | None]:
    """The padding that a word stands for, and widths for `pad` before it where it is uneven.

    "same" with an even kernel needs one more zero behind than before, which the symmetric padding
    of the ops cannot give.
    """
    none = (0,) * len(kernel_size)
    if padding == "valid":
        return none, None
    if padding != "same":
        raise ValueError(
            f"{who}: padding must be 'same', 'valid' or {KINDS[len(kernel_size) - 1]}, not "
            f"{padding!r}"
        )
    if max(stride) > 1:
        raise ValueError(f"{who}: padding='same' needs stride 1, met {stride}")
    totals = [d * (k - 1) for d, k in zip(dilation, kernel_size, strict=True)]
    if all(n % 2 == 0 for n in totals):
        return tuple(n // 2 for n in totals), None
    widths = [w for n in reversed(totals) for w in (n // 2, n - n // 2)]
    return none, tuple(widths)


def layout(who: str, x: Sizes, w: Sizes, count: int, weight: str) -> None:
    """Raise unless input and weight have as many dimensions as they need."""
    if len(w) != count + 2 or len(x) not in (count + 1, count + 2):
        axes = ", ".join(AXES[count - 1])
        taps = ", ".join(f"K{a}" for a in AXES[count - 1])
        raise ValueError(
            f"{who}: expected input (N, C, {axes}) or (C, {axes}) and weight ({weight}, {taps}), "
            f"met {x} and {w}"
        )


def grouped(who: str, groups: Any, outputs: int) -> None:
    """Raise unless `groups` is a positive int that divides the number of outputs."""
    if not isinstance(groups, int) or groups < 1 or outputs % groups:
        raise ValueError(f"{who}: groups must divide {outputs} channels, met {groups!r}")


def convolve(
    who: str,
    op: Callable[..., Any],
    count: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Any:
    """Call the convolution `op` over `count` dimensions with arguments as users give them."""
    x, w = shape_of(input, who), shape_of(weight, who)
    layout(who, x, w, count, "O, C / groups")
    if len(x) == count + 1:
        return convolve(
            who, op, count, input[None], weight, bias, stride, padding, dilation, groups
        )[0]
    grouped(who, groups, w[0])
    if x[1] != w[1] * groups:
        raise ValueError(
            f"{who}: input {x} has {x[1]} channels; weight {w} with groups={groups} needs "
            f"{w[1]} * groups"
        )
    if bias is not None and shape_of(bias, who) != w[:1]:
        raise ValueError(f"{who}: bias must have shape {w[:1]}, met {shape_of(bias, who)}")
    at = {
        "stride": ints(who, "stride", stride, count, 1),
        "dilation": ints(who, "dilation", dilation, count, 1),
    }
    if isinstance(padding, str):
        at["padding"], widths = named_padding(who, padding, w[2:], **at)
        if widths is not None:
            input = pad(input, widths)
            x = shape_of(input, who)
    else:
        at["padding"] = ints(who, "padding", padding, count, 0)
    if min(w[2:]) < 1 or min(conv_output_size(x[2:], kernel_size=w[2:], **at)) < 1:
        raise ValueError(
            f"{who}: kernel {w[2:]} with dilation {at['dilation']} does not fit into {x[2:]} with "
            f"padding {at['padding']}"
        )
    return op(input, weight, bias, **at, groups=groups)
