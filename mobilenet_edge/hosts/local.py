"""This machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mobilenet_edge
from mobilenet_edge.errors import HostError
from mobilenet_edge.hosts.answer import Ended, parse

# What a program needs to start and to find its libraries. The rest stays out: OMP_NUM_THREADS and its like would change
# the measurement without a trace in the record.
ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Local:
    """The machine `mnet` runs on.

    Attributes:
        name: In records.
        command: Starts the worker.
    """

    name: str = "local"
    command: tuple[str, ...] = (sys.executable, "-m", "mobilenet_edge.device")

    def run(self, request: Mapping[str, Any], artifact: Path, *, limit_seconds: float) -> dict[str, Any]:
        """Answer one request, as `Host.run`; no worker outlives this call, or this process."""
        line = json.dumps({**request, "artifact": str(artifact.resolve()), "leased": True}) + "\n"
        with subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment(),
            # Ctrl-C is for mnet alone, which then ends the worker below.
            start_new_session=True,
        ) as worker:
            try:
                return parse(_converse(worker, line.encode(), limit_seconds), artifact.name)
            except subprocess.TimeoutExpired as error:
                raise HostError(
                    f"the worker did not answer on {artifact.name} within {limit_seconds:.0f} s; "
                    "try fewer --runs, or a smaller model"
                ) from error
            finally:
                worker.kill()


def environment() -> dict[str, str]:
    """Return the worker's environment: little, and a path on which it finds this very package."""
    kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    package = str(Path(mobilenet_edge.__file__).parents[1])
    # The user's own path after it, since a runtime may be there; the current folder never, since anything may be.
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return {**kept, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


def _converse(worker: subprocess.Popen[bytes], line: bytes, limit_seconds: float) -> Ended:
    lease, worker.stdin = worker.stdin, None  # or communicate() would close it, and with it end the worker
    if lease is None:
        raise ValueError("the worker has no stdin")
    with lease:
        # Where it died at once, its exit code says more.
        with suppress(BrokenPipeError):
            lease.write(line)
        stdout, stderr = worker.communicate(timeout=limit_seconds)
    return Ended(worker.returncode, stdout, stderr)
