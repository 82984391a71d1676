"""How a loss sums up: the old pair ``size_average=`` and ``reduce=`` in today's words."""

from __future__ import annotations

import warnings


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """
    Reduction that PyTorch's old pair of switches stands for; `reduction` where both are None.

    Examples
    --------
    >>> legacy_reduction(None, None, "sum")
    'sum'
    """
    if size_average is None and reduce is None:
        return reduction
    old = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce are deprecated; use reduction={old!r}",
        UserWarning,
        stacklevel=3,
    )
    return old
