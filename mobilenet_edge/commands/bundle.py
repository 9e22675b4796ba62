"""`mnet bundle`: a folder that classifies pictures without mnet, or one that a compiler or firmware starts from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

import numpy as np

from mobilenet_edge.bundle import android, examples, firmware, folder, handover, web
from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.bundle.examples import Example
from mobilenet_edge.bundle.firmware import Vector
from mobilenet_edge.commands import sources
from mobilenet_edge.conversion.micro import footprint, resolver
from mobilenet_edge.data import folders, images, prepare
from mobilenet_edge.data import labels as classes
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.evaluation import classifier, interpret
from mobilenet_edge.evaluation.classes import own_labels
from mobilenet_edge.evaluation.classifier import Classifier
from mobilenet_edge.files import try_folder
from mobilenet_edge.formats import artifact, contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.hosts.place import Place
from mobilenet_edge.profiling import targets
from mobilenet_edge.records import Record

# What a compiler is given, as `mnet export` calibrates with.
CALIBRATION: Final = 100
# Pixels of a side of a picture that is written anew.
LONGEST: Final = 512
# Of pictures where Pillow is not: C++ has no decoder, and others know other formats and colour profiles.
PLAIN: Final = {"cpp": "ppm", "android": "png", "web": "png"}


def run(
    path: Path,
    out: Path,
    pictures: Path,
    *,
    target: str = "pi",
    labels: Path | None = None,
    records: Sequence[Path] = (),
    options: PixelOptions = NOTHING,
    force: bool = False,
) -> list[Path]:
    """Write a bundle.

    Args:
        path: A .tflite or .onnx file; for "compiler" a float32 .onnx file.
        out: The folder to write.
        pictures: Folder of pictures; three become the bundle's test, or up to 100 the calibration of a compiler.
        target: "pi" for a board with Python, "cpp" for a program in C++, "android" for an app, "web" for a page,
            "compiler" for a hand-over, "micro" for a microcontroller.
        labels: File of class names, None for those of the model.
        records: Record files and folders of them, of which those of this file are shown in its README.
        options: What is stated of the model's pixels.
        force: Write over other files.

    Returns:
        The files, in the folder.

    Raises:
        BuildError: The bundle fails its own test on this machine.
        InputError: The model, pictures, labels or records cannot be used, or the folder holds something else.
        MnetError: As `classifier.start` says.
        UsageError: The file is not of the format that the target takes.
    """
    model = artifact.read(path)
    _require(model, target)
    contradictions.refuse(model)
    try_folder(out)
    found = images.find(folders.locate(pictures).folder)
    known = sources.read(records)
    # What a microcontroller is expected to answer is that interpreter's.
    place = targets.place(LOCAL, runtime=footprint.RUNTIME) if target == "micro" else None
    with _opened(model, labels, options, place) as (running, deployment):
        bundle = _contents(target, running, deployment, found, known)
    folder.refuse(out, list(bundle), model, force=force)
    if target == "pi":
        folder.try_out(bundle)
    folder.write(out, bundle)
    return [out / name for name in bundle]


def _require(model: Artifact, target: str) -> None:
    """Refuse a file that the target does not take."""
    if model.format == "keras":
        raise UsageError(f"{model.path} is a Keras file; bundle a .tflite or .onnx file of it, from mnet export")
    if target == "compiler":
        handover.require_float(model)
    if target == "android":
        android.require_ends(model)
    if target == "web":
        web.require_onnx(model)
    if target == "micro":
        firmware.require_integers(model)
        resolver.require(model.contents)
        footprint.require_interpreter()


def _contents(
    target: str, running: Classifier, model: Deployment, pictures: Sequence[Path], records: Sequence[Record]
) -> dict[str, bytes]:
    if target == "compiler":
        return _handover(model, images.spread(pictures, CALIBRATION), records)
    tried = images.spread(pictures, examples.TRIED)
    if target == "micro":
        return _firmware(running, model, tried, records)
    with _plain(tried, PLAIN[target]) if target in PLAIN else nullcontext(tried) as paths:
        chosen = examples.choose(_examples(running, model, paths))
        writers = {"cpp": folder.cpp_contents, "android": android.contents, "web": web.contents}
        return writers.get(target, folder.contents)(model, chosen, records)


@contextmanager
def _opened(
    model: Artifact, labels: Path | None, options: PixelOptions, place: Place | None
) -> Iterator[tuple[Classifier, Deployment]]:
    with classifier.start(model, 1, options, place) as running:
        given = own_labels(model) if labels is None else classes.read(labels)
        names = interpret.names(given, running.head, running.process.shape, model.path.name)
        yield (
            running,
            Deployment(
                model,
                running.rule,
                running.input,
                running.head,
                running.grid,
                tuple(name or f"class {index}" for index, name in enumerate(names)),
                given is not None,
                running.process.runtime,
                running.process.version,
                running.assumed,
            ),
        )


def _examples(running: Classifier, model: Deployment, paths: Sequence[Path]) -> list[Example]:
    """Ask the model about pictures, as `mnet evaluate` does."""
    found = []
    for path, tensor in prepare.tensors(paths, model.rule):
        if tensor is None:
            continue
        filled = model.input.fill(tensor)
        running.process.send(filled)
        answers = interpret.interpret(running.answer(whole=True, k=2), model.head, model.names)
        found.append(Example.of(path, answers, filled, model))
    if len(found) < examples.COUNT:
        raise InputError(f"{len(found)} pictures can be read, and the test needs {examples.COUNT}; give more")
    return found


def _firmware(
    running: Classifier, model: Deployment, paths: Sequence[Path], records: Sequence[Record]
) -> dict[str, bytes]:
    chosen = examples.choose(_examples(running, model, paths))
    vectors = []
    for example, (_, tensor) in zip(chosen, prepare.tensors([each.path for each in chosen], model.rule), strict=True):
        filled = model.input.fill(np.asarray(tensor))
        running.process.send(filled)
        vectors.append(Vector(example.index, filled, running.process.receive()[0]))
    taken = footprint.measure(model.artifact.path, model.artifact.data)
    return firmware.contents(model, vectors, taken, records)


@contextmanager
def _plain(paths: Sequence[Path], form: str) -> Iterator[list[Path]]:
    """Write pictures without loss, no side longer than 512 pixels: as PPM a photograph would be 36 MB."""
    with tempfile.TemporaryDirectory(prefix="mnet-") as place:
        plain = []
        for number, (_, image) in enumerate(images.decoded(paths)):
            if image is not None:
                image.thumbnail((LONGEST, LONGEST))
                plain.append(Path(place, f"{number}.{form}"))
                image.save(plain[-1])
        yield plain


def _handover(model: Deployment, paths: Sequence[Path], records: Sequence[Record]) -> dict[str, bytes]:
    loaded = prepare.load(paths, model.rule)
    scaled = prepare.scale(loaded.pixels, model.rule)
    return handover.contents(model, loaded.pixels, np.concatenate([model.input.fill(each) for each in scaled]), records)
