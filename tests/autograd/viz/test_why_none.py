from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import viz
from autograd.viz.why.answer import Answer
from autograd.viz.why.why import why


def line(tag: str) -> int:
    """The line of this file that ends with a tag."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    found = [i for i, text in enumerate(lines, 1) if text.endswith(f"# <- {tag}")]
    assert len(found) == 1, tag
    return found[0]


def says(answer: Answer, kind: str, tag: str = "") -> None:
    """Check the first cause."""
    assert answer.verdict == "none", str(answer)
    assert answer.causes, str(answer)
    cause = answer.causes[0]
    assert cause.kind == kind, str(answer)
    if tag:
        assert cause.source is not None, str(answer)
        assert cause.source.line == line(tag), str(answer)
        assert Path(cause.source.file) == Path(__file__)
    assert cause.text in str(answer)
    assert cause.mend in str(answer)


def leaf(*values: float) -> Any:
    return autograd.tensor(list(values), requires_grad=True)


# --- Backward, and which ------------------------------------------------------------------------


def test_backward_was_not_called() -> None:
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    says(why(w), "backward_not_called")
    says(why(w, loss), "backward_not_called")
    assert "norm 4.472" in str(why(w, loss))
    loss.backward()
    assert why(w, loss).verdict == "healthy"


def test_another_loss_was_used() -> None:
    w, v = leaf(1.0), leaf(2.0)
    ours, theirs = (w + 2.0).sum(), (v * v).sum()
    ours.backward()
    w.grad = None
    answer = why(w, theirs)
    assert answer.causes[0].kind == "dead_end", str(answer)  # what ran on ours left no trace


def test_another_loss_is_named_with_its_line() -> None:
    w, v = leaf(1.0), leaf(2.0)
    with viz.record():
        ours = (w * w).sum()  # <- ours
        theirs = (v * v).sum()
    ours.backward()
    says(why(v), "backward_not_called")
    w.grad = None
    says(why(w, theirs), "another_loss", "ours")


def test_no_graph_and_no_recording() -> None:
    w = leaf(1.0)
    answer = why(w)
    says(answer, "unused")
    assert "record()" in str(answer)
    assert not answer.causes[0].sure


def test_a_parameter_that_forward_does_not_use() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used = nn.Linear(3, 1)
            self.spare = nn.Linear(3, 1)

        def forward(self, x: Any) -> Any:
            return self.used(x)

    net = Net()
    x = autograd.randn(4, 3)
    loss = net(x).sum()
    loss.backward()
    answer = why(net.spare.weight, loss)
    says(answer, "unused")
    assert "spare.weight" in answer.headline
    with viz.record() as recording:
        loss = net(x).sum()
        loss.backward()
    assert recording.passes == 1
    says(why(net.spare.weight), "unused")
    says(why(net.spare.weight, lambda: net(x).sum()), "unused")


# --- What does not require grad -----------------------------------------------------------------


def test_requires_grad_is_false() -> None:
    x = autograd.tensor([1.0, 2.0])
    says(why(x, (x * leaf(1.0, 1.0)).sum()), "requires_grad")
    x.requires_grad_()  # the mend
    loss = (x * x).sum()
    loss.backward()
    assert why(x, loss).verdict == "healthy"


def test_a_frozen_parameter() -> None:
    layer = nn.Linear(2, 1)
    layer.weight.requires_grad_(False)
    loss = layer(autograd.ones(3, 2)).sum()
    loss.backward()
    answer = why(layer.weight, loss)
    says(answer, "requires_grad")
    assert "frozen" in answer.causes[0].text
    layer.weight.requires_grad_()
    loss = layer(autograd.ones(3, 2)).sum()
    loss.backward()
    assert why(layer.weight, loss).verdict == "healthy"


@pytest.mark.parametrize("values", [np.array([1, 2]), np.array([True, False])])
def test_integers_and_bools(values: np.ndarray) -> None:
    x = autograd.tensor(values)
    answer = why(x)
    says(answer, "integer")
    assert str(values.dtype) in str(answer)
    floats = x.to(np.float32).requires_grad_()
    loss = (floats * floats).sum()
    loss.backward()
    assert floats.grad is not None


# --- Cuts ---------------------------------------------------------------------------------------


def test_detached_result() -> None:
    w = leaf(1.0, 2.0)
    with viz.record() as recording:
        h = (w * 3.0).detach()  # <- detached
    assert recording.events
    says(why(h), "detached", "detached")


def detached(w: Any, z: Any) -> Any:
    hidden = w * 3.0
    hidden = hidden.detach()  # <- inside
    return (hidden * z).sum()


def test_detached_between_a_leaf_and_the_loss() -> None:
    w, z = leaf(1.0, 2.0), leaf(1.0, 1.0)
    says(why(w, lambda: detached(w, z)), "detached", "inside")
    with viz.record() as recording:
        loss = detached(w, z)
        loss.backward()
    assert recording.passes == 1
    answer = why(w, loss)
    assert answer.causes[0].kind == "detached"
    loss = (w * 3.0 * z).sum()  # the mend
    loss.backward()
    assert why(w, loss).verdict == "healthy"


def test_data_cuts_as_detach_does() -> None:
    w, z = leaf(1.0, 2.0), leaf(1.0, 1.0)

    def step() -> Any:
        h = w * 2.0
        return (h.data * z).sum()  # <- data

    says(why(w, step), "detached", "data")


def test_a_detached_copy_for_show_is_not_blamed() -> None:
    w = leaf(1.0, 2.0)
    log = []

    def step() -> Any:
        h = w * 2.0
        log.append(h.detach())
        loss = (h * h).sum()
        log.append(loss.item())
        return loss

    answer = why(w, step)
    assert answer.verdict == "healthy", str(answer)
    assert "ran no backward pass" in str(answer)
    assert w.grad is None

    def with_backward() -> Any:
        loss = step()
        loss.backward()
        w.grad = None
        return loss

    says(why(w, with_backward), "reset")


def test_detach_in_a_module_that_lets_its_hidden_values_go() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(3, 4)
            self.second = nn.Linear(4, 1)

        def forward(self, x: Any) -> Any:
            hidden = self.first(x).relu().detach()  # <- module
            return self.second(hidden)

    net, x = Net(), autograd.randn(5, 3)
    with viz.record() as recording:
        loss = net(x).sum()
        loss.backward()
    assert recording.events
    says(why(net.first.weight, loss), "detached", "module")
    says(why(net.first.weight), "detached", "module")
    says(why(net.first.weight, lambda: net(x).sum()), "detached", "module")
    assert why(net.second.weight, loss).verdict == "healthy"


def test_item_makes_a_number() -> None:
    w, z = leaf(2.0), leaf(3.0)

    def step() -> Any:
        scale = (w * w).sum().item()  # <- item
        return (z * scale).sum()

    says(why(w, step), "item", "item")


def test_through_numpy() -> None:
    w, z = leaf(1.0, 2.0), leaf(1.0, 1.0)

    def step() -> Any:
        h = w * 2.0
        s = autograd.from_numpy(np.sin(h.detach().numpy()))  # <- numpy
        return (s * z).sum()

    answer = why(w, step)
    says(answer, "numpy", "numpy")
    loss = ((w * 2.0).sin() * z).sum()  # the mend
    loss.backward()
    assert why(w, loss).verdict == "healthy"


def test_with_no_grad() -> None:
    w, z = leaf(1.0, 2.0), leaf(1.0, 1.0)
    with viz.record() as recording:
        with autograd.no_grad():  # <- with
            h = w * 2.0  # <- op
        loss = (h * z).sum()
        loss.backward()
    assert recording.passes == 1
    for answer in (why(w, loss), why(h, loss)):
        says(answer, "no_grad", "op")
        assert f":{line('with')})" in answer.causes[0].text
    h = w * 2.0
    loss = (h * z).sum()
    loss.backward()
    assert why(w, loss).verdict == "healthy"


@autograd.no_grad()  # <- decorator
def embed(w: Any) -> Any:
    return w * 2.0  # <- decorated


@autograd.inference_mode()  # <- inference
def infer(w: Any) -> Any:
    return w * 2.0  # <- inferred


def test_decorators() -> None:
    w, z = leaf(1.0, 2.0), leaf(1.0, 1.0)
    answer = why(w, lambda: (embed(w) * z).sum())
    says(answer, "no_grad", "decorated")
    assert "@no_grad" in answer.causes[0].text
    assert f":{line('decorator')})" in answer.causes[0].text
    answer = why(w, lambda: (infer(w) * z).sum())
    says(answer, "inference_mode", "inferred")
    assert f":{line('inference')})" in answer.causes[0].text


def test_set_grad_enabled() -> None:
    w = leaf(1.0, 2.0)

    def step(training: bool) -> Any:
        with autograd.set_grad_enabled(training):  # <- enabled
            return (w * w).sum()  # <- under

    answer = why(w, lambda: step(False))
    says(answer, "no_grad", "under")
    assert f":{line('enabled')})" in answer.causes[0].text


def helper(w: Any) -> Any:
    return w * 2.0  # <- helper


def test_no_grad_around_a_call() -> None:
    w = leaf(1.0, 2.0)

    def step() -> Any:
        with autograd.no_grad():  # <- around
            h = helper(w)
        return (h * leaf(1.0, 1.0)).sum()

    answer = why(w, step)
    says(answer, "no_grad", "helper")
    assert f":{line('around')})" in answer.causes[0].text


def test_the_whole_loss_without_recording() -> None:
    w = leaf(1.0, 2.0)
    with viz.record() as recording, autograd.no_grad():
        loss = (w * w).sum()  # <- whole
    assert recording.events
    says(why(w, loss), "no_grad", "whole")
    says(why(loss), "no_grad")


def test_a_comparison_has_no_gradient() -> None:
    w, z = leaf(0.3, 0.8), leaf(1.0, 2.0)

    def step() -> Any:
        chosen = w > 0.5  # <- greater
        return (chosen * z).sum()

    answer = why(w, step)
    says(answer, "no_rule", "greater")
    assert "gt" in answer.causes[0].text
    loss = (((w - 0.5) * 10.0).sigmoid() * z).sum()  # the mend
    loss.backward()
    assert why(w, loss).verdict == "healthy"


def test_argmax_has_no_gradient() -> None:
    w, table = leaf(0.3, 0.8), autograd.randn(2, 3, requires_grad=True)

    def step() -> Any:
        chosen = w.argmax()  # <- choice
        return table[chosen].sum()

    answer = why(w, step)
    says(answer, "no_rule", "choice")
    assert "argmax" in str(answer)
    loss = (w.softmax(0) @ table).sum()  # the mend
    loss.backward()
    assert why(w, loss).verdict == "healthy"
    says(why(w.argmax()), "integer")


def test_the_condition_of_where() -> None:
    c, z = leaf(1.0, 0.0), leaf(1.0, 2.0)
    loss = autograd.where(c, z, 0.0).sum()
    loss.backward()
    answer = why(c, loss)
    says(answer, "no_rule")
    assert "condition" in answer.causes[0].text


def test_it_required_grad_too_late() -> None:
    x, z = autograd.tensor([1.0, 2.0]), leaf(1.0, 1.0)

    def step() -> Any:
        return (x * z).sum()  # <- late

    with viz.record() as recording:
        loss = step()
    assert recording.passes == 0
    x.requires_grad_()
    loss.backward()
    says(why(x, loss), "too_late", "late")
    loss = step()
    loss.backward()
    assert why(x, loss).verdict == "healthy"


def test_only_inside_no_grad_and_no_loss_given() -> None:
    w = leaf(1.0)
    with viz.record() as recording, autograd.no_grad():
        _ = w * 2.0  # <- nowhere
    assert recording.events
    says(why(w), "no_grad", "nowhere")


def test_a_net_of_scalars() -> None:
    from autograd import Scalar

    weights = [Scalar(0.5), Scalar(-1.5), Scalar(2.0)]
    inputs = [1.0, 2.0, 3.0]

    def step(last: int) -> Any:
        total = Scalar(0.0, requires_grad=False)
        for w, x in list(zip(weights, inputs, strict=True))[:last]:
            total = total + w * x
        return (total - 1.0) ** 2

    loss = step(2)
    loss.backward()
    answer = why(weights[2], loss)
    says(answer, "unused")
    assert "weights[2]" in answer.headline
    loss = step(3)
    loss.backward()
    assert why(weights[2], loss).verdict == "healthy"


def test_a_branch_that_was_dropped() -> None:
    w, z = leaf(1.0, 2.0), leaf(1.0, 1.0)
    with viz.record() as recording:
        aside = w * 5.0  # <- aside
        loss = (z * z).sum()
        loss.backward()
    assert recording.passes == 1
    answer = why(w, loss)
    says(answer, "dead_end", "aside")
    assert "`aside`" in str(answer)
    assert aside.requires_grad


# --- Leaves that are none any more, and gradients that were there -------------------------------


def test_an_intermediate_result() -> None:
    w = leaf(1.0, 2.0)
    with viz.record() as recording:
        h = w * 3.0  # <- hidden
        loss = (h * h).sum()
        loss.backward()
    assert recording.passes == 1
    answer = why(h, loss)
    says(answer, "intermediate", "hidden")
    assert "norm 13.42" in str(answer)
    h = w * 3.0
    h.retain_grad()
    loss = (h * h).sum()
    loss.backward()
    assert why(h, loss).verdict == "healthy"


def test_the_leaf_was_replaced_by_its_update() -> None:
    w = loss = leaf(1.0, 2.0)
    with viz.record() as recording:
        for _ in range(2):
            loss = (w * w).sum()
            loss.backward()
            if w.grad is None:
                break
            w = w - 0.1 * w.grad  # <- update
    assert recording.passes == 2
    says(why(w, loss), "replaced", "update")


def test_the_update_in_place_cures_it() -> None:
    w = leaf(1.0, 2.0)
    for _ in range(2):
        w.grad = None
        loss = (w * w).sum()
        loss.backward()
        assert w.grad is not None
        with autograd.no_grad():
            w -= w.grad * 0.1  # the mend
    assert w.is_leaf
    assert w.grad is not None


def test_a_start_value_that_was_scaled() -> None:
    w = autograd.randn(3, requires_grad=True) * 0.01
    loss = (w * w).sum()
    loss.backward()
    says(why(w, loss), "replaced")
    w = (autograd.randn(3) * 0.01).requires_grad_()
    loss = (w * w).sum()
    loss.backward()
    assert why(w, loss).verdict == "healthy"


def test_zero_grad() -> None:
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    with viz.record() as recording:
        loss = layer(autograd.ones(3, 2)).sum()
        loss.backward()
    assert recording.passes == 1
    optimizer.step()
    optimizer.zero_grad()
    answer = why(layer.weight, loss)
    says(answer, "reset")
    assert "norm 4.243" in str(answer)
    assert answer.causes[0].sure
    says(why(layer.weight), "reset")


def test_zero_grad_without_a_recording() -> None:
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    loss.backward()
    w.grad = None
    answer = why(w, loss)
    says(answer, "reset")
    assert [c.kind for c in answer.causes] == ["reset", "excluded"]


def test_backward_for_other_inputs() -> None:
    w, v = leaf(1.0), leaf(2.0)
    with viz.record() as recording:
        loss = (w * v).sum()
        loss.backward(inputs=[v])
    assert recording.passes == 1
    answer = why(w, loss)
    says(answer, "excluded")
    loss = (w * v).sum()
    loss.backward(inputs=[v, w])
    assert why(w, loss).verdict == "healthy"


# --- The answer itself, and its edges -----------------------------------------------------------


def test_what_why_does_not_take() -> None:
    with pytest.raises(TypeError, match="tensor must be a Tensor or Scalar, not ndarray"):
        why(np.ones(2))  # pyright: ignore[reportArgumentType] - that is the point
    with pytest.raises(TypeError, match="loss must be"):
        why(leaf(1.0), 3.0)  # pyright: ignore[reportArgumentType] - that is the point
    with pytest.raises(TypeError, match="return the loss, not NoneType"):
        why(leaf(1.0), lambda: None)

    def traced(x: Any) -> Any:
        with pytest.raises(TypeError, match="traced"):
            why(x)
        return x

    autograd.trace(traced, (2,))


def test_the_argument_serves_as_a_name() -> None:
    class Holder:
        weights = (leaf(1.0), leaf(2.0))

    answer = why(Holder.weights[1])
    assert answer.headline == "Holder.weights[1].grad is None."
    answer = why(*[leaf(1.0)])
    assert answer.headline == "The gradient of the tensor is None."


def test_a_recording_of_the_user_stays_the_last() -> None:
    w = leaf(1.0, 2.0)
    with viz.record() as recording:
        h = (w * 3.0).detach()
    why(w, lambda: (w * w).sum())
    with pytest.raises(ZeroDivisionError):
        why(w, lambda: 1 / 0)
    assert recording.events
    says(why(h), "detached")


def test_scalars() -> None:
    s = autograd.Scalar(2.0)
    y = s * s
    says(why(s, y), "backward_not_called")
    says(why(y, y), "intermediate")
    y.backward()
    assert why(s, y).verdict == "healthy"


def test_nothing_is_changed_and_nothing_kept() -> None:
    import gc
    import weakref

    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    answer = why(w, loss)
    assert w.grad is None
    node = weakref.ref(loss.node)
    del loss
    gc.collect()
    assert node() is None
    assert answer.diagram is not None
    first = leaf(3.0)
    out = (first * first).sum()
    out.backward()
    before = first.grad.numpy().copy()
    why(first, out)
    assert (first.grad.numpy() == before).all()


def test_two_runs_say_the_same() -> None:
    w, z = leaf(1.0, 2.0), leaf(1.0, 1.0)
    assert str(why(w, lambda: detached(w, z))) == str(why(w, lambda: detached(w, z)))


def test_the_way_is_marked() -> None:
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    answer = why(w, loss)
    assert answer.diagram is not None
    levels = [v.mark.level if v.mark else "" for v in answer.diagram.vertices]
    assert levels == ["bad", "path", "path"]
    assert answer.graph.diagram is answer.diagram
    with pytest.raises(RuntimeError, match="no graph to draw"):
        _ = why(leaf(1.0)).graph


def test_where_cut_values_enter_the_loss_is_marked() -> None:
    w, z = leaf(1.0, 2.0), leaf(1.0, 1.0)

    def step() -> Any:
        hidden = (w * 3.0).detach()
        shifted = hidden + 1.0
        return (shifted * z).sum()

    answer = why(w, step)
    says(answer, "detached")
    assert answer.diagram is not None
    (index,) = answer.causes[0].vertices
    vertex = answer.diagram.vertices[index]
    assert (vertex.kind, vertex.name) == ("constant", "shifted")
    levels = {v.op or v.name: v.mark.level if v.mark else "" for v in answer.diagram.vertices}
    assert levels == {"z": "", "shifted": "bad", "mul": "path", "sum": "path"}


def test_a_detached_value_is_not_taken_for_the_one_it_shares_memory_with() -> None:
    w, z = leaf(1.0, 2.0), leaf(1.0, 1.0)
    log = []

    def step() -> Any:
        h = z * 2.0
        log.append(h.detach())
        kept = (w * 3.0).detach()  # <- real
        return (h * kept).sum()

    answer = why(w, step)
    says(answer, "detached", "real")
    assert len(answer.causes) == 1
    assert log


def test_a_long_chain() -> None:
    w = leaf(1.0)
    h = w
    for _ in range(5000):
        h = h + 1.0
    says(why(w, h), "backward_not_called")
    h.backward()
    assert why(w, h).verdict == "healthy"


def test_inside_no_grad_it_says_so() -> None:
    w = leaf(1.0)
    with autograd.no_grad():
        answer = why(w)
    assert "right here" in str(answer)
