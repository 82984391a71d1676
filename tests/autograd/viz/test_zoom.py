import math
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Scalar, Tensor, elementwise
from autograd.families import movement, structured
from autograd.graph import OPS, Spec
from autograd.viz.graph import graph
from autograd.viz.model import Diagram
from autograd.viz.zoom.items import exact_sum, tensor_labels
from autograd.viz.zoom.zoom import Zoom, zoom
from tests.autograd.test_op_table import TABLE, cases, every, intervals, leaves, run

ALL: dict[str, Any] = {"depth": 50, "limit": 10**6, "terms": 10**6}


def t(values, grad=True):
    return Tensor(np.array(values, np.float64), requires_grad=grad)


def checked(zoomed: Zoom) -> Diagram:
    """The diagram, after a look at what every diagram promises."""
    diagram = zoomed.diagram
    assert [v.index for v in diagram.vertices] == list(range(len(diagram.vertices)))
    assert all(e.tail < e.head for e in diagram.edges)
    places = [(e.head, e.slot) for e in diagram.edges]
    assert places == sorted(set(places))
    assert all(v.shape == () for v in diagram.vertices)
    assert all(v.cluster in diagram.clusters for v in diagram.vertices if v.cluster)
    assert diagram.outputs == [zoomed.root.index]
    assert zoomed.root.kind == "output"
    assert zoomed.root.grad == 1.0
    sums: dict[int, float] = {}
    for edge in diagram.edges:
        assert (edge.slope is None) == (edge.contribution is None)
        if edge.contribution is not None:
            sums[edge.tail] = sums.get(edge.tail, 0.0) + edge.contribution
    for vertex in diagram.vertices:
        if vertex is not zoomed.root:
            assert vertex.grad == pytest.approx(sums.get(vertex.index), nan_ok=True)
    return diagram


def one_hot(y, index):
    seed = np.zeros(y.shape, y.dtype)
    seed[index] = 1
    return seed


def agrees(y, index, targets, *, rtol=1e-9, atol=1e-12, **options):
    """The gradients of all leaf elements in a complete zoom are those of the engine."""
    zoomed = zoom(y, index, names=targets, **(ALL | options))
    checked(zoomed)
    assert zoomed.complete
    seed = None if y.dtype is float or not y.shape else one_hot(y, index)
    wanted = autograd.grad(y, list(targets.values()), seed, retain_graph=True, allow_unused=True)
    shown = {v.name: v for v in zoomed.diagram.vertices}
    for (name, leaf), gradient in zip(targets.items(), wanted, strict=True):
        for at in np.ndindex(*leaf.shape):
            vertex = shown.get(f"{name}[{', '.join(map(str, at))}]" if at else name)
            found = 0.0 if vertex is None else vertex.grad
            true = 0.0 if gradient is None else float(np.asarray(gradient.value)[at])
            np.testing.assert_allclose(found, true, rtol=rtol, atol=atol, err_msg=f"{name}{at}")
            if vertex is not None:
                assert vertex.value == np.asarray(leaf.value)[at].item()
    assert zoomed.root.value == np.asarray(y.value)[index].item()
    return zoomed


# --- Every op -----------------------------------------------------------------------------------


