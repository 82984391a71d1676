"""A value that stands for one example of a batch."""

from __future__ import annotations

from typing import Any

from ..graph import Abstract, Spec


class Batched(Abstract):
    """What a tensor holds inside `vmap`: shape and dtype of an example, and all of them.

    Like a traced value it has no numbers of its own; the ops that meet it run on the whole batch.

    Attributes
    ----------
    inner : Variable
        All examples, along dimension 0.
    level : Level
        The `vmap` that made it.
    """

    __slots__ = ("inner", "level")

    def __init__(self, inner: Any, level: Any) -> None:
        super().__init__(Spec(inner.shape[1:], inner.dtype), None, 0)
        self.inner = inner
        self.level = level

    def __repr__(self) -> str:
        return f"one of {self.inner.shape[0]} examples, {Spec(self.shape, self.dtype)}"

    def refuse(self, what: str) -> RuntimeError:
        """The error for a question that each example answers for itself."""
        return RuntimeError(
            f"vmap: {what} of a tensor inside vmap: it has a different answer for each of the "
            f"{self.inner.shape[0]} examples, so Python cannot go on with one. Use where() for a "
            "branch, and compute with tensors until vmap has returned."
        )

    @property
    def size(self) -> int:
        """Asked for by ``bool()`` and ``item()``, which have no answer."""
        raise self.refuse("the value (bool(), item() or float())")

    def tolist(self) -> Any:
        """There is no list of the numbers of one example."""
        raise self.refuse("the values (tolist())")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise self.refuse("the array (numpy())")

    def __index__(self) -> int:
        raise self.refuse("an index made")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """What NumPy is asked outside of an op, such as argmax: example by example."""
        return self.level.by_example(function, args, kwargs)

    def astype(self, dtype: Any, **_: Any) -> Batched:
        """In another dtype."""
        return Batched(self.inner.to(dtype), self.level)

    def __getitem__(self, key: Any) -> Batched:
        if key != ():  # which NumPy's 0-d results are indexed with to become scalars
            raise self.refuse("an item")
        return self
