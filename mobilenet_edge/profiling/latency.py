"""Measure latency and memory of artifacts on one or more machines."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from mobilenet_edge import progress
from mobilenet_edge.data.pixel_options import NOTHING, PixelOptions
from mobilenet_edge.device.runtimes import AUTO
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import artifact, contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts.ahead import workers
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.profiling import feed, fleet, machine, power
from mobilenet_edge.profiling import pack as packing
from mobilenet_edge.profiling.machine import Machine, Result
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import Failure, Profile

Records = Sequence[Profile | Failure]

_LOCAL: Final = (Machine(Local()),)
_DEFAULTS: Final = Plan()
DYNAMIC: Final = -1  # a batch of any size
_IMAGE_AXES: Final = 4


def profile(
    paths: Sequence[Path],
    plan: Plan = _DEFAULTS,
    *,
    threads: Sequence[int] = (1,),
    runtimes: Sequence[str] = (),
    machines: Sequence[Machine] = _LOCAL,
    images: Path | None = None,
    end_to_end: Path | None = None,
    options: PixelOptions = NOTHING,
    save: Callable[[Records], object] = lambda _: None,
) -> list[Profile | Failure]:
    """Measure artifacts, interleaved on each machine and in parallel on all machines.

    Each combination of artifact, thread count and runtime is measured in fresh processes, in a new random order in
    each round. Memory is measured first, in separate processes, so that a file that cannot run fails before anything
    is timed.

    Args:
        paths: `.tflite` and `.onnx` files, and folders of them; duplicates are ignored.
        plan: Settings of the measurement.
        threads: Thread counts; duplicates are ignored.
        runtimes: Runtimes, each for the files that it opens; duplicates are ignored. Empty for that of the plan.
        machines: Machines to measure on.
        images: Folder of images to use as inputs, or None for noise.
        end_to_end: Folder of pictures to measure from file to answer as well, or None.
        options: What the user stated about the pixels of the models.
        save: Called with all records so far whenever a machine is done.

    Returns:
        A profile or a failure for each machine, artifact, thread count and runtime, in the given order.

    Raises:
        UsageError: A number is out of range, or options do not go together.
        InputError: A file is missing or is not a model that can run, or there are no images.
        MnetError: The only machine gave no profile.
    """
    if bad := [count for count in threads if count < 1]:
        raise UsageError(f"--threads must be at least 1, got {bad[0]}")
    if AUTO in runtimes and len(set(runtimes)) > 1:
        raise UsageError(f"--runtime {AUTO} would measure one of the others twice; leave it out")
    if images is None and end_to_end is None and options != NOTHING:
        raise UsageError("--pixels and the like are about images; add --images DIR or --end-to-end DIR")
    if plan.power is not None:
        if len(machines) > 1:
            raise UsageError("--power is the log of one meter, which measures one machine; give one --host")
        power.read_log(plan.power)  # before anything is measured
    artifacts = _read(paths)
    counts = list(dict.fromkeys(threads))
    with ExitStack() as stack:
        stack.enter_context(workers.block(len(artifacts) * len(counts) * plan.round_count + plan.limit))
        feeds = stack.enter_context(feed.prepare(artifacts, images, options)) if images is not None else {}
        packs = stack.enter_context(packing.pack(artifacts, end_to_end, options)) if end_to_end is not None else {}
        board = stack.enter_context(progress.board())
        work = partial(
            machine.measure,
            artifacts=artifacts,
            threads=counts,
            runtimes=list(dict.fromkeys(runtimes)),
            plan=plan,
            feeds=feeds,
            packs=packs,
            board=board,
        )
        results: list[Result | None] = [None] * len(machines)
        for index, result in fleet.run_parallel(work, machines):
            if result.error is not None and len(machines) == 1:
                raise result.error
            results[index] = result
            save(_joined(results))
    return _joined(results)


def _read(paths: Sequence[Path]) -> list[Artifact]:
    distinct: dict[Path, Path] = {}
    for path in artifact.find(paths):
        distinct.setdefault(path.resolve(), path)
    artifacts = [artifact.read(path) for path in distinct.values()]
    for model in artifacts:
        if model.format == "keras":
            raise InputError(
                f"{model.path} is a Keras model, which devices cannot run; first: "
                f"mnet export {shlex.quote(str(model.path))}"
            )
        contradictions.refuse(model)
        _refuse_batch(model)
    return artifacts


def _refuse_batch(artifact: Artifact) -> None:
    """Refuse a model with a fixed batch other than 1, because its time is not that of one image."""
    for name in artifact.contents.inputs:
        tensor = artifact.contents.tensors.get(name)
        if tensor is not None and len(tensor.shape) == _IMAGE_AXES and tensor.shape[0] not in (1, DYNAMIC):
            raise InputError(
                f"{artifact.path} takes a batch of {tensor.shape[0]} images, but latency is measured for one; "
                "export it with batch 1"
            )


def _joined(results: Iterable[Result | None]) -> list[Profile | Failure]:
    return [record for result in results if result is not None for record in result.records]