def some_elements(shape):
    every = list(np.ndindex(*shape))
    return [*every[:1], *every[len(every) // 2 : len(every) // 2 + 1], *every[-1:]]


@every(lambda op: op.differentiable)
def test_partial_derivatives_are_those_of_the_engine(name):
    op = TABLE[name]
    for args, params in cases(op, seed=11):
        inputs = leaves(op, args)
        targets = {
            f"in{i}": v for i, v in enumerate(inputs) if isinstance(v, Tensor) and v.requires_grad
        }
        y = run(op, inputs, params)
        for index in some_elements(y.shape):
            agrees(y, index, targets)


@every(
    lambda op: (
        op.differentiable
        and (op.family in ("elementwise", "reduction") or op.name in ("matmul", "linear"))
    )
)
def test_values_come_out_again_from_the_operands(name):
    op = TABLE[name]
    for args, params in cases(op, seed=12):
        inputs = leaves(op, args)
        y = run(op, inputs, params)
        zoomed = zoom(y, some_elements(y.shape)[1] if math.prod(y.shape) > 1 else (), **ALL)
        diagram = zoomed.diagram
        edges = diagram.operands()[zoomed.root.index]
        values = [np.float64(diagram.vertices[e.tail].value) for e in edges]
        if op.family == "elementwise":
            again = op.forward(*values, **params)
        elif op.family == "contraction":
            again = math.fsum(values)
        else:
            rest = {k: v for k, v in params.items() if k not in ("dim", "keepdim")}
            again = op.function(np.array(values), 0, **rest)
        np.testing.assert_allclose(zoomed.root.value, again, rtol=1e-12)


@every(lambda op: op.scalar is not None and op.differentiable and op.samples is None)
def test_scalars(name):
    op = TABLE[name]
    places = np.linspace(0.55, 0.7, len(op.inputs))
    args = [
        Scalar(float(low + (high - low) * at))
        for at, (low, high) in zip(places, intervals(op), strict=True)
    ]
    agrees(op.function(*args), (), {f"s{i}": a for i, a in enumerate(args)})


# --- Small graphs by hand -----------------------------------------------------------------------


def test_a_scalar_expression():
    a, b = Scalar(2.0), Scalar(-3.0)
    d = a * b + b
    zoomed = zoom(d)
    diagram = checked(zoomed)
    assert [(v.name, v.op, v.kind) for v in diagram.vertices] == [
        ("a", "", "leaf"),
        ("b", "", "leaf"),
        ("mul1", "mul", "intermediate"),
        ("d", "add", "output"),
    ]
    assert (zoomed["a"].grad, zoomed["b"].grad) == (-3.0, 3.0)
    assert [(e.tail, e.head, e.slope) for e in diagram.edges] == [
        (0, 2, -3.0),
        (1, 2, 2.0),
        (2, 3, 1.0),
        (1, 3, 1.0),
    ]


def test_a_number_stays_in_scalars():
    w = t([1.0, 2.0])
    zoomed = zoom(3.0 - w * 2.0, 1)
    assert zoomed.root.scalars == {0: 3.0}
    assert zoomed["w[1]"].grad == -2.0


def test_the_same_element_twice_gives_two_edges():
    x = t([3.0, 4.0])
    zoomed = zoom(x * x, 1)
    assert [(e.slot, e.slope, e.contribution) for e in zoomed.diagram.edges] == [
        (0, 4.0, 4.0),
        (1, 4.0, 4.0),
    ]
    assert zoomed["x[1]"].grad == 8.0


def test_a_dead_relu_has_slope_zero():
    w = t([-1.0, 1.0])
    zoomed = zoom(autograd.relu(w * 2.0), 0)
    (edge,) = (e for e in zoomed.diagram.edges if e.head == zoomed.root.index)
    assert (edge.slope, edge.contribution) == (0.0, 0.0)
    assert zoomed["w[0]"].grad == 0.0


def test_a_window_shows_what_was_not_chosen():
    x = t(np.arange(16.0).reshape(1, 1, 4, 4))
    zoomed = zoom(autograd.max_pool2d(x, 2), (0, 0, 1, 0))
    slopes = {zoomed.diagram.vertices[e.tail].name: e.slope for e in zoomed.diagram.edges}
    assert slopes == {
        "x[0, 0, 3, 1]": 1.0,
        "x[0, 0, 3, 0]": 0.0,
        "x[0, 0, 2, 1]": 0.0,
        "x[0, 0, 2, 0]": 0.0,
    }


def test_underflow_does_not_hide_an_operand():
    x = t([[0.0, -2000.0, 1.0]])
    zoomed = zoom(autograd.softmax(x, 1), (0, 1))
    assert [e.slope for e in zoomed.diagram.edges] == [0.0, 0.0, 0.0]


def test_movement_is_passed_through():
    w = t([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    y = autograd.exp(w.T.reshape(6)[::-1][1:][None].expand(2, 5))
    zoomed = zoom(y, (1, 0))
    assert [v.name for v in zoomed.diagram.vertices] == ["w[0, 2]", "y[1, 0]"]
    assert zoomed["w[0, 2]"].grad == pytest.approx(math.exp(3.0))


def test_depth_does_not_count_movement():
    w = t([1.0, 2.0])
    y = autograd.sin(autograd.cos(w).reshape(2, 1).reshape(1, 2)).T
    zoomed = zoom(y, (1, 0), depth=2)
    assert [v.op for v in zoomed.diagram.vertices] == ["", "cos", "sin", "permute"]
    assert zoomed.complete
    cut = zoom(y, (1, 0), depth=1)
    assert [v.op for v in cut.diagram.vertices] == ["", "sin", "permute"]
    assert cut.cut == {"depth 1": 1}
    about = "a result of cos; its operands are not shown (depth 1)"
    assert cut.diagram.vertices[0].about == about
    assert cut.diagram.vertices[0].kind == "intermediate"


def test_padding_and_joined_pieces():
    a, b = t([1.0, 2.0]), t([3.0])
    y = autograd.pad(autograd.cat([a, b]), (1, 2), value=0.5) * 2.0
    names = [{v.name for v in zoom(y, i).diagram.vertices} for i in range(6)]
    assert names == [
        {"pad1[0]", "y[0]"},
        {"a[0]", "y[1]"},
        {"a[1]", "y[2]"},
        {"b[0]", "y[3]"},
        {"pad1[4]", "y[4]"},
        {"pad1[5]", "y[5]"},
    ]
    assert zoom(y, 0)["pad1[0]"].value == 0.5
    assert zoom(y, 0)["pad1[0]"].about == "pad made it of no other element"


def test_a_constant_joined_with_leaves_has_no_gradient():
    a, c = t([1.0, 2.0]), t([3.0, 4.0, 5.0], grad=False)
    zoomed = zoom(autograd.cat([a, c]).sum(), terms=2)
    checked(zoomed)
    assert zoomed["c[2]"].grad is None
    assert [(p.name, p.gradient) for p in zoomed.folded[0].parts] == [("a", 2.0), ("c", None)]


@pytest.mark.parametrize("value", [3.0, math.inf, math.nan, -1.0])
def test_padding_with_any_number(value):
    x = t([1.0, 2.0])
    assert len(zoom(autograd.pad(x, (1, 1), value=value), 0).diagram.vertices) == 1
    assert len(zoom(autograd.pad(x, (1, 1), value=value), 1).diagram.vertices) == 2


def test_products_of_a_dot_product():
    weight, x = t([[1.0, -2.0], [3.0, 0.5]]), t([[0.5, 4.0]], grad=False)
    bias = t([10.0, 20.0])
    y = autograd.linear(x, weight, bias)
    zoomed = zoom(y, (0, 1))
    shown = {v.name: (v.value, v.grad) for v in zoomed.diagram.vertices}
    assert (zoomed.root.op, zoomed.root.about) == ("sum", "linear: a sum of 2 products")
    assert shown == {
        "y[0, 1]": (23.5, 1.0),
        "weight[1, 0]·x[0, 0]": (1.5, 1.0),
        "weight[1, 1]·x[0, 1]": (2.0, 1.0),
        "weight[1, 0]": (3.0, 0.5),
        "weight[1, 1]": (0.5, 4.0),
        "bias[1]": (20.0, 1.0),
        "x[0, 0]": (0.5, None),
        "x[0, 1]": (4.0, None),
    }


def test_operands_have_their_argument_s_place_or_one_of_their_own():
    x, v = t([1.0, 2.0, 3.0]), t([5.0])
    y = x.clone()
    y[1:2] = v
    assert [(e.slot, e.argument) for e in zoom(y, 1).diagram.edges][-1] == (1, "value")
    rows = zoom(autograd.layer_norm(x[None], 3, t([1.0, 2.0, 3.0])), (0, 1)).diagram
    # Three elements of x and one of weight: none is the argument called bias.
    assert sorted(e.slot for e in rows.edges) == [3, 4, 5, 6]


# --- Folding ------------------------------------------------------------------------------------


def wide(n=40, dtype: Any = np.float64):
    rng = np.random.default_rng(2)
    w = Tensor(rng.normal(size=(3, n)).astype(dtype), requires_grad=True)
    x = Tensor(rng.normal(size=n).astype(dtype), requires_grad=True)
    return w, x, w @ x


def test_a_dot_product_shows_the_largest_terms_and_the_exact_rest():
    w, x, y = wide()
    zoomed = zoom(y, 1, terms=4)
    diagram = checked(zoomed)
    products = w.value[1] * x.value
    order = np.argsort(-np.abs(products))
    edges = diagram.operands()[zoomed.root.index]
    tails = [diagram.vertices[e.tail] for e in edges]
    assert [v.name for v in tails] == [f"w[1, {i}]·x[{i}]" for i in order[:4]] + ["sum of 36 more"]
    rest = tails[-1]
    assert rest.value == pytest.approx(math.fsum(products[order[4:]]), rel=1e-14)
    assert math.fsum(v.value for v in tails) == pytest.approx(float(y.value[1]), rel=1e-12)
    assert (rest.kind, rest.members, rest.grad) == ("group", 36, 1.0)
    assert edges[-1].slope == 1.0
    (folded,) = zoomed.folded
    gw, gx = autograd.grad(y, [w, x], one_hot(y, 1))
    for part, gradient in zip(folded.parts, (gw, gx), strict=True):
        assert len(part.indices) == 36
        true = sum(gradient.value[i] for i in part.indices)
        assert part.gradient == pytest.approx(true, rel=1e-12)
        assert part.gradient is not None
        shown = math.fsum(
            v.grad for v in diagram.vertices if v.name.startswith(f"{part.name}[") and not v.op
        )
        assert shown + part.gradient == pytest.approx(gradient.value.sum(), rel=1e-12)
    assert rest.about.startswith("of w and x; gradients sum to ")
    assert not zoomed.complete


@pytest.mark.parametrize("name", ["sum", "mean"])
def test_folded_reductions(name):
    x = t(np.random.default_rng(0).normal(size=(3, 50)))
    y = OPS[name].function(x, 1)
    zoomed = zoom(y, 2, terms=5)
    diagram = checked(zoomed)
    edges = diagram.operands()[zoomed.root.index]
    assert diagram.vertices[edges[-1].tail].name == "sum of 45 more"
    again = math.fsum(diagram.vertices[e.tail].value * e.slope for e in edges)
    assert again == pytest.approx(float(y.value[2]), rel=1e-12)
    (folded,) = zoomed.folded
    (gradient,) = autograd.grad(y, x, one_hot(y, 2))
    assert folded.parts[0].gradient == pytest.approx(45 * gradient.value[2, 0])


def test_folded_operands_of_what_is_no_sum():
    x = t(np.random.default_rng(0).normal(size=(2, 30)))
    y = autograd.log_softmax(x, 1)
    zoomed = zoom(y, (1, 3), terms=5)
    diagram = checked(zoomed)
    edges = diagram.operands()[zoomed.root.index]
    rest = diagram.vertices[edges[-1].tail]
    assert rest.name == "25 more"
    (folded,) = zoomed.folded
    (gradient,) = autograd.grad(y, x, one_hot(y, (1, 3)))
    true = sum(gradient.value[i] for i in folded.parts[0].indices)
    assert rest.grad == pytest.approx(true)
    assert folded.parts[0].gradient == pytest.approx(true)
    assert rest.value == pytest.approx(sum(x.value[i] for i in folded.parts[0].indices))
    shown = [abs(e.contribution) for e in edges[:-1]]
    least = min(shown)
    assert all(abs(gradient.value[i]) <= least for i in folded.parts[0].indices)


def test_one_term_is_not_folded_alone():
    x = t([1.0, 2.0, 3.0])
    assert zoom(x.sum(), terms=2).complete
    assert zoom(x.sum(), terms=1).folded[0].count == 2


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 13, 40, 200])
def test_the_limit_holds(limit):
    _, _, y = wide(1024)
    h = autograd.tanh(y * y.sum())
    zoomed = zoom(h, 2, depth=10, limit=limit)
    checked(zoomed)
    assert len(zoomed.diagram.vertices) <= limit
    assert not zoomed.complete
    if limit == 1:
        assert zoomed.cut == {"limit 1": 1}
        assert "not shown (limit 1)" in zoomed.root.about


def test_the_most_important_elements_are_expanded_first():
    a, b = t([1.0]), t([1.0])
    y = 0.001 * autograd.sin(autograd.exp(a)) + 5.0 * autograd.cos(autograd.exp(b))
    zoomed = zoom(y, 0, depth=9, limit=7)
    names = {v.name for v in zoomed.diagram.vertices}
    assert "b[0]" in names
    assert "a[0]" not in names


def test_what_is_missing_of_a_gradient_is_said():
    _w, x, y = wide(40)
    loss = (y * y).sum()
    zoomed = zoom(loss, depth=4, terms=4)
    checked(zoomed)
    (whole,) = autograd.grad(loss, x)
    told = 0
    for vertex in zoomed.diagram.vertices:
        if vertex.name.startswith("x["):
            true = float(whole.value[int(vertex.name[2:-1])])
            missing = "the whole gradient is" in vertex.about
            assert missing == (abs(true - vertex.grad) > 1e-9)
            told += missing
    assert told


# --- Networks -----------------------------------------------------------------------------------


def test_a_small_network_is_complete():
    autograd.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.LayerNorm(5), nn.Linear(5, 3), nn.ReLU())
    x = Tensor(np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32))
    y = model(x)
    parameters = dict(model.named_parameters())
    for index in [(0, 0), (1, 2)]:
        agrees(y, index, parameters, rtol=1e-4, atol=1e-6)
    loss = nn.functional.cross_entropy(y, np.array([2, 0]))
    agrees(loss, (), parameters, rtol=1e-4, atol=1e-6)


