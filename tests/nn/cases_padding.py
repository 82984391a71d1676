"""Borders."""

from __future__ import annotations

from tests.nn.cases import Case, drawn

INPUTS = {1: drawn(2, 2, 5), 2: drawn(2, 2, 4, 5), 3: drawn(1, 2, 4, 3, 5)}
WIDTHS = {1: (2, 1), 2: (2, 1, 0, 3), 3: (2, 1, 0, 1, 3, 0)}
CUTS = {1: (-1, 2), 2: (-1, 2, 1, -2), 3: (-1, 2, 0, 1, -1, -1)}
KINDS = ("Zero", "Reflection", "Replication", "Circular")

CASES = [
    *(Case(f"{kind}Pad{n}d", (1,), call=(INPUTS[n],)) for kind in KINDS for n in (1, 2, 3)),
    *(
        Case(f"{kind}Pad{n}d", (WIDTHS[n],), call=(INPUTS[n][0],))
        for kind in KINDS
        for n in (1, 2, 3)
    ),
    *(
        Case(f"{kind}Pad{n}d", (CUTS[n],), call=(INPUTS[n],))
        for kind in ("Zero", "Replication")
        for n in (1, 2, 3)
    ),
    *(Case(f"ConstantPad{n}d", (2, 1.5), call=(INPUTS[n],)) for n in (1, 2, 3)),
    *(Case(f"ConstantPad{n}d", (WIDTHS[n], -2.0), call=(INPUTS[n][0],)) for n in (1, 2, 3)),
]
