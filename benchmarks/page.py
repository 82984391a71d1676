"""The page docs/performance.md: one run, written down whole."""

from __future__ import annotations

import importlib.metadata
import math
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd.kernels.native.target import target
from autograd.kernels.threads import available_cores

from . import cold, history, roofs
from .measure import cpu
from .plan import Task, enter_suite
from .stats import Ratio
from .subjects import SUBJECTS, Size
from .tables import bits, duration, number, percent, times
from .trial import NO_TIME, NOT_INSTALLED, OURS, Result, size_text

STEPS: tuple[tuple[str, Size], ...] = (
    ("step.resnet-20", 32),
    ("step.lenet-5", 64),
    ("step.mnist-mlp", 128),
    ("step.digits-mlp", 32),
    ("step.lstm", 32),
    ("step.transformer", 8),
    ("step.two-moons", 100),
    ("step.two-moons", 20),
)

KERNELS: tuple[tuple[str, Size], ...] = (
    ("matmul", 64),
    ("matmul", 512),
    ("matmul", (64, 784, 128)),
    ("matvec", 1000),
    ("linear.grad", (128, 784, 512)),
    ("conv2d", (32, 64, 8, 64, 3, 1, 1)),
    ("conv2d.input", (32, 64, 8, 64, 3, 1, 1)),
    ("conv2d.weight", (32, 64, 8, 64, 3, 1, 1)),
    ("conv2d", (4, 64, 56, 256, 1, 1, 1)),
    ("conv2d.depthwise", (4, 64, 56, 64, 3, 1, 64)),
    ("max_pool2d.grad", (64, 6, 28)),
    ("avg_pool2d.grad", (64, 6, 28)),
    ("exp", 100_000),
    ("tanh", 100_000),
    ("erf", 100_000),
    ("sigmoid", 100_000),
    ("add", 100_000),
    ("relu.grad", 100_000),
    ("gelu.grad", 100_000),
    ("gelu.grad", 1_000),
    ("where.grad", 100_000),
    ("softmax", (512, 512)),
    ("cross_entropy.grad", (128, 10)),
    ("layer_norm.grad", (512, 512)),
    ("batch_norm.grad", (32, 64, 8, 8)),
    ("sum.rows", (1000, 1000)),
    ("sum.columns", (1000, 1000)),
    ("cumsum", (100, 1000)),
    ("cumprod.grad", (100, 1000)),
    ("cummax.grad", (100, 1000)),
    ("attention.grad", (8, 4, 64, 32)),
    ("lstm.grad", (32, 32, 128, 128)),
    ("gru.grad", (32, 32, 128, 128)),
    ("embedding.grad", (65, 64, 32, 128)),
    ("sgd.step", 1_000_000),
    ("adam.step", 1_000_000),
)

COLUMNS = ("NumPy, SciPy", "torch", "torch.compile", "jax", "others")
VERSIONS = ("numpy", "numba", "scipy", "torch", "jax")

INTRO = """# Performance

Everything on this page was written by `python -m benchmarks page`, in one run on one machine;
nothing is edited by hand. `python -m benchmarks` measures the same on yours, and
[measuring](measuring.md) says how, for your kernels as well.

Every kernel was compared with a float64 reference before it was timed, every rival, too, and every
training step by the losses of its first three steps, from the same weights. Contenders ran in turn
in one process. A ratio is **the rival's time divided by ours**, the median over rounds, with its
95 % bootstrap interval: above 1 ours is faster. Where ours is slower it is in bold; "noisy" is no
verdict. Compiled rivals were compiled before their time began. JAX's steps are one compiled
function that writes over its old weights; PyTorch's compiled steps are a compiled model under an
eager optimizer.
"""


def tasks(threads: Sequence[int]) -> list[Task]:
    """What is measured: steps first, which take longest and matter most."""
    enter_suite()
    found = []
    for name, size in (*STEPS, *KERNELS):
        subject = SUBJECTS[name]
        # Scalars are Python objects: threads have no part in them.
        counts = threads[:1] if name == "step.two-moons" else threads
        found += [Task(subject, size, subject.dtypes[0], count) for count in counts]
    return found


def column_of(rival: str) -> str:
    """In which column of a table a rival stands."""
    if rival in ("numpy", "scipy"):
        return COLUMNS[0]
    return rival if rival in COLUMNS else COLUMNS[-1]


def cell(name: str, r: Ratio) -> str:
    """A ratio for a table; a name where the column does not say it."""
    text = f"{times(r.median)} ({times(r.low)} to {times(r.high)})"
    if r.verdict == "slower":
        text = f"**{text}**"
    elif r.verdict == "noisy":
        text += " noisy"
    return text if name in COLUMNS or name == "numpy" else f"{name} {text}"