def test_a_small_convolutional_network_is_complete():
    autograd.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, stride=2),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(3, 2, 1),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(2, 2),
    )
    x = Tensor(np.random.default_rng(0).normal(size=(2, 2, 8, 8)).astype(np.float32))
    agrees(model(x), (1, 0), dict(model.named_parameters()), rtol=2e-3, atol=1e-5)


def test_parameters_are_named_and_framed():
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    x = autograd.ones(1, 3)
    zoomed = zoom(lambda: model(x).sum())
    checked(zoomed)
    kinds = {v.name: v.kind for v in zoomed.diagram.vertices}
    assert kinds["0.weight[0, 0]"] == "parameter"
    assert kinds["x[0, 2]"] == "constant"
    assert set(zoomed.diagram.clusters) == {"model", "model.0", "model.1"}
    assert all(v.source is not None for v in zoomed.diagram.vertices if v.op)


def test_a_gradient_that_was_recorded():
    w = t([1.0, 2.0, 3.0])
    (g,) = autograd.grad((w**3).sum(), w, create_graph=True)
    zoomed = agrees(g, (1,), {"w": w})
    assert zoomed["w[1]"].grad == pytest.approx(12.0)


def test_a_gradient_of_a_convolution_has_no_more_operands_than_it_should():
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(1, 16, 12, 12)).astype(np.float32), requires_grad=True)
    w = Tensor(rng.normal(size=(16, 16, 3, 3)).astype(np.float32), requires_grad=True)
    loss = autograd.conv2d(x, w, padding=1).sin().sum()
    gx, gw = autograd.grad(loss, [x, w], create_graph=True)
    for g, index, count in ((gx, (0, 3, 5, 5), 16 * 9), (gw, (1, 2, 1, 1), 144)):
        zoomed = zoom(g, index, depth=1, limit=10**6, terms=10**6)
        assert zoomed.root.about == f"{g.node.op.name}: a sum of {count} products"
        terms = [zoomed.diagram.vertices[e.tail].value for e in zoomed.diagram.operands()[-1]]
        assert math.fsum(terms) == pytest.approx(zoomed.root.value, rel=1e-4, abs=1e-4)


