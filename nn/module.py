"""Module: the base class of layers and models, and Parameter, what they learn.

A module keeps its parameters, buffers and submodules as ordinary attributes, in its ``__dict__``,
so that reading ``self.weight`` costs what any attribute costs. Beside them stand three ordered
registries of names, which say what is what.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from autograd import Tensor, get_default_dtype, no_grad
from autograd.differentiate import Handle
from autograd.graph import wrap
from autograd.printing import tensor_text


class Parameter(Tensor):
    """
    A tensor that a module learns: assigned to an attribute of a `Module`, it registers itself.

    Results of operations on it are plain Tensors.

    Parameters
    ----------
    data : Tensor, ndarray, number or nested sequence, optional
        Shared, not copied, if it is a Tensor or an ndarray. Default: an empty tensor.
    requires_grad : bool, default True

    Raises
    ------
    TypeError
        If `data` are not floating-point and `requires_grad` is true.

    Examples
    --------
    >>> import autograd
    >>> Parameter(autograd.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()
    role = "parameter"

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        super().__init__(np.empty(0, get_default_dtype()) if data is None else data, requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + _text(self)


class Buffer(Tensor):
    """
    A tensor that belongs to a module's state but is not learned: assigned, it registers itself.

    Parameters
    ----------
    data : Tensor, ndarray, number or nested sequence
        Shared, not copied, if it is a Tensor or an ndarray.
    persistent : bool, default True
        Whether the buffer is part of `Module.state_dict`.

    Examples
    --------
    >>> import autograd
    >>> module = Module()
    >>> module.steps = Buffer(autograd.zeros(1))
    >>> list(module.state_dict())
    ['steps']
    """

    persistent = True
    role = "buffer"

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(np.empty(0, get_default_dtype()) if data is None else data)
        self.persistent = persistent

    def __repr__(self) -> str:
        return _text(self)


def _text(tensor: Tensor) -> str:
    return tensor_text(wrap(tensor.value, tensor.node, tensor.requires_grad))


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` passed over: both lists are empty if it was strict."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


# Keys of hooks: unique in the process, and ordinary values when a module is copied or pickled.
_hook_keys = itertools.count()


class Module:
    """
    Base class of every layer and model: parameters, buffers, submodules, and a `forward`.

    Assigning a `Parameter`, a `Module` or a `Buffer` to an attribute registers it; `del`
    unregisters it. Names, order and keys are PyTorch's.

    Attributes
    ----------
    training : bool
        Set by `train` and `eval`; read by layers such as Dropout.

    Examples
    --------
    >>> import autograd, nn
    >>> class Affine(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.scale = nn.Parameter(autograd.ones(1))
    ...         self.shift = nn.Parameter(autograd.zeros(1))
    ...
    ...     def forward(self, x):
    ...         return x * self.scale + self.shift
    >>> model = Affine()
    >>> [name for name, _ in model.named_parameters()]
    ['scale', 'shift']
    >>> model(autograd.tensor([2.0])).sum().backward()
    >>> model.scale.grad
    tensor([2.])
    """

    training: bool
    _parameter_names: dict[str, bool]
    _buffer_names: dict[str, bool]  # name -> persistent
    _module_names: dict[str, bool]
    _forward_pre_hooks: dict[int, tuple[Callable[..., Any], bool]]  # key -> hook, with_kwargs
    _forward_hooks: dict[int, tuple[Callable[..., Any], bool]]

    def __init__(self) -> None:
        self.__dict__.update(
            training=True,
            _parameter_names={},
            _buffer_names={},
            _module_names={},
            _forward_pre_hooks={},
            _forward_hooks={},
        )

    # --- Calling --------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, and the hooks around it."""
        if self._forward_hooks or self._forward_pre_hooks:
            return self._call_hooked(args, kwargs)
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """
        Compute the output; every subclass defines its own.

        Raises
        ------
        NotImplementedError
            If a subclass did not.

        Examples
        --------
        >>> Module()(1)
        Traceback (most recent call last):
        ...
        NotImplementedError: Module defines no forward()
        """
        raise NotImplementedError(f"{type(self).__name__} defines no forward()")

    def _call_hooked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # Lists, since a hook may remove itself.
        for hook, with_kwargs in list(self._forward_pre_hooks.values()):
            if with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not isinstance(changed, tuple) or len(changed) != 2:
                        raise RuntimeError(
                            "a forward pre-hook with kwargs must return None or a pair (args, "
                            f"kwargs), not {changed!r}"
                        )
                    args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*args, **kwargs)
        for hook, with_kwargs in list(self._forward_hooks.values()):
            changed = hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
            if changed is not None:
                output = changed
        return output

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """
        Call ``hook(module, args)`` before each `forward`; what it returns replaces the arguments.

        Parameters
        ----------
        hook : callable
            Returns None, a new argument, or a tuple of arguments. With `with_kwargs` it is called
            as ``hook(module, args, kwargs)`` and returns None or ``(args, kwargs)``.
        prepend : bool
            Run before the hooks that are there.
        with_kwargs : bool

        Returns
        -------
        Handle
            ``handle.remove()`` takes the hook off.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Identity()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
        >>> layer(1)
        2
        >>> handle.remove()
        >>> layer(1)
        1
        """
        return _hooked(self._forward_pre_hooks, hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """
        Call ``hook(module, args, output)`` after each `forward`; what it returns replaces output.

        Parameters
        ----------
        hook : callable
            With `with_kwargs` it is called as ``hook(module, args, kwargs, output)``.
        prepend : bool
            Run before the hooks that are there.
        with_kwargs : bool

        Returns
        -------
        Handle
            ``handle.remove()`` takes the hook off.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Identity()
        >>> handle = layer.register_forward_hook(lambda module, args, output: print("ran"))
        >>> layer(1)
        ran
        1
        """
        return _hooked(self._forward_hooks, hook, prepend, with_kwargs)

    # --- Registering ----------------------------------------------------------------------------

    if TYPE_CHECKING:
        # For type checkers only: ``model[0].weight`` is known when it runs. A real __getattr__
        # would cost nothing either, but a missing attribute's own error says more.
        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter | Module | Buffer):
            if "_module_names" not in own:
                raise AttributeError(
                    f"cannot assign {name!r} before Module.__init__() was called: begin "
                    f"{type(self).__name__}.__init__ with super().__init__()"
                )
            if _is_property(type(self), name):
                object.__setattr__(self, name, value)
            elif isinstance(value, Parameter):
                self._hold(own["_parameter_names"], name, value)
            elif isinstance(value, Module):
                self._hold(own["_module_names"], name, value)
            else:
                self._hold(own["_buffer_names"], name, value, value.persistent)
            return
        # An attribute keeps its kind: None empties its place, anything else is a mistake.
        if value is not None and "_module_names" in own:
            if name in own["_parameter_names"]:
                raise TypeError(
                    f"cannot assign a {type(value).__name__} as parameter {name!r}: a Parameter "
                    f"or None is expected (or `del` it first)"
                )
            if name in own["_module_names"]:
                raise TypeError(
                    f"cannot assign a {type(value).__name__} as submodule {name!r}: a Module or "
                    f"None is expected (or `del` it first)"
                )
            if name in own["_buffer_names"] and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign a {type(value).__name__} as buffer {name!r}: a Tensor or None "
                    f"is expected (or `del` it first)"
                )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for names in self._registries():
            names.pop(name, None)
        object.__delattr__(self, name)

    def _registries(self) -> tuple[dict[str, bool], ...]:
        own = self.__dict__
        if "_module_names" not in own:
            raise AttributeError(
                f"Module.__init__() was not called: begin {type(self).__name__}.__init__ with "
                "super().__init__()"
            )
        return own["_parameter_names"], own["_buffer_names"], own["_module_names"]

    def _hold(self, names: dict[str, bool], name: str, value: Any, mark: bool = True) -> None:
        """Keep `value` as an attribute, its name in one registry (at its old place, if it had)."""
        for other in self._registries():
            if other is not names:
                other.pop(name, None)
        names[name] = mark
        self.__dict__[name] = value

    def _check_name(self, what: str, name: str, names: dict[str, bool]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a {what} must be a str, not {type(name).__name__}")
        if name == "" or "." in name:
            raise KeyError(f"the name of a {what} must not be empty or hold a dot: {name!r}")
        if name not in names and hasattr(self, name):
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} already")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """
        Add a parameter under a name; None makes a place that `state_dict` leaves out.

        Raises
        ------
        TypeError
            If `param` is no Parameter, or `name` no str.
        KeyError
            If the name is empty, holds a dot, or is an attribute already.

        Examples
        --------
        >>> import autograd
        >>> module = Module()
        >>> module.register_parameter("scale", Parameter(autograd.ones(1)))
        >>> module.register_parameter("bias", None)
        >>> list(module.state_dict())
        ['scale']
        """
        names = self._registries()[0]
        self._check_name("parameter", name, names)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"parameter {name!r} must be a Parameter or None, not a {type(param).__name__}"
            )
        self._hold(names, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """
        Add a tensor that belongs to the module's state but is not learned.

        Parameters
        ----------
        name : str
        tensor : Tensor or None
        persistent : bool, default True
            Whether it is part of `state_dict`.

        Raises
        ------
        TypeError
            If `tensor` is no Tensor, or `name` no str.
        KeyError
            If the name is empty, holds a dot, or is an attribute already.

        Examples
        --------
        >>> import autograd
        >>> module = Module()
        >>> module.register_buffer("mean", autograd.zeros(2))
        >>> module.mean
        tensor([0., 0.])
        """
        names = self._registries()[1]
        self._check_name("buffer", name, names)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"buffer {name!r} must be a Tensor or None, not a {type(tensor).__name__}"
            )
        self._hold(names, name, tensor, persistent)

    def add_module(self, name: str, module: Module | None) -> None:
        """
        Add a submodule under a name.

        Raises
        ------
        TypeError
            If `module` is no Module, or `name` no str.
        KeyError
            If the name is empty, holds a dot, or is an attribute already.

        Examples
        --------
        >>> import nn
        >>> model = nn.Module()
        >>> model.add_module("layer", nn.ReLU())
        >>> model.layer
        ReLU()
        """
        names = self._registries()[2]
        self._check_name("submodule", name, names)
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"submodule {name!r} must be a Module or None, not a {type(module).__name__}"
            )
        self._hold(names, name, module)

    # --- Walking --------------------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Direct submodules with their names, each once."""
        seen: set[int] = set()
        for name in self._module_names:
            module = self.__dict__[name]
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """Direct submodules, each once."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """
        Every module of the tree with its dotted name: this one (named "") first.

        Parameters
        ----------
        memo : set of int, optional
            Ids of modules to leave out; those met are added.
        prefix : str
            Put before the names.
        remove_duplicate : bool, default True
            Yield a shared module once only.

        Examples
        --------
        >>> import nn
        >>> model = nn.Sequential(nn.Sequential(nn.ReLU()))
        >>> [name for name, _ in model.named_modules()]
        ['', '0', '0.0']
        """
        memo = set() if memo is None else memo
        if remove_duplicate:
            if id(self) in memo:
                return
            memo.add(id(self))
        yield prefix, self
        dotted = f"{prefix}." if prefix else ""
        for name in self._module_names:
            module = self.__dict__[name]
            if module is not None:
                yield from module.named_modules(memo, dotted + name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Every module of the tree, this one first, each once."""
        for _, module in self.named_modules():
            yield module

    def _members(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        else:
            modules = iter([(prefix, self)])
        for path, module in modules:
            own = module.__dict__
            for name in own[registry]:
                value = own[name]
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """
        Parameters with their dotted names.

        Parameters
        ----------
        prefix : str
            Put before the names.
        recurse : bool, default True
            Those of submodules too.
        remove_duplicate : bool, default True
            Yield a shared parameter once only, under its first name.

        Examples
        --------
        >>> import nn
        >>> [name for name, _ in nn.Sequential(nn.Linear(2, 3)).named_parameters()]
        ['0.weight', '0.bias']
        """
        return self._members("_parameter_names", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """
        Parameters, each once: what an optimizer takes.

        Examples
        --------
        >>> import nn
        >>> sum(p.numel() for p in nn.Linear(2, 3).parameters())
        9
        """
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Buffers with their dotted names; arguments as in `named_parameters`."""
        return self._members("_buffer_names", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """
        The submodule of a dotted name; this module for "".

        Raises
        ------
        AttributeError
            If there is none.

        Examples
        --------
        >>> import nn
        >>> nn.Sequential(nn.Sequential(nn.ReLU())).get_submodule("0.0")
        ReLU()
        """
        module = self
        for name in target.split(".") if target else []:
            if name not in module._module_names or module.__dict__[name] is None:
                raise AttributeError(
                    f"{type(module).__name__} has no submodule {name!r} (looking for {target!r})"
                )
            module = module.__dict__[name]
        return module

    def get_parameter(self, target: str) -> Parameter:
        """
        The parameter of a dotted name.

        Raises
        ------
        AttributeError
            If there is none.

        Examples
        --------
        >>> import nn
        >>> nn.Sequential(nn.Linear(2, 3)).get_parameter("0.bias").shape
        (3,)
        """
        return self._get("parameter", "_parameter_names", target)

    def get_buffer(self, target: str) -> Tensor:
        """
        The buffer of a dotted name.

        Raises
        ------
        AttributeError
            If there is none.

        Examples
        --------
        >>> import nn
        >>> nn.Sequential(nn.BatchNorm1d(2)).get_buffer("0.running_mean")
        tensor([0., 0.])
        """
        return self._get("buffer", "_buffer_names", target)

    def _get(self, what: str, registry: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        own = self.get_submodule(path).__dict__
        if name not in own[registry] or own[name] is None:
            raise AttributeError(f"{type(self).__name__} has no {what} {target!r}")
        return own[name]

    # --- State ----------------------------------------------------------------------------------

    def state_dict(
        self,
        *,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """
        Parameters and persistent buffers by their dotted names, in PyTorch's order.

        Parameters
        ----------
        destination : dict, optional
            Gets the entries; default a new dict.
        prefix : str
            Put before the names.
        keep_vars : bool, default False
            The parameters themselves, not detached.

        Returns
        -------
        dict of str to Tensor
            Sharing memory with the module.

        Examples
        --------
        >>> import nn
        >>> {name: value.shape for name, value in nn.Linear(2, 3).state_dict().items()}
        {'weight': (3, 2), 'bias': (3,)}
        """
        found = {} if destination is None else destination
        own = self.__dict__
        names = [*self._parameter_names, *(n for n, kept in self._buffer_names.items() if kept)]
        for name in names:
            value = own[name]
            if value is not None:
                found[prefix + name] = value if keep_vars else value.detach()
        for name in self._module_names:
            module = own[name]
            if module is not None:
                module.state_dict(destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return found

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """
        Copy parameters and buffers from a dict such as `state_dict` returns.

        Everything is checked first: either all is loaded or nothing.

        Parameters
        ----------
        state_dict : mapping of str to Tensor or ndarray
            Values are converted to the dtypes of the module.
        strict : bool, default True
            Raise for missing and unexpected keys. A shape that does not fit always raises.

        Returns
        -------
        IncompatibleKeys
            ``missing_keys`` and ``unexpected_keys``.

        Raises
        ------
        TypeError
            If `state_dict` is no mapping.
        RuntimeError
            If keys, shapes or dtypes do not fit; the message lists all that do not.

        Examples
        --------
        >>> import nn
        >>> a, b = nn.Linear(2, 3), nn.Linear(2, 3)
        >>> a.load_state_dict(b.state_dict())
        <All keys matched successfully>
        >>> a.load_state_dict({"bias": b.bias}, strict=False).missing_keys
        ['weight']
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"load_state_dict: expected a dict of tensors, not {type(state_dict).__name__}"
            )
        targets = self.state_dict(keep_vars=True)
        missing = [name for name in targets if name not in state_dict]
        unexpected = [name for name in state_dict if name not in targets]
        problems = []
        if strict and missing:
            problems.append(f"Missing key(s) in state_dict: {_listed(missing)}.")
        if strict and unexpected:
            problems.append(f"Unexpected key(s) in state_dict: {_listed(unexpected)}.")
        sources: dict[str, np.ndarray] = {}
        for name, target in targets.items():
            if name in state_dict:
                source, problem = _fitting(name, state_dict[name], target)
                if source is None:
                    problems.append(problem)
                else:
                    sources[name] = source
        if problems:
            listed = "\n\t".join(problems)
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__} (nothing was loaded):"
                f"\n\t{listed}"
            )
        with no_grad():
            for name, source in sources.items():
                targets[name].copy_(source)
        return IncompatibleKeys(missing, unexpected)

    # --- Changing the whole tree ----------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """
        Set the whole tree to training mode (or, with False, to evaluation mode).

        Raises
        ------
        ValueError
            If `mode` is no bool.

        Examples
        --------
        >>> import nn
        >>> nn.Dropout().train(False).training
        False
        """
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, not {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """
        Set the whole tree to evaluation mode.

        Examples
        --------
        >>> import nn
        >>> nn.Dropout().eval().training
        False
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """
        Let every parameter record operations, or (False) freeze them.

        Examples
        --------
        >>> import nn
        >>> nn.Linear(1, 1).requires_grad_(False).weight.requires_grad
        False
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """
        Forget the gradients of every parameter.

        Parameters
        ----------
        set_to_none : bool, default True
            False overwrites them with zeros instead.

        Examples
        --------
        >>> import autograd, nn
        >>> layer = nn.Linear(1, 1)
        >>> layer(autograd.ones(1, 1)).sum().backward()
        >>> layer.zero_grad()
        >>> layer.weight.grad is None
        True
        """
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is None:
                continue
            if set_to_none:
                parameter.grad = None
                continue
            if grad.requires_grad:
                parameter.grad = grad = grad.detach()
            grad.zero_()

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """
        Call `fn` on every module of the tree, submodules first.

        Examples
        --------
        >>> import nn
        >>> model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
        >>> _ = model.apply(lambda module: print(type(module).__name__))
        Linear
        ReLU
        Sequential
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, dtype: Any) -> Self:
        """
        Convert floating-point parameters, their gradients, and buffers to a dtype, in place.

        Integer buffers stay as they are. A graph that was recorded before goes on with the old
        values: call this between steps, not inside one.

        Raises
        ------
        TypeError
            If `dtype` is not a floating-point type.

        Examples
        --------
        >>> import numpy as np, nn
        >>> nn.Linear(1, 1).to(np.float64).weight.dtype
        dtype('float64')
        """
        try:
            wanted = np.dtype(dtype)
        except TypeError:
            raise TypeError(f"to: {dtype!r} is no dtype; there are no devices to move to") from None
        if wanted.kind != "f":
            raise TypeError(f"to: a module takes floating-point dtypes only, not {wanted}")
        for _, tensor in itertools.chain(self.named_parameters(), self.named_buffers()):
            if tensor.dtype.kind != "f" or tensor.dtype == wanted:
                continue
            grad, tracked = tensor.grad, tensor.requires_grad
            tensor.value = tensor.array().astype(wanted)
            # The leaf's node knows the dtype of its gradient, so it is made anew.
            tensor.node, tensor.requires_grad = None, False
            tensor.requires_grad_(tracked)
            if grad is not None:
                tensor.grad = grad.detach().to(wanted)
        return self

    def float(self) -> Self:
        """Convert to float32; see `to`."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Convert to float64; see `to`."""
        return self.to(np.float64)

    # --- Text -----------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """
        What stands between the brackets of ``repr(module)``; layers give their arguments.

        Examples
        --------
        >>> import nn
        >>> nn.Linear(2, 3).extra_repr()
        'in_features=2, out_features=3, bias=True'
        """
        return ""

    def __repr__(self) -> str:
        lines = self.extra_repr().split("\n") if self.extra_repr() else []
        inline = len(lines) == 1 and not self._module_names
        lines += [f"({name}): {indented(self.__dict__[name])}" for name in self._module_names]
        return bracketed(type(self).__name__, lines, inline)


def bracketed(name: str, lines: list[str], inline: bool = False) -> str:
    """`name` with `lines` in brackets: on its own line, or indented below it."""
    if not lines:
        return f"{name}()"
    if inline:
        return f"{name}({lines[0]})"
    inner = "\n  ".join(lines)
    return f"{name}(\n  {inner}\n)"


def indented(module: object) -> str:
    """The text of a submodule, its later lines indented below the first."""
    return repr(module).replace("\n", "\n  ")


def _hooked(hooks: dict[int, Any], hook: Any, prepend: bool, with_kwargs: bool) -> Handle:
    key = next(_hook_keys)
    before = dict(hooks) if prepend else {}
    if prepend:
        hooks.clear()
    hooks[key] = (hook, with_kwargs)
    hooks.update(before)
    return Handle(hooks, key)


def _is_property(cls: type, name: str) -> bool:
    """True if the class answers for `name` itself, so that an entry in __dict__ would be hidden."""
    return hasattr(type(getattr(cls, name, None)), "__set__")


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _fitting(name: str, value: Any, target: Tensor) -> tuple[np.ndarray | None, str]:
    """`value` as an array that can be copied into `target`, or None and what is wrong."""
    source = value.array() if isinstance(value, Tensor) else value
    if not isinstance(source, np.ndarray):
        return None, f'"{name}": expected a Tensor or an ndarray, met a {type(value).__name__}.'
    if source.shape != target.shape:
        return None, (
            f"size mismatch for {name}: shape {source.shape} in the state_dict, {target.shape} in "
            "the model."
        )
    if not np.can_cast(source.dtype, target.dtype, "same_kind"):
        return None, (
            f"dtype mismatch for {name}: {source.dtype} in the state_dict, {target.dtype} in the "
            "model."
        )
    if not target.array().flags.writeable:
        return None, f"{name}: the memory of the model's tensor is read-only."
    return source.astype(target.dtype, copy=False), ""


def factory(who: str, device: Any, dtype: Any) -> np.dtype[Any]:
    """Read the `device` and `dtype` arguments of a layer: the dtype of its parameters.

    `device` stands in PyTorch's signatures; here there is one device.
    """
    if device is not None and str(device) != "cpu":
        raise ValueError(f"{who}: device {device!r} does not exist here; 'cpu' is the only one")
    wanted = get_default_dtype() if dtype is None else np.dtype(dtype)
    if wanted.kind != "f":
        raise TypeError(f"{who}: parameters need a floating-point dtype, not {wanted}")
    return wanted
