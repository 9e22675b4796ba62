"""Read damaged files, many of each kind, and tell what ended in anything but an answer or one line of refusal.

    python scripts/hostile/fuzz.py                        2000 inputs for each reader
    python scripts/hostile/fuzz.py --seconds 60 onnx      as many as one minute takes

The readers, their seeds and the damage are those of tests/properties. An input that makes a finding is kept in --out.
The same --seed gives the same inputs. Ends with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

PACKAGE = "mobilenet_edge"


@dataclass
class Tally:
    """What became of the inputs of one reader.

    Attributes:
        name: Of the reader.
        out: Folder for inputs that make findings.
        runs: Inputs read.
        refused: Those that were refused as they should be.
        slowest: Seconds that the slowest took.
        findings: Where each kind of finding was made, and its first input.
    """

    name: str
    out: Path
    runs: int = 0
    refused: int = 0
    slowest: float = 0.0
    findings: dict[str, Path] = field(default_factory=dict)

    def read(self, refused: Callable[[bytes], bool], data: bytes) -> None:
        """Read an input and count what became of it."""
        self.runs += 1
        began = time.perf_counter()
        try:
            self.refused += refused(data)
        except Exception as error:  # noqa: BLE001 - what is looked for
            self._keep(_place(error), data)
        self.slowest = max(self.slowest, time.perf_counter() - began)

    def _keep(self, place: str, data: bytes) -> None:
        if place not in self.findings:
            path = self.out / f"{self.name}-{len(self.findings)}.bin"
            self.out.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            self.findings[place] = path

    def lines(self) -> list[str]:
        """What to print."""
        head = f"{self.name:10}{self.runs:8} inputs, {self.refused / max(self.runs, 1):4.0%} refused"
        found = [f"    {place}: {path}" for place, path in self.findings.items()]
        return [f"{head}, slowest {self.slowest * 1e3:.0f} ms, {len(found)} findings", *found]


def main(arguments: list[str] | None = None) -> int:
    """Fuzz the readers that were named; 1 if anything was found."""
    from tests.properties.readers import READERS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)}; all by default")
    parser.add_argument("--examples", type=int, default=2000, help="inputs for each (2000)")
    parser.add_argument("--seconds", type=float, help="go on for so long for each, instead")
    parser.add_argument("--seed", type=int, default=0, help="where the numbers begin (0)")
    parser.add_argument("--out", type=Path, default=Path("results/fuzz"), help="folder for inputs that make findings")
    options = parser.parse_args(arguments)
    if unknown := set(options.readers) - set(READERS):
        parser.error(f"no reader {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    found = 0
    for name in options.readers or READERS:
        tally = Tally(name, options.out)
        plain(tally, READERS[name], options)
        print(*tally.lines(), sep="\n", flush=True)
        found += len(tally.findings)
    return int(bool(found))


def plain(tally: Tally, reader: Any, options: Any) -> None:
    """Damage the seeds of a reader, a number for each input."""
    from tests.properties.readers import refused

    seeds, number, began = reader.seeds(), options.seed, time.monotonic()

    def over() -> bool:
        return time.monotonic() - began >= options.seconds if options.seconds else tally.runs >= options.examples

    while not over():
        chance = Random(number)
        tally.read(lambda data: refused(reader, data), reader.mutate(chance.choice(seeds), chance))
        number += 1


def _place(error: Exception) -> str:
    """What was raised, and by which line of the package, or else of the test."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if f"/{PACKAGE}/" in each.filename] or frames
    return f"{type(error).__name__} at {Path(own[-1].filename).name}:{own[-1].lineno}"


if __name__ == "__main__":
    sys.exit(main())
