"""Recurrent layers beside their references: odd sizes, falling batches, layouts, fences."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from autograd import kernels
from autograd.kernels.recurrent import SAMPLES
from tests.kernels.processes import run

CASES = [
    ([2, 2], 2, 1),
    ([1] * 5, 7, 3),
    ([5, 5, 3, 1], 17, 5),
    ([9, 9, 8, 2], 33, 32),
    ([13, 13, 7, 2, 2], 16, 8),
    ([3, 3, 3], 70, 64),
    ([17], 40, 3),
]
TOLERANCE = {
    np.float32: {"rtol": 2e-4, "atol": 2e-5},
    np.float64: {"rtol": 1e-10, "atol": 1e-12},
    np.float16: {"rtol": 0.0, "atol": 0.0},
}


class Calls:
    """All six kernels on one set of sizes; `call(name, arrays, params)` runs one."""

    def __init__(self, sizes, width, out, dtype, reverse) -> None:
        self.sizes = np.array(sizes, np.int64)
        self.total, self.batch = sum(sizes), sizes[0]
        self.width, self.out, self.dtype = width, out, dtype
        self.reverse = reverse
        self.rng = np.random.default_rng(0)

    def drawn(self, *shape):
        return (self.rng.standard_normal(shape) * 0.5).astype(self.dtype)

    def weight(self, *shape):
        return self.drawn(*shape) / self.dtype(shape[-1] ** 0.5)

    def all(self, call):
        """Forward and backward of each kind; what `call` returns is taken for the results."""
        total, batch, n = self.total, self.batch, self.width
        options = {"reverse": self.reverse}
        for relu in (False, True):
            weight, more = self.weight(n, n), {**options, "relu": relu}
            given = (self.drawn(total, n), self.drawn(batch, n), weight, self.sizes)
            flat, *kept = call("rnn_layer", given, more)
            given = (self.drawn(flat.size), *kept, weight, self.sizes)
            call("rnn_layer_backward", given, more)
        for bias in (None, self.drawn(3 * n)):
            weight = self.weight(3 * n, n)
            given = (self.drawn(total, 3 * n), self.drawn(batch, n), weight, bias, self.sizes)
            flat, *kept = call("gru_layer", given, options)
            given = (self.drawn(flat.size), *kept, weight, self.sizes)
            call("gru_layer_backward", given, options)
        for projection in (None, self.weight(self.out, n)):
            out = n if projection is None else self.out
            weight, states = self.weight(4 * n, out), (self.drawn(batch, out), self.drawn(batch, n))
            given = (self.drawn(total, 4 * n), *states, weight, projection, self.sizes)
            flat, *kept = call("lstm_layer", given, options)
            given = (self.drawn(flat.size), *kept, weight, projection, self.sizes)
            call("lstm_layer_backward", given, options)


def same(found, wanted, **tolerance):
    for x, y in zip(found, wanted, strict=True):
        if y is None:
            assert x is None
            continue
        assert x.shape == y.shape
        assert x.dtype == y.dtype
        np.testing.assert_allclose(x, y, **tolerance)


def beside_reference(name, given, options):
    kernel = getattr(kernels, name)
    before = [np.copy(a) if isinstance(a, np.ndarray) else a for a in given]
    wanted = kernels.implementation(kernel, "reference")(*given, **options)
    same(kernel(*given, **options), wanted, **TOLERANCE[given[0].dtype.type])
    for a, b in zip(given, before, strict=True):
        np.testing.assert_array_equal(a, b)
    return wanted


def compare_all(cases=CASES):
    for sizes, width, out in cases:
        for dtype in (np.float32, np.float64):
            for reverse in (False, True):
                Calls(sizes, width, out, dtype, reverse).all(beside_reference)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize(("sizes", "width", "out"), CASES, ids=str)
def test_as_the_reference(sizes, width, out, dtype, reverse):
    Calls(sizes, width, out, dtype, reverse).all(beside_reference)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_samples(sample):
    width = sample.shapes[0][1]
    Calls(sample.params["sizes"], width, width // 4, np.float32, False).all(beside_reference)


def test_the_number_of_threads_does_not_count():
    before = kernels.get_num_threads()
    found = []

    def keep(name, given, options):
        result = getattr(kernels, name)(*given, **options)
        found[-1].append(result)
        return result

    try:
        for count in (1, 2):
            kernels.set_num_threads(count)
            found.append([])
            Calls([30, 30, 25, 4], 64, 32, np.float32, False).all(keep)
    finally:
        kernels.set_num_threads(before)
    for a, b in zip(*found, strict=True):
        same(a, b, rtol=0, atol=0)


def test_company_does_not_count():
    """A sequence by itself gives what it gives in a batch, bit for bit."""
    calls = Calls([11] * 9, 40, 40, np.float32, False)
    inputs, weight = calls.drawn(99, 160), calls.weight(160, 40)
    h, c = calls.drawn(11, 40), calls.drawn(11, 40)
    flat, *_ = kernels.lstm_layer(inputs, h, c, weight, None, calls.sizes, reverse=False)
    alone, *_ = kernels.lstm_layer(
        inputs[3::11], h[3:4], c[3:4], weight, None, np.ones(9, np.int64), reverse=False
    )
    np.testing.assert_array_equal(flat.reshape(-1, 40)[3::11], alone.reshape(-1, 40))


def test_any_layout():
    def relaid(name, given, options):
        kernel = getattr(kernels, name)
        strange = []
        for a in given:
            if isinstance(a, np.ndarray) and a.dtype.kind == "f":
                a = np.asfortranarray(a)[::-1][::-1]
                a.flags.writeable = False
            strange.append(a)
        same(kernel(*strange, **options), kernel(*given, **options), rtol=1e-12, atol=1e-13)
        return kernel(*given, **options)

    Calls([5, 5, 3, 1], 17, 5, np.float64, False).all(relaid)


@pytest.mark.parametrize("sizes", [[0, 0, 0], [0]])
def test_no_sequences(sizes):
    Calls(sizes, 3, 2, np.float64, True).all(beside_reference)


def test_what_is_not_a_number_stays_in_its_sequence():
    calls = Calls([3, 3], 20, 20, np.float64, False)
    inputs, states = calls.drawn(6, 80), (calls.drawn(3, 20), calls.drawn(3, 20))
    inputs[1, 3] = np.nan
    flat, *_ = kernels.lstm_layer(
        inputs, *states, calls.weight(80, 20), None, calls.sizes, reverse=False
    )
    rows = np.isnan(flat.reshape(-1, 20)).any(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(rows), [1, 4, 7, 10])


def test_large_numbers_saturate():
    calls = Calls([2], 20, 20, np.float32, False)
    inputs = np.where(np.arange(160).reshape(2, 80) % 2, 1e30, -1e30).astype(np.float32)
    states = np.zeros((2, 20), np.float32), np.zeros((2, 20), np.float32)
    for kernel in (kernels.lstm_layer, kernels.implementation(kernels.lstm_layer, "reference")):
        flat, *_ = kernel(inputs, *states, calls.weight(80, 20), None, calls.sizes, reverse=False)
        assert np.isfinite(flat).all()
        assert np.abs(flat).max() <= 1


FENCED = """
from tests.kernels.fence import fenced
from tests.kernels.test_recurrent import CASES, compare_all
compare_all(CASES[:1])
with fenced({side!r}):
    compare_all()
print("done")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="fences are pages of POSIX")
@pytest.mark.parametrize("side", ["after", "before"])
def test_nothing_beyond_the_arrays(side):
    done = run(FENCED.format(side=side))
    assert "done" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["avx2", "generic"])
def test_lesser_vector_units(unit):
    from autograd.kernels.native.target import available

    if unit not in available():
        pytest.skip(f"this CPU has no {unit}")
    code = "from tests.kernels.test_recurrent import compare_all; compare_all(); print('done')"
    done = run(code, AUTOGRAD_SIMD=unit)
    assert "done" in done.stdout, done.stdout + done.stderr
