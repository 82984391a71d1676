"""Normalisation."""

from __future__ import annotations

from tests.nn.cases import Case, drawn

INPUTS = {1: drawn(3, 4, 5), 2: drawn(2, 4, 3, 2), 3: drawn(2, 4, 2, 1, 3)}
DIMS = (1, 2, 3)
OPTIONS = (
    {"eps": 0.1, "momentum": 0.4},
    {"affine": False},
    {"track_running_stats": False},
    {"bias": False},
)

CASES = [
    *(Case(f"BatchNorm{n}d", (4,), call=(INPUTS[n],)) for n in DIMS),
    *(Case("BatchNorm1d", (4,), options, call=(drawn(3, 4),)) for options in OPTIONS),
    Case("BatchNorm1d", (4,), {"momentum": None}, call=(INPUTS[1],)),
    Case("BatchNorm2d", (4, 1e-3, 0.5, False, False), call=(INPUTS[2],)),
    *(Case(f"InstanceNorm{n}d", (4,), call=(INPUTS[n],)) for n in DIMS),
    *(
        Case(f"InstanceNorm{n}d", (4, 0.1, 0.3, True, True), call=(x,))
        for n in DIMS
        for x in (INPUTS[n], INPUTS[n][0])
    ),
    Case("InstanceNorm1d", (4,), {"track_running_stats": True}, call=(INPUTS[1],)),
    Case("InstanceNorm1d", (4,), {"affine": True, "bias": False}, call=(INPUTS[1],)),
    Case("InstanceNorm2d", (4, 1e-5, None, True, True), call=(INPUTS[2],)),
    Case("LayerNorm", (5,), call=(INPUTS[1],)),
    Case("LayerNorm", ((4, 5), 0.1), call=(INPUTS[1],)),
    Case("LayerNorm", ((5,), 1e-5, False), call=(INPUTS[1],)),
    Case("LayerNorm", (5,), {"bias": False}, call=(INPUTS[1],)),
    Case("GroupNorm", (2, 4), call=(INPUTS[2],)),
    Case("GroupNorm", (4, 4, 0.1, False), call=(INPUTS[1],)),
    Case("GroupNorm", (1, 4), {"bias": False}, call=(INPUTS[3],)),
    Case("RMSNorm", (5,), call=(INPUTS[1],)),
    Case("RMSNorm", ((4, 5), 0.1), call=(INPUTS[1],)),
    Case("RMSNorm", ([5],), {"elementwise_affine": False}, call=(INPUTS[1],)),
    Case("RMSNorm", (5,), call=(drawn(5),)),
    Case("LocalResponseNorm", (3,), call=(INPUTS[2],)),
    Case("LocalResponseNorm", (2, 0.5, 0.6, 2.0), call=(INPUTS[1],)),
]
