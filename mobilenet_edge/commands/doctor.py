"""`mnet doctor`: check machines."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Final

from mobilenet_edge.analysis.health import Report, judge, unreachable
from mobilenet_edge.device.checkup import LIMIT_SECONDS
from mobilenet_edge.errors import MnetError
from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.devices import LOCAL

# Package on PyPI by module, for each extra; the worker checks the runtimes itself.
EXTRAS: Final[Mapping[str, Mapping[str, str]]] = {
    "build": {"tensorflow": "TensorFlow"},
    "export": {"h5py": "h5py", "onnx": "onnx", "flatbuffers": "flatbuffers", "threadpoolctl": "threadpoolctl"},
    "images": {"PIL": "Pillow"},
}


def run(hosts: Sequence[Host]) -> list[Report]:
    """Check machines in parallel.

    Args:
        hosts: Machines; the one named "local" is also checked for the extras of mobilenet-edge.

    Returns:
        One report per machine, in the same order, also for machines that cannot be reached.
    """
    with ThreadPoolExecutor(max(len(hosts), 1)) as pool:
        return list(pool.map(_check, hosts))


def exit_code(reports: Sequence[Report]) -> int:
    """Return 6 if a machine could not be reached, else 4 if one can run no format, else 0."""
    return max((report.exit_code for report in reports), default=0)


def missing_packages() -> dict[str, list[str]]:
    """List the packages of each extra that are not installed, without importing any."""
    return {
        extra: [package for module, package in packages.items() if find_spec(module) is None]
        for extra, packages in EXTRAS.items()
    }


def _check(host: Host) -> Report:
    start_ns = time.time_ns()
    try:
        with host:
            facts = host.run({"mode": "doctor"}, limit_seconds=LIMIT_SECONDS)
    except MnetError as error:
        return unreachable(host.name, error, error.exit_code)
    missing = missing_packages() if host.name == LOCAL else None
    return judge(facts, host=host.name, local_ns=(start_ns, time.time_ns()), missing=missing)
