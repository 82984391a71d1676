"""The structure of the repository: who may import whom, what is packaged, what stays short.

The rules are checked on the syntax trees, without importing anything, so that a broken module is
still judged. The second half plants violations in a temporary tree and sees each one found.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("autograd", "nn", "optim")

# What each package may import of the three. Read top to bottom, as the list below.
MAY_IMPORT = {
    "autograd": {"autograd"},
    "optim": {"autograd", "optim"},
    "nn": {"autograd", "optim", "nn"},
}

# The layers of autograd, lowest first: a module imports from its own layer and from those named
# before it. autograd/__init__.py re-exports them all and is imported by none of them.
LAYERS = (
    "kernels",
    "modes",
    "dtypes",
    "dtype_names",
    "device",
    "cuda",
    "changes",
    "graph",
    "watch",
    "frames",
    "engine",
    "differentiate",
    "families",
    "random",  # below ops: dropout draws from it
    "ops",
    "printing",
    "protocols",
    "front",
    "inplace",
    "tensor",
    "creation",
    "sampling",
    "scalar",
    "array_api",
    "transforms",
    "func",
    "functional",
    "gradcheck",
    "trace",
    "compile",
    "viz",
    "__main__",
)

# An import inside a function that points up the list, as (importing module, imported module) with
# the reason why it cannot point down. Module-level imports are never excused.
EXCUSED: dict[tuple[str, str], str] = {
    ("autograd.tensor", "autograd.array_api"): (
        "the standard has an array name the namespace of its functions, which make arrays"
    ),
}

# Ops call each other in their rules (the gradient of sum is expand, that of expand is sum), so
# modules of this package may import each other in a circle. No other modules may.
MUTUAL = "autograd.ops"

# Distribution name -> import name, where they differ, and what comes along with a distribution.
IMPORT_NAMES = {"scikit-learn": "sklearn", "resvg-py": "resvg_py", "pillow": "PIL"}
COMES_WITH = {"numba": {"llvmlite"}}
# A package that is nothing without its extra may import it when loaded: nobody else loads it.
DOORWAYS = {"nn.sklearn": "sklearn"}
KERNELS_MAY_USE = {"numpy", "numba", "llvmlite"}

# Files whose length is part of the design.
MAX_LINES = {"autograd/engine.py": 400}


@dataclass(frozen=True)
class Import:
    """One imported module; `scope` is "module", "function" or "typing" (under TYPE_CHECKING)."""

    source: str
    target: str
    line: int
    scope: str


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules_of(root: Path) -> dict[str, Path]:
    files = (file for package in PACKAGES for file in sorted((root / package).rglob("*.py")))
    return {module_name(file, root): file for file in files}


def is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def walk_scoped(node: ast.AST, scope: str = "module") -> Iterator[tuple[ast.AST, str]]:
    for child in ast.iter_child_nodes(node):
        yield child, scope
        if isinstance(child, ast.If) and is_type_checking(child.test):
            for statement in child.body:
                yield statement, "typing"
                yield from walk_scoped(statement, "typing")
            for statement in child.orelse:
                yield statement, scope
                yield from walk_scoped(statement, scope)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from walk_scoped(child, "function" if scope == "module" else scope)
        else:
            yield from walk_scoped(child, scope)


def imports_of(source: str, path: Path, known: set[str]) -> Iterator[Import]:
    """Every import of a file with its target as an absolute module name.

    `from . import conv` names the module `conv` where there is one and the package otherwise.
    """
    package = source if path.name == "__init__.py" else source.rpartition(".")[0]
    for node, scope in walk_scoped(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(source, alias.name, node.lineno, scope)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            above = parents[: len(parents) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            targets = {
                f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base
                for alias in node.names
            }
            for target in sorted(targets):
                yield Import(source, target, node.lineno, scope)


def layer_of(module: str) -> int | None:
    """Position in LAYERS; the package itself stands above them all; None for an unlisted module."""
    if module == "autograd":
        return len(LAYERS)
    name = module.split(".")[1]
    return LAYERS.index(name) if name in LAYERS else None


def check_direction(root: Path, excused: dict[tuple[str, str], str]) -> list[str]:
    """Imports between the three packages, and between the layers of autograd, that point up."""
    modules, problems, used = modules_of(root), [], set()
    for source, path in modules.items():
        package = source.split(".")[0]
        if package == "autograd" and layer_of(source) is None:
            problems.append(f"{source}: not in the layout; place it in LAYERS (tests)")
            continue
        for found in imports_of(source, path, set(modules)):
            top = found.target.split(".")[0]
            if top not in PACKAGES:
                continue
            in_kernels = source.startswith("autograd.kernels")
            if found.scope == "typing" and not in_kernels:
                continue  # annotations only: nothing is imported when the program runs
            if top not in MAY_IMPORT[package]:
                reason = f"{package} may import {sorted(MAY_IMPORT[package])} only"
            elif package == "autograd":
                ours, theirs = layer_of(source), layer_of(found.target)
                # What is unlisted is reported once, at the module itself; autograd/__init__.py
                # may import every layer, and nothing below may import it.
                if ours is None or theirs is None or theirs < ours:
                    continue
                if theirs == ours and found.target != "autograd":
                    continue
                reason = "imports point down the layout, never up"
            else:
                continue
            if found.scope == "function" and (source, found.target) in excused:
                used.add((source, found.target))
                continue
            problems.append(f"{source}:{found.line}: imports {found.target}; {reason}")
    problems += [f"EXCUSED holds {pair}, which no longer exists" for pair in set(excused) - used]
    return problems


def check_cycles(root: Path) -> list[str]:
    """Modules that import each other in a circle when they are loaded."""
    modules = modules_of(root)
    edges = {
        source: sorted(
            {
                found.target
                for found in imports_of(source, path, set(modules))
                if found.scope == "module" and found.target in modules and found.target != source
            }
        )
        for source, path in modules.items()
    }
    problems: list[str] = []
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> None:
        if module in trail:
            circle = trail[trail.index(module) :]
            if not all(name.startswith(MUTUAL) for name in circle):
                problems.append("import cycle: " + " -> ".join([*circle, module]))
        elif module not in done:
            for target in edges[module]:
                visit(target, [*trail, module])
            done.add(module)

    for module in edges:
        visit(module, [])
    return problems


def declared(project: dict) -> tuple[set[str], set[str]]:
    """Import names of the required and of the optional dependencies in pyproject.toml."""

    def names(requirements: list[str]) -> set[str]:
        bare = {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in requirements}
        found = {IMPORT_NAMES.get(name, name) for name in bare}
        return found.union(*(COMES_WITH.get(name, set()) for name in bare))

    extras = project["project"]["optional-dependencies"]
    optional = [entry for extra, entries in extras.items() if extra != "dev" for entry in entries]
    return names(project["project"]["dependencies"]), names(optional)


def check_third_party(root: Path, required: set[str], optional: set[str]) -> list[str]:
    """Imports of what is not declared, and imports of an extra that run on every start."""
    modules, problems = modules_of(root), []
    for source, path in modules.items():
        for found in imports_of(source, path, set(modules)):
            top = found.target.split(".")[0]
            where = f"{source}:{found.line}: imports {top}; "
            door = next((d for d in DOORWAYS if f"{found.target}.".startswith(f"{d}.")), "-")
            if not f"{source}.".startswith(f"{door}.") and found.scope == "module" and door != "-":
                problems.append(f"{where}{door} needs an extra, and is loaded by its users only")
            if top in PACKAGES or top in sys.stdlib_module_names or top == "__future__":
                continue
            if source.startswith("autograd.kernels") and top not in KERNELS_MAY_USE:
                problems.append(f"{where}kernels use NumPy and Numba only")
            elif top in optional:
                if found.scope == "module" and DOORWAYS.get(".".join(source.split(".")[:2])) != top:
                    problems.append(f"{where}an extra is imported where it is used, in a function")
            elif top not in required:
                problems.append(f"{where}pyproject.toml does not declare it")
    return problems


def is_class_name(node: ast.expr) -> bool:
    """An expression that denotes a class by its form: `Tensor`, `cls`, `x.Variable`, `type(x)`.

    An all-capitals name is a constant (or a type variable), not a class.
    """
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "type"
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name == "cls" or bool(re.match(r"_?[A-Z]\w*[a-z]", name))


def check_explicit(root: Path) -> list[str]:
    """Names that a reader, pyright and the docs cannot see: star imports, globals(), setattr."""
    problems = []
    for source, path in modules_of(root).items():
        for node, scope in walk_scoped(ast.parse(path.read_text(encoding="utf-8"))):
            what = ""
            if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
                what = "star import"
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called, given = node.func.id, node.args
                if called == "globals" or (called == "vars" and not given):
                    what = f"{called}()"
                elif called in ("setattr", "delattr") and (
                    scope == "module" or (given and is_class_name(given[0]))
                ):
                    what = f"{called} on a class or module"
            elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if scope == "module" and any(
                    isinstance(target, ast.Attribute) and is_class_name(target.value)
                    for target in targets
                ):
                    what = "attribute assigned to a class from outside"
            elif isinstance(node, ast.Subscript) and ast.unparse(node) == "sys.modules[__name__]":
                what = "sys.modules[__name__]"
            if what:
                problems.append(f"{source}:{getattr(node, 'lineno', 0)}: {what}")
    return problems


def check_packages(root: Path, listed: list[str]) -> list[str]:
    """Differences between the packages on disk and those that pyproject.toml installs."""
    problems = []
    on_disk = {
        ".".join(file.parent.relative_to(root).parts)
        for package in PACKAGES
        for file in (root / package).rglob("*.py")
    }
    problems += [f"{name}: on disk, not in pyproject.toml" for name in sorted(on_disk - {*listed})]
    problems += [f"{name}: in pyproject.toml, not on disk" for name in sorted({*listed} - on_disk)]
    for name in sorted(on_disk):
        if not (root / name.replace(".", "/") / "__init__.py").is_file():
            problems.append(f"{name}: has no __init__.py")
        if name.split(".")[0] not in PACKAGES:
            problems.append(f"{name}: must not be installed")
    for package in PACKAGES:
        if not (root / package / "py.typed").is_file():
            problems.append(f"{package}: has no py.typed")
    return problems


def check_lengths(root: Path) -> list[str]:
    problems = []
    for name, limit in MAX_LINES.items():
        lines = len((root / name).read_text(encoding="utf-8").splitlines())
        if lines >= limit:
            problems.append(f"{name}: {lines} lines; it must stay under {limit}")
    return problems


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_imports_point_down():
    assert check_direction(ROOT, EXCUSED) == []


def test_no_import_cycles():
    assert check_cycles(ROOT) == []


def test_every_dependency_is_declared(project):
    assert check_third_party(ROOT, *declared(project)) == []


def test_names_are_explicit():
    assert check_explicit(ROOT) == []


def test_packages_match_pyproject(project):
    assert check_packages(ROOT, project["tool"]["setuptools"]["packages"]) == []


def test_key_files_stay_short():
    assert check_lengths(ROOT) == []


@pytest.mark.parametrize("command", ["make train", "make test"])
def test_readme_shows_the_two_commands(command):
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


# ------------------------------------------------------------------ the checker is checked


@pytest.fixture
def tree(tmp_path):
    """A small sound tree of the three packages; `tree(name, text)` adds or replaces a file."""

    def write(name: str, text: str = "") -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return tmp_path

    write("autograd/__init__.py", "from .ops.reduce import sum as sum\nfrom .tensor import Tensor")
    write("autograd/kernels/__init__.py", "from . import conv\nfrom .conv import run")
    write("autograd/kernels/conv.py", "import numpy as np\nfrom numba import njit\n")
    write("autograd/engine.py", "import autograd.kernels.conv\nfrom .kernels import conv\n")
    write("autograd/families.py", "from .engine import Op")
    write("autograd/ops/__init__.py")
    write("autograd/ops/reduce.py", "from ..families import reduction\nfrom . import shape\n")
    write("autograd/ops/shape.py", "from ..families import movement\nfrom . import reduce\n")
    write("autograd/tensor.py", "from . import ops\nfrom .ops import reduce, shape\n")
    write("optim/__init__.py", "import autograd\nfrom autograd.tensor import Tensor\n")
    write("nn/__init__.py", "import optim\nfrom . import module\n")
    write("nn/module.py", "import autograd\n\ndef plot():\n    import matplotlib.pyplot\n")
    for package in PACKAGES:
        write(f"{package}/py.typed")
    return write


SOUND_PACKAGES = ["autograd", "autograd.kernels", "autograd.ops", "nn", "optim"]


def test_a_sound_tree_passes(tree):
    root = tree("README.md")
    assert check_direction(root, {}) == []
    assert check_cycles(root) == []
    assert check_explicit(root) == []
    assert check_third_party(root, {"numpy", "numba"}, {"matplotlib"}) == []
    assert check_packages(root, SOUND_PACKAGES) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("autograd/kernels/conv.py", "from ..engine import Variable"),
        ("autograd/kernels/conv.py", "import autograd.engine"),
        ("autograd/kernels/conv.py", "def f():\n    from .. import engine"),
        ("autograd/kernels/conv.py", "from .. import anything"),
        (
            "autograd/kernels/conv.py",
            "import typing\nif typing.TYPE_CHECKING:\n    from ..engine import Variable",
        ),
        ("autograd/engine.py", "from .tensor import Tensor"),
        ("autograd/engine.py", "from autograd import tensor"),
        ("autograd/engine.py", "import autograd as ag"),
        ("autograd/engine.py", "class A:\n    def f(self):\n        from .ops import reduce"),
        ("autograd/engine.py", "try:\n    from .ops import reduce\nexcept ImportError:\n    pass"),
        ("autograd/ops/shape.py", "from ..tensor import Tensor"),
        ("autograd/ops/shape.py", "from autograd.tensor import Tensor"),
        ("autograd/tensor.py", "import nn"),
        ("autograd/tensor.py", "def f():\n    import optim.sgd"),
        ("autograd/unlisted.py", ""),
        ("optim/sgd.py", "from nn import Module"),
        ("optim/sgd.py", "def f():\n    from nn.module import Module"),
    ],
)
def test_an_import_that_points_up_is_found(tree, name, text):
    assert len(check_direction(tree(name, text), {})) == 1


def test_an_import_for_annotations_only_is_allowed(tree):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .tensor import Tensor\n"
    assert check_direction(tree("autograd/engine.py", text), {}) == []
    otherwise = text + "else:\n    from .tensor import Tensor\n"
    assert len(check_direction(tree("autograd/engine.py", otherwise), {})) == 1


def test_only_an_import_in_a_function_can_be_excused(tree):
    pair = ("autograd.engine", "autograd.tensor")
    root = tree("autograd/engine.py", "def f():\n    from .tensor import Tensor")
    assert check_direction(root, {pair: "planted"}) == []
    root = tree("autograd/engine.py", "from .tensor import Tensor")
    assert len(check_direction(root, {pair: "planted"})) == 2  # the import, and the idle excuse


def test_an_excuse_that_nothing_needs_is_found(tree):
    assert len(check_direction(tree("README.md"), {("nn.module", "nn"): "stale"})) == 1


def test_a_cycle_is_found(tree):
    tree("nn/layers.py", "from .module import Module")
    (problem,) = check_cycles(tree("nn/module.py", "from . import layers"))
    assert "nn.layers -> nn.module" in problem or "nn.module -> nn.layers" in problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nn/module.py", "import torch"),
        ("nn/module.py", "def f():\n    import torch"),
        ("nn/module.py", "import matplotlib.pyplot as plt"),
        ("autograd/kernels/conv.py", "import scipy"),
        ("autograd/kernels/conv.py", "def f():\n    import matplotlib"),
    ],
)
def test_an_undeclared_dependency_is_found(tree, name, text):
    assert len(check_third_party(tree(name, text), {"numpy", "numba"}, {"matplotlib"})) == 1


def test_a_doorway_may_import_its_extra_and_nobody_the_doorway(tree):
    tree("nn/sklearn/__init__.py", "from .base import A")
    root = tree("nn/sklearn/base.py", "from sklearn.base import BaseEstimator as A\n")
    assert check_third_party(root, {"numpy", "numba"}, {"sklearn", "matplotlib"}) == []
    tree("nn/module.py", "from .sklearn.base import A")
    assert len(check_third_party(root, {"numpy", "numba"}, {"sklearn", "matplotlib"})) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from .ops import *",
        "globals()['sum'] = 1",
        "def f():\n    return globals()",
        "vars()['sum'] = 1",
        "setattr(Tensor, 'sum', 1)",
        "def f():\n    setattr(Tensor, 'sum', 1)",
        "def f(cls):\n    setattr(cls, 'sum', 1)",
        "def f(x):\n    setattr(type(x), 'sum', 1)",
        "for name in names:\n    setattr(engine.Tensor, name, 1)",
        "Tensor.sum = 1",
        "import sys\nthis = sys.modules[__name__]",
    ],
)
def test_a_hidden_name_is_found(tree, text):
    assert len(check_explicit(tree("autograd/tensor.py", text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "class Module:\n    def f(self, name):\n        setattr(self, name, 1)",
        "def f(module):\n    module.weight = 1\n    vars(module)",
        "from .ops.reduce import logsumexp as logsumexp",
    ],
)
def test_an_ordinary_attribute_is_left_alone(tree, text):
    assert check_explicit(tree("autograd/tensor.py", text)) == []


def test_a_package_missing_on_either_side_is_found(tree):
    root = tree("nn/data/loader.py")
    problems = check_packages(root, [*SOUND_PACKAGES, "nn.models"])
    assert problems == [
        "nn.data: on disk, not in pyproject.toml",
        "nn.models: in pyproject.toml, not on disk",
        "nn.data: has no __init__.py",
    ]


def test_a_package_that_must_not_be_installed_is_found(tree):
    (problem,) = check_packages(tree("README.md"), [*SOUND_PACKAGES, "tests"])
    assert problem == "tests: in pyproject.toml, not on disk"


def test_a_missing_marker_file_is_found(tree):
    root = tree("README.md")
    (root / "nn" / "py.typed").unlink()
    assert check_packages(root, SOUND_PACKAGES) == ["nn: has no py.typed"]


def test_a_long_file_is_found(tree):
    assert check_lengths(tree("autograd/engine.py", "x = 1\n" * 399)) == []
    assert len(check_lengths(tree("autograd/engine.py", "x = 1\n" * 400))) == 1
