"""The names that a user of PyTorch may type.

``python -m tests.surface`` prints a line for each: whether it is there, whether its values and
gradients are PyTorch's, and whether `gradcheck` and `gradgradcheck` agree.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd
from tests.surface_calls import CALLS, RANDOM, ROUGH

HERE = Path(__file__).resolve().parent

DIFFERENTIABLE = """
T abs acos acosh add addbmm addcdiv addcmul addmm addmv addr amax amin aminmax asin asinh atan atan2
atanh atleast_1d atleast_2d atleast_3d baddbmm bernoulli bmm broadcast_tensors broadcast_to cat ceil
chunk clamp clamp_max clamp_min clone column_stack contiguous copysign cos cosh cross cummax cummin
cumprod cumsum deg2rad diag diag_embed diagflat diagonal diff dist div dot double dsplit dstack
einsum erf erfc erfinv exp exp2 expand expand_as expm1 fill flatten flip fliplr flipud float
float_power floor fmax fmin fmod frac gather half hsplit hstack hypot index_add index_copy
index_fill index_put index_select inner kron kthvalue lerp log log10 log1p log2 log_softmax
logaddexp logaddexp2 logcumsumexp logit logsumexp mT masked_fill masked_scatter masked_select matmul
max maximum mean median meshgrid min minimum mm movedim msort mul mv nan_to_num nanmean nansum
narrow neg norm normal outer permute positive pow prod put rad2deg ravel reciprocal remainder repeat
repeat_interleave reshape reshape_as roll rot90 round rsqrt scatter scatter_add scatter_reduce
select select_scatter sgn sigmoid sign sin sinc sinh slice_scatter softmax sort split sqrt square
squeeze stack std std_mean sub sum t take take_along_dim tan tanh tensor_split tensordot tile to
topk trace transpose tril triu true_divide trunc unbind unflatten unfold unsqueeze var var_mean view
view_as vsplit vstack where xlogy zero_
"""

OTHERS = """
all allclose any arange argmax argmin argsort argwhere bool broadcast_shapes bucketize count_nonzero
empty empty_like eq equal eye floor_divide full full_like ge gt heaviside int isclose isfinite isin
isinf isnan item le linspace logical_and logical_not logical_or logical_xor long lt multinomial ne
new_empty new_full new_ones new_zeros nonzero ones ones_like rand_like randint randint_like randn
randn_like scalar_tensor searchsorted tril_indices triu_indices uniform unique unique_consecutive
zeros zeros_like tensor as_tensor from_numpy manual_seed no_grad enable_grad set_grad_enabled
is_grad_enabled inference_mode get_default_dtype set_default_dtype result_type can_cast is_tensor
numel set_printoptions
"""

TRANSFORMS = """
grad value_and_grad vjp jvp jacobian hessian hvp vhp vmap checkpoint gradcheck gradgradcheck
detect_anomaly
"""


LISTS = {
    "differentiable": DIFFERENTIABLE,
    "not differentiable": OTHERS,
    "transforms": TRANSFORMS,
}

# Names that no test compares with PyTorch, and why.
PARITY_EXCUSES = {
    **dict.fromkeys(["empty", "empty_like", "new_empty"], "no values"),
    **dict.fromkeys(
        ["multinomial", "rand_like", "randint", "randint_like", "randn", "randn_like"], "random"
    ),
    "manual_seed": "other numbers",
    "inference_mode": "entry 5",
    "detect_anomaly": "more is told",
}
EXCUSES = {*RANDOM.values(), *ROUGH.values(), *PARITY_EXCUSES.values()}

GOOD = "yes"


class Name(NamedTuple):
    """What is known of a name: "yes", or why not ("-": does not apply)."""

    name: str
    present: str
    parity: str
    gradcheck: str
    gradgradcheck: str

    @property
    def holds(self) -> bool:
        """Whether nothing is missing that is not excused."""
        return all(word in (GOOD, "-") or word in EXCUSES for word in self[1:])


def compared() -> set[str]:
    """The attributes and words in the tests that compare with PyTorch."""
    found: set[str] = set()
    for file in sorted(HERE.rglob("test_parity*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(node.value.replace(".", " ").split())
    return found


def is_present(name: str) -> bool:
    """Whether it is a function, a method, or a method in place."""
    tensor = autograd.Tensor
    return any(hasattr(*at) for at in ((autograd, name), (tensor, name), (tensor, f"{name}_")))


def values() -> list[np.ndarray]:
    """Two matrices as `surface_calls.CALLS` wants them."""
    both = np.random.default_rng(4).permutation(np.linspace(0.1, 0.9, 24)).reshape(2, 3, 4)
    return list(both)


def floats(results: Any) -> list[Any]:
    """Tensors of floats among the results of a call."""
    if isinstance(results, tuple | list):
        return [tensor for result in results for tensor in floats(result)]
    return [results] if "float" in str(results.dtype) else []


def difference(name: str, torch: Any) -> str:
    """Run the name's call here and in PyTorch: where values or gradients differ, or "yes"."""
    seen = []
    for lib in (autograd, torch):
        inputs = [lib.tensor(array, requires_grad=True) for array in values()]
        results = floats(CALLS[name](lib, *inputs))
        if any(result.requires_grad for result in results):
            weighted = [(y * y.detach().cos()).sum() for y in results]
            reduce(add, weighted).backward()
        grads = [tensor.grad for tensor in inputs if tensor.grad is not None and name not in RANDOM]
        seen.append(
            [np.array(t.detach().tolist(), np.float64) for t in results]
            + [
                np.array((grad + 0.0).tolist(), np.float64) for grad in grads
            ]  # PyTorch's may be unallocated
            + [np.array([str(t.dtype).removeprefix("torch.") for t in results])]
        )
    ours, theirs = seen
    tolerance = 1e-6 if name in ROUGH else 1e-9
    if [a.shape for a in ours] != [a.shape for a in theirs]:
        return f"shapes {[a.shape for a in ours]}, PyTorch's {[a.shape for a in theirs]}"
    if name in RANDOM:
        return RANDOM[name]
    for a, b in zip(ours, theirs, strict=True):
        if not (
            np.array_equal(a, b) or (a.dtype == b.dtype == float and np.allclose(a, b, tolerance))
        ):
            return "differs"
    return GOOD


