"""Read the named machines of configs/devices.toml."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

from mobilenet_edge import schema, toml
from mobilenet_edge.errors import UsageError

LOCAL: Final = "local"
PATH: Final = Path("configs/devices.toml")


@dataclass(frozen=True)
class Device:
    """A machine to measure on, as described in the devices file.

    Attributes:
        name: Name in options and records.
        host: Destination for ssh, or "local" for this machine.
        python: Path of Python on the machine, which may start with `~/`; None for that of `mnet setup-host`, or else
            `python3`.
        delegate: Path of the library of a delegate on the machine, None for no delegate.
        delegate_options: Options of the delegate by name.
        note: Free text.
    """

    name: str
    host: str
    python: str | None = None
    delegate: str | None = None
    delegate_options: dict[str, str] = field(default_factory=dict)
    note: str | None = None

    def __post_init__(self) -> None:
        if self.delegate_options and not self.delegate:
            raise UsageError(f"{self.name} has delegate_options but no delegate; set delegate to the path of a library")


def load(path: Path) -> dict[str, Device]:
    """Read a file of devices, one table per device.

    Raises:
        InputError: The file cannot be read, is not TOML, or has an invalid key or value.
    """
    return toml.read_named(path, Device)


def find(name: str, path: Path = PATH) -> Device:
    """Find a device by name: "local", one in the file, an alias of the ssh configuration, or any "user@host".

    Raises:
        InputError: The file cannot be read, or has an invalid key or value.
        UsageError: Neither the file nor the ssh configuration has such a device.
    """
    known = load(path) if path.is_file() else {}
    if name in known:
        return known[name]
    if name == LOCAL or "@" in name or is_alias(name):
        return Device(name, name)
    listed = f"it has {', '.join(known) or 'none'}" if path.is_file() else "there is no such file; mnet init writes one"
    hint = schema.nearest(name, known, f"{listed}; user@host needs no entry")
    raise UsageError(f"neither {path} nor the ssh configuration has {name!r}: {hint}")


def is_alias(name: str) -> bool:
    """Return whether the ssh configuration says anything of this name that it does not say of others."""
    return _ssh_options(name) != _ssh_options(f"{name}-{uuid4().hex}")


def _ssh_options(name: str) -> list[str]:
    """Return what `ssh -G` prints for a host, with the name itself left out; nothing where there is no ssh."""
    try:
        result = subprocess.run(["ssh", "-G", "--", name], capture_output=True, text=True, check=False)
    except OSError:
        return []
    return [line for line in result.stdout.splitlines() if name not in line.split()]
