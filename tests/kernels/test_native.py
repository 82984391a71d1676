"""Compiled kernels as such: signatures, checked calls, results, and when there is no compiler."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import kernels
from autograd.kernels import dispatch
from autograd.kernels.native import UNITS, Unit, layout, objects
from autograd.kernels.native.signature import parsed
from tests.kernels.processes import run
from tests.kernels.units import UNIT


def test_a_signature_names_arguments_results_and_sizes():
    kernel = parsed("f(x: T[*rows, c], w: f8[c, k]!, b: T[k]?, a: float, n: int) -> y: T[n, k]", ())
    assert [p.name for p in kernel.arguments] == ["x", "w", "b", "a", "n"]
    assert kernel.symbols == ("rows", "c", "k", "n")
    x, w, b, a, n = kernel.arguments
    assert (x.leading, x.dims, w.written, b.optional) == (True, ("rows", "c"), True, True)
    assert (a.kind, n.kind, w.element) == ("float", "int", "f8")
    assert kernel.results[0].dims == ("n", "k")


@pytest.mark.parametrize(
    "signature",
    [
        "f",
        "f(x)",
        "f(x: q[n])",
        "f(x: T[n) -> y: T[n]",
        "f(x: T[n]) -> y: T[m]",
        "f(x: T[n]) -> y: T like z",
    ],
)
def test_a_wrong_signature_is_refused(signature):
    with pytest.raises(ValueError, match="kernel signature"):
        parsed(signature, ("f4",))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arguments_reach_the_body_and_results_come_back(dtype):
    x = np.arange(6, dtype=dtype).reshape(2, 3)
    y, sums = UNIT.scaled(x, 2.0)
    assert y.dtype == sums.dtype == dtype
    assert y.tolist() == (2 * x).tolist()
    assert sums.tolist() == (2 * x).sum(1).tolist()


def odd_layouts() -> list[Any]:
    base = np.arange(24, dtype=np.float32).reshape(4, 6)
    readonly = base.copy()
    readonly.flags.writeable = False
    unaligned = np.frombuffer(b"x" + base.tobytes(), np.float32, offset=1).reshape(4, 6)
    assert not unaligned.flags.aligned
    return [
        pytest.param(base[::-1], id="negative stride"),
        pytest.param(base.T, id="transposed"),
        pytest.param(base[:, ::2], id="strided"),
        pytest.param(np.broadcast_to(base[0], (5, 6)), id="broadcast"),
        pytest.param(readonly, id="read-only"),
        pytest.param(unaligned, id="unaligned"),
        pytest.param(base.astype(">f4"), id="big-endian"),
        pytest.param(base[:0], id="no rows"),
        pytest.param(base[:, :0], id="no columns"),
        pytest.param(np.ones((1, 1), np.float32), id="one"),
        pytest.param(base[:1, ::-1][:, :1], id="one, of another's memory"),
    ]


@pytest.mark.parametrize("x", odd_layouts())
def test_every_layout_gives_the_right_answer(x):
    y, sums = UNIT.scaled(x, 3.0)
    assert y.flags.c_contiguous
    assert y.shape == x.shape
    assert (y == 3 * x).all()
    assert (sums == (3 * x).sum(1)).all()


def test_leading_dimensions_are_one_symbol():
    for shape in [(5,), (2, 5), (2, 3, 5), (2, 0, 5)]:
        y, sums = UNIT.scaled(np.ones(shape, np.float32), 1.0)
        assert y.shape == shape
        assert sums.shape == (int(np.prod(shape[:-1])),)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (([1.0],), TypeError, "takes 2 arguments, not 1"),
        ((np.ones((2, 3), int), 1.0), TypeError, "int64"),
        ((np.ones((2, 3), np.float16), 1.0), TypeError, "float16"),
        ((np.ones((), np.float32), 1.0), ValueError, r"x has shape \(\)"),
        ((np.ones((2, 3), np.float32), "2"), (TypeError, ValueError), "."),
        ((None, 1.0), (TypeError, ValueError), "."),
    ],
)
def test_what_does_not_fit_is_refused(args, error, message):
    with pytest.raises(error, match=message):
        UNIT.scaled(*args)


def test_sizes_must_agree_before_anything_is_written():
    out = np.full((2, 3), 7.0, np.float32)
    with pytest.raises(ValueError, match=r"kernel add_into: x has shape \(2, 4\)"):
        UNIT.add_into(out, np.ones((2, 4), np.float32), None, 3)
    with pytest.raises(ValueError, match="bias has shape"):
        UNIT.add_into(out, np.ones((2, 3), np.float32), np.ones(2, np.float32), 3)
    with pytest.raises(ValueError, match="cols is 4, expected 3"):
        UNIT.add_into(out, np.ones((2, 3), np.float32), None, 4)
    with pytest.raises(TypeError, match="float32 and float64"):
        UNIT.add_into(out, np.ones((2, 3)), None, 3)
    assert (out == 7).all()


def test_an_array_that_is_written_must_allow_it():
    out = np.zeros((2, 3), np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out is read-only"):
        UNIT.add_into(out, np.ones((2, 3), np.float32), None, 3)


def test_a_strided_array_is_written_in_place():
    whole = np.zeros((3, 4), np.float32)
    UNIT.add_into(whole.T[:2], np.ones((2, 3), np.float32), np.arange(3, dtype=np.float32), 3)
    assert whole[:, :2].tolist() == [[1, 1], [2, 2], [3, 3]]
    assert not whole[:, 2:].any()


def test_an_object_is_taken_by_its_value_not_its_name():
    """A subclass of ndarray, whose memory may mean something else, goes through NumPy."""

    class Odd(np.ndarray):
        pass

    y, _ = UNIT.scaled(np.ones((2, 2), np.float32).view(Odd), 2.0)
    assert type(y) is np.ndarray
    assert y.sum() == 8


def test_references_are_counted():
    x = np.ones((4, 4), np.float32)
    before = sys.getrefcount(x), sys.getrefcount(None), sys.getrefcount(x.dtype)
    for _ in range(100):
        UNIT.scaled(x, 1.0)
        UNIT.add_into(x, x, None, 4)
    after = sys.getrefcount(x), sys.getrefcount(None), sys.getrefcount(x.dtype)
    assert all(abs(b - a) < 50 for a, b in zip(before, after, strict=True))


def test_every_unit_declares_what_its_source_defines():
    """Loads all units: a kernel without a body, or a body of another form, fails here."""
    for unit in list(UNITS.values()):
        unit.load()
        assert unit.code.kernels.keys() <= vars(unit).keys()


def test_an_unknown_kernel_is_an_attribute_error():
    with pytest.raises(AttributeError, match="declares no kernel 'nothing'"):
        _ = UNIT.nothing


def test_the_layout_of_arrays_is_verified(monkeypatch):
    from autograd.kernels.native.process import runtime

    core = runtime()
    core.check_layout()
    monkeypatch.setattr(layout, "SHAPE", layout.SHAPE + 8)
    with pytest.raises(RuntimeError, match="lays arrays out"):
        core.check_layout()


def test_without_a_compiler_numpy_computes(tmp_path):
    """Numba cannot be imported and nothing is cached: one warning, right results."""
    code = """
