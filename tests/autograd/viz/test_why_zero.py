from __future__ import annotations

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


def explain(tensor: Any, step: Any) -> Answer:
    """Run a step with backward, recorded, and ask."""
    tensor.grad = None
    with viz.record() as recording:
        loss = step()
        loss.backward()
    assert recording.passes == 1
    return why(tensor, loss)


def says(answer: Answer, kind: str, tag: str = "", verdict: str = "zero") -> str:
    """Check the first cause, and return its text."""
    assert answer.verdict == verdict, str(answer)
    assert answer.causes, str(answer)
    cause = answer.causes[0]
    assert cause.kind == kind, str(answer)
    if tag:
        assert cause.source is not None, str(answer)
        assert cause.source.line == line(tag), str(answer)
    assert answer.diagram is not None
    assert cause.vertices, str(answer)
    mark = answer.diagram.vertices[cause.vertices[0]].mark
    assert mark is not None
    assert mark.level == "bad"
    return cause.text


def leaf(*values: float, dtype: Any = None) -> Any:
    return autograd.tensor(list(values), requires_grad=True, dtype=dtype)


# --- relu ---------------------------------------------------------------------------------------


def test_all_units_dead() -> None:
    x = autograd.randn(16, 5)
    w = autograd.randn(5, 8, requires_grad=True)
    out = autograd.randn(8, 1)

    def step(bias: float) -> Any:
        h = (x @ w + bias).relu()  # <- relu
        return (h @ out).sum()

    text = says(explain(w, lambda: step(-100.0)), "dead_relu", "relu")
    assert "relu `h`: 8 of 8 units are zero for every sample" in text
    assert explain(w, lambda: step(0.5)).verdict == "healthy"  # the mend


def network(dead: int) -> tuple[Any, Any]:
    """A net in which the first `dead` of 64 hidden units never open."""
    net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 3))
    bias: Any = net[0].bias
    with autograd.no_grad():
        bias[:dead] = -1000.0
    x, target = autograd.randn(40, 10), autograd.randint(0, 3, (40,))
    return net, lambda: nn.functional.cross_entropy(net(x), target)


def test_some_units_dead() -> None:
    net, step = network(37)
    for tensor in (net[0].weight, net[0].bias, net[2].weight):
        answer = explain(tensor, step)
        text = says(answer, "dead_relu", verdict="partly zero")
        assert "37 of 64 units are zero for every sample" in text
        assert "units 0, 1, 2, 3, 4, 5, 6, 7, ..." in text


def test_a_healthy_relu_net_is_not_blamed() -> None:
    net, step = network(0)
    for parameter in net.parameters():
        answer = explain(parameter, step)
        assert answer.verdict == "healthy", str(answer)
        assert not answer.causes
        assert "healthy: norm" in answer.headline


def test_a_closed_half_is_ordinary() -> None:
    h = autograd.randn(50, 8, requires_grad=True)
    answer = explain(h, lambda: (h.relu() * 2.0).sum())
    assert answer.verdict == "healthy", str(answer)
    assert not answer.causes
    assert any("ordinary" in remark for remark in answer.remarks)


def test_channels_of_images() -> None:
    conv = nn.Conv2d(1, 6, 3)
    bias: Any = conv.bias
    with autograd.no_grad():
        bias[:3] = -1000.0
    x = autograd.randn(4, 1, 8, 8)

    def step() -> Any:
        return (conv(x).relu() * autograd.ones(4, 6, 6, 6)).mean()

    text = says(explain(conv.weight, step), "dead_relu", verdict="partly zero")
    assert "3 of 6 units" in text


# --- Saturation ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "tag"), [("sigmoid", "bend"), ("tanh", "bend")])
def test_saturated(name: str, tag: str) -> None:
    w = leaf(1.0, 2.0)

    def step(scale: float) -> Any:
        h = w * scale
        h = getattr(h, name)()  # <- bend
        return h.sum()

    text = says(explain(w, lambda: step(100.0)), "saturated", tag)
    assert "2 of 2 elements have a slope below 1e-06" in text
    assert "runs from 100 to 200" in text
    assert explain(w, lambda: step(1.0)).verdict == "healthy"


def test_cross_entropy_saturated() -> None:
    w = leaf(300.0, 300.0)
    scores = autograd.tensor([[1.0, 0.0], [0.0, 1.0]])
    target = autograd.tensor([0, 1])

    def step(scale: float) -> Any:
        return autograd.cross_entropy(scores * w * scale, target)  # <- entropy

    text = says(explain(w, lambda: step(1.0)), "saturated", "entropy")
    assert "probability 1" in text
    assert explain(w, lambda: step(0.01)).verdict == "healthy"


