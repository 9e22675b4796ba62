"""Each room imports only from rooms below it: read off the source, then seen in fresh interpreters."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import mobilenet_edge

PACKAGE = Path(mobilenet_edge.__file__).parent
VERBS = sorted(path.stem for path in (PACKAGE / "commands").glob("[!_]*.py"))
ROOT = "mobilenet_edge"

# From top to bottom: a room imports only from rooms below it. docs and CONTRIBUTING tell what each is for.
ORDER = (
    "__main__", "cli", ROOT, "api", "commands", "bundle", "report", "sweep", "budget", "training", "conversion",
    "profiling", "evaluation", "formats", "quantise", "analysis", "workers", "hosts", "records", "model", "graph",
    "data", "device", "loose",
)  # fmt: skip
LOOSE = {"errors", "files", "progress", "text", "toml", "units", "cpus", "platforms", "schema"}
# What a room may import beyond the standard library.
PACKAGES = {
    "cli": "typer rich",
    "api": "pandas",
    "commands": "numpy",
    "bundle": "numpy",
    "report": "jinja2 matplotlib plotext",
    "sweep": "rich",
    "training": "numpy threadpoolctl tensorflow PIL",
    "conversion": "numpy onnx onnxruntime",
    "profiling": "numpy",
    "evaluation": "numpy keras PIL",
    "data": "numpy PIL cv2",
    "formats": "numpy onnx ai_edge_litert",
    "quantise": "numpy threadpoolctl",
    "analysis": "numpy",
    "workers": "distributed dask",
    "records": "numpy",
    "model": "numpy tensorflow keras tf_keras h5py",
    "graph": "numpy threadpoolctl",
    "device": "numpy ai_edge_litert tflite_runtime onnxruntime PIL cv2",
    "loose": "rich numpy",
}
# The payload of a device: its two parts import each other as they say, and nothing else, not even the loose modules.
PAYLOAD = {"device": {"device", "formats.wire"}, "formats.wire": {"formats.wire"}}
# Imports that run upwards: module, and the module it takes.
UPWARDS = {
    ("model.read.file", "formats.archive"),
    ("model.weights", "formats.artifact"),
}
HEAVY = (
    "tensorflow",
    "keras",
    "h5py",
    "onnx",
    "onnxruntime",
    "ai_edge_litert",
    "tflite_runtime",
    "PIL",
    "cv2",
    "matplotlib",
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


def room_of(module: str) -> str:
    """The room of a dotted name; modules at the top are one room."""
    first = module.removeprefix(ROOT).lstrip(".").partition(".")[0]
    return "loose" if first in LOOSE else first or ROOT


def payload_of(module: str) -> str | None:
    """The part of the device payload that a module belongs to."""
    name = module.removeprefix(f"{ROOT}.")
    return next((part for part in PAYLOAD if f"{name}.".startswith(f"{part}.")), None)


def payload_sources() -> list[Path]:
    return [path for path in sources() if payload_of(module_of(path))]


def module_of(source: Path) -> str:
    parts = source.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(text: str, module: str, file: str = "") -> Iterator[Import]:
    """Every import of a module's text, `from package import name` as far as a submodule of that name exists."""
    for node, lazy in _statements(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative imports hide the package"
            names = [_submodule(node.module or "", each.name) for each in node.names]
        else:
            continue
        for name in names:
            yield Import(file or module, node.lineno, name, not lazy)


def _statements(node: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Every statement within a node, and whether it is run later than the module, or never."""
    lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _type_checking(node)
    for part in ("body", "handlers", "orelse", "finalbody", "cases"):
        for each in getattr(node, part, ()):
            yield each, lazy
            yield from _statements(each, lazy)


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _submodule(package: str, name: str) -> str:
    if package != ROOT and not package.startswith(f"{ROOT}."):
        return package
    path = PACKAGE.joinpath(*package.split(".")[1:], name)
    return f"{package}.{name}" if path.is_dir() or path.with_suffix(".py").is_file() else package


def offences(text: str, module: str, file: str = "") -> list[str]:
    """What a module imports and its room may not."""
    own = room_of(module)
    found = []
    for each in imports(text, module, file):
        if each.name == ROOT:  # for the version, which is in the package itself
            continue
        if each.package == ROOT:
            other = room_of(each.name)
            payload = payload_of(module)
            allowed = payload_of(each.name) in PAYLOAD[payload] if payload else ORDER.index(own) <= ORDER.index(other)
            if not allowed and not _is_named(module, each.name):
                found.append(f"{each}, and {own} may not import {other}")
        elif each.package not in sys.stdlib_module_names and each.package not in PACKAGES.get(own, "").split():
            found.append(f"{each}, and {own} may not")
        elif each.package in HEAVY and each.eager:
            found.append(f"{each} at its top, and it is heavy")
    return found


def _is_named(module: str, name: str) -> bool:
    return (module.removeprefix(f"{ROOT}."), name.removeprefix(f"{ROOT}.")) in UPWARDS


def test_modules_import_from_below():
    found = (offences(each.read_text(), module_of(each), str(each.relative_to(PACKAGE))) for each in sources())
    assert [offence for offences in found for offence in offences] == []


def test_each_folder_and_loose_module_has_its_place():
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert names - {"__init__", "__pycache__", "py"} == {*ORDER, *LOOSE} - {ROOT, "loose"}


def test_no_module_name_stands_twice():
    # What each format has is named alike; weights are named in the rooms that make them.
    places = {source.relative_to(PACKAGE) for source in sources()}
    formats = {Path(str(place).replace("tflite", "onnx")) for place in places}
    stems = Counter(place.stem for place in formats)
    assert {name for name, count in stems.items() if count > 1} <= {"__init__", "__main__", "weights"}


@pytest.mark.parametrize(
    ("module", "text", "offence"),
    [
        ("records.record", "from mobilenet_edge.analysis import doubts", "records may not import analysis"),
        ("records.record", "from mobilenet_edge import analysis", "records may not import analysis"),
        ("device.worker", "from mobilenet_edge.errors import MnetError", "device may not import loose"),
        ("device.worker", "from mobilenet_edge import errors", "device may not import loose"),
        ("device.worker", "from mobilenet_edge.formats import costs", "device may not import formats"),
        ("formats.wire.meter", "from mobilenet_edge import errors", "formats may not import loose"),
        ("formats.wire.meter", "from mobilenet_edge.formats import costs", "formats may not import formats"),
        ("device.worker", "def run():\n    import tensorflow", "device may not"),
        ("model.tf", "import tensorflow as tf", "at its top, and it is heavy"),
        ("data.images", "try:\n    from PIL import Image\nexcept ImportError:\n    pass", "and it is heavy"),
        ("commands.plan", "import typer", "commands may not"),
        ("files", "import scipy", "loose may not"),
        ("files", "from mobilenet_edge.records import Profile", "loose may not import records"),
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
        ("device.pieces", "from mobilenet_edge.formats.wire import flatbuffer"),
        ("model.tf", "def load():\n    import tensorflow as tf"),
        ("data.images", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from PIL import Image"),
        ("evaluation.serve", "def answer():\n    from mobilenet_edge.model.oracle import load"),
        ("commands.plan", "from mobilenet_edge.report import explain"),
        ("units", "import math, json"),
    ],
)
def test_what_is_allowed_passes(module, text):
    assert offences(text, f"{ROOT}.{module}") == []


def test_device_payload_keeps_to_the_syntax_of_python_3_9():
    # The grammar alone; `X | None` in annotations parses everywhere and is never evaluated under the future import.
    for source in (PACKAGE / "__init__.py", *filter(lambda path: payload_of(module_of(path)), sources())):
        text = source.read_text()
        ast.parse(text, str(source), feature_version=(3, 9))
        assert "->" not in text or "from __future__ import annotations" in text, source


def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=300)


# Imports each in turn, and names the first that brings something heavy.
LOOK = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
    if heavy := set(sys.modules) & set({heavy}):
        sys.exit(f"{{module}} imports {{heavy}}")
"""


@pytest.mark.slow
def test_imports_are_light():
    modules = ["cli", "api", "device.worker", *(f"commands.{verb}" for verb in VERBS)]
    done = run(LOOK.format(heavy=HEAVY), *(f"{ROOT}.{module}" for module in modules))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_worker_needs_nothing_of_the_workstation():
    done = run(f"import sys, {ROOT}.device.worker; print(*sorted(m for m in sys.modules if m.startswith('{ROOT}.')))")
    assert done.returncode == 0, done.stderr
    strangers = [name for name in done.stdout.split() if not payload_of(name) and name != f"{ROOT}.formats"]
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
