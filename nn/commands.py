"""The commands that show a model: ``graph`` and ``film``."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd import manual_seed

from .layers.norm_channel import BatchNorm1d
from .models import find_model
from .options import PARSERS, count, folder_name, new_settings, saved_settings, seed
from .pictures import graph, loss_of
from .runs import CHECKPOINT, WEIGHTS, seeded_task
from .serialize import CheckpointError, load_file
from .settings import OK, Failure, Settings, reporting

GRAPH_SUFFIXES = (".svg", ".html", ".png", ".txt", ".mmd", ".dot", ".json")


def picture_file(*suffixes: str) -> Callable[[str], Path]:
    """A path whose suffix names one of the formats."""

    def parse(text: str) -> Path:
        path = Path(text)
        if path.suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"must end in {', '.join(suffixes)}, not {text!r}")
        return path

    return parse


def add_graph(commands: Any, program: str) -> None:
    """Add the parser of ``graph``."""
    parser = commands.add_parser(
        "graph",
        help="draw what a model computes",
        description="Draw the graph of a model from the shape of its input alone: on the terminal, "
        "or into a\nfile whose suffix names the format.",
        epilog="examples:\n"
        f"  {program} graph lenet5\n"
        f"  {program} graph lenet5 --out lenet5.svg\n"
        f"  {program} graph lenet5 --out lenet5.html --depth 1 --direction right",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model", type=PARSERS["model"], metavar="MODEL", help="name of a model, see --list"
    )
    parser.add_argument(
        "--out",
        type=picture_file(*GRAPH_SUFFIXES),
        metavar="FILE",
        help=f"where to draw it: {', '.join(GRAPH_SUFFIXES)} (default: the terminal)",
    )
    parser.add_argument(
        "--batch",
        type=count,
        metavar="N",
        help="examples in the input (default: 1, or 2 with batch norm of features)",
    )
    parser.add_argument(
        "--depth",
        type=count,
        metavar="N",
        help="draw modules that are nested deeper as one box each (default: show all)",
    )
    parser.add_argument(
        "--direction",
        choices=("down", "right"),
        default="down",
        help="where the arrows point (default: down)",
    )
    parser.set_defaults(parser=parser, carry_out=draw_graph)


def add_film(commands: Any, program: str) -> None:
    """Add the parser of ``film``."""
    parser = commands.add_parser(
        "film",
        help="make a page that plays a model's forward and backward pass",
        description="Make a page that plays, node by node, how a model's loss on one test image is "
        "computed and\nhow the chain rule finds its gradient. The page needs no network.",
        epilog="examples:\n"
        f"  {program} film mlp --out film.html\n"
        f"  {program} film lenet5 --run runs/lenet5 --out film.html",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model", type=PARSERS["model"], metavar="MODEL", help="name of a model, see --list"
    )
    parser.add_argument(
        "--out",
        type=picture_file(".html"),
        metavar="FILE",
        help="where the page goes (default: MODEL-film.html)",
    )
    parser.add_argument(
        "--data",
        type=PARSERS["data"],
        metavar="DATA",
        help="as for train (default: the first that --list names)",
    )
    parser.add_argument(
        "--run",
        type=folder_name,
        metavar="FOLDER",
        help="show the model trained in this run folder (default: one that has learnt nothing yet)",
    )
    parser.add_argument(
        "--example",
        type=seed,
        metavar="N",
        help="number of the test sample, from 0 (default: of images the first that the model gets "
        "wrong)",
    )
    parser.add_argument(
        "--seed",
        type=seed,
        metavar="N",
        help=f"of the split and the initial weights (default: {Settings('').seed})",
    )
    parser.set_defaults(parser=parser, carry_out=make_film)


def draw_graph(options: argparse.Namespace) -> int:
    """Carry out ``graph``."""
    entry = find_model(options.model)
    model = entry.factory()
    # Batch norm of plain features has nothing to normalise one example by.
    least = 2 if any(isinstance(module, BatchNorm1d) for module in model.modules()) else 1
    picture = graph(
        model,
        (options.batch or least, *entry.input_shape),
        dtype=entry.dtype,
        depth=options.depth,
        direction=options.direction,
    )
    if options.out is None:
        print(picture.text(width=shutil.get_terminal_size().columns))
    else:
        with reporting(OSError, RuntimeError):
            print(f"wrote {picture.save(options.out)}")
    return OK


def make_film(options: argparse.Namespace) -> int:
    """Carry out ``film``."""
    from autograd.viz import film

    given = {n: v for n in ("model", "data", "seed") if (v := getattr(options, n)) is not None}
    if options.run is None:
        settings = new_settings(given)
    else:
        settings, _ = saved_settings(options.run / CHECKPOINT)
        for name, value in given.items():
            if name != "data" and value != getattr(settings, name):
                raise Failure(
                    f"{options.run} holds a run with {name} {getattr(settings, name)}, not {value}"
                )
        settings = Settings(**{**settings.__dict__, "data": given.get("data", settings.data)})
    task, _ = seeded_task(settings)
    manual_seed(settings.seed)
    model = task.make_model(settings)
    if options.run is not None:
        with reporting(CheckpointError, OSError, RuntimeError):
            weights, _ = load_file(options.run / WEIGHTS)
            model.load_state_dict(weights)
    model.eval()
    index = task.example(model) if options.example is None else options.example
    if index >= task.parts.sizes[2]:
        raise Failure(f"--example {index}: there are {task.parts.sizes[2]} test samples, from 0")
    out = options.out or Path(f"{settings.model}-film.html")
    page = film(
        loss_of(model, task.loss, task.parts.test, index),
        names={"model": model},
        title=task.title(index),
    )
    with reporting(OSError):
        print(f"wrote {page.save(out)}")
    if sys.stdout.isatty():
        print("open it in a browser; the space bar plays it")
    return OK
