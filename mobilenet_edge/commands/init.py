"""`mnet init`: write a sweep, budgets, devices and a CI workflow to begin with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from glob import escape
from importlib.resources import files as resources
from json import dumps
from pathlib import Path
from typing import Final

from mobilenet_edge import files
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import artifact

# Where each template goes, below the folder of the project.
PLACES: Final = {
    "mnet.toml": Path("mnet.toml"),
    "budgets.toml": Path("configs/budgets.toml"),
    "devices.toml": Path("configs/devices.toml"),
    "models.yml": Path(".github/workflows/models.yml"),
}
# Without model files: the budget that shows what one looks like.
EXAMPLE: Final = """
# [[budget]]
# name = "int8 for the Pi"
# artifact = "models/*.int8.tflite"
# size = "1.5 MB"
"""
# Room above the size of today, in percent.
ROOM: Final = 2


def run(models: Sequence[Path], out: Path = Path(), *, force: bool = False) -> list[Path]:
    """Write the files that a project with `mnet` begins with.

    Args:
        models: Model files, and folders of them, that get a budget each.
        out: Folder of the project.
        force: Overwrite files that are there already.

    Returns:
        The paths of the files.

    Raises:
        InputError: A file is there already, cannot be written, or a model cannot be read.
    """
    paths = {name: out / place for name, place in PLACES.items()}
    if not force and (present := [path for path in paths.values() if path.exists()]):
        raise InputError(f"{present[0]} is there already; write elsewhere with --out, or overwrite it with --force")
    texts = {name: template(name) for name in paths}
    texts["budgets.toml"] += "".join(map(_budget, artifact.find(models))) or EXAMPLE
    files.write_together({path: texts[name].encode() for name, path in paths.items()})
    return list(paths.values())


def template(name: str) -> str:
    """Return the text of a template that comes with the package."""
    return (resources("mobilenet_edge.commands") / "templates" / name).read_text(encoding="utf-8")


def _budget(path: Path) -> str:
    """Return a budget that the file keeps with a little room; strings of JSON are strings of TOML too."""
    limit = math.ceil(artifact.read(path).size_bytes * (1 + ROOM / 100) / 1000)
    pattern = escape(path.name if path.is_absolute() else path.as_posix())
    name, pattern = (dumps(text, ensure_ascii=False) for text in (path.name, pattern))
    return f'\n[[budget]]\nname = {name}\nartifact = {pattern}\nsize = "{limit} kB"\n'
