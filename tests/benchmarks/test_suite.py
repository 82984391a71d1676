"""Every subject of the suite is right, and so are its rivals, before anybody takes its time."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import pytest

from benchmarks import plan, rivals, trial
from benchmarks.subjects import Size, Subject

plan.enter_suite()
SUITE = plan.SUITE
PAIRS = [(name, dtype) for name, subject in SUITE.items() for dtype in subject.dtypes]


def smallest(subject: Subject) -> Size:
    """A size that costs little: two of a batch for whole steps, else the smallest that there is."""
    if subject.name.startswith("step."):
        return 2

    def volume(size: Any) -> int:
        return math.prod(size) if isinstance(size, tuple) else size

    return min(subject.sizes, key=volume)


@pytest.mark.parametrize(("name", "dtype"), PAIRS)
def test_ours_is_right(name, dtype):
    subject = SUITE[name]
    inputs, right = trial.exact(subject, smallest(subject), dtype)
    limit = subject.tolerance[dtype]
    call, found, problem = trial.checked(trial.OURS, subject.function, inputs, right, limit)
    assert problem == ""
    assert call is not None
    assert len(found) == subject.calls


def others(*libraries: str) -> list[Any]:
    return [
        pytest.param(name, rival, id=f"{name}-{rival}")
        for name, subject in SUITE.items()
        for rival in subject.rivals
        if rivals.library_of(rival) in libraries and not rival.startswith("torch.compile")
    ]


def check_rival(name: str, rival: str) -> None:
    subject = SUITE[name]
    if not rivals.installed(rival):
        pytest.skip(f"{rivals.library_of(rival)} is not installed")
    dtype = subject.dtypes[0]
    inputs, right = trial.exact(subject, smallest(subject), dtype)
    words = rival, subject.rivals[rival], inputs, right, subject.tolerance[dtype]
    assert trial.checked(*words)[2] == ""


@pytest.mark.parametrize(("name", "rival"), others("numpy", "scipy"))
def test_numpy_and_scipy_are_right(name, rival):
    check_rival(name, rival)


@pytest.mark.parity
@pytest.mark.parametrize(("name", "rival"), others("torch"))
def test_pytorch_is_right(name, rival):
    check_rival(name, rival)


@pytest.mark.parity
@pytest.mark.slow
@pytest.mark.parametrize(("name", "rival"), others("jax"))
def test_jax_is_right(name, rival):
    check_rival(name, rival)


@pytest.mark.parity
@pytest.mark.slow
def test_a_compiled_rival_is_right():
    check_rival("linear.grad", "torch.compile")


def test_losses_that_differ_are_refused():
    subject = SUITE["step.digits-mlp"]
    inputs, right = trial.exact(subject, 2, "float32")
    other = [*right[:2], [right[2][0] * 1.01]]
    problem = trial.checked(trial.OURS, subject.function, inputs, other, 1e-4)[2]
    assert problem.startswith("call 3: element [] is")


def test_a_step_does_not_change_what_the_others_get():
    subject = SUITE["step.digits-mlp"]
    inputs, right = trial.exact(subject, 2, "float32")
    for _ in range(2):
        assert trial.checked(trial.OURS, subject.function, inputs, right, 1e-4)[2] == ""


def test_rivals_need_what_their_names_say(monkeypatch):
    assert [rivals.library_of(n) for n in ("torch fused", "jax", "mine")] == ["torch", "jax", None]
    honest = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "jax" else honest(name)
    )
    assert rivals.missing([SUITE["exp"]], lambda name: True) in (["jax"], ["jax", "torch"])
    assert not rivals.installed("jax")
    assert rivals.installed("mine")
