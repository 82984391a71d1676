"""Run every case of `tests.nn.cases` in PyTorch and keep what comes out.

``python -m tests.nn.make_references [KIND ...]``: the file of a kind is written anew as a whole.
The tests read it where PyTorch is not installed.
"""

from __future__ import annotations

import importlib
import sys

from safetensors.numpy import save_file

from tests.nn.cases import KINDS, REFERENCES, There, cases, joined, run


def main(kinds: list[str]) -> None:
    """Write the files of these kinds."""
    torch = importlib.import_module("torch")  # the linter runs where there is none
    REFERENCES.mkdir(exist_ok=True)
    for kind in kinds or KINDS:
        results = {
            f"{case.name}, {mode}": joined(run(case, mode, There(torch)))
            for case in cases(kind)
            for mode in case.modes
        }
        path = REFERENCES / f"{kind}.safetensors"
        save_file(results, path, metadata={"torch": torch.__version__})
        print(f"{path}: {len(results)} results, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
