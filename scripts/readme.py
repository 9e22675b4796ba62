"""Write the generated parts of README.md: help text and variants; `--check` fails where they are stale.

The demo's table was measured, so it is not checked: `scripts/readme.py --demo FILE` puts a new one in.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from mobilenet_edge import files
from mobilenet_edge.commands import plan

README = Path(__file__).parents[1] / "README.md"


def main() -> int:
    """Fill the regions, or with --check compare them; 1 if README.md is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 if README.md is stale")
    parser.add_argument("--demo", type=Path, metavar="FILE", help="table that `make demo` wrote")
    options = parser.parse_args()
    contents = {"help": f"```text\n{help_text()}\n```", "variants": plan.run()[0]}
    if options.demo:
        contents["demo"] = options.demo.read_text()
    before = README.read_text()
    after = before
    for name, content in contents.items():
        after = fill(after, name, content)
    if options.check:
        if after != before:
            print("README.md is stale; run: make format", file=sys.stderr)
        return int(after != before)
    if after != before:
        files.write_text(README, after)
    return 0


def fill(text: str, name: str, content: str) -> str:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->`; each must be there once."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{begin} … {end} must be in the text exactly once")
    region = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    return region.sub(lambda _: f"{begin}\n{content.strip()}\n{end}", text)


def help_text() -> str:
    """Run `mnet --help` as it looks on a plain terminal of 100 columns."""
    mnet = Path(sys.executable).with_name("mnet")
    plain = {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"}
    shown = subprocess.run([mnet, "--help"], env={**os.environ, **plain}, capture_output=True, text=True, check=True)
    return "\n".join(line.rstrip() for line in shown.stdout.strip("\n").splitlines())


if __name__ == "__main__":
    sys.exit(main())
