"""derive: what it writes down is true, and reads as on paper."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd import Scalar, Tensor
from autograd.families import structured
from autograd.graph import OPS
from autograd.viz import record
from autograd.viz.derive.derive import MAX_NODES, MAX_PATHS, Derivation, derive

Op = Any


def array(*shape: int, seed: int = 0, grad: bool = True) -> Tensor:
    values = np.random.default_rng(seed).normal(size=shape)
    return Tensor(values, requires_grad=grad)


def lines_of(derivation: Derivation, section: str) -> list[str]:
    blocks = str(derivation).split("\n\n")
    block = next(b for b in blocks if b.startswith(section))
    return [line.strip() for line in block.splitlines()[1:]]


def check_latex(text: str) -> None:
    """The nesting that every TeX insists on."""
    assert text.isascii() or re.fullmatch(r"[^≈·²√ᵀ∂→⊙×]*", text), text
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    assert len(re.findall(r"\\left[(\[|]", text)) == len(re.findall(r"\\right[)\]|]", text))
    opened = re.findall(r"\\begin\{(\w+)\}", text)
    assert sorted(opened) == sorted(re.findall(r"\\end\{(\w+)\}", text))
    assert opened[0] == "aligned"


def check(derivation: Derivation) -> None:
    """Products along the paths sum to the engine's gradient; every form can be had."""
    for name, paths in derivation.paths.items():
        total = math.fsum(product for _, product in paths)
        assert total == pytest.approx(derivation.gradients[name], rel=1e-9, abs=1e-12)
        for path, _ in paths:
            assert path[0] == name
            assert path[-1] == derivation.loss
    check_latex(derivation.latex)
    bundle = derivation._repr_mimebundle_()
    assert bundle["text/plain"] == str(derivation) == derivation.unicode
    assert bundle["text/latex"].strip("$\n") == derivation.latex
    for block in re.findall(r"\$\$\n(.*?)\n\$\$", bundle["text/markdown"], re.DOTALL):
        check_latex(block)


# --- Numbers --------------------------------------------------------------------------------------


def test_two_ways_to_one_variable() -> None:
    a, b = Scalar(2.0), Scalar(-3.0)

    def step() -> Any:
        d = a * b + b
        loss = d**2
        return loss

    found = derive(step)
    check(found)
    assert found.gradients == {"a": 54.0, "b": -54.0}
    assert found.paths["a"] == [(("a", "v1", "d", "loss"), 54.0)]
    assert found.paths["b"] == [
        (("b", "v1", "d", "loss"), -36.0),
        (("b", "d", "loss"), -18.0),
    ]
    assert a.grad is None
    assert lines_of(found, "Given") == ["a = 2,  b = -3"]
    assert lines_of(found, "Forward") == [
        "v1   = a·b = 2·(-3) = -6",
        "d    = v1 + b = -6 + (-3) = -9",
        "loss = d² = (-9)² = 81",
    ]
    assert lines_of(found, "Each step") == [
        "∂v1/∂a   = b = -3",
        "∂v1/∂b   = a = 2",
        "∂d/∂v1   = 1",
        "∂d/∂b    = 1",
        "∂loss/∂d = 2·d = 2·(-9) = -18",
    ]
    assert lines_of(found, "Backward")[-2:] == [
        "d loss/d b  = d loss/d v1 · ∂v1/∂b + d loss/d d · ∂d/∂b = -18·2 + (-18·1) = -54",
        "d loss/d a  = d loss/d v1 · ∂v1/∂a = -18·(-3) = 54",
    ]
    assert lines_of(found, "Along")[1] == "d loss/d b = path 1 + path 2 = -36 + (-18) = -54"
    latex = found.latex
    assert r"v_{1} & = a \cdot b = 2 \cdot \left(-3\right) = -6" in latex
    assert r"\frac{\partial \mathrm{loss}}{\partial d} & = 2 \cdot d" in latex
    assert repr(found) == "<derivation of loss with respect to a, b>"


def test_rounded_numbers_are_not_called_equal() -> None:
    x = Scalar(0.1)
    loss = ag.exp(x * 3.0)
    text = str(derive(loss))
    assert "v1   = x·3 = 0.1·3 = 0.3\n" in text
    assert "loss = exp(v1) = exp(0.3) ≈ 1.35\n" in text
    assert "∂loss/∂v1 = loss ≈ 1.35\n" in text
    third = Tensor(np.float32(0.1), requires_grad=True)
    assert "loss = 2·third = 2·0.1 = 0.2" in str(derive(lambda: 2.0 * third)).replace("L ", "loss ")


def test_a_variable_used_twice_by_one_step() -> None:
    x = Scalar(3.0)
    found = derive(lambda: x * x * x)
    check(found)
    assert found.gradients == {"x": 27.0}
    assert "∂v1/∂x = x + x = 3 + 3 = 6" in str(found)


