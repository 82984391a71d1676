"""Units of compiled code that only the tests have; their bodies are in bodies.py."""

from autograd.kernels.native import Unit

UNIT = Unit("tests", "tests.kernels.bodies")
UNIT.kernel("scaled(x: T[*rows, cols], factor: float) -> y: T like x, sums: T[rows]")
UNIT.kernel("add_into(out: T[rows, cols]!, x: T[rows, cols], bias: T[cols]?, cols: int)")
UNIT.kernel("spin(counts: i8[tasks]!, by: i8[tasks]!, rounds: int)")
UNIT.kernel("spin_in_scratch(counts: i8[tasks]!, by: i8[tasks]!, scratch: i8[workers]!)")
