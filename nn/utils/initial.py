"""Modules whose initial values will be overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import random

from ..module import Module


def skip_init(module_cls: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """
    Make a module whose parameters are to be overwritten: it draws no random numbers.

    Parameters have some values here, where PyTorch's have none that one could rely on; what both
    promise is that the default generator goes on as if the module had not been made.

    Parameters
    ----------
    module_cls : class
        Of the module.
    *args, **kwargs
        Its arguments.

    Returns
    -------
    Module

    Raises
    ------
    TypeError
        If `module_cls` makes something else.

    Examples
    --------
    >>> import nn
    >>> nn.utils.skip_init(nn.Linear, 2, 3).weight.shape
    (3, 2)
    """
    before = random.default_generator.state_dict()
    try:
        module = module_cls(*args, **kwargs)
    finally:
        random.default_generator.load_state_dict(before)
    if not isinstance(module, Module):
        raise TypeError(f"skip_init: a class of modules expected, not {module_cls!r}")
    return module
