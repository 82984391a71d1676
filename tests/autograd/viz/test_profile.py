"""profile: times go to whom they belong, bytes are exact, and nothing is kept or slowed."""

from __future__ import annotations

import gc
import json
import re
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Scalar, Tensor
from autograd.graph import OPS
from autograd.viz.profile.checkpoints import _cuts
from autograd.viz.profile.profile import Profile, profile
from autograd.viz.record import record
from autograd.watch import WATCHERS, Watcher
from nn import functional as F

KILO = 1000 * 8  # bytes of the vectors below


@pytest.fixture(autouse=True)
def own_ops() -> Iterator[None]:
    """Take ops that a test defines out of the table again."""
    before = dict(OPS)
    yield
    for name in OPS.keys() - before.keys():
        del OPS[name]


def vector(size: int = 1000, *, grad: bool = True) -> Tensor:
    return autograd.tensor(np.linspace(0.1, 1.0, size), requires_grad=grad)


def ops(p: Profile) -> list[str]:
    return [e.op for e in p.entries]


def slow_op(forward: float, backward: float) -> Any:
    """An op that takes its time (seconds)."""

    def rule(g, y, x):
        time.sleep(backward)
        return g

    @autograd.elementwise(rule)
    def own_slow(x):
        time.sleep(forward)
        return x * 1.0

    return own_slow


# --- Time ---------------------------------------------------------------------------------------


def test_forward_and_backward_go_to_their_op():
    slow = slow_op(0.02, 0.04)
    x = vector()
    runs, longest = [profile() for _ in range(3)], []
    for p in runs:  # whatever else the machine has to do
        with p:
            loss = slow(x.sin()).exp().sum()
            loss.backward()
        assert ops(p) == ["sin", "own_slow", "exp", "sum"]
        entry = p.entries[1]
        assert entry.forward / 1e9 >= 0.02
        assert entry.backward / 1e9 >= 0.04
        longest.append(max(e.total for e in p.entries if e is not entry))
    assert min(longest) / 1e9 < 0.01
    p = runs[0]
    assert p.forward + p.backward <= p.seconds - p.overhead
    assert "own_slow" in [row.name for row in p.table().rows]
    assert sum(row.share for row in p.table().rows) == pytest.approx(1.0)


def test_the_work_of_other_watchers_is_left_out():
    class Slow(Watcher):
        def see(self, op: Any, inputs: Any, values: Any, params: Any) -> None:
            time.sleep(0.02)

        def made(self, op: Any, inputs: Any, params: Any, result: Any) -> None:
            time.sleep(0.02)

        def start(self, seeds: Any) -> None:
            time.sleep(0.02)

        def during(self, node: Any, gradient: Any) -> None:
            time.sleep(0.02)

        def flow(self, node: Any, slot: int, piece: Any) -> None:
            time.sleep(0.02)

        def arrive(self, node: Any, gradient: Any) -> None:
            time.sleep(0.02)

    x = vector()
    for outside in (True, False):
        watcher = Slow()
        p = profile()
        if outside:
            WATCHERS.append(watcher)
            with p:
                x.sin().sum().backward()
        else:
            with p:
                WATCHERS.insert(1, watcher)
                x.sin().sum().backward()
        WATCHERS.remove(watcher)
        assert p.forward + p.backward < 0.1
        assert p.overhead > 0.2


def test_with_a_recording_around_or_inside():
    x = vector()
    with record(), profile() as p:
        x.sin().sum().backward()
    assert ops(p) == ["sin", "sum"]
    with profile() as p, record():
        x.sin().sum().backward()
    assert ops(p) == ["sin", "sum"]
    assert not WATCHERS


def test_a_call_inside_of_a_call_counts_once():
    x = vector()
    slow = slow_op(0.04, 0.0)

    @autograd.structured(
        lambda g, y, x: g, infer=lambda x: autograd.Spec(x.shape, x.dtype), saves=""
    )
    def own_outer(x, /):
        time.sleep(0.01)
        return slow(Tensor(x)).value

    times = []
    for _ in range(3):
        with profile() as p:
            own_outer(x)
        inner, outer = p.entries
        assert (inner.op, outer.op) == ("own_slow", "own_outer")
        assert inner.forward / 1e9 >= 0.04
        times.append(outer.forward / 1e9)
    assert 0.01 <= min(times) < 0.04


def test_several_steps_and_a_forward_alone():
    x = vector()
    with profile() as p:
        for _ in range(3):
            (x * x).sum().backward()
    assert [(r.name, r.calls) for r in p.table(sort="name").rows] == [("mul", 3), ("sum", 3)]
    assert len(p.passes) == 3
    with profile() as p, autograd.no_grad():
        (x * x).sum()
    assert p.backward == 0.0
    assert not any(e.recorded for e in p.entries)
    assert p.checkpoints().rows == []


