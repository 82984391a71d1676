"""The command line: ``python -m nn train lenet5``, installed also as ``dagrad train lenet5``."""

from __future__ import annotations

import argparse
import io
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .commands import add_film, add_graph
from .export.command import add_export
from .models import find_model, list_models
from .options import PARSERS, folder_name
from .recipes import find_recipe
from .recipes.task import CURVES
from .runs import CHECKPOINT, FILM, GRAPH, METRICS, RUNS, WEIGHTS, start
from .search.command import add_search
from .settings import FAILED, INTERRUPTED, OK, OPTIMIZERS, USAGE, Failure, Settings


def train(options: argparse.Namespace) -> int:
    """Carry out ``train``."""
    run = start(options)
    try:
        run.fit()
        run.finish()
    except KeyboardInterrupt:
        command = shlex.join(["train", run.settings.model, "--out", str(run.folder), "--resume"])
        raise Failure(
            f"interrupted; {run.folder / CHECKPOINT} has {run.trainer.epoch} of "
            f"{run.settings.epochs} epochs, go on by: {_program()} {command}",
            INTERRUPTED,
        ) from None
    return OK


def _program() -> str:
    name = Path(sys.argv[0]).name
    return name if name.startswith("dagrad") else "python -m nn"


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line; --help has the rest."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(USAGE, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def make_parser() -> Parser:
    """Parser of the whole command line."""
    program = _program()
    parser = Parser(
        prog=program,
        description="dagrad: define a model, see its graph, measure its kernels.",
        epilog=f"example: {program} train lenet5",
        allow_abbrev=False,
    )
    parser.add_argument("--list", action="store_true", help="name the models, and leave")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_train(commands, program)
    add_graph(commands, program)
    add_film(commands, program)
    add_export(commands, program)
    add_search(commands, program)
    return parser


def _add_train(commands: Any, program: str) -> None:
    shown = {**vars(Settings("")), **find_recipe("lenet5").defaults}
    default = {name: f"(default: the model's; lenet5 {value})" for name, value in shown.items()}
    rates = ", ".join(f"{name} {choice.lr:g}" for name, choice in OPTIMIZERS.items())
    kinds = ", ".join(
        name + (f" ({choice.description})" if choice.description else "")
        for name, choice in OPTIMIZERS.items()
    )
    parser = commands.add_parser(
        "train",
        help="train a model",
        description="Train a model, test it once at the end, and leave in a run folder:\n\n"
        f"  {WEIGHTS:24}the weights\n"
        f"  {CHECKPOINT:24}all that --resume needs, written after each epoch\n"
        f"  {METRICS:24}a line of JSON for each epoch, and one for the test\n"
        f"  {CURVES:24}losses and more by epoch, and other pictures (need matplotlib)\n"
        f"  {GRAPH:24}the graph of the loss on a test sample, with values and gradients\n"
        f"  {FILM:24}a page that plays how that loss and its gradient are computed",
        epilog="examples:\n"
        f"  {program} train lenet5\n"
        f"  {program} train lenet5 --data mnist:data/mnist --epochs 15 --out runs/mnist\n"
        f"  {program} train lenet5 --out runs/mnist --resume\n"
        f"  {program} train lenet5 --optimizer sgd --lr 0.05 --seed 1",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "model",
        nargs="?",
        type=PARSERS["model"],
        metavar="MODEL",
        help="name of a model, see --list",
    )
    parser.add_argument("--list", action="store_true", help="name the models, and leave")

    # Defaults are None here and in Settings: a resumed run must tell what was given from what was
    # left out.
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data",
        type=PARSERS["data"],
        metavar="DATA",
        help="one of those that --list names for the model (default: the first). digits: the 1,797 "
        "of scikit-learn, 8x8 enlarged, 20%% held out for the test; mnist:FOLDER: MNIST's four IDX "
        "files, plain or .gz, t10k for the test; of the rest, 10%% validate",
    )
    group.add_argument(
        "--limit",
        type=PARSERS["limit"],
        metavar="N",
        help="use at most N samples of each part, to try things out (default: all)",
    )

    group = parser.add_argument_group("training")
    group.add_argument(
        "--epochs",
        type=PARSERS["epochs"],
        metavar="N",
        help=f"passes over the training samples {default['epochs']}",
    )
    group.add_argument(
        "--batch-size",
        type=PARSERS["batch_size"],
        metavar="N",
        help=f"samples per step {default['batch_size']}",
    )
    group.add_argument(
        "--optimizer",
        type=PARSERS["optimizer"],
        metavar="NAME",
        help=f"{kinds} {default['optimizer']}",
    )
    group.add_argument(
        "--lr",
        type=PARSERS["lr"],
        metavar="RATE",
        help=f"learning rate (default: the model's; with another optimizer than its own {rates})",
    )
    group.add_argument(
        "--lr-step",
        type=PARSERS["lr_step"],
        metavar="N",
        help=f"epochs after which the learning rate falls {default['lr_step']}",
    )
    group.add_argument(
        "--lr-decay",
        type=PARSERS["lr_decay"],
        metavar="FACTOR",
        help=f"what it is multiplied by then; 1 keeps it {default['lr_decay']}",
    )
    group.add_argument(
        "--shift",
        type=PARSERS["shift"],
        metavar="N",
        help="of image classifiers: move each training image at random by up to N pixels each way "
        f"{default['shift']}",
    )
    group.add_argument(
        "--label-smoothing",
        type=PARSERS["label_smoothing"],
        metavar="SHARE",
        help="of image classifiers: share of each label that is spread over all classes "
        f"{default['label_smoothing']}",
    )
    group.add_argument(
        "--seed",
        type=PARSERS["seed"],
        metavar="N",
        help="of the data, the initial weights, the shifts and the order of the samples; the same "
        f"seed gives the same run, bit for bit (default: {shown['seed']})",
    )

    group = parser.add_argument_group("run folder")
    group.add_argument(
        "--out",
        type=folder_name,
        metavar="FOLDER",
        help="where the results go; a folder that holds a run is refused (default: "
        f"{RUNS}/MODEL, or the first that is free of {RUNS}/MODEL-2, -3, ...)",
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on after the last complete epoch of the run in --out (default: the last of "
        f"{RUNS}/MODEL, -2, ...), with its settings; only --epochs may differ",
    )
    parser.set_defaults(parser=parser, carry_out=train)


def list_text() -> str:
    """What --list shows."""
    lines = []
    for name in list_models():
        entry = find_model(name)
        shape = "x".join(map(str, entry.input_shape))
        lines += [
            name,
            f"    {entry.description}",
            f"    input: {shape}    data: {', '.join(find_recipe(name).data)}",
        ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name. Default: those of the process.

    Returns
    -------
    int
        Exit status: 0, 1 for a failure, 130 for Ctrl-C. Wrong usage raises SystemExit(2).

    Examples
    --------
    >>> main(["train", "mlp", "--resume", "--out", "nowhere"])  # says on stderr what is wrong
    1
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A line per epoch also through a pipe; and a path that is no valid text must not be fatal.
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.list:
        print(list_text())
        return OK
    if options.command is None:
        parser.error("name a command: train, graph, film, export, search")
    if options.model is None:
        options.parser.error(f"name a model: {', '.join(list_models())}")
    try:
        return options.carry_out(options)
    except Failure as failure:
        print(f"{parser.prog}: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on, as after `| head`. What is still in the buffer must go somewhere, or
        # Python complains when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"{parser.prog}: stopped, as its output was closed", file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
