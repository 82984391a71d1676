"""Pooling."""

from __future__ import annotations

import numpy as np

from tests.nn.cases import Case, Fixed, drawn

INPUTS = {1: drawn(2, 2, 7), 2: drawn(2, 2, 5, 7), 3: drawn(1, 2, 4, 5, 5)}
SIZES = {1: (3,), 2: (3, 2), 3: (3, 2, 2)}
STEPS = {1: (2,), 2: (1, 2), 3: (2, 1, 3)}
KEPT = {1: 3, 2: (None, 3), 3: (2, None, 3)}
DIMS = (1, 2, 3)


# Where maxima of windows of two stand.
PLACES = {
    1: [0, 3, 4],
    2: [[1, 9, 5], [14, 21, 23]],
    3: [[[0, 33], [11, 18]], [[50, 57], [61, 44]]],
}


def places(n):
    """Indices for a batch of one and two channels."""
    return np.broadcast_to(np.array(PLACES[n]), (1, 2, *np.shape(PLACES[n]))).copy()


def sampled(lib, module, x, samples):
    """Call a pool with random numbers that are not."""
    module._random_samples = samples
    return module(x)


SAMPLES = (
    Fixed(np.random.default_rng(0).random((2, 2, 2))),
    Fixed(np.random.default_rng(1).random((1, 2, 3))),
)

CASES = [
    *(Case(f"{kind}Pool{n}d", (2,), call=(INPUTS[n],)) for kind in ("Max", "Avg") for n in DIMS),
    *(
        Case(f"MaxPool{n}d", (SIZES[n], STEPS[n], 1, 2), {"ceil_mode": True}, call=(INPUTS[n][0],))
        for n in DIMS
    ),
    *(Case(f"MaxPool{n}d", (3, 1), {"return_indices": True}, call=(INPUTS[n],)) for n in DIMS),
    *(Case(f"AvgPool{n}d", (SIZES[n], STEPS[n], 1, True), call=(INPUTS[n],)) for n in DIMS),
    *(
        Case(f"AvgPool{n}d", (3, 2, 1), {"count_include_pad": False}, call=(INPUTS[n][0],))
        for n in DIMS
    ),
    *(Case(f"AvgPool{n}d", (2,), {"divisor_override": 3}, call=(INPUTS[n],)) for n in (2, 3)),
    *(Case(f"LPPool{n}d", (2, 2), call=(INPUTS[n],)) for n in DIMS),
    *(
        Case(
            f"LPPool{n}d",
            (3.0, SIZES[n] if n > 1 else 3, STEPS[n], True),
            call=(np.abs(INPUTS[n][0]),),
        )
        for n in DIMS
    ),
    *(
        Case(f"Adaptive{kind}Pool{n}d", (size[n],), call=(INPUTS[n],))
        for kind in ("Avg", "Max")
        for size in (KEPT, {1: 9, 2: 2, 3: 2})
        for n in DIMS
    ),
    *(
        Case(f"AdaptiveMaxPool{n}d", (3,), {"return_indices": True}, call=(INPUTS[n][0],))
        for n in DIMS
    ),
    *(Case(f"MaxUnpool{n}d", (2,), call=(drawn(*places(n).shape), places(n))) for n in DIMS),
    *(
        Case(f"MaxUnpool{n}d", (2, 2, 0), call=(drawn(*places(n).shape), places(n), size))
        for n, size in ((1, (7,)), (2, (5, 7)), (3, (1, 2, 5, 5, 4)))
    ),
    Case("MaxUnpool1d", (3, 2, 1), call=(drawn(1, 2, 3), places(1))),
    Case("FractionalMaxPool2d", (2, 3), call=(INPUTS[2], SAMPLES[0]), use=sampled),
    Case(
        "FractionalMaxPool2d",
        ((2, 1),),
        {"output_ratio": (0.7, 0.5), "return_indices": True},
        call=(INPUTS[2], SAMPLES[0]),
        use=sampled,
    ),
    Case("FractionalMaxPool3d", (2, (2, 3, 3)), call=(INPUTS[3], SAMPLES[1]), use=sampled),
    Case(
        "FractionalMaxPool3d",
        (2,),
        {"output_ratio": 0.6},
        call=(INPUTS[3], SAMPLES[1]),
        use=sampled,
    ),
]
