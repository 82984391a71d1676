"""The command ``export``: a model or a trained run as a file for other programs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograd import manual_seed

from ..commands import picture_file
from ..models import find_model
from ..module import Module
from ..options import PARSERS, new_settings, saved_settings
from ..recipes import find_recipe
from ..runs import CHECKPOINT, WEIGHTS
from ..serialize import CheckpointError, load, save
from ..serialize.formats import SUFFIXES
from ..settings import OK, Settings, reporting
from .sizes import ExportError
from .to_onnx import onnx


def add_export(commands: Any, program: str) -> None:
    """Add the parser of ``export``."""
    parser = commands.add_parser(
        "export",
        help="write a model for other programs: ONNX, or its weights alone",
        description="Write a trained model to a file whose suffix names the format: all of it "
        "as\n.onnx (needs the onnx package), or the weights as .safetensors, .npz, .pth or .pt.",
        epilog="examples:\n"
        f"  {program} export runs/lenet5 lenet5.onnx\n"
        f"  {program} export runs/lenet5 lenet5.pth\n"
        f"  {program} export lenet5 lenet5.onnx --weights lenet5.pth",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model",
        type=_source,
        metavar="RUN_OR_MODEL",
        help="folder of a run, or the name of a model, see --list",
    )
    parser.add_argument(
        "out",
        type=picture_file(".onnx", *SUFFIXES),
        metavar="FILE",
        help=f"where it goes: .onnx, {', '.join(SUFFIXES)}",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="take the weights from this file, of any of these formats (default: the run's; of a "
        "model, those that it starts with)",
    )
    parser.add_argument(
        "--seed",
        type=PARSERS["seed"],
        metavar="N",
        help=f"of the initial weights of a model (default: {Settings('').seed})",
    )
    parser.set_defaults(parser=parser, carry_out=export)


def _source(text: str) -> str | Path:
    """The folder of a run, or the name of a model."""
    folder = Path(text)
    if (folder / CHECKPOINT).exists():
        return folder
    parse: Callable[[str], str] = PARSERS["model"]
    try:
        return parse(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"no run in the folder {text!r}, and {error}") from error


def export(options: argparse.Namespace) -> int:
    """Carry out ``export``."""
    given = {} if options.seed is None else {"seed": options.seed}
    weights = options.weights
    if isinstance(options.model, Path):
        settings, _ = saved_settings(options.model / CHECKPOINT)
        weights = weights or options.model / WEIGHTS
    else:
        settings = new_settings({"model": options.model, **given})
    manual_seed(settings.seed)
    model: Module = find_recipe(settings.model).task.make_model(settings)
    if weights is not None:
        with reporting(CheckpointError, OSError, RuntimeError, TypeError):
            model.load_state_dict(load(weights))
    if options.out.suffix.lower() == ".onnx":
        entry = find_model(settings.model)
        example = np.zeros((1, *entry.input_shape), entry.dtype)
        with reporting(OSError, ExportError, ModuleNotFoundError):
            onnx(model, example, options.out, metadata={"model": settings.model})
    else:
        with reporting(OSError):
            save(model.state_dict(), options.out)
    print(f"wrote {options.out}")
    return OK
