"""``python -m benchmarks``: list, run, tune, compare and keep measurements."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import shlex
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import autograd
from autograd.kernels.native.target import target
from autograd.kernels.threads import available_cores
from nn.serialize import write_atomically

from . import cold, doctor, history, page, plan, report, rivals, roofs, tables, trial, tune
from .measure import machine
from .plan import Task
from .subjects import SUBJECTS

QUICK_SECONDS = 60.0
SECONDS = 600.0
PAGE_SECONDS = 690.0
COLD_SECONDS = 90.0  # of a page, for compiling every unit and loading it
PAGE = history.ROOT / "docs" / "performance.md"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what can be measured")
    run = commands.add_parser("run", help="check, time, compare with rivals")
    run.add_argument("pattern", nargs="?", default="", help="part of a name, or a file of yours")
    run.add_argument(
        "--quick", action="store_true", help="the first size of each, float32, nothing compiled"
    )
    run.add_argument("--name", help="of the run, for `compare` (default: the time)")
    run.add_argument("--json", type=Path, help="also write the results there")
    run.add_argument("--markdown", type=Path, help="also write a table there")
    run.add_argument("--size", action="append", help="instead of its own: 1000, 64x784x128")
    run.add_argument("--dtype", action="append", help="float32 or float64 (default: both)")
    run.add_argument("--threads", type=int, action="append", help="default: 1")
    run.add_argument("--rivals", help="numpy,torch,...; all or none (default: all, eager if quick)")
    run.add_argument("--budget", type=float, help=f"seconds for all of it ({SECONDS:.0f})")
    tuned = commands.add_parser("tune", help="which threads, vector unit or arguments are fastest")
    tuned.add_argument("pattern", help="part of a name, or a file of yours with tune={...}")
    tuned.add_argument("--size", action="append", help="instead of the first of its own")
    tuned.add_argument("--dtype", action="append", help="float32 or float64 (default: its first)")
    tuned.add_argument("--budget", type=float, default=60.0, help="seconds for all of it (60)")
    tuned.add_argument(
        "--simd", action="store_true", help="vector units, too (compiles what the cache lacks)"
    )
    start = commands.add_parser("cold", help="what compiling a unit costs, and loading it")
    start.add_argument("units", nargs="*", help="their names (default: all)")
    start.add_argument("--loads-only", action="store_true", help="compile nothing")
    written = commands.add_parser("page", help="measure, and write docs/performance.md")
    written.add_argument("file", nargs="?", type=Path, default=PAGE, help="docs/performance.md")
    written.add_argument("--threads", type=int, action="append", help="default: 1, and all cores")
    written.add_argument("--rivals", help="numpy,torch,...; all or none (default: all)")
    written.add_argument(
        "--budget",
        type=float,
        default=PAGE_SECONDS,
        help=f"seconds for all of it ({PAGE_SECONDS:.0f})",
    )
    written.add_argument("--no-cold", action="store_true", help="without the units' compiling")
    compare = commands.add_parser("compare", help="two runs that were kept")
    compare.add_argument("old")
    compare.add_argument("new")
    compare.add_argument(
        "--fail-over", type=float, help="exit with 1 if a kernel became so many times slower"
    )
    commands.add_parser("history", help="runs that were kept")
    told = commands.add_parser("report", help="a page about a run that was kept")
    told.add_argument("run", nargs="?", help="its name (default: the last one)")
    told.add_argument("--html", type=Path, default=Path("benchmarks.html"), help="the file")
    examined = commands.add_parser("doctor", help="what is wrong with a machine or a kernel")
    examined.add_argument("pattern", nargs="?", help="a file of yours, or part of a name")
    examined.add_argument("--threads", type=int, help="default: those that kernels may use")
    for command in (run, compare, told, written, commands.choices["history"]):
        command.add_argument("--folder", type=Path, default=history.FOLDER, help="of the history")
    return top


def run(options: argparse.Namespace) -> int:
    """Measure; Ctrl-C keeps what was measured."""
    budget = plan.Budget(
        (QUICK_SECONDS if options.quick else SECONDS) if options.budget is None else options.budget,
        time.monotonic(),
        time.monotonic,
        plan.ENOUGH if options.budget is None else math.inf,
    )
    tasks, wanted = plan.tasks(options)
    name = options.name or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with rivals.threads_as_before():
        results = measured(tasks, wanted, budget)
    if results:
        path = history.keep(results, name, options.folder)
        print(f"kept in {path} as {name!r}")
        if options.json:
            records = [{"key": r.key, **r.as_record()} for r in results]
            options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
        if options.markdown:
            options.markdown.write_text(tables.markdown(results), encoding="utf-8")
    return int(any(r.wrong for r in results))


def measured(tasks: Sequence[Task], wanted: Any, budget: plan.Budget) -> list[trial.Result]:
    """Run trials, telling each, until the time is over or Ctrl-C comes."""
    counts = sorted({task.threads for task in tasks})
    print(f"{machine()}, {target().unit}")
    if lesser := plan.lesser_unit():
        print(lesser)
    absent = rivals.missing(
        list({task.subject.name: task.subject for task in tasks}.values()), wanted
    )
    if absent:
        print(f"not installed, so nothing is measured beside: {', '.join(absent)}")
    if crowd := plan.crowded(counts):
        print(crowd)
    for threads in sorted({1, min(available_cores(), max(counts)), *counts}):
        print(roofs.header(threads, sorted({task.dtype for task in tasks})))
    print(tables.HEADING)
    results: list[trial.Result] = []
    told: set[tuple[str, str, str]] = set()
    try:
        for i, task in enumerate(tasks):
            if budget.left <= 0.0:
                print(f"out of time after {i} of {len(tasks)}: give a larger --budget")
                break
            rivals.set_threads(task.threads)
            words = task.subject, task.size, task.dtype, task.threads
            share = budget.share(len(tasks) - i)
            results.append(result := trial.run(*words, share, wanted, budget.patience()))
            budget.compiling += sum(
                seconds for rival, seconds in result.first.items() if rivals.is_compiled(rival)
            )
            if task.threads != counts[0] and i >= counts.index(task.threads):
                trial.compare_threads(results[-1 - counts.index(task.threads)], result)
            print("\n".join(tables.lines(result)), flush=True)
            # The code is that of all sizes, as a rule.
            if result.code and (result.name, task.dtype, result.code) not in told:
                told.add((result.name, task.dtype, result.code))
                print(f"    code: {result.code}")
            if result.stopped:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        print(f"stopped after {len(results)} of {len(tasks)}")
    hurried = sum(why == trial.NO_TIME for r in results for why in r.refused.values())
    if hurried:
        print(f"{hurried} compiled rivals were left out, for want of time: give a larger --budget")
    return results


def write_page(options: argparse.Namespace) -> int:
    """Measure what the page shows, and write it."""
    begin = time.monotonic()
    aside = 0.0 if options.no_cold else min(COLD_SECONDS, 0.25 * options.budget)
    budget = plan.Budget(options.budget - aside, begin, time.monotonic, plan.ENOUGH)
    counts = plan.threads_of(options.threads or [1, available_cores()])
    tasks = page.tasks(counts)
    wanted = plan.rival_filter([task.subject for task in tasks], options.rivals, quick=False)
    with rivals.threads_as_before():
        results = measured(tasks, wanted, budget)
    if not results:
        raise LookupError(f"nothing was measured within --budget {options.budget:g}")
    units: list[cold.Unit] = []
    for unit in () if options.no_cold else cold.measure():
        units.append(unit)
        if time.monotonic() - begin > options.budget:
            print(f"out of time after {len(units)} units: give a larger --budget")
            break
    name = time.strftime("page %Y-%m-%dT%H:%M:%SZ", time.gmtime())
    kept = history.keep(results, name, options.folder)
    told = page.text(results, units, time.monotonic() - begin, options.said)
    write_atomically(options.file, told.encode())
    print(f"{options.file} is written; its results are kept in {kept} as {name!r}")
    return int(any(r.wrong for r in results))


def tune_kernels(options: argparse.Namespace) -> int:
    """Say which choice is the fastest here."""
    names = plan.chosen(options.pattern)
    subjects = [SUBJECTS[name] for name in names]
    if options.pattern.endswith(".py"):
        subjects = [subject for subject in subjects if subject.tune]
        if not subjects:
            raise LookupError(
                f"{options.pattern}: no kernel has choices; give kernel(tune={{...}})"
            )
    sizes = plan.sizes_of(subjects, options.size or ())
    dtypes = plan.dtypes_of(options.dtype, quick=False)
    tasks = [
        (subject, size, dtype)
        for subject in subjects
        for size in (sizes[subject.name] if options.size else sizes[subject.name][:1])
        for dtype in [d for d in dtypes if d in subject.dtypes][: None if options.dtype else 1]
    ]
    if not tasks:
        raise LookupError(f"nothing chosen has the type {' or '.join(dtypes)}")
    budget = plan.Budget(options.budget, time.monotonic(), time.monotonic)
    print(f"{machine()}\nchoice: its time, and the default's over it (95 % interval)")
    for i, task in enumerate(tasks):
        share = budget.share(len(tasks) - i)
        if task[0].tune:
            found = [tune.arguments(*task, share)]
        else:
            found = [tune.threads(*task, share)]
            found += [tune.units(*task)] if options.simd else []
        for one in found:
            print("\n".join(one.lines()), flush=True)
    return 0


def show_cold(options: argparse.Namespace) -> int:
    """Say what units cost before their first result."""
    print(f"{machine()}\n{cold.HEADING}")
    for unit in cold.measure(options.units, compiling=not options.loads_only):
        print(cold.line(unit), flush=True)
    return 0


def records(folder: Path) -> list[dict[str, Any]]:
    """What was kept on this machine; nothing is an error that says how to begin."""
    path = folder / f"{history.machine_key()}.jsonl"
    if not path.exists():
        raise LookupError(f"nothing was kept for this machine in {folder}; `run` something first")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = history.read(path)
    for warning in caught:
        print(f"warning: {warning.message}", file=sys.stderr)
    if not found:
        raise LookupError(f"{path} holds no result that can be read; move it away and `run` again")
    return found


def named(kept: Sequence[dict[str, Any]], run: Any) -> list[dict[str, Any]]:
    """Results of one run.

    Raises
    ------
    LookupError
        If there are none; the runs that there are are told.
    """
    found = [r for r in kept if r.get("run") == run]
    if not found:
        raise LookupError(
            f"there is no run {run!r}; there are {sorted({str(r.get('run')) for r in kept})}"
        )
    return found


def compare(options: argparse.Namespace) -> int:
    """Say what changed between two runs."""
    kept = records(options.folder)
    changes = history.compare(named(kept, options.old), named(kept, options.new))
    if not changes:
        raise LookupError("the two runs have nothing in common")
    for change in changes:
        print(tables.change_line(change))
    limit = options.fail_over
    slower = [c for c in changes if c.verdict == "slower" and (limit is None or c.ratio > limit)]
    return int(limit is not None and bool(slower))


def write_report(options: argparse.Namespace) -> int:
    """Write the page about a run."""
    kept = records(options.folder)
    name = options.run or kept[-1].get("run")
    found = named(kept, name)
    write_atomically(options.html, report.page(found).encode())
    print(f"{len(found)} results of {name!r} in {options.html}")
    return 0


def show_history(options: argparse.Namespace) -> int:
    """Say which runs were kept."""
    seen: dict[str, list[dict[str, Any]]] = {}
    for record in records(options.folder):
        seen.setdefault(str(record.get("run")), []).append(record)
    for name, found in seen.items():
        print(f"{name:24} {found[0].get('commit', ''):14} {len(found)} results")
    return 0


def show_list() -> int:
    """Say what can be measured."""
    plan.enter_suite()
    for name, subject in SUBJECTS.items():
        sizes = " ".join(trial.size_text(size) for size in subject.sizes[:3])
        print(f"{name:24} {', '.join(subject.rivals) or 'nobody'}; {sizes}"[:100])
    return 0


def examine(options: argparse.Namespace) -> int:
    """Tell what is wrong, and what to do about it."""
    names, findings = doctor.loaded(options.pattern, plan.chosen) if options.pattern else ([], [])
    threads = autograd.get_num_threads() if options.threads is None else options.threads
    if threads < 1:
        raise ValueError(f"--threads {threads}: expected at least 1")
    count = 0
    for finding in itertools.chain(
        findings, doctor.examine([SUBJECTS[name] for name in names], threads)
    ):
        count += 1
        print(finding, flush=True)
    print(f"{count or 'no'} finding{'s'[: count != 1]}")
    return int(count > 0)


def said(words: Sequence[str]) -> str:
    """A command as it may be said again, anywhere.

    Examples
    --------
    >>> said(["page", "--folder", "/tmp/mine", "--threads", "1"])
    'python -m benchmarks page --threads 1'
    """
    kept = list(words)
    if "--folder" in kept:
        at = kept.index("--folder")
        del kept[at : at + 2]
    return f"python -m benchmarks {shlex.join(kept)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a mistake of the user's is one clear line."""
    words = sys.argv[1:] if arguments is None else arguments
    options = parser().parse_args(words)
    options.said = said(words)
    try:
        if options.command == "list":
            return show_list()
        actions = {
            "run": run,
            "tune": tune_kernels,
            "cold": show_cold,
            "page": write_page,
            "compare": compare,
            "history": show_history,
            "report": write_report,
            "doctor": examine,
        }
        return actions[options.command](options)
    except (LookupError, OSError, ValueError) as error:
        why = error if isinstance(error, OSError) or not error.args else error.args[0]
        print(f"error: {why}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
