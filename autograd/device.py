"""The one device there is, so that code which names one runs unchanged."""

from __future__ import annotations

from typing import Any


class device:
    """A place for tensors: the CPU.

    Parameters
    ----------
    type : {"cpu", "cpu:0"} or device

    Raises
    ------
    RuntimeError
        For any other.

    Examples
    --------
    >>> import autograd
    >>> autograd.device("cuda" if autograd.cuda.is_available() else "cpu")
    device(type='cpu')
    >>> autograd.zeros(2).device == "cpu"
    True
    """

    __slots__ = ()
    type = "cpu"
    index = None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        check_device("device", type)
        if index not in (None, 0):
            raise RuntimeError(f"device: there is one CPU, number 0, not {index}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or other in ("cpu", "cpu:0")

    def __hash__(self) -> int:
        return hash("cpu")

    def __str__(self) -> str:
        return "cpu"

    def __repr__(self) -> str:
        return "device(type='cpu')"


def is_cpu(wanted: Any) -> bool:
    """Whether this is a name of the CPU, or None.

    Examples
    --------
    >>> is_cpu("cpu:0"), is_cpu(None), is_cpu("cuda")
    (True, True, False)
    """
    return wanted is None or str(wanted) in ("cpu", "cpu:0")


def check_device(who: str, wanted: Any) -> None:
    """Raise unless `wanted` is the CPU, under any of its names, or None.

    Raises
    ------
    RuntimeError
        For another device.

    Examples
    --------
    >>> check_device("zeros", "cpu")
    """
    if not is_cpu(wanted):
        raise RuntimeError(f"{who}: there is no device {str(wanted)!r} here; 'cpu' is the only one")


CPU = device()
