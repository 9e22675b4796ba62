"""A sweep under way."""

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
    """What the command line says beside the file.

    Attributes:
        weights: Instead of the file's `weights.source`.
        data: Images to calibrate with and to evaluate on, instead of the file's.
        jobs: Processes that build and export; as many as cores by default, and never more than memory allows.
        dask: Address of a Dask scheduler that builds and exports instead.
        make_only: Build and export, and measure nothing.
        force: Write over files that this sweep did not make, too.
        measure: Profile the artifacts of so many variants, well chosen, and predict the latency of the others.
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
    """A sweep under way: what is to do, what was done, and what failed."""

    plan: Schedule
    manifest: Manifest
    options: SweepOptions
    failures: list[Failure] = field(default_factory=list)
    done: int = 0

    def note(self, stage: Stage, outputs: Sequence[Path]) -> None:
        """Count a stage as done, once its files are in place."""
        self.manifest.record(stage, outputs)
        self.done += 1

    def fail(self, failure: Failure) -> None:
        """Count what could not be done."""
        self.failures.append(failure)

    def keep(self, stage: Stage, record: Record) -> None:
        """Write the record of a stage that measured something, and count it as done."""
        path = self.manifest.place(stage, "record.json")
        records.write(path, [record])
        self.note(stage, [path])

    def kept(self, stages: Iterable[Stage]) -> list[Record]:
        """Read the records of those stages that are fresh."""
        fresh = [stage for stage in stages if self.manifest.stale_reason(stage) is None]
        return [record for stage in fresh for path in self.manifest.outputs(stage) for record in records.read(path)]

    def model(self, spec: ModelSpec) -> Path:
        """Where the Keras model of a variant is."""
        return self.plan.out / f"{spec.name}.keras"

    @cached_property
    def chosen(self) -> frozenset[str]:
        """Names of the variants whose artifacts are profiled.

        Raises:
            UsageError: So few that some could not be predicted from them.
        """
        specs, count = self.plan.sweep.grid.specs(), self.options.measure
        indexes = range(len(specs)) if count is None else predict.choose(specs, count)
        return frozenset(specs[index].name for index in indexes)