def row(result: Result, columns: Sequence[str]) -> list[str]:
    """The ratios of a result by column."""
    found: dict[str, list[str]] = {column: [] for column in columns}
    for name, r in result.ratios.items():
        found[column_of(name)].append(cell(name, r))
    return [", ".join(found[column]) or "-" for column in columns]


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """
    A table; the first columns to the left, numbers to the right.

    Examples
    --------
    >>> print(markdown_table(["a", "b"], [["x", "1"]]))
    | a | b |
    |---|---:|
    | x | 1 |
    """
    line = ["---" if i < left else "---:" for i in range(len(head))]
    lines = [f"|{'|'.join(line)}|"]
    lines += [f"| {' | '.join(r)} |" for r in rows]
    return "\n".join([f"| {' | '.join(head)} |", *lines])


def used(results: Sequence[Result]) -> list[str]:
    """Columns that have anything in them."""
    seen = {column_of(name) for r in results for name in r.ratios}
    return [column for column in COLUMNS if column in seen]


def about(results: Sequence[Result], seconds: float) -> Iterator[str]:
    """The machine, the versions, and how quiet it was."""
    yield "## Machine\n"
    rows = [
        ["CPU", cpu()],
        ["system", f"{platform.system()} {platform.machine()}"],
        ["cores of this process", str(available_cores())],
        ["vector unit", f"{target().unit}, {target().bits} bits"],
        ["Python", platform.python_version()],
    ]
    for name in VERSIONS:
        try:
            rows.append([name, importlib.metadata.version(name)])
        except importlib.metadata.PackageNotFoundError:
            rows.append([name, "not installed"])
    rows += [
        ["commit", history.commit() or "unknown"],
        ["measured", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())],
        ["took", f"{seconds / 60.0:.0f} minutes"],
        ["disturbed by other processes", f"{sum(r.disturbed for r in results)} of {len(results)}"],
    ]
    yield markdown_table(["", ""], rows, left=2)
    yield "\nWhat this machine can do, measured in the same run, float32:\n"
    found = [roofs.roof(n, "float32") for n in sorted({r.threads for r in results})]
    yield markdown_table(
        ["threads", "FMA", "our product", "NumPy's product", "triad"],
        [
            [
                str(one.threads),
                *(f"{rate * 1e-9:.3g} GFLOP/s" for rate in (one.fma, one.ours, one.numpy)),
                f"{one.triad * 1e-9:.3g} GB/s",
            ]
            for one in found
        ],
    )


def steps_part(results: Sequence[Result]) -> Iterator[str]:
    """Whole training steps."""
    chosen = [r for r in results if r.name.startswith("step.") and r.seconds is not None]
    if not chosen:
        return
    yield "\n## Whole training steps\n"
    yield "Forward, backward and update. float32; the scalar net is Python floats.\n"
    columns = used(chosen)
    rows = []
    for r in sorted(chosen, key=lambda r: STEPS.index((r.name, r.size))):
        assert r.seconds is not None
        title = f"{r.name.removeprefix('step.')}, {size_text(r.size)}"
        rows.append([title, str(r.threads), duration(r.seconds.median), *row(r, columns)])
    yield markdown_table(["step, batch", "threads", "ours", *columns], rows)
    if "others" in columns:
        yield "\nThe scalar net is beside an engine of one closure for each operation."


def kernels_part(results: Sequence[Result]) -> Iterator[str]:
    """Kernels, a table for each number of threads."""
    for threads in sorted({r.threads for r in results}):
        chosen = [
            r
            for r in results
            if r.threads == threads and not r.name.startswith("step.") and r.seconds is not None
        ]
        if not chosen:
            continue
        yield f"\n## Kernels, {threads} thread{'s' * (threads > 1)}\n"
        yield (
            "float32. `.grad` is forward and backward of tensors, results allocated. The part of\n"
            "the roof counts the operations of the definition.\n"
            + "`=` says that the bits are those of the fewest threads.\n"
            * (threads > 1)
        )
        columns = used(chosen)
        several = any(r.scaling is not None for r in chosen)
        rows = []
        for r in chosen:
            assert r.seconds is not None
            more = [number(r.scaling), bits(r)] if several else [r.code or "-"]
            rows.append(
                [
                    f"{r.name} {size_text(r.size)}",
                    duration(r.seconds.median),
                    percent(r.roof),
                    *more,
                    *row(r, columns),
                ]
            )
        more_heads = ["scaling", "bits"] if several else ["code"]
        yield markdown_table(["kernel", "ours", "roof", *more_heads, *columns], rows)


