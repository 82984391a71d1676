"""``python -m autograd``: the compiled kernels from the command line."""

import argparse
import sys
import time

from tqdm import tqdm

from . import kernels
from .kernels.native import UNITS, cache, objects, process
from .kernels.native.target import available, target


def main(arguments: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m autograd", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "warmup", help="compile all kernels for this CPU now, not at their first use"
    )
    commands.add_parser("info", help="show what the kernels run on, and where they are kept")
    command = parser.parse_args(arguments).command
    return {"warmup": compile_all, "info": show}[command]()


def compile_all() -> int:
    """Compile every unit that the cache lacks, and load them all."""
    begin = time.perf_counter()
    parts = {process.RUNTIME.name: process.runtime}
    parts |= {unit.code.name: unit.load for unit in UNITS.values()}
    bar = tqdm(parts.items(), desc="compiling kernels", unit="unit", file=sys.stderr)
    with objects.quietly():
        for name, load in bar:
            bar.set_postfix_str(name)
            load()
    print(
        f"{len(parts)} units ready after {time.perf_counter() - begin:.1f} s, in {cache.folder()}"
    )
    return 0


def show() -> int:
    """Print the facts that a report of a problem needs."""
    goal = target()
    print(f"vector unit  {goal.unit} ({goal.bits} bits; this CPU runs {', '.join(available())})")
    print(f"CPU          {goal.cpu}")
    print(f"threads      {kernels.get_num_threads()}")
    print(f"mode         {kernels.current_mode()}")
    print(f"cache        {cache.folder()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