# --- Ops of users -------------------------------------------------------------------------------


@pytest.fixture
def own_ops():
    before = dict(OPS)
    yield
    for name in OPS.keys() - before.keys():
        del OPS[name]


@pytest.mark.usefixtures("own_ops")
def test_an_op_that_nobody_knows():
    @structured(
        lambda g, y, x, w: g[::-1] * w + 0.0 * g.sum() * x,
        lambda g, y, x, w: (g[::-1] * x).sum(),
        infer=lambda x, w: Spec(x.shape, x.dtype),
    )
    def turned(x, w):
        return (x * w)[::-1]

    x, w = t([1.0, 2.0, 3.0]), t(4.0)
    zoomed = agrees(turned(x, w), (0,), {"x": x, "w": w})
    assert zoomed["x[2]"].grad == 4.0


@pytest.mark.usefixtures("own_ops")
def test_movement_whose_rule_does_more_is_shown():
    @movement(lambda g, y, x: -g)
    def reversed_gradient(x):
        return x

    @movement(lambda g, y, x: g)
    def kept(x):
        return x

    w = t([1.0, 2.0])
    agrees(reversed_gradient(w) * 2.0, (1,), {"w": w})
    assert "reversed_gradient1[1]" in {
        v.name for v in zoom(reversed_gradient(w) * 2.0, 1).diagram.vertices
    }
    assert len(zoom(kept(w) * 2.0, 1).diagram.vertices) == 2