def test_backward_of_what_was_made_before():
    x = vector()
    with record():
        loss = (x * 2.0).sum()
    with profile() as p:
        loss.backward()
    assert ops(p) == ["sum", "mul"]
    assert all(e.backward > 0 and e.forward == 0 for e in p.entries)
    source = p.entries[1].source
    assert source is not None
    assert source.text == "loss = (x * 2.0).sum()"


def test_gradients_of_gradients():
    x = vector()
    with profile() as p:
        (g,) = autograd.grad((x.sin() * x).sum(), x, create_graph=True)
        g.sum().backward()
    first = [e for e in p.entries if not e.in_backward]
    inside = [e for e in p.entries if e.in_backward]
    assert [e.op for e in first] == ["sin", "mul", "sum", "sum"]
    assert inside
    assert all(e.forward == 0 for e in inside), "their time is that of the rule that called them"
    assert any(e.backward > 0 for e in inside)
    assert len(p.passes) == 2
    assert p.forward + p.backward <= p.seconds - p.overhead


def test_errors_leave_no_trace():
    x = vector()
    p = profile()
    with pytest.raises(ValueError, match="broadcast"), p:  # noqa: PT012 - the block is what is left
        x.sin()
        _ = x + autograd.ones(3)
    assert ops(p) == ["sin"]
    assert not WATCHERS

    def failing(g, y, x):
        raise ZeroDivisionError

    @autograd.elementwise(failing)
    def own_failing(x):
        return x * 1.0

    with profile() as p:
        with pytest.raises(ZeroDivisionError):
            own_failing(x).sum().backward()
        with pytest.raises(ValueError, match="broadcast"):
            _ = x + autograd.ones(3)
        y = x.cos()
        y.sum().backward()
    assert ops(p)[-2:] == ["cos", "sum"]
    assert not any(e.in_backward for e in p.entries)
    assert p.entries[-2].forward > 0
    assert p.entries[-2].backward > 0


def test_nesting():
    x = vector()
    with profile() as outer:
        x.sin()
        with profile() as inner:
            x.cos().sum().backward()
        x.exp()
    assert ops(inner) == ["cos", "sum"]
    assert ops(outer) == ["sin", "cos", "sum", "exp"]
    assert inner.backward > 0.0
    assert outer.backward > 0.0
    assert not WATCHERS
    with pytest.raises(RuntimeError, match="runs once"), outer:
        pass
    assert not WATCHERS


def test_other_threads_are_left_out():
    x = vector()
    go, done = threading.Event(), threading.Event()

    def other():
        y = vector()
        while not done.is_set():
            (y * y).sum().backward()
            go.set()

    thread = threading.Thread(target=other)
    with profile() as p:
        thread.start()
        assert go.wait(5.0)
        for _ in range(50):
            (x.sin() * 2.0).sum().backward()
        done.set()
        thread.join()
    assert ops(p) == ["sin", "mul", "sum"] * 50
    assert p.elsewhere > 0
    assert all(e.forward > 0 and e.backward > 0 for e in p.entries)
    assert "other threads are not in it" in str(p)


