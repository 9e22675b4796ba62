"""Read the named machines of configs/devices.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

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
    """Find a device by name: "local", one in the file, or any "user@host".

    Raises:
        InputError: The file is needed but cannot be read.
        UsageError: The file has no such device.
    """
    known = load(path) if path.is_file() or not (name == LOCAL or "@" in name) else {}
    if name in known:
        return known[name]
    if name == LOCAL or "@" in name:
        return Device(name, name)
    hint = schema.nearest(name, known, f"it has {', '.join(known) or 'none'}; user@host needs no entry")
    raise UsageError(f"{path} has no device {name!r}; {hint}")
