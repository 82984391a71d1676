from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import viz
from autograd.viz.why.answer import Answer
from autograd.viz.why.why import why


def line(tag: str) -> int:
    """The line of this file that ends with a tag."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    found = [i for i, text in enumerate(lines, 1) if text.endswith(f"# <- {tag}")]
    assert len(found) == 1, tag
    return found[0]


def explain(tensor: Any, step: Callable[[], Any], recorded: bool = True) -> Answer:
    """Run a step with backward and ask."""
    tensor.grad = None
    with np.errstate(all="ignore"):
        if recorded:
            with viz.record() as recording:
                loss = step()
                loss.backward()
            assert recording.passes == 1
        else:
            loss = step()
            loss.backward()
    return why(tensor, loss)


def says(answer: Answer, kind: str, tag: str = "") -> str:
    """Check the first cause, and return its text."""
    assert answer.verdict == "nan", str(answer)
    assert answer.causes, str(answer)
    cause = answer.causes[0]
    assert cause.kind == kind, str(answer)
    if tag:
        assert cause.source is not None, str(answer)
        assert cause.source.line == line(tag), str(answer)
    assert cause.mend
    if cause.vertices:
        assert answer.diagram is not None
        mark = answer.diagram.vertices[cause.vertices[0]].mark
        assert mark is not None
        assert mark.level == "bad"
    return cause.text


def leaf(*values: float, dtype: Any = None) -> Any:
    return autograd.tensor(list(values), requires_grad=True, dtype=dtype)


# --- Forward ------------------------------------------------------------------------------------


@pytest.mark.parametrize("recorded", [True, False])
def test_log_of_zero(recorded: bool) -> None:
    w = leaf(1.0, 0.0, 2.0)

    def step(eps: float) -> Any:
        h = w + eps
        return h.log().sum()  # <- log

    answer = explain(w, lambda: step(0.0), recorded)
    text = says(answer, "log_of_zero", "log" if recorded else "")
    assert "log made -inf at [1] (1 of 3 elements): log(0) is -inf" in text
    assert explain(w, lambda: step(1e-3)).verdict == "healthy"


def test_log_and_sqrt_of_negative() -> None:
    w = leaf(1.0, -2.0)
    text = says(explain(w, lambda: w.log().sum()), "log_of_negative")
    assert "log(-2)" in text
    text = says(explain(w, lambda: w.sqrt().sum()), "sqrt_of_negative")
    assert "[1]" in text
    assert explain(w, lambda: w.clamp(0.5).sqrt().sum()).verdict == "partly zero"


def test_division() -> None:
    w, z = leaf(1.0, 0.0), leaf(0.0, 0.0)

    def step(eps: float) -> Any:
        return (w / (z + eps)).sum()  # <- div

    answer = explain(w, lambda: step(0.0))
    text = says(answer, "division_by_zero", "div")
    assert "1 / 0 is infinite" in text
    assert explain(w, lambda: step(1.0)).verdict == "healthy"
    n = leaf(0.0)
    assert "0 / 0 is NaN" in says(explain(n, lambda: (n / 0.0).sum()), "zero_over_zero")


def test_overflow_of_exp() -> None:
    w = leaf(1.0, 1000.0)

    def step() -> Any:
        p = w.exp()  # <- exp
        p = p / p.sum()
        return (p * p).sum()

    text = says(explain(w, step), "overflow", "exp")
    assert "exp(1000) overflows, beyond float32's largest number 3.4e+38" in text
    kinds = [c.kind for c in explain(w, step).causes]
    assert len(kinds) > 1  # where infinity became NaN comes after
    assert explain(w, lambda: (w.softmax(0) ** 2).sum()).verdict != "nan"


def test_inf_minus_inf_and_zero_times_inf() -> None:
    w = leaf(1.0)
    big = autograd.tensor([math.inf])
    answer = explain(w, lambda: (w * big - big).sum())
    assert [c.kind for c in answer.causes] == ["input", "inf_minus_inf"]
    assert "`big` held inf" in answer.causes[0].text
    answer = explain(w, lambda: ((w - 1.0) * (w * big)).sum())
    assert [c.kind for c in answer.causes] == ["input", "zero_times_inf"]


def test_powers() -> None:
    w = leaf(0.0, 1.0)
    assert "0 ** -1" in says(explain(w, lambda: (w**-1).sum()), "power")
    n = leaf(-8.0)
    assert "(-8) ** 0.5" in says(explain(n, lambda: (n**0.5).sum()), "power_of_negative")


def test_variance_of_one_element() -> None:
    w = leaf(3.0)
    text = says(explain(w, lambda: w.var()), "var_of_one")
    assert "1 element(s)" in text
    assert explain(w, lambda: w.var(unbiased=False) + w.sum()).verdict == "healthy"


def test_mean_of_nothing() -> None:
    w = autograd.zeros(0, requires_grad=True)
    loss = w.mean()
    assert "no elements" in says(why(loss), "mean_of_nothing")


def test_softmax_of_a_row_without_entries() -> None:
    w = autograd.randn(2, 3, requires_grad=True)
    mask = autograd.tensor([[0.0, 0.0, 0.0], [-math.inf] * 3])

    def step() -> Any:
        h = w + mask
        return (h.softmax(1) ** 2).sum()  # <- softmax

    answer = explain(w, step)
    assert "input" in [c.kind for c in answer.causes]
    assert "softmax_of_nothing" in [c.kind for c in answer.causes]
    assert line("softmax") in [c.source.line for c in answer.causes if c.source]


@pytest.mark.parametrize("where", ["data", "parameter"])
def test_it_was_there_before(where: str) -> None:
    layer = nn.Linear(3, 2)
    x = autograd.randn(4, 3)
    if where == "data":
        x[2, 1] = math.nan
    else:
        with autograd.no_grad():
            layer.weight[1, 2] = math.nan
    answer = explain(layer.weight, lambda: layer(x).relu().sum())
    if where == "data":
        text = says(answer, "input")
        assert "`x` held NaN before any op ran: 1 of 12 elements, first at [2, 1]" in text
    else:
        # the weight itself is asked about, and holds NaN itself
        assert answer.verdict == "nan"
        assert "itself" in answer.headline
        says(explain(layer.bias, lambda: layer(x).relu().sum()), "input")
    assert len(answer.causes) == 1


def test_of_a_loss_itself() -> None:
    w = leaf(1.0, 0.0)
    with viz.record() as recording, np.errstate(all="ignore"):
        loss = (w.log() * 0.0).sum()  # <- itself
    assert recording.passes == 0
    answer = why(loss)
    assert "loss is NaN itself" in answer.headline
    assert says(answer, "log_of_zero", "itself")
    assert [c.kind for c in answer.causes] == ["log_of_zero", "zero_times_inf"]


def test_data_with_nan_has_no_graph() -> None:
    x = autograd.tensor([math.nan, 1.0])
    answer = why(x)
    assert answer.verdict == "nan"
    assert not answer.causes
    assert "data" in str(answer)


# --- Backward -----------------------------------------------------------------------------------


@pytest.mark.parametrize("recorded", [True, False])
def test_the_trap_of_where(recorded: bool) -> None:
    x = leaf(0.0, 2.0)

    def step() -> Any:
        y = x.log()  # <- trap
        return autograd.where(x > 0.0, y, 0.0).sum()

    answer = explain(x, step, recorded)
    text = says(answer, "where_trap", "trap" if recorded else "")
    assert "log" in text
    assert "at [0]" in text
    assert answer.diagram is not None
    ops = [answer.diagram.vertices[i].op for i in answer.causes[0].vertices]
    assert ops == (["log", "where"] if recorded else ["log"])  # the condition is gone
    assert answer.causes[0].sure == recorded

    def mended() -> Any:
        ok = x > 0.0
        return autograd.where(ok, autograd.where(ok, x, 1.0).log(), 0.0).sum()

    assert explain(x, mended).verdict == "partly zero"


def test_the_trap_with_division_sqrt_and_masks() -> None:
    x = leaf(0.0, 4.0)
    ok = autograd.tensor([0.0, 1.0])
    says(explain(x, lambda: autograd.where(x > 0.0, 1.0 / x, 0.0).sum()), "where_trap")
    says(explain(x, lambda: autograd.where(x > 0.0, x.sqrt(), 0.0).sum()), "where_trap")
    says(explain(x, lambda: autograd.where(x > 0.0, x.sqrt() * 2.0, 0.0).sum()), "where_trap")
    says(explain(x, lambda: (x.sqrt() * ok).sum()), "where_trap")


def test_sqrt_at_zero() -> None:
    w = leaf(0.0, 1.0)

    def step(eps: float) -> Any:
        return (w + eps).sqrt().sum()  # <- sqrt

    text = says(explain(w, lambda: step(0.0)), "sqrt_at_zero", "sqrt")
    assert "made inf at [0] (x = 0)" in text
    assert explain(w, lambda: step(1e-6)).verdict == "healthy"


def test_norm_at_zero() -> None:
    w, v = leaf(0.0, 0.0), leaf(0.0, 0.0)

    def step(eps: float) -> Any:
        d = w - v
        return ((d * d).sum() + eps).sqrt()  # <- norm

    says(explain(w, lambda: (w * w).sum().sqrt()), "norm_at_zero")
    says(explain(w, lambda: (w**2).sum().sqrt()), "norm_at_zero")
    answer = explain(w, lambda: step(0.0))
    assert answer.verdict == "nan"
    assert answer.causes[0].kind in ("norm_at_zero", "sqrt_at_zero")
    assert answer.causes[0].source is not None
    assert answer.causes[0].source.line == line("norm")
    assert explain(w, lambda: step(1e-12)).verdict == "zero"


def test_a_broken_power_at_zero() -> None:
    w = leaf(0.0, 1.0)
    text = says(explain(w, lambda: (w**0.5).sum()), "power")
    assert "slope of x ** 0.5 at 0" in text


def test_overflow_in_backward() -> None:
    n = leaf(1e-20)

    def quotient() -> Any:
        return (1.0 / n).sum()  # <- steep

    text = says(explain(n, quotient), "overflow", "steep")
    assert "backward, div" in text
    wide = leaf(1e-20, dtype=np.float64)
    assert np.isfinite(explain(wide, lambda: (1.0 / wide).sum()).table[-1].norm)  # the mend
    w = leaf(1e-30)
    text = says(explain(w, lambda: (w * 3e38).sum() + (w * 3e38).sum()), "overflow")
    assert "their sum is not" in text


def test_a_finite_gradient_of_a_loss_that_is_not() -> None:
    w = leaf(1.0, -2.0)
    answer = explain(w, lambda: w.log().sum())
    says(answer, "log_of_negative")
    assert "is finite, but sum `loss`, of which it was taken, is not" in answer.headline


def test_a_seed_that_is_not_finite() -> None:
    w = leaf(1.0, 2.0)
    with viz.record() as recording:
        y = w * 2.0
        y.backward(autograd.tensor([math.nan, 1.0]))
    assert recording.passes == 1
    says(why(w, y), "seed")


def test_left_over_from_an_earlier_pass() -> None:
    w = leaf(1.0, 2.0)
    w.grad = autograd.tensor([math.nan, 0.0])
    loss = (w * w).sum()
    loss.backward()
    answer = why(w, loss)
    says(answer, "accumulated")
    w.grad = None
    loss = (w * w).sum()
    loss.backward()
    assert why(w, loss).verdict == "healthy"


# --- No false alarms ----------------------------------------------------------------------------


def test_masked_infinities_do_no_harm() -> None:
    x = leaf(1.0, 2.0)
    mask = autograd.tensor([0.0, -math.inf])
    answer = explain(x, lambda: (x + mask).softmax(0).amax() + x.sum())
    assert answer.verdict == "healthy", str(answer)


def test_std_and_guarded_ops() -> None:
    x = leaf(1.0, 1.0, 1.0)
    assert explain(x, lambda: x.std() + x.sum()).verdict == "healthy"
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 3))
    data, target = autograd.randn(16, 4), autograd.randint(0, 3, (16,))
    for parameter in model.parameters():
        answer = explain(parameter, lambda: nn.functional.cross_entropy(model(data), target))
        assert answer.verdict == "healthy", str(answer)


def test_scalars() -> None:
    s = autograd.Scalar(1e-200)
    says(explain(s, lambda: (s * 1e200) * 1e200), "overflow")
    t = autograd.Scalar(math.inf)
    answer = explain(t, lambda: t * 0.0)
    assert answer.verdict == "nan"
