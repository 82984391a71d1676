"""Layers that move elements, resample them, or compare vectors."""

from __future__ import annotations

from tests.nn.cases import Case, drawn

IMAGE = drawn(2, 3, 4, 5)

CASES = [
    Case("Flatten", call=(IMAGE,)),
    Case("Flatten", (0, 2), call=(IMAGE,)),
    Case("Unflatten", (1, (2, 3)), call=(drawn(2, 6, 2),)),
    Case("Unflatten", (-1, (-1, 2)), call=(drawn(2, 6),)),
    Case("Unfold", ((2, 3),), call=(IMAGE,)),
    Case("Unfold", (2,), {"dilation": 2, "padding": 1, "stride": (2, 1)}, call=(IMAGE[0],)),
    Case("Fold", ((4, 5), (2, 3)), call=(drawn(2, 12, 9),)),
    Case(
        "Fold", ((4, 5), 2), {"dilation": 2, "padding": 1, "stride": (2, 1)}, call=(drawn(4, 10),)
    ),
    Case("PixelShuffle", (2,), call=(drawn(2, 8, 2, 3),)),
    Case("PixelUnshuffle", (2,), call=(drawn(2, 2, 4, 6),)),
    Case("ChannelShuffle", (2,), call=(drawn(2, 6, 2, 2),)),
    Case("Upsample", (7,), call=(drawn(2, 2, 3),)),
    Case("Upsample", (None, 2), call=(IMAGE,)),
    Case("Upsample", ((6, 3), None, "bilinear"), call=(IMAGE,)),
    Case("Upsample", (None, (1.5, 2.5), "bilinear", True), call=(IMAGE,)),
    Case("Upsample", (None, 1.3, "bicubic", False, True), call=(IMAGE,)),
    Case("Upsample", (None, 2, "trilinear"), call=(drawn(1, 1, 2, 3, 2),)),
    Case("UpsamplingNearest2d", (None, 2), call=(IMAGE,)),
    Case("UpsamplingNearest2d", ((3, 7),), call=(IMAGE,)),
    Case("UpsamplingBilinear2d", (None, 2), call=(IMAGE,)),
    Case("UpsamplingBilinear2d", ((3, 7),), call=(IMAGE,)),
    Case("CosineSimilarity", call=(drawn(3, 4), drawn(3, 4, seed=1))),
    Case("CosineSimilarity", (0, 0.01), call=(drawn(3, 4), drawn(3, 4, seed=1))),
    Case("PairwiseDistance", call=(drawn(3, 4), drawn(3, 4, seed=1))),
    Case("PairwiseDistance", (3.0, 1e-3, True), call=(drawn(3, 4), drawn(3, 4, seed=1))),
]
