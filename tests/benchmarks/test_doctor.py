"""Each finding of the doctor's, with its fault planted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.kernels.native.unit import UNITS
from benchmarks import __main__ as command
from benchmarks import clock, doctor
from benchmarks.subjects import SUBJECTS

ROOT = Path(__file__).resolve().parents[2]

HEAD = """
import numpy as np
from numba import njit, prange
import benchmarks

@benchmarks.kernel(reference=lambda x: x, sizes=[64], dtypes=["float64"])
"""
BODIES = {
    "running": """
@njit
def running(x):
    for i in range(1, x.size):
        x[i] = 0.5 * x[i - 1] + x[i]
    return x
""",
    "forgotten": """
@njit
def forgotten(x):
    for i in prange(x.size):
        x[i] = 2.0 * x[i]
    return x
""",
    "alone": """
@njit(parallel=True)
def alone(x):
    for i in range(1, x.size):
        x[i] = 0.5 * x[i - 1] + x[i]
    return x
""",
    "good": """
@njit
def good(x):
    for i in range(x.size):
        x[i] = 2.0 * x[i] + 1.0
    return x
""",
    "kept": """
@njit(cache=True)
def kept(x):
    for i in range(x.size):
        x[i] = 2.0 * x[i] + 1.0
    return x
""",
    "fails": """
def fails(x):
    raise ArithmeticError("no luck")
