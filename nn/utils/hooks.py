"""Weights that a hook computes before each call: the older form of weight and spectral norm."""

from __future__ import annotations

from typing import Any, TypeVar

from autograd import Tensor, dot, mv, no_grad

from ..functional import normalize
from ..module import Module, Parameter
from .parametrizations import TRANSPOSED, matrix_of, norm_except, unit

AnyModule = TypeVar("AnyModule", bound=Module)


class _Hook:
    """A forward pre-hook that sets one attribute of its module."""

    name: str

    def compute(self, module: Module, training: bool) -> Tensor:
        """Work out the attribute."""
        raise NotImplementedError

    def __call__(self, module: Module, args: Any) -> None:
        """Set the attribute."""
        setattr(module, self.name, self.compute(module, module.training))


class WeightNormHook(_Hook):
    """``w = g * v / |v|``."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = dim

    def compute(self, module: Module, training: bool) -> Tensor:
        """Put length and direction together."""
        v = getattr(module, f"{self.name}_v")
        return v * (getattr(module, f"{self.name}_g") / norm_except(v, self.dim))


class SpectralNormHook(_Hook):
    """``w / sigma``."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        self.name = name
        self.n_power_iterations = n_power_iterations
        self.dim = dim
        self.eps = eps

    def compute(self, module: Module, training: bool) -> Tensor:
        """Divide by the largest singular value; in training the estimate gets better."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = matrix_of(weight, self.dim)
        if training:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(normalize(mv(matrix.T, u), dim=0, eps=self.eps))
                    u.copy_(normalize(mv(matrix, v), dim=0, eps=self.eps))
            # Copies: the buffers change again before a backward pass may come.
            u, v = u.clone(), v.clone()
        return weight / dot(u, mv(matrix, v))


def weight_norm(module: AnyModule, name: str = "weight", dim: int | None = 0) -> AnyModule:
    """
    Learn the length and the direction of a weight apart, in the parameters NAME_g and NAME_v.

    ``w = g * v / |v|`` is computed before each call. `nn.utils.parametrizations.weight_norm` is the
    newer form.

    Parameters
    ----------
    module : Module
    name : str
        Of the parameter.
    dim : int or None, default 0
        The dimension along which each slice has a length of its own; None (or -1): one for all.

    Returns
    -------
    Module
        `module` itself.

    Raises
    ------
    RuntimeError
        If the parameter has this form already.
    ValueError
        If there is no such parameter.
    IndexError
        If there is no such dimension.

    References
    ----------
    T. Salimans and D. P. Kingma, "Weight Normalization", 2016.

    Examples
    --------
    >>> import nn
    >>> list(nn.utils.weight_norm(nn.Linear(2, 3)).state_dict())
    ['bias', 'weight_g', 'weight_v']
    """
    weight = _parameter("weight_norm", module, name, WeightNormHook)
    with no_grad():
        length = norm_except(weight, dim)
    hook = WeightNormHook(name, dim)
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(length, weight.requires_grad))
    module.register_parameter(f"{name}_v", Parameter(weight.detach(), weight.requires_grad))
    setattr(module, name, hook.compute(module, False))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: AnyModule, name: str = "weight") -> AnyModule:
    """
    Undo `weight_norm`: the weight is a parameter again, with the value that it had.

    Raises
    ------
    ValueError
        If the parameter is not of this form.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.weight_norm(nn.Linear(2, 3))
    >>> list(nn.utils.remove_weight_norm(layer).state_dict())
    ['bias', 'weight']
    """
    return _remove("remove_weight_norm", module, name, WeightNormHook, ("g", "v"))


def spectral_norm(
    module: AnyModule,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> AnyModule:
    """
    Divide a weight by its largest singular value; the parameter becomes NAME_orig.

    The value is estimated by the power method, a step of which runs before each call in training.
    `nn.utils.parametrizations.spectral_norm` is the newer form.

    Parameters
    ----------
    module : Module
    name : str
        Of the parameter.
    n_power_iterations : int, default 1
    eps : float
        Least length to divide by.
    dim : int, optional
        The dimension of the outputs: the rows of the matrix. Default: 1 for transposed
        convolutions, else 0.

    Returns
    -------
    Module
        `module` itself.

    Raises
    ------
    RuntimeError
        If the parameter has this form already.
    ValueError
        If there is no such parameter, or `n_power_iterations` is below 1.

    References
    ----------
    T. Miyato, T. Kataoka, M. Koyama and Y. Yoshida, "Spectral Normalization for Generative
    Adversarial Networks", 2018.

    Examples
    --------
    >>> import nn
    >>> list(nn.utils.spectral_norm(nn.Linear(2, 3)).state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    if not isinstance(n_power_iterations, int) or n_power_iterations < 1:
        raise ValueError(
            f"spectral_norm: n_power_iterations must be >= 1, not {n_power_iterations!r}"
        )
    weight = _parameter("spectral_norm", module, name, SpectralNormHook)
    if dim is None:
        dim = 1 if isinstance(module, TRANSPOSED) else 0
    rows, columns = matrix_of(weight.detach(), dim).shape
    hook = SpectralNormHook(name, n_power_iterations, dim, eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.detach())
    module.register_buffer(f"{name}_u", unit(rows, weight.dtype, eps))
    module.register_buffer(f"{name}_v", unit(columns, weight.dtype, eps))
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: AnyModule, name: str = "weight") -> AnyModule:
    """
    Undo `spectral_norm`: the weight is a parameter again, divided by its norm.

    Raises
    ------
    ValueError
        If the parameter is not of this form.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.spectral_norm(nn.Linear(2, 3))
    >>> list(nn.utils.remove_spectral_norm(layer).state_dict())
    ['bias', 'weight']
    """
    return _remove("remove_spectral_norm", module, name, SpectralNormHook, ("orig", "u", "v"))


def _parameter(who: str, module: Module, name: str, kind: type[_Hook]) -> Parameter:
    if _key(module, name, kind) is not None:
        raise RuntimeError(f"{who}: the parameter {name!r} has this form already")
    weight = module.__dict__.get(name)
    if not isinstance(weight, Parameter):
        raise ValueError(f"{who}: {type(module).__name__} has no parameter {name!r}")
    return weight


def _key(module: Module, name: str, kind: type[_Hook]) -> int | None:
    for key, (hook, _) in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:
            return key
    return None


def _remove(
    who: str, module: AnyModule, name: str, kind: type[_Hook], endings: tuple[str, ...]
) -> AnyModule:
    key = _key(module, name, kind)
    if key is None:
        raise ValueError(
            f"{who}: the parameter {name!r} of {type(module).__name__} has no such form"
        )
    hook: Any = module._forward_pre_hooks[key][0]
    learned = getattr(module, f"{name}_{endings[0]}").requires_grad
    with no_grad():
        weight = hook.compute(module, False)
    del module._forward_pre_hooks[key]
    delattr(module, name)
    for ending in endings:
        delattr(module, f"{name}_{ending}")
    module.register_parameter(name, Parameter(weight.detach(), learned))
    return module