def test_cases_are_shown_and_the_one_that_holds_is_worked_out() -> None:
    p, q = Scalar(2.0), Scalar(-1.0)
    found = derive(lambda: ag.relu(p) * ag.maximum(p, q) + ag.clamp(q, 0.0, 5.0))
    check(found)
    assert "∂v1/∂p  = (1 if p > 0, else 0) = 1\n" in str(found)
    assert "= (1 if 0 ≤ q ≤ 5, else 0) = 0\n" in str(found)
    assert r"\begin{cases} 1 & \text{if } p > 0 \\ 0 & \text{else} \end{cases} = 1" in found.latex


def test_without_numbers() -> None:
    w, x = Scalar(2.0), Scalar(1.0)
    found = derive(lambda: ag.tanh(w * x), numbers=False)
    text = str(found)
    assert "Given" not in text
    assert "L  = tanh(v1)\n" in text
    assert "∂L/∂v1 = 1 - L²\n" in text
    assert not re.search(r"0\.\d", text)
    check(found)


OPERATIONS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + 1.0),
    lambda a, b: ag.tanh(a) * b,
    lambda a, b: ag.sigmoid(a + b),
    lambda a, b: ag.maximum(a, b),
    lambda a, b: ag.gelu(a) - ag.softplus(b),
    lambda a, b: ag.where(a > b, a * 2.0, b),
    lambda a, b: (a * a + 0.5) ** 0.5 + b,
]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=6),
    st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3),
    st.booleans(),
)
def test_any_small_program(
    steps: list[tuple[int, int, int]], values: list[float], tensors: bool
) -> None:
    leaves = [Tensor(np.float64(v), requires_grad=True) if tensors else Scalar(v) for v in values]
    made: list[Any] = list(leaves)
    for operation, i, j in steps:
        made.append(OPERATIONS[operation](made[i % len(made)], made[j % len(made)]))
    loss = made[-1] * made[0]
    found = derive(loss)
    check(found)
    loss.backward()
    engine = [leaf.grad for leaf in leaves if leaf.grad is not None]
    assert len(found.gradients) == len(engine)
    # In order of making, which is that of the leaves.
    for told, grad in zip(found.gradients.values(), engine, strict=True):
        assert told == float(grad.value)


# --- Arrays ---------------------------------------------------------------------------------------


def test_matrix_forms_with_shapes() -> None:
    X, W = array(5, 3, grad=False), array(4, 3, seed=1)
    bias, t = array(4, seed=2), array(5, 4, seed=3, grad=False)

    def step() -> Any:
        y = ag.linear(X, W, bias)
        h = ag.tanh(y)
        loss = ((h - t) ** 2).mean()
        return loss

    found = derive(step)
    check(found)
    text = str(found)
    assert "y    = X·Wᵀ + bias   (5×4)" in text
    assert "∂h/∂y   = 1 - h²   for each element" in text
    assert re.search(r"G_y = d loss/d y +?= G_h ⊙ \(1 - h²\)   \(5×4\)", text)
    assert re.search(r"d loss/d W += G_yᵀ·X   \(4×3\)", text)
    assert re.search(r"d loss/d bias += sum\(G_y\)", text)
    assert re.search(r"= expand\(1\)/20   \(5×4\)", text)
    assert r"\frac{d\,\mathrm{loss}}{d\,W} & = G_{y}^{\top} \, X" in found.latex
    assert not found.paths
    step().backward()
    assert W.grad is not None
    np.testing.assert_allclose(found.gradients["W"], W.grad.numpy(), rtol=1e-12)


def test_small_arrays_are_written_out() -> None:
    x = Tensor(np.array([[1.0, -2.0], [0.5, 4.0]]), requires_grad=True)
    found = derive(lambda: (x * 2.0).sum())
    check(found)
    assert "v1 = x ⊙ 2" not in str(found)
    assert "v1 = x·2 = [[2, -4], [1, 8]]   (2×2)" in str(found)
    assert re.search(r"d L/d x += G_v1·2 = \[\[2, 2\], \[2, 2\]\]", str(found))
    assert r"\begin{bmatrix} 2 & -4 \\ 1 & 8 \end{bmatrix}" in found.latex


def test_broadcast_operands_get_a_sum() -> None:
    x, scale = array(3, 4), Scalar(0.5)
    found = derive(lambda: (x * scale).sum())
    check(found)
    assert re.search(r"d L/d scale += sum\(G_\w+ ⊙ x\)", str(found))
    assert isinstance(found.gradients["scale"], float)


