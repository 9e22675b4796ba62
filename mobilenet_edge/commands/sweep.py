"""`mnet sweep`: from a grid to the tradeoff table, every stage leaving its files behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from mobilenet_edge import files, records
from mobilenet_edge.commands import table
from mobilenet_edge.data import images, labels
from mobilenet_edge.errors import Interrupted
from mobilenet_edge.profiling import targets
from mobilenet_edge.sweep import config, lock
from mobilenet_edge.sweep.config import Sweep
from mobilenet_edge.sweep.manifest import Manifest
from mobilenet_edge.sweep.schedule import RANDOM, Schedule, folder_of
from mobilenet_edge.sweep.stages import make, measurement
from mobilenet_edge.sweep.stages.work import SweepOptions, Work

__all__ = ["SweepOptions", "look", "run"]

TABLES: Final = {"tradeoff.md": "markdown", "tradeoff.csv": "csv", "tradeoff.json": "json"}
RECORDS: Final = "records.json"


def run(path: Path, options: SweepOptions, *, out: Path) -> tuple[str, int]:
    """Build, export, profile and, where there are images, evaluate a grid; what is done already stays.

    Images that calibrated are not scored. A variant that fails is a row with its reason.

    Args:
        path: The TOML file.
        options: What the command line says beside it.
        out: The folder for all files.

    Returns:
        The tradeoff table in Markdown, or where the artifacts are if nothing is to be measured; and how many stages
        failed.

    Raises:
        MnetError: As the verbs that it goes through, where nothing can be made at all.
        Interrupted: By Ctrl-C, with what is done and how to go on.
    """
    work = _start(path, options, out)
    with lock.hold(out) as held:
        try:
            artifacts = make.make(work, held)
            if options.make_only:
                return f"{len(artifacts)} artifacts in {out}", len(work.failures)
            measured = [*measurement.measure_latency(work, artifacts), *measurement.measure_accuracy(work, artifacts)]
        except KeyboardInterrupt as error:
            raise Interrupted(
                f"interrupted: {work.done} stages were done and are kept in {out}; the same command goes on from there"
            ) from error
        records.write(out / RECORDS, [*measured, *work.failures])
        tables = {name: table.run([out / RECORDS], kind) for name, kind in TABLES.items()}
        files.write_together({out / name: f"{text}\n".encode() for name, text in tables.items()})
    return tables["tradeoff.md"], len(work.failures)


def look(path: Path, options: SweepOptions, *, out: Path) -> str:
    """List what `run` would do and why, a line for each stage; nothing is done.

    Raises:
        MnetError: The file, images, labels or weights cannot be used.
    """
    work = _start(path, options, out)
    lines, count = [], 0
    for stage, why in _look(work):
        count += 1
        if why is not None:
            lines.append(f"{stage}: {why}")
    return "\n".join([*lines, f"{len(lines)} of {count} stages to do in {out}"])


def _start(path: Path, options: SweepOptions, out: Path) -> Work:
    sweep = _override(config.load_sweep(path), options.weights, options.data)
    files.try_folder(out)
    _try_sources(sweep)
    work = Work(Schedule(sweep, out), Manifest(out), options)
    _ = work.chosen  # refuses too small a choice before anything is built
    return work


def _override(sweep: Sweep, weights: str | None, data: Path | None) -> Sweep:
    if weights is not None:
        sweep = replace(sweep, weights=replace(sweep.weights, source=weights))
    if data is not None:
        sweep = replace(
            sweep,
            calibration=replace(sweep.calibration, source=str(data)),
            evaluate=replace(sweep.evaluate, data=str(data)),
        )
    return sweep


def _try_sources(sweep: Sweep) -> None:
    """Fail before the first model is built where images, labels or machines are missing."""
    for name in dict.fromkeys((sweep.calibration.source, sweep.evaluate.data)):
        if name not in (None, RANDOM):
            images.find(folder_of(str(name)))
    if sweep.evaluate.labels is not None:
        labels.read(Path(sweep.evaluate.labels))
    targets.find(sweep.profile.hosts)


def _look(work: Work) -> Iterator[tuple[str, str | None]]:
    """Name every stage and say why it is to be done, None where it is fresh."""
    plan, how = work.plan, work.plan.sweep.profile
    for spec in plan.sweep.grid.specs():
        build = plan.build(spec)
        why_build = work.manifest.stale_reason(build)
        yield build.name, why_build
        sha256 = "" if why_build else work.manifest.sha256(build)[0]
        for export in plan.exports(spec, work.model(spec), sha256):
            why = f"after {build.name}" if why_build else work.manifest.stale_reason(export)
            yield export.name, why
            if spec.name not in work.chosen:
                continue
            made = [] if why else [*zip(work.manifest.outputs(export), work.manifest.sha256(export), strict=True)]
            for host in how.hosts:
                for path, digest in made:
                    for threads in how.threads:
                        stage = plan.profile(path, digest, host, threads)
                        yield stage.name, work.manifest.stale_reason(stage)
                if why:
                    yield f"profile the files of {export.subject} on {host}", f"after {export.name}"
        if plan.sweep.evaluate.data is not None:
            yield f"evaluate {spec.name}", "looked at when it is built and exported"
