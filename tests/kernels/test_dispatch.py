from __future__ import annotations

import importlib.util
import inspect
import threading
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from autograd import kernels
from autograd.kernels import dispatch
from autograd.kernels.native import UNITS

FILE = Path(inspect.getfile(dispatch))


def load() -> ModuleType:
    """Return a copy of the module with a table and a mode of its own."""
    spec = importlib.util.spec_from_file_location("autograd.kernels.dispatch_copy", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(monkeypatch):
    monkeypatch.delenv("AUTOGRAD_KERNELS", raising=False)
    return load()


@pytest.fixture
def which(copy):
    """Return a kernel of that copy that says which of its twins ran."""

    @copy.reference
    def which(x, *, by):
        """Contract."""
        return ("reference", x * by)

    @copy.fast(which)
    def _fast(x, *, by):
        return ("fast", x * by)

    return which


def test_a_kernel_without_a_fast_twin_runs_its_reference(copy):
    @copy.reference
    def double(x):
        return 2 * x

    assert double(3) == 6
    with copy.use("reference"):
        assert double(3) == 6


def test_a_fast_twin_overrides_the_reference(copy, which):
    assert which(2, by=3) == ("fast", 6)
    assert which.__name__ == "which"
    assert which.__doc__ == "Contract."
    assert set(copy.TABLE["which"]) == set(copy.MODES)
    assert copy.implementation(which, "reference")(2, by=3) == ("reference", 6)
    assert copy.implementation(which, "fast")(2, by=3) == ("fast", 6)


def test_use_nests_and_unwinds(copy, which):
    with copy.use("reference"):
        assert copy.current_mode() == "reference"
        assert which(1, by=1)[0] == "reference"
        with copy.use("fast"):
            assert which(1, by=1)[0] == "fast"
        assert which(1, by=1)[0] == "reference"
    assert which(1, by=1)[0] == "fast"


def test_use_unwinds_after_an_error(copy):
    def fail():
        with copy.use("reference"):
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert copy.current_mode() == "fast"


def test_use_decorates_a_recursive_function(copy):
    @copy.use("reference")
    def modes(depth):
        return [copy.current_mode(), *(modes(depth - 1) if depth else [])]

    assert modes(2) == ["reference"] * 3
    assert copy.current_mode() == "fast"


def test_use_holds_for_its_own_thread_only(copy, which):
    inside, done = threading.Event(), threading.Event()
    seen = []

    def other():
        with copy.use("reference"):
            inside.set()
            done.wait(10)
            seen.append(which(1, by=1)[0])

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    assert which(1, by=1)[0] == "fast"
    done.set()
    thread.join()
    assert seen == ["reference"]


def test_the_environment_sets_the_default(monkeypatch):
    monkeypatch.setenv("AUTOGRAD_KERNELS", "reference")
    assert load().current_mode() == "reference"
    monkeypatch.setenv("AUTOGRAD_KERNELS", "")
    assert load().current_mode() == "fast"


def test_an_unknown_mode_is_refused_with_the_list(monkeypatch, copy, which):
    message = "unknown mode 'quick'; the modes are fast, reference"
    with pytest.raises(ValueError, match=f"kernels.use: {message}"):
        copy.use("quick")  # At the call, before any block is entered.
    with pytest.raises(ValueError, match=message):
        copy.implementation(which, "quick")
    monkeypatch.setenv("AUTOGRAD_KERNELS", "quick")
    with pytest.raises(ValueError, match=f"AUTOGRAD_KERNELS: {message}"):
        load()


def test_two_kernels_of_one_name_are_refused(copy, which):
    with pytest.raises(ValueError, match="'which' is already in the table"):
        copy.reference(which)


@pytest.mark.parametrize("name", sorted(dispatch.TABLE))
def test_every_kernel_is_public_has_a_contract_and_one_signature(name):
    row = dispatch.TABLE[name]
    kernel = getattr(kernels, name)
    assert kernel.__doc__
    assert kernel.__doc__ == row["reference"].__doc__
    assert set(row) == set(dispatch.MODES)
    for twin in row.values():
        if not inspect.isbuiltin(twin):  # compiled code: `dispatch.native` compared the names
            assert inspect.signature(twin) == inspect.signature(kernel)
    declared = (u.code.kernels[name] for u in UNITS.values() if name in u.code.kernels)
    compiled = any(kernel.otherwise is row["reference"] for kernel in declared)
    for parameter in inspect.signature(kernel).parameters.values():
        by_position = parameter.kind is not parameter.KEYWORD_ONLY
        is_array = "ndarray" in str(parameter.annotation).lower()
        # Compiled code takes everything by position, and so do its kernels.
        assert by_position if is_array or compiled else not by_position, parameter


def test_output_sizes_by_hand():
    def conv(size, kernel, stride, padding, dilation):
        return kernels.conv_output_size(
            size, kernel_size=kernel, stride=stride, padding=padding, dilation=dilation
        )

    assert conv((32, 32), (5, 5), (1, 1), (0, 0), (1, 1)) == (28, 28)
    assert conv((224, 7), (7, 3), (2, 3), (3, 1), (1, 2)) == (112, 2)
    assert conv((3,), (5,), (1,), (0,), (1,)) == (-1,)  # Does not fit: the caller says so.

    def pool(size, kernel, stride, padding, ceil_mode):
        return kernels.pool_output_size(
            (size,),
            kernel_size=(kernel,),
            stride=(stride,),
            padding=(padding,),
            dilation=(1,),
            ceil_mode=ceil_mode,
        )

    assert pool(5, 2, 2, 0, False) == (2,)
    assert pool(5, 2, 2, 0, True) == (3,)
    # Windows at -1, 2 and 5: the last would start in the far padding and is dropped.
    assert pool(5, 2, 3, 1, True) == (2,)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernels_run_through_the_public_names(dtype):
    x = np.ones((1, 1, 2, 2), dtype)
    for mode in kernels.MODES:
        with kernels.use(mode):
            assert kernels.softmax(x, axis=3).dtype == dtype
