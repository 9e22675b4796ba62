"""The machines that can be measured, by name: configs/devices.toml."""

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
    """How a machine is reached, and what it has.

    Attributes:
        name: In options and records.
        host: As ssh takes it, or "local" for this machine.
        python: Path of the Python there, `~/` standing for the home there; None for that of `mnet setup-host`, or else
            `python3`.
        delegate: Path of a delegate's library there, None to run without.
        delegate_options: What the delegate is given.
        note: For people.
    """

    name: str
    host: str
    python: str | None = None
    delegate: str | None = None
    delegate_options: dict[str, str] = field(default_factory=dict)
    note: str | None = None

    def __post_init__(self) -> None:
        if self.delegate_options and not self.delegate:
            raise UsageError(f"{self.name} has delegate_options and no delegate; give the path of its library")


def load(path: Path) -> dict[str, Device]:
    """Read a file of devices, a table each.

    Raises:
        InputError: It cannot be read, is not TOML, or has a key or value that cannot be.
    """
    return toml.read_named(path, Device)


def find(name: str, path: Path = PATH) -> Device:
    """Find a device: "local", one of a file, or any "user@host" as it is.

    Raises:
        InputError: The file is needed, and cannot be read.
        UsageError: It has no such device.
    """
    known = load(path) if path.is_file() or not (name == LOCAL or "@" in name) else {}
    if name in known:
        return known[name]
    if name == LOCAL or "@" in name:
        return Device(name, name)
    hint = schema.nearest(name, known, f"it has {', '.join(known) or 'none'}; user@host needs no entry")
    raise UsageError(f"{path} has no device {name!r}; {hint}")