@pytest.mark.usefixtures("own_ops")
def test_a_rule_that_refuses_nan():
    def strict(g, y, x):
        if np.isnan(g).any():
            raise ValueError("no")
        return 2.0 * g

    @structured(strict, infer=lambda x: Spec(x.shape, x.dtype))
    def doubled(x):
        return 2.0 * x

    @elementwise(lambda g, y, x: (3.0 * g).sum() + 0.0 * g)
    def odd(x):
        return 3.0 * x.sum() + 0.0 * x

    w = t([1.0, 2.0])
    agrees(doubled(w), (0,), {"w": w})
    assert zoom(odd(t(2.0))).root.value == 6.0


# --- Values -------------------------------------------------------------------------------------


def test_infinities_and_nan_are_followed_first():
    x = t([0.0, 1.0, 2.0, 3.0])
    with np.errstate(all="ignore"):
        y = autograd.log(x).sum()
        zoomed = zoom(y, terms=1)
    diagram = checked(zoomed)
    assert "x[0]" in {v.name for v in diagram.vertices}
    assert zoomed["x[0]"].grad == math.inf
    assert str(zoomed)


def test_exact_sums():
    assert exact_sum(np.array([1e16, 1.0, -1e16])) == 1.0
    assert exact_sum(np.array([])) == 0.0
    assert exact_sum(np.array([1e308, 1e308])) == math.inf
    assert math.isnan(exact_sum(np.array([math.inf, -math.inf])))


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_nothing_to_sum(shape):
    x = Tensor(np.zeros(shape), requires_grad=True)
    zoomed = zoom(x.sum())
    assert len(checked(zoomed).vertices) == 1
    with pytest.raises(IndexError, match=r"shape \(0,\)"):
        zoom(Tensor(np.zeros(0), requires_grad=True) * 2.0, 0)


