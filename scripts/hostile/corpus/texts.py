"""Hostile text: metadata that is none or contradicts its model, and records that are none."""

from __future__ import annotations

import base64
import json
import random
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

from corpus import protobuf, zips
from corpus.case import EITHER, REFUSED, Case
from corpus.flips import FLIPS

KEY: Final = b"mobilenet_edge"
LABELS: Final = b"mobilenet_edge.labels"
# What a field of another kind may be put in place of.
JUNK: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 1e308, 10**400, "", "x", "\x1b[31m\n|<b>", "\ud800", [], [[]], {}, {"a": []}, [None], "9" * 5000,
)  # fmt: skip
# Behind `json.loads` these are floats that JSON cannot write.
RAW: Final = ("NaN", "Infinity", "-Infinity", "1e999")
LIES: Final[dict[str, Any]] = {
    "io": "uint8", "classes": 11, "precision": None, "preprocess.size": [64, 64], "labels": ["a", "b"], "input": None,
}  # fmt: skip


def metadata(name: str, data: bytes) -> dict[str, Any]:
    """Read a sound file's metadata."""
    if name.endswith(".onnx"):
        text = next(dict(_pair(entry))[2] for entry in _entries(data) if dict(_pair(entry))[1] == KEY)
    else:
        text = dict(zips.members(data))[zips.METADATA]
    return dict(json.loads(text))


def with_metadata(name: str, data: bytes, text: bytes) -> bytes:
    """Replace a file's metadata."""
    if name.endswith(".onnx"):
        fields = [(n, kind, _entry(text) if n == 14 and KEY in dict(_pair(old)).values() else old)
                  for n, kind, old in protobuf.split(data)]  # fmt: skip
        return protobuf.joined(fields)
    held = [(each, text if each == zips.METADATA else old) for each, old in zips.members(data)]
    # Not packed again: the weights of a .keras take their time.
    return zips.packed(zips.prefix(data), held, zipfile.ZIP_STORED)


def schemas(name: str, data: bytes) -> Iterator[Case]:
    """Metadata of a newer version, without its fields, with other kinds of values, and with numbers JSON has not."""
    own = metadata(name, data)
    for version in (0, 3, 99, "1", None, [1]):
        text = json.dumps({**own, "schema_version": version})
        yield Case(
            f"version-{version}-{name}",
            "metadata of another version",
            with_metadata(name, data, text.encode()),
            REFUSED,
        )
    needed = ("schema_version", "variant", "precision", "classes", "macs", "parameters", "preprocess", "weights")
    for field in own:
        text = json.dumps({key: value for key, value in own.items() if key != field})
        codes = REFUSED if field in needed else EITHER
        yield Case(
            f"without-{field}-{name}", "metadata of the wrong schema", with_metadata(name, data, text.encode()), codes
        )
        for number, junk in enumerate(JUNK):
            text = json.dumps({**own, field: junk})
            made = with_metadata(name, data, text.encode("utf-8", "surrogatepass"))
            yield Case(f"junk-{field}-{number}-{name}", "metadata of the wrong schema", made, EITHER)
    for part in ("preprocess", "spec", "agreement", "calibration", "weights"):
        for field in own.get(part) or ():
            for number, junk in enumerate((*JUNK, *RAW)):
                mark = "@@" if junk in RAW else junk
                text = json.dumps({**own, part: {**own[part], field: mark}}).replace('"@@"', str(junk))
                made = with_metadata(name, data, text.encode("utf-8", "surrogatepass"))
                yield Case(f"junk-{part}.{field}-{number}-{name}", "metadata of the wrong schema", made, EITHER)
    for title, junk in (
        ("list", b"[]"),
        ("empty", b""),
        ("deep", b"[" * 100_000),
        ("binary", bytes(range(256))),
        ("null", b"null"),
    ):
        yield Case(f"metadata-{title}-{name}", "metadata of the wrong schema", with_metadata(name, data, junk), REFUSED)


def lies(name: str, data: bytes) -> Iterator[Case]:
    """Metadata that says something else than the model: `mnet inspect` shows it, what runs the file refuses it."""
    own = metadata(name, data)
    other = "int8" if own["precision"] != "int8" else "float32"
    grid = {"scale": 0.5, "zero_point": 3} if own["io"] != "float32" and name.endswith(".tflite") else None
    for field, lie in {**LIES, "precision": other, "input": grid}.items():
        part, _, inner = field.partition(".")
        if field == "input" and grid is None:
            continue
        made = {**own, part: {**own[part], inner: lie} if inner else lie}
        if field == "io":
            made["input"] = made["output"] = {"scale": 1.0, "zero_point": 0}
        text = json.dumps(made).encode()
        yield Case(f"lie-{field}-{name}", "metadata that contradicts the model", with_metadata(name, data, text),
                   frozenset({0}), REFUSED)  # fmt: skip


def labels(name: str, data: bytes) -> Iterator[Case]:
    """Labels of an .onnx file that unpack to far more than they are, or not at all."""
    bomb = base64.b64encode(zlib.compress(b"\n" * zips.BOMB, 9))
    for title, text in (("bomb", bomb), ("half", bomb[: len(bomb) // 2 * 4 // 4]), ("none", b"!"), ("empty", b"")):
        category = "zip bombs" if title == "bomb" else "metadata of the wrong schema"
        added = protobuf.chunk(14, protobuf.chunk(1, LABELS) + protobuf.chunk(2, text))
        yield Case(f"labels-{title}-{name}", category, data + added, REFUSED)


def records(name: str, data: bytes, chance: random.Random) -> Iterator[Case]:
    """JSON of the wrong schema, of other versions, and with characters changed."""
    whole = json.loads(data) if name.endswith(".json") else None
    entry = whole[0] if isinstance(whole, list) else whole
    wrap = (lambda each: [each]) if isinstance(whole, list) else (lambda each: each)
    for version in (0, 3, 99, "1", None):
        if entry is not None:
            text = json.dumps(wrap({**entry, "schema_version": version})).encode()
            yield Case(f"version-{version}-{name}", "records of another version", text, REFUSED)
    for field in entry or ():
        text = json.dumps(wrap({key: value for key, value in entry.items() if key != field})).encode()
        yield Case(f"without-{field}-{name}", "records of the wrong schema", text)
        for number, junk in enumerate((*JUNK, *RAW)):
            made = json.dumps(wrap({**entry, field: "@@" if junk in RAW else junk})).replace('"@@"', str(junk))
            yield Case(
                f"junk-{field}-{number}-{name}", "records of the wrong schema", made.encode("utf-8", "surrogatepass")
            )
    for title, text in (
        ("null", b"null"),
        ("deep", b"[" * 100_000),
        ("nested", b'[{"a":' * 50_000),
        ("text", b'"x"'),
        ("five", b"[5]"),
    ):
        yield Case(f"{title}-{name}", "records of the wrong schema", text, REFUSED)
    for index in range(120):
        damaged = bytearray(data)
        for _ in range(chance.choice(FLIPS)):
            damaged[chance.randrange(len(damaged))] = chance.choice(b'0123456789"[]{},:.eEnullx\xff\0')
        yield Case(f"typo{index}-{name}", "records with characters changed", bytes(damaged))


def _entries(data: bytes) -> list[bytes]:
    return [old for number, _, old in protobuf.split(data) if number == 14]


def _pair(entry: bytes) -> list[tuple[int, bytes]]:
    return [(number, held) for number, _, held in protobuf.split(entry)]


def _entry(text: bytes) -> bytes:
    return protobuf.chunk(1, KEY) + protobuf.chunk(2, text)
