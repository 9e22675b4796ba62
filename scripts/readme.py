"""Write the generated parts of the documentation; `--check` fails where they are stale.

These are the help text in README.md, the variants in docs/getting-started.md, and docs/api.md, which is made of
docstrings.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mobilenet_edge
from mobilenet_edge import files
from mobilenet_edge.commands import plan

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
START = ROOT / "docs" / "getting-started.md"
API = ROOT / "docs" / "api.md"
# In the order of a model's way; the names of mobilenet_edge.__all__.
NAMES = (
    "build",
    "convert",
    "evaluate",
    "profile",
    "tradeoff",
    "recommend",
    "ModelSpec",
    "Artifact",
    "Table",
    "MnetError",
)


def main() -> int:
    """Write what is generated, or with --check compare it; 1 if something is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 if something is stale")
    options = parser.parse_args()
    pages = {
        README: fill(README.read_text(), "help", f"```text\n{help_text()}\n```"),
        START: fill(START.read_text(), "variants", plan.run()[0]),
        API: api_page(),
    }
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    if options.check:
        for path in stale:
            print(f"{path.name} is stale; run: make format", file=sys.stderr)
        return int(bool(stale))
    for path in stale:
        files.write_text(path, pages[path])
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


def api_page() -> str:
    """Lay out the docstrings of the public names."""
    parts = ["# The Python API\n\n    import mobilenet_edge as me\n\nMade from the docstrings by `make format`."]
    for name in NAMES:
        value = getattr(mobilenet_edge, name)
        signature = _signature(value) if inspect.isfunction(value) else ""
        parts.append(f"## `{name}`\n\n```text\n{name}{signature}\n\n{inspect.getdoc(value)}\n```")
    return "\n\n".join(parts) + "\n"


def _signature(function: Callable[..., Any]) -> str:
    """Lay out a signature with a line for each parameter; annotations are texts."""
    signature = inspect.signature(function)
    lines = [
        f"    {name}: {parameter.annotation}"
        + ("" if parameter.default is parameter.empty else f" = {parameter.default!r}")
        for name, parameter in signature.parameters.items()
    ]
    return "(\n" + ",\n".join(lines) + f"\n) -> {signature.return_annotation}"


if __name__ == "__main__":
    sys.exit(main())