def test_it_costs_nothing_when_off():
    """Without a watcher the ops take their short ways, which make no call to `apply`."""
    x = vector()
    calls = {n: OPS[n].function for n in ("sin", "mul", "sum")}
    with profile():
        x.sin()
    assert WATCHERS == []
    assert calls == {n: OPS[n].function for n in ("sin", "mul", "sum")}
    seen = []

    def spy(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            seen.append((frame.f_code.co_name, frame.f_code.co_filename))

    sys.setprofile(spy)
    try:
        (x.sin() * x).sum()
    finally:
        sys.setprofile(None)
    assert not [name for name, file in seen if name == "apply" or "viz" in file]


# --- Memory -------------------------------------------------------------------------------------


def chain(x: Tensor) -> Any:
    """Sin saves its input, exp its output; each of the four results has `KILO` bytes."""
    return x.sin().sin().sin().exp().sum()


def test_bytes_of_a_chain_are_exact():
    x = vector()
    with profile() as p:
        loss = chain(x)
        loss.backward()
    # Of the sines the first saves x, a leaf's; the third result is needed by exp only for a
    # moment, and exp saves its own.
    assert [e.output for e in p.entries] == [KILO] * 4 + [8]
    assert [[p._buffers.all[n].size for n in e.saved] for e in p.entries] == [
        [], [KILO], [KILO], [KILO], [],
    ]  # fmt: skip
    assert p.memory.peak == 4 * KILO
    assert p.memory.bytes[0] == 0
    assert p.memory.bytes[-1] == 0
    assert p.memory.times[-1] <= p.seconds
    assert np.all(np.diff(p.memory.times) > 0.0)
    assert p.memory.gradients.max() >= KILO
    assert p.memory.peak_with_gradients >= p.memory.peak
    saved = {r.name: r.saved for r in p.table().rows}
    assert saved == {"sin": 2 * KILO, "exp": KILO, "sum": 0}


def test_views_share_their_memory():
    x = vector()
    with profile() as p:
        y = x * 2.0
        z = y.reshape((10, 100)).permute((1, 0))
        w = z[3:5]
        u = x.reshape((100, 10))
    assert p.memory.peak == KILO
    assert [e.output for e in p.entries] == [KILO, 0, 0, 0, 0]
    with profile() as p:
        (x * 2.0).reshape((10, 100))[:2]
        after = x * 1.0
    assert p.memory.bytes[-1] == KILO
    assert (w.shape, u.shape, after.shape) == ((2, 10), (100, 10), (1000,))


def test_what_a_rule_keeps_aside_counts():
    autograd.manual_seed(0)
    x = autograd.tensor(np.ones((4, 5), np.float32), requires_grad=True)
    with profile() as p:
        loss = F.cross_entropy(x, autograd.tensor(np.array([0, 1, 2, 3])))
    (entry,) = p.entries
    assert sum(p._buffers.all[n].size for n in entry.saved) > 0
    assert loss.shape == ()


def test_the_graph_is_freed_as_ever():
    x = vector()
    with profile() as p:
        h = x.sin()
        loss = (h * h).sum()
        gone = weakref.ref(loss.node), weakref.ref(h.node), weakref.ref(h.value)
        del h
        loss.backward()
        del loss
        assert [r() for r in gone] == [None] * 3, "kept alive inside the block"
        y = x.exp()
    left = weakref.ref(y.node), weakref.ref(y.value)
    del y
    gc.collect()
    assert [r() for r in left] == [None] * 2, "kept alive after the block"
    assert p.memory.bytes[-1] == KILO, "the timeline ends with the block"


def test_modules_keep_no_values_alive_during_ops():
    alive: list[bool] = []

    class Net(nn.Module):
        def forward(self, x: Any) -> Any:
            h = x * 2.0
            h = h.sin() + 1.0
            gone = weakref.ref(h.value)
            h = h + 1.0
            y = h + 1.0
            alive.append(gone() is not None)
            return y

    with profile() as p, autograd.no_grad():
        Net()(vector(grad=False))
    assert alive == [False]
    # The sum is made while its operand is there, and the old h, which the name still holds.
    assert p.memory.peak == 3 * KILO


def test_scalars_and_empty_arrays():
    x = Scalar(2.0, requires_grad=True)
    with profile() as p:
        (x * x + 1.0).backward()
        autograd.tensor(np.ones((0, 3)), requires_grad=True).sin().sum().backward()
    assert ops(p) == ["mul", "add", "sin", "sum"]
    assert p.memory.peak == 0
    with profile() as p:
        pass
    assert p.memory.peak == 0
    assert str(p).startswith("profile of 0 op calls")
    assert p.checkpoints().rows == []
    assert p.table().rows == []


def test_memory_is_known_after_the_block():
    p = profile()
    with pytest.raises(RuntimeError, match="not over yet"):
        _ = p.memory


# --- Tables -------------------------------------------------------------------------------------


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 4)
        self.second = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        x = self.first(x).relu()
        x = self.second(x)
        return self.second(x).relu()


def small() -> tuple[Profile, Any]:
    autograd.manual_seed(0)
    model = Small()
    x = autograd.tensor(np.ones((16, 8), np.float32))
    with profile() as p:
        loss = model(x).sum()
        loss.backward(retain_graph=True)
    return p, loss


