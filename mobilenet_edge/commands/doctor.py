"""`mnet doctor`: what machines are, have and lack."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Final

from mobilenet_edge.analysis.health import Report, judge, unreached
from mobilenet_edge.errors import MnetError
from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.devices import LOCAL

# Module to package, as pip calls it; what the worker looks for itself is left out.
EXTRAS: Final[Mapping[str, Mapping[str, str]]] = {
    "build": {
        "tensorflow": "TensorFlow",
        "onnx": "onnx",
        "flatbuffers": "flatbuffers",
        "threadpoolctl": "threadpoolctl",
    },
    "images": {"PIL": "Pillow"},
}
# Four processes are tried one after the other, each at most a minute.
LIMIT_SECONDS: Final = 270.0


def run(hosts: Sequence[Host]) -> list[Report]:
    """Look at machines, all at once; one that cannot be reached is a report too.

    Args:
        hosts: The machines; that named "local" is this one, and told what a workstation lacks.

    Returns:
        A report for each, in the order given.
    """
    with ThreadPoolExecutor(max(len(hosts), 1)) as pool:
        return list(pool.map(_look, hosts))


def exit_code(reports: Sequence[Report]) -> int:
    """Return what the command ends with: 6 as soon as a machine was not reached, 4 as soon as one can run nothing."""
    return max((each.exit_code for each in reports), default=0)


def lacking() -> dict[str, list[str]]:
    """List what this installation lacks of each extra, without importing anything."""
    return {
        extra: [package for module, package in packages.items() if find_spec(module) is None]
        for extra, packages in EXTRAS.items()
    }


def _look(host: Host) -> Report:
    began = time.time_ns()
    try:
        with host:
            facts = host.run({"mode": "doctor"}, limit_seconds=LIMIT_SECONDS)
    except MnetError as error:
        return unreached(host.name, error, error.exit_code)
    own = lacking() if host.name == LOCAL else None
    return judge(facts, host=host.name, asked=(began, time.time_ns()), lacking=own)
