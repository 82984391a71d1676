"""Modules as functions of their parameters.

A module is known by what it can do (`named_parameters`, `named_buffers`), not by its class: the
layer that defines modules stands above this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph import OPS, wrap


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call `module` with other tensors in the place of its parameters and buffers.

    Parameters
    ----------
    module : Module
        Left as it was.
    parameter_and_buffer_dicts : dict, or sequence of dict
        Dotted names (as those of ``named_parameters()``) -> tensors. What is not named stays.
    args : tuple or Tensor, optional
        Arguments of the call.
    kwargs : dict, optional
    tie_weights : bool
        A tensor given for one of several names of one parameter stands for all of them.
    strict : bool
        Raise if a parameter or buffer is not named.

    Raises
    ------
    ValueError
        If one name is given in two dictionaries.
    RuntimeError
        If a name is not one of the module's, or (`strict`) one is missing.

    Examples
    --------
    >>> import autograd, nn
    >>> model = nn.Linear(2, 1)
    >>> given = {"weight": autograd.ones(1, 2), "bias": autograd.zeros(1)}
    >>> autograd.func.functional_call(model, given, autograd.tensor([[1.0, 2.0]]))
    tensor([[3.]])
    """
    given: dict[str, Any] = {}
    several = not isinstance(parameter_and_buffer_dicts, Mapping)
    for mapping in parameter_and_buffer_dicts if several else (parameter_and_buffer_dicts,):
        for name, tensor in mapping.items():  # pyright: ignore[reportAttributeAccessIssue] - a Mapping either way
            if name in given:
                raise ValueError(f"functional_call: {name} is given in two dictionaries")
            given[name] = tensor
    own = _places(module)
    unknown = given.keys() - own.keys()
    missing = own.keys() - given.keys()
    if unknown:
        raise RuntimeError(
            f"functional_call: {sorted(unknown)} are not names of parameters or buffers of "
            f"{type(module).__name__}; it has {sorted(own)}"
        )
    if tie_weights:
        by_identity = {id(own[name][2]): tensor for name, tensor in given.items()}
        for name in missing.copy():
            if id(own[name][2]) in by_identity:
                given[name] = by_identity[id(own[name][2])]
                missing.remove(name)
    if strict and missing:
        raise RuntimeError(f"functional_call: with strict=True {sorted(missing)} are missing")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    before = []
    try:
        for name, tensor in given.items():
            owner, attribute, old = own[name]
            before.append((owner, attribute, old))
            owner.__dict__[attribute] = tensor
        return module(*args, **(kwargs or {}))
    finally:
        for owner, attribute, old in reversed(before):
            owner.__dict__[attribute] = old


def _places(module: Any) -> dict[str, tuple[Any, str, Any]]:
    """Dotted name -> (module that holds it, attribute, tensor), shared ones under every name."""
    found = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        for named in (owner.named_parameters, owner.named_buffers):
            for name, tensor in named(recurse=False, remove_duplicate=False):
                found[f"{prefix}.{name}" if prefix else name] = (owner, name, tensor)
    return found


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and buffers of like modules, stacked along a new dimension 0 for `vmap`.

    Examples
    --------
    >>> import autograd, nn
    >>> parameters, _ = autograd.func.stack_module_state([nn.Linear(2, 1) for _ in range(5)])
    >>> parameters["weight"].shape
    (5, 1, 2)
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: expected at least one module")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: the modules must be of one class")

    def stacked(named: str) -> dict[str, Any]:
        rows = [dict(getattr(m, named)()) for m in models]
        joined = {}
        for name, first in rows[0].items():
            pieces = [wrap(row[name].array()[None]) for row in rows]
            joined[name] = OPS["cat"].function(*pieces, dim=0)
            if first.requires_grad:
                joined[name].requires_grad_()
        return joined

    return stacked("named_parameters"), stacked("named_buffers")
