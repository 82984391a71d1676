"""Every op of the table, on what it is drawn for: no false alarms, no crash, the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
from autograd import viz
from autograd.graph import Op, wrap
from autograd.viz.why.evidence import Evidence
from autograd.viz.why.why import why
from tests.autograd.test_op_table import TABLE

# Their results are integers, or nothing that a loss is made of.
FLAT = {"sign"}


def arguments(op: Op) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Operands from the op's own samples or domain."""
    random = np.random.default_rng(0)
    if op.samples is not None:
        return op.samples(lambda shape: random.uniform(-1.0, 1.0, shape))[0]
    domain = op.domain if isinstance(op.domain[0], tuple) else [op.domain] * len(op.inputs)
    drawn = tuple(random.uniform(low, high, (3, 4)) for low, high in domain)
    return drawn, {}


def leaves(op: Op, operands: tuple[Any, ...]) -> list[Any]:
    """Tensors that require grad where the op has a rule, others as they are."""
    made = []
    for i, operand in enumerate(operands):
        ruled = op.joint is not None or op.rules[0 if op.variadic else i] is not None
        floats = isinstance(operand, np.ndarray) and operand.dtype.kind == "f"
        made.append(autograd.tensor(operand, requires_grad=ruled) if floats else operand)
    return made


DIFFERENTIABLE = [name for name, op in TABLE.items() if op.differentiable]


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_each_op(name: str, recorded: bool) -> None:
    op = TABLE[name]
    operands, params = arguments(op)
    inputs = leaves(op, operands)
    wanted = [v for v in inputs if isinstance(v, autograd.Tensor) and v.requires_grad]

    def step() -> Any:
        y = op.function(*inputs, **params)
        weights = np.linspace(0.5, 1.5, int(np.prod(y.shape))).reshape(y.shape)
        return (wrap(weights) * y).sum()

    if recorded:
        with viz.record() as recording:
            loss = step()
            loss.backward()
        assert recording.passes == 1
    else:
        loss = step()
        loss.backward()
    for variable in wanted:
        answer = why(variable, loss)
        assert variable.grad is not None
        kinds = [c.kind for c in answer.causes]
        if name in FLAT or not np.any(variable.grad.value):
            assert answer.verdict == "zero", str(answer)
            assert kinds or not recorded, str(answer)
        else:
            assert answer.verdict in ("healthy", "partly zero"), str(answer)
            if np.all(variable.grad.value):
                assert answer.verdict == "healthy", str(answer)
        assert str(answer) == str(why(variable, loss))
        evidence = Evidence(loss.node, variable.node)
        found = evidence.gradient(evidence.target)
        if recorded:
            assert found is not None
        if found is not None:  # what was worked out again is what backward gave
            np.testing.assert_allclose(found, variable.grad.value, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@pytest.mark.parametrize("worst", [0.0, np.nan, np.inf, -np.inf, 1e300])
def test_nothing_crashes_on_bad_numbers(name: str, worst: float) -> None:
    op = TABLE[name]
    operands, params = arguments(op)
    inputs = leaves(op, operands)
    wanted = [v for v in inputs if isinstance(v, autograd.Tensor) and v.requires_grad]
    first = wanted[0].array()
    if first.size:
        first.reshape(-1)[0] = worst
    if name == "variance" and worst < 0.0:
        with pytest.raises(ValueError, match="negative"):
            op.function(*inputs, **params)
        return
    with np.errstate(all="ignore"):
        with viz.record() as recording:
            y = op.function(*inputs, **params)
            loss = y * 2.0
            loss = loss.sum() if loss.shape else loss
            loss.backward()
        assert recording.passes == 1
        for variable in wanted:
            answer = why(variable, loss)
            assert answer.headline in str(answer)
            if not np.isfinite(worst):
                assert answer.verdict == "nan" or np.all(np.isfinite(loss.value)), str(answer)
            if answer.verdict == "nan":
                assert answer.causes, str(answer)
