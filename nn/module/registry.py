"""What a module holds: assignment registers parameters, buffers and submodules by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import Tensor

from .parameter import Buffer, Parameter


class Registry:
    """The part of `Module` that registers.

    Parameters, buffers and submodules are ordinary attributes, in ``__dict__``, so that reading
    ``self.weight`` costs what any attribute costs. Beside them stand three ordered registries of
    names, which say what is what.
    """

    training: bool
    _parameter_names: dict[str, bool]
    _buffer_names: dict[str, bool]  # name -> persistent
    _module_names: dict[str, bool]

    def __init__(self) -> None:
        self.__dict__.update(training=True, _parameter_names={}, _buffer_names={}, _module_names={})

    if TYPE_CHECKING:
        # For type checkers only: ``model[0].weight`` is known when it runs. A real __getattr__
        # would cost nothing either, but a missing attribute's own error says more.
        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter | Registry | Buffer):
            if "_module_names" not in own:
                raise AttributeError(
                    f"cannot assign {name!r} before Module.__init__() was called: begin "
                    f"{type(self).__name__}.__init__ with super().__init__()"
                )
            if _is_property(type(self), name):
                object.__setattr__(self, name, value)
            elif isinstance(value, Parameter):
                self._hold(own["_parameter_names"], name, value)
            elif isinstance(value, Registry):
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
        >>> import autograd, nn
        >>> module = nn.Module()
        >>> module.register_parameter("scale", nn.Parameter(autograd.ones(1)))
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
        >>> import autograd, nn
        >>> module = nn.Module()
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

    def add_module(self, name: str, module: Registry | None) -> None:
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
        if module is not None and not isinstance(module, Registry):
            raise TypeError(
                f"submodule {name!r} must be a Module or None, not a {type(module).__name__}"
            )
        self._hold(names, name, module)

    def register_module(self, name: str, module: Registry | None) -> None:
        """Add a submodule: another name of `add_module`."""
        self.add_module(name, module)


def _is_property(cls: type, name: str) -> bool:
    """True if the class answers for `name` itself, so that an entry in __dict__ would be hidden."""
    return hasattr(type(getattr(cls, name, None)), "__set__")
