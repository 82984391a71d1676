"""Modules that hold parameters in a list or a dict."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, Self, overload

from autograd import Tensor

from ..module import Module, Parameter


def _described(name: object, value: Any) -> str:
    if not isinstance(value, Tensor):
        return f"  ({name}): Object of type: {type(value).__name__}"
    what = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(map(str, value.shape))
    return f"  ({name}): {what} containing: [{value.dtype} of size {size}]"


class ParameterList(Module):
    """
    A list of parameters, which are registered; it has no `forward`.

    Tensors become parameters; other things are held as they are.

    Parameters
    ----------
    values : iterable, optional

    Raises
    ------
    TypeError
        If `values` is no iterable, or a tensor.
    IndexError
        If a position does not exist.

    Examples
    --------
    >>> import autograd, nn
    >>> weights = nn.ParameterList([autograd.ones(2), autograd.zeros(3)])
    >>> [name for name, _ in weights.named_parameters()]
    ['0', '1']
    >>> len(weights), weights[-1].shape
    (2, (3,))
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _name_at(self, index: Any) -> str:
        position = operator.index(index)
        if not -self._size <= position < self._size:
            raise IndexError(
                f"{type(self).__name__}: index {position} is out of range for {self._size} items"
            )
        return str(position % self._size)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(self[i] for i in range(*index.indices(self._size)))
        return self.__dict__[self._name_at(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        self._set(self._name_at(index), value)

    def _set(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor) and not isinstance(value, Parameter):
            value = Parameter(value)
        elif name in self._parameter_names and not isinstance(value, Parameter):
            delattr(self, name)  # its place is taken by something that is not learned
        setattr(self, name, value)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self.__dict__[str(i)] for i in range(self._size)])

    def append(self, value: Any) -> Self:
        """Add a parameter at the end; returns the list."""
        self._set(str(self._size), value)
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add parameters at the end; returns the list."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                f"{type(self).__name__}: extend takes several parameters, not a "
                f"{type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: a list computes nothing."""
        raise RuntimeError(f"{type(self).__name__} should not be called")

    def extra_repr(self) -> str:
        """Types and sizes, one to a line."""
        return "\n".join(_described(i, value) for i, value in enumerate(self))


class ParameterDict(Module):
    """
    A dict of parameters, which are registered; it has no `forward`.

    Tensors become parameters; other things are held as they are. Keys keep the order in which they
    came; those of a plain dict are sorted first, as in PyTorch.

    Parameters
    ----------
    parameters : mapping of str to anything, or iterable of such pairs, optional

    Raises
    ------
    TypeError
        If a key is no str.
    KeyError
        If a key is not there, or is an attribute already (such as "keys").

    Examples
    --------
    >>> import autograd, nn
    >>> weights = nn.ParameterDict({"left": autograd.ones(2), "right": autograd.zeros(3)})
    >>> [name for name, _ in weights.named_parameters()]
    ['left', 'right']
    >>> "left" in weights, weights.get("middle")
    (True, None)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, bool] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return self.__dict__[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._check_name("parameter", key, self._keys)
        if isinstance(value, Tensor) and not isinstance(value, Parameter):
            value = Parameter(value)
        elif key in self._parameter_names and not isinstance(value, Parameter):
            delattr(self, key)  # its place is taken by something that is not learned
        setattr(self, key, value)
        self._keys[key] = True

    def __delitem__(self, key: str) -> None:
        if key not in self._keys:
            raise KeyError(key)
        delattr(self, key)
        del self._keys[key]

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._keys))

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def keys(self) -> Iterable[str]:
        """Names, in order."""
        return list(self._keys)

    def values(self) -> Iterable[Any]:
        """Parameters, in order."""
        return [self.__dict__[key] for key in self._keys]

    def items(self) -> Iterable[tuple[str, Any]]:
        """Pairs of name and parameter, in order."""
        return [(key, self.__dict__[key]) for key in self._keys]

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of a name, or `default` if there is none."""
        return self.__dict__[key] if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter of a name; if there is none, `default` becomes it."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, parameters: Any) -> None:
        """Add or replace parameters; those of a plain dict come in the order of their names."""
        pairs = dict(parameters)
        # As in PyTorch: the order is that in which an optimizer counts the parameters.
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = dict(sorted(pairs.items()))
        for key, value in pairs.items():
            self[key] = value

    def pop(self, key: str) -> Any:
        """Take a parameter out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last parameter out and return it with its name."""
        if not self._keys:
            raise KeyError("ParameterDict: nothing is left to pop")
        key = next(reversed(self))
        return key, self.pop(key)

    def clear(self) -> None:
        """Take every parameter out."""
        for key in self.keys():
            del self[key]

    def copy(self) -> ParameterDict:
        """Another dict with the same parameters."""
        return ParameterDict(self.items())

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A dict with these keys, and `default` for each."""
        return ParameterDict((key, default) for key in keys)

    def __or__(self, other: Mapping[str, Any] | ParameterDict) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ror__(self, other: Mapping[str, Any]) -> ParameterDict:
        return ParameterDict(other) | self

    def __ior__(self, other: Mapping[str, Any] | ParameterDict) -> Self:
        self.update(other)
        return self

    def forward(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: a dict computes nothing."""
        raise RuntimeError(f"{type(self).__name__} should not be called")

    def extra_repr(self) -> str:
        """Types and sizes, one to a line."""
        return "\n".join(_described(key, value) for key, value in self.items())
