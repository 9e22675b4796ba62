"""Write the generated parts of the documentation; `--check` fails where they are stale.

These are the verbs in README.md, the variants in docs/getting-started.md, and, from docstrings, docs/api.md and the
fields in docs/records.md.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import mobilenet_edge
from mobilenet_edge import files
from mobilenet_edge.analysis import wording
from mobilenet_edge.commands import plan
from mobilenet_edge.records import KINDS, ArtifactRecord, Record, Remark

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
START = ROOT / "docs" / "getting-started.md"
API = ROOT / "docs" / "api.md"
RECORDS = ROOT / "docs" / "records.md"
JSON_TYPES = {
    str: "string",
    bool: "bool",
    int: "int",
    float: "float",
    dict: "object",
    Remark: "remark",
    NoneType: "null",
}
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
        RECORDS: records_page(RECORDS.read_text()),
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
    """Return the verbs that `mnet --help` lists, as they look on a plain terminal of 100 columns."""
    mnet = Path(sys.executable).with_name("mnet")
    plain = {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1", "TERM": "dumb"}
    shown = subprocess.run([mnet, "--help"], env={**os.environ, **plain}, capture_output=True, text=True, check=True)
    _, verbs = shown.stdout.split("Commands:\n")
    return "\n".join(line.strip() for line in verbs.rstrip().splitlines())


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


def records_page(text: str) -> str:
    """Fill in the fields of every record and the codes of the remarks."""
    text = fill(text, "record", "\n".join(_fields(ArtifactRecord, Record)))
    for kind, record in KINDS.items():
        base = ArtifactRecord if issubclass(record, ArtifactRecord) else Record
        derived = _described(record.derived, "Returns")
        lines = [*_fields(record, base), *(_item(name, "derived", about) for name, about in derived.items())]
        text = fill(text, kind, "\n".join(lines))
    for name in ("doubts", "notes", "contradictions", "pictures", "calibration", "training"):
        sentences = getattr(wording, name.upper())
        text = fill(text, f"{name} codes", textwrap.fill(", ".join(map(_code, sentences)) + ".", 120, **WRAP))
    return text


WRAP = {"break_long_words": False, "break_on_hyphens": False}


def _fields(cls: type, base: type | None = None, indent: str = "") -> Iterator[str]:
    """List the fields that a dataclass adds to its base, with those of the dataclasses in them."""
    inherited = {field.name for field in fields(base)} if base else set()
    hints, about = get_type_hints(cls), _described(cls, "Attributes")
    for field in fields(cls):
        if field.name not in inherited:
            yield _item(field.name, _json_type(hints[field.name]), about[field.name], indent)
            for part in get_args(hints[field.name]):
                if is_dataclass(part) and part is not Remark:
                    yield from _fields(part, indent=indent + "  ")


def _described(thing: Any, section: str) -> dict[str, str]:
    """Parse the names and descriptions of one section of a docstring."""
    _, _, block = (inspect.getdoc(thing) or "").partition(f"{section}:\n")
    entries = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", block.partition("\n\n")[0], re.MULTILINE)
    return {name: re.sub(r"\bNone\b", "null", " ".join(about.split())) for name, about in entries}


def _item(name: str, type_name: str, about: str, indent: str = "") -> str:
    first, rest = f"{indent}- ", f"{indent}  "
    return textwrap.fill(f"`{name}` ({type_name}): {about}", 120, initial_indent=first, subsequent_indent=rest, **WRAP)


def _json_type(hint: Any) -> str:
    if isinstance(hint, UnionType):
        return " or ".join(map(_json_type, get_args(hint)))
    if get_origin(hint) is tuple:
        first, *rest = get_args(hint)
        return f"array of {'' if rest == [...] else f'{len(rest) + 1} '}{_json_type(first)}s"
    return "object" if is_dataclass(hint) and hint is not Remark else JSON_TYPES[get_origin(hint) or hint]


def _code(code: str) -> str:
    values = ", ".join(f"`{name}`" for name in wording.fields(wording.SENTENCES[code]))
    return f"`{code}`" + (f" ({values})" if values else "")


if __name__ == "__main__":
    sys.exit(main())
