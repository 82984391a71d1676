"""Parameters that are functions of others: what a layer reads as its weight is computed.

A parametrized module gets a class of its own, derived from its class, in which the tensor is a
property; the tensors it is computed from are in ``module.parametrizations``.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from autograd import Tensor, no_grad

from ..layers.containers import ModuleDict, ModuleList
from ..module import Buffer, Module, Parameter

PLACE = "parametrizations"  # where a module keeps them, in state_dict too


class _Cache:
    """Values computed once inside of `cached`; how many such blocks are open."""

    open_blocks = 0
    values: ClassVar[dict[tuple[int, str], Any]] = {}


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """
    Compute each parametrized tensor once only inside of a ``with`` block.

    For a weight that is read at each step of a loop. A change of the original tensors inside of the
    block is not seen before its end.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> with nn.utils.parametrize.cached():
    ...     layer.weight is layer.weight
    True
    >>> layer.weight is layer.weight
    False
    """
    _Cache.open_blocks += 1
    try:
        yield
    finally:
        _Cache.open_blocks -= 1
        if not _Cache.open_blocks:
            _Cache.values = {}


class ParametrizationList(ModuleList):
    """
    The parametrizations of one tensor, in order, and what they begin with.

    Made by `register_parametrization`; found as ``module.parametrizations.weight``.

    Parameters
    ----------
    modules : sequence of Module
    original : Parameter or Tensor
        Becomes ``original``; of a ``right_inverse`` that gives several tensors, ``original0``, ...
    unsafe : bool, default False
        Do not check that shape and dtype stay.

    Raises
    ------
    ValueError
        If there are no modules, or they change the shape or dtype.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> [name for name, _ in layer.parametrizations.weight.named_parameters()]
    ['original0', 'original1']
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList: at least one parametrization expected")
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            before = original.detach().clone()
            value = _inverted(modules, original)
        self.is_tensor = isinstance(value, Tensor)
        if isinstance(value, Tensor):
            _hold(self, "original", _with_value(original, value))
        else:
            if not isinstance(value, Sequence) or not all(isinstance(v, Tensor) for v in value):
                raise ValueError(
                    "ParametrizationList: right_inverse must return a Tensor or a sequence of "
                    f"Tensors, not a {type(value).__name__}"
                )
            self.ntensors = len(value)
            for number, part in enumerate(value):
                part = part.detach()
                if isinstance(original, Parameter):
                    part = Parameter(part, original.requires_grad)
                _hold(self, f"original{number}", part)
        if not unsafe:
            try:
                with no_grad():
                    _check_same("register_parametrization: its value", self(), before)
            except BaseException:
                with no_grad():
                    original.copy_(before)
                raise

    def right_inverse(self, value: Tensor) -> None:
        """
        Set the originals so that the parametrized tensor is `value`, or as near as it can be.

        Raises
        ------
        RuntimeError
            If a parametrization has no ``right_inverse``.
        ValueError
            If the originals would change in number or shape.

        Examples
        --------
        >>> import autograd, nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
        >>> layer.weight = autograd.eye(2)
        >>> layer.weight.detach()
        tensor([[1., 0.],
                [0., 1.]])
        """
        with no_grad():
            for module in self:
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} has no right_inverse, so the "
                        "tensor cannot be assigned"
                    )
            found = _inverted(list(self), value, strict=True)
            parts = [found] if isinstance(found, Tensor) else list(found)
            targets = self.originals()
            if [part.shape for part in parts] != [target.shape for target in targets]:
                raise ValueError(
                    f"right_inverse: {[p.shape for p in parts]} does not fit the original tensors "
                    f"{[t.shape for t in targets]}"
                )
            for part, target in zip(parts, targets, strict=True):
                target.copy_(part)

    def originals(self) -> list[Tensor]:
        """
        The tensors that the value is computed from.

        Examples
        --------
        >>> import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
        >>> [tensor.shape for tensor in layer.parametrizations.weight.originals()]
        [(3, 1), (3, 2)]
        """
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{number}") for number in range(self.ntensors)]

    def forward(self) -> Tensor:
        """Compute the tensor."""
        modules = iter(self)
        value = next(modules)(*self.originals())
        for module in modules:
            value = module(value)
        return value


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """
    Let a parameter or buffer be computed by a module from then on.

    ``module.weight`` becomes ``parametrization(original)``, where the original is in
    ``module.parametrizations.weight.original`` (and is the Parameter that was there, so that
    optimizers keep it). Further parametrizations of the tensor take the result of those before.

    Parameters
    ----------
    module : Module
    tensor_name : str
    parametrization : Module
        Maps a tensor to one of the same shape and dtype. If it has ``right_inverse``, that is what
        the original starts from, and the tensor can be assigned; it may return several tensors,
        which `parametrization` then takes.
    unsafe : bool, default False
        Do not check that shape and dtype stay.

    Returns
    -------
    Module
        `module` itself.

    Raises
    ------
    ValueError
        If the module has no such parameter or buffer, or shape or dtype change. The module is left
        as it was.

    Examples
    --------
    >>> import autograd, nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = nn.Linear(3, 3)
    >>> _ = nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all())
    True
    >>> list(layer.state_dict())
    ['bias', 'parametrizations.weight.original']
    """
    if not isinstance(parametrization, Module):
        raise TypeError(
            "register_parametrization: the parametrization must be a Module, not a "
            f"{type(parametrization).__name__}"
        )
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        chain: Any = module.parametrizations[tensor_name]
        if not unsafe:
            with no_grad():
                value = getattr(module, tensor_name)
                found = parametrization(value)
                _check_same("register_parametrization: the new value", found, value)
                if hasattr(parametrization, "right_inverse"):
                    back = parametrization.right_inverse(found)
                    _check_same("register_parametrization: what right_inverse gives", back, value)
        chain.append(parametrization)
        chain.unsafe |= unsafe
        return module
    if tensor_name not in module._parameter_names and tensor_name not in module._buffer_names:
        raise ValueError(
            f"register_parametrization: {type(module).__name__} has no parameter or buffer "
            f"{tensor_name!r}"
        )
    original = getattr(module, tensor_name)
    if original is None:
        raise ValueError(f"register_parametrization: {tensor_name!r} is None")
    chain = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        setattr(module, PLACE, ModuleDict())
    module.parametrizations[tensor_name] = chain
    _fit_class(module)
    return module


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """
    Make a parametrized tensor a plain parameter or buffer again.

    Parameters
    ----------
    module : Module
    tensor_name : str
    leave_parametrized : bool, default True
        Keep the value that it has. False: go back to the original tensor.

    Returns
    -------
    Module
        `module` itself.

    Raises
    ------
    ValueError
        If the tensor is not parametrized, or not `leave_parametrized` and it has several originals.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> list(nn.utils.parametrize.remove_parametrizations(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(
            f"remove_parametrizations: {tensor_name!r} of {type(module).__name__} is not "
            "parametrized"
        )
    chain: Any = module.parametrizations[tensor_name]
    first = chain.originals()[0]
    if chain.is_tensor:
        with no_grad():
            tensor = (
                _with_value(first, getattr(module, tensor_name)) if leave_parametrized else first
            )
    elif leave_parametrized:
        value = getattr(module, tensor_name).detach().clone()
        learned = isinstance(first, Parameter)
        tensor = Parameter(value, first.requires_grad) if learned else value
    else:
        raise ValueError(
            "remove_parametrizations: leave_parametrized=False, but the tensor is computed from "
            "several; there is no original to go back to"
        )
    del module.parametrizations[tensor_name]
    _fit_class(module)
    _hold(module, tensor_name, tensor)
    if not is_parametrized(module):
        delattr(module, PLACE)
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """
    Tell whether a module, or one tensor of it, is parametrized.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> [nn.utils.parametrize.is_parametrized(layer, name) for name in ("weight", "bias")]
    [True, False]
    """
    found = module.__dict__.get(PLACE)
    if not isinstance(found, ModuleDict):
        return False
    return bool(len(found)) if tensor_name is None else tensor_name in found


def type_before_parametrizations(module: Module) -> type[Module]:
    """
    The class that a module had before it was parametrized.

    Examples
    --------
    >>> import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    >>> type(layer).__name__
    'ParametrizedLinear'
    >>> nn.utils.parametrize.type_before_parametrizations(layer) is nn.Linear
    True
    """
    cls = type(module)
    return cls.__bases__[0] if cls.__dict__.get("_is_derived") else cls


# ---------------------------------------------------------------- parts


def _inverted(modules: Sequence[Module], value: Any, strict: bool = False) -> Any:
    """What the modules make `value` of."""
    for module in reversed(modules):
        inverse = getattr(module, "right_inverse", None)
        if inverse is None:
            continue
        try:
            value = inverse(value)
        except NotImplementedError:
            if strict:
                raise
    return value


def _with_value(original: Tensor, value: Tensor) -> Tensor:
    """`original` itself with another value; of another shape, a new tensor of its kind."""
    if value is original:
        return original
    if value.shape == original.shape and value.dtype == original.dtype:
        with no_grad():
            return original.copy_(value)
    value = value.detach().clone()
    return Parameter(value, original.requires_grad) if isinstance(original, Parameter) else value


def _hold(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        persistent = tensor.persistent if isinstance(tensor, Buffer) else True
        module.register_buffer(name, tensor, persistent)


def _check_same(what: str, found: Any, like: Tensor) -> None:
    if not isinstance(found, Tensor):
        raise ValueError(f"{what} must be a Tensor, not a {type(found).__name__}")
    if found.shape != like.shape or found.dtype != like.dtype:
        raise ValueError(
            f"{what} must have shape {like.shape} and dtype {like.dtype}, met {found.shape} and "
            f"{found.dtype}; unsafe=True allows it"
        )


def _fit_class(module: Module) -> None:
    """Give a module the class in which each of its parametrized tensors is a property."""
    cls = type_before_parametrizations(module)
    names = list(module.parametrizations)
    if not names:
        module.__class__ = cls
        return

    def __getstate__(self: Any) -> Any:
        raise RuntimeError("a parametrized module cannot be pickled: save its state_dict() instead")

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        copied = self.__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return copied

    module.__class__ = type(
        f"Parametrized{cls.__name__}",
        (cls,),
        {
            "__module__": cls.__module__,
            "__doc__": cls.__doc__,
            "__getstate__": __getstate__,
            "__deepcopy__": __deepcopy__,
            "_is_derived": True,
            **{name: _computed(name) for name in names},
        },
    )


def _computed(name: str) -> property:
    def read(self: Any) -> Tensor:
        if not _Cache.open_blocks:
            return self.__dict__[PLACE][name]()
        key = (id(self), name)
        if key not in _Cache.values:
            _Cache.values[key] = self.__dict__[PLACE][name]()
        return _Cache.values[key]

    def write(self: Any, value: Tensor) -> None:
        self.__dict__[PLACE][name].right_inverse(value)

    return property(read, write)
