"""Compiled code on disk: believed only when it is whole and ours, and never in anybody's way."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

import pytest

from autograd.kernels.native import cache
from tests.kernels.processes import run, start

KEY = "0123456789abcdef" * 4
PAYLOAD = b"machine code" * 100


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    place = tmp_path / "kernels"
    monkeypatch.setenv("AUTOGRAD_CACHE_DIR", str(place))
    monkeypatch.setattr(cache, "_warned", set())
    return place


def test_what_is_kept_is_found(folder):
    assert cache.load("unit", KEY) is None
    cache.keep("unit", KEY, PAYLOAD)
    assert cache.load("unit", KEY) == PAYLOAD
    assert cache.load("unit", KEY[::-1]) is None
    assert cache.load("other", KEY) is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.suffix for file in folder.iterdir()] == [".o"]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda b: b"", id="empty"),
        pytest.param(lambda b: b[: len(b) // 2], id="truncated"),
        pytest.param(lambda b: b[:-1], id="one byte short"),
        pytest.param(lambda b: b + b"x", id="one byte more"),
        pytest.param(lambda b: b[:200] + bytes([b[200] ^ 1]) + b[201:], id="one bit"),
        pytest.param(lambda b: b[48:], id="no head"),
        pytest.param(lambda b: b"\x7fELF" + b[4:], id="foreign"),
    ],
)
def test_a_spoilt_file_is_made_anew(folder, spoil):
    cache.keep("unit", KEY, PAYLOAD)
    (file,) = folder.glob("*.o")
    file.write_bytes(spoil(file.read_bytes()))
    assert cache.load("unit", KEY) is None
    assert cache.obtain("unit", KEY, lambda: PAYLOAD) == PAYLOAD
    assert cache.load("unit", KEY) == PAYLOAD


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_may_write_is_not_believed(folder, mode):
    cache.keep("unit", KEY, PAYLOAD)
    folder.chmod(mode)
    assert cache.load("unit", KEY) is None
    with pytest.warns(RuntimeWarning, match="can be written by other users"):
        assert cache.obtain("unit", KEY, lambda: b"made") == b"made"


def test_a_full_disk_costs_one_warning_and_leaves_nothing(folder, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    folder.mkdir()
    folder.chmod(0o700)
    monkeypatch.setattr(cache.os, "fdopen", full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        assert cache.obtain("unit", KEY, lambda: PAYLOAD) == PAYLOAD
    assert cache.obtain("second", KEY, lambda: PAYLOAD) == PAYLOAD  # and no second warning
    assert [file.name for file in folder.iterdir()] == ["lock"]


def test_a_folder_that_cannot_be_made_costs_one_warning(tmp_path, folder, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOGRAD_CACHE_DIR", str(tmp_path / "file" / "below"))
    with pytest.warns(RuntimeWarning, match="every process will compile its own"):
        assert cache.obtain("unit", KEY, lambda: PAYLOAD) == PAYLOAD


def test_without_a_home_folder(folder, monkeypatch):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    for name in ("AUTOGRAD_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cache.Path, "home", nobody)
    with pytest.warns(RuntimeWarning, match="home directory"):
        assert cache.obtain("unit", KEY, lambda: PAYLOAD) == PAYLOAD


def test_where_the_folder_is(monkeypatch):
    monkeypatch.setattr(cache.sys, "platform", "linux")
    monkeypatch.delenv("AUTOGRAD_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.folder() == Path("/somewhere/dagrad")
    monkeypatch.setenv("AUTOGRAD_CACHE_DIR", "/elsewhere")
    assert cache.folder() == Path("/elsewhere")


def test_a_failed_compilation_keeps_nothing(folder):
    with pytest.raises(ZeroDivisionError):
        cache.obtain("unit", KEY, lambda: b"%d" % (1 // 0))
    assert cache.load("unit", KEY) is None
    assert cache.obtain("unit", KEY, lambda: PAYLOAD) == PAYLOAD  # the lock is free again


CALL = """
import numpy as np
from tests.kernels.units import UNIT
y, sums = UNIT.scaled(np.array([[-1.0, 2.0]]), 2.0)
assert y.tolist() == [[-2, 4]] and sums.tolist() == [2]
"""


def test_four_first_runs_at_once_compile_once(folder):
    processes = [start(CALL, AUTOGRAD_CACHE_DIR=str(folder)) for _ in range(4)]
    said = ""
    for process in processes:
        with process:
            _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        said += err
    assert said.count("compiling tests kernels") == 1
    assert said.count("compiling runtime kernels") == 1
    assert len(list(folder.glob("*.o"))) == 2
    assert not list(folder.glob("*.part"))


def test_a_process_killed_while_it_compiles_blocks_nobody(folder):
    with start(CALL, AUTOGRAD_CACHE_DIR=str(folder)) as first:
        deadline = time.monotonic() + 60
        while not (folder / "lock").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        first.communicate()
    done = run(CALL, AUTOGRAD_CACHE_DIR=str(folder))
    assert done.returncode == 0, done.stderr


def test_a_spoilt_object_is_compiled_again_by_the_next_process(folder):
    assert run(CALL, AUTOGRAD_CACHE_DIR=str(folder)).returncode == 0
    for file in folder.glob("*.o"):
        file.write_bytes(file.read_bytes()[:-100])
    done = run(CALL, AUTOGRAD_CACHE_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("compiling") == 2
    done = run(CALL, AUTOGRAD_CACHE_DIR=str(folder))
    assert done.stderr == ""


def test_warming_up_leaves_nothing_to_compile(folder):
    warm = "from autograd.__main__ import main; main(['warmup'])"
    done = run(warm, AUTOGRAD_CACHE_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    assert "units ready" in done.stdout
    assert "compiling kernels: 100%" in done.stderr
    call = "import numpy as np, autograd; autograd.relu(np.ones(3))"
    assert run(call, AUTOGRAD_CACHE_DIR=str(folder)).stderr == ""
