"""Where no process can be started it is one sentence, and what needs none still runs."""

import subprocess
import sys

import pytest

from mobilenet_edge.formats.tflite.write import float_tflite
from mobilenet_edge.graph import Graph, Node

# What Windows lacks of the standard library, and of `os`.
WITHOUT = """
import os, sys
import numpy  # whose import asks the kernel where sys.platform is linux
for name in ("fcntl", "resource", "termios", "pwd", "grp"):
    sys.modules[name] = None
for name in ("killpg", "sched_getaffinity", "sched_setaffinity", "O_NOFOLLOW", "O_NONBLOCK", "getuid", "uname"):
    vars(os).pop(name, None)
"""


def mnet(*words: str) -> subprocess.CompletedProcess[str]:
    code = f"{WITHOUT}\nimport mobilenet_edge.cli, mobilenet_edge.platforms as platforms\n"
    # Not `os.name` itself, with which pathlib would take the paths of another system.
    code += "platforms.os = type('os', (), {'name': 'nt'})\nmobilenet_edge.cli.main(sys.argv[1:])"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)


@pytest.mark.slow
def test_a_verb_that_measures_says_where_it_can(tmp_path):
    means = Graph("a", "image", (8, 8, 3), (Node("means", "mean", ("image",), (3,)),))
    (tmp_path / "a.tflite").write_bytes(float_tflite(means))
    for words in (("profile", str(tmp_path / "a.tflite"), "--no-limit"), ("doctor",)):
        done = mnet(*words)
        assert done.returncode == 6
        assert "on Linux and macOS; on Windows, run it in WSL" in " ".join((done.stdout + done.stderr).split())
        assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_what_starts_no_process_runs():
    assert mnet("plan").returncode == 0
    code = f"{WITHOUT}\nfrom mobilenet_edge.device import busy, measure, memory\n"
    code += "memory.bound()\nwith busy.measuring():\n    assert busy.others() == 0\nassert measure._usage()['wall_ns']"
    subprocess.run([sys.executable, "-c", code], check=True)