def verdicts(results: Sequence[Result]) -> Iterator[tuple[Result, str, Ratio]]:
    """Every comparison of a run."""
    for r in results:
        for name, found in r.ratios.items():
            yield r, name, found


def losses_part(results: Sequence[Result]) -> Iterator[str]:
    """What is slower than a rival, computed from the results."""
    pairs = list(verdicts(results))
    if not pairs:
        return
    yield "\n## What we lose\n"
    rows = []
    for name in sorted({name for _, name, _ in pairs}):
        mine = [r for _, n, r in pairs if n == name]
        count = {word: sum(r.verdict == word for r in mine) for word in ("faster", "slower")}
        mean = math.exp(sum(math.log(r.median) for r in mine) / len(mine))
        unclear = len(mine) - sum(count.values())
        figures = (len(mine), count["faster"], count["slower"], unclear)
        rows.append([name, *map(str, figures), times(mean)])
    head = ["rival", "compared", "ours faster", "ours slower", "same or noisy", "geometric mean"]
    yield markdown_table(head, rows)
    lost = sorted(
        ((r.median, result.key, name, r) for result, name, r in pairs if r.verdict == "slower"),
        key=lambda entry: entry[0],
    )
    if not lost:
        yield "\nNothing in this run is slower than a rival beyond the noise."
        return
    yield "\nSlower than a rival, the worst first:\n"
    rows = [
        [key, name, f"{times(r.median)} ({times(r.low)} to {times(r.high)})"]
        for _, key, name, r in lost
    ]
    yield markdown_table(["kernel or step", "rival", "its time / ours"], rows, left=2)


def start_part(results: Sequence[Result], units: Sequence[cold.Unit]) -> Iterator[str]:
    """Until the first result: what compiling costs."""
    compiled = [
        r
        for r in results
        if r.name.startswith("step.")
        and r.threads == 1
        and {"torch.compile", "jax"} & r.first.keys()
    ]
    if compiled or units:
        yield "\n## Before the first result\n"
    if compiled:
        yield (
            "Seconds until a training step was built, compiled where its library compiles, and had "
            "run three\ntimes. PyTorch keeps what it compiled on disk, as we do, so a later run of "
            "this page finds it there.\n"
        )
        names = [OURS, "torch", "torch.compile", "jax"]
        rows = [
            [
                f"{r.name.removeprefix('step.')}, {size_text(r.size)}",
                *(duration(r.first[n]) if n in r.first else "-" for n in names),
            ]
            for r in compiled
        ]
        yield markdown_table(["step, batch", *names], rows)
    if units:
        total = sum(unit.compile or 0.0 for unit in units)
        yield (
            "\nOurs compiles a unit of kernels at its first use on a machine, Numba's import\n"
            "included, and loads it later. Each was measured in processes of its own; all take\n"
            f"{total:.0f} s, and {duration(sum(u.load for u in units))}.\n"
        )
        rows = [
            [
                u.name,
                "-" if u.compile is None else duration(u.compile),
                duration(u.load),
                ", ".join(u.kernels[:4]) + ", ..." * (len(u.kernels) > 4),
            ]
            for u in units
        ]
        yield markdown_table(["unit", "compile", "load", "kernels"], rows)


def absent_part(results: Sequence[Result]) -> Iterator[str]:
    """Who is not in the tables, and why."""
    told = {
        (name, why if why in (NOT_INSTALLED, NO_TIME) else f"{r.key}: {why}")
        for r in results
        for name, why in r.refused.items()
    }
    wrong = [f"{r.key}: ours is wrong: {r.wrong}" for r in results if r.wrong]
    if told or wrong:
        yield "\n## Not measured\n"
        yield from (f"- {line}" for line in wrong)
        yield from (f"- {name}: {why}" for name, why in sorted(told))


def commands_part(command: str) -> str:
    """How to have this again."""
    return f"""
## Commands

```sh
pip install -e '.[dev]' torch jax scipy    # rivals; without them the page has fewer columns
{command}
python -m benchmarks run --threads 1 --threads 2    # all kernels and sizes, both types
python -m benchmarks report --html page.html        # rooflines, ratios and scaling as one page
```
"""


def text(
    results: Sequence[Result], units: Sequence[cold.Unit], seconds: float, command: str
) -> str:
    """The whole page."""
    parts: list[Callable[[], Any]] = [
        lambda: about(results, seconds),
        lambda: steps_part(results),
        lambda: losses_part(results),
        lambda: kernels_part(results),
        lambda: start_part(results, units),
        lambda: absent_part(results),
    ]
    lines = [line for part in parts for line in part()]
    return "\n".join([INTRO, *lines, commands_part(command)])
