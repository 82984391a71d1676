"""What PyTorch's pickles may name: storages, and the tensors that look into them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Tensor, from_numpy

from .arrays import widen_bfloat16
from .files import CheckpointError
from .machine import Machine, Name, checked_key
from .numpy_pickles import NUMPY_CALLS, build_numpy

# NumPy's names of the dtypes that a file may name, and of those of the old types of storages.
# bfloat16, which NumPy lacks, is read as float32, which holds each of its numbers exactly.
BFLOAT16 = "bfloat16"
# fmt: off
DTYPES = {
    "float64": "float64", "double": "float64", "float32": "float32", "float": "float32",
    "float16": "float16", "half": "float16", "int64": "int64", "long": "int64", "int32": "int32",
    "int": "int32", "int16": "int16", "short": "int16", "int8": "int8", "uint8": "uint8",
    "uint16": "uint16", "uint32": "uint32", "uint64": "uint64", "bool": "bool",
    "complex64": "complex64", "cfloat": "complex64", "complex128": "complex128",
    "cdouble": "complex128", "bfloat16": BFLOAT16,
}
STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "BFloat16Storage": BFLOAT16,
}
# fmt: on
LACKING = ("float8", "float4", "float6", "qint", "quint", "QInt", "QUInt", "bits")  # beginnings
MAX_EXPANDED = 2**24  # elements of a tensor that shows the same memory again and again


@dataclass(frozen=True)
class Kind:
    """A type of storage; `form` is NumPy's name of its dtype, or bfloat16."""

    form: str

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the elements are read as."""
        return np.dtype(np.float32 if self.form == BFLOAT16 else self.form)

    @property
    def size(self) -> int:
        """Bytes of an element in the file."""
        return 2 if self.form == BFLOAT16 else self.dtype.itemsize


VALUES: dict[str, Any] = {
    **{f"torch.{n}": f if f == BFLOAT16 else np.dtype(f) for n, f in DTYPES.items()},
    **{f"torch.{name}": Kind(form) for name, form in STORAGES.items()},
    "torch.storage.UntypedStorage": Kind("uint8"),
    "torch.storage._UntypedStorage": Kind("uint8"),
    # These say of what class an array or tensor is; they are no values.
    **{name: Name(name) for name in ("torch.Tensor", "torch._tensor.Tensor", "numpy.ndarray")},
    "torch.nn.parameter.Parameter": Name("torch.nn.parameter.Parameter"),
}
REBUILD = "torch._utils._rebuild_"


class Storage:
    """Bytes that tensors of a file look into; each dtype's array is made once, so they share it."""

    def __init__(self, raw: np.ndarray, kind: Kind, big_endian: bool = False) -> None:
        self.raw = raw
        self.kind = kind
        self.big_endian = big_endian
        self.arrays: dict[str, np.ndarray] = {}
        self.others: dict[Kind, Storage] = {}  # over the same bytes

    def of_kind(self, kind: Kind) -> Storage:
        """The same bytes as elements of another kind; made once for each."""
        if kind == self.kind:
            return self
        if kind not in self.others:
            self.others[kind] = Storage(self.raw, kind, self.big_endian)
        return self.others[kind]

    def array(self, kind: Kind) -> np.ndarray:
        """Elements, flat."""
        if kind.form not in self.arrays:
            whole = self.raw[: len(self.raw) // kind.size * kind.size]
            order = ">" if self.big_endian else "<"
            if kind.form == BFLOAT16:
                found = widen_bfloat16(whole.view(f"{order}u2"))
            elif kind.form == "bool":
                found = whole != 0  # NumPy goes by the bytes, and only 0 and 1 are bools
            else:
                stored = whole.view(kind.dtype.newbyteorder(order))
                found = stored.astype(kind.dtype, copy=False)
            self.arrays[kind.form] = found
        return self.arrays[kind.form]


def fitting(storage: Storage, kind: Kind, key: str, count: int) -> Storage:
    """`storage` if it has as many elements as the pickle claims."""
    if count * kind.size > len(storage.raw):
        raise CheckpointError(
            f"storage {key} should have {count} elements of {kind.size} bytes, and has "
            f"{len(storage.raw)} bytes"
        )
    return storage.of_kind(kind)


def finder(storage: Callable[[Kind, str, int], Storage]) -> Callable[[Any], Storage]:
    """Reads the ids under which pickles of PyTorch name storages."""

    def find(pid: Any) -> Storage:
        if type(pid) is not tuple or len(pid) not in (5, 6) or pid[0] != "storage":
            raise CheckpointError("malformed: an id that is not of a storage")
        _, kind, key, _, count, *view = pid
        if type(kind) is not Kind or not isinstance(key, str) or not _is_size(count):
            raise CheckpointError("malformed: the id of a storage")
        found = storage(kind, key, count)
        return _part(found, kind, view[0]) if view and view[0] is not None else found

    return find


def _part(whole: Storage, kind: Kind, view: Any) -> Storage:
    """What the old format calls a view of a storage: (its own key, first element, elements)."""
    if type(view) is not tuple or len(view) != 3 or not _is_size(view[1]) or not _is_size(view[2]):
        raise CheckpointError("malformed: a view of a storage")
    first, last = view[1] * kind.size, (view[1] + view[2]) * kind.size
    if whole.raw.size and last > whole.raw.size:
        raise CheckpointError("a view of a storage reaches outside of it")
    part = Storage(whole.raw[first:last], kind, whole.big_endian)
    # Of the whole's elements, which are made once, however many parts a file names.
    part.arrays[kind.form] = whole.array(kind)[view[1] : view[1] + view[2]]
    return part


def machine_for(
    data: bytes, start: int, persistent: Callable[[Any], Any] | None, scan: bool = False
) -> Machine:
    """Reads a pickle of PyTorch; with `scan`, without making tensors."""
    makers: dict[str, Callable[..., Any]] = {
        f"{REBUILD}tensor": _rebuild,
        f"{REBUILD}tensor_v2": _rebuild,
        f"{REBUILD}tensor_v3": _rebuild_typed,
        f"{REBUILD}parameter": _parameter,
        f"{REBUILD}parameter_with_state": _parameter,
    }
    if scan:
        makers = dict.fromkeys(makers, lambda *args: None)

    def of_class(maker: Any, cls: Any, args: Any, state: Any) -> Any:
        if type(maker) is not Name or maker.text not in makers or type(args) is not tuple:
            raise CheckpointError("malformed: a tensor of a class of its own")
        return makers[maker.text](*args)

    calls = {**CALLS, **NUMPY_CALLS, **makers, "torch._tensor._rebuild_from_type_v2": of_class}
    return Machine(
        data,
        start,
        calls=calls,
        values=VALUES,
        refuse=_refuse,
        persistent=persistent,
        build=_build,
    )


def _refuse(name: str) -> CheckpointError:
    module, _, leaf = name.rpartition(".")
    if module == "torch" and leaf.startswith(LACKING):
        return CheckpointError(f"it has tensors of {name}, a dtype that NumPy lacks")
    return CheckpointError(
        f"the file asks for {name}; only tensors and plain data are read, and nothing is run. If "
        "it holds a whole model, save its weights instead: torch.save(model.state_dict(), path)"
    )


def _rebuild(storage: Any, first: Any, shape: Any, strides: Any, *rest: Any) -> Tensor | np.ndarray:
    """A tensor that looks into a storage, once its bounds are checked."""
    if type(storage) is not Storage:
        raise CheckpointError("malformed: a tensor without a storage")
    return _look(storage, storage.kind, first, shape, strides)


def _rebuild_typed(
    storage: Any,
    first: Any,
    shape: Any,
    strides: Any,
    grad: Any,
    hooks: Any,
    dtype: Any,
    *rest: Any,
) -> Tensor | np.ndarray:
    """A tensor of a dtype that has no type of storage."""
    if type(storage) is not Storage or not (dtype == BFLOAT16 or isinstance(dtype, np.dtype)):
        raise CheckpointError("malformed: a tensor without a storage or dtype")
    kind = Kind(dtype if isinstance(dtype, str) else dtype.name)
    return _look(storage, kind, first, shape, strides)


def _look(
    storage: Storage, kind: Kind, first: Any, shape: Any, strides: Any
) -> Tensor | np.ndarray:
    if not _is_size(first) or not _are_sizes(shape) or not _are_sizes(strides):
        raise CheckpointError("malformed: a tensor's offset, shape or strides")
    if len(shape) != len(strides):
        raise CheckpointError("malformed: a tensor's shape and strides")
    if len(shape) > 64 or math.prod(n for n in shape if n) >= 2**58:
        raise CheckpointError(f"a tensor of {len(shape)} dimensions is larger than any memory")
    if 0 in shape:
        return _as_tensor(np.empty(shape, kind.dtype))
    flat = storage.array(kind)
    last = first + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    if last >= len(flat):
        raise CheckpointError(
            f"a tensor of shape {shape} and strides {strides} at {first} reaches outside of its "
            f"storage of {len(flat)} elements"
        )
    # Looking costs nothing, but whoever copies the tensor needs memory that the file never had.
    if math.prod(shape) > max(len(flat), MAX_EXPANDED):
        raise CheckpointError(
            f"a tensor of shape {shape} shows the {len(flat)} elements of its storage more than "
            "once; save a clone of it"
        )
    steps = [flat.itemsize * s for s in strides]
    return _as_tensor(np.lib.stride_tricks.as_strided(flat[first:], shape, steps))


def _as_tensor(array: np.ndarray) -> Tensor | np.ndarray:
    """A Tensor, but for complex numbers, which are none here."""
    return array if array.dtype.kind == "c" else from_numpy(array)


def _parameter(tensor: Any, *rest: Any) -> Tensor | np.ndarray:
    if not isinstance(tensor, Tensor | np.ndarray):
        raise CheckpointError("malformed: a parameter that is no tensor")
    return tensor


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**62


def _are_sizes(values: Any) -> bool:
    return type(values) is tuple and all(_is_size(value) for value in values)


def _dict(items: Any = ()) -> dict[Any, Any]:
    pairs = items.items() if type(items) is dict else _list(items)
    return {checked_key(key): value for key, value in pairs}


def _list(items: Any) -> list[Any]:
    if type(items) not in (list, tuple):
        raise CheckpointError(f"malformed: a list expected, met a {type(items).__name__}")
    return list(items)


def _size(items: Any) -> tuple[int, ...]:
    sizes = tuple(_list(items))
    if not _are_sizes(sizes):
        raise CheckpointError("malformed: a size")
    return sizes


def _complex(real: Any, imag: Any) -> complex:
    if type(real) is not float or type(imag) is not float:
        raise CheckpointError("malformed: a complex number")
    return complex(real, imag)


def _bytes(data: Any = b"", encoding: Any = None) -> bytes:
    if isinstance(data, str) and encoding == "latin-1":
        data = data.encode("latin-1")
    if type(data) is not bytes:  # of a number, Python would make that many zeros
        raise CheckpointError("malformed: bytes")
    return data


def _build(target: Any, state: Any) -> None:
    """BUILD: what PyTorch keeps on a state dict (versions of modules) is read and dropped."""
    if type(target) is dict and type(state) is dict:
        return
    if not build_numpy(target, state):
        raise CheckpointError(f"refused: the state of a {type(target).__name__}")


def _device(kind: Any, index: Any = None) -> str:
    if not isinstance(kind, str) or not (index is None or _is_size(index)):
        raise CheckpointError("malformed: a device")
    return kind if index is None else f"{kind}:{index}"


def _set(items: Any = ()) -> set[Any]:
    return {checked_key(item) for item in _list(items)}


CALLS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _dict,
    "collections.Counter": _dict,
    "torch.Size": _size,
    "torch.device": _device,
}
for _module in ("__builtin__", "builtins"):  # of Python 2, whose names protocol 2 writes, and 3
    CALLS[f"{_module}.set"] = CALLS[f"{_module}.frozenset"] = _set
    CALLS[f"{_module}.complex"] = _complex
    CALLS[f"{_module}.bytes"] = CALLS[f"{_module}.bytearray"] = _bytes
