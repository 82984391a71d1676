"""Linear regression, with its closed form."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from autograd import Tensor, from_numpy, no_grad

from ..layers.linear import Linear


class LinearRegression(Linear):
    """
    ``y = x @ weight.T + bias``: a linear layer that also knows its best weights in closed form.

    ============ ============ =======================
    layer        output       parameters
    ============ ============ =======================
    linear       1            ``in_features + 1``
    ============ ============ =======================

    (Numbers for one output.) It can be trained with any loss, as a `Linear` is; for the mean of
    squared errors `solve` gives at once the weights that gradient descent only approaches. Legendre
    1805, "Nouvelles méthodes pour la détermination des orbites des comètes".

    Parameters
    ----------
    in_features : int
    out_features : int, default 1
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Raises
    ------
    ValueError
        If a size is negative; in the call, if the input is not (..., in_features).

    Examples
    --------
    >>> model = LinearRegression(2)
    >>> x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 2.0]])
    >>> _ = model.solve(x, 3.0 + x @ np.array([[2.0], [-1.0]]))
    >>> np.round(model.weight.tolist(), 4), np.round(model.bias.tolist(), 4)
    (array([[ 2., -1.]]), array([3.]))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int = 1,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(in_features, out_features, bias, device, dtype)

    def solve(self, inputs: Any, targets: Any) -> Self:
        """
        Set weight and bias to those of least squared error.

        Where many do equally well (fewer samples than features, or features that follow from
        others), the smallest weights are taken. What is computed is computed in float64, by a
        singular value decomposition: the normal equations ``x.T @ x @ w = x.T @ y`` would square
        the condition number.

        Parameters
        ----------
        inputs : Tensor or ndarray, (N, in_features)
        targets : Tensor or ndarray, (N, out_features)

        Returns
        -------
        LinearRegression
            This one.

        Raises
        ------
        ValueError
            If the shapes do not fit, there are no samples, or a number is infinite or NaN.
        """
        x, y = (
            np.asarray(given.numpy() if isinstance(given, Tensor) else given, dtype=np.float64)
            for given in (inputs, targets)
        )
        if (
            x.ndim != 2
            or not len(x)
            or x.shape[1] != self.in_features
            or y.shape != (len(x), self.out_features)
        ):
            raise ValueError(
                f"LinearRegression.solve: expected inputs (N, {self.in_features}) and targets "
                f"(N, {self.out_features}) with N at least 1, got {x.shape} and {y.shape}"
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError("LinearRegression.solve: a number is infinite or NaN")
        # With a bias the best plane goes through the means, so that the rest needs none.
        x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
        if self.bias is None:
            x_mean, y_mean = np.zeros_like(x_mean), np.zeros_like(y_mean)
        weight = np.linalg.lstsq(x - x_mean, y - y_mean)[0]
        with no_grad():
            self.weight.copy_(from_numpy(weight.T.astype(self.weight.dtype)))
            if self.bias is not None:
                bias = y_mean - x_mean @ weight
                self.bias.copy_(from_numpy(bias.astype(self.bias.dtype)))
        return self
