"""Run stages of a sweep in several processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mobilenet_edge import files
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Failure
from mobilenet_edge.sweep import view
from mobilenet_edge.sweep.stage import Stage
from mobilenet_edge.sweep.stages.work import Work
from mobilenet_edge.training import trainer
from mobilenet_edge.workers.pool import Request, WorkerPool


def run(work: Work, pool: WorkerPool, verb: str, stages: Sequence[tuple[Stage, ModelSpec]]) -> None:
    """Run the stale stages; failures are recorded and do not stop the others."""
    stale = [(stage, spec) for stage, spec in stages if work.manifest.stale_reason(stage) is not None]
    if not stale:
        return
    with view.phase(verb, len(stale)) as advance:
        for index, answer in pool.run([_request(stage, pool, work) for stage, _ in stale]):
            stage, spec = stale[index]
            error = answer.get("error")
            if error is None:
                work.record(stage, _collect(answer, work, stage))
            else:
                work.fail(Failure(variant=spec.name, stage=verb, reason=error["message"], exit_code=error["exit_code"]))
                _write_traceback(work, stage, answer.get("traceback"))
            advance(f"{stage.subject}{' FAILED' if error else ''}")


def _request(stage: Stage, pool: WorkerPool, work: Work) -> Request:
    """Return the request for a process; one on another machine gets and returns files as bytes."""
    # A sweep may overwrite its own files.
    request = {**stage.request, "force": work.options.force or bool(work.manifest.outputs(stage))}
    if stage.verb == "train":
        request["home"] = str(work.plan.out)
    if not pool.remote:
        return request
    model = stage.request.get("model")
    return {**request, "out": None, **({"data": files.read_bytes(Path(model))} if model else {})}


def _collect(answer: Mapping[str, Any], work: Work, stage: Stage) -> list[Path]:
    """Write what a process on another machine returned, and the record of a training; return the stage's files."""
    out = work.plan.out
    for name, data in answer.get("bytes", {}).items():
        files.write_bytes(out / name, data)
    paths = [out / name for name in answer.get("files", answer.get("bytes"))]
    if "record" in answer:
        # The final record stands beside the model, the others in the folder of the manifest.
        path = out / f"{stage.subject}{trainer.SUFFIX}" if paths else work.manifest.path(stage, "record.json")
        files.write_text(path, answer["record"])
        paths.append(path)
    return paths


def _write_traceback(work: Work, stage: Stage, text: str | None) -> None:
    if text:
        files.write_text(work.manifest.path(stage, "traceback.txt"), text)
