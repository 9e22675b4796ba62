"""Latency and memory of artifacts on one machine or several."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

from mobilenet_edge import progress
from mobilenet_edge.data.options import NOTHING, PixelOptions
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import artifact, contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.hosts.local import Local
from mobilenet_edge.profiling import feed, fleet, machine
from mobilenet_edge.profiling.machine import Machine, Result
from mobilenet_edge.profiling.settings import Plan
from mobilenet_edge.records import Failure, Profile

Records = Sequence[Profile | Failure]

_LOCAL: Final = (Machine(Local()),)
_DEFAULTS: Final = Plan()
OPEN: Final = -1  # a batch of any size
_IMAGE_AXES: Final = 4


def profile(
    paths: Sequence[Path],
    plan: Plan = _DEFAULTS,
    *,
    threads: Sequence[int] = (1,),
    machines: Sequence[Machine] = _LOCAL,
    images: Path | None = None,
    options: PixelOptions = NOTHING,
    save: Callable[[Records], object] = lambda _: None,
) -> list[Profile | Failure]:
    """Measure artifacts, interleaved on each machine, and all machines at the same time.

    Each combination of artifact and thread count is measured in fresh processes; their order is shuffled anew in each
    round. Memory comes first, in processes of its own, so that a file that cannot run is known before anything is
    timed.

    Args:
        paths: `.tflite` and `.onnx` files and folders of them; one that is given twice is measured once.
        plan: How.
        threads: Thread counts; one that is given twice is measured once.
        machines: Where.
        images: A folder to feed the models from; None for noise.
        options: What is stated of the pixels that these models take.
        save: Called with the records there are as each machine is done.

    Returns:
        For each machine, artifact and thread count, in the order given, a profile, or a failure where there is none.

    Raises:
        UsageError: A number is out of range.
        InputError: A file is missing or no model that can be run, or there are no images.
        MnetError: There is one machine only and it brought nothing; this is why.
    """
    if bad := [count for count in threads if count < 1]:
        raise UsageError(f"--threads must be at least 1, got {bad[0]}")
    if images is None and options != NOTHING:
        raise UsageError("--pixels and the like are about images; add --images DIR")
    artifacts = _read(paths)
    counts = list(dict.fromkeys(threads))
    with ExitStack() as stack:
        feeds = stack.enter_context(feed.prepare(artifacts, images, options)) if images is not None else {}
        board = stack.enter_context(progress.board())
        work = partial(machine.measure, artifacts=artifacts, threads=counts, plan=plan, feeds=feeds, board=board)
        results: list[Result | None] = [None] * len(machines)
        for index, result in fleet.at_once(work, machines):
            if result.error is not None and len(machines) == 1:
                raise result.error
            results[index] = result
            save(_joined(results))
    return _joined(results)


def _read(paths: Sequence[Path]) -> list[Artifact]:
    once: dict[Path, Path] = {}
    for path in artifact.find(paths):
        once.setdefault(path.resolve(), path)
    found = [artifact.read(path) for path in once.values()]
    for each in found:
        if each.format == "keras":
            raise InputError(
                f"{each.path} is a Keras model, which no device runs; first: mnet export {shlex.quote(str(each.path))}"
            )
        contradictions.refuse(each)
        _refuse_batch(each)
    return found


def _refuse_batch(artifact: Artifact) -> None:
    """Refuse what runs several images at a time, or none: its time is not that of one image."""
    for name in artifact.contents.inputs:
        tensor = artifact.contents.tensors.get(name)
        if tensor is not None and len(tensor.shape) == _IMAGE_AXES and tensor.shape[0] not in (1, OPEN):
            raise InputError(
                f"{artifact.path} takes a batch of {tensor.shape[0]} images at a time, and a latency is that of one; "
                "export it with batch 1"
            )


def _joined(results: Iterable[Result | None]) -> list[Profile | Failure]:
    return [record for result in results if result is not None for record in result.records]