def test_tables():
    p, _ = small()
    rows = {r.name: r for r in p.table().rows}
    assert {n: r.calls for n, r in rows.items()} == {"linear": 3, "relu": 2, "sum": 1}
    assert rows["linear"].speed == pytest.approx(
        (2 * 16 * 4 * 8 + 16 * 4 + 2 * (2 * 16 * 4 * 4 + 16 * 4)) / rows["linear"].forward / 1e9
    )
    assert rows["relu"].speed is None
    assert rows["relu"].output == 2 * 16 * 4 * 4

    modules = {r.name: r.calls for r in p.table("module").rows}
    assert modules == {
        "model (Small)": 5,
        "model.first (Linear)": 1,
        "model.second (Linear)": 2,
        "(outside of modules)": 1,
    }
    paths = [e.module.path if e.module else "" for e in p.entries]
    assert paths == ["model.first", "model", "model.second", "model.second#2", "model", ""]

    lines = [r.name for r in p.table("line", sort="calls").rows]
    assert any("test_profile.py:" in n and n.endswith("x = self.first(x).relu()") for n in lines)
    assert any(n.endswith("loss = model(x).sum()") for n in lines)

    nodes = p.table("node", sort="name")
    assert nodes.rows[0].name == "#0 linear 16×4"
    short = p.table("node", limit=2)
    assert len(short.rows) == 2
    assert str(short).endswith("... and 4 more")
    for sort in ("total", "forward", "backward", "output", "saved"):
        values = [getattr(r, sort) for r in p.table("node", sort=sort).rows]
        assert values == sorted(values, reverse=True)


def test_flops():
    x = autograd.tensor(np.ones((2, 3, 8, 8), np.float32))
    w = autograd.tensor(np.ones((4, 3, 3, 3), np.float32), requires_grad=True)
    a = autograd.tensor(np.ones((5, 2, 3), np.float32), requires_grad=True)
    with profile() as p:
        F.conv2d(x, w)
        _ = a @ autograd.tensor(np.ones((3, 7), np.float32))
        a.sin()
    assert [e.flops for e in p.entries] == [2 * 2 * 4 * 6 * 6 * 27, 2 * 5 * 2 * 7 * 3, 0]


def test_bad_options():
    p, loss = small()
    with pytest.raises(ValueError, match="by must be one of op, line, module, node"):
        p.table("colour")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="sort must be one of total"):
        p.table(sort="colour")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="no node of this graph ran"):
        p.graph(vector().sin())
    with pytest.raises(TypeError, match="not a function"):
        p.graph(lambda: loss)
    with pytest.raises(ValueError, match=r"a trace is a \.json file"):
        p.save("trace.txt")
    with pytest.raises(TypeError, match="a path or matplotlib axes"):
        p.plot_memory(3)


def test_report():
    p, _ = small()
    text = str(p)
    assert text.startswith("profile of 6 op calls: ")
    assert "memory held by the graph: at most 1" in text
    assert "profiling added" in text
    assert "x = self.first(x).relu()" in text
    assert p.overhead > 0.0
    assert repr(p).startswith("<Profile: 6 op calls")


def test_heat():
    slow = slow_op(0.1, 0.1)
    x = vector()
    x.sin().sum().backward()
    with profile() as p:
        loss = slow(x.sin()).sum()
        loss.backward(retain_graph=True)
    drawing = p.graph(loss)
    marks = {v.op: v.mark for v in drawing.diagram.vertices}
    hot = marks["own_slow"]
    assert hot is not None
    assert hot.level == "heat"
    assert hot.heat == 1.0
    assert re.fullmatch(r"\d+ ms, \d+\.\d %", hot.text)
    assert marks[""] is None, "leaves take no time"
    (source,) = [v.source for v in drawing.diagram.vertices if v.op == "own_slow"]
    assert source is not None
    assert source.text == "loss = slow(x.sin()).sum()"
    assert x.grad is not None


# --- Checkpoints --------------------------------------------------------------------------------


def test_checkpoints_of_a_chain_are_exact():
    x = vector()
    with profile() as p:
        loss = chain(x)
        loss.backward()
    # At the peak, when exp has its result, four vectors are held: s1 and s2 (saved), s3 (the
    # operand of exp) and exp's own.
    found = {(c.first, c.last): c for c in p.checkpoints(every=True, limit=None).rows}
    # Around the first two sines: the second saved s1, which can go. Nothing but x, a leaf's, is
    # kept for it. (s2 is saved by the third, outside.)
    assert found[0, 1].saved == KILO
    assert found[0, 1].seconds == pytest.approx((p.entries[0].forward + p.entries[1].forward) / 1e9)
    # Around all three: s1 and s2 go, and s3 stays until exp has run.
    assert found[0, 2].saved == 2 * KILO
    assert found[0, 2].peak == 2 * KILO + KILO  # in backward: s1 and s2 again, and exp's result
    # Around the second and third: s1 is their input, and stays.
    assert found[1, 2].saved == KILO
    # Around the third alone nothing goes but what it has to keep.
    assert (2, 2) not in found
    # At the peak exp is not over: nothing of a stretch with exp in it is gone.
    assert not any(last >= 3 for _, last in found)


