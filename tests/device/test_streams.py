from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mobilenet_edge
from mobilenet_edge.device import streams


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_quiet_silences_native_writers_and_gives_stderr_back(capfd: pytest.CaptureFixture[str]):
    with streams.quiet():
        os.write(2, b"INFO: chatter\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_quiet_gives_stderr_back_after_a_failure(capfd: pytest.CaptureFixture[str]):
    with pytest.raises(ZeroDivisionError), streams.quiet():
        raise ZeroDivisionError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_blocks_of_several_threads_may_end_in_any_order(capfd: pytest.CaptureFixture[str]):
    first, second = streams.quiet(), streams.quiet()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    os.write(2, b"INFO: chatter of the second\n")
    second.__exit__(None, None, None)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_quiet_leaks_no_descriptor():
    before = open_descriptors()
    with streams.quiet():
        pass
    assert open_descriptors() == before


@pytest.mark.slow
def test_claimed_stdout_is_ours_alone():
    code = (
        "import os; from mobilenet_edge.device import streams\n"
        "with streams.claim_stdout() as out:\n"
        "    os.write(1, b'native'); print('python', flush=True); out.write('ours')"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(mobilenet_edge.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "ours"
    assert done.stderr == "nativepython\n"
