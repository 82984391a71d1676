"""Scaling of inputs or targets by what the training samples alone say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, overload

import numpy as np

from autograd import Tensor, from_numpy


class Scaler:
    """
    Base of `Standardize` and `MinMax`: ``(x - shift) / scale``, and back.

    Fit it on the training samples and apply it to all others: nothing of those that test a model
    may reach its training.
    """

    names: ClassVar[tuple[str, str]] = ("shift", "scale")

    def __init__(self, dim: int | Sequence[int] = 0) -> None:
        self.dim = (dim,) if isinstance(dim, int) else tuple(dim)
        self.shift: np.ndarray | None = None
        self.scale: np.ndarray | None = None

    def fit(self, data: Tensor | np.ndarray) -> Self:
        """
        Learn shift and scale from the training samples.

        Parameters
        ----------
        data : Tensor or ndarray
            Each axis that is not in `dim` is one of columns, with a shift and scale for each.

        Returns
        -------
        Scaler
            This one.

        Raises
        ------
        ValueError
            If there is no number to learn from, or one is infinite or NaN; names its column.
        """
        array = np.asarray(data.numpy() if isinstance(data, Tensor) else data)
        who = type(self).__name__
        if array.dtype.kind not in "biuf" or any(
            not -array.ndim <= d < array.ndim for d in self.dim
        ):
            raise ValueError(
                f"{who}.fit: expected numbers with the axes {self.dim}, got {array.dtype} of shape "
                f"{array.shape}"
            )
        if array.size == 0:
            raise ValueError(f"{who}.fit: there are no samples in shape {array.shape}")
        # In float64: a mean of many float32 numbers is none to four digits.
        wide = array.astype(np.float64)
        low, high = (f(wide, axis=self.dim, keepdims=True) for f in (np.min, np.max))
        bad = ~np.isfinite(low) | ~np.isfinite(high)
        if bad.any():
            place = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(f"{who}.fit: a number is infinite or NaN, in column {place}")
        shift, scale = self._learn(wide, low, high)
        # What never changes is brought to one number, rather than to its rounding error.
        self.shift, self.scale = shift, np.where(low == high, 1.0, scale)
        return self

    def _learn(
        self, data: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError(f"{type(self).__name__} must define _learn")

    @overload
    def transform(self, data: Tensor) -> Tensor: ...
    @overload
    def transform(self, data: np.ndarray) -> np.ndarray: ...
    def transform(self, data: Any) -> Tensor | np.ndarray:
        """
        Scale samples.

        Parameters
        ----------
        data : Tensor or ndarray
            Integers become float32; a Tensor comes back without a gradient.

        Raises
        ------
        RuntimeError
            Before `fit`.
        ValueError
            If the columns are others than those of `fit`.
        """
        shift, scale = self._fitted(data, "transform")
        return self._apply(data, lambda array: (array - shift) / scale)

    @overload
    def inverse(self, data: Tensor) -> Tensor: ...
    @overload
    def inverse(self, data: np.ndarray) -> np.ndarray: ...
    def inverse(self, data: Any) -> Tensor | np.ndarray:
        """Scale back: what `transform` made, as a model's predictions of scaled targets."""
        shift, scale = self._fitted(data, "inverse")
        return self._apply(data, lambda array: array * scale + shift)

    def fit_transform(self, data: Any) -> Any:
        """Fit to samples, and scale them."""
        return self.fit(data).transform(data)

    def __call__(self, data: Any, rng: Any = None, /) -> Any:
        """Scale, as a transform of a dataset; nothing is drawn."""
        return self.transform(data)

    def _fitted(self, data: Any, method: str) -> tuple[np.ndarray, np.ndarray]:
        who = f"{type(self).__name__}.{method}"
        if self.shift is None or self.scale is None:
            raise RuntimeError(f"{who}: fit it to the training samples first")
        shape, known = tuple(data.shape), self.shift.shape
        try:
            fits = np.broadcast_shapes(shape, known) == shape and len(shape) == len(known)
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"{who}: data of shape {shape} do not fit the columns of shape {known} fitted to"
            )
        return self.shift, self.scale

    @staticmethod
    def _apply(data: Any, change: Any) -> Tensor | np.ndarray:
        array = data.numpy() if isinstance(data, Tensor) else np.asarray(data)
        dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float32)
        changed = change(array.astype(np.float64)).astype(dtype)
        return from_numpy(changed) if isinstance(data, Tensor) else changed

    def state_dict(self) -> dict[str, Any]:
        """Shift and scale, to be saved beside the weights of the model that needs them."""
        if self.shift is None or self.scale is None:
            raise RuntimeError(f"{type(self).__name__}.state_dict: it is not fitted")
        return {"shift": self.shift.copy(), "scale": self.scale.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """
        Take what `state_dict` returned.

        Raises
        ------
        ValueError
            If it is none.
        """
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state, Mapping) or set(state) != {"shift", "scale"}:
            raise ValueError(f"{who}: expected the keys 'shift' and 'scale'")
        shift, scale = (np.array(state[name], dtype=np.float64) for name in ("shift", "scale"))
        if shift.shape != scale.shape or not np.isfinite([shift, scale]).all() or not scale.all():
            raise ValueError(f"{who}: shift and scale must be finite, of one shape, scale not 0")
        self.shift, self.scale = shift, scale


class Standardize(Scaler):
    """
    Bring each column to mean 0 and standard deviation 1, by those of the training samples.

    Parameters
    ----------
    dim : int or sequence of int, default 0
        Axes over which mean and deviation are taken: 0 for tables ``(N, F)``; ``(0, 2, 3)`` for
        images ``(N, C, H, W)``, by channel.

    Examples
    --------
    >>> train, test = np.array([[1.0, 7.0], [3.0, 7.0]]), np.array([[5.0, 8.0]])
    >>> scaler = Standardize().fit(train)
    >>> scaler.transform(train), scaler.transform(test)
    (array([[-1.,  0.],
           [ 1.,  0.]]), array([[3., 1.]]))
    >>> scaler.inverse(scaler.transform(test))
    array([[5., 8.]])
    """

    def _learn(
        self, data: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        mean = data.mean(axis=self.dim, keepdims=True)
        # A constant column has its own value as mean, not the rounding of a sum.
        mean = np.where(low == high, low, mean)
        # The largest is taken out of the square, which might leave the range of floats.
        largest = np.maximum(high - mean, mean - low)
        largest = np.where(largest > 0, largest, 1.0)
        squares = ((data - mean) / largest) ** 2
        return mean, largest * np.sqrt(squares.mean(axis=self.dim, keepdims=True))


class MinMax(Scaler):
    """
    Bring each column of the training samples to the range from `low` to `high`.

    Parameters
    ----------
    low, high : float, default 0 and 1
        Other samples may lie outside. A constant column is brought to `low`.
    dim : int or sequence of int, default 0
        Axes over which the extremes are taken, see `Standardize`.

    Raises
    ------
    ValueError
        If `low` is not below `high`.

    Examples
    --------
    >>> MinMax(-1.0, 1.0).fit_transform(np.array([[0.0], [5.0], [10.0]]))
    array([[-1.],
           [ 0.],
           [ 1.]])
    """

    def __init__(self, low: float = 0.0, high: float = 1.0, dim: int | Sequence[int] = 0) -> None:
        super().__init__(dim)
        if not low < high:
            raise ValueError(f"MinMax: low must be below high, got {low!r} and {high!r}")
        self.low = float(low)
        self.high = float(high)

    def _learn(
        self, data: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        scale = np.where(low == high, 1.0, (high - low) / (self.high - self.low))
        return low - self.low * scale, scale
