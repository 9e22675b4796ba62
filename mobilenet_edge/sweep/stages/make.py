"""Building and exporting the variants of a sweep, in several processes."""

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

# A process that builds and exports alpha 1.0 at 224 pixels, at its peak; measured by scripts/bench_sweep.py.
BYTES_EACH: Final = 2_500_000_000


def make(work: Work, held: int) -> list[Artifact]:
    """Build and export what is not fresh; return the artifacts of every variant that has some, in the grid's order.

    The processes inherit `held`, the lock: where this one is killed, nobody else begins before they have ended.
    """
    plan, manifest = work.plan, work.manifest
    specs = plan.sweep.grid.specs()
    with pool_of(work.options, plan.out, held) as pool:
        _do(work, pool, "build", [(plan.build(spec), spec) for spec in specs])
        built = [spec for spec in specs if manifest.stale_reason(plan.build(spec)) is None]
        exports = [
            (stage, spec)
            for spec in built
            for stage in plan.exports(spec, work.model(spec), manifest.sha256(plan.build(spec))[0])
        ]
        _do(work, pool, "export", exports)
    made = [path for stage, _ in exports if manifest.stale_reason(stage) is None for path in manifest.outputs(stage)]
    if not made:
        nothing = MnetError(work.failures[0].reason)
        nothing.exit_code = work.failures[0].exit_code
        raise nothing
    return [artifact.read(path) for path in made if path.suffix != ".keras"]


def pool_of(options: SweepOptions, out: Path, held: int) -> WorkerPool:
    """Choose who does it: processes of this machine, or the workers of a cluster."""
    if options.dask is not None:
        from mobilenet_edge.workers import dask

        return dask.DaskPool(worker.FUNCTION, options.dask)
    temporary = lock.temporary(out)
    temporary.mkdir(exist_ok=True)
    size = processes.choose_size(options.jobs, BYTES_EACH)
    return processes.ProcessPool(worker.FUNCTION, size, inherited=(held,), temporary=temporary)


def _do(work: Work, pool: WorkerPool, verb: str, stages: Sequence[tuple[Stage, ModelSpec]]) -> None:
    """Have the stages done that are not fresh, several at once; what fails is noted and the rest goes on."""
    stale = [stage for stage in stages if work.manifest.stale_reason(stage[0]) is not None]
    if not stale:
        return
    with view.phase(verb, len(stale)) as show:
        for index, answer in pool.run([_request(stage, pool, work) for stage, _ in stale]):
            stage, spec = stale[index]
            error = answer.get("error")
            if error is None:
                work.note(stage, _collect(answer, work.plan.out))
            else:
                work.fail(Failure(variant=spec.name, stage=verb, reason=error["message"], exit_code=error["exit_code"]))
                _keep_traceback(work, stage, answer.get("traceback"))
            show(f"{stage.subject}{' FAILED' if error else ''}")


def _request(stage: Stage, pool: WorkerPool, work: Work) -> Request:
    """What the process is asked: one on another machine has none of our files, and ours is no place for its own."""
    # What a sweep made it may make anew.
    request = {**stage.request, "force": work.options.force or bool(work.manifest.outputs(stage))}
    if not pool.remote:
        return request
    model = stage.request.get("model")
    return {**request, "out": None, **({"data": files.read_bytes(Path(model))} if model else {})}


def _collect(answer: Mapping[str, Any], out: Path) -> list[Path]:
    for name, data in answer.get("bytes", {}).items():
        files.write_bytes(out / name, data)
    return [out / name for name in answer.get("files", answer.get("bytes"))]


def _keep_traceback(work: Work, stage: Stage, text: str | None) -> None:
    if text:
        files.write_text(work.manifest.place(stage, "traceback.txt"), text)
