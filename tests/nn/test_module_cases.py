"""Every module beside PyTorch's: outputs, gradients and buffers, in training and evaluation."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.nn.cases import KINDS, REFERENCES, Case, Here, There, cases, joined, run

RELATIVE = 1e-9
ALL = [
    pytest.param(kind, case, mode, id=f"{case.name}, {mode}")
    for kind in KINDS
    for case in cases(kind)
    for mode in case.modes
]


@cache
def references(kind: str) -> dict[str, np.ndarray]:
    path = REFERENCES / f"{kind}.safetensors"
    return load_file(path) if path.exists() else {}


def close(ours: np.ndarray, expected: np.ndarray, what: str) -> None:
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    np.testing.assert_allclose(ours, expected, rtol=RELATIVE, atol=RELATIVE * scale, err_msg=what)


@pytest.mark.parametrize(("kind", "case", "mode"), ALL)
def test_as_kept_from_pytorch(kind: str, case: Case, mode: str):
    expected = references(kind).get(f"{case.name}, {mode}")
    assert expected is not None, f"not kept yet: run `python -m tests.nn.make_references {kind}`"
    found = run(case, mode, Here())
    assert joined(found).size == expected.size, f"{sorted(found)} have other sizes than PyTorch's"
    start = 0
    for name in sorted(found):
        part = expected[start : start + found[name].size]
        close(found[name].ravel(), part, f"{case.name}, {mode}: {name}")
        start += part.size


@pytest.mark.parametrize(("kind", "case", "mode"), ALL)
def test_as_in_pytorch(torch, kind: str, case: Case, mode: str):
    ours, theirs = run(case, mode, Here()), run(case, mode, There(torch))
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        assert ours[name].shape == expected.shape, name
        close(ours[name], expected, f"{case.name}, {mode}: {name}")


def test_nothing_is_kept_of_cases_that_are_gone():
    for kind in KINDS:
        names = {f"{case.name}, {mode}" for case in cases(kind) for mode in case.modes}
        assert set(references(kind)) == names
