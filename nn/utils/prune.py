"""Pruning: parameters multiplied by masks of zeros and ones.

A pruned parameter is found as NAME_orig, its mask as the buffer NAME_mask; NAME itself is their
product, computed anew before each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograd import Tensor, ones_like

from ..module import Module
from .convert import parameters_to_vector
from .prune_base import BasePruningMethod as BasePruningMethod
from .prune_base import PruningContainer as PruningContainer
from .prune_base import hook_of, scores_for
from .prune_methods import CustomFromMask as CustomFromMask
from .prune_methods import Identity as Identity
from .prune_methods import L1Unstructured as L1Unstructured
from .prune_methods import LnStructured as LnStructured
from .prune_methods import RandomStructured as RandomStructured
from .prune_methods import RandomUnstructured as RandomUnstructured


def identity(module: Module, name: str) -> Module:
    """
    Bring a parameter into the pruned form, with nothing pruned.

    Examples
    --------
    >>> import nn
    >>> list(nn.utils.prune.identity(nn.Linear(2, 3), "weight").state_dict())
    ['bias', 'weight_orig', 'weight_mask']
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """
    Prune elements of a parameter at random; see `RandomUnstructured`.

    Examples
    --------
    >>> import nn
    >>> nn.utils.prune.random_unstructured(nn.Linear(2, 3), "weight", 0.5).weight_mask.sum()
    tensor(3.)
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Module, name: str, amount: float, importance_scores: Tensor | None = None
) -> Module:
    """
    Prune the elements of least absolute value (or score); see `L1Unstructured`.

    Examples
    --------
    >>> import nn
    >>> nn.utils.prune.l1_unstructured(nn.Linear(2, 3), "weight", 2).weight_mask.sum()
    tensor(4.)
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """
    Prune slices of a parameter at random; see `RandomStructured`.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.prune.random_structured(nn.Linear(2, 3), "weight", 1, dim=0)
    >>> layer.weight_mask.sum()
    tensor(4.)
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module,
    name: str,
    amount: float,
    n: Any,
    dim: int,
    importance_scores: Tensor | None = None,
) -> Module:
    """
    Prune the slices of least norm; see `LnStructured`.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.prune.ln_structured(nn.Linear(2, 3), "weight", 1, n=2, dim=0)
    >>> layer.weight_mask.sum()
    tensor(4.)
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """
    Prune by a given mask; see `CustomFromMask`.

    Examples
    --------
    >>> import autograd, nn
    >>> mask = autograd.tensor([1.0, 0.0])
    >>> nn.utils.prune.custom_from_mask(nn.Linear(1, 2), "bias", mask).bias[1].item() == 0
    True
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: Callable[..., BasePruningMethod],
    importance_scores: Mapping[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """
    Prune several parameters as if they were one.

    Parameters
    ----------
    parameters : iterable of (module, name)
    pruning_method : class
        Of the unstructured kind, such as `L1Unstructured`.
    importance_scores : dict of (module, name) to Tensor, optional
    **kwargs
        Of the method, such as ``amount=0.2``.

    Raises
    ------
    TypeError
        If `parameters` or the scores are of another kind, or the method is not unstructured.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    >>> where = [(layer, "weight") for layer in model]
    >>> nn.utils.prune.global_unstructured(where, nn.utils.prune.L1Unstructured, amount=0.5)
    >>> sum(int(layer.weight_mask.sum().item()) for layer in model)
    4
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured: parameters must be pairs of a module and a name")
    pairs = list(parameters)
    scores: Any = {} if importance_scores is None else importance_scores
    if not isinstance(scores, Mapping):
        raise TypeError(
            f"global_unstructured: importance_scores must be a dict, not a {type(scores).__name__}"
        )
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f"global_unstructured: an unstructured method expected, {type(method).__name__} is "
            f"{method.PRUNING_TYPE}"
        )
    values, masks = [], []
    for module, name in pairs:
        tensor = getattr(module, name)
        values.append(scores_for(scores.get((module, name)), tensor, name).detach())
        mask = getattr(module, f"{name}_mask", None)
        masks.append(ones_like(tensor.detach()) if mask is None else mask)
    container = PruningContainer(method)
    whole = container.compute_mask(parameters_to_vector(values), parameters_to_vector(masks))
    start = 0
    for module, name in pairs:
        shape = getattr(module, name).shape
        stop = start + int(np.prod(shape))
        custom_from_mask(module, name, whole[start:stop].reshape(shape))
        start = stop


def remove(module: Module, name: str) -> Module:
    """
    Make a pruned parameter an ordinary one, with the value that it has.

    Raises
    ------
    ValueError
        If it is not pruned.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.prune.identity(nn.Linear(2, 3), "weight")
    >>> list(nn.utils.prune.remove(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    found = hook_of(module, name)
    if found is None:
        raise ValueError(f"prune: parameter {name!r} of {type(module).__name__} is not pruned")
    key, method = found
    method.remove(module)
    del module._forward_pre_hooks[key]
    return module


def is_pruned(module: Module) -> bool:
    """
    Tell whether a parameter of a module, or of its submodules, is pruned.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Linear(2, 3)
    >>> (
    ...     nn.utils.prune.is_pruned(layer),
    ...     nn.utils.prune.is_pruned(nn.utils.prune.identity(layer, "weight")),
    ... )
    (False, True)
    """
    return any(
        isinstance(hook, BasePruningMethod)
        for _, inner in module.named_modules()
        for hook, _ in inner._forward_pre_hooks.values()
    )
