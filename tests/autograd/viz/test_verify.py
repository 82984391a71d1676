"""verify: planted errors of each common kind are found where they are, and nowhere else."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import GradcheckError, Scalar, Spec, Tensor
from autograd.graph import OPS
from autograd.viz.record import record
from autograd.viz.verify.verify import Verification, verify
from autograd.watch import WATCHERS
from nn import functional as F
from nn.models import ResNet20
from nn.models.lenet import LeNet5
from tests.autograd.test_op_table import TABLE, cases, leaves, run


@pytest.fixture(autouse=True)
def own_ops() -> Iterator[None]:
    """Take ops that a test defines out of the table again."""
    before = dict(OPS)
    yield
    for name in OPS.keys() - before.keys():
        del OPS[name]


def leaf(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Tensor:
    values = np.random.default_rng(seed).uniform(0.5, 2.0, shape).astype(dtype)
    return autograd.tensor(values, requires_grad=True)


def deep(op: Callable[..., Any], *shape: int, dtype: Any = np.float64) -> Any:
    """A chain with `op` in the middle of it."""
    h: Any = leaf(*shape, dtype=dtype)
    for _ in range(4):
        h = h * 0.9 + h.sin() * 0.1
    h = op(h)
    for _ in range(4):
        h = h.tanh() * 0.5 + 0.3
    return h.sum()


def only_wrong(verification: Verification, op: str) -> Any:
    """The failure, which must be that of `op`, with all else right and painted so."""
    assert not verification.ok
    assert [v.vertex.op for v in verification.wrong] == [op], str(verification)
    for verified in verification.nodes:
        mark = verification.diagram.vertices[verified.vertex.index].mark
        assert mark is not None
        assert mark.level == ("bad" if verified.vertex.op == op else "good")
    (found,) = verification.wrong
    (finding,) = [f for f in found.findings if f.status == "wrong"]
    return finding


# --- Planted errors -----------------------------------------------------------------------------

ELEMENTWISE: dict[str, tuple[Callable[..., Any], Callable[..., Any], str]] = {
    "sign": (lambda g, y, x: -g * y, np.exp, "the sign is wrong"),
    "twice": (lambda g, y, x: 2.0 * g * y, np.exp, "twice what it should be"),
    "half": (lambda g, y, x: g * x, np.square, "half of what it should be"),
    "constant": (lambda g, y, x: 3.0 * g * y, np.exp, "3 times what it should be"),
    "nothing": (lambda g, y, x: g * 0.0, np.exp, "it sends zero"),
    "chain": (lambda g, y, x: g * autograd.cos(x * x), lambda x: np.sin(x * x), "factor 2·x"),
    "extra": (lambda g, y, x: g * y * x, np.exp, "x is one too many"),
    "saved": (lambda g, y, x: g * x, np.exp, "with y in place of x"),
    "upstream": (lambda g, y, x: y, np.exp, "does not depend on the gradient that arrives"),
    "squared": (lambda g, y, x: g * g * y, np.exp, "arrives twice"),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_slips_of_elementwise_rules(name, dtype):
    rule, forward, reason = ELEMENTWISE[name]

    @autograd.elementwise(rule)
    def planted(x):
        return forward(x)

    finding = only_wrong(verify(deep(planted, 3, 4, dtype=dtype)), "planted")
    assert reason in finding.reason
    assert finding.argument == "x"
    assert finding.element is not None
    if name not in ("upstream", "squared"):  # which are not wrong for a gradient of one
        assert finding.element == finding.output
    assert abs(finding.rule - finding.difference) > 1e-3


def test_numbers_are_those_of_the_one_derivative():
    @autograd.elementwise(lambda g, y, x: g * 5.0 * x)
    def planted(x):
        return x * x

    x = autograd.tensor(np.array([3.0]), requires_grad=True)
    finding = only_wrong(verify(planted(x)), "planted")
    assert finding.rule == pytest.approx(15.0)
    assert finding.difference == pytest.approx(6.0, rel=1e-6)


def planted_matmul(left: Callable[..., Any], right: Callable[..., Any]) -> Callable[..., Any]:
    @autograd.contraction(
        left, right, infer=lambda a, b: Spec((*a.shape[:-1], b.shape[-1]), a.dtype)
    )
    def own_matmul(a, b, /):
        return np.matmul(a, b)

    return own_matmul


def turned(a: Any) -> Any:
    return OPS["mT"].function(a)


def left(g, y, a, b):
    return g @ turned(b)


def right(g, y, a, b):
    return turned(a) @ g


MATMULS: dict[str, tuple[Callable[..., Any], Callable[..., Any], str, str]] = {
    "transposed operand": (lambda g, y, a, b: g @ b, right, "a", "with b transposed"),
    "transposed result": (lambda g, y, a, b: b @ turned(g), right, "a", "it is transposed"),
    "transposed gradient": (
        lambda g, y, a, b: turned(g) @ turned(b),
        right,
        "a",
        "with g transposed",
    ),
    "swapped operand": (lambda g, y, a, b: g @ turned(a), right, "a", "b in place of a"),
    "other argument": (left, left, "b", "gradient of a: rules swapped?"),
}


@pytest.mark.parametrize("name", MATMULS)
def test_slips_of_matmul_rules(name):
    wrong_left, wrong_right, argument, reason = MATMULS[name]
    own = planted_matmul(wrong_left, wrong_right)
    other = leaf(5, 5, seed=3)
    finding = only_wrong(verify(deep(lambda h: own(h, other), 5, 5)), "own_matmul")
    assert finding.argument == argument
    assert reason in finding.reason


def test_a_rule_that_does_not_fit_the_shapes():
    own = planted_matmul(lambda g, y, a, b: g @ b, right)
    finding = only_wrong(
        verify(deep(lambda h: own(h, leaf(3, 2, seed=1)), 4, 3)),
        "own_matmul",
    )
    assert "its rule raised" in finding.reason
    assert finding.argument == "a"
    assert finding.rule is None


def planted_bias(rule: Callable[..., Any]) -> Callable[..., Any]:
    @autograd.structured(
        lambda g, y, x, bias: g, rule, infer=lambda x, bias: Spec(x.shape, x.dtype)
    )
    def own_bias(x, bias, /):
        return x * 1.0 + bias * bias

    return own_bias


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda g, y, x, b: g[0] * 2.0 * b, "a sum is missing"),
        (lambda g, y, x, b: g.mean(axis=0) * 2.0 * b, "6 is the size of dimension 0"),
        (lambda g, y, x, b: g.sum(axis=0) * b, "half of what it should be"),
    ],
)
def test_slips_of_broadcasting(rule, reason):
    own = planted_bias(rule)
    finding = only_wrong(verify(deep(lambda h: own(h, leaf(4, seed=1)), 6, 4)), "own_bias")
    assert finding.argument == "bias"
    assert reason in finding.reason


def test_the_engine_sums_over_broadcast_dimensions_itself():
    own = planted_bias(lambda g, y, x, b: g * 2.0 * b)
    assert verify(deep(lambda h: own(h, leaf(4, seed=1)), 6, 4)).ok


def test_one_wrong_element_of_many_is_found():
    def rule(g, y, x):
        slope = 2.0 * x
        slope[7, 31] *= 1.5
        return g * slope

    @autograd.elementwise(rule)
    def planted(x):
        return x * x

    finding = only_wrong(verify(planted(leaf(100, 100))), "planted")
    assert finding.element == (7, 31)
    assert finding.rule / finding.difference == pytest.approx(1.5)


def test_rules_that_change_their_arguments_or_draw():
    def changing(g, y, x):
        g *= 2.0
        return g

    rng = np.random.default_rng(0)

    def drawing(g, y, x):
        return g * rng.uniform(size=g.shape)

    def forgetful(g, y, x):
        raise KeyError("no")

    for rule, reason in (
        (changing, "changes the gradient that arrives in place"),
        (drawing, "something else each time"),
        (forgetful, "its rule raised KeyError"),
    ):

        @autograd.elementwise(rule)
        def planted(x):
            return 2.0 * x

        assert reason in only_wrong(verify(deep(planted, 3)), "planted").reason
        del OPS["planted"]


def test_a_wrong_joint_rule():
    @autograd.structured(
        joint=lambda g, y, a, b: (g * b, g * b), infer=lambda a, b: Spec(a.shape, a.dtype)
    )
    def own_joint(a, b, /):
        return a * b

    finding = only_wrong(verify(own_joint(leaf(3), leaf(3, seed=1)).sum()), "own_joint")
    assert finding.argument == "b"
    assert "gradient of a" in finding.reason


def test_wrong_rule_on_scalars():
    @autograd.elementwise(lambda g, y, x: -g * y, scalar=np.exp)
    def planted(x):
        return np.exp(x)

    x = Scalar(0.5, requires_grad=True)
    finding = only_wrong(verify(planted(x * 2.0) + x), "planted")
    assert "sign" in finding.reason
    assert finding.rule == pytest.approx(-np.e)


# --- What is not wrong --------------------------------------------------------------------------


def statuses(verification: Verification) -> set[str]:
    return {f.status for v in verification.nodes for f in v.findings}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", [n for n, op in TABLE.items() if op.differentiable])
def test_every_op_of_the_library_is_right(name, dtype):
    op = TABLE[name]
    for args, params in cases(op, seed=3):
        inputs = leaves(op, args, dtype)
        if any(isinstance(v, Tensor) and v.requires_grad for v in inputs):
            found = verify(run(op, inputs, params))
            assert found.ok, str(found)
            # group_norm's samples have groups of two elements, whose gradient cancels.
            assert statuses(found) <= {"right", "imprecise" if name == "group_norm" else ""}


def off_by_a_little(rule: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(*args: Any, **kwargs: Any) -> Any:
        found = rule(*args, **kwargs)
        if isinstance(found, tuple | list):
            return tuple(None if g is None else g * 1.01 for g in found)
        return None if found is None else found * 1.01

    return wrong


@pytest.mark.parametrize("name", [n for n, op in TABLE.items() if op.differentiable])
def test_no_op_of_the_library_may_be_off_by_one_percent(name, monkeypatch):
    """The checker is checked: each rule in turn is made a little wrong."""
    op = TABLE[name]
    for slot in range(len(op.inputs)) if op.joint is None else [None]:
        if slot is None:
            assert op.joint is not None
            monkeypatch.setattr(op, "joint", off_by_a_little(op.joint))
        else:
            rule = op.rules[slot]
            if rule is None:
                continue
            rules: list[Any] = list(op.rules)
            rules[slot] = off_by_a_little(rule)
            monkeypatch.setattr(op, "rules", rules)
        judged = []
        for args, params in cases(op, seed=3):
            inputs = leaves(op, args)
            checked = inputs if slot is None else inputs[slot : slot + 1]
            if any(isinstance(v, Tensor) and v.requires_grad for v in checked):
                found = verify(run(op, inputs, params))
                judged.append([v.vertex.op for v in found.wrong])
        monkeypatch.undo()
        if slot is not None and op.formula[1 + slot : 2 + slot] == ("0",):  # 1 % of nothing
            assert not any(judged)
        else:
            assert judged
            assert any(judged)
            assert all(wrong in ([], [name]) for wrong in judged)


def test_lenet():
    autograd.manual_seed(0)
    images = np.random.default_rng(0).normal(size=(2, 1, 32, 32)).astype(np.float32)
    model = LeNet5()
    found = verify(lambda: F.cross_entropy(model(Tensor(images)), Tensor(np.array([3, 1]))))
    assert found.ok
    assert len(found.nodes) == 13
    assert statuses(found) <= {"right", "kink"}
    assert all(p.grad is None for p in model.parameters())


def test_resnet_20():
    autograd.manual_seed(0)
    images = np.random.default_rng(0).normal(size=(2, 3, 32, 32)).astype(np.float32)
    model = ResNet20()
    found = verify(lambda: F.cross_entropy(model(Tensor(images)), Tensor(np.array([3, 1]))))
    assert found.ok, str(found)
    assert len(found.nodes) > 70


def test_gradients_of_gradients_and_saturated_values():
    x = leaf(3, 4)
    (g,) = autograd.grad((x.sigmoid() * x.exp()).sum(), x, create_graph=True)
    found = verify((g * g).sum())
    assert statuses(found) == {"right"}
    assert len(found.nodes) > 6
    rng = np.random.default_rng(0)
    for scale in (1e-6, 1.0, 100.0, 1e4):
        for dtype in (np.float32, np.float64):
            wide = autograd.tensor((rng.normal(size=(5, 7)) * scale).astype(dtype))
            wide.requires_grad_()
            for function in (
                lambda x: F.cross_entropy(x, Tensor(np.arange(5))),
                lambda x: F.softmax(x, dim=1).sum(),
                lambda x: F.layer_norm(x, (7,)).sum(),
                lambda x: (x.sigmoid() + x.tanh() + F.gelu(x) + F.softplus(x)).sum(),
                lambda x: (x.logsumexp(1) + x.var(1) + x.mean(1)).sum(),
                lambda x: ((x - x.mean()) ** 2).sum() / (1.0 + x.abs().sum()),
            ):
                found = verify(function(wide))
                assert found.ok, f"{scale} {dtype}: {found}"


def test_kinks_are_told_apart():
    x = autograd.tensor([0.0, 1.0, -1.0], requires_grad=True)
    found = verify(x.relu().sum())
    assert found.ok
    (kink,) = found.having("kink")
    assert kink.vertex.op == "relu"
    assert "at 1 of 3 results" in kink.findings[0].reason
    mark = found.diagram.vertices[kink.vertex.index].mark
    assert mark is not None
    assert mark.level == "warn"
    assert "not differentiable here" in str(found)

    tie = autograd.tensor([2.0, 2.0, 1.0], requires_grad=True)
    assert statuses(verify(tie.amax())) == {"kink"}
    assert statuses(verify(autograd.tensor([0.0], requires_grad=True).abs())) == {"kink"}
    # Stationary points look alike at a glance, but are smooth; so are points near a kink.
    for value in (0.0, 1e-7, -1e-7):
        x = autograd.tensor(np.array([value, 1.0]), requires_grad=True)
        assert statuses(verify((x * x).sum())) == {"right"}
        if value:
            assert statuses(verify(x.relu().sum())) == {"right"}


def test_wrong_beside_a_kink_is_still_found():
    @autograd.elementwise(lambda g, y, x: 2.0 * g * (x > 0.0))
    def planted(x):
        return np.maximum(x, 0.0)

    x = autograd.tensor(np.array([0.0, 1.0, -1.0]), requires_grad=True)
    found = verify(planted(x).sum())
    assert [v.vertex.op for v in found.wrong] == ["planted"]
    assert found.wrong[0].findings[0].element == (1,)


def test_steps_of_a_function_are_no_wrong_rule():
    @autograd.elementwise(lambda g, y, x: 0.0 * g)
    def own_floor(x):
        return np.floor(x)

    x = autograd.tensor(np.array([1.0, 2.5]), requires_grad=True)
    assert verify(own_floor(x).sum()).ok


def test_infinite_slopes():
    x = autograd.tensor(np.array([0.0, 4.0]), requires_grad=True)
    found = verify(x.sqrt().sum())
    assert found.ok
    assert "kink" in statuses(found)

    @autograd.elementwise(lambda g, y, x: g * 0.0 / (x - 1.0) + g)
    def planted(x):
        return x + 0.0

    with np.errstate(all="ignore"):
        finding = only_wrong(
            verify(planted(autograd.tensor(np.array([1.0, 2.0]), requires_grad=True))), "planted"
        )
    assert finding.element == (0,)
    assert "nan" in finding.reason


def test_values_of_every_size():
    values = np.array([1e-30, 1e-12, 1e-6, 1.0, 1e6, 1e12])
    for function in (
        lambda x: x.log(),
        lambda x: x.sqrt(),
        lambda x: 1.0 / x,
        lambda x: x + 1.0,
        lambda x: x.tanh(),
        lambda x: (x * 1e-11).exp(),
    ):
        x = autograd.tensor(values, requires_grad=True)
        found = verify(function(x).sum())
        assert found.ok, str(found)
    tiny = autograd.tensor(values[:3], requires_grad=True)
    assert verify((tiny + 1.0).log().sum()).ok


def test_no_gradient_on_purpose():
    @autograd.structured(lambda g, y, a, b: g, None, infer=lambda a, b: Spec(a.shape, a.dtype))
    def own_shift(a, b, /):
        return a + b

    found = verify(own_shift(leaf(3), leaf(3, seed=1)).sum())
    assert found.ok
    (node,) = found.having("none")
    assert "though the result changes with it" in node.findings[1].reason
    assert "no gradient on purpose" in str(found)


def test_dropout_drops_the_same_again():
    autograd.manual_seed(1)
    x = leaf(40)
    assert statuses(verify(autograd.dropout(x, 0.5).sum())) == {"right"}
    # Of what is linear nothing was saved: once the operand is gone there is no place to step from.
    found = verify(autograd.dropout(leaf(40), 0.5))
    assert "not known any more" in found.nodes[0].findings[0].reason


def test_ops_that_draw_themselves():
    rng = np.random.default_rng(0)

    @autograd.elementwise(lambda g, y, x: g)
    def own_noise(x):
        return x + rng.normal(size=np.shape(x))

    found = verify(deep(own_noise, 3))
    assert found.ok
    (node,) = found.having("skipped")
    assert "another result each time" in node.findings[0].reason
    assert "not checked: 1" in str(found)

    @autograd.structured(
        lambda g, y, x, generator: g * y / x,
        infer=lambda x, *, generator: Spec(x.shape, x.dtype),
    )
    def own_scale(x, /, *, generator):
        return x * generator.random(x.shape).astype(x.dtype)

    generator = np.random.default_rng(0)
    y = own_scale(leaf(3), generator=generator)
    before = generator.bit_generator.state
    assert verify(y).ok
    assert generator.bit_generator.state == before, "the user's generator was moved on"


def test_indices_and_masks_are_left_as_they_are():
    x = leaf(4, 3)
    y = autograd.where(np.array([[True], [False], [True], [True]]), x, x * 2.0)
    rows = F.embedding(autograd.tensor(np.array([2, 0, 2])), y)
    assert statuses(verify(F.cross_entropy(rows, autograd.tensor(np.array([0, 2, 1]))))) == {
        "right"
    }


def test_an_op_that_knows_single_precision_only():
    @autograd.elementwise(lambda g, y, x: g * y)
    def own_exp(x):
        if np.asarray(x).dtype != np.float32:
            raise TypeError("float32 only")
        return np.exp(x)

    assert statuses(verify(own_exp(leaf(5, dtype=np.float32)))) <= {"right", "imprecise"}

    @autograd.elementwise(lambda g, y, x: -g * y)
    def planted(x):
        return np.exp(x.astype(np.float32))

    assert "sign" in only_wrong(verify(planted(leaf(5, dtype=np.float32))), "planted").reason


def test_empty_and_single_elements():
    assert verify(leaf(0, 3).sin().sum()).ok
    assert verify(leaf().sin()).ok
    x = autograd.tensor(np.array([np.nan, 1.0, np.inf]), requires_grad=True)
    assert verify((x * 2.0).sum()).ok
    assert verify(autograd.tensor([np.nan], requires_grad=True).sin().sum()).ok


# --- Around it ----------------------------------------------------------------------------------


def test_what_was_changed_since_is_told():
    x = leaf(3)
    h = x * 1.0
    y = h.sin()
    with autograd.no_grad():
        h.mul_(2.0)
    found = verify(y.sum())
    assert any("backward will refuse" in f.reason for v in found.nodes for f in v.findings)

    h = x * 1.0
    y = h.exp()
    y.value[:] = 7.0  # past every guard
    found = verify(y.sum())
    assert [v.vertex.op for v in found.wrong] == ["exp"]
    assert "changed since" in found.wrong[0].findings[0].reason


def test_freed_graphs():
    x = leaf(3)
    loss = x.sin().exp().sum()
    loss.backward()
    found = verify(loss)
    assert found.ok
    assert any("freed" in f.reason for v in found.nodes for f in v.findings)
    with record():
        loss = x.sin().exp().sum()
        loss.backward()
    assert statuses(verify(loss)) == {"right"}


def test_nothing_is_changed_or_kept():
    calls: list[Any] = []
    x = leaf(3)
    h = x.sin()
    h.register_hook(calls.append)
    h.retain_grad()
    loss = (h * h).sum()
    found = verify(loss)
    assert not calls
    assert x.grad is None
    assert h.grad is None
    assert not WATCHERS
    gone = weakref.ref(h.node)
    loss.backward()
    assert x.grad is not None
    del h, loss, calls
    gc.collect()
    assert gone() is None, "the verification keeps the graph alive"
    assert found.ok


def test_it_reports_the_same_twice():
    @autograd.elementwise(lambda g, y, x: g * x)
    def planted(x):
        return np.exp(x)

    loss = deep(planted, 30)
    assert str(verify(loss)) == str(verify(loss))


def test_raising():
    @autograd.elementwise(lambda g, y, x: -g)
    def planted(x):
        return x * 1.0

    verify(leaf(2).sin()).raise_if_wrong()
    found = verify(planted(leaf(2)))
    with pytest.raises(GradcheckError, match="the sign is wrong") as raised:
        found.raise_if_wrong()
    assert raised.value.input == 0
    assert raised.value.analytic == pytest.approx(-1.0)
    assert raised.value.numeric == pytest.approx(1.0)
    assert not found
    assert repr(found) == "<Verification: 1 nodes, 1 wrong>"


def test_the_report_names_line_and_variable():
    @autograd.elementwise(lambda g, y, x: -g)
    def planted(x):
        return x * 1.0

    def step():
        inner = planted(leaf(2))
        return inner.sum()

    text = str(verify(step))
    assert text.startswith("1 node has a wrong rule, of 2:")
    assert "planted inner" in text
    assert "test_verify.py:" in text
    (found,) = (v for v in verify(step).diagram.vertices if v.op == "planted")
    assert found.mark is not None
    assert found.mark.text == "x: rule -1, differences 1 (the sign is wrong)"
    drawing = verify(step).graph
    assert "rule -1, differences 1" in str(drawing)
    assert "the sign is wrong" in drawing.svg()


def test_bad_arguments():
    with pytest.raises(TypeError, match="expected a Tensor"):
        verify(3.0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="does not require grad"):
        verify(autograd.tensor([1.0]).sin())
    loss = leaf(2).sum()
    wrong: dict[str, Any]
    for wrong in ({"eps": 0.0}, {"tolerance": 0.0}, {"samples": 0}, {"samples": True}):
        with pytest.raises(ValueError, match=f"verify: {next(iter(wrong))} must be"):
            verify(loss, **wrong)


def test_long_chains():
    x = autograd.tensor(1.0, requires_grad=True)
    h = x
    for _ in range(3_000):
        h = h * 0.999
    assert verify(h).ok
