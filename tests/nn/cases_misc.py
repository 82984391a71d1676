"""Dropout, tables of vectors."""

from __future__ import annotations

import numpy as np

from tests.nn.cases import Case, Fixed, chosen, drawn

NUMBERS = chosen(5, 3, 4)
LINE = chosen(5, 9)
OFFSETS = np.array([0, 2, 2, 5])
BAGS = ("sum", "mean", "max")

CASES = [
    Case("Dropout", (0.3,), call=(drawn(3, 4),), modes=("eval",)),
    Case("Dropout", (0.0, True), call=(drawn(3, 4),), use=lambda lib, module, x: module(x * 1.0)),
    Case("Dropout1d", (0.3,), call=(drawn(3, 4),), modes=("eval",)),
    Case("Dropout2d", (0.0,), call=(drawn(1, 2, 2, 2),)),
    Case("Dropout3d", (0.3,), call=(drawn(2, 1, 2, 2),), modes=("eval",)),
    Case("AlphaDropout", (0.3,), call=(drawn(3, 4),), modes=("eval",)),
    Case("AlphaDropout", (0.0,), call=(drawn(3, 4),)),
    Case("FeatureAlphaDropout", (0.3,), call=(drawn(2, 3, 2),), modes=("eval",)),
    *(
        Case(name, (1.0,), call=(drawn(2, 2, 2, 2),), modes=("train",))
        for name in ("Dropout", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")
    ),
    Case("Embedding", (5, 3), call=(NUMBERS,)),
    Case("Embedding", (5, 3, -2), call=(NUMBERS,)),
    Case("Embedding", (5, 3), {"max_norm": 0.4}, call=(NUMBERS,)),
    Case("Embedding", (5, 3), {"max_norm": 0.6, "norm_type": 1.0}, call=(NUMBERS,)),
    Case("Embedding", (5, 3), {"scale_grad_by_freq": True}, call=(NUMBERS,)),
    *(Case("EmbeddingBag", (5, 3), {"mode": mode}, call=(NUMBERS,)) for mode in BAGS),
    *(Case("EmbeddingBag", (5, 3), {"mode": mode}, call=(LINE, OFFSETS)) for mode in BAGS),
    *(
        Case("EmbeddingBag", (5, 3), {"mode": mode, "padding_idx": 1}, call=(LINE, OFFSETS))
        for mode in BAGS
    ),
    Case("EmbeddingBag", (5, 3), {"include_last_offset": True}, call=(LINE, np.array([0, 4, 9]))),
    Case("EmbeddingBag", (5, 3), {"max_norm": 0.4, "norm_type": 1.0}, call=(NUMBERS,)),
    Case("EmbeddingBag", (5, 3), {"mode": "sum"}, call=(LINE, OFFSETS, drawn(9))),
    Case(
        "EmbeddingBag", (5, 3), {"mode": "sum", "padding_idx": 2},
        call=(NUMBERS, None, Fixed(drawn(3, 4))),
    ),
    Case("Bilinear", (3, 4, 2), call=(drawn(5, 3), drawn(5, 4))),
    Case("Bilinear", (3, 4, 2, False), call=(drawn(2, 5, 3), drawn(2, 5, 4))),
]  # fmt: skip