def test_exp_underflows() -> None:
    w = leaf(-300.0)
    text = says(explain(w, lambda: w.exp().sum()), "underflow")
    assert "exp" in text


# --- Masks, bounds and choices ------------------------------------------------------------------


def test_where_takes_the_other_branch() -> None:
    w = leaf(-1.0, -2.0)

    def step() -> Any:
        return autograd.where(w > 0.0, w * 2.0, 0.0).sum()  # <- where

    says(explain(w, step), "masked", "where")


def test_mask_by_multiplication() -> None:
    w = leaf(1.0, 2.0, 3.0)
    mask = autograd.tensor([0.0, 0.0, 1.0])
    text = says(explain(w, lambda: (w * mask).sum()), "masked", verdict="partly zero")
    assert "2 of 3 elements" in text
    assert "`mask`" in text
    nothing = autograd.zeros(3)
    text = says(explain(w, lambda: (w * nothing).sum()), "zero_factor")
    assert "`nothing`" in text


def test_multiplied_by_the_number_zero() -> None:
    w = leaf(1.0, 2.0)

    def step(factor: float) -> Any:
        return (w * factor).sum()  # <- factor

    text = says(explain(w, lambda: step(0.0)), "zero_factor", "factor")
    assert "number 0" in text
    assert explain(w, lambda: step(1.0)).verdict == "healthy"


def test_dropout() -> None:
    w = leaf(1.0, 2.0, 3.0)

    def step(p: float) -> Any:
        return autograd.dropout(w, p).sum()

    text = says(explain(w, lambda: step(1.0)), "masked")
    assert "p = 1" in text
    assert explain(w, lambda: step(0.0)).verdict == "healthy"


def test_clamp() -> None:
    w = leaf(5.0, 6.0)

    def step(high: float) -> Any:
        return w.clamp(0.0, high).sum()  # <- clamp

    text = says(explain(w, lambda: step(1.0)), "clamped", "clamp")
    assert "[0, 1]" in text
    assert explain(w, lambda: step(10.0)).verdict == "healthy"
    text = says(explain(w, lambda: step(5.5)), "clamped", verdict="partly zero")
    assert "1 of 2 elements" in text


def test_max_takes_others() -> None:
    w = leaf(1.0, 5.0, 2.0)

    def step() -> Any:
        return w.amax()  # <- amax

    text = says(explain(w, step), "not_chosen", "amax", "partly zero")
    assert "2 of 3 elements" in text
    assert "not_chosen" in [c.kind for c in explain(w, lambda: w.max()).causes]
    assert explain(w, lambda: w.logsumexp(0)).verdict == "healthy"  # the mend


def test_maximum_and_max_pool() -> None:
    w = leaf(1.0, 2.0)
    says(explain(w, lambda: autograd.maximum(w, 3.0).sum()), "not_chosen")
    image = autograd.randn(1, 1, 4, 4, requires_grad=True)
    text = says(
        explain(image, lambda: autograd.max_pool2d(image, 2).sum()), "not_chosen", "", "partly zero"
    )
    assert "12 of 16 elements" in text


def test_rows_that_no_index_took() -> None:
    table = autograd.randn(10, 2, requires_grad=True)
    words = autograd.tensor([1, 3, 3])
    answer = explain(table, lambda: nn.functional.embedding(words, table).sum())
    text = says(answer, "not_selected", verdict="partly zero")
    assert "16 of 20 elements" in text
    answer = explain(table, lambda: (table[2:4] * 2.0).sum())
    says(answer, "not_selected", verdict="partly zero")


# --- Flat, cancelled, constant ------------------------------------------------------------------


def test_sign_is_flat() -> None:
    w = leaf(1.0, -2.0)

    def step() -> Any:
        return w.sign().sum()  # <- sign

    says(explain(w, step), "flat", "sign")
    assert explain(w, lambda: (w * 3.0).tanh().sum()).verdict == "healthy"


def test_contributions_cancel() -> None:
    w = leaf(1.0, 2.0)

    def step() -> Any:
        up = w * 3.0
        down = w * -3.0
        return (up + down).sum()

    text = says(explain(w, step), "cancellation")
    assert "cancel: 3 from mul" in text
    assert "-3 from mul" in text


def test_samples_cancel() -> None:
    b = autograd.tensor(0.0, requires_grad=True)
    x = autograd.tensor([1.0, -1.0, 2.0, -2.0])

    def step(data: Any) -> Any:
        return ((b + 1.0) * data).sum()  # <- samples

    text = says(explain(b, lambda: step(x)), "cancellation", "samples")
    assert "contributions cancel: 3 and -3" in text
    assert explain(b, lambda: step(x + 1.0)).verdict == "healthy"


