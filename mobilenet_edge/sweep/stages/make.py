"""Build and export the variants of a sweep in several processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files
from mobilenet_edge.errors import MnetError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Failure
from mobilenet_edge.sweep import lock, view
from mobilenet_edge.sweep.stage import Stage
from mobilenet_edge.sweep.stages import execute as worker
from mobilenet_edge.sweep.stages.work import SweepOptions, Work
from mobilenet_edge.workers import processes
from mobilenet_edge.workers.pool import Request, WorkerPool

# Peak memory of a process that builds and exports alpha 1.0 at 224 pixels, measured by scripts/bench_sweep.py.
PROCESS_BYTES: Final = 2_500_000_000


def make(work: Work, lock_handle: int) -> list[Artifact]:
    """Run the stale build and export stages.

    Args:
        work: Sweep to run.
        lock_handle: File descriptor of the lock. The worker processes inherit it, so that the folder stays locked until
            they end, even if this process is killed.

    Returns:
        Artifacts of all variants, in the order of the grid.

    Raises:
        MnetError: There is no artifact.
    """
    plan, manifest = work.plan, work.manifest
    specs = plan.sweep.grid.specs()
    with open_pool(work.options, plan.out, lock_handle) as pool:
        _run(work, pool, "build", [(plan.build(spec), spec) for spec in specs])
        built = [spec for spec in specs if manifest.stale_reason(plan.build(spec)) is None]
        exports = [
            (stage, spec)
            for spec in built
            for stage in plan.exports(spec, work.model(spec), manifest.sha256(plan.build(spec))[0])
        ]
        _run(work, pool, "export", exports)
    paths = [path for stage, _ in exports if manifest.stale_reason(stage) is None for path in manifest.outputs(stage)]
    if not paths:
        error = MnetError(work.failures[0].reason)
        error.exit_code = work.failures[0].exit_code
        raise error
    return [artifact.read(path) for path in paths if path.suffix != ".keras"]


def open_pool(options: SweepOptions, out: Path, lock_handle: int) -> WorkerPool:
    """Return a pool of local processes, or of the workers of a Dask cluster."""
    if options.dask is not None:
        from mobilenet_edge.workers import dask

        return dask.DaskPool(worker.FUNCTION, options.dask)
    temporary = lock.temporary(out)
    temporary.mkdir(exist_ok=True)
    size = processes.choose_size(options.jobs, PROCESS_BYTES)
    return processes.ProcessPool(worker.FUNCTION, size, inherited=(lock_handle,), temporary=temporary)


def _run(work: Work, pool: WorkerPool, verb: str, stages: Sequence[tuple[Stage, ModelSpec]]) -> None:
    """Run the stale stages in parallel; failures are recorded and do not stop the others."""
    stale = [(stage, spec) for stage, spec in stages if work.manifest.stale_reason(stage) is not None]
    if not stale:
        return
    with view.phase(verb, len(stale)) as advance:
        for index, answer in pool.run([_request(stage, pool, work) for stage, _ in stale]):
            stage, spec = stale[index]
            error = answer.get("error")
            if error is None:
                work.record(stage, _collect(answer, work.plan.out))
            else:
                work.fail(Failure(variant=spec.name, stage=verb, reason=error["message"], exit_code=error["exit_code"]))
                _write_traceback(work, stage, answer.get("traceback"))
            advance(f"{stage.subject}{' FAILED' if error else ''}")


def _request(stage: Stage, pool: WorkerPool, work: Work) -> Request:
    """Return the request for a process; one on another machine gets and returns files as bytes."""
    # A sweep may overwrite its own files.
    request = {**stage.request, "force": work.options.force or bool(work.manifest.outputs(stage))}
    if not pool.remote:
        return request
    model = stage.request.get("model")
    return {**request, "out": None, **({"data": files.read_bytes(Path(model))} if model else {})}


def _collect(answer: Mapping[str, Any], out: Path) -> list[Path]:
    for name, data in answer.get("bytes", {}).items():
        files.write_bytes(out / name, data)
    return [out / name for name in answer.get("files", answer.get("bytes"))]


def _write_traceback(work: Work, stage: Stage, text: str | None) -> None:
    if text:
        files.write_text(work.manifest.path(stage, "traceback.txt"), text)
