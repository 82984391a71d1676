"""Activations."""

from __future__ import annotations

import numpy as np

from tests.nn.cases import Case, Fixed, drawn

X = 3.0 * drawn(3, 4)
PLAIN = (
    "ReLU Sigmoid Tanh GELU SiLU Softplus ELU SELU CELU Mish LogSigmoid Softsign Tanhshrink GLU "
    "LeakyReLU PReLU Hardtanh ReLU6 Hardswish Hardshrink Softshrink"
)
# Corners, and numbers whose exponentials leave float64.
EDGES = np.array([[-1e3, -6.0, -3.0, -1.0, -0.5, 0.0], [0.5, 1.0, 3.0, 6.0, 25.0, 1e3]])

CASES = [
    *(Case(name, call=(X,)) for name in PLAIN.split()),
    *(Case(name, call=(EDGES,), note="edges") for name in PLAIN.split()),
    # PyTorch overwrites what it is given, so that is a copy.
    *(
        Case(name, (), {"inplace": True}, call=(X,), use=lambda lib, module, x: module(x * 1.0))
        for name in [
            "ReLU",
            "SiLU",
            "ELU",
            "SELU",
            "CELU",
            "Mish",
            "LeakyReLU",
            "Hardtanh",
            "ReLU6",
            "Hardswish",
        ]
    ),
    # Without gradients: PyTorch's slope of 1 / 6 is a float32.
    Case("Hardsigmoid", call=(Fixed(EDGES),)),
    Case("GELU", ("tanh",), call=(X,)),
    Case("Softplus", (2.0, 1.0), call=(X,)),
    Case("Softmax", (1,), call=(X,)),
    Case("LogSoftmax", (-1,), call=(X,)),
    Case("Softmin", (0,), call=(X,)),
    Case("Softmax2d", call=(drawn(2, 3, 2, 2),)),
    Case("Softmax2d", call=(drawn(3, 2, 2),)),
    Case("ELU", (0.5,), call=(X,)),
    Case("CELU", (0.5,), call=(X,)),
    Case("GLU", (0,), call=(drawn(4, 3),)),
    Case("LeakyReLU", (0.2,), call=(X,)),
    Case("PReLU", (3, 0.1), call=(drawn(2, 3, 2, 2),)),
    Case("PReLU", call=(drawn(2, 3),)),
    Case("RReLU", call=(X,), modes=("eval",)),
    Case("RReLU", (0.2, 0.6), call=(X,), modes=("eval",)),
    Case("RReLU", (0.3, 0.3), call=(X,), note="one slope only"),
    Case("Hardtanh", (-2.0, 0.5), call=(X,)),
    Case("Hardshrink", (1.0,), call=(X,)),
    Case("Softshrink", (1.0,), call=(X,)),
    Case("Threshold", (0.1, 20.0), call=(X,)),
]