def test_a_checkpoint_has_to_keep_its_input():
    x = vector()
    with profile() as p:
        # Neither addition saves anything; exp's result is saved by itself, s by nobody else.
        loss = ((x + 1.0).exp().exp() + 1.0).sin().sum()
        loss.backward()
    found = {(c.first, c.last): c for c in p.checkpoints(every=True, limit=None).rows}
    # Around both exps: x + 1 would have to be held, which was not; both results go.
    assert found[1, 2].saved == 2 * KILO - KILO


def test_checkpoints_of_modules_and_branches():
    autograd.manual_seed(0)
    blocks = (nn.Sequential(nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 32)) for _ in range(6))
    model = nn.Sequential(*blocks)
    x = autograd.tensor(np.ones((64, 32), np.float32))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with profile() as p:
        for _ in range(2):
            optimizer.zero_grad()
            loss = model(x).sum()
            loss.backward()
            optimizer.step()
    found = p.checkpoints(of="modules", every=True)
    assert found.peak == p.memory.peak
    # Both steps have the same peak: the first counts. In each block the tanh goes, which it and
    # the layer after it had saved; the last block is not over at the peak.
    saved = {c.name: c.saved for c in found.rows}
    assert saved == {f"model.{i}": 64 * 32 * 4 for i in range(5)}
    with pytest.raises(ValueError, match="of must be both, modules or stretches"):
        p.checkpoints(of="ops")  # pyright: ignore[reportArgumentType]
    best = p.checkpoints()
    assert 0 < len(best.rows) <= 20
    assert all(c.peak < best.peak for c in best.rows)
    saved = [c.saved for c in best.rows]
    assert saved == sorted(saved, reverse=True)
    seconds = [c.seconds for c in best.rows]
    assert seconds == sorted(seconds, reverse=True), "one that saves less must cost less"
    text = str(best)
    assert text.startswith("peak ")
    assert "saves" in text.splitlines()[1]


def test_cuts_are_where_one_value_passes():
    x = vector()
    with profile() as p:
        h = x.sin()  # 0
        a, b = h.cos(), h.exp()  # 1, 2: h and a pass before 2, a and b before 3
        y = (a * b).sin()  # 3, 4
        y = y + y.tanh()  # 5, 6
        y.sum()  # 7
    assert _cuts(p.entries) == [0, 1, 4, 5, 7, 8]


def test_long_chains():
    x = vector(1)
    with profile() as p:
        h = x
        for _ in range(2000):
            h = h * 0.999
        h.sum().backward()
    assert len(p.entries) == 2001
    p.checkpoints()
    assert str(p)


# --- Traces and pictures ------------------------------------------------------------------------


def test_trace(tmp_path):
    p, _ = small()
    path = p.save(tmp_path / "trace.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    events = document["traceEvents"]
    assert {e["ph"] for e in events} == {"M", "X", "C"}
    complete = [e for e in events if e["ph"] == "X"]
    for event in complete:
        assert {"name", "cat", "ph", "pid", "tid", "ts", "dur", "args"} == set(event)
        assert event["ts"] >= 0.0
        assert event["dur"] >= 0.0
    open_ends: list[float] = []
    for event in complete:  # in this order viewers nest them
        while open_ends and open_ends[-1] <= event["ts"] + 1e-6:
            open_ends.pop()
        end = event["ts"] + event["dur"]
        assert not open_ends or end <= open_ends[-1] + 1e-6, "events overlap without nesting"
        open_ends.append(end)
    names = [e["name"] for e in complete]
    assert names.count("linear") == 3
    assert names.count("linear backward") == 3
    assert {"model", "model.second", "model.second#2", "backward"} <= set(names)
    (first,) = [e for e in complete if e["name"] == "sum"]
    assert first["args"]["line"].endswith("loss = model(x).sum()")
    counters = [e for e in events if e["ph"] == "C"]
    assert max(e["args"]["results and saved"] for e in counters) == p.memory.peak
    assert [e["ts"] for e in counters] == sorted(e["ts"] for e in counters)


def test_plot(tmp_path, monkeypatch):
    figure = pytest.importorskip("matplotlib.figure")
    p, _ = small()
    p.plot_memory(tmp_path / "memory.png")
    assert (tmp_path / "memory.png").read_bytes().startswith(b"\x89PNG")
    axes = figure.Figure().add_subplot()
    assert p.plot_memory(axes) is axes
    assert axes.get_ylabel() == "memory (KiB)"
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(RuntimeError, match="needs matplotlib"):
        p.plot_memory(tmp_path / "other.png")
