"""The names that a user of PyTorch may type: which are there, and which are compared with PyTorch.

``python -m tests.surface`` prints a line for each name that lacks something, and the counts.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import autograd
from autograd.graph import OPS

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


class Name(NamedTuple):
    """What is known of a name: where it is found, and whether a test compares it with PyTorch."""

    name: str
    present: bool
    op: bool
    compared: bool


def compared() -> set[str]:
    """The attributes and words in the tests that compare with PyTorch."""
    found: set[str] = set()
    for file in sorted((HERE / "autograd").glob("test_parity*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(node.value.replace(".", " ").split())
    return found


def names(text: str) -> Iterator[Name]:
    """Look at each name of a list."""
    known = compared()
    for name in text.split():
        tensor = autograd.Tensor
        present = any(
            hasattr(*at) for at in ((autograd, name), (tensor, name), (tensor, f"{name}_"))
        )
        yield Name(name, present, name in OPS, name in known)


def main() -> int:
    """Print what is missing; the exit status says whether a name is."""
    missing = 0
    for title, text in (
        ("differentiable", DIFFERENTIABLE),
        ("not differentiable, or creation", OTHERS),
        ("transforms", TRANSFORMS),
    ):
        found = list(names(text))
        absent = [item.name for item in found if not item.present]
        alone = [item.name for item in found if item.present and not item.compared]
        missing += len(absent)
        print(
            f"{title}: {len(found)} names, {len(absent)} missing, "
            f"{sum(item.op for item in found)} ops of their own, "
            f"{sum(item.compared for item in found)} compared with PyTorch"
        )
        if absent:
            print(f"  missing: {' '.join(absent)}")
        if alone:
            print(f"  not compared: {' '.join(alone)}")
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
