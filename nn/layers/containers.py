"""Modules that hold modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from ..module import Module, bracketed, indented


class _Numbered(Module):
    """What Sequential and ModuleList share: submodules in order, reached by position."""

    def __len__(self) -> int:
        return len(self._module_names)

    def __iter__(self) -> Iterator[Module]:
        own = self.__dict__
        return iter([own[name] for name in self._module_names])

    def _name_at(self, index: int) -> str:
        names = list(self._module_names)
        try:
            position = index.__index__()
        except AttributeError:
            raise TypeError(
                f"{type(self).__name__}: an index must be an int or a slice, not "
                f"{type(index).__name__}"
            ) from None
        if not -len(names) <= position < len(names):
            raise IndexError(
                f"{type(self).__name__}: index {position} is out of range for {len(names)} modules"
            )
        return names[position]

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._sliced(list(self._module_names)[index])
        return self.__dict__[self._name_at(index)]

    def _sliced(self, names: list[str]) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: expected a Module, not a {type(module).__name__}"
            )
        self.__dict__[self._name_at(index)] = module

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._module_names)
        doomed = set(names[index]) if isinstance(index, slice) else {self._name_at(index)}
        self._renew([self.__dict__[name] for name in names if name not in doomed])

    def _renew(self, modules: list[Module]) -> None:
        """Hold `modules`, numbered from 0, and nothing else."""
        for name in list(self._module_names):
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def append(self, module: Module) -> Self:
        """Add a module at the end; returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end; returns the container."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}: extend takes several modules, not a "
                f"{type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before position `index`; returns the container."""
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: expected a Module, not a {type(module).__name__}"
            )
        modules = list(self)
        modules.insert(index, module)
        self._renew(modules)
        return self

    def pop(self, index: int = -1) -> Module:
        """Take a module out, the last one by default, and return it."""
        module = self[index]
        del self[index]
        return module

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, modules: Iterable[Module]) -> Self:
        return type(self)._of([*self, *modules])

    @classmethod
    def _of(cls, modules: list[Module]) -> Any:
        raise NotImplementedError


class Sequential(_Numbered):
    """
    Modules applied one after the other: ``model(x) == last(... second(first(x)))``.

    Parameters
    ----------
    *args : Module
        Or one (ordered) dict of names to modules; they are numbered "0", "1", ... otherwise.

    Raises
    ------
    TypeError
        If an argument is no Module.
    KeyError
        If a name is empty, holds a dot, or is an attribute already.
    IndexError
        If a position does not exist.

    Examples
    --------
    >>> import autograd, nn
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> model(autograd.ones(5, 3)).shape
    (5, 2)
    >>> model[:2]
    Sequential(
      (0): Linear(in_features=3, out_features=4, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            named = list(args[0].items())
        else:
            named = [(str(i), module) for i, module in enumerate(args)]
        for name, module in named:
            if not isinstance(module, Module):
                raise TypeError(
                    f"Sequential: expected Modules, not a {type(module).__name__} ({name!r})"
                )
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """Pass `input` through the modules in order."""
        own = self.__dict__
        for name in self._module_names:
            input = own[name](input)
        return input

    def _times(self, count: Any) -> list[Module]:
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError(f"Sequential: times an int, not a {type(count).__name__}")
        if count < 1:
            raise ValueError(f"Sequential: times a positive int, not {count}")
        return list(self) * count

    def __mul__(self, count: int) -> Sequential:
        """The same modules, so often one after the other; they share their parameters."""
        return type(self)._of(self._times(count))

    def __rmul__(self, count: int) -> Sequential:
        return self * count

    def __imul__(self, count: int) -> Self:
        self._renew(self._times(count))
        return self

    def _sliced(self, names: list[str]) -> Sequential:
        # Names stay as they are, so that the slice's state_dict fits the whole one's keys.
        return type(self)({name: self.__dict__[name] for name in names})

    @classmethod
    def _of(cls, modules: list[Module]) -> Sequential:
        return cls(*modules)


class ModuleList(_Numbered):
    """
    A list of modules whose parameters are registered; it has no `forward`.

    Parameters
    ----------
    modules : iterable of Module, optional

    Raises
    ------
    TypeError
        If an item is no Module.
    IndexError
        If a position does not exist.

    Examples
    --------
    >>> import nn
    >>> layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    >>> len(list(layers.parameters()))
    6
    >>> layers
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _sliced(self, names: list[str]) -> ModuleList:
        return type(self)([self.__dict__[name] for name in names])

    @classmethod
    def _of(cls, modules: list[Module]) -> ModuleList:
        return cls(modules)

    def __repr__(self) -> str:
        # Neighbours that look alike share a line, as in PyTorch.
        runs: list[tuple[int, int, str]] = []
        for i, module in enumerate(self):
            text = indented(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], i, text)
            else:
                runs.append((i, i, text))
        lines = [
            f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}"
            for a, b, text in runs
        ]
        return bracketed(type(self).__name__, lines)


class ModuleDict(Module):
    """
    A dict of modules whose parameters are registered; it has no `forward`.

    Parameters
    ----------
    modules : mapping of str to Module, or iterable of such pairs, optional

    Raises
    ------
    TypeError
        If a value is no Module, or a key no str.
    KeyError
        If a key is empty, holds a dot, or is an attribute already (such as "keys").

    Examples
    --------
    >>> import nn
    >>> heads = nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.ReLU()})
    >>> "a" in heads, len(heads), heads["b"]
    (True, 2, ReLU())
    """

    def __init__(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None
    ) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        if key not in self._module_names:
            raise KeyError(key)
        return self.__dict__[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self._module_names:
            raise KeyError(key)
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._module_names)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._module_names))

    def __contains__(self, key: object) -> bool:
        return key in self._module_names

    def keys(self) -> Iterable[str]:
        """Names, in order."""
        return list(self._module_names)

    def values(self) -> Iterable[Module]:
        """Modules, in order."""
        return [self.__dict__[name] for name in self._module_names]

    def items(self) -> Iterable[tuple[str, Module]]:
        """Pairs of name and module, in order."""
        return [(name, self.__dict__[name]) for name in self._module_names]

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add or replace modules; all or, if one of them is wrong, none."""
        pairs = dict(modules)
        for key, module in pairs.items():
            self._check_name("submodule", key, self._module_names)
            if not isinstance(module, Module):
                raise TypeError(
                    f"ModuleDict: {key!r} must be a Module, not a {type(module).__name__}"
                )
        for key, module in pairs.items():
            self.add_module(key, module)

    def pop(self, key: str) -> Module:
        """Take a module out and return it."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take every module out."""
        for key in self.keys():
            del self[key]
