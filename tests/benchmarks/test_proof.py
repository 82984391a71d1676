"""Machine code is read right: vectors, fused multiply-adds, parallel loops."""

from __future__ import annotations

import importlib.util
import warnings

import numba
import numpy as np
import pytest
from numba import njit, prange

from autograd import kernels
from autograd.kernels.native.target import target
from benchmarks import proof, rivals


@njit
def scaled(x):
    for i in range(x.size):
        x[i] = 2.0 * x[i] + 1.0
    return x


@njit
def running(x):
    for i in range(1, x.size):
        x[i] = 0.5 * x[i - 1] + x[i]
    return x


@njit(parallel=True)
def shared(x):
    y = np.empty_like(x)
    for i in prange(x.size):
        y[i] = 2.0 * x[i]
    return y


@njit(parallel=True)
def alone(x):
    for i in range(1, x.size):
        x[i] = 0.5 * x[i - 1] + x[i]
    return x


LINE = (np.ones(64),)


def test_a_loop_without_dependencies_is_vector_code():
    found = proof.of_dispatcher(scaled, LINE)
    assert found is not None
    assert found.bits >= 128
    assert found.packed > 0
    assert found.loops is None


def test_a_loop_whose_steps_wait_for_each_other_is_scalar():
    found = proof.of_dispatcher(running, LINE)
    assert found is not None
    assert (found.bits, found.packed) == (0, 0)
    assert found.scalar > 0
    assert str(found) == "scalar"


def test_parallel_loops_are_counted_not_believed():
    for function, words in (
        (shared, ", 1 parallel loop"),
        (alone, ", parallel=True, but no loop is"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert str(proof.of_dispatcher(function, LINE)).endswith(words)


def test_threads_are_those_that_were_asked_for():
    before = numba.get_num_threads()
    rivals.set_numba_threads(running, 1)
    assert numba.get_num_threads() == before
    try:
        rivals.set_numba_threads(lambda x: shared(x), 1)
        assert numba.get_num_threads() == 1
        rivals.set_numba_threads(shared, 999)  # more than there are: all of them
        assert numba.get_num_threads() >= before
    finally:
        numba.set_num_threads(before)


def test_what_was_never_compiled_is_not_judged():
    assert proof.of_dispatcher(njit(lambda x: x + 1.0)) is None
    assert proof.of_function(np.exp, LINE, "float64") is None


def test_numba_within_a_plain_function_is_found():
    def plain(x):
        return running(x)

    proof.of_dispatcher(running, LINE)
    assert str(proof.of_function(plain, LINE, "float64")) == "scalar"


def test_what_came_from_numbas_cache_is_read_too(tmp_path):
    path = tmp_path / "kept.py"
    path.write_text(
        "from numba import njit, prange\n"
        "@njit(parallel=True, cache=True)\n"
        "def kept(x):\n"
        "    for i in prange(x.size):\n"
        "        x[i] = 2.0 * x[i]\n"
        "    return x\n"
    )
    told, hits = [], []
    for _ in range(2):
        spec = importlib.util.spec_from_file_location("kept", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        told.append(str(proof.of_dispatcher(module.kept, LINE)))
        hits.append(bool(module.kept.stats.cache_hits))
    assert hits == [False, True]
    assert told[0] == told[1]
    assert told[0].endswith("1 parallel loop")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_our_kernels_use_the_widest_vectors(dtype):
    x = np.ones(64, dtype)
    kernels.exp(x)
    (call,) = proof.native_calls(kernels.exp, (x,))
    assert call.kernel == "exp"
    found = proof.of_function(kernels.exp, (x,), dtype)
    assert found is not None
    assert found.bits == target().bits
    assert found.fma == target().fma


def test_code_behind_a_register_is_found():
    x = np.ones((8, 8), np.float32)
    kernels.matmul(x, x)
    found = proof.of_function(kernels.matmul, (x, x), "float32")
    assert found is not None
    assert (found.bits, found.fma) == (target().bits, target().fma)
    text = """
0000000000000000 <a.run.f4>:
   0:\tmovabs $0x0,%rax
\t\t\t2: R_X86_64_64\t.text+0x10
   a:\tcall   *%rax
0000000000000010 <inner>:
  10:\tmulpd  %xmm1,%xmm2
"""
    assert proof.of_assembly(text, lambda name: name == "a.run.f4").bits == 128


def test_a_disassembly_tells_what_an_assembly_tells(monkeypatch):
    call = proof.NativeCall("embedding", "add_rows")
    with_tool = proof.of_native(call, "f4")
    monkeypatch.setattr(proof.shutil, "which", lambda _: None)
    text = proof.text_of.__wrapped__(call.unit)
    entry = proof.UNITS[call.unit].code.kernels[call.kernel].symbol("run", "f4")
    without = proof.of_assembly(text, lambda name: name == entry)
    assert with_tool.bits > 0
    assert (without.bits, without.packed) == (with_tool.bits, with_tool.packed)


def test_only_what_an_entry_calls_counts():
    text = """
0000000000000000 <a.run.f4>:
   0:\tcall   10 <helper>
   5:\tret
0000000000000010 <helper>:
  10:\tvmulps %ymm0,%ymm1,%ymm2
0000000000000020 <b.run.f4>:
  20:\tvfmadd213pd %zmm0,%zmm1,%zmm2
"""
    found = proof.of_assembly(text, lambda name: name.startswith("a."))
    assert (found.bits, found.packed, found.fma) == (256, 1, False)
    assert str(proof.of_assembly(text)) == "512-bit FMA"


def test_the_instructions_of_arm_are_known():
    assert str(proof.of_assembly("f:\n\tfmla\tv0.4s, v1.4s, v2.4s\n")) == "128-bit FMA"
    assert str(proof.of_assembly("f:\n\tfadd\td0, d1, d2\n")) == "scalar"
    assert str(proof.of_assembly("f:\n\tmov\tx0, x1\n")) == "no arithmetic on floats"
