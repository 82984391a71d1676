"""Convolutions."""

from __future__ import annotations

from tests.nn.cases import Case, drawn

INPUTS = {1: drawn(2, 4, 6), 2: drawn(2, 4, 5, 6), 3: drawn(1, 4, 3, 4, 3)}
PADDINGS = {1: (2,), 2: (2, 1), 3: (1, 2, 0)}
DIMS = (1, 2, 3)

CASES = [
    *(Case(f"Conv{n}d", (4, 2, 2), call=(INPUTS[n],)) for n in DIMS),
    *(Case(f"Conv{n}d", (4, 6, 3, 2, 1, 1, 2, False), call=(INPUTS[n][0],)) for n in DIMS),
    *(Case(f"Conv{n}d", (4, 2, 2, 1, PADDINGS[n], 2), call=(INPUTS[n],)) for n in DIMS),
    *(
        Case(f"Conv{n}d", (4, 4, 3, 1, "same"), {"groups": 4, "dilation": 2}, call=(INPUTS[n],))
        for n in DIMS
    ),
    Case("Conv2d", (4, 2, (3, 2), 1, "valid"), call=(INPUTS[2],)),
    *(
        Case(f"Conv{n}d", (4, 2, 2, 1, PADDINGS[n]), {"padding_mode": mode}, call=(INPUTS[n],))
        for mode in ("reflect", "replicate", "circular")
        for n in DIMS
    ),
    *(
        Case("Conv2d", (4, 2, 2, 1, padding), {"padding_mode": mode}, call=(INPUTS[2],))
        for mode in ("reflect", "circular")
        for padding in ("same", "valid")
    ),
    Case("Conv1d", (4, 2, 3, 1, "same"), {"padding_mode": "replicate"}, call=(INPUTS[1][0],)),
    *(Case(f"ConvTranspose{n}d", (4, 2, 2), call=(INPUTS[n],)) for n in DIMS),
    *(Case(f"ConvTranspose{n}d", (4, 6, 3, 2, 1, 1, 2, False), call=(INPUTS[n][0],)) for n in DIMS),
    *(
        Case(f"ConvTranspose{n}d", (4, 2, 2), {"dilation": 2, "output_padding": 1}, (INPUTS[n],))
        for n in DIMS
    ),
    Case("ConvTranspose1d", (4, 2, 3, 3, 1), call=(INPUTS[1],), options={"output_size": (17,)}),
    Case("ConvTranspose2d", (4, 2, 3, 2), call=(INPUTS[2],), options={"output_size": [12, 13]}),
    Case(
        "ConvTranspose2d", (4, 2, 3, 2), call=(INPUTS[2],), options={"output_size": (2, 2, 11, 14)}
    ),
]
