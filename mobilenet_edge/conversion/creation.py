"""Create a MobileNet v1 as a .keras file."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final

from mobilenet_edge import __version__, files, progress
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import UsageError
from mobilenet_edge.formats import artifact, overwrite
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.metadata import Metadata, Weights
from mobilenet_edge.graph import Graph
from mobilenet_edge.model import weights as sources
from mobilenet_edge.model.build import build
from mobilenet_edge.model.read import parse
from mobilenet_edge.model.save import keras_bytes
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.model.tf import tensorflow_version

_SEEDS: Final = 1 << 32
_TOOLS: Final = ("keras", "numpy")


def create(
    spec: ModelSpec,
    *,
    weights: str = sources.RANDOM,
    seed: int = 0,
    out: Path,
    force: bool = False,
    options: PixelOptions = NOTHING,
) -> Artifact:
    """Build a model and write it, metadata inside; the same arguments give the same bytes.

    Args:
        spec: Width, resolution and classes.
        weights: "random", "imagenet", or the path of a `.h5`, `.weights.h5` or `.keras` file.
        seed: Of random weights, from 0 to 2^32 - 1.
        out: A folder, or the file itself if it ends in `.keras`.
        force: Write over another model, too.
        options: What is stated of the pixels that the weights were trained on, or will be.

    Returns:
        The file written.

    Raises:
        InputError: The weights cannot be used, or the place cannot be written.
        MissingExtraError: TensorFlow is not installed.
        UsageError: The seed is out of range, or no ImageNet weights were published for the variant.
    """
    if not 0 <= seed < _SEEDS:
        raise UsageError(f"--seed must be from 0 to {_SEEDS - 1}, got {seed}")
    rule = options.apply(_rule(spec, weights))
    # What can fail is tried before the seconds that TensorFlow takes to start.
    path = out if out.suffix == ".keras" else out / f"{spec.name}.keras"
    files.try_file(path)
    arrays = sources.read(weights, spec)
    with progress.bar(f"build {spec.name}", 3) as advance:
        model = build(spec, seed)
        sources.assign(model, arrays)
        advance()
        data = keras_bytes(model)
        about = _about(spec, parse(data, str(path)).graph, weights, seed, rule)
        overwrite.refuse(path, about, force=force)
        advance()
        artifact.write(path, data, about)
        advance()
    return artifact.read(path)


def _rule(spec: ModelSpec, weights: str) -> Preprocess:
    """The rule of the published models; somebody's own weights may be of another."""
    rule = Preprocess((spec.resolution, spec.resolution))
    own = weights not in (sources.RANDOM, sources.IMAGENET)
    return rule.known("built-in", "size") if own else rule.known("built-in")


def _about(spec: ModelSpec, graph: Graph, weights: str, seed: int, rule: Preprocess) -> Metadata:
    random = weights == sources.RANDOM
    source = weights if weights in (sources.RANDOM, sources.IMAGENET) else Path(weights).name
    return Metadata(
        variant=spec.name,
        precision="float32",
        classes=spec.classes,
        macs=graph.macs,
        parameters=graph.parameters,
        preprocess=rule,
        weights=Weights(source, seed if random else None, graph.sha256()),
        spec=spec,
        tools={
            "mobilenet-edge": __version__,
            "tensorflow": tensorflow_version(),
            **{name: version(name) for name in _TOOLS},
        },
    )
