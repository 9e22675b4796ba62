"""The legs never import each other: read off the source, then seen in fresh interpreters."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import mobilenet_edge

PACKAGE = Path(mobilenet_edge.__file__).parent


@dataclass(frozen=True)
class Leg:
    """What a leg may import: other legs (itself always), and packages beyond the standard library."""

    legs: frozenset[str]
    packages: frozenset[str]


def leg(legs: str = "", packages: str = "") -> Leg:
    return Leg(frozenset(legs.split()), frozenset(packages.split()))


SPINE = "spine artifact records"
LEGS = {
    "spine": leg("artifact", "numpy rich PIL"),
    "artifact": leg("spine"),
    "records": leg("spine"),
    "graph": leg(SPINE, "numpy"),
    "build": leg(f"{SPINE} graph", "numpy tensorflow keras h5py"),
    "quantise": leg(f"{SPINE} graph", "numpy threadpoolctl"),
    "write": leg(f"{SPINE} graph quantise", "numpy onnx flatbuffers ai_edge_litert"),
    "device": leg("", "numpy ai_edge_litert tflite_runtime onnxruntime"),
    "hosts": leg(SPINE),
    # Its process answers with a device's runtime, or with Keras for a .keras file.
    "classify": leg(f"{SPINE} device hosts build", "numpy keras PIL"),
    "coral": leg(SPINE),
    "judge": leg(SPINE, "numpy"),
    # Feeds models the images that a classifier would get.
    "measure": leg(f"{SPINE} hosts judge classify", "numpy"),
    # Reads of a profile whether its latency may be used.
    "budget": leg(f"{SPINE} judge"),
    "report": leg(f"{SPINE} coral judge budget"),
    # The tradeoff as a page and pictures.
    "page": leg(f"{SPINE} report", "jinja2 matplotlib"),
    "cluster": leg("spine", "distributed"),
    "jobs": leg("spine hosts cluster", "distributed dask"),
    "sweep": leg(SPINE, "rich"),
    "commands": leg(
        f"{SPINE} graph build quantise write verify hosts classify coral judge budget measure report page jobs sweep",
        "numpy",
    ),
    # Opens what was written and compares it with the graph: the one place where a writer's bytes meet a runtime.
    "verify": leg(f"{SPINE} graph device", "numpy"),
    "cli": leg(f"{SPINE} commands report", "typer rich"),
    "__main__": leg("cli"),
}
# Allowed only inside a function: the process that answers for a .keras file is the one that imports TensorFlow.
LAZY = {("classify", "build")}
# Allowed in every leg: the version, which is in the package itself.
ROOT = "mobilenet_edge"
HEAVY = ("tensorflow", "keras", "h5py", "onnx", "onnxruntime", "ai_edge_litert", "tflite_runtime", "PIL", "matplotlib")
WITHOUT_TENSORFLOW = (
    "plan",
    "table",
    "check",
    "profile",
    "evaluate",
    "inspect",
    "compare",
    "recommend",
    "doctor",
    "reach",
    "setup_host",
)


@dataclass(frozen=True)
class Import:
    """One imported module: where, its name, and whether it is imported with the module that says so."""

    file: str
    line: int
    name: str
    eager: bool

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.name}"


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def leg_of(module: str) -> str:
    """The leg of a dotted name; a file at the top is the spine unless it has a line of its own."""
    first = module.removeprefix(ROOT).lstrip(".").partition(".")[0]
    return first if first in LEGS else "spine"


def module_of(source: Path) -> str:
    parts = source.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(text: str, module: str, file: str = "") -> Iterator[Import]:
    """Every import of a module's text, `from package import name` as far as a submodule of that name exists."""
    tree = ast.parse(text)
    lazy = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef) or _type_checking(outer)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative imports hide the leg"
            names = [_submodule(node.module or "", each.name) for each in node.names]
        else:
            continue
        for name in names:
            yield Import(file or module, node.lineno, name, id(node) not in lazy)


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _submodule(package: str, name: str) -> str:
    if package != ROOT and not package.startswith(f"{ROOT}."):
        return package
    path = PACKAGE.joinpath(*package.split(".")[1:], name)
    return f"{package}.{name}" if path.is_dir() or path.with_suffix(".py").is_file() else package


