"""Weights whose rows or columns stay orthonormal."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Tensor, cat, eye, randn, zeros
from autograd import sum as sum_of

from ..module import Module
from .parametrize import register_parametrization

MAPS = ("matrix_exp", "cayley", "householder")
TERMS = 18  # of the series of exp, for matrices of norm 1/2: the next is below 1e-22
NEWTON_STEPS = 2  # each doubles the order up to which derivatives are exact: to the third


class _Orthogonal(Module):
    """Maps any matrix to one with orthonormal columns (rows, if it is wide)."""

    def __init__(self, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        """Map a matrix, or each of a stack of them."""
        wide = X.shape[-2] < X.shape[-1]
        if wide:
            X = X.mT
        n, k = X.shape[-2:]
        if self.orthogonal_map == "householder":
            below = X.tril(-1)
            tau = 2.0 / (1.0 + sum_of(below * below, -2))
            Q = _householder_product(below, tau)
            # The diagonal holds signs, through which no gradient flows. What weight decay has made
            # of them is still a sign (PyTorch truncates it to 0, and the column is gone).
            signs = np.sign(np.diagonal(X.detach().numpy(), axis1=-2, axis2=-1))
            Q = Q * signs[..., None, :]
        else:
            lower = X.tril()
            if n != k:
                rest = zeros(*X.shape[:-1], n - k, dtype=X.dtype)
                lower = cat([lower, rest], -1)
            skew = lower - lower.mT
            if self.orthogonal_map == "matrix_exp":
                Q = _matrix_exp(skew)
            else:
                one = eye(n, dtype=X.dtype)
                Q = _inverse(one - skew * 0.5) @ (one + skew * 0.5)
            if n != k:
                Q = Q[..., :k]
        if self.use_trivialization and self.base is not None:
            Q = self.base @ Q
        return Q.mT if wide else Q

    def right_inverse(self, Q_init: Tensor) -> Tensor:
        """What gives `Q_init`; a matrix that is not orthogonal is made so first."""
        wide = Q_init.shape[-2] < Q_init.shape[-1]
        Q = Q_init.mT if wide else Q_init
        n, k = Q.shape[-2:]
        if not self.use_trivialization:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    f"orthogonal: without trivialization {self.orthogonal_map} has no inverse, so "
                    "the weight cannot be assigned"
                )
            packed, tau = _geqrf(Q)
            diagonal = np.einsum("...ii->...i", packed[..., :k, :])
            np.sign(diagonal, out=diagonal)
            # LAPACK takes no reflection where there is nothing to do; here each one is there.
            diagonal[tau == 0.0] *= -1.0
            found = Tensor(packed)
            return found.mT if wide else found
        if n != k:
            Q = cat([Q, randn(*Q.shape[:-1], n - k, dtype=Q.dtype)], -1)
            self.base = Tensor(_made_orthogonal(Q))
        else:
            self.base = Q.detach().clone() if _is_orthogonal(Q) else Tensor(_made_orthogonal(Q))
        # Of which every map makes the identity, so that the base is what comes out.
        minus = np.zeros(Q_init.shape, Q_init.dtype)
        np.einsum("...ii->...i", minus[..., : min(n, k), : min(n, k)])[...] = -1.0
        return Tensor(minus)


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """
    Keep a weight orthogonal: orthonormal rows if it is wide, else orthonormal columns.

    The weight is a function of a matrix X without constraints: ``exp(A)`` or Cayley's
    ``(I - A/2)^-1 (I + A/2)`` with ``A = L - L^T``, L the lower triangle of X; or a product of
    Householder's reflections. Of a weight of more dimensions each matrix of the last two.

    Parameters
    ----------
    module : Module
    name : str
        Of the parameter.
    orthogonal_map : {"matrix_exp", "cayley", "householder"}, optional
        Default: "matrix_exp" of a square weight, else "householder".
    use_trivialization : bool, default True
        Begin at the weight that is there (made orthogonal if it is not): it is kept as the buffer
        ``base``, by which the function is multiplied.

    Returns
    -------
    Module
        `module` itself.

    Raises
    ------
    ValueError
        If there is no such parameter, it has less than two dimensions, or the map is unknown.

    References
    ----------
    M. Lezcano-Casado, "Trivializations for Gradient-Based Optimization on Manifolds", 2019.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.utils.parametrizations.orthogonal(nn.Linear(3, 3))
    >>> w = layer.weight
    >>> bool(autograd.allclose(w @ w.T, autograd.eye(3), atol=1e-5))
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"orthogonal: {type(module).__name__} has no parameter {name!r}")
    if len(weight.shape) < 2:
        raise ValueError(f"orthogonal: a matrix or more expected, met shape {weight.shape}")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(f"orthogonal: map must be one of {MAPS}, not {orthogonal_map!r}")
    made = _Orthogonal(orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


def _matrix_exp(A: Tensor) -> Tensor:
    """The exponential of a matrix: the series at A / 2^s, squared s times."""
    largest = float(np.abs(A.detach().numpy()).sum(-1).max(initial=0.0))
    halvings = max(0, math.ceil(math.log2(largest)) + 1) if largest > 0.5 else 0
    X = A * 0.5**halvings
    one = eye(A.shape[-1], dtype=A.dtype)
    found: Any = one + X * (1.0 / TERMS)
    for term in range(TERMS - 1, 0, -1):
        found = one + (X @ found) * (1.0 / term)
    for _ in range(halvings):
        found = found @ found
    return found


def _inverse(M: Tensor) -> Tensor:
    """The inverse of a matrix, by steps of Newton's method from the inverse itself.

    The value is there from the beginning; the steps are what derivatives go through.
    """
    found: Any = Tensor(np.linalg.inv(M.detach().numpy()))
    one = eye(M.shape[-1], dtype=M.dtype)
    for _ in range(NEWTON_STEPS):
        found = found @ (2.0 * one - M @ found)
    return found


def _householder_product(below: Tensor, tau: Tensor) -> Tensor:
    """The first columns of the product of the reflections ``I - tau v v^T``.

    Column i of `below` is v below its element i, which is 1.
    """
    n, k = below.shape[-2:]
    vectors = below + eye(n, k, dtype=below.dtype)
    found: Any = eye(n, k, dtype=below.dtype)
    for i in range(k - 1, -1, -1):
        v = vectors[..., i : i + 1]
        found = found - (tau[..., i : i + 1, None] * v) @ (v.mT @ found)
    return found


def _geqrf(Q: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """LAPACK's form of a QR factorisation: R, and below it the reflections; and their factors."""
    packed, tau = np.linalg.qr(Q.detach().numpy(), mode="raw")
    return np.array(np.swapaxes(packed, -1, -2)), tau


def _made_orthogonal(A: Tensor) -> np.ndarray:
    """The orthogonal factor of a matrix whose other factor has a positive diagonal."""
    Q, R = np.linalg.qr(A.detach().numpy())
    return Q * np.sign(np.einsum("...ii->...i", R))[..., None, :]


def _is_orthogonal(Q: Tensor) -> bool:
    array = Q.detach().numpy()
    n, k = array.shape[-2:]
    bound = 10.0 * n * np.finfo(array.dtype).eps
    return bool(np.abs(np.swapaxes(array, -1, -2) @ array - np.eye(k)).max(initial=0.0) <= bound)
