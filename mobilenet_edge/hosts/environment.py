"""Choose the few environment variables that a worker gets, on any machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import mobilenet_edge

# What a program needs to start and to find its libraries. Other variables, such as OMP_NUM_THREADS, would change the
# measurement without a trace in the record. PYTHONPATH is passed because a runtime may be there.
PASSED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
# What pip needs behind a proxy or with a private index.
NETWORK: Final = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_CONFIG_FILE", "SSL_CERT_FILE"),
)


def names(mode: str | None = None) -> tuple[str, ...]:
    """Return the names of the variables that a worker gets; only the mode "setup" uses the network."""
    return PASSED + NETWORK if mode == "setup" else PASSED


def of_worker(mode: str | None = None) -> dict[str, str]:
    """Return the environment of a worker on this machine, which imports the package from its payload."""
    variables = {name: os.environ[name] for name in names(mode) if name in os.environ}
    # PYTHONSAFEPATH keeps files of the current folder from being imported.
    return {**variables, "PYTHONSAFEPATH": "1"}


def of_package() -> dict[str, str]:
    """Return the environment of a program that needs the whole package: `PYTHONPATH` starts with this copy of it."""
    package = str(Path(mobilenet_edge.__file__).parents[1])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    return {**of_worker(), "PYTHONPATH": path}
