"""Build or train the variants of a sweep, and export them, in several processes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mobilenet_edge.errors import MnetError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.sweep import lock
from mobilenet_edge.sweep.stages import execute as worker
from mobilenet_edge.sweep.stages import learn, parallel
from mobilenet_edge.sweep.stages.work import SweepOptions, Work
from mobilenet_edge.workers import processes
from mobilenet_edge.workers.pool import WorkerPool

# Peak memory of a process that builds and exports alpha 1.0 at 224 pixels, measured by scripts/bench_sweep.py.
PROCESS_BYTES: Final = 2_500_000_000


def make(work: Work, lock_handle: int) -> list[Artifact]:
    """Run the stale build or train stages, and the stale export stages.

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
        if plan.sweep.train is None:
            parallel.run(work, pool, "build", [(plan.build(spec), spec) for spec in specs])
        else:
            learn.train(work, pool, plan.sweep.train)
        sources = [
            (spec, source)
            for spec in specs
            if spec.name not in work.stopped and manifest.stale_reason(source := plan.source(spec)) is None
        ]
        exports = [
            (stage, spec)
            for spec, source in sources
            for stage in plan.exports(spec, work.model(spec), manifest.sha256(source)[0])
        ]
        parallel.run(work, pool, "export", exports)
    paths = [path for stage, _ in exports if manifest.stale_reason(stage) is None for path in manifest.outputs(stage)]
    if not paths:
        raise _nothing(work)
    return [artifact.read(path) for path in paths if path.suffix in artifact.RUNNABLE]


def _nothing(work: Work) -> MnetError:
    """Return the first failure as an error, or say that all variants were stopped."""
    failure = next((failure for failure in work.failures if failure.exit_code), None)
    if failure is None:
        last = work.failures[-1]
        return MnetError(f"no variant can reach train.min_top1; {last.variant}: {last.reason}; lower it")
    error = MnetError(failure.reason)
    error.exit_code = failure.exit_code
    return error


def open_pool(options: SweepOptions, out: Path, lock_handle: int) -> WorkerPool:
    """Return a pool of local processes, or of the workers of a Dask cluster."""
    if options.dask is not None:
        from mobilenet_edge.workers import dask

        return dask.DaskPool(worker.FUNCTION, options.dask)
    temporary = lock.temporary(out)
    temporary.mkdir(exist_ok=True)
    size = processes.choose_size(options.jobs, PROCESS_BYTES)
    return processes.ProcessPool(worker.FUNCTION, size, inherited=(lock_handle,), temporary=temporary)
