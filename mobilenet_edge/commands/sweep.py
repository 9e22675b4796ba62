"""`mnet sweep`: build, export, profile and evaluate a grid of variants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from mobilenet_edge import files, records
from mobilenet_edge.commands import table
from mobilenet_edge.conversion import ethos
from mobilenet_edge.data.dataset import Dataset
from mobilenet_edge.errors import Interrupted
from mobilenet_edge.sweep import config, lock, preconditions
from mobilenet_edge.sweep.config import Sweep
from mobilenet_edge.sweep.manifest import Manifest
from mobilenet_edge.sweep.schedule import Schedule
from mobilenet_edge.sweep.stages import make, measurement
from mobilenet_edge.sweep.stages.work import SweepOptions, Work
from mobilenet_edge.sweep.train_table import TrainTable
from mobilenet_edge.sweep.weights_table import WeightsTable
from mobilenet_edge.training import trainer
from mobilenet_edge.training.teacher import Teacher

__all__ = ["SweepOptions", "preview", "run"]

TABLES: Final = {"tradeoff.md": "markdown", "tradeoff.csv": "csv", "tradeoff.json": "json"}
RECORDS: Final = "records.json"


def run(path: Path, options: SweepOptions, *, out: Path) -> tuple[str, int]:
    """Build, export, profile and, if there are images, evaluate a grid. Fresh stages are skipped.

    Calibration images are not used for evaluation. A variant that fails gets a row with the reason.

    Args:
        path: TOML file of the sweep.
        options: Options of the command line.
        out: Folder for all files.

    Returns:
        Tradeoff table in Markdown, or the folder of the artifacts if nothing is measured; and the number of failed
        stages.

    Raises:
        MnetError: The sweep cannot start, or no artifact could be made.
        Interrupted: Ctrl-C was pressed.
    """
    work = _start(path, options, out)
    with lock.hold(out) as lock_handle:
        try:
            artifacts = make.make(work, lock_handle)
            if options.make_only:
                return f"{len(artifacts)} artifacts in {out}", _failed(work)
            # Only an Ethos-U runs what Vela has compiled.
            runnable = [each for each in artifacts if ethos.COMPILED not in each.contents.ops]
            results = [*measurement.measure_latency(work, runnable), *measurement.measure_accuracy(work, runnable)]
        except KeyboardInterrupt as error:
            raise Interrupted(
                f"interrupted: {work.done} stages completed and kept in {out}; run the same command to continue"
            ) from error
        records.write(out / RECORDS, [*results, *work.failures])
        tables = {name: table.run([out / RECORDS], kind) for name, kind in TABLES.items()}
        files.write_together({out / name: f"{text}\n".encode() for name, text in tables.items()})
    return tables["tradeoff.md"], _failed(work)


def preview(path: Path, options: SweepOptions, *, out: Path) -> str:
    """List the stages that `run` would run and the reasons, without running them.

    Raises:
        MnetError: A stage would fail: the file, images, labels or weights are invalid, or a package is not installed.
    """
    work = _start(path, options, out)
    stages = list(_stages(work))
    preconditions.check(work, {name.partition(" ")[0] for name, reason in stages if reason is not None})
    lines = [f"{name}: {reason}" for name, reason in stages if reason is not None]
    return "\n".join([*lines, f"{len(lines)} of {len(stages)} stages to run in {out}"])


def _start(path: Path, options: SweepOptions, out: Path) -> Work:
    sweep = _override(config.load_sweep(path), options.weights, options.data)
    files.try_folder(out)
    preconditions.check_sources(sweep)
    data = None if sweep.train is None else _pictures(sweep, sweep.train)
    if data is not None:
        sweep = replace(sweep, grid=sweep.grid.with_classes(len(data.classes)))
    work = Work(Schedule(sweep, out, data), Manifest(out), options)
    _ = work.chosen  # refuse a --measure that is too small before anything is built
    return work


def _pictures(sweep: Sweep, train: TrainTable) -> Dataset:
    """Read the pictures of `[train]` and their splits, which are the same for all variants."""
    grid = sweep.grid
    options = train.options(grid.specs()[0], sweep.bodies.of(grid.alpha[0]))
    teacher = None if options.teacher is None else Teacher(options.teacher)
    return trainer.read(Path(train.data), options, teacher)


def _failed(work: Work) -> int:
    return sum(failure.exit_code != 0 for failure in work.failures)


def _override(sweep: Sweep, weights: str | None, data: Path | None) -> Sweep:
    if weights is not None:
        chosen = WeightsTable(weights, sweep.bodies.seed, stated=True)
        train = sweep.train and replace(sweep.train, weights=chosen)
        sweep = replace(sweep, weights=chosen, train=train)
    if data is not None and sweep.train is not None:
        sweep = replace(sweep, train=replace(sweep.train, data=str(data)))
    elif data is not None:
        sweep = replace(
            sweep,
            calibration=replace(sweep.calibration, source=str(data)),
            evaluate=replace(sweep.evaluate, data=str(data)),
        )
    return sweep


def _stages(work: Work) -> Iterator[tuple[str, str | None]]:
    """Yield the name of every stage and the reason to run it, or None if it is fresh."""
    plan, profile = work.plan, work.plan.sweep.profile
    for spec in plan.sweep.grid.specs():
        for budget in [] if plan.sweep.train is None else plan.sweep.train.budgets()[:-1]:
            stage = plan.train(spec, budget)
            yield stage.name, work.manifest.stale_reason(stage)
        source = plan.source(spec)
        source_reason = work.manifest.stale_reason(source)
        yield source.name, source_reason
        sha256 = "" if source_reason else work.manifest.sha256(source)[0]
        for export in plan.exports(spec, work.model(spec), sha256):
            reason = f"after {source.name}" if source_reason else work.manifest.stale_reason(export)
            yield export.name, reason
            if spec.name not in work.chosen:
                continue
            artifacts = (
                [] if reason else [*zip(work.manifest.outputs(export), work.manifest.sha256(export), strict=True)]
            )
            for host in profile.hosts:
                for path, digest in artifacts:
                    for threads in profile.threads:
                        stage = plan.profile(path, digest, host, threads)
                        yield stage.name, work.manifest.stale_reason(stage)
                if reason:
                    yield f"profile the files of {export.subject} on {host}", f"after {export.name}"
        if plan.scoring is not None:
            yield f"evaluate {spec.name}", "decided after export"
