"""Values and metadata in JSON: numbers that are not finite, arrays, and what Python has besides."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, Literal

import numpy as np

from ..summary import summarise

Values = Literal["summary", "full", "none"]
WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
# Metadata nested deeper than this is written as its repr.
DEEPEST = 20


# --- Writing ----------------------------------------------------------------------------------


def plain(item: Any) -> Any:
    """A number, bool or None; what is not finite as its name."""
    if item is None or isinstance(item, bool):
        return item
    if isinstance(item, np.generic):
        item = item.item()
    if isinstance(item, int):
        return item
    if isinstance(item, float):
        return item if math.isfinite(item) else _word(item)
    raise ValueError(f"to_json: expected a number, not {type(item).__name__}")


def _word(number: float) -> str:
    return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"


def value(item: Any, values: Values) -> Any:
    """The value of a vertex."""
    if item is None or values == "none":
        return None
    if isinstance(item, bool | int | float) and not isinstance(item, np.generic):
        return plain(item)
    array = np.asarray(item)
    head = {"dtype": str(array.dtype), "shape": list(array.shape)}
    if values == "full" or array.size == 1:
        return {**head, "data": elements(array)}
    _check_numbers(array)
    told = asdict(summarise(array))
    numbers = {key: plain(told[key]) for key in ("minimum", "mean", "maximum")}
    rest = {key: told[key] for key in ("zeros", "nans", "infs", "size")}
    return {**head, "summary": {**numbers, "histogram": list(told["histogram"]), **rest}}


def _check_numbers(array: np.ndarray) -> None:
    if array.dtype.kind not in "biuf":
        raise ValueError(f"to_json: an array of dtype {array.dtype} has no form in JSON")


def elements(array: np.ndarray) -> Any:
    """All elements, as nested lists; float16 and float32 as the shortest numbers that they are."""
    _check_numbers(array)
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        return (array.astype(float) if array.dtype.kind == "f" else array).tolist()
    flat = array.reshape(-1)
    # Exact: each is a float64 too.
    numbers: list[Any] = flat.astype(np.float64).tolist()
    for place in np.flatnonzero(~np.isfinite(flat)).tolist():
        numbers[place] = _word(numbers[place])
    nested = np.empty(array.shape, object)
    nested.reshape(-1)[:] = numbers
    return nested.tolist()


def metadata(item: Any, depth: int = 0) -> Any:
    """What an op was given besides operands."""
    if item is None or type(item) in (bool, int, str):
        return item
    if type(item) is float:
        return item if math.isfinite(item) else {"float": _word(item)}
    if depth > DEEPEST:
        return {"repr": repr(item)}
    if type(item) is list:
        return [metadata(x, depth + 1) for x in item]
    if type(item) is tuple:
        return {"tuple": [metadata(x, depth + 1) for x in item]}
    if type(item) is dict:
        pairs = [[metadata(k, depth + 1), metadata(v, depth + 1)] for k, v in item.items()]
        return {"dict": pairs}
    if item is Ellipsis:
        return {"ellipsis": True}
    if isinstance(item, slice):
        parts = (item.start, item.stop, item.step)
        return {"slice": [metadata(x, depth + 1) for x in parts]}
    if isinstance(item, np.dtype) or (isinstance(item, type) and issubclass(item, np.generic)):
        return {"dtype": str(np.dtype(item))}
    if isinstance(item, np.generic | np.ndarray) and item.dtype.kind in "biuf":
        key = "array" if isinstance(item, np.ndarray) else "scalar"
        return {key: value(np.asarray(item), "full")}
    return {"repr": repr(item)}


# --- Reading ----------------------------------------------------------------------------------


def read_plain(item: Any, where: str) -> Any:
    """The opposite of `plain`."""
    if item is None or isinstance(item, bool | int | float):
        return item
    if isinstance(item, str) and item in WORDS:
        return WORDS[item]
    raise ValueError(f'{where}: expected a number, "nan", "inf" or "-inf", not {_short(item)}')


def read_value(item: Any, where: str) -> Any:
    """The opposite of `value`; None for a summary."""
    if not isinstance(item, dict):
        return read_plain(item, where)
    if "summary" in item:
        return None
    return read_array(item, where)


def read_array(item: Any, where: str) -> np.ndarray:
    """An array from ``{"dtype", "shape", "data"}``."""
    if not isinstance(item, dict) or not {"dtype", "shape", "data"} <= item.keys():
        raise ValueError(f"{where}: expected an object with dtype, shape and data")
    dtype, shape = read_dtype(item["dtype"], f"{where}.dtype"), item["shape"]
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"{where}.shape: expected a list of sizes, not {_short(shape)}")
    flat = _flattened(item["data"], shape, f"{where}.data")
    numbers = [read_plain(element, f"{where}.data") for element in flat]
    if None in numbers:
        raise ValueError(f"{where}.data: expected numbers, not null")
    try:
        return np.array(numbers, dtype).reshape(shape)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{where}.data: not the elements of a {dtype} array: {error}") from None


def read_dtype(name: Any, where: str) -> np.dtype:
    """A dtype of numbers or bool from its name."""
    try:
        dtype = np.dtype(name) if isinstance(name, str) else None
    except (TypeError, ValueError, SyntaxError):
        dtype = None
    if dtype is None or dtype.kind not in "biuf":
        raise ValueError(f"{where}: expected the name of a dtype of numbers, not {_short(name)}")
    return dtype


def _flattened(data: Any, shape: list[int], where: str) -> list[Any]:
    level = [data]
    for size in shape:
        for part in level:
            if not isinstance(part, list) or len(part) != size:
                raise ValueError(f"{where}: expected lists nested as the shape {shape} says")
        level = [element for part in level for element in part]
    return level


def read_metadata(item: Any, where: str) -> Any:
    """The opposite of `metadata`; the text itself for what was written as its repr."""
    if item is None or isinstance(item, bool | int | float | str):
        return item
    if isinstance(item, list):
        return [read_metadata(x, where) for x in item]
    if not isinstance(item, dict) or len(item) != 1:
        raise ValueError(f"{where}: expected an object with one key, not {_short(item)}")
    ((key, inner),) = item.items()
    if key in ("tuple", "slice", "dict") and not isinstance(inner, list):
        raise ValueError(f"{where}.{key}: expected a list, not {_short(inner)}")
    if key == "tuple":
        return tuple(read_metadata(x, where) for x in inner)
    if key == "slice" and len(inner) == 3:
        return slice(*(read_metadata(x, where) for x in inner))
    if key == "dict" and all(isinstance(pair, list) and len(pair) == 2 for pair in inner):
        pairs = [(read_metadata(k, where), read_metadata(v, where)) for k, v in inner]
        try:
            return dict(pairs)
        except TypeError as error:
            raise ValueError(f"{where}.dict: {error}") from None
    if key == "ellipsis":
        return Ellipsis
    if key == "float" and isinstance(inner, str):
        return read_plain(inner, f"{where}.float")
    if key == "dtype":
        return read_dtype(inner, f"{where}.dtype")
    if key == "array":
        return read_array(inner, f"{where}.array")
    if key == "scalar":
        return read_array(inner, f"{where}.scalar")[()]
    if key == "repr" and isinstance(inner, str):
        return inner
    raise ValueError(f"{where}: expected metadata, not {_short(item)}")


def _short(item: Any) -> str:
    text = repr(item)
    return text if len(text) <= 60 else text[:59] + "…"
