"""Nothing that is given becomes an option of ssh, a word of a shell, or a library that is loaded."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilenet_edge.errors import MnetError, UsageError
from mobilenet_edge.hosts import bootstrap, environment
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.hosts.ssh import Ssh
from tests.hostile.conftest import SHELL

DESTINATIONS = (
    "-oProxyCommand=touch canary", "-oProxyCommand=touch${IFS}canary", "--", "-Ffile", "a@-oProxyCommand=touch",
    "ssh://-oProxyCommand=x", "ssh://a@-x", "pi@host;touch canary", "pi@$(touch)", "`touch`@pi", "pi@a b", "pi@a\nb",
    "pi@a|touch", "pi@a&touch", "pi@a>canary", "pi@'", 'pi@"', "pi@\\", "pi@a\x1b[31m", "pi@", "", "pi@a*", "pi@{a,b}",
)  # fmt: skip


@pytest.fixture
def ssh(canary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ssh that leaves its words and fails; returns where they are."""
    folder = tmp_path / "bin"
    folder.mkdir()
    words = tmp_path / "words"
    (folder / "ssh").write_text(f'#!/bin/sh\nprintf "%s\\0" "$@" > {words}\nexit 255\n')
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return words


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_a_destination_is_refused_before_ssh_is_called(destination, ssh, canary, mnet, tmp_path):
    with pytest.raises(UsageError, match=r"^host cannot be"):
        Ssh("pi", destination)
    (tmp_path / "d.toml").write_text(f"[pi]\nhost = {json.dumps(destination)}\n")
    ended = mnet("doctor", "--host", "pi", "--devices", tmp_path / "d.toml")
    assert ended.code == 2, ended.err
    assert not ssh.exists()
    assert not canary.exists()


@pytest.mark.slow
def test_a_good_destination_reaches_ssh_as_one_word_behind_the_options(ssh, mnet):
    ended = mnet("doctor", "--host", "pi@host")
    assert ended.code == 6
    words = ssh.read_text().split("\0")
    assert words[words.index("--") + 1 :][:1] == ["pi@host"]


@pytest.mark.slow
@pytest.mark.parametrize("python", [SHELL, "a b", "~/$(touch canary)", "-c", "a\nb", "'; touch canary; '", '"$HOME"'])
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_python_of_a_device_is_a_path_in_any_shell(python, shell, canary):
    done = subprocess.run(
        [shell, "-c", bootstrap.command(python)], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode in (1, 2, 126, 127)
    assert not canary.exists()


@pytest.mark.slow
def test_the_bait_bites(canary):
    subprocess.run(["sh", "-c", f"echo {SHELL} wait"], capture_output=True, check=False)
    assert canary.exists()


@pytest.mark.slow
def test_a_file_name_is_no_shells_business(canary, mnet, tmp_path):
    from mobilenet_edge.formats.tflite.builder import ModelBuilder
    from tests.formats.conftest import keras_file

    keras, tflite = (tmp_path / f"{SHELL}.{kind}" for kind in ("keras", "tflite"))
    keras.write_bytes(keras_file())
    ended = mnet("profile", keras)
    assert ended.code == 3
    # The line that is proposed can be copied.
    assert shlex.split(ended.err.partition("first: ")[2]) == ["mnet", "export", str(keras)]
    file = ModelBuilder()
    x, y = (file.tensor(name, (1, 8), "float32") for name in (SHELL, "y"))
    file.operator("RELU", [x], y)
    tflite.write_bytes(file.finish([x], [y], SHELL))
    ended = mnet("profile", tflite, "--runs", 2, "--seconds", 0.01, "--rounds", 1, "--no-limit", "--ops")
    assert ended.code == 0, ended.err
    assert not canary.exists()


@pytest.mark.slow
@pytest.mark.parametrize("module", ["numpy", "json", "ai_edge_litert", "mobilenet_edge", "sitecustomize"])
def test_a_module_beside_the_models_is_not_imported(module, canary, mnet):
    """Python looks into the current folder first, where other people's files may be."""
    Path(f"{module}.py").write_text("open('canary', 'w')")
    assert mnet("doctor").code in (0, 6)
    for name in ("evaluation.serve", "workers.program"):
        words = [sys.executable, "-m", f"mobilenet_edge.{name}", "", "0"]
        subprocess.run(words, input=b"", env=environment.of_package(), capture_output=True, check=False)
    assert not canary.exists()
    if module in ("numpy", "json"):  # the bait works
        subprocess.run(
            [sys.executable, "-m", "mobilenet_edge.evaluation.serve"], input=b"", capture_output=True, check=False
        )
        assert canary.exists()


# --- delegates ------------------------------------------------------------------------------------------------------

# Runs as soon as the library is loaded, before anybody calls it.
SPRUNG = '#include <stdio.h>\n__attribute__((constructor)) static void spring(void) { fclose(fopen("%s", "w")); }\n'


@pytest.fixture
def library(tmp_path: Path, canary: Path) -> Callable[[Path], Path]:
    """Compile a library to a path; loading it touches the canary."""

    def make(path: Path) -> Path:
        source = tmp_path / "spring.c"
        source.write_text(SPRUNG % canary)
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", path, source], check=True)
        return path

    return make


@pytest.mark.slow
def test_a_delegate_is_loaded_from_the_given_path_only(library, canary, tmp_path, monkeypatch, data):
    """Not from the current folder, not from the library path, and not because a model wants one."""
    from tests.hostile.conftest import FILE

    model = data / "reference/mobilenet_v1_0.25_128_quant_edgetpu.tflite"
    for folder in (canary.parent, tmp_path / "libraries"):
        for name in ("libedgetpu.so.1", "libedgetpu.so", "libevil.so"):
            library(folder / name)
    library(tmp_path / "libraries/libonly.so")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "libraries"))
    request = {"mode": "time", "runtime": "auto", "steady": {"runs": 2}}
    for asked in (None, "libonly.so", f"{FILE}.so", "$(pwd)/libevil.so", "libevil.so;"):
        chosen = None if asked is None else {"path": asked, "options": {}}
        with pytest.raises(MnetError):
            Local().run({**request, "delegate": chosen}, {"artifact": model}, limit_seconds=300)
        assert not canary.exists(), asked
    chosen = {"path": str(tmp_path / "libraries/libevil.so"), "options": {}}
    with pytest.raises(MnetError, match="not a TFLite delegate"):
        Local().run({**request, "delegate": chosen}, {"artifact": model}, limit_seconds=300)
    assert canary.exists()
