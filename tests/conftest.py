"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import settings

# Markers of tests that skip where the machine lacks something. $MNET_REQUIRE names those that must not.
CONDITIONS: Final = frozenset(
    {"arm", "browser", "data", "emulated", "legacy", "openvino", "ortweb", "ssh", "tflm", "vela"}
)


# No example is held to a time: how long one takes is the machine's affair.
settings.register_profile("suite", deadline=None, max_examples=25)
settings.load_profile("suite")


def required() -> frozenset[str]:
    return frozenset(os.environ.get("MNET_REQUIRE", "").split())


def pytest_configure() -> None:
    if unknown := required() - CONDITIONS:
        raise pytest.UsageError(f"MNET_REQUIRE: no {', '.join(unknown)}; there are {', '.join(sorted(CONDITIONS))}")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """Collect without looking for garbage, of which thousands of tests have none; it is a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """Fail a test whose fixtures skip although all the conditions it is marked with are required.

    One that skips once it runs has its own reason, such as being a case that is none here.
    """
    report = yield
    conditions = CONDITIONS & {mark.name for mark in item.iter_markers()}
    if call.when == "setup" and report.skipped and conditions and conditions <= required():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"{reason}, and MNET_REQUIRE wants {', '.join(sorted(conditions))}"
    return report


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real weights and images; see CONTRIBUTING.md."""
    folder = Path(os.environ.get("MNET_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real weights and images at {folder}; set MNET_DATA")
    return folder


@pytest.fixture(scope="session")
def tflm() -> None:
    """Skip where there is no interpreter of TensorFlow Lite for Microcontrollers."""
    if find_spec("tflite_micro") is None:
        pytest.skip("tflite-micro is not installed; pip install 'mobilenet-edge[tflm]'")


@pytest.fixture(scope="session")
def legacy_python() -> Path:
    """The Python that has tflite-runtime and NumPy 1; see `make legacy`."""
    python = Path(__file__).parents[1] / ".venv-legacy" / "bin" / "python"
    if not python.exists():
        pytest.skip("no .venv-legacy; make it with: make legacy (Python 3.11 or older)")
    return python


@pytest.fixture(scope="session")
def openvino() -> None:
    """Skip where OpenVINO is not installed."""
    if find_spec("openvino") is None:
        pytest.skip("no OpenVINO; install it with: pip install 'mobilenet-edge[openvino]'")


@pytest.fixture(scope="session")
def vela_command() -> list[str]:
    """The command that starts Arm's Vela."""
    from mobilenet_edge.conversion.ethos.vela import find

    command = find()
    if command is None:
        pytest.skip("no Vela; install it with: pip install 'mobilenet-edge[ethos]'")
    return command


@pytest.fixture(scope="session")
def compile_library(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compile a C file of tests/device/delegates to a shared library, once for each set of arguments.

    Args of what is returned: name of the file without .c, further arguments of gcc, and the GNU triplet to compile for,
    None for this machine.
    """
    folder = tmp_path_factory.mktemp("libraries")
    made: dict[tuple[str | None, ...], Path] = {}

    def compile(name: str, *arguments: str, triplet: str | None = None) -> Path:
        gcc = f"{triplet}-gcc" if triplet else "gcc"
        if not shutil.which(gcc):
            pytest.skip(f"{gcc} is not installed")
        key = (name, *arguments, triplet)
        if key not in made:
            source = Path(__file__).parent / "device" / "delegates" / f"{name}.c"
            library = folder / f"lib{name}{len(made)}.so"
            flags = ("-shared", "-fPIC", "-fvisibility=hidden", "-O1", "-Wall", "-Wextra", "-Werror", *arguments)
            subprocess.run([gcc, *flags, "-o", library, source], check=True)
            made[key] = library
        return made[key]

    return compile
