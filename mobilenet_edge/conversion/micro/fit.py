"""Tell whether a file runs in TensorFlow Lite for Microcontrollers, and whether a board has the memory for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mobilenet_edge.conversion.micro import footprint
from mobilenet_edge.conversion.micro.boards import Board
from mobilenet_edge.conversion.micro.footprint import Footprint
from mobilenet_edge.conversion.micro.resolver import OPERATORS, SOURCE
from mobilenet_edge.errors import BuildError, HostError, MissingExtraError
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.model import mlperf
from mobilenet_edge.model.spec import ModelSpec

NO_KERNEL = "not among the operators of TensorFlow Lite for Microcontrollers"


@dataclass(frozen=True)
class Fit:
    """A file against the interpreter and a board.

    Attributes:
        contents: Of the file.
        taken: The memory that it takes; None where the interpreter refuses it or is not installed.
        refusal: Why the interpreter refuses it, or is not asked; empty where it runs it.
        board: The board, None for none.
        published: What was published for this shape of model on this board.
    """

    contents: Contents
    taken: Footprint | None
    refusal: str
    board: Board | None
    published: tuple[mlperf.TinyResult, ...]

    @property
    def lacks(self) -> tuple[str, ...] | None:
        """Which memories of the board are too small; None without a board, or where the file does not run."""
        return self.taken.lacks(self.board) if self.taken and self.board else None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of records."""
        ops = [
            {
                "index": index,
                "kind": operator.kind,
                "output": (*operator.outputs, "")[0],
                "mapped": operator.kind in OPERATORS,
                "reason": "" if operator.kind in OPERATORS else NO_KERNEL,
            }
            for index, operator in enumerate(self.contents.operators)
        ]
        return {
            "target": "tflm",
            "source": SOURCE,
            "mapped": sum(op["mapped"] for op in ops),
            "total": len(ops),
            "refusal": self.refusal,
            **(asdict(self.taken) if self.taken else dict.fromkeys(("flash_bytes", "arena_bytes", "interpreter"))),
            "board": asdict(self.board) if self.board else None,
            "lacks": None if self.lacks is None else list(self.lacks),
            "published": [asdict(result) | {"ms": result.ms} for result in self.published],
            "ops": ops,
        }


def check(path: Path, data: bytes, contents: Contents, spec: ModelSpec | None, board: Board | None = None) -> Fit:
    """Run a file in the interpreter and hold what it takes to a board.

    Args:
        path: Names the file in messages.
        data: Its content.
        contents: The same, read.
        spec: The MobileNet that it is, None for another model.
        board: The board, None for the operators alone.

    Raises:
        MissingExtraError: The interpreter is not installed, and a board is asked about.
    """
    published = mlperf.results(spec, board.name) if board else ()
    if any(kind not in OPERATORS for kind in contents.ops):
        return Fit(contents, None, "it lacks operators", board, published)
    try:
        return Fit(contents, footprint.measure(path, data), "", board, published)
    except (BuildError, HostError) as error:  # of one file among others
        return Fit(contents, None, str(error), board, published)
    except MissingExtraError as error:
        if board is not None:
            raise
        return Fit(contents, None, str(error), None, ())
