"""Check what a sweep needs before its first stage: packages, weights, images and labels."""

from __future__ import annotations

from collections.abc import Iterator, Set
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from mobilenet_edge.conversion import ethos
from mobilenet_edge.conversion.ethos import vela
from mobilenet_edge.data import folders, images, labels
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device.runtimes import RUNTIMES
from mobilenet_edge.errors import InputError, MissingExtraError
from mobilenet_edge.evaluation.classes import Classes, read_truth
from mobilenet_edge.evaluation.evaluate import held_out
from mobilenet_edge.evaluation.scoring import Sample
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.model import imagenet, weights
from mobilenet_edge.profiling import targets
from mobilenet_edge.sweep.config import Sweep
from mobilenet_edge.sweep.schedule import RANDOM, image_folder
from mobilenet_edge.sweep.stages.work import Work
from mobilenet_edge.training.recipe import body_spec

# Keys in the file of a sweep that correspond to options of `mnet build` and `mnet evaluate`.
LABELS_KEY: Final = 'labels = "FILE" under [evaluate]'
WRITERS: Final = ("onnx", "flatbuffers", "h5py", "threadpoolctl", "ai_edge_litert", "onnxruntime")


class Package(NamedTuple):
    """A package that a stage imports, with the part of a message that says so, and the extra that installs it."""

    module: str
    user: str
    extra: str


def check_sources(sweep: Sweep) -> None:
    """Fail before the first model is built if images, labels or machines are missing.

    Raises:
        InputError: A folder has no images, or the labels cannot be read.
        UsageError: A machine is unknown.
    """
    for name in dict.fromkeys((sweep.calibration.source, sweep.evaluate.data)):
        if name not in (None, RANDOM):
            images.find(image_folder(str(name)))
    if sweep.evaluate.labels is not None:
        labels.read(Path(sweep.evaluate.labels))
    targets.find(sweep.profile.hosts)


def check(work: Work, verbs: Set[str]) -> None:
    """Fail if a stage of one of the verbs is certain to fail.

    Raises:
        InputError: Images, labels and weights do not fit each other or the grid, or cannot be read.
        MissingExtraError: A package is not installed.
        UsageError: No weights were published for a variant, or no image is left to score.
    """
    for package in _packages(work, verbs):
        if find_spec(package.module.partition(".")[0]) is None:
            raise MissingExtraError(f"{package.user}, but {package.module} is not installed", package.extra)
    if "export" in verbs:
        for target in filter(ethos.is_accelerator, work.plan.sweep.grid.target):
            vela.require(target)
    if verbs & {"build", "train"}:
        _check_weights(work)
    if "evaluate" in verbs and (data := work.plan.sweep.evaluate.data) is not None:
        _check_classes(work, Path(data))


def as_keys(message: str) -> str:
    """Name the keys of the file of a sweep in a message instead of the options of a verb."""
    return message.replace("--labels FILE", "--labels").replace("--labels", LABELS_KEY)


def _packages(work: Work, verbs: Set[str]) -> Iterator[Package]:
    """Yield the packages of the stages; with Dask, the workers need those of builds and exports."""
    sweep = work.plan.sweep
    if work.options.dask is not None:
        yield Package("distributed", "--dask needs a package", "cluster")
    else:
        if verbs & {"build", "train"}:
            yield Package("tensorflow", "building models needs TensorFlow", "build")
        if "train" in verbs:
            yield Package("onnxruntime", "training needs onnxruntime", "build")
        if "export" in verbs:
            yield from (Package(name, "exporting files needs some packages", "export") for name in WRITERS)
            if "tflm" in sweep.grid.target:
                yield Package("tflite_micro", "target tflm needs the interpreter of tflite-micro", "tflm")
    if sweep.train is not None or {sweep.calibration.source, sweep.evaluate.data} - {RANDOM, None}:
        yield Package("PIL", "reading images needs Pillow", "images")
    if "evaluate" in verbs or ("profile" in verbs and LOCAL in sweep.profile.hosts):
        for format in dict.fromkeys(sweep.grid.format):
            runtimes = [runtime for runtime in RUNTIMES.values() if runtime.format == format]
            if not any(runtime.installed() for runtime in runtimes if runtime.automatic):
                yield Package(runtimes[0].package, f"running {format} files needs a runtime", format)


def _check_weights(work: Work) -> None:
    """Read the weights of each variant; ImageNet's only from Keras's cache, since a look downloads nothing."""
    sweep = work.plan.sweep
    for spec in sweep.grid.specs():
        sweep.preprocess.apply(Preprocess((spec.resolution, spec.resolution)))
        source = sweep.bodies.of(spec.alpha)
        wanted = spec if sweep.train is None else body_spec(spec, source)
        if source != weights.IMAGENET or (imagenet.cache() / imagenet.file_name(wanted)).exists():
            try:
                weights.read(source, wanted, head=sweep.train is None)
            except InputError as error:
                raise InputError(f"{spec.name}: {error}") from error


def _check_classes(work: Work, data: Path) -> None:
    """Find the class of each image, as `mnet evaluate` will for the exported files, which name no classes."""
    settings, grid = work.plan.sweep.evaluate, work.plan.sweep.grid
    place = folders.locate(data)
    found = images.names(place.folder)
    truth = read_truth(None, place.folder)
    sample = Sample(place.folder, found, held_out(found, work.plan.leave_out))
    classes = Classes(Path(settings.labels) if settings.labels else None, place, sample, truth)
    try:
        known = classes.of(None)
        classes.right(known)
        labels.shift(grid.classes, known, "each model of the grid")
    except InputError as error:
        raise InputError(as_keys(str(error))) from error
    full = {name.partition("/")[0] for name in found}
    empty = [path for path in sorted(place.folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    empty = [path for path in empty if path.name not in full]
    if empty and truth is None:
        raise InputError(f"{empty[0]} is a class folder without images; add some, or remove the folder and its class")
