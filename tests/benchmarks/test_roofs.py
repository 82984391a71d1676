"""The measured roofs: they are of this machine, in order, and cost little."""

from __future__ import annotations

import json
import os

import pytest

import autograd
from benchmarks import __main__ as command
from benchmarks import roofs, tables
from benchmarks.proof import of_assembly
from benchmarks.subjects import SUBJECTS
from benchmarks.trial import Result


def made(**changes) -> roofs.Roof:
    whole = {
        "threads": 1,
        "dtype": "float32",
        "fma": 100e9,
        "ours": 90e9,
        "numpy": 40e9,
        "triad": 10e9,
        "bandwidths": ((1000, 200e9), (10_000, 50e9), (100_000, 12e9)),
    }
    return roofs.Roof(**{**whole, **changes})


def test_a_call_is_bound_by_arithmetic_or_by_memory():
    one = made()
    assert one.seconds(100e9, 8.0) == pytest.approx(1.0)
    assert one.seconds(8.0, 12e6) == pytest.approx(1e-3)
    assert made(ours=200e9).peak == 200e9


def test_each_size_has_the_bandwidth_of_its_cache():
    one = made()
    assert [one.bandwidth(b) for b in (0, 1000, 1001, 1e9)] == [200e9, 200e9, 50e9, 12e9]
    disturbed = made(bandwidths=((1000, 1e9), (10_000, 50e9), (100_000, 12e9)))
    assert disturbed.bandwidth(10) == 50e9


def test_what_is_measured_is_possible():
    before = autograd.get_num_threads()
    one = roofs.roof(1, "float32")
    assert roofs.roof(1, "float32") is one
    assert autograd.get_num_threads() == before
    assert one.fma > 1e8
    assert one.triad > 1e7
    assert one.peak >= max(one.fma, one.ours)
    assert len(roofs.header(2, ["float32"])) <= 100


def test_threads_that_are_timed_together_have_cores_of_their_own():
    before, found = os.sched_getaffinity(0), {}
    roofs.together(lambda i: found.update({i: os.sched_getaffinity(0)}), 2)
    assert all(len(cores) == 1 for cores in found.values())
    assert len(set.union(*found.values())) == min(2, len(before))
    assert os.sched_getaffinity(0) == before


def test_blas_gets_its_threads_back():
    blas = roofs.Blas.loaded()
    if blas is None:
        pytest.skip("NumPy's BLAS is not OpenBLAS")
    before = blas.threads
    roofs.roof.__wrapped__(2, "float64")
    assert blas.threads == before


def test_the_multiply_adds_are_what_the_machine_has():
    from autograd.kernels.native.build import optimise
    from autograd.kernels.native.simd import Module
    from autograd.kernels.native.target import machine, target

    vectors = Module("f4", target())
    roofs.loops(vectors)
    whole = roofs.llvm.parse_assembly(str(vectors))
    optimise(whole, machine())
    found = of_assembly(machine().emit_assembly(whole))
    assert found.bits == target().bits
    assert found.fma == target().fma


def test_the_part_of_the_roof_stands_in_the_table():
    result = Result("k", 10, "float32", 1, roof=0.5)
    assert tables.percent(result.roof) == "50%"
    assert tables.percent(None) == "-"


def test_thread_counts_are_compared(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(
        "import autograd, benchmarks, itertools, numpy as np\n"
        "calls = itertools.count()\n"
        "enter = benchmarks.kernel(reference=lambda x: x, sizes=[100], dtypes=['float64'],\n"
        "                          tolerance=1e-3, name='t.same')\n"
        "enter(lambda x: x.copy())\n"
        "enter = benchmarks.kernel(reference=lambda x: x, sizes=[100], dtypes=['float64'],\n"
        "                          tolerance=1e-3, name='t.by threads')\n"
        "enter(lambda x: x * (1.0 + 1e-9 * autograd.get_num_threads()))\n"
        "enter = benchmarks.kernel(reference=lambda x: x, sizes=[100], dtypes=['float64'],\n"
        "                          tolerance=1e-3, name='t.by call')\n"
        "enter(lambda x: x * (1.0 + 1e-12 * next(calls)))\n"
    )
    known, threads = dict(SUBJECTS), autograd.get_num_threads()
    table, out = tmp_path / "out.md", tmp_path / "out.json"
    words = ["run", str(path), "--threads", "2", "--threads", "1"]
    words += ["--folder", str(tmp_path), "--markdown", str(table), "--json", str(out)]
    try:
        assert command.main(words) == 0
    finally:
        SUBJECTS.clear()
        SUBJECTS.update(known)
        autograd.set_num_threads(threads)
    text = capsys.readouterr().out
    for words in ("fewest threads; bits: =", "fewest threads; bits: differs", "1t: FMA", "2t: FMA"):
        assert words in text
    found = {r["key"]: r for r in json.loads(out.read_text())}
    same = {key: r["same_bits"] for key, r in found.items()}
    assert same == {
        "t.same 100 float64 1t": None,
        "t.same 100 float64 2t": True,
        "t.by threads 100 float64 1t": None,
        "t.by threads 100 float64 2t": False,
        "t.by call 100 float64 1t": None,
        "t.by call 100 float64 2t": False,
    }
    one, two = found["t.same 100 float64 1t"], found["t.same 100 float64 2t"]
    assert two["scaling"] == pytest.approx(one["seconds"]["median"] / two["seconds"]["median"])
    assert two["roof"] > 0.0
    assert table.read_text().count("differs") == 2
