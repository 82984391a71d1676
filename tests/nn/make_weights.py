"""Make the files of tests/nn/weights: small models of PyTorch, with an input and its output.

Run by hand, with torch installed: ``python -m tests.nn.make_weights``. The tests need no torch.
Each model gives NAME.safetensors (the weights, and the input and output as ``@input``,
``@output``) and NAME.pth; the first also NAME-legacy.pth, of the format before PyTorch 1.6.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from tests.nn.weights_models import MODELS

HERE = Path(__file__).resolve().parent / "weights"


def main() -> None:
    """Write all files."""
    torch: Any = importlib.import_module("torch")
    save_file: Any = importlib.import_module("safetensors.torch").save_file
    HERE.mkdir(exist_ok=True)
    for name, (build, shape) in MODELS.items():
        torch.manual_seed(0)
        model = build(torch, torch.nn)
        with torch.no_grad():
            model(torch.randn(shape))  # so that running statistics are not those of a new model
            model.eval()
            data = torch.randn(shape)
            output = model(data)
        state = model.state_dict()
        save_file(
            {**state, "@input": data, "@output": output},
            HERE / f"{name}.safetensors",
            {"format": "pt", "torch": torch.__version__},
        )
        checkpoint = {"model": state, "input": data, "output": output, "epoch": 3}
        torch.save(checkpoint, HERE / f"{name}.pth")
        if name == "cnn":
            torch.save(
                checkpoint, HERE / f"{name}-legacy.pth", _use_new_zipfile_serialization=False
            )


if __name__ == "__main__":
    main()
