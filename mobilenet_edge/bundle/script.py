"""Write `classify.py`: numpy, Pillow and one runtime, with the arithmetic of one model's pixels."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from string import Template
from textwrap import indent
from typing import Final, NamedTuple

import numpy as np

from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device.runtimes import RUNTIMES
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput


class _Lines(NamedTuple):
    """What differs by runtime: imports, how the model is opened and how it is run."""

    imports: str
    opening: str
    running: str


_RUNTIMES: Final = {
    "tflite": _Lines(
        """\
try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:  # 32-bit systems
    from tflite_runtime.interpreter import Interpreter""",
        """\
MODEL = Interpreter(model_path=str(HERE / "model.tflite"), num_threads=4)
MODEL.allocate_tensors()""",
        """\
MODEL.set_tensor(MODEL.get_input_details()[0]["index"], prepare(image))
MODEL.invoke()
outputs = MODEL.get_tensor(MODEL.get_output_details()[0]["index"]).reshape(-1).astype(np.float32)""",
    ),
    "onnx": _Lines(
        "import onnxruntime",
        'MODEL = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])',
        "outputs = MODEL.run(None, {MODEL.get_inputs()[0].name: prepare(image)})[0].reshape(-1).astype(np.float32)",
    ),
}
# How outputs become probabilities, and in which order the classes are; the lower index first where they are equal.
_SOFTMAX: Final = """\
order = np.argsort(-outputs, kind="stable")
powers = np.exp(outputs.astype(np.float64) - outputs.max())
probabilities = powers / powers.sum()"""
_PROBABILITIES: Final = 'probabilities, order = outputs, np.argsort(-outputs, kind="stable")'
_HEADS: Final[Mapping[Head, str]] = {
    Head.classes: _PROBABILITIES,
    Head.labels: _PROBABILITIES,
    Head.logits: _SOFTMAX,
    Head.features: _SOFTMAX,  # an average of one map a class
    Head.probability: """\
second = float(outputs[0])  # of two classes
probabilities = np.array([1 - second, second])
order = np.argsort(-probabilities, kind="stable")""",
    Head.logit: """\
logits = np.array([-outputs[0], outputs[0]], np.float64)  # of two classes
probabilities = (1 + np.tanh(logits / 2)) / 2
order = np.argsort(-logits, kind="stable")""",
}


def write(model: Deployment) -> str:
    """Write the program for a model."""
    rule, taken = model.rule, model.input
    runtime = _RUNTIMES[model.artifact.format]
    several = model.head is Head.labels
    words, lines = _fit(rule)
    return template("classify.py.in").substitute(
        file=model.file,
        runtime=RUNTIMES[model.runtime].title,
        imports=runtime.imports,
        open=runtime.opening,
        width=rule.size[1],
        height=rule.size[0],
        fit_words=words,
        fit=indent(lines, "    "),
        shape="x".join(map(str, taken.shape)),
        dtype=taken.dtype,
        colour=rule.colour,
        pixels='fit(upright_rgb(image)).convert("L")' if rule.colour == "grey" else "fit(upright_rgb(image))",
        order={"rgb": "", "bgr": "[..., ::-1]", "grey": "[..., np.newaxis]"}[rule.colour],
        scale=_numbers(rule.scale),
        offset=_numbers(rule.offset),
        layout=indent(_layout(taken), "    "),
        run=indent(f"{runtime.running}\n{_dequantise(model.grid)}".rstrip(), "    "),
        head=indent(_HEADS[model.head], "    "),
        only=f" if outputs[index] > {model.head.threshold}" if several else "",
        only_words=", of those above one half" if several else "",
    )


def template(name: str) -> Template:
    """Read a template of this package."""
    return Template((files(__package__) / "templates" / name).read_text(encoding="utf-8"))


def _fit(rule: Preprocess) -> tuple[str, str]:
    """Describe how a picture is fitted, and write the lines that do what `data.prepare.fit` does."""
    resize = f"image.resize({{}}, Image.Resampling.{rule.filter.upper()}{{}})"
    match rule.fit:
        case "stretch":
            return (
                "Scale the whole picture to the size of the input.",
                f"return {resize.format('(WIDTH, HEIGHT)', '')}",
            )
        case "pad":
            return (
                "Scale the whole picture into the size of the input, between bars.",
                "factor = min(WIDTH / image.width, HEIGHT / image.height)\n"
                "size = max(1, round(image.width * factor)), max(1, round(image.height * factor))\n"
                f'whole = Image.new("RGB", (WIDTH, HEIGHT), {rule.pad})\n'
                f"whole.paste({resize.format('size', '')}, ((WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2))\n"
                "return whole",
            )
    return (
        f"Scale the centre {rule.crop:g} of the largest rectangle of the input's shape.",
        "wide = image.width * HEIGHT > image.height * WIDTH\n"
        f"across = image.height * {rule.crop!r} * (WIDTH / HEIGHT) if wide else image.width * {rule.crop!r}\n"
        f"down = image.height * {rule.crop!r} if wide else image.width * {rule.crop!r} * (HEIGHT / WIDTH)\n"
        "left, top = (image.width - across) / 2, (image.height - down) / 2\n"
        f"return {resize.format('(WIDTH, HEIGHT)', ', box=(left, top, left + across, top + down)')}",
    )


def _layout(taken: ImageInput) -> str:
    """Write what is between pixels and tensor: order of axes, integer grid."""
    lines = "values = values.transpose(2, 0, 1)\n" if taken.channels_first else ""
    if taken.scale:
        limits = np.iinfo(taken.dtype)
        steps = f"values / {taken.scale!r}{_plus(taken.zero_point or 0)}"
        lines += f"values = np.clip(np.rint({steps}), {limits.min}, {limits.max})\n"
    return lines


def _dequantise(grid: tuple[float, int] | None) -> str:
    if grid is None:
        return ""
    return f"outputs = (outputs{_plus(-grid[1])}) * np.float32({grid[0]!r})\n"


def _plus(number: float) -> str:
    return "" if not number else f" {'+' if number > 0 else '-'} {abs(number):g}"


def _numbers(numbers: tuple[float, ...]) -> str:
    """Write one number for channels that are alike."""
    return repr(numbers[0]) if len(set(numbers)) == 1 else repr(numbers)
