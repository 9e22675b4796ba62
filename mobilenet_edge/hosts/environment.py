"""What of the environment reaches a worker, on any machine: little."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import mobilenet_edge

# What a program needs to start and to find its libraries. The rest stays out: OMP_NUM_THREADS and its like would change
# the measurement without a trace in the record. PYTHONPATH is in because a runtime may be there.
KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
# What pip needs behind a proxy or with an index of one's own.
NETWORK: Final = (
    *(name for each in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for name in (each, each.lower())),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_CONFIG_FILE", "SSL_CERT_FILE"),
)


def names(mode: str | None = None) -> tuple[str, ...]:
    """Name the variables a worker of a mode may have; only "setup" talks to the network."""
    return KEPT + NETWORK if mode == "setup" else KEPT


def of_worker(mode: str | None = None) -> dict[str, str]:
    """Return the environment of a worker on this machine; the payload it runs is its own path to the package."""
    kept = {name: os.environ[name] for name in names(mode) if name in os.environ}
    # The current folder never, since anything may be there.
    return {**kept, "PYTHONSAFEPATH": "1"}


def of_package() -> dict[str, str]:
    """Return the same for a program of the whole package, with a path on which it finds this very one first."""
    package = str(Path(mobilenet_edge.__file__).parents[1])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return {**of_worker(), "PYTHONPATH": path}
