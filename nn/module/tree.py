"""Walking over a tree of modules, and finding things in it by dotted names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from autograd import Tensor

from .parameter import Parameter
from .registry import Registry

if TYPE_CHECKING:
    from .base import Module


class Tree(Registry):
    """The part of `Module` that walks."""

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
        this: Any = self
        yield prefix, this
        dotted = f"{prefix}." if prefix else ""
        for name in self._module_names:
            module = self.__dict__[name]
            if module is not None:
                yield from module.named_modules(memo, dotted + name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Every module of the tree, this one first, each once unless duplicates are wanted."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
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
        module: Any = self
        for name in target.split(".") if target else []:
            if name not in module._module_names or module.__dict__[name] is None:
                raise AttributeError(
                    f"{type(module).__name__} has no submodule {name!r} (looking for {target!r})"
                )
            module = module.__dict__[name]
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """
        Put a module in the place of a dotted name.

        Parameters
        ----------
        target : str
        module : Module
        strict : bool, default False
            Only replace a submodule that is there.

        Raises
        ------
        ValueError
            If the name is empty.
        TypeError
            If `module` is no Module.
        AttributeError
            If the way to it is missing (or, if `strict`, it itself), or it is no submodule.

        Examples
        --------
        >>> import nn
        >>> model = nn.Sequential(nn.Sequential(nn.ReLU()))
        >>> model.set_submodule("0.0", nn.Tanh())
        >>> model[0][0]
        Tanh()
        """
        if not target:
            raise ValueError("set_submodule: the name must not be empty")
        if not isinstance(module, Registry):
            raise TypeError(f"set_submodule: expected a Module, not a {type(module).__name__}")
        path, _, name = target.rpartition(".")
        parent: Any = self.get_submodule(path)
        there = parent.__dict__.get(name)
        if not isinstance(there, Registry) and (strict or hasattr(parent, name)):
            raise AttributeError(
                f"{type(parent).__name__} has no submodule {name!r} (looking for {target!r})"
            )
        setattr(parent, name, module)

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
        this: Any = self
        fn(this)
        return self
