"""How ops whose metadata names dimensions run on a batch: each stands one further to the right."""

from __future__ import annotations

from typing import Any

from .batching_rules import RULES, Call, aligned, elementwise
from .batching_structured import merged


def one_on(value: Any) -> Any:
    """A dimension, or a tuple of them, after the batch was put in front."""
    return tuple(d + 1 for d in value) if isinstance(value, tuple) else value + 1


def shifted(call: Call) -> Any:
    """Run on all examples with metadata that leaves the batch alone."""
    ranks = [call.rank(i) for i, a in enumerate(call.args) if hasattr(a, "shape")]
    if 0 in ranks:
        return None  # of a single element every dimension is one that is not there
    params = dict(call.params)
    for name, value in params.items():
        if name in ("dim", "dims", "dim1", "dim2"):
            params[name] = one_on(value)
        elif name == "widths":
            params[name] = ((0, 0), *value)
        elif name == "shape":
            params[name] = (call.size, *value)
    return call.run(*call.all(), **params)


def repeated(call: Call) -> Any:
    """Repeat each example, which may get more dimensions by that."""
    times = call.params["times"]
    return call.run(aligned(call.args[0], len(times)), times=(1, *times))


def trailing(call: Call) -> Any:
    """The op is about the last dimensions; those before them may be any."""
    if len({call.rank(i) for i, a in enumerate(call.args) if hasattr(a, "shape")}) > 1:
        return None
    return call.run(*call.all(), **call.params)


RULES |= dict.fromkeys(
    (
        "argextreme", "argsort", "border", "cross", "cumprod", "cumsum", "cumulated_index",
        "diagonal", "flip", "kth", "length", "logcumsumexp", "median_index", "mode_index",
        "recurrence", "repeat_each", "resample", "roll", "scatter_fold", "scatter_set", "shift",
        "topk", "unborder", "undiagonal", "unwindows", "window_sum", "windows",
    ),
    shifted,
)  # fmt: skip
RULES |= dict.fromkeys(
    ("adaptive_max_indices", "grid_coordinates", "grid_places", "grid_slopes", "tril",
     "triu", "unpool"),
    trailing,
)  # fmt: skip
RULES |= dict.fromkeys(
    ("fractional_max_indices", "grid_pick", "grid_spread", "max_pool3d_indices"), merged
)
RULES |= dict.fromkeys(("bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor"), elementwise)
RULES |= {"repeat": repeated, "euclidean": elementwise}
