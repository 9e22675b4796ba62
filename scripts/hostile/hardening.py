"""Run what is tried against `mnet`, and write what came of it into scripts/hostile/README.md.

`scripts/hostile/hardening.py` reads and opens the whole corpus of damaged files; with `ROWS.json …` it takes in
what other scripts found: arrays of {"area", "what", "tried", "right", "refused", "bad"}. Rows of an area replace those
that are in the page. Exits with 1 if anything was lost, leaked, crashed or hung.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from corpus import opened, run, seeds

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from readme import fill  # noqa: E402

from mobilenet_edge import files  # noqa: E402
from mobilenet_edge.report.markdown_table import Column, grid  # noqa: E402

PAGE: Final = Path(__file__).parent / "README.md"
REGION: Final = "hardening"
READ: Final = "Corrupt files, read"
OPENED: Final = "Corrupt files, run"
COLUMNS: Final = (
    Column("area", True), Column("what was tried", True), Column("tried"), Column("right result"),
    Column("refused in one line"), Column("lost, leaked, crashed or hung"),
)  # fmt: skip
KEYS: Final = ("area", "what", "tried", "right", "refused", "bad")

Row = dict[str, Any]


def main() -> int:
    """Collect rows and write the page; 1 if anything is bad."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=Path, metavar="ROWS.json", help="what another script found")
    parser.add_argument("--sound", type=Path, metavar="DIR", help="where the sound files are kept; made if it is empty")
    parser.add_argument("--step", type=int, default=1, help="read every so many-th file of the corpus only")
    options = parser.parse_args()
    found = [row for path in options.rows for row in json.loads(path.read_text())] or _corpus(options)
    merged = merge(parse(PAGE.read_text()), found)
    files.write_text(PAGE, fill(PAGE.read_text(), REGION, table(merged)))
    return int(any(row["bad"] for row in merged))


def parse(text: str) -> list[Row]:
    """Read the rows of the page."""
    inside = text.partition(f"<!-- {REGION} -->")[2].partition(f"<!-- /{REGION} -->")[0]
    lines = [line for line in inside.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(KEYS, [*row[:2], *map(int, row[2:])], strict=True)) for row in cells]


def merge(before: Sequence[Row], found: Sequence[Row]) -> list[Row]:
    """Replace areas; new ones come last."""
    areas = {row["area"] for row in found}
    order = list(dict.fromkeys(row["area"] for row in (*before, *found)))
    rows = [*(row for row in before if row["area"] not in areas), *found]
    return sorted(rows, key=lambda row: order.index(row["area"]))


def table(rows: Sequence[Row]) -> str:
    """Lay the rows out as Markdown."""
    return grid(COLUMNS, [[str(row[key]) for key in KEYS] for row in rows])


def _corpus(options: argparse.Namespace) -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        sound = options.sound or Path(name)
        if not any(sound.glob("*.keras")):
            seeds.make(sound)
        read, ran = run.read(sound, options.step), opened.run(sound)
        _tell((*read, *ran))
        return [*run.rows(READ, read), *run.rows(OPENED, ran)]


def _tell(outcomes: Iterable[run.Outcome]) -> None:
    for each in outcomes:
        if each.bad:
            print(f"{each.category}: {each.name}: {each.bad}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
