"""Put a bundle together, have it pass its own test, and write it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files
from mobilenet_edge.bundle import cpp, guide, pins, script
from mobilenet_edge.bundle import examples as chosen
from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.bundle.examples import Example
from mobilenet_edge.errors import BuildError, InputError
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.records import Record

FACTS: Final = "bundle.json"
# Importing a runtime and three pictures, on a busy machine.
TEST_SECONDS: Final = 300.0


def contents(model: Deployment, examples: Sequence[Example], records: Sequence[Record]) -> dict[str, bytes]:
    """Return the files of a bundle for a board with Python, by their place in it."""
    pictures = {f"pictures/{n}{each.path.suffix.lower()}": each for n, each in enumerate(examples, 1)}
    facts = {**origin(model.artifact), **chosen.document(model, examples, list(pictures))}
    texts = {
        "README.md": guide.write(model, records),
        "classify.py": script.write(model),
        "test.py": script.template("test.py.in").template,
        "requirements.txt": pins.write(model),
        FACTS: json.dumps(facts, indent=1) + "\n",
    }
    return {
        model.file: model.artifact.data,
        "labels.txt": labels(model),
        **{name: text.encode() for name, text in texts.items()},
        **{name: files.read_bytes(each.path) for name, each in pictures.items()},
    }


def cpp_contents(model: Deployment, examples: Sequence[Example], records: Sequence[Record]) -> dict[str, bytes]:
    """Return the files of a bundle in C++; the pictures of the examples are PPM.

    Raises:
        UsageError: As `cpp.write` says.
    """
    pictures = {f"pictures/{n}.ppm": each for n, each in enumerate(examples, 1)}
    output = model.artifact.contents.tensors[model.artifact.contents.outputs[0]]
    texts = {
        "README.md": guide.write(model, records, "CPP.md.in"),
        "classify.cc": cpp.write(model, output.elements, output.dtype),
        "test.sh": script.template("test.sh.in").template,
        "expected.tsv": "".join(f"{name}\t{each.label}\n" for name, each in pictures.items()),
        FACTS: json.dumps(origin(model.artifact), indent=1) + "\n",
    }
    return {
        model.file: model.artifact.data,
        "labels.txt": labels(model),
        **{name: text.encode() for name, text in texts.items()},
        **{name: files.read_bytes(each.path) for name, each in pictures.items()},
    }


def labels(model: Deployment) -> bytes:
    """Return the names of the outputs, a line each."""
    return "".join(f"{name}\n" for name in model.names).encode()


def origin(artifact: Artifact) -> dict[str, Any]:
    """Return what stays the same when the same model is bundled again."""
    about = artifact.metadata
    return {
        "variant": artifact.identity()["variant"],
        "weights": about.weights.sha256 if about and about.weights.sha256 else artifact.sha256,
    }


def refuse(out: Path, names: Sequence[str], artifact: Artifact, *, force: bool = False) -> None:
    """Refuse to write over files, unless they are a bundle of the same model.

    Raises:
        InputError: Something else is there.
    """
    there = next((name for name in names if (out / name).exists()), None)
    if there is None or force:
        return
    try:
        facts = json.loads(files.read_bytes(out / FACTS))
        same = {name: facts[name] for name in ("variant", "weights")} == origin(artifact)
    except (InputError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise InputError(
            f"{out / there} is there already and belongs to no bundle of this model; write elsewhere with --out, or "
            "overwrite it with --force"
        )


def try_out(bundle: Mapping[str, bytes]) -> None:
    """Run a bundle's test in a temporary folder.

    Raises:
        BuildError: It fails, or ends in an error.
    """
    with tempfile.TemporaryDirectory(prefix="mnet-") as place:
        write(Path(place), bundle)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        try:
            done = subprocess.run(
                [sys.executable, "test.py"], cwd=place, env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True, text=True, timeout=TEST_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"the bundle's test took more than {TEST_SECONDS:g} s; run it again") from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
        raise BuildError(f"the bundle fails its own test here, so it was not written ({said[-1]}); please report this")


def write(out: Path, bundle: Mapping[str, bytes]) -> None:
    """Write the files of a bundle; none is replaced before all are written.

    Raises:
        InputError: One cannot be written.
    """
    files.write_together({out / name: data for name, data in bundle.items()})
