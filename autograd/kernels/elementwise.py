"""Functions of one element at a time: activations and their backward forms."""

import numpy as np

from .common import Floats, Sample
from .dispatch import native, reference
from .native import Unit

UNIT = Unit("elementwise", "autograd.kernels.native.elementwise")


@reference
def relu(x: Floats, /) -> Floats:
    """Y = max(x, 0); NaN stays NaN. Any shape."""
    return np.maximum(x, 0)


@reference
def relu_backward(g: Floats, y: Floats, /) -> Floats:
    """Dx = g where y > 0, else 0; `y` is the result of `relu`, of the shape of g."""
    return np.where(y > 0, g, g.dtype.type(0))


native(relu, UNIT, "relu(x: T[*n]) -> y: T like x")
native(relu_backward, UNIT, "relu_backward(g: T[*n], y: T[*n]) -> dx: T like g")

SAMPLES = (
    Sample("small", ((1000,),)),
    Sample("layer", ((128, 784),)),
)
