"""Put together a page: `classify.js` with onnxruntime-web, Pillow's scaling, and one model's arithmetic."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import Final

from mobilenet_edge import files
from mobilenet_edge.bundle import cpp, folder, guide
from mobilenet_edge.bundle import examples as chosen
from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.bundle.examples import Example
from mobilenet_edge.bundle.script import template
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.records import Record

# Where a bundle looks for onnxruntime-web, of the version that was tried.
ORT: Final = "ort/ort.wasm.min.js"
VERSION: Final = "1.30.0"
_ARRAYS: Final = {"float32": "Float32Array", "int8": "Int8Array", "uint8": "Uint8Array"}
# Pillow's filters that are nowhere negative, as in C++: how far each reaches, and its value.
_FILTERS: Final[Mapping[str, tuple[str, str]]] = {
    "box": ("0.5", "return x > -0.5 && x <= 0.5 ? 1 : 0;"),
    "bilinear": ("1", "return Math.max(0, 1 - Math.abs(x));"),
    "hamming": (
        "1",
        "x = Math.abs(x) * Math.PI;\nif (x === 0) return 1;\n"
        "return x < Math.PI ? (Math.sin(x) / x) * (0.54 + 0.46 * Math.cos(x)) : 0;",
    ),
}
_SOFTMAX: Final = (
    "const most = shares.reduce((a, b) => Math.max(a, b));\n"
    "shares = shares.map((share) => Math.exp(share - most));\n"
    "const total = shares.reduce((a, b) => a + b);\n"
    "shares = shares.map((share) => share / total);"
)
_HEADS: Final[Mapping[Head, str]] = {
    Head.classes: "",
    Head.logits: _SOFTMAX,
    Head.features: _SOFTMAX,
    Head.probability: "shares = [1 - shares[0], shares[0]];",
    Head.logit: "shares = [(1 - Math.tanh(shares[0] / 2)) / 2, (1 + Math.tanh(shares[0] / 2)) / 2];",
}


def require_onnx(artifact: Artifact) -> None:
    """Refuse files that onnxruntime-web does not run.

    Raises:
        UsageError: It is no .onnx file, or its ends are none of float32, int8 and uint8.
    """
    contents = artifact.contents
    ends = {contents.tensors[name].dtype for name in (*contents.inputs, *contents.outputs)}
    if artifact.format != "onnx" or not ends <= _ARRAYS.keys():
        raise UsageError(
            f"{artifact.path}: a page is written for .onnx files of float32, int8 and uint8 ends; write one with mnet "
            "export --format onnx"
        )


def contents(model: Deployment, examples: Sequence[Example], records: Sequence[Record]) -> dict[str, bytes]:
    """Return the files of a bundle for browsers, by their place in it.

    Raises:
        UsageError: As `write` says.
    """
    pictures = {f"pictures/{n}{each.path.suffix}": each for n, each in enumerate(examples, 1)}
    facts = {**folder.origin(model.artifact), **chosen.document(model, examples, list(pictures))}
    title = html.escape(model.artifact.identity()["variant"])
    texts = {
        "README.md": guide.write(model, records, "WEB.md.in", ort=VERSION),
        "index.html": template("index.html.in").substitute(title=title),
        "classify.js": write(model),
        "test.html": template("test.html.in").template,
        folder.FACTS: json.dumps(facts, indent=1) + "\n",
    }
    return {
        model.file: model.artifact.data,
        "labels.txt": folder.labels(model),
        **{name: text.encode() for name, text in texts.items()},
        **{name: files.read_bytes(each.path) for name, each in pictures.items()},
    }


def write(model: Deployment) -> str:
    """Write the program for a model.

    Raises:
        UsageError: It answers several labels, or the filter is none of box, bilinear and hamming.
    """
    rule, taken = model.rule, model.input
    if rule.filter not in _FILTERS or model.head is Head.labels:
        what = "several labels" if model.head is Head.labels else f"the filter {rule.filter}"
        raise UsageError(f"{model.artifact.path}: a page is not written for {what}; take --for pi")
    support, value = _FILTERS[rule.filter]
    words, lines = _fit(rule)
    scale, zero_point = model.grid or (1.0, 0)
    return template("classify.js.in").substitute(
        file=model.file,
        ort=ORT,
        width=rule.size[1],
        height=rule.size[0],
        channels=rule.channels,
        scale=", ".join(map(repr, rule.scale)),
        offset=", ".join(map(repr, rule.offset)),
        colour=rule.colour,
        filter=rule.filter,
        support=support,
        weight=indent(value, "  "),
        fit_words=words,
        fit=indent(lines, "  "),
        shape="x".join(map(str, taken.shape)),
        dims=", ".join(map(str, taken.shape)),
        dtype=taken.dtype,
        array=_ARRAYS[taken.dtype],
        pixel=cpp.PIXELS[rule.colour],
        place="c * WIDTH * HEIGHT + i" if taken.channels_first else "i * CHANNELS + c",
        element=_element(taken),
        real=f"(each - {zero_point}) * {scale!r}" if model.grid else "each",
        head=indent(_HEADS[model.head], "  "),
    )


def _fit(rule: Preprocess) -> tuple[str, str]:
    whole = "0, 0, image.width, image.height"
    match rule.fit:
        case "stretch":
            return (
                "The whole picture, scaled to the size of the input.",
                f"return resize(image, WIDTH, HEIGHT, {whole});",
            )
        case "pad":
            return (
                "The whole picture, scaled into the size of the input between bars.",
                "const factor = Math.min(WIDTH / image.width, HEIGHT / image.height);\n"
                "const width = Math.max(1, rint(image.width * factor));\n"
                "const height = Math.max(1, rint(image.height * factor));\n"
                f"const inner = resize(image, width, height, {whole});\n"
                f"const bar = [{', '.join(map(str, rule.pad))}];\n"
                "const pixels = new Uint8Array(3 * WIDTH * HEIGHT).map((_, i) => bar[i % 3]);\n"
                "const left = Math.trunc((WIDTH - width) / 2), top = Math.trunc((HEIGHT - height) / 2);\n"
                "for (let y = 0; y < height; y++)\n"
                "  pixels.set(inner.pixels.subarray(3 * y * width, 3 * (y + 1) * width), "
                "3 * ((top + y) * WIDTH + left));\n"
                "return { width: WIDTH, height: HEIGHT, pixels };",
            )
    crop = repr(rule.crop)
    return (
        f"The centre {rule.crop:g} of the largest rectangle of the input's shape, scaled.",
        "const wide = image.width * HEIGHT > image.height * WIDTH;\n"
        f"const across = wide ? image.height * {crop} * (WIDTH / HEIGHT) : image.width * {crop};\n"
        f"const down = wide ? image.height * {crop} : image.width * {crop} * (HEIGHT / WIDTH);\n"
        "const left = (image.width - across) / 2, top = (image.height - down) / 2;\n"
        "return resize(image, WIDTH, HEIGHT, left, top, left + across, top + down);",
    )


def _element(taken: ImageInput) -> str:
    if not taken.scale:
        return "value"
    low, high = {"int8": (-128, 127), "uint8": (0, 255)}[taken.dtype]
    return f"step(Math.fround(value / Math.fround({taken.scale!r})), {taken.zero_point or 0:g}, {low}, {high})"
