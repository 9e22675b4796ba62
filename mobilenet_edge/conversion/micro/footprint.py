"""Measure the memory that a file needs on a microcontroller, by running the interpreter of tflite-micro."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge.conversion.micro import c_source
from mobilenet_edge.conversion.micro.boards import Board
from mobilenet_edge.device.runtimes import RUNTIMES
from mobilenet_edge.errors import BuildError, InputError, MissingExtraError
from mobilenet_edge.hosts.local import Local

RUNTIME: Final = "tflm"
# A search takes under a second; the machine may be busy.
LIMIT_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Footprint:
    """What a file takes.

    Attributes:
        flash_bytes: Its array: the file without its metadata. The program's code is not counted.
        arena_bytes: Smallest arena. Stack and other variables are not counted.
        interpreter: Name and version of the interpreter.
    """

    flash_bytes: int
    arena_bytes: int
    interpreter: str

    def lacks(self, board: Board) -> tuple[str, ...]:
        """Return which memories of a board are too small, "flash" or "RAM"; empty where it fits."""
        needs = (("flash", self.flash_bytes, board.flash_bytes), ("RAM", self.arena_bytes, board.ram_bytes))
        return tuple(name for name, needed, there in needs if needed > there)


def require_interpreter() -> None:
    """Require that the interpreter is installed.

    Raises:
        MissingExtraError: It is not.
    """
    if not RUNTIMES[RUNTIME].installed():
        raise MissingExtraError("the size of an arena is found with the interpreter of tflite-micro", "tflm")


def measure(path: Path, data: bytes) -> Footprint:
    """Measure a file.

    Args:
        path: Names it in messages.
        data: Its content.

    Raises:
        BuildError: The interpreter cannot run it; the message gives its reason.
        HostError: The interpreter crashed.
        MissingExtraError: It is not installed.
    """
    require_interpreter()
    with tempfile.TemporaryDirectory(prefix="mnet-") as folder:
        copy = Path(folder, path.name)
        copy.write_bytes(data)
        try:
            found = Local().run({"mode": "arena"}, {"artifact": copy}, limit_seconds=LIMIT_SECONDS)
        except InputError as error:
            raise BuildError(f"{error}; export it with --target tflm") from error
    return Footprint(len(c_source.flatbuffer(data)), found["arena_bytes"], f"tflite-micro {found['runtime_version']}")