def test_products_cancel() -> None:
    w = autograd.ones(2, 1, dtype=np.float64, requires_grad=True)
    x = autograd.tensor(np.array([[1.0, 2.0], [-1.0, -2.0]]))
    text = says(explain(w, lambda: (x @ w).sum()), "cancellation")
    assert "products cancel" in text


def test_perfect_fit() -> None:
    w = leaf(2.0)
    x, target = autograd.tensor([1.0, 2.0]), autograd.tensor([2.0, 4.0])

    def step(aim: Any) -> Any:
        error = x * w - aim
        return (error**2).mean()  # <- fit

    text = says(explain(w, lambda: step(target)), "perfect_fit", "fit")
    assert "perfect" in text
    assert explain(w, lambda: step(target + 1.0)).verdict == "healthy"
    says(explain(w, lambda: nn.functional.mse_loss(x * w, target)), "perfect_fit")


def test_the_bottom_of_a_square() -> None:
    w = leaf(0.0, 0.0)
    for step in (lambda: (w**2).sum(), lambda: (w * w).sum()):
        says(explain(w, step), "flat")


def test_a_sum_of_softmax_is_constant() -> None:
    w = autograd.tensor(np.zeros((1, 4)), requires_grad=True)
    says(explain(w, lambda: w.softmax(1).sum()), "constant")


def test_zero_weights_above() -> None:
    first, second = nn.Linear(3, 4), nn.Linear(4, 1)
    with autograd.no_grad():
        second.weight.zero_()
    x = autograd.randn(6, 3)

    def step() -> Any:
        return (second(first(x).tanh()) - 1.0).pow(2).sum()  # <- weights

    text = says(explain(first.weight, step), "zero_weights")
    assert "second.weight" in text
    with autograd.no_grad():
        second.weight.normal_()  # the mend
    assert explain(first.weight, step).verdict == "healthy"


def test_underflow_in_float32() -> None:
    w = leaf(1.0)

    def step(x: Any) -> Any:
        return ((x * 1e-30) * 1e-30).sum()  # <- tiny

    text = says(explain(w, lambda: step(w)), "underflow", "tiny")
    assert "1e-60" in text
    wide = leaf(1.0, dtype=np.float64)
    assert explain(wide, lambda: step(wide)).verdict == "vanishing"  # not zero, and still tiny


def test_a_seed_of_zero() -> None:
    w = leaf(1.0, 2.0)
    with viz.record() as recording:
        y = w * 2.0
        y.backward(autograd.zeros(2))
    assert recording.passes == 1
    says(why(w, y), "zero_seed")


def test_zeroed_since() -> None:
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    loss.backward()
    w.grad.zero_()
    answer = why(w, loss)
    assert [c.kind for c in answer.causes] == ["zeroed"]
    assert "norm 4.472" in str(answer)


def test_a_hook() -> None:
    w = leaf(1.0, 2.0)

    def step() -> Any:
        h = w * 2.0
        h.register_hook(lambda g: g * 0.0)
        return (h * h).sum()

    says(explain(w, step), "hook")


# --- Evidence -----------------------------------------------------------------------------------


def test_without_a_recording_after_the_graph_was_freed() -> None:
    w = leaf(-1.0, -2.0)
    h = w * 2.0
    loss = h.relu().sum()
    loss.backward()
    says(why(w, loss), "dead_relu")
    says(why(w), "dead_relu")
    relu = why(w).causes[0]
    assert relu.source is None


def test_values_that_are_gone_are_not_invented() -> None:
    w = autograd.randn(3, 4, requires_grad=True)
    loss = (autograd.randn(5, 3) @ w - 1000.0).relu().sum()
    loss.backward()
    answer = why(w, loss)
    assert answer.verdict == "zero"
    assert not answer.causes
    assert "record()" in str(answer)


def test_no_graph_at_all() -> None:
    w = leaf(1.0)
    w.grad = autograd.zeros(1)
    answer = why(w)
    assert answer.verdict == "zero"
    assert not answer.causes
    assert "No graph" in str(answer)


def test_scalars() -> None:
    s = autograd.Scalar(-2.0)
    says(explain(s, lambda: s.relu() * 3.0), "dead_relu")
    t = autograd.Scalar(2.0)
    assert explain(t, lambda: t.relu() * 3.0).verdict == "healthy"


def test_an_empty_gradient() -> None:
    w = autograd.zeros(0, requires_grad=True)
    answer = explain(w, lambda: w.sum())
    assert answer.verdict == "healthy"
    assert "no elements" in str(answer)
