"""Linear, Bilinear, Identity."""

from __future__ import annotations

from tests.nn.cases import Case, drawn

CASES = [
    Case("Linear", (3, 2), call=(drawn(4, 3),)),
    Case("Linear", (3, 2), {"bias": False}, call=(drawn(3),)),
    Case("Linear", (3, 2), call=(drawn(0, 3),)),
    Case("Linear", (3, 2), call=(drawn(2, 5, 3),)),
    Case("Identity", (54,), {"unused": 1}, call=(drawn(2, 3),)),
]