def offences(text: str, module: str, file: str = "") -> list[str]:
    """What a module imports and its leg may not."""
    own = leg_of(module)
    allowed = LEGS[own]
    found = []
    for each in imports(text, module, file):
        if each.name == ROOT:
            continue
        if each.package == ROOT:
            other = leg_of(each.name)
            lazy_only = (own, other) in LAZY and each.eager
            if other != own and (other not in allowed.legs or lazy_only):
                found.append(f"{each}, and {own} may not import {other}{' at its top' if lazy_only else ''}")
        elif each.package not in sys.stdlib_module_names and each.package not in allowed.packages:
            found.append(f"{each}, and {own} may not")
        elif each.package in HEAVY and each.eager:
            found.append(f"{each} at its top, and it is heavy")
    return found


@pytest.mark.parametrize("source", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_stays_within_its_leg(source):
    assert offences(source.read_text(), module_of(source), str(source.relative_to(PACKAGE))) == []


def test_each_folder_is_a_leg():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(LEGS), "a new folder needs a line in LEGS"


def test_legs_do_not_run_in_circles():
    # Leave the spine out: it, the artifact readers and the records are one body in three folders.
    below = {name: each.legs - set(SPINE.split()) for name, each in LEGS.items()}
    settled: set[str] = set(SPINE.split())
    while free := {name for name, legs in below.items() if name not in settled and legs <= settled}:
        settled |= free
    assert settled == set(LEGS)


@pytest.mark.parametrize(
    ("module", "text", "offence"),
    [
        ("report.table", "from mobilenet_edge.build import fold", "report may not import build"),
        ("report.table", "from mobilenet_edge import build", "report may not import build"),
        ("report.table", "import mobilenet_edge.device.worker", "report may not import device"),
        ("device.worker", "from mobilenet_edge.errors import MnetError", "device may not import spine"),
        ("device.worker", "from mobilenet_edge import errors", "device may not import spine"),
        ("device.worker", "def run():\n    import tensorflow", "device may not"),
        ("build.tf", "import tensorflow as tf", "at its top, and it is heavy"),
        ("images", "try:\n    from PIL import Image\nexcept ImportError:\n    pass", "at its top, and it is heavy"),
        ("classify.serve", "from mobilenet_edge.build.load import load_model", "may not import build at its top"),
        ("commands.plan", "import typer", "commands may not"),
        ("spec", "import scipy", "spine may not"),
    ],
)
def test_offence_is_seen(module, text, offence):
    found = offences(text, f"{ROOT}.{module}")
    assert len(found) == 1
    assert offence in found[0]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("device.worker", "from mobilenet_edge import __version__"),
        ("device.worker", "import mobilenet_edge"),
        ("device.worker", "from mobilenet_edge.device.runtimes import litert"),
        ("build.tf", "def load():\n    import tensorflow as tf"),
        ("images", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from PIL import Image"),
        ("classify.serve", "def answer():\n    from mobilenet_edge.build.load import load_model"),
        ("commands.plan", "from mobilenet_edge.report import explain"),
        ("spec", "import math, json"),
    ],
)
def test_what_is_allowed_passes(module, text):
    assert offences(text, f"{ROOT}.{module}") == []


@pytest.mark.parametrize("source", [PACKAGE / "__init__.py", *sorted(PACKAGE.glob("device/**/*.py"))], ids=module_of)
def test_device_leg_keeps_to_the_syntax_of_python_3_9(source):
    # The grammar alone; `X | None` in annotations parses everywhere and is never evaluated under the future import.
    text = source.read_text()
    ast.parse(text, feature_version=(3, 9))
    assert "->" not in text or "from __future__ import annotations" in text


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize("module", ["cli", "device.worker", *(f"commands.{verb}" for verb in WITHOUT_TENSORFLOW)])
def test_import_is_light(module):
    done = run(f"import sys, {ROOT}.{module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


@pytest.mark.slow
def test_worker_needs_nothing_of_the_workstation():
    done = run(f"import sys, {ROOT}.device.worker; print(*sorted(m for m in sys.modules if m.startswith('{ROOT}.')))")
    assert done.returncode == 0, done.stderr
    strangers = [name for name in done.stdout.split() if not name.startswith(f"{ROOT}.device")]
    assert strangers == []


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["plan"], ["plan", "--alpha", "0.5", "--rho", "160", "--layers"]])
def test_verb_runs_where_nothing_heavy_is_installed(arguments):
    # None in sys.modules makes an import fail as it does where the package is missing.
    hide = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}))"
    done = run(f"{hide}; from {ROOT}.cli import main; main({arguments!r})")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.strip()
