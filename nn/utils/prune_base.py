"""What all ways to prune share: masks on parameters, and several of them one after the other."""

from __future__ import annotations

from typing import Any, ClassVar

from autograd import Tensor, from_numpy, ones_like

from ..module import Module, Parameter


class BasePruningMethod:
    """
    A way to make masks; subclasses define `compute_mask` and `PRUNING_TYPE`.

    Attributes
    ----------
    PRUNING_TYPE : {"unstructured", "structured", "global"}
        What a second pruning works on: the elements that are left, the slices along ``self.dim``
        that are left, or everything.

    Examples
    --------
    >>> import nn
    >>> class EverySecond(nn.utils.prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...
    ...     def compute_mask(self, t, default_mask):
    ...         mask = default_mask.clone()
    ...         mask.view(-1)[::2] = 0.0
    ...         return mask
    >>> layer = nn.Linear(2, 2)
    >>> _ = EverySecond.apply(layer, "weight")
    >>> layer.weight_mask
    tensor([[0., 1.],
            [0., 1.]])
    """

    PRUNING_TYPE: ClassVar[str] = "unstructured"
    _tensor_name: str | None = None

    def __call__(self, module: Module, inputs: Any) -> None:
        """Set the parameter to its masked value, before each call of the module."""
        assert self._tensor_name is not None
        setattr(module, self._tensor_name, self.apply_mask(module))

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """
        Make the mask of a tensor, or of what is left of it; every subclass defines its own.

        Raises
        ------
        NotImplementedError
            If a subclass did not.

        Examples
        --------
        >>> import autograd, nn
        >>> one = autograd.ones(2)
        >>> nn.utils.prune.L1Unstructured(1).compute_mask(autograd.tensor([3.0, -2.0]), one)
        tensor([1., 0.])
        """
        raise NotImplementedError(f"{type(self).__name__} defines no compute_mask()")

    def apply_mask(self, module: Module) -> Tensor:
        """
        The parameter times its mask.

        Raises
        ------
        RuntimeError
            If no parameter was pruned by this.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Linear(2, 2)
        >>> method = nn.utils.prune.L1Unstructured.apply(layer, "weight", 4)
        >>> bool((method.apply_mask(layer) == 0).all())
        True
        """
        name = self._name()
        mask = getattr(module, f"{name}_mask")
        original = getattr(module, f"{name}_orig")
        return mask.to(original.dtype) * original

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """
        A tensor times the mask that this makes of it; no module is involved.

        Examples
        --------
        >>> import autograd, nn
        >>> nn.utils.prune.L1Unstructured(1).prune(autograd.tensor([3.0, 2.0]))
        tensor([3., 0.])
        """
        scores = scores_for(importance_scores, t, "the tensor")
        mask = ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=mask)

    def remove(self, module: Module) -> None:
        """
        Make the pruned parameter an ordinary one, with the value that it has.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Linear(2, 2)
        >>> nn.utils.prune.L1Unstructured.apply(layer, "weight", 1).remove(layer)
        >>> list(layer.state_dict())
        ['bias', 'weight']
        """
        name = self._name()
        value = self.apply_mask(module).detach()
        original = getattr(module, f"{name}_orig")
        for attribute in (name, f"{name}_orig", f"{name}_mask"):
            delattr(module, attribute)
        original.data = value
        setattr(module, name, original)

    @classmethod
    def apply(
        cls,
        module: Module,
        name: str,
        *args: Any,
        importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> BasePruningMethod:
        """
        Prune a parameter, also one that is pruned already.

        Parameters
        ----------
        module : Module
        name : str
            Of the parameter.
        *args, **kwargs
            Of the method.
        importance_scores : Tensor, optional
            By which elements are judged; default the parameter itself.

        Returns
        -------
        BasePruningMethod
            What is called before each call of the module.

        Raises
        ------
        ValueError
            If there is no such parameter, or the scores are of another shape. The module is left as
            it was, whatever raises.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Linear(2, 2)
        >>> _ = nn.utils.prune.L1Unstructured.apply(layer, "weight", 0.5)
        >>> layer.weight_mask.sum()
        tensor(2.)
        """
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        old = hook_of(module, name)
        tensor = module.__dict__.get(name)
        if not isinstance(tensor, Parameter if old is None else Tensor):
            raise ValueError(f"prune: {type(module).__name__} has no parameter {name!r}")
        assert isinstance(tensor, Tensor)
        scores = scores_for(importance_scores, tensor, f"parameter {name!r}").detach()
        if old is None:
            mask = method.compute_mask(scores, default_mask=ones_like(tensor.detach()))
            delattr(module, name)
            setattr(module, f"{name}_orig", tensor)
            module.register_buffer(f"{name}_mask", mask)
        else:
            key, before = old
            several = PruningContainer(before) if type(before) is not PruningContainer else before
            # Not yet into the container in use: making the mask may fail.
            trial = PruningContainer(*several, method)
            mask = trial.compute_mask(
                scores, default_mask=getattr(module, f"{name}_mask").detach().clone()
            )
            del module._forward_pre_hooks[key]
            method = trial
            setattr(module, f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def _name(self) -> str:
        if self._tensor_name is None:
            raise RuntimeError(f"{type(self).__name__}: no parameter was pruned by this method")
        return self._tensor_name


class PruningContainer(BasePruningMethod):
    """
    Several prunings of one parameter, one after the other.

    Parameters
    ----------
    *args : BasePruningMethod
        All of one parameter.

    Raises
    ------
    TypeError
        If one is no method of pruning.
    ValueError
        If one is of another parameter.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Linear(4, 1)
    >>> _ = nn.utils.prune.l1_unstructured(layer, "weight", 0.5)
    >>> _ = nn.utils.prune.l1_unstructured(layer, "weight", 0.5)
    >>> layer.weight_mask.sum()
    tensor(1.)
    """

    def __init__(self, *args: BasePruningMethod) -> None:
        self._methods: list[BasePruningMethod] = []
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Add one at the end."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(
                f"PruningContainer: a BasePruningMethod expected, not a {type(method).__name__}"
            )
        if self._methods and method._tensor_name != self._tensor_name:
            raise ValueError(
                f"PruningContainer: a method of {method._tensor_name!r} among those of "
                f"{self._tensor_name!r}"
            )
        self._tensor_name = method._tensor_name
        self._methods.append(method)

    def __len__(self) -> int:
        return len(self._methods)

    def __iter__(self) -> Any:
        return iter(self._methods)

    def __getitem__(self, index: int) -> BasePruningMethod:
        return self._methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Let the last method work on what the mask so far leaves; the others have done so."""
        method: Any = self._methods[-1]
        mask = default_mask.detach().numpy()
        values = t.detach().numpy()
        part: Any
        if method.PRUNING_TYPE == "unstructured":
            part = mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = method.dim % mask.ndim if -mask.ndim <= method.dim < mask.ndim else method.dim
            others = tuple(d for d in range(mask.ndim) if d != dim)
            part = (*(slice(None),) * dim, mask.sum(axis=others) != 0)
        elif method.PRUNING_TYPE == "global":
            part = ...
        else:
            raise ValueError(f"{type(method).__name__}: unknown type {method.PRUNING_TYPE!r}")
        new = mask.astype(values.dtype)
        found = method.compute_mask(
            from_numpy(values[part].copy()), default_mask=from_numpy(mask[part].copy())
        )
        new[part] = found.detach().numpy()
        return from_numpy(new)


def scores_for(scores: Tensor | None, tensor: Tensor, what: str) -> Tensor:
    """The scores given, or the tensor itself where there are none."""
    if scores is None:
        return tensor
    if scores.shape != tensor.shape:
        raise ValueError(
            f"prune: importance_scores of shape {scores.shape} for {what} of shape {tensor.shape}"
        )
    return scores


def hook_of(module: Module, name: str) -> tuple[int, BasePruningMethod] | None:
    """What prunes a parameter, and its key among the hooks of the module."""
    for key, (hook, _) in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return key, hook
    return None
