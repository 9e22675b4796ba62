"""Hold the state of a running sweep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mobilenet_edge import records
from mobilenet_edge.analysis import predict
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Failure, Record
from mobilenet_edge.sweep.manifest import Manifest
from mobilenet_edge.sweep.schedule import Schedule
from mobilenet_edge.sweep.stage import Stage


@dataclass(frozen=True)
class SweepOptions:
    """Options of the command line.

    Attributes:
        weights: Replaces `weights.source` in the file.
        data: Folder of images that replaces those for calibration and evaluation in the file, or that of `[train]`.
        jobs: Number of processes that build and export; by default one per core, limited by memory.
        dask: Address of a Dask scheduler to use instead of local processes.
        make_only: Build and export, but measure nothing.
        force: Also overwrite files that no sweep made.
        measure: Number of variants to profile; the latency of the others is predicted.
    """

    weights: str | None = None
    data: Path | None = None
    jobs: int | None = None
    dask: str | None = None
    make_only: bool = False
    force: bool = False
    measure: int | None = None


@dataclass
class Work:
    """State of a running sweep.

    Attributes:
        plan: Stages of the sweep.
        manifest: Completed stages.
        options: Options of the command line.
        failures: Stages that failed.
        done: Number of stages completed in this run.
    """

    plan: Schedule
    manifest: Manifest
    options: SweepOptions
    failures: list[Failure] = field(default_factory=list)
    done: int = 0

    def record(self, stage: Stage, outputs: Sequence[Path]) -> None:
        """Record a completed stage, whose output files exist."""
        self.manifest.record(stage, outputs)
        self.done += 1

    def fail(self, failure: Failure) -> None:
        """Record a failure."""
        self.failures.append(failure)

    @property
    def stopped(self) -> frozenset[str]:
        """Names of the variants whose training was stopped on purpose."""
        return frozenset(failure.variant for failure in self.failures if not failure.exit_code)

    def write(self, stage: Stage, result: Record) -> None:
        """Write the result of a stage that measures, and record the stage."""
        path = self.manifest.path(stage, "record.json")
        records.write(path, [result])
        self.record(stage, [path])

    def read(self, stages: Iterable[Stage]) -> list[Record]:
        """Read the results of the fresh stages among `stages`."""
        fresh = [stage for stage in stages if self.manifest.stale_reason(stage) is None]
        paths = [path for stage in fresh for path in self.manifest.outputs(stage) if path.suffix == ".json"]
        return [record for path in paths for record in records.read(path)]

    def model(self, spec: ModelSpec) -> Path:
        """Return the path of the Keras model of a variant."""
        return self.plan.out / f"{spec.name}.keras"

    @cached_property
    def chosen(self) -> frozenset[str]:
        """Names of the variants whose artifacts are profiled.

        Raises:
            UsageError: `options.measure` is too small to predict the others.
        """
        specs, count = self.plan.sweep.grid.specs(), self.options.measure
        indexes = range(len(specs)) if count is None else predict.choose(specs, count)
        return frozenset(specs[index].name for index in indexes)