def test_many_kinds_of_ops_in_one_graph() -> None:
    x, table = array(1, 1, 6, 6, grad=False), array(5, 4, seed=1)
    kernel, weight = array(2, 1, 3, 3, seed=2), array(3, 12, seed=3)

    def step() -> Any:
        image = ag.max_pool2d(ag.conv2d(x, kernel), 2).reshape(1, 8)
        rows = ag.embedding(ag.tensor([2]), table)
        both = ag.cat([ag.layer_norm(image, 8), rows], dim=1)
        scores = ag.softmax(both @ weight.mT, dim=1)[:, 0:3]
        loss = ag.cross_entropy(scores, ag.tensor([1]))
        return loss

    found = derive(step)
    check(found)
    text = str(found)
    assert "conv(x, kernel)" in text
    assert "[:, 0:3]" in text
    assert "split(G_both)" in text
    assert "normalised(v) = (v - mean(v))/std(v)" in text
    assert set(found.gradients) == {"kernel", "table", "weight"}


def test_an_op_without_a_formula(plain: Op) -> None:
    x = array(3)
    found = derive(lambda: plain(x, other=None).sum())
    check(found)
    assert "v1 = strange_derived(x)   (3)" in re.sub(r" = \[[^]]*\]", "", str(found))
    assert re.search(r"d L/d x += G_v1 ⊙ ∂strange_derived/∂x", str(found))


@pytest.fixture
def plain() -> Iterator[Op]:
    @structured(lambda g, y, x, other: 3.0 * g, infer=lambda x, *, other: x)
    def strange_derived(x, /, *, other):
        return x * 3.0

    yield strange_derived
    del OPS["strange_derived"]


# --- With respect to what -------------------------------------------------------------------------


def test_with_respect_to_some() -> None:
    a, b, c = Scalar(2.0), Scalar(3.0), Scalar(4.0)

    def step() -> Any:
        h = a * b
        loss = h * c
        return loss

    assert list(derive(step, "b").gradients) == ["b"]
    assert list(derive(step, [c, "a"]).gradients) == ["c", "a"]
    assert derive(step, "h").gradients == {"h": 4.0}
    only = derive(step, b)
    assert "d loss/d a" not in str(only)
    assert "∂loss/∂c" not in str(only)
    assert derive(step, "loss").gradients == {"loss": 1.0}


def test_what_is_not_reached_has_the_derivative_0() -> None:
    a, unused = Scalar(2.0), Scalar(3.0)
    condition = Tensor(np.array([1.0, -1.0]), requires_grad=True)
    found = derive(a * a, [unused])
    assert found.gradients == {"unused": 0.0}
    assert "d L/d unused = 0   (L does not depend on unused)" in str(found)
    check(found)
    found = derive(lambda: (ag.where(condition, a, 0.0)).sum(), [condition, a])
    assert found.gradients["condition"] == 0.0
    assert "each way from condition to L has a step without a derivative" in str(found)
    check(found)


def test_the_loss_may_be_a_leaf() -> None:
    x = Scalar(3.0)
    found = derive(x)
    assert found.gradients == {"x": 1.0}
    check(found)


def test_names_are_made_where_there_are_none_and_kept_apart() -> None:
    def loop(x: Any) -> Any:
        h = x
        for _ in range(3):
            h = ag.tanh(h * 0.5)
        v1 = h + 1.0
        return v1 * v1

    start = Scalar(1.0)
    found = derive(lambda: loop(start))
    check(found)
    labels = found.paths["start"][0][0]
    assert len(set(labels)) == len(labels)
    assert labels.count("v1") == 1
    assert {"h", "h_2", "h_3"} <= set(labels)


def test_numbered_layers_do_not_look_like_numbers() -> None:
    model = nn.Sequential(nn.Linear(3, 2, bias=False))
    x = array(4, 3, grad=False)
    found = derive(lambda: model(x).sum(), "0.weight")
    check(found)
    assert "x·[0].weightᵀ" in str(found)
    assert r"\frac{d\,L}{d\,\mathrm{[0].weight}} & = G_{v_{1}}^{\top} \, x" in found.latex
    assert list(found.gradients) == ["0.weight"]


def test_a_mask_that_is_known_is_decided() -> None:
    x = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)

    def root() -> Tensor:
        square = x.var()
        still = square == 0.0
        return ag.where(still, 0.0, ag.sqrt(ag.where(still, 1.0, square)))

    found = derive(root)
    check(found)
    assert "if" not in str(found)
    assert "square = sum((x - mean(x))²)/(3 - 1) = 1" in str(found)


def test_single_numbers_scale_arrays() -> None:
    x, s = array(3, 4), Scalar(2.0)
    found = derive(lambda: ((x * s) * x).sum() * s)
    assert "x·s " in str(found)
    assert re.search(r"v2 = v1 ⊙ x", str(found))


