"""Ways to prune: at random, by size, by a mask; single elements or slices."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from autograd import Tensor, from_numpy, rand

from .prune_base import BasePruningMethod


class Identity(BasePruningMethod):
    """
    Prune nothing, but bring the parameter into the pruned form.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.utils.prune.Identity().prune(autograd.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask as it is."""
        return default_mask


class _ByAmount(BasePruningMethod):
    def __init__(self, amount: float) -> None:
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"prune: amount must be an int or a float, not {amount!r}")
        whole = isinstance(amount, numbers.Integral)
        if amount < 0 or (not whole and not float(amount) <= 1.0):
            raise ValueError(
                f"prune: amount must be a float in [0, 1] or an int >= 0, not {amount!r}"
            )
        self.amount = amount

    def _count(self, size: int) -> int:
        """How many of `size` are pruned."""
        if not isinstance(self.amount, numbers.Integral):
            return round(self.amount * size)
        if self.amount > size:
            raise ValueError(f"prune: amount={self.amount}, but there are {size} to prune")
        return int(self.amount)


class _Unstructured(_ByAmount):
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Take out the elements with the least scores."""
        mask = default_mask.detach().numpy().copy()
        count = self._count(t.numel())
        mask.reshape(-1)[_least(self._scores(t).reshape(-1), count)] = 0
        return from_numpy(mask)

    def _scores(self, t: Tensor) -> np.ndarray:
        raise NotImplementedError


class RandomUnstructured(_Unstructured):
    """
    Prune elements at random.

    Parameters
    ----------
    amount : float in [0, 1] or int
        Share or number of the elements to prune.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.utils.prune.RandomUnstructured(3).prune(autograd.ones(5)).sum()
    tensor(2.)
    """

    PRUNING_TYPE = "unstructured"

    def _scores(self, t: Tensor) -> np.ndarray:
        return rand(*t.shape).numpy()


class L1Unstructured(_Unstructured):
    """
    Prune the elements of least absolute value.

    Parameters
    ----------
    amount : float in [0, 1] or int
        Share or number of the elements to prune.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.utils.prune.L1Unstructured(1).prune(autograd.tensor([3.0, 2.0, -4.0]))
    tensor([ 3.,  0., -4.])
    """

    PRUNING_TYPE = "unstructured"

    def _scores(self, t: Tensor) -> np.ndarray:
        return np.abs(t.detach().numpy())


class _Structured(_ByAmount):
    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Take out the slices along `dim` with the least scores."""
        ndim = len(t.shape)
        if ndim < 2:
            raise ValueError(f"prune: slices of a tensor of shape {t.shape}; two dims are needed")
        if not -ndim <= self.dim < ndim:
            raise IndexError(f"prune: dim {self.dim} is out of range for shape {t.shape}")
        mask = default_mask.detach().numpy().copy()
        array = np.moveaxis(t.detach().numpy(), self.dim, 0).reshape(t.shape[self.dim], -1)
        count = self._count(len(array))
        np.moveaxis(mask, self.dim, 0)[_least(self._scores(array), count)] = 0
        return from_numpy(mask)

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class RandomStructured(_Structured):
    """
    Prune slices at random.

    Parameters
    ----------
    amount : float in [0, 1] or int
        Share or number of the slices to prune.
    dim : int, default -1
        The dimension along which the slices lie.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.utils.prune.RandomStructured(1, dim=0).prune(autograd.ones(2, 3)).sum()
    tensor(3.)
    """

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        return rand(len(rows)).numpy()


class LnStructured(_Structured):
    """
    Prune the slices of least norm.

    Parameters
    ----------
    amount : float in [0, 1] or int
        Share or number of the slices to prune.
    n : int, float, or "fro"
        The p of the norm.
    dim : int, default -1
        The dimension along which the slices lie.

    Examples
    --------
    >>> import autograd, nn
    >>> method = nn.utils.prune.LnStructured(1, n=2, dim=0)
    >>> method.prune(autograd.tensor([[3.0, 4.0], [1.0, 1.0]]))
    tensor([[3., 4.],
            [0., 0.]])
    """

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        return from_numpy(rows.copy()).norm(p=self.n, dim=1).numpy()


class CustomFromMask(BasePruningMethod):
    """
    Prune by a given mask.

    Parameters
    ----------
    mask : Tensor
        Of zeros and ones, of the parameter's shape.

    Examples
    --------
    >>> import autograd, nn
    >>> mask = autograd.tensor([0.0, 1.0])
    >>> nn.utils.prune.CustomFromMask(mask).prune(autograd.tensor([3.0, 2.0]))
    tensor([0., 2.])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Put both masks together."""
        if self.mask.shape != default_mask.shape:
            raise ValueError(
                f"prune: a mask of shape {self.mask.shape} for a tensor of shape "
                f"{default_mask.shape}"
            )
        return default_mask * self.mask.to(default_mask.dtype)


def _least(scores: np.ndarray, count: int) -> np.ndarray:
    return np.argsort(scores, kind="stable")[:count]
