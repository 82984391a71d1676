"""Tensor: the engine over NumPy arrays, under PyTorch's method names."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import random
from .changes import CHANGES
from .device import CPU, check_device
from .device import device as Device
from .dtypes import check_supported, get_default_dtype
from .graph import Abstract, Variable, new_leaf, register_front, wrap
from .inplace import InPlace, in_place
from .modes import mode
from .ops import (
    arithmetic,
    cumulative,
    diagonals,
    distinct,
    draws,
    extremes,
    gathering,
    index,
    insert,
    join,
    linalg,
    loss,
    norms,
    products,
    rearrange,
    reduce,
    scattering,
    shape,
    sorting,
    statistics,
    views,
)
from .ops.shape import lengths
from .printing import tensor_text
from .protocols import exchange
from .watch import WATCHERS, watch_views

Shape = tuple[int, ...]


class Tensor(InPlace):
    """An array that can record what is done with it.

    Parameters
    ----------
    data : Tensor, ndarray, number or nested sequence
        An ndarray is shared, not copied (`autograd.tensor` copies).
    requires_grad : bool
        Record operations on this tensor, so that `backward` can fill in `grad`.
    dtype : dtype, optional

    Raises
    ------
    TypeError
        If data are not real numbers or bools, or gradients are asked of integers.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        self.value = to_array(data, dtype)
        self.node = None
        self.requires_grad = False
        if requires_grad:
            self.requires_grad_()

    # --- What it is ---------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.value.shape)

    @property
    def T(self) -> Tensor:
        """All dimensions reversed."""
        return shape.permute(self, tuple(range(self.ndim))[::-1])

    @property
    def mT(self) -> Tensor:
        """The last two dimensions swapped."""
        return shape.mT(self)

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient, or None."""
        return None if self.node is None else self.node.grad

    @grad.setter
    def grad(self, gradient: Tensor | None) -> None:
        if gradient is not None:
            if not isinstance(gradient, Tensor):
                raise TypeError(f"grad must be a Tensor or None, not {type(gradient).__name__}")
            if gradient.shape != self.shape or gradient.dtype != self.dtype:
                raise ValueError(
                    f"grad must be {self.dtype} {self.shape} as the tensor is, not "
                    f"{gradient.dtype} {gradient.shape}"
                )
        if self.node is None:
            self.node = new_leaf(self)
        self.node.grad = gradient

    @property
    def data(self) -> Tensor:
        """The values without the graph, sharing memory; assignable."""
        return self.detach()

    @data.setter
    def data(self, other: Any) -> None:
        # A graph recorded before keeps the old array, so nothing has to be marked as changed.
        self.value = to_array(other, self.dtype)
        if self.node is not None and self.node.shape != self.value.shape:
            old, self.node = self.node, new_leaf(self)
            self.node.grad = old.grad  # of the old shape: an optimizer says so

    def size(self, dim: int | None = None) -> Any:
        """Shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """Number of dimensions."""
        return self.ndim

    def numel(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))

    nelement = numel
    ndimension = dim

    def is_floating_point(self) -> bool:
        """True for a float dtype."""
        return self.dtype.kind == "f"

    def is_complex(self) -> bool:
        """Always False: there are no complex tensors."""
        return False

    def is_signed(self) -> bool:
        """True for a dtype that has negative numbers."""
        return self.dtype.kind in "if"

    def is_nonzero(self) -> bool:
        """The truth of a single element."""
        return bool(self)

    def is_same_size(self, other: Tensor) -> bool:
        """True if the shapes are equal."""
        return self.shape == other.shape

    def is_contiguous(self) -> bool:
        """True if the memory lies in row-major order without gaps."""
        return bool(self.array().flags.c_contiguous)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    def element_size(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.numel() * self.dtype.itemsize

    # --- Values -------------------------------------------------------------------------------

    def numpy(self) -> np.ndarray:
        """The values as an ndarray that shares memory.

        Raises
        ------
        RuntimeError
            If the tensor requires grad: what NumPy does with it would not be recorded.
        """
        if self.requires_grad:
            raise RuntimeError("numpy(): this tensor requires grad; use detach().numpy()")
        for watcher in WATCHERS:
            watcher.left("numpy", self, self.value)
        return self.array()

    def array(self) -> np.ndarray:
        """The values as an ndarray that shares memory, whether or not gradients are recorded."""
        if self.value.__class__ is Abstract:
            raise _no_value(self, "its values")
        if not isinstance(self.value, np.ndarray):  # a 0-d result is kept as a NumPy scalar
            self.value = np.array(self.value)
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if copy:
            return np.array(array, dtype)
        if dtype is None or array.dtype == dtype:
            return array
        if copy is False:
            raise ValueError(f"a {array.dtype} tensor cannot be {np.dtype(dtype)} without a copy")
        return array.astype(dtype)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[Any, Any] | None = None,
        dl_device: tuple[Any, Any] | None = None,
        copy: Any = None,
    ) -> Any:
        """Lend the memory to another array library, as ``np.from_dlpack(x)`` asks.

        Memory that a graph has saved for its backward pass is lent as read-only.

        Raises
        ------
        BufferError
            If the tensor requires grad, or the memory cannot be lent as it is asked for.
        """
        if self.requires_grad:
            raise BufferError("__dlpack__: this tensor requires grad; lend its detach()")
        alone = isinstance(self.value, np.generic) or (
            isinstance(self.value, np.ndarray)
            and self.value.base is None
            and sys.getrefcount(self.value) <= 2
        )
        return exchange.lend(self.numpy(), alone, stream, max_version, dl_device, copy)

    def __dlpack_device__(self) -> tuple[Any, Any]:
        """The only device, the CPU, as DLPack numbers it."""
        return exchange.CPU

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The functions of the array API standard for tensors: `autograd.array_api`.

        Raises
        ------
        ValueError
            For a version of the standard that it does not follow.
        """
        from . import array_api

        if api_version not in (None, "2021.12", "2022.12", array_api.__array_api_version__):
            raise ValueError(
                f"__array_namespace__: version {api_version!r} of the array API is not supported; "
                f"expected at most {array_api.__array_api_version__!r}"
            )
        return array_api

    def item(self) -> Any:
        """The only element, as a Python number.

        Raises
        ------
        ValueError
            If there is not exactly one element.
        """
        if self.value.__class__ is Abstract:
            raise _no_value(self, "item()")
        if self.value.size != 1:
            raise ValueError(f"item(): shape {self.shape} has {self.numel()} elements, not one")
        for watcher in WATCHERS:
            watcher.left("item", self, None)
        return self.value.item()

    def tolist(self) -> Any:
        """The values as nested lists."""
        for watcher in WATCHERS:
            watcher.left("tolist", self, None)
        return self.array().tolist()

    def __bool__(self) -> bool:
        if self.value.__class__ is Abstract:
            raise _no_value(self, "bool()")
        if self.value.size != 1:
            raise ValueError(
                f"the truth of a tensor of shape {self.shape} is not defined: use .any() or .all()"
            )
        return bool(self.value)

    def __float__(self) -> float:
        return float(self._single("float()"))

    def __int__(self) -> int:
        return int(self._single("int()"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iub":
            raise TypeError(f"only an integer tensor can be an index, not {self.dtype}")
        return int(self._single("an index"))

    def _single(self, what: str) -> Any:
        if self.value.__class__ is Abstract:
            raise _no_value(self, what)
        return self.item()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, element: Any) -> bool:
        return bool(np.any(self.array() == getattr(element, "value", element)))

    def __repr__(self) -> str:
        return tensor_text(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self.shape and spec else repr(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError("only leaf tensors can be deep-copied; detach() it first")
        copied = object.__new__(type(self))
        memo[id(self)] = copied
        copied.value = copy.deepcopy(self.value, memo)
        copied.node, copied.requires_grad = None, False
        if self.requires_grad:
            copied.requires_grad_()
        if self.grad is not None:
            copied.grad = copy.deepcopy(self.grad, memo)
        if hasattr(self, "__dict__"):  # of a subclass
            vars(copied).update(copy.deepcopy(vars(self), memo))
        return copied

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise RuntimeError("only leaf tensors can be pickled; detach() it first")
        about = getattr(self, "__dict__", None) or None  # what a subclass adds
        return _rebuilt, (type(self), self.array(), self.requires_grad), about

    # --- The graph ----------------------------------------------------------------------------

    def detach(self) -> Tensor:
        """The same values (shared memory) without the graph."""
        result = wrap(self.value)
        for watcher in WATCHERS:
            watcher.left("detach", self, result)
        return result

    def detach_(self) -> Tensor:
        """Cut this tensor itself off the graph, and return it.

        Raises
        ------
        RuntimeError
            For a view: its base would stay in the graph.
        """
        if not self.is_leaf and not isinstance(self.value, Abstract) and self._is_view():
            raise RuntimeError("detach_: a view cannot be cut off in place; use detach()")
        if not self.is_leaf:
            self.node = None
        self.requires_grad = False
        for watcher in WATCHERS:
            watcher.left("detach", self, self)
        return self

    # --- Operators beyond those of a number ---------------------------------------------------

    __matmul__ = linalg.matmul

    def __rmatmul__(self, other: Any) -> Any:
        return linalg.matmul(other, self)

    def __getitem__(self, key: Any) -> Tensor:
        return index.getitem(self, key)

    # --- Changes in place ---------------------------------------------------------------------

    def __setitem__(self, key: Any, value: Any) -> None:
        where = index.canonical(key)
        traced = any(isinstance(getattr(v, "value", None), Abstract) for v in (self, value))
        if traced or self._recording(value):
            self._replace(index.put(self, value, where), "__setitem__")
            return
        if isinstance(value, Variable):
            value = value.value
        try:
            index.assign(self.array(), value, where)
        except (IndexError, ValueError) as error:
            raise type(error)(f"__setitem__: {error} (tensor of shape {self.shape})") from None
        CHANGES.mark(self.value, "__setitem__")

    def _recording(self, *others: Any) -> bool:
        """True if a change by `others` must be recorded."""
        return mode.grad and (
            self.requires_grad or any(isinstance(v, Variable) and v.requires_grad for v in others)
        )

    def _replace(self, result: Any, name: str) -> Tensor:
        """Put a freshly computed result in the place of the old values."""
        if result.requires_grad:
            self._check_changeable(name)
        if result.shape != self.shape:
            raise ValueError(
                f"{name}: a result of shape {result.shape} does not fit in place into {self.shape}"
            )
        if not np.can_cast(result.dtype, self.dtype, "same_kind"):
            raise TypeError(f"{name}: a {result.dtype} result does not fit into {self.dtype}")
        if isinstance(self.value, Abstract):
            self.value = result.value
        elif isinstance(result.value, Abstract):
            raise TypeError(f"{name}: a tensor from outside cannot take a traced value")
        else:
            array = self.array()
            if not array.flags.writeable:
                raise ValueError(f"{name}: the memory of this tensor is read-only; clone() it")
            if result.requires_grad:
                _save_old(result.node, array)
            np.copyto(array, result.value, casting="same_kind")
            CHANGES.mark(array, name)
            if result.requires_grad:
                result.node.time = CHANGES.last  # this node knows of the change
        if result.requires_grad:
            self._go_on_from(result.node)
        return self

    def _check_changeable(self, name: str) -> None:
        """Raise if a change in place of this tensor cannot be recorded."""
        if self.is_leaf and self.requires_grad:
            raise RuntimeError(
                f"{name}: a leaf that requires grad cannot be changed in place; do it inside "
                "no_grad(), or use the out-of-place form"
            )
        if not isinstance(self.value, Abstract) and self._is_view():
            raise RuntimeError(
                f"{name}: this tensor is a view of another one's memory, and a change of a "
                "view is not recorded; use the out-of-place form, or change a clone()"
            )

    def _go_on_from(self, node: Any) -> None:
        """Be the result of `node`, which has changed this tensor in place."""
        self.node, self.requires_grad = node, True
        if sys.getrefcount(self.value) > 2 and not isinstance(self.value, Abstract):
            watch_views(self.array())

    def _reform(self, result: Any, name: str) -> Tensor:
        """Take the shape of a view of itself."""
        if self.is_leaf and result.requires_grad:
            raise RuntimeError(
                f"{name}: a leaf that requires grad cannot be changed in place; do it inside "
                "no_grad(), or use the out-of-place form"
            )
        if self.requires_grad and not (self.is_leaf or result.requires_grad):
            raise RuntimeError(f"{name}: inside no_grad() only leaves can change their shape")
        self.value = result.value
        if result.requires_grad:
            self.node = result.node
        elif self.node is not None:
            self.node = new_leaf(self)  # a gradient of the old shape is let go
        return self

    def _is_view(self) -> bool:
        """True if the memory may be another tensor's too; results of most ops are their own."""
        fresh = self.node is not None and self.node.op and self.node.op.family != "movement"
        return self.array().base is not None and not fresh

    def index_add_(self, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor:
        """In place `autograd.index_add`."""
        return self._replace(insert.index_add(self, dim, index, source, alpha=alpha), "index_add_")

    def index_copy_(self, dim: int, index: Any, source: Any) -> Tensor:
        """In place `autograd.index_copy`."""
        return self._replace(insert.index_copy(self, dim, index, source), "index_copy_")

    def index_fill_(self, dim: int, index: Any, value: Any) -> Tensor:
        """In place `autograd.index_fill`."""
        return self._replace(insert.index_fill(self, dim, index, value), "index_fill_")

    def index_put_(self, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
        """In place `autograd.index_put`."""
        return self._replace(insert.index_put(self, indices, values, accumulate), "index_put_")

    def masked_fill_(self, mask: Any, value: Any) -> Tensor:
        """In place `autograd.masked_fill`."""
        return self._replace(insert.masked_fill(self, mask, value), "masked_fill_")

    def masked_scatter_(self, mask: Any, source: Any) -> Tensor:
        """In place `autograd.masked_scatter`."""
        return self._replace(insert.masked_scatter(self, mask, source), "masked_scatter_")

    def put_(self, index: Any, source: Any, accumulate: bool = False) -> Tensor:
        """In place `autograd.put`."""
        return self._replace(insert.put(self, index, source, accumulate), "put_")

    def scatter_(
        self, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None
    ) -> Tensor:
        """In place `autograd.scatter`."""
        return self._replace(
            scattering.scatter(self, dim, index, src, value=value, reduce=reduce), "scatter_"
        )

    def scatter_add_(self, dim: int, index: Any, src: Any) -> Tensor:
        """In place `autograd.scatter_add`."""
        return self._replace(scattering.scatter_add(self, dim, index, src), "scatter_add_")

    def scatter_reduce_(
        self, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
    ) -> Tensor:
        """In place `autograd.scatter_reduce`."""
        return self._replace(
            scattering.scatter_reduce(self, dim, index, src, reduce, include_self=include_self),
            "scatter_reduce_",
        )

    def tril_(self, diagonal: int = 0) -> Tensor:
        """In place `autograd.tril`."""
        return self._replace(diagonals.tril(self, diagonal), "tril_")

    def triu_(self, diagonal: int = 0) -> Tensor:
        """In place `autograd.triu`."""
        return self._replace(diagonals.triu(self, diagonal), "triu_")

    def cumsum_(self, dim: int, *, dtype: Any = None) -> Tensor:
        """In place `autograd.cumsum`."""
        return self._replace(cumulative.cumsum(self, dim, dtype=dtype), "cumsum_")

    def cumprod_(self, dim: int, *, dtype: Any = None) -> Tensor:
        """In place `autograd.cumprod`."""
        return self._replace(cumulative.cumprod(self, dim, dtype=dtype), "cumprod_")

    def squeeze_(self, dim: Any = None) -> Tensor:
        """In place `autograd.squeeze`."""
        return self._reform(shape.squeeze(self, dim), "squeeze_")

    def unsqueeze_(self, dim: int) -> Tensor:
        """In place `autograd.unsqueeze`."""
        return self._reform(shape.unsqueeze(self, dim), "unsqueeze_")

    def transpose_(self, dim0: int, dim1: int) -> Tensor:
        """In place `autograd.transpose`."""
        return self._reform(shape.transpose(self, dim0, dim1), "transpose_")

    swapaxes_ = swapdims_ = transpose_

    def t_(self) -> Tensor:
        """In place `autograd.t`."""
        return self._reform(views.t(self), "t_")

    def copy_(self, source: Any) -> Tensor:
        """Overwrite with the values of `source`, which broadcasts."""
        self[...] = source
        return self

    def fill_(self, number: float) -> Tensor:
        """Overwrite every element with one number."""
        self[...] = number
        return self

    def zero_(self) -> Tensor:
        """Overwrite with zeros."""
        return self.fill_(0)

    def uniform_(self, low: float = 0.0, high: float = 1.0, *, generator: Any = None) -> Tensor:
        """Overwrite with uniform random numbers from [low, high)."""
        if not low <= high:
            raise ValueError(f"uniform_: expected low <= high, met {low} and {high}")
        source = generator or random.default_generator
        return self.copy_(source.random(self.shape) * (high - low) + low)

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
        """Overwrite with normal random numbers."""
        if not std >= 0.0:
            raise ValueError(f"normal_: std must be at least 0, not {std}")
        source = generator or random.default_generator
        return self.copy_(source.normal(self.shape) * std + mean)

    def bernoulli_(self, p: float = 0.5, *, generator: Any = None) -> Tensor:
        """Overwrite with 1 with probability `p`, else 0."""
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"bernoulli_: p must be from 0 to 1, not {p}")
        source = generator or random.default_generator
        return self.copy_(source.random(self.shape) < p)

    # --- New tensors of the same dtype ------------------------------------------------------------

    def new_empty(
        self, *size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None
    ) -> Tensor:
        """A tensor of a shape and this dtype, whatever is in its memory."""
        check_device("new_empty", device)
        array = np.empty(lengths("new_empty", size), dtype or self.dtype)
        return Tensor(array, requires_grad)

    def new_zeros(
        self, *size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None
    ) -> Tensor:
        """Zeros of this dtype."""
        check_device("new_zeros", device)
        array = np.zeros(lengths("new_zeros", size), dtype or self.dtype)
        return Tensor(array, requires_grad)

    def new_ones(
        self, *size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None
    ) -> Tensor:
        """Ones of this dtype."""
        check_device("new_ones", device)
        array = np.ones(lengths("new_ones", size), dtype or self.dtype)
        return Tensor(array, requires_grad)

    def new_tensor(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
        """A tensor with a copy of `data`, of this dtype."""
        return tensor(data, dtype or self.dtype, requires_grad)

    def new_full(
        self,
        size: Any,
        fill_value: float,
        *,
        dtype: Any = None,
        requires_grad: bool = False,
        device: Any = None,
    ) -> Tensor:
        """One number in a shape, of this dtype."""
        check_device("new_full", device)
        array = np.full(lengths("new_full", (size,)), fill_value, dtype or self.dtype)
        return Tensor(array, requires_grad)

    # --- Methods: the ops themselves, with the tensor as their first argument -----------------

    pow = arithmetic.pow
    eq = arithmetic.eq
    ne = arithmetic.ne
    lt = arithmetic.lt
    le = arithmetic.le
    gt = arithmetic.gt
    ge = arithmetic.ge
    clone = arithmetic.clone

    def where(self, condition: Any, other: Any) -> Any:
        """See `autograd.where`."""
        return arithmetic.where(condition, self, other)

    sum = reduce.sum
    mean = reduce.mean
    nansum = reduce.nansum
    nanmean = reduce.nanmean
    all = reduce.all
    any = reduce.any
    count_nonzero = reduce.count_nonzero
    logsumexp = reduce.logsumexp
    amax = extremes.amax
    amin = extremes.amin
    aminmax = extremes.aminmax
    max = extremes.max
    min = extremes.min
    argmax = extremes.argmax
    bernoulli = draws.bernoulli
    multinomial = draws.multinomial
    argmin = extremes.argmin
    var = statistics.var
    std = statistics.std
    median = statistics.median
    nanmedian = statistics.nanmedian
    mode = statistics.mode
    prod = cumulative.prod
    cumsum = cumulative.cumsum
    cumprod = cumulative.cumprod
    cummax = cumulative.cummax
    cummin = cumulative.cummin
    logcumsumexp = cumulative.logcumsumexp
    diff = cumulative.diff
    sort = sorting.sort
    argsort = sorting.argsort
    msort = sorting.msort
    topk = sorting.topk
    kthvalue = sorting.kthvalue
    unique = distinct.unique
    unique_consecutive = distinct.unique_consecutive
    argwhere = distinct.argwhere
    norm = norms.norm
    dist = norms.dist
    softmax = loss.softmax
    log_softmax = loss.log_softmax

    reshape = shape.reshape
    permute = shape.permute
    expand = shape.expand
    flatten = shape.flatten
    transpose = shape.transpose
    squeeze = shape.squeeze
    unsqueeze = shape.unsqueeze
    matmul = linalg.matmul
    mm = products.mm
    mv = products.mv
    bmm = products.bmm
    dot = products.dot
    inner = products.inner
    outer = products.outer
    ger = products.ger
    kron = products.kron
    cross = products.cross
    addmm = products.addmm
    addmv = products.addmv
    addr = products.addr
    addbmm = products.addbmm
    baddbmm = products.baddbmm
    addmm_ = in_place(products.addmm)
    addmv_ = in_place(products.addmv)
    addr_ = in_place(products.addr)
    addbmm_ = in_place(products.addbmm)
    baddbmm_ = in_place(products.baddbmm)
    take_along_dim = index.take_along_dim

    diag = diagonals.diag
    diag_embed = diagonals.diag_embed
    diagflat = diagonals.diagflat
    diagonal = diagonals.diagonal
    trace = diagonals.trace
    tril = diagonals.tril
    triu = diagonals.triu
    index_add = insert.index_add
    index_copy = insert.index_copy
    index_fill = insert.index_fill
    index_put = insert.index_put
    masked_fill = insert.masked_fill
    masked_scatter = insert.masked_scatter
    put = insert.put
    chunk = join.chunk
    dsplit = join.dsplit
    hsplit = join.hsplit
    split = join.split
    tensor_split = join.tensor_split
    unbind = join.unbind
    vsplit = join.vsplit
    flip = rearrange.flip
    fliplr = rearrange.fliplr
    flipud = rearrange.flipud
    repeat = rearrange.repeat
    repeat_interleave = rearrange.repeat_interleave
    roll = rearrange.roll
    rot90 = rearrange.rot90
    tile = rearrange.tile
    diagonal_scatter = scattering.diagonal_scatter
    scatter = scattering.scatter
    scatter_add = scattering.scatter_add
    scatter_reduce = scattering.scatter_reduce
    select_scatter = scattering.select_scatter
    slice_scatter = scattering.slice_scatter
    gather = gathering.gather
    index_select = gathering.index_select
    masked_select = gathering.masked_select
    nonzero = gathering.nonzero
    take = gathering.take
    adjoint = views.adjoint
    broadcast_to = views.broadcast_to
    contiguous = views.contiguous
    expand_as = views.expand_as
    moveaxis = views.moveaxis
    movedim = views.movedim
    narrow = views.narrow
    ravel = views.ravel
    reshape_as = views.reshape_as
    select = views.select
    swapaxes = views.swapaxes
    swapdims = views.swapdims
    t = views.t
    unflatten = views.unflatten
    unfold = views.unfold
    view_as = views.reshape_as

    def view(self, *sizes_of: Any, size: Any = None, dtype: Any = None) -> Tensor:
        """The same elements in other sizes, as `reshape`; or the same bytes as another dtype.

        Of the bytes no gradient flows, and the last dimension takes the difference in width.

        Raises
        ------
        ValueError
            If the sizes do not hold as many elements, or the bytes do not divide.

        Examples
        --------
        >>> import autograd, numpy as np
        >>> autograd.zeros(2, 3).view(3, -1).shape
        (3, 2)
        >>> autograd.ones(1).view(np.int32)
        tensor([1065353216], dtype=int32)
        """
        if dtype is None and len(sizes_of) == 1 and is_dtype(sizes_of[0]):
            dtype = sizes_of[0]
        if dtype is None:
            return shape.reshape(self, *sizes_of, shape=size)
        wanted = np.dtype(dtype)
        check_supported(wanted, "view")
        if wanted == self.dtype:
            return shape.reshape(self, self.shape)
        try:
            return wrap(self.array().view(wanted))
        except ValueError as error:
            raise ValueError(
                f"view: {self.dtype} {self.shape} cannot be read as {wanted}: {error}"
            ) from None

    def to(self, *args: Any, dtype: Any = None, device: Any = None, **options: Any) -> Tensor:
        """Convert to a dtype, that of another tensor, or a device (there is one): `to(dtype)`.

        The tensor itself if nothing changes, unless `copy=True`; `non_blocking` has no effect.
        """
        copy = options.pop("copy", False)
        options.pop("non_blocking", None)
        if options:
            raise TypeError(f"to: unknown arguments {sorted(options)}")
        for arg in args:
            if isinstance(arg, Variable):
                dtype = arg.dtype
            elif isinstance(arg, Device) or (isinstance(arg, str) and not _is_dtype(arg)):
                device = arg
            elif not isinstance(arg, bool):  # PyTorch's non_blocking
                dtype = arg
        check_device("to", device)
        wanted = self.dtype if dtype is None else np.dtype(dtype)
        check_supported(wanted, "to")
        if wanted == self.dtype:
            return arithmetic.clone(self) if copy else self
        return arithmetic.cast(self, wanted)

    def cpu(self) -> Tensor:
        """The tensor itself: it is there."""
        return self

    @property
    def device(self) -> Device:
        """Where it is: the CPU."""
        return CPU

    def type_as(self, other: Tensor) -> Tensor:
        """Convert to the dtype of another tensor."""
        return self.to(other.dtype)

    def short(self) -> Tensor:
        """Convert to int16."""
        return self.to(np.int16)

    def float(self) -> Tensor:
        """Convert to float32."""
        return self.to(np.float32)

    def double(self) -> Tensor:
        """Convert to float64."""
        return self.to(np.float64)

    def half(self) -> Tensor:
        """Convert to float16."""
        return self.to(np.float16)

    def int(self) -> Tensor:
        """Convert to int32."""
        return self.to(np.int32)

    def long(self) -> Tensor:
        """Convert to int64."""
        return self.to(np.int64)

    def bool(self) -> Tensor:
        """Convert to bool."""
        return self.to(np.bool_)


register_front("array", Tensor)


def _is_dtype(text: str) -> bool:
    try:
        np.dtype(text)
    except TypeError:
        return False
    return True


def _no_value(tensor: Tensor, what: str) -> TypeError:
    return TypeError(
        f"{what} of a traced tensor {tensor.value}: a trace has shapes and dtypes but no values, "
        "so a branch on a value cannot be traced; use where()"
    )


def _save_old(node: Any, array: np.ndarray) -> None:
    """Keep a copy of the values about to be overwritten, if the rules of `node` will read them."""
    if any(value is array for value in node.saved):
        old = array.copy()
        node.saved = tuple([old if value is array else value for value in node.saved])


def _rebuilt(cls: type[Tensor], value: np.ndarray, requires_grad: bool) -> Tensor:
    tensor = object.__new__(cls)
    tensor.value, tensor.node, tensor.requires_grad = value, None, False
    return tensor.requires_grad_() if requires_grad else tensor


def is_dtype(given: Any) -> bool:
    """True for a dtype, or the class of NumPy's numbers that stands for one."""
    return isinstance(given, np.dtype) or (
        isinstance(given, type) and issubclass(given, np.generic)
    )


# --- Raw values ---------------------------------------------------------------------------------


def to_array(data: Any, dtype: Any = None) -> Any:
    """Raw values of `data`, converted only where needed; Python floats take the default dtype."""
    if isinstance(data, Variable):
        data = data.value
    if isinstance(data, np.ndarray | np.generic | Abstract):
        array = data
    elif hasattr(data, "__array__"):  # another library's array, which has a dtype
        array = np.asarray(data)
    elif hasattr(data, "__dlpack__"):
        array = exchange.borrow(data)
    else:
        if isinstance(data, list | tuple):
            data = _plain(data)
        array = np.asarray(data)
        if array.dtype == np.float64 and not _has_float64(data):
            array = array.astype(get_default_dtype())
    if isinstance(array, Abstract):
        return array
    if dtype is not None:
        array = np.asarray(array, np.dtype(dtype))
    check_supported(array.dtype, "a tensor")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def _plain(data: Any) -> Any:
    """Nested sequences with the tensors in them taken to arrays."""
    if isinstance(data, list | tuple):
        return [_plain(item) for item in data]
    return data.array() if isinstance(data, Tensor) else getattr(data, "value", data)


def _has_float64(data: Any) -> bool:
    """True if float64 arrays are among nested sequences: they keep their dtype."""
    if isinstance(data, list | tuple):
        return any(_has_float64(item) for item in data)
    return isinstance(data, np.ndarray | np.generic) and data.dtype == np.float64


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Make a tensor with a copy of `data`.

    Parameters
    ----------
    data : number, nested sequence, ndarray or Tensor
        Python floats become the default dtype (float32), ints int64; arrays keep theirs.
    dtype : dtype, optional
    requires_grad : bool

    Raises
    ------
    ValueError
        If nested sequences are ragged.
    TypeError
        If data are not real numbers or bools.

    Examples
    --------
    >>> import autograd
    >>> autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    # A 0-d value is kept as a NumPy scalar until somebody wants the array: much less overhead.
    check_device("tensor", device)
    return Tensor(np.array(to_array(data, dtype), copy=True)[()], requires_grad)
