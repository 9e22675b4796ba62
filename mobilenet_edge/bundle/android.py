"""Put together what an Android app takes: Kotlin for MediaPipe Tasks' ImageClassifier, and its assets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import indent
from typing import Final

from mobilenet_edge import files
from mobilenet_edge.bundle import folder, guide
from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.bundle.examples import Example
from mobilenet_edge.bundle.script import template
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Quantisation
from mobilenet_edge.formats.tflite import description, task_metadata
from mobilenet_edge.records import Record

# Of com.google.mediapipe:tasks-vision in Google's Maven repository.
VERSION: Final = "1.0.0"
# Of the answers of one picture.
TOP: Final = 3
_TYPES: Final = {"uint8", "float32"}
# Pillow's filters that are nowhere negative, as in C++: how far each reaches, and its value.
_FILTERS: Final = {
    "box": ("0.5", "if (x > -0.5 && x <= 0.5) 1.0 else 0.0"),
    "bilinear": ("1.0", "maxOf(0.0, 1 - Math.abs(x))"),
}
# The metadata holds float32, and a deviation is the inverse of a scale.
_TOLERANCE: Final = 1e-4


def require_ends(artifact: Artifact) -> None:
    """Refuse files whose element types MediaPipe does not take.

    Raises:
        UsageError: It is no .tflite file, or its ends are neither uint8 nor float32.
    """
    if artifact.format != "tflite":
        raise UsageError(
            f"{artifact.path} is {artifact.format}, and MediaPipe runs .tflite; write it with mnet export --format "
            "tflite, or take --for web"
        )
    contents = artifact.contents
    ends = {contents.tensors[name].dtype for name in (*contents.inputs, *contents.outputs)}
    if not ends <= _TYPES:
        raise UsageError(
            f"{artifact.path} has {', '.join(sorted(ends - _TYPES))} at its ends, and MediaPipe takes uint8 and "
            "float32; write it with mnet export --io uint8"
        )


def contents(model: Deployment, examples: Sequence[Example], records: Sequence[Record]) -> dict[str, bytes]:
    """Return the files of a bundle for Android, by their place in it.

    Raises:
        UsageError: As `write` says.
    """
    pictures = {f"pictures/{n}{each.path.suffix}": each for n, each in enumerate(examples, 1)}
    texts = {
        "README.md": guide.write(model, records, "ANDROID.md.in", tasks=VERSION),
        "Classifier.kt": write(model),
        "Pixels.kt": pixels(model.rule),
        "assets/expected.tsv": "".join(f"{name}\t{each.label}\n" for name, each in pictures.items()),
        folder.FACTS: json.dumps(folder.origin(model.artifact), indent=1) + "\n",
    }
    return {
        f"assets/{model.file}": model.artifact.data,
        "assets/labels.txt": folder.labels(model),
        **{name: text.encode() for name, text in texts.items()},
        **{f"assets/{name}": files.read_bytes(each.path) for name, each in pictures.items()},
    }


def write(model: Deployment) -> str:
    """Write the program for a model that MediaPipe runs.

    Raises:
        UsageError: MediaPipe does not take the file, or would give it other pixels than its rule.
    """
    refusal = _refusal(model)
    if refusal:
        raise UsageError(f"{model.artifact.path}: {refusal}")
    return template("Classifier.kt.in").substitute(file=model.file, version=VERSION, top=TOP)


def pixels(rule: Preprocess) -> str:
    """Write the program that fits a picture to the input by a rule, which `write` has taken."""
    words, lines = _fit(rule)
    support, value = _FILTERS[rule.filter]
    return template("Pixels.kt.in").substitute(
        width=rule.size[1],
        height=rule.size[0],
        filter=rule.filter,
        support=support,
        weight=value,
        fit_words=words,
        fit=indent(lines, " " * 4),
    )


def _refusal(model: Deployment) -> str | None:
    """Say why MediaPipe does not answer as mnet does, and what to do; None where it does."""
    rule, taken = model.rule, model.input
    if model.head is not Head.classes:
        other = "pi" if model.head is Head.labels else "cpp"
        return f"MediaPipe shows its outputs ({model.head}) as they are, not as classes' shares; take --for {other}"
    if rule.colour != "rgb" or taken.channels_first:
        what = "channels before rows" if taken.channels_first else rule.colour
        return f"MediaPipe fills inputs of red, green and blue, not of {what}; take --for cpp"
    if rule.fit == "pad":
        return "Kotlin is not written for bars beside a picture (--fit pad); take --for cpp"
    if rule.filter not in _FILTERS:
        return f"Kotlin is not written for the filter {rule.filter}; take --for pi"
    about = description.read(model.artifact.data)
    if about is None:
        return "it has no TFLite Metadata, from which MediaPipe takes the pixels; write it with mnet export"
    mean, std = task_metadata.normalisation(rule)
    if len(mean) != 1:
        return "MediaPipe scales all channels alike and upwards, which is not this file's rule; take --for cpp"
    if taken.dtype == "uint8":
        same = task_metadata.holds_bytes(Quantisation(taken.scale or 1.0, int(taken.zero_point or 0)), rule)
    else:
        # One number for all channels, or three that are alike.
        same = {*map(len, (about.mean, about.std))} <= {1, 3} and all(
            abs(found - right) <= _TOLERANCE * max(1, abs(right))
            for founds, (right,) in ((about.mean, mean), (about.std, std))
            for found in founds
        )
    return None if same else "its TFLite Metadata says other pixels than its rule; export it again with --pixels"


def _fit(rule: Preprocess) -> tuple[str, str]:
    """Describe what is taken of a picture, and write the lines that do what `device.picture.centre` does."""
    if rule.fit == "stretch":
        return "The whole picture, scaled to the size of the input.", (
            "val (across, down) = width.toDouble() to height.toDouble()"
        )
    crop = repr(rule.crop)
    return (
        f"The centre {rule.crop:g} of the largest rectangle of the input's shape, scaled.",
        "val wide = width.toLong() * HEIGHT > height.toLong() * WIDTH\n"
        f"val across = if (wide) height * {crop} * (WIDTH.toDouble() / HEIGHT) else width * {crop}\n"
        f"val down = if (wide) height * {crop} else width * {crop} * (HEIGHT.toDouble() / WIDTH)",
    )
