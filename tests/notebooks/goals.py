"""The figures that each notebook of the course must print, and reach."""

GOALS: dict[str, dict[str, str]] = {
    "04_worked_network": {
        "output 1 of (0, 0)": "0.51 within 0.005",
        "output 2 of (0, 0)": "0.85 within 0.005",
        "output 1 of (1, -1)": "0.62 within 0.005",
        "output 2 of (1, -1)": "0.83 within 0.005",
        "gradients compared": "20",
        "scalars and arrays, largest difference": "at most 1e-12",
        "softmax, largest difference": "at most 1e-12",
        "p - y, largest difference": "at most 1e-12",
        "gradcheck agrees": "1",
        "exclusive or, right answers": "1",
        "exclusive or, last loss": "at most 0.02",
    },
}
