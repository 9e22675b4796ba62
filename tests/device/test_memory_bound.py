"""A model cannot take more than the machine has."""

from __future__ import annotations

import subprocess
import sys

import pytest

LIMIT = "import resource; print(*resource.getrlimit(resource.RLIMIT_DATA))"


def ask(root, then: str) -> subprocess.CompletedProcess[str]:
    code = (
        f"from pathlib import Path; from mobilenet_edge.device import memory; memory.bound(Path({str(root)!r})); {then}"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "proc").mkdir()
    # 300,000 + 100,000 kB.
    (tmp_path / "proc/meminfo").write_text("MemTotal: 300000 kB\nSwapTotal: 100000 kB\n")
    return tmp_path


@pytest.mark.slow
def test_data_is_bounded_by_memory_and_swap(machine):
    assert ask(machine, LIMIT).stdout.split()[0] == str(400_000 * 1024)


@pytest.mark.slow
def test_an_allocation_beyond_it_fails_at_once(machine):
    done = ask(machine, "bytearray(500_000_000)")
    assert done.stderr.strip().endswith("MemoryError")


@pytest.mark.slow
def test_a_machine_that_tells_nothing_is_left_alone(tmp_path):
    import resource

    assert ask(tmp_path, LIMIT).stdout.split()[0] == str(resource.getrlimit(resource.RLIMIT_DATA)[0])
