"""Grad modes as blocks, decorators and statements, over threads and errors."""

import threading

import pytest

import autograd


def test_decorators_with_and_without_parentheses():
    @autograd.no_grad
    def bare():
        return autograd.is_grad_enabled()

    @autograd.no_grad()
    def called():
        """Documented."""
        return autograd.is_grad_enabled()

    assert bare() is called() is False
    assert called.__doc__ == "Documented."
    assert autograd.is_grad_enabled()


def test_a_decorated_function_can_recurse():
    @autograd.no_grad()
    def down(n):
        with autograd.enable_grad():
            assert autograd.is_grad_enabled()
        return autograd.is_grad_enabled() or (n > 0 and down(n - 1))

    assert down(3) is False
    assert autograd.is_grad_enabled()


def test_one_object_nested_in_itself_and_left_by_an_error():
    switch = autograd.no_grad()
    with pytest.raises(KeyError), switch, switch:
        raise KeyError
    assert autograd.is_grad_enabled()


def test_one_object_in_two_threads():
    switch = autograd.no_grad()
    inside, leave, seen = threading.Event(), threading.Event(), []

    def other():
        with switch:
            inside.set()
            leave.wait(5)
            seen.append(autograd.is_grad_enabled())

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(5)
    assert autograd.is_grad_enabled()
    with switch:
        leave.set()
        thread.join()
        assert not autograd.is_grad_enabled()
    assert autograd.is_grad_enabled()
    assert seen == [False]


def test_set_grad_enabled_is_a_statement_a_block_and_a_decorator():
    autograd.set_grad_enabled(False)
    assert not autograd.is_grad_enabled()
    with autograd.set_grad_enabled(True):
        assert autograd.is_grad_enabled()
    assert not autograd.is_grad_enabled()
    autograd.set_grad_enabled(True)

    @autograd.set_grad_enabled(False)
    def off():
        return autograd.is_grad_enabled()

    assert autograd.is_grad_enabled()
    assert off() is False
    assert autograd.is_grad_enabled()


def test_nothing_turns_recording_on_inside_inference_mode():
    with autograd.inference_mode():
        assert autograd.is_inference_mode_enabled()
        with autograd.enable_grad(), autograd.set_grad_enabled(True):
            assert not autograd.is_grad_enabled()
    assert autograd.is_grad_enabled()
    assert not autograd.is_inference_mode_enabled()
