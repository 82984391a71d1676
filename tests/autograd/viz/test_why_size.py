from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import viz
from autograd.viz.why.answer import Answer
from autograd.viz.why.size import norm
from autograd.viz.why.why import why


def explain(tensor: Any, step: Any) -> Answer:
    tensor.grad = None
    with viz.record() as recording:
        loss = step()
        loss.backward()
    assert recording.passes == 1
    return why(tensor, loss)


def deep(depth: int, scale: float, bend: str = "") -> tuple[Any, Any]:
    """A start value, and the step of a chain of square products."""
    weights = [autograd.randn(16, 16) * (scale / 4.0) for _ in range(depth)]
    x = autograd.randn(8, 16, requires_grad=True)

    def step() -> Any:
        h = x
        for w in weights:
            h = h @ w
            if bend:
                h = getattr(h, bend)()
        return h.mean()

    return x, step


def test_exploding() -> None:
    x, step = deep(30, 3.0)
    answer = explain(x, step)
    assert answer.verdict == "exploding"
    cause = answer.causes[0]
    assert cause.kind == "exploding"
    assert "30 steps of matmul" in cause.text
    assert cause.source is not None
    assert cause.source.text == "h = h @ w"
    assert "normalisation" in cause.mend
    x, step = deep(30, 1.0)  # the mend: a smaller scale
    assert explain(x, step).verdict == "healthy"


def test_vanishing_by_small_weights() -> None:
    x, step = deep(30, 0.3)
    answer = explain(x, step)
    assert answer.verdict == "vanishing"
    assert "steps of matmul" in answer.causes[0].text
    assert "larger scale" in answer.causes[0].mend


def test_vanishing_by_sigmoids() -> None:
    x, step = deep(20, 1.0, "sigmoid")
    answer = explain(x, step)
    assert answer.verdict == "vanishing"
    assert any("20 steps of sigmoid" in c.text and "0.25" in c.mend for c in answer.causes)
    assert "sigmoid" in answer.causes[0].text
    (flagged,) = [text for text in str(answer).splitlines() if "<-" in text]
    assert float(flagged.partition("<-")[0].split()[-1]) < 0.5
    x, step = deep(20, 1.0, "tanh")  # the mend
    assert explain(x, step).verdict == "healthy"


def test_a_bias_before_a_normalisation() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    x, target = autograd.randn(64, 4), autograd.randint(0, 2, (64,))

    def step() -> Any:
        return nn.functional.cross_entropy(model(x), target)

    answer = explain(model[0].bias, step)
    assert [c.kind for c in answer.causes] == ["normalised_away"]
    assert "bias=False" in answer.causes[0].mend
    for parameter in (model[0].weight, model[1].weight, model[1].bias, model[3].bias):
        assert explain(parameter, step).verdict == "healthy"


def test_residual_connections_cure_it() -> None:
    weights = [autograd.randn(16, 16) * 0.05 for _ in range(30)]
    x = autograd.randn(8, 16, requires_grad=True)

    def step(residual: float) -> Any:
        h = x
        for w in weights:
            h = (h @ w).sigmoid() + h * residual
        return h.mean()

    assert explain(x, lambda: step(0.0)).verdict == "vanishing"
    assert explain(x, lambda: step(1.0)).verdict == "healthy"


def test_the_table_is_the_chain() -> None:
    w = autograd.tensor([3.0, 4.0], requires_grad=True)

    def step() -> Any:
        h = w * 2.0
        return (h * h).sum()

    answer = explain(w, step)
    assert answer.verdict == "healthy"
    assert [row.norm for row in answer.table] == pytest.approx([1.0, 2**0.5, 20.0, 40.0])
    assert answer.table[-1].factor == pytest.approx(2.0)
    assert answer.table[0].factor is None
    labels = [row.label for row in answer.table]
    assert labels == ["sum `loss`", "mul", "mul `h`", "`tensor`"]
    text = str(answer)
    assert "gradient of" in text
    assert "<-" not in text
    x, step = deep(60, 3.0)
    text = str(explain(x, step))
    assert "<- largest change" in text
    assert "more" in text


@pytest.mark.parametrize("width", [1, 64])
def test_healthy_models(width: int) -> None:
    model = nn.Sequential(
        nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 64), nn.GELU(), nn.Linear(64, 4)
    )
    x, target = autograd.randn(32, 8), autograd.randint(0, 4, (32,))

    def step() -> Any:
        return nn.functional.cross_entropy(model(x), target)

    verdicts = {}
    for name, parameter in model.named_parameters():
        answer = explain(parameter, step)
        verdicts[name] = answer.verdict
        assert name in answer.headline
        assert "norm" in answer.headline
    if width == 64:
        assert set(verdicts.values()) == {"healthy"}
    assert not {"vanishing", "exploding", "nan", "none"} & set(verdicts.values())


def test_a_trained_fit_has_not_vanished() -> None:
    w = autograd.tensor([2.0], requires_grad=True)
    x = autograd.linspace(0.0, 1.0, 20)

    def step() -> Any:
        return ((x * w - (x * 2.0 + 1e-4)) ** 2).mean()

    assert explain(w, step).verdict == "healthy"


def test_a_model_of_modules_and_a_step_of_an_optimizer() -> None:
    import optim

    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    x, target = autograd.randn(8, 1, 8, 8), autograd.randint(0, 3, (8,))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    loss = nn.functional.cross_entropy(model(x), target)
    loss.backward()
    optimizer.step()
    answer = why(model[0].weight, loss)  # freed, and changed since
    assert answer.verdict == "healthy", str(answer)
    assert any("changed since" in remark for remark in answer.remarks) or not answer.table


def test_a_loss_of_many_elements_and_scalars() -> None:
    w = autograd.tensor([1.0, 2.0], requires_grad=True)
    y = w * 3.0
    y.backward(autograd.ones(2))
    assert why(w, y).verdict == "healthy"
    s = autograd.Scalar(3.0)
    z = s * s + 2.0 * s
    z.backward()
    answer = why(s, z)
    assert answer.headline == "The gradient of s is healthy: norm 8."
    assert [row.norm for row in answer.table] == [1.0, 1.0, 8.0]


def test_norms_do_not_overflow() -> None:
    assert norm(np.full(4, 1e300)) == pytest.approx(2e300)
    assert norm(np.zeros(0)) == 0.0
    assert norm(-3.0) == 3.0
    assert norm(np.array([np.inf, 1.0])) == np.inf


def test_what_is_gone_is_not_guessed() -> None:
    layer, norm_layer = nn.Linear(3, 4), nn.BatchNorm1d(4)
    x, w = autograd.randn(16, 3), autograd.randn(4, 1)
    loss = (norm_layer(layer(x)) @ w).sum()
    loss.backward()
    weight = layer.weight
    norm_layer.weight = None  # the graph still holds what it was made with, and nobody its value
    del norm_layer
    answer = why(weight, loss)
    assert answer.verdict in ("healthy", "vanishing")
