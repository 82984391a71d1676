"""``python -m notebooks``: run notebooks of the course, and store them with their pictures."""

from __future__ import annotations

import argparse
import sys
import time

from nbclient.exceptions import CellExecutionError

from . import build


def main() -> int:
    """Run a command; 1 if a notebook fails or misses a goal."""
    parser = argparse.ArgumentParser(prog="python -m notebooks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the notebooks, in the order of the course")
    builder = commands.add_parser("build", help="run notebooks, and store them")
    builder.add_argument("names", nargs="*", help="default: all")
    options = parser.parse_args()
    if options.command == "list":
        print("\n".join(build.names()))
        return 0
    failed = 0
    for name in options.names or build.names():
        start = time.perf_counter()
        print(f"{name} ...", end=" ", flush=True)
        try:
            notebook = build.run(name)
        except (CellExecutionError, LookupError) as error:
            print(f"failed\n{error}")
            failed += 1
            continue
        path = build.save(name, notebook)
        size = path.stat().st_size / 1e6
        print(f"{time.perf_counter() - start:.0f} s, {size:.2f} MB")
        for what, figure in build.results(notebook).items():
            print(f"    {what} = {figure.value:g} (goal: {figure.goal})", end="")
            print("" if figure.met else "  MISSED")
            failed += not figure.met
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
