"""Train the variants of a sweep, the smallest budget first."""

from __future__ import annotations

from mobilenet_edge.model import layers
from mobilenet_edge.records import Failure, Training
from mobilenet_edge.sweep import halving
from mobilenet_edge.sweep.stages import parallel
from mobilenet_edge.sweep.stages.work import Work
from mobilenet_edge.sweep.train_table import TrainTable
from mobilenet_edge.workers.pool import WorkerPool


def train(work: Work, pool: WorkerPool, settings: TrainTable) -> None:
    """Run the stale train stages, and stop variants that cannot reach `min_top1`.

    Variants that are trained for fewer epochs are trained from the start again with more: each result is that of
    `mnet train` with as many epochs.
    """
    running = sorted(work.plan.sweep.grid.specs(), key=layers.macs)
    for epochs in settings.budgets():
        pairs = [(work.plan.train(spec, epochs), spec) for spec in running]
        parallel.run(work, pool, "train", pairs)
        read = work.read(stage for stage, _ in pairs)
        trained = [record for record in read if isinstance(record, Training)]
        if settings.min_top1 is not None:
            for record, reason in halving.stopped(trained, settings.min_top1, last=epochs == settings.epochs):
                work.fail(Failure(variant=record.variant, stage="train", reason=reason, exit_code=0))
        running = [
            spec
            for spec in running
            if spec.name in {record.variant for record in trained} and spec.name not in work.stopped
        ]