def test_strange_names() -> None:
    given = {
        "größe": Scalar(1.0),
        "a{b}$%": Scalar(2.0),
        "x\n\ty": Scalar(3.0),
        "loss_total": Scalar(4.0),
    }
    θ = Scalar(2.0)
    loss = θ * given["größe"] * given["a{b}$%"] * given["x\n\ty"] * given["loss_total"]
    found = derive(loss)
    check(found)
    assert r"\theta" in found.latex
    assert r"a\{b\}\$\%" in found.latex
    assert "\t" not in str(found)


# --- What cannot be written -----------------------------------------------------------------------


def test_a_graph_that_is_too_large() -> None:
    x = Scalar(1.0)
    y = x
    for _ in range(MAX_NODES - 1):
        y = ag.sin(y)
    derive(y)
    y = ag.sin(y)
    with pytest.raises(ValueError, match=rf"{MAX_NODES + 1} nodes.*zoom.*film"):
        derive(y)


def test_many_paths_are_summed_where_they_meet_and_not_listed() -> None:
    x = Scalar(0.5)
    y = x
    for _ in range(20):
        y = y + ag.sin(y)
    found = derive(y)
    assert not found.paths
    assert MAX_PATHS < 2**20
    y.backward()
    assert x.grad is not None
    assert found.gradients["x"] == x.grad.item()
    check(found)


def test_a_freed_graph() -> None:
    x = Scalar(2.0)
    loss = x * x
    loss.backward()
    with pytest.raises(ValueError, match="retain_graph=True"):
        derive(loss)
    loss = x * x
    loss.backward(retain_graph=True)
    assert derive(loss).gradients == {"x": 4.0}
    with record():
        loss = x * x
        loss.backward()
    assert derive(loss).gradients == {"x": 4.0}


def test_nothing_to_differentiate() -> None:
    with pytest.raises(ValueError, match="no output requires grad"):
        derive(Scalar(2.0, requires_grad=False))
    with pytest.raises(ValueError, match="no output requires grad"):
        derive(ag.tensor([1.0]).sum())
    with pytest.raises(ValueError, match="reduce it first"):
        derive(array(3) * 2.0)


def test_bad_input() -> None:
    x, constant = Scalar(2.0), Scalar(1.0, requires_grad=False)
    loss = x * constant
    with pytest.raises(TypeError, match=r"expected a Tensor or a Scalar.*not float"):
        derive(2.0)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="not NoneType"):
        derive(lambda: None)  # pyright: ignore[reportArgumentType, reportReturnType]
    with pytest.raises(ValueError, match=r"no variable is called 'z'.*\['loss', 'x'\]"):
        derive(loss, "z")
    with pytest.raises(TypeError, match="wrt must be variables or their names, not int"):
        derive(loss, [1])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="constant has requires_grad=False"):
        derive(loss, constant)


# --- Odd graphs -----------------------------------------------------------------------------------


def test_infinite_and_missing_numbers() -> None:
    x = Tensor(np.float64(0.0), requires_grad=True)
    with np.errstate(all="ignore"):
        found = derive(lambda: ag.log(x) * 2.0)
    check_latex(found.latex)
    assert "log(x) = log(0) = -∞" in str(found)
    assert "1/x = 1/0 = ∞" in str(found)
    missing = Scalar(math.nan)
    found = derive(missing * 2.0)
    check_latex(found.latex)
    assert "nan·2 = nan" in str(found)
    found = derive(Scalar(3.0) * 2.0)  # nobody holds the leaf: its value is gone
    assert "L = u1·2\n" in str(found)
    assert found.gradients == {"u1": 2.0}


def test_a_hook_that_changes_a_gradient_is_noted() -> None:
    x = Scalar(3.0)
    h = x * 2.0
    h.register_hook(lambda g: g * 10.0)
    found = derive(h * h)
    assert "(a hook changed the sum)" in str(found)
    assert found.gradients["x"] == 240.0
    assert not found.paths


def test_the_gradient_of_a_gradient() -> None:
    x = Scalar(0.5)
    (first,) = ag.grad(ag.tanh(x), [x], create_graph=True)
    found = derive(first)
    check(found)
    y = math.tanh(0.5)
    assert found.gradients["x"] == pytest.approx(-2.0 * y * (1.0 - y * y))


def test_empty_arrays_and_0d_tensors() -> None:
    nothing = Tensor(np.zeros((0, 3)), requires_grad=True)
    found = derive(lambda: (nothing * 2.0).sum())
    check(found)
    assert "(0×3)" in str(found)
    x = Tensor(np.float32(2.0), requires_grad=True)
    assert derive(lambda: x.sum() * x.mean()).gradients == {"x": 4.0}


def test_two_runs_write_the_same() -> None:
    def once() -> str:
        a, b = Scalar(2.0), Scalar(3.0)
        found = derive(ag.sin(a * b) + ag.exp(b) / a)
        return found.latex + str(found)

    assert once() == once()