def test_integers_and_conditions_among_the_operands():
    x = t([1.0, -2.0])
    mask = x > 0.0
    zoomed = zoom(autograd.where(mask, x, 0.0), 1)
    assert zoomed["mask[1]"].value is False
    assert zoomed["mask[1]"].kind == "constant"
    picked = zoom(nn.functional.cross_entropy(x[None], np.array([1])))
    assert "also reads" in picked.root.about


def test_float32_elements_are_exact():
    w, _, y = wide(5, np.float32)
    zoomed = zoom(y, 0)
    assert zoomed["w[0, 3]"].value == float(w.value[0, 3])
    assert zoomed["w[0, 3]"].dtype == "float32"


# --- Names --------------------------------------------------------------------------------------


def test_a_name_used_again_is_told_apart():
    x = t([1.0, 2.0])

    def run():
        h = autograd.sin(x)
        h = autograd.cos(h)
        return h * 2.0

    zoomed = zoom(run, 1)
    names = [v.name for v in zoomed.diagram.vertices]
    assert names == ["x[1]", "h[1]", "h#2[1]", "mul1[1]"]


def test_labels_never_clash():
    a, b = t([1.0]), t([2.0])
    exp1 = autograd.exp(a)
    y = exp1 * autograd.exp(b)
    labels = [v.name for v in zoom(y, 0).diagram.vertices]
    assert len(set(labels)) == len(labels)
    assert tensor_labels([]) == []