def checked(name: str, checker: Any) -> str:
    """What `gradcheck` or `gradgradcheck` says of the name's call."""
    if excuse := RANDOM.get(name) or ROUGH.get(name):
        return excuse
    inputs = [autograd.tensor(array, requires_grad=True) for array in values()]
    if not any(result.requires_grad for result in floats(CALLS[name](autograd, *inputs))):
        return "no gradient"
    try:
        checker(lambda a, b: floats(CALLS[name](autograd, a, b)), inputs)
    except autograd.GradcheckError:
        return "fails"
    return GOOD


def look(names: str, differentiable: bool, torch: Any = None) -> Iterator[Name]:
    """What is known of each name of a list; without torch, parity says that a test compares it."""
    known = compared() | CALLS.keys()  # by tests/test_surface.py
    for name in names.split():
        if not is_present(name):
            yield Name(name, "missing", "-", "-", "-")
            continue
        parity = GOOD if name in known else PARITY_EXCUSES.get(name, "not compared")
        if not differentiable:
            yield Name(name, GOOD, parity, "-", "-")
            continue
        if torch is not None:
            parity = difference(name, torch)
        first, second = (checked(name, c) for c in (autograd.gradcheck, autograd.gradgradcheck))
        yield Name(name, GOOD, parity, first, second)


def main() -> int:
    """Print the table; the exit status says whether something is missing."""
    torch = importlib.import_module("torch") if importlib.util.find_spec("torch") else None
    if torch is None:
        print("torch is not installed: parity says whether a test compares the name\n")
    wrong = 0
    for title, text in LISTS.items():
        found = list(look(text, title == "differentiable", torch))
        wrong += sum(not item.holds for item in found)
        print(f"{title:24}{'present':>10}{'parity':>22}{'gradcheck':>20}{'gradgradcheck':>20}")
        for item in found:
            mark = " " if item.holds else "!"
            print(
                f"{mark} {item.name:22}{item.present:>10}{item.parity:>22}"
                f"{item.gradcheck:>20}{item.gradgradcheck:>20}"
            )
        print(f"{len(found)} names, {sum(item.holds for item in found)} hold\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
