"""Calls of a module with other tensors in the place of its own."""

from autograd.func import functional_call as functional_call