def test_names_can_be_given():
    w, _, y = wide(3)
    zoomed = zoom(y, 0, names={"Gewicht": w})
    assert zoomed["Gewicht[0, 1]"].kind == "leaf"


def test_an_element_that_is_not_shown():
    _w, _x, y = wide(3)
    with pytest.raises(KeyError, match=r"there is .*_w\[0, 2\]"):
        zoom(y, 0)["_w[1, 2]"]


# --- Bad input, and what is left alone ----------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "place"),
    [(1, 1), (-1, 2), ((2,), 2), ([-3], 0), (np.int64(1), 1), ((np.int32(-1),), 2)],
)
def test_indices(index, place):
    _, _, y = wide(3)
    assert zoom(y, index).root.name == f"y[{place}]"


@pytest.mark.parametrize("index", [3, -4, (0, 0), (), [[0]][:0]])
def test_no_such_element(index):
    _, _, y = wide(3)
    with pytest.raises(IndexError, match=r"shape \(3,\)"):
        zoom(y, index)


@pytest.mark.parametrize("index", [1.0, True, "0", slice(1), None, (0.5,)])
def test_not_an_index(index):
    _, _, y = wide(3)
    with pytest.raises(TypeError, match="index must be an int or a tuple of ints"):
        zoom(y, index)


def test_one_element_needs_no_index():
    x = t([[2.0]])
    assert zoom(x * 3.0).root.value == 6.0
    with pytest.raises(IndexError):
        zoom(t(1.0) * 2.0, 0)


@pytest.mark.parametrize("option", ["depth", "limit", "terms"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, None])
def test_bad_options(option, value):
    _, _, y = wide(3)
    options: dict[str, Any] = {option: value}
    with pytest.raises(ValueError, match=f"{option} must be a positive int"):
        zoom(y, 0, **options)


def test_not_a_tensor():
    with pytest.raises(TypeError, match="not ndarray"):
        zoom(np.ones(3), 0)  # pyright: ignore[reportArgumentType] - on purpose
    with pytest.raises(TypeError, match="not int"):
        zoom(lambda: 3, 0)  # pyright: ignore[reportArgumentType] - on purpose
    x = t([1.0])
    with pytest.raises(TypeError, match="expected one tensor, not 2"):
        zoom(lambda: (x * 1.0, x * 2.0), 0)  # pyright: ignore[reportArgumentType] - on purpose


def test_no_graph():
    x = t([1.0, 2.0])
    with pytest.raises(ValueError, match="a leaf was not computed"):
        zoom(x, 0)
    with pytest.raises(ValueError, match="no graph"):
        zoom(t([1.0], grad=False) * 2.0, 0)
    with pytest.raises(ValueError, match="no graph"), autograd.no_grad():
        zoom(x * 2.0, 0)
    (x * x).sum().backward()
    assert x.grad is not None
    with pytest.raises(ValueError, match="create_graph=True"):
        zoom(x.grad, 0)


def test_a_freed_graph():
    x = t([1.0, 2.0])
    y = (autograd.sin(x) * 2.0).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"freed the values .*retain_graph=True"):
        zoom(y)
    # The sum kept nothing that could be freed.
    assert zoom(y, depth=1).root.value == float(y.value)


def test_a_freed_graph_that_was_recorded():
    from autograd.viz.record import record

    autograd.manual_seed(0)
    layer = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Tanh())
    x = autograd.ones(1, 3)
    with record():
        loss = (layer(x) ** 2.0).sum()
        loss.backward()
    zoomed = zoom(loss, **ALL)
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None
        for at in np.ndindex(*parameter.shape):
            vertex = zoomed[f"{name}[{', '.join(map(str, at))}]"]
            assert vertex.grad == pytest.approx(float(parameter.grad.value[at]), rel=1e-4, abs=1e-6)
    with autograd.no_grad():
        layer[0].weight.mul_(2.0)
    with pytest.raises(
        RuntimeError, match=r"mul_ changed in place .* \(its weight, shape \(2, 3\)\)"
    ):
        zoom(loss, **ALL)