""",
}


@pytest.fixture(autouse=True)
def as_before():
    """Whatever a test enters is taken back."""
    known = dict(SUBJECTS)
    yield
    SUBJECTS.clear()
    SUBJECTS.update(known)


@pytest.fixture
def healthy(monkeypatch, tmp_path):
    """A machine without faults, whatever it is that the tests run on."""
    for name in (*doctor.BLAS_VARIABLES, "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor, "load_and_speed", lambda: iter(()))
    monkeypatch.setattr(doctor, "cold_units", list)
    monkeypatch.setattr(doctor, "CGROUP", tmp_path / "none")
    monkeypatch.setattr(doctor.roofs.Blas, "loaded", staticmethod(lambda: None))
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    monkeypatch.setenv("AUTOGRAD_CACHE_DIR", str(cache))
    return monkeypatch


def examined(name: str, tmp_path: Path, capsys) -> tuple[int, str]:
    path = tmp_path / f"{name}.py"
    path.write_text(HEAD + BODIES[name])
    SUBJECTS.pop(name, None)
    status = command.main(["doctor", str(path), "--threads", "1"])
    return status, capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("running", "no vector code"),
        ("forgotten", "prange without parallel=True"),
        ("alone", "parallel=True, but no loop is"),
        ("fails", "raised ArithmeticError: no luck"),
    ],
)
def test_faults_of_a_kernel(healthy, tmp_path, capsys, name, said):
    status, text = examined(name, tmp_path, capsys)
    assert status == 1
    assert f"{name}: " in text
    assert said in text
    assert "\n    -> " in text


def test_nothing_wrong_is_zero(healthy, tmp_path, capsys):
    assert examined("good", tmp_path, capsys) == (0, "no findings\n")
    assert command.main(["doctor", "--threads", "1"]) == 0


def test_a_cold_cache_of_numba_is_told_once(healthy, tmp_path, capsys):
    status, text = examined("kept", tmp_path, capsys)
    assert status == 1
    assert "was cold" in text
    assert examined("kept", tmp_path, capsys) == (0, "no findings\n")


def test_mistakes_of_the_user_are_two(capsys):
    assert command.main(["doctor", "no such kernel"]) == 2
    assert command.main(["doctor", "--threads", "0"]) == 2
    assert "expected at least 1" in capsys.readouterr().err


def test_settings_of_the_environment(tmp_path):
    file = tmp_path / "file"
    file.touch()
    (tmp_path / "__pycache__").touch()  # where Numba would go next
    kept = tmp_path / "kept.py"
    kept.write_text(HEAD + BODIES["kept"])
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": "64",
        "NUMBA_THREADING_LAYER": "workqueue",
        "NUMBA_NUM_THREADS": "999",
        "AUTOGRAD_CACHE_DIR": str(file / "below"),
        "NUMBA_CACHE_DIR": str(file / "below"),
        "XDG_CACHE_HOME": str(file / "below"),
    }
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks", "doctor", str(kept), "--threads", "999"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 1, told.stderr
    for said in (
        "999 threads are asked for by dagrad",
        "999 threads are asked for by NUMBA_NUM_THREADS",
        f"{file} is a file",
        "threads are those of workqueue",
        "Numba finds no folder",
    ):
        assert said in told.stdout
    if doctor.roofs.Blas.loaded() is not None:
        assert "oversubscribed BLAS" in told.stdout
        assert "OPENBLAS_NUM_THREADS=64" in told.stdout


def test_layers_that_cannot_be_had(monkeypatch):
    monkeypatch.setattr(doctor, "layer_loads", lambda kind: kind == "workqueue")
    for wanted, said in (
        ("nonsense", "none that Numba knows"),
        ("tbb", "cannot be had: workqueue"),
        ("default", "those of workqueue"),
    ):
        monkeypatch.setenv("NUMBA_THREADING_LAYER", wanted)
        (finding,) = doctor.threading_layer(parallel=False)
        assert said in str(finding)
    monkeypatch.setattr(doctor, "layer_loads", lambda kind: kind != "tbb")
    assert list(doctor.threading_layer(parallel=True)) == []
    monkeypatch.delenv("NUMBA_THREADING_LAYER")
    assert list(doctor.threading_layer(parallel=False)) == []


def test_a_busy_machine():
    if clock.machine_seconds() is None:
        pytest.skip("nobody counts the machine's time")
    endless = "print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", endless], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        found = [str(finding) for finding in doctor.load_and_speed(0.3)]
        other.kill()
    assert any(text.startswith("busy machine") for text in found)


def test_an_uneven_speed_and_a_throttled_container(monkeypatch, tmp_path):
    monkeypatch.setattr(clock.Load, "foreign", lambda self: 0.0)
    monkeypatch.setattr(doctor, "CPUFREQ", tmp_path)
    stopped = iter((3, 5))
    monkeypatch.setattr(doctor, "throttled_periods", lambda: next(stopped))
    monkeypatch.setattr(doctor, "loop_times", lambda seconds: [1e-3] * 80 + [1.3e-3] * 20)
    (tmp_path / "scaling_max_freq").write_text("1500000\n")
    (tmp_path / "cpuinfo_max_freq").write_text("3000000\n")
    text = "\n".join(map(str, doctor.load_and_speed()))
    for said in ("30% longer", "stopped this process 2 times", "1.50 of its 3.00 GHz"):
        assert said in text


def test_a_container_with_part_of_a_core(monkeypatch, tmp_path):
    for name in (*doctor.BLAS_VARIABLES, "NUMBA_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(doctor, "CGROUP", tmp_path)
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 7\nnr_periods 9\nnr_throttled 4\n")
    (finding,) = doctor.too_few_cores(1)
    assert "grants 0.5 cores to 1 threads" in str(finding)
    assert doctor.throttled_periods() == 4
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert list(doctor.too_few_cores(1)) == []


def test_our_cache(monkeypatch, tmp_path):
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    monkeypatch.setenv("AUTOGRAD_CACHE_DIR", str(open_to_all))
    (finding,) = doctor.unusable_cache()
    assert "other users can write it" in str(finding)
    monkeypatch.setenv("AUTOGRAD_CACHE_DIR", str(tmp_path / "new"))
    assert list(doctor.unusable_cache()) == []
    monkeypatch.setattr(doctor, "is_loaded", lambda unit: False)
    cold = doctor.cold_units()
    assert len(cold) == len(UNITS)
    (finding,) = doctor.cold_cache(cold, called=False)
    assert "no kernel is compiled yet" in str(finding)
    monkeypatch.setattr(doctor, "is_loaded", lambda unit: unit is UNITS[cold[0]])
    (finding,) = doctor.cold_cache(cold, called=True)
    assert f"{cold[0]} had to be compiled just now" in str(finding)
