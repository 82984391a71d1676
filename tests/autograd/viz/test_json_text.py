"""JSON: there and back, and what is said of text that is none."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from autograd.viz.formats.json_text import from_json, to_json
from autograd.viz.model import Diagram, Edge, Vertex
from tests.autograd.viz.drawings import DRAWINGS, kinds
from tests.autograd.viz.random_diagrams import check, diagrams

ALL = {**DRAWINGS, "kinds": kinds}


def same(a, b):
    """Equality that knows arrays and NaN."""
    if isinstance(a, np.ndarray | np.generic) or isinstance(b, np.ndarray | np.generic):
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, slice):
        return same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    if hasattr(a, "__slots__"):
        return all(same(getattr(a, name), getattr(b, name)) for name in a.__slots__)
    return a == b


def without_values(diagram):
    return replace(
        diagram,
        vertices=[replace(v, value=None, grad=None) for v in diagram.vertices],
        edges=[replace(e, contribution=None) for e in diagram.edges],
    )


@settings(deadline=None, max_examples=60)
@given(diagrams(most=12))
def test_there_and_back(diagram):
    text = to_json(diagram, values="full")
    json.loads(text, parse_constant=pytest.fail)
    back = from_json(text)
    check(back)
    assert same(back, diagram)
    assert to_json(back, values="full") == text
    for values in ("summary", "none"):
        again = from_json(to_json(diagram, values=values))
        assert same(without_values(again), without_values(diagram))


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_there_and_back(name):
    diagram = DRAWINGS[name]()
    assert same(from_json(to_json(diagram, values="full")), diagram)


def test_order_of_keys_and_version():
    data = json.loads(to_json(DRAWINGS["scalars"]()))
    texts = ["format", "version", "title", "about"]
    assert list(data) == [*texts, "outputs", "vertices", "edges", "clusters"]
    assert (data["format"], data["version"], data["outputs"]) == ("dagrad-diagram", 1, [4])
    assert list(data["vertices"][0])[:5] == ["index", "kind", "op", "name", "shape"]
    assert data["vertices"][4]["scalars"] == {"1": 2.0}
    assert data["vertices"][2]["source"]["line"] == 3


def test_what_is_written_of_arrays():
    x = Vertex(0, "leaf", shape=(2, 2), dtype="float32")
    x.value = np.array([[0.1, np.nan], [-np.inf, 3]], "f")
    written = {
        values: json.loads(to_json(Diagram([x]), values=values))["vertices"][0]["value"]
        for values in ("full", "summary", "none")
    }
    assert written["none"] is None
    data = written["full"]["data"]
    assert data == [[float(np.float32(0.1)), "nan"], ["-inf", 3.0]]
    assert written["summary"]["dtype"] == "float32"
    assert written["summary"]["shape"] == [2, 2]
    assert written["summary"]["summary"]["nans"] == 1
    assert written["summary"]["summary"]["infs"] == 1
    assert written["summary"]["summary"]["maximum"] == 3.0


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3)])
def test_dtypes_and_shapes(dtype, shape):
    value = (np.random.default_rng(0).normal(size=shape) ** 2 * 100).astype(dtype)
    diagram = Diagram([Vertex(0, "leaf", shape=shape, dtype=dtype, value=value)])
    (back,) = from_json(to_json(diagram, values="full")).vertices
    assert same(back.value, value)


def test_metadata():
    params = {
        "a": (1, [2.5, None], "inf", math.inf),
        "b": {"k": slice(None, 3), 4: ...},
        "c": np.arange(3, dtype=np.int8),
        "d": np.float32(0.1),
        "e": np.dtype("int64"),
        "f": object,
    }
    diagram = Diagram([Vertex(0, "output", "op", params=params)])
    (back,) = from_json(to_json(diagram)).vertices
    assert back.params.pop("f") == "<class 'object'>"
    params.pop("f")
    assert same(back.params, params)


def test_names_of_all_kinds_survive():
    back = from_json(to_json(kinds(), values="full"))
    assert [v.name for v in back.vertices] == [v.name for v in kinds().vertices]
    broken = Diagram([Vertex(0, "leaf", name="\ud800")])
    assert from_json(to_json(broken).encode().decode()).vertices[0].name == "\ud800"


@pytest.mark.parametrize("name", ALL)
def test_two_texts_are_identical(name):
    assert to_json(ALL[name]()) == to_json(ALL[name]())


# --- What is no diagram -----------------------------------------------------------------------


def broken(**changes):
    """The JSON of a small diagram with one thing changed: "vertices__0__kind" = "tree"."""
    vertices = [Vertex(0, "leaf", value=np.ones(2)), Vertex(1, "output", "sin")]
    data = json.loads(to_json(Diagram(vertices, [Edge(0, 1)], outputs=[1]), values="full"))
    for path, value in changes.items():
        *outer, last = [int(p) if p.isdigit() else p for p in path.split("__")]
        part = data
        for key in outer:
            part = part[key]
        if value is KeyError:
            del part[last]
        else:
            part[last] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", '"format": "dagrad-diagram"'),
        ('{"format": "png"}', '"format": "dagrad-diagram"'),
        (broken(version=2), "expected version 1, not 2"),
        (broken(version=True), "expected version 1"),
        (broken(title=3), "title: expected text, not 3"),
        (broken(vertices={}), "vertices: expected a list"),
        (broken(vertices__0=[]), "vertices: expected a list in which each is an object"),
        (broken(vertices__0__kind="tree"), r"vertices\[0\].kind: expected 'parameter' or"),
        (broken(vertices__0__kind=KeyError), r"vertices\[0\]: kind is missing"),
        (broken(vertices__0__kind=[]), r"vertices\[0\].kind: expected"),
        (broken(vertices__1__index=0), r"vertices\[1\].index: expected its place, 1, not 0"),
        (broken(vertices__0__cluster="m"), r"vertices\[0\].cluster: expected the path"),
        (broken(vertices__0__saved=1.5), r"vertices\[0\].saved: expected an int, not 1.5"),
        (broken(vertices__0__order=True), r"vertices\[0\].order: expected an int"),
        (broken(vertices__0__shape=["2"]), r"vertices\[0\].shape: expected a list in which"),
        (broken(vertices__0__grad="big"), r'vertices\[0\].grad: expected a number, "nan"'),
        (broken(vertices__0__value__data=[1]), r"value.data: expected lists nested as"),
        (broken(vertices__0__value__data=[1, "x"]), r"value.data: expected a number"),
        (broken(vertices__0__value__data=[1, None]), r"value.data"),
        (broken(vertices__0__value__dtype="object"), r"value.dtype: expected the name of"),
        (broken(vertices__0__value__shape=[-2]), r"value.shape: expected a list of sizes"),
        (broken(vertices__0__params={"p": {"tuple": 3}}), r"params.p.tuple: expected a list"),
        (broken(vertices__0__params={"p": {"magic": 3}}), r"params.p: expected metadata"),
        (broken(vertices__0__scalars={"x": 3}), r"scalars: expected positions as keys"),
        (
            broken(vertices__0__mark={"level": "odd", "heat": 0}),
            r"vertices\[0\].mark.level: expected 'path'",
        ),
        (broken(vertices__0__source=3), r"vertices\[0\].source: expected an object"),
        (broken(edges__0__tail=1), r"edges\[0\].tail: expected two vertices of which"),
        (broken(edges__0__head=2), r"edges\[0\].tail"),
        (broken(outputs=[2]), r"outputs: expected indices of vertices"),
        (broken(clusters=[{"path": "a"}]), r"clusters\[0\]: name is missing"),
    ],
)
def test_malformed_text_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        from_json(text)


def test_other_types_are_refused():
    with pytest.raises(ValueError, match="expected text, not bytes"):
        from_json(b"{}")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='values must be "summary", "full" or "none"'):
        to_json(Diagram(), values="all")  # type: ignore[arg-type]
    odd = Diagram([Vertex(0, "leaf", value=np.array(["a", "b"]))])
    with pytest.raises(ValueError, match="dtype <U1 has no form in JSON"):
        to_json(odd)


def test_clusters_must_be_listed_parents_first():
    diagram = DRAWINGS["mlp"]()
    data = json.loads(to_json(diagram))
    data["clusters"].reverse()
    with pytest.raises(ValueError, match=r"clusters\[0\].parent: expected the path"):
        from_json(json.dumps(data))
    data["clusters"] = [data["clusters"][-1]] * 2
    with pytest.raises(ValueError, match=re.escape("clusters[1].path: expected a path of its own")):
        from_json(json.dumps(data))


def test_fields_of_a_later_release_are_left_alone():
    data = json.loads(to_json(DRAWINGS["scalars"]()))
    data["vertices"][0]["colour"] = "red"
    assert from_json(json.dumps(data)).vertices[0].name == "a"