def test_values_changed_in_place_are_refused():
    x = t([1.0, 2.0])
    h = autograd.sin(x) + 0.0
    y = h * h
    with autograd.no_grad():
        h.mul_(2.0)
    with pytest.raises(RuntimeError, match="changed in place"):
        zoom(y, 0)


def test_a_traced_tensor():
    seen = []

    def look(x):
        y = x * 2.0
        seen.append(y)
        return y

    autograd.trace(look, Spec((2,)))
    with pytest.raises(ValueError, match="traced without values"):
        zoom(seen[0], 0)


def test_nothing_is_changed_or_kept():
    import gc
    import weakref

    w, _x, y = wide(10)
    calls = []
    h = y * 2.0
    h.register_hook(calls.append)
    loss = h.sum()
    saved = loss.node.saved
    zoomed = zoom(loss, depth=5)
    assert not calls
    assert w.grad is None
    assert loss.node.saved is saved
    node = weakref.ref(loss.node)
    del loss, h, y, saved
    gc.collect()
    assert node() is None
    assert zoomed.root.name


def test_two_runs_are_the_same():
    _, _, y = wide(100)
    h = autograd.softmax(y, 0)
    assert zoom(h, 1).diagram == zoom(h, 1).diagram
    assert str(zoom(h, 1)) == str(zoom(h, 1))


def test_a_long_chain():
    x = t([0.5])
    y = x
    for _ in range(10_000):
        y = y.reshape(1)
    y = y * 2.0
    for _ in range(2000):
        y = y + 0.0
    zoomed = zoom(y, 0, depth=4000, limit=5000)
    assert zoomed.complete
    assert zoomed["x[0]"].grad == 2.0
    assert len(str(zoomed).splitlines()) < 60


def test_a_wide_mean_is_quick():
    x = t(np.random.default_rng(0).normal(size=300_000))
    zoomed = zoom((x * x).mean(), depth=2)
    assert zoomed.folded[0].count == 300_000 - 6


# --- Shown --------------------------------------------------------------------------------------


def test_the_table():
    w, x = t([[1.0, 2.0], [3.0, 4.0]]), t([0.5, -1.0])
    y = autograd.relu(w @ x) + x.sum()
    lines = str(zoom(y, 1)).splitlines()
    assert lines[0] == "y[1] = -0.5, as 10 scalars"
    assert lines[2].split() == ["value", "slope", "gradient"]
    assert lines[3].split() == ["y[1]", "add", "-0.5", "1"]
    assert all(line == line.rstrip() for line in lines)
    assert any("↑" not in line and "x[0]" in line for line in lines)


def test_a_table_with_shared_parts_and_wide_names():
    a = t([0.5])
    h = autograd.exp(a)
    text = str(zoom(h * h, 0, names={"幅" * 40: a, "é" * 3: h}))
    assert "exp ↑" in text
    assert "…" in text
    folded = str(zoom(wide()[2], 0, depth=1))
    assert "folded terms: 34, drawn as 1\n" in folded


def test_the_diagram_can_be_drawn():
    _, _, y = wide(20)
    zoomed = zoom(y, 0)
    assert zoomed.graph.diagram is zoomed.diagram
    assert graph(zoomed).diagram is zoomed.diagram
    assert repr(zoomed).startswith("<Zoom of y[0]")


def test_the_diagram_can_be_played():
    layer = nn.Linear(3, 2)
    x = autograd.ones(1, 3)
    zoomed = zoom(lambda: layer(x), (0, 1), terms=1)
    film = zoomed.film()
    assert [v.name for v in film.diagram.vertices] == [v.name for v in zoomed.diagram.vertices]
    assert zoomed.diagram.clusters
    assert "weight[1, " in film.html


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_what_is_cut_or_filled_in_can_be_played(depth):
    x = t([[0.5, 1.0]])
    y = autograd.softmax(autograd.pad(autograd.relu(x * 2.0), (1, 0), value=0.5), 1)
    assert "pad" in zoom(y, (0, 1), depth=depth, terms=3).film().html
    assert zoom(Tensor(np.zeros(0), requires_grad=True).sum()).film().html
