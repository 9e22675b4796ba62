"""`mnet predict`: what models say of pictures, here or on a device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mobilenet_edge.data import stream
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation import inference
from mobilenet_edge.evaluation.inference import Question
from mobilenet_edge.evaluation.remote import RemoteModel
from mobilenet_edge.formats import artifact
from mobilenet_edge.hosts import Host
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.profiling import targets
from mobilenet_edge.profiling.job import Job
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import Classification


def run(
    paths: Sequence[Path],
    question: Question,
    *,
    camera: str | None = None,
    host: str = LOCAL,
    devices: Path | None = None,
) -> Iterator[list[Classification]]:
    """Classify pictures.

    Args:
        paths: Model files, pictures, folders of pictures, and "-" for a picture on stdin, in any order.
        question: What is asked of every model.
        camera: Number of a camera, or path of a device or a video, instead of pictures.
        host: Machine that runs the models.
        devices: Devices file, None for configs/devices.toml if it exists.

    Returns:
        For each picture, as it is answered: one record for each model, in order.

    Raises:
        MnetError: As `inference.here` and `inference.there` say; a picture cannot be read.
        UsageError: No model, no picture, or a camera and pictures; a Keras file on another machine.
    """
    models = [path for path in paths if path.suffix.removeprefix(".") in artifact.FORMATS]
    sources = [path for path in paths if path not in models]
    if not models:
        raise UsageError("no model is given; name a .tflite, .onnx or .keras file before the pictures")
    if bool(sources) == (camera is not None):
        raise UsageError("give pictures, a folder of them or - for stdin; or --camera 0, but not both")
    if camera is not None and host != LOCAL:
        raise UsageError("--camera is of this machine, which then runs the model; leave out --host")
    if question.top < 1 or question.threads < 1:
        raise UsageError("--top and --threads must be at least 1")
    pictures = stream.of_files(sources) if camera is None else stream.of_camera(camera)
    opened = [artifact.read(path) for path in models]
    if host == LOCAL:
        return inference.here(opened, pictures, question)
    (machine,) = targets.find([host], devices)
    for model in opened:
        if model.format == "keras":
            raise UsageError(f"{model.path} needs Keras, which runs here only; leave out --host, or export it")
    plan = Plan(delegate=machine.delegate)
    jobs = [Job(model, question.threads, plan, machine.host) for model in opened]
    remote = [
        RemoteModel(
            job.artifact,
            job.host,
            job.threads,
            job.delegate.request() if job.delegate else None,
            question.runtime,
        )
        for job in jobs
    ]
    return _within(machine.host, inference.there(remote, pictures, question))


def _within(host: Host, records: Iterator[list[Classification]]) -> Iterator[list[Classification]]:
    """Keep the connection to a host until the last record."""
    with host:
        yield from records