import sys, warnings
sys.modules["numba"] = None
import numpy as np
from autograd import kernels
x = np.array([-1.0, 2.0], np.float32)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert kernels.relu(x).tolist() == [0, 2]
    assert kernels.relu_backward(x, x).tolist() == [0, 2]
assert [str(w.message) for w in caught][0].startswith("no compiled kernels here"), caught
assert len(caught) == 1, caught
"""
    done = run(code, AUTOGRAD_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr


def test_a_wrong_width_is_named(tmp_path):
    code = "from autograd.kernels.native.target import target; target()"
    done = run(code, AUTOGRAD_SIMD="avx1024")
    assert "AUTOGRAD_SIMD='avx1024': the names are avx512, avx2, neon, generic" in done.stderr


def test_importing_does_not_import_the_compiler():
    code = "import sys, autograd, nn, optim; assert not {'numba', 'llvmlite'} & sys.modules.keys()"
    assert run(code).returncode == 0


def test_a_gradient_from_a_warm_cache_does_not_import_numba():
    code = """
import sys, numpy as np, autograd
def step():
    x = autograd.tensor(np.ones((4, 4), np.float32), requires_grad=True)
    autograd.relu(x).sum().backward()
    return x.grad
step()
assert "numba" not in sys.modules or {warm!r} == "0"
"""
    assert run(code.replace("{warm!r}", "'0'")).returncode == 0  # compiles what is missing
    done = run(code.replace("{warm!r}", "'1'"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_reference_mode_loads_nothing():
    code = """
import sys, numpy as np
from autograd import kernels
kernels.relu(np.ones(3, np.float32))
assert not {"numba", "llvmlite"} & sys.modules.keys()
"""
    assert run(code, AUTOGRAD_KERNELS="reference").returncode == 0


def test_a_unit_is_made_anew_when_its_source_changes(monkeypatch, tmp_path):
    for file in Path(layout.__file__).parent.glob("*.py"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("autograd.kernels.native.objects.FOLDER", tmp_path)
    code = UNITS["elementwise"].code
    before = objects.key(code)
    assert objects.key(code) == before
    with (tmp_path / "simd.py").open("a") as file:
        file.write("# changed\n")
    assert objects.key(code) != before


def test_the_table_survives_a_unit_that_fails(monkeypatch):
    broken = Unit("broken", "autograd.kernels.native.nowhere")
    monkeypatch.delitem(UNITS, "broken")
    broken.kernel("f(x: T[n])")
    monkeypatch.setitem(dispatch.TABLE, "f", {"fast": len, "reference": len})
    dispatch._override("f", (broken,), lambda: broken.f, len)
    with pytest.warns(RuntimeWarning, match="no compiled kernels here"):
        assert dispatch.TABLE["f"]["fast"]([1, 2]) == 2
    assert dispatch.TABLE["f"]["fast"] is len


def test_a_native_twin_has_its_kernels_parameters(monkeypatch):
    unit = Unit("wrong", "autograd.kernels.native.nowhere")
    monkeypatch.delitem(UNITS, "wrong")
    with pytest.raises(ValueError, match="does not have the name and the parameters of 'relu'"):
        dispatch.native(kernels.relu, unit, "relu(y: T[n]) -> x: T[n]")


def test_numba_goes_on_after_a_unit_was_compiled(tmp_path):
    """What its engine kept of our modules it linked at the user's next function, and crashed."""
    code = """
import numba
import numpy as np
from autograd import kernels

x = np.linspace(-1.0, 1.0, 9)
kernels.take_rows(np.eye(3), np.array([1]), skip=-1)


@numba.njit
def doubled(x):
    return 2.0 * x


assert np.array_equal(doubled(x), 2.0 * x)
print("ok")
"""
    done = run(code, AUTOGRAD_CACHE_DIR=str(tmp_path))
    assert (done.returncode, done.stdout.strip()) == (0, "ok"), done.stderr
