"""`mnet sweep`: from a grid to the tradeoff table, every stage leaving its files behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import artifact, config, files, images, labels, records
from mobilenet_edge.artifact import Artifact
from mobilenet_edge.commands import evaluate, making, profile, reach, table
from mobilenet_edge.config import Sweep
from mobilenet_edge.errors import Interrupted, MnetError
from mobilenet_edge.jobs import Crew, Request, local
from mobilenet_edge.judge import predict
from mobilenet_edge.judge.forecast import Wanted, forecast
from mobilenet_edge.records import Failure, Profile, Record
from mobilenet_edge.spec import ModelSpec
from mobilenet_edge.sweep import lock, view
from mobilenet_edge.sweep.ledger import Ledger
from mobilenet_edge.sweep.plan import RANDOM, Plan, folder_of
from mobilenet_edge.sweep.stage import Stage

TABLES: Final = {"tradeoff.md": "markdown", "tradeoff.csv": "csv", "tradeoff.json": "json"}
RECORDS: Final = "records.json"
# A process that builds and exports alpha 1.0 at 224 pixels, at its peak; measured by scripts/bench_sweep.py.
BYTES_EACH: Final = 2_500_000_000
# What is measured at a time, interleaved: sixteen take a minute, which is all that a kill can lose.
TOGETHER: Final = 16


@dataclass(frozen=True)
class Options:
    """What the command line says beside the file.

    Attributes:
        weights: Instead of the file's `weights.source`.
        data: Images to calibrate with and to evaluate on, instead of the file's.
        jobs: Processes that build and export; as many as cores by default, and never more than memory allows.
        dask: Address of a Dask scheduler that builds and exports instead.
        make_only: Build and export, and measure nothing.
        measure: Profile the artifacts of so many variants, well chosen, and predict the latency of the others.
    """

    weights: str | None = None
    data: Path | None = None
    jobs: int | None = None
    dask: str | None = None
    make_only: bool = False
    measure: int | None = None


@dataclass
class _Work:
    """A sweep under way: what is to do, what was done, and what failed."""

    plan: Plan
    ledger: Ledger
    options: Options
    failures: list[Failure] = field(default_factory=list)
    done: int = 0

    def note(self, stage: Stage, outputs: Sequence[Path]) -> None:
        """Count a stage as done, once its files are in place."""
        self.ledger.note(stage, outputs)
        self.done += 1

    def fail(self, failure: Failure) -> None:
        """Count what could not be done."""
        self.failures.append(failure)


def run(path: Path, options: Options, *, out: Path) -> tuple[str, int]:
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
            artifacts = _make(work, held)
            if options.make_only:
                return f"{len(artifacts)} artifacts in {out}", len(work.failures)
            measured = [*_profile(work, artifacts), *_evaluate(work, artifacts)]
        except KeyboardInterrupt as error:
            raise Interrupted(
                f"interrupted: {work.done} stages were done and are kept in {out}; the same command goes on from there"
            ) from error
        records.write(out / RECORDS, [*measured, *work.failures])
        tables = {name: table.run([out / RECORDS], kind) for name, kind in TABLES.items()}
        files.write_together({out / name: f"{text}\n".encode() for name, text in tables.items()})
    return tables["tradeoff.md"], len(work.failures)


def look(path: Path, options: Options, *, out: Path) -> str:
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


def _start(path: Path, options: Options, out: Path) -> _Work:
    sweep = _override(config.load_sweep(path), options.weights, options.data)
    files.try_folder(out)
    _try_sources(sweep)
    work = _Work(Plan(sweep, out), Ledger(out), options)
    _chosen(work)
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
    reach.targets(sweep.profile.hosts)


def _chosen(work: _Work) -> set[str]:
    """Names of the variants whose artifacts are profiled.

    Raises:
        UsageError: So few that some could not be predicted from them.
    """
    specs, count = work.plan.sweep.grid.specs(), work.options.measure
    indexes = range(len(specs)) if count is None else predict.choose(specs, count)
    return {specs[index].name for index in indexes}


def _look(work: _Work) -> Iterator[tuple[str, str | None]]:
    """Name every stage and say why it is to be done, None where it is fresh."""
    plan, how = work.plan, work.plan.sweep.profile
    for spec in plan.sweep.grid.specs():
        build = plan.build(spec)
        why_build = work.ledger.why(build)
        yield build.name, why_build
        sha256 = "" if why_build else work.ledger.sha256(build)[0]
        for export in plan.exports(spec, _model(work, spec), sha256):
            why = f"after {build.name}" if why_build else work.ledger.why(export)
            yield export.name, why
            if spec.name not in _chosen(work):
                continue
            made = [] if why else [*zip(work.ledger.outputs(export), work.ledger.sha256(export), strict=True)]
            for host in how.hosts:
                for path, digest in made:
                    for threads in how.threads:
                        stage = plan.profile(path, digest, host, threads)
                        yield stage.name, work.ledger.why(stage)
                if why:
                    yield f"profile the files of {export.subject} on {host}", f"after {export.name}"
        if plan.sweep.evaluate.data is not None:
            yield f"evaluate {spec.name}", "looked at when it is built and exported"


# Building and exporting


def _make(work: _Work, held: int) -> list[Artifact]:
    """Build and export what is not fresh; return the artifacts of every variant that has some, in the grid's order.

    The processes inherit `held`, the lock: where this one is killed, nobody else begins before they have ended.
    """
    plan, ledger = work.plan, work.ledger
    specs = plan.sweep.grid.specs()
    with _makers(work.options, plan.out, held) as crew:
        _do(work, crew, "build", [(plan.build(spec), spec) for spec in specs])
        built = [spec for spec in specs if ledger.why(plan.build(spec)) is None]
        exports = [
            (stage, spec)
            for spec in built
            for stage in plan.exports(spec, _model(work, spec), ledger.sha256(plan.build(spec))[0])
        ]
        _do(work, crew, "export", exports)
    made = [path for stage, _ in exports if ledger.why(stage) is None for path in ledger.outputs(stage)]
    if not made:
        nothing = MnetError(work.failures[0].reason)
        nothing.exit_code = work.failures[0].exit_code
        raise nothing
    return [artifact.read(path) for path in made if path.suffix != ".keras"]


def _makers(options: Options, out: Path, held: int) -> Crew:
    if options.dask is not None:
        from mobilenet_edge.jobs import dask

        return dask.Crew(making.FUNCTION, options.dask)
    temporary = lock.temporary(out)
    temporary.mkdir(exist_ok=True)
    size = local.fitting(options.jobs, BYTES_EACH)
    return local.Crew(making.FUNCTION, size, inherited=(held,), temporary=temporary)


def _do(work: _Work, crew: Crew, verb: str, stages: Sequence[tuple[Stage, ModelSpec]]) -> None:
    """Have the stages done that are not fresh, several at once; what fails is noted and the rest goes on."""
    stale = [each for each in stages if work.ledger.why(each[0]) is not None]
    if not stale:
        return
    with view.phase(verb, len(stale)) as show:
        for index, answer in crew.run([_request(stage, crew) for stage, _ in stale]):
            stage, spec = stale[index]
            error = answer.get("error")
            if error is None:
                work.note(stage, _collect(answer, work.plan.out))
            else:
                work.fail(Failure(variant=spec.name, stage=verb, reason=error["message"], exit_code=error["exit_code"]))
                _keep_traceback(work, stage, answer.get("traceback"))
            show(f"{stage.subject}{' FAILED' if error else ''}")


def _request(stage: Stage, crew: Crew) -> Request:
    """What the process is asked: one on another machine has none of our files, and ours is no place for its own."""
    if not crew.remote:
        return stage.request
    model = stage.request.get("model")
    return {**stage.request, "out": None, **({"data": files.read_bytes(Path(model))} if model else {})}


def _collect(answer: Mapping[str, Any], out: Path) -> list[Path]:
    for name, data in answer.get("bytes", {}).items():
        files.write_bytes(out / name, data)
    return [out / name for name in answer.get("files", answer.get("bytes"))]


def _keep_traceback(work: _Work, stage: Stage, text: str | None) -> None:
    if text:
        files.write_text(work.ledger.place(stage, "traceback.txt"), text)


def _model(work: _Work, spec: ModelSpec) -> Path:
    return work.plan.out / f"{spec.name}.keras"


# Measuring and scoring: never beside the making, nor each other


def _profile(work: _Work, artifacts: Sequence[Artifact]) -> list[Record]:
    """Measure what is not fresh, some artifacts at a time; return the profiles of all, and predictions of the rest."""
    how = work.plan.sweep.profile
    plan = profile.Plan(runs=how.runs, seconds=how.seconds, rounds=how.rounds)
    stages = {
        (str(each.path), host, threads): work.plan.profile(each.path, each.sha256, host, threads)
        for each in artifacts
        for host in how.hosts
        for threads in how.threads
    }
    chosen = _chosen(work)
    few = {str(each.path) for each in artifacts if _variant(each) in chosen}
    stale = {key for key, stage in stages.items() if key[0] in few and work.ledger.why(stage) is not None}
    todo = [each.path for each in artifacts if any(key[0] == str(each.path) for key in stale)]
    size = max(1, TOGETHER // len(how.threads))
    for start in range(0, len(todo), size):
        group = todo[start : start + size]
        hosts = [host for host in how.hosts if any((str(p), host, t) in stale for p in group for t in how.threads)]
        for made in _measured(group, plan, how.threads, hosts):
            if isinstance(made, Failure):
                work.fail(made)
            else:
                _keep(work, stages[(made.artifact, made.host["name"], made.threads)], made)
    profiles = _kept(work, stages.values())
    rest = {key: stage for key, stage in stages.items() if key[0] not in few and work.ledger.why(stage) is not None}
    return [*profiles, *_predict(work, artifacts, profiles, rest)]


def _predict(
    work: _Work, artifacts: Sequence[Artifact], profiles: Sequence[Record], rest: Iterable[tuple[str, str, int]]
) -> list[Record]:
    """Predict what was not chosen to be measured, nor was before."""
    identities = {str(each.path): each.identity() for each in artifacts}
    wanted = [Wanted(identities[path], host, threads) for path, host, threads in rest]
    found = forecast([each for each in profiles if isinstance(each, Profile)], wanted)
    for each, made in zip(wanted, found, strict=True):
        if isinstance(made, str):
            work.fail(
                Failure(
                    **{name: each.identity[name] for name in ("variant", "format", "precision", "artifact")},
                    host=each.host,
                    stage="profile",
                    reason=made,
                    exit_code=MnetError.exit_code,
                    threads=each.threads,
                )
            )
    return [each for each in found if not isinstance(each, str)]


def _measured(
    paths: Sequence[Path], plan: profile.Plan, threads: Sequence[int], hosts: Sequence[str]
) -> list[Profile | Failure]:
    try:
        return profile.run(paths, plan, threads=threads, targets=reach.targets(hosts))
    except MnetError as error:
        # The only machine brought nothing; the other groups may be better off.
        return [
            Failure(
                variant=_variant(each),
                format=each.format,
                precision=each.precision,
                artifact=str(each.path),
                host=hosts[0],
                stage="profile",
                reason=str(error),
                exit_code=error.exit_code,
            )
            for each in map(artifact.read, paths)
        ]


def _evaluate(work: _Work, artifacts: Sequence[Artifact]) -> list[Record]:
    """Score what is not fresh, the artifacts of one variant together; return the evaluations of all."""
    how = work.plan.sweep.evaluate
    if how.data is None:
        return []
    stages = []
    for variant, group in groupby(artifacts, key=_variant):
        own = list(group)
        # The float file equals the Keras model within 1e-5, or its export would have failed, and needs no TensorFlow.
        reference = next((each for each in own if each.precision == "float32"), None)
        pairs = [(each, work.plan.evaluate(each, reference)) for each in own]
        stale = [each for each in pairs if work.ledger.why(each[1]) is not None]
        stages += [stage for _, stage in pairs]
        if not stale:
            continue
        try:
            made = evaluate.run(
                [each.path for each, _ in stale],
                Path(how.data),
                labels=Path(how.labels) if how.labels else None,
                reference=reference.path if reference else None,
                leave_out=work.plan.leave_out,
            )
        except MnetError as error:
            work.fail(Failure(variant=variant, stage="evaluate", reason=str(error), exit_code=error.exit_code))
            continue
        for (_, stage), record in zip(stale, made, strict=True):
            _keep(work, stage, record)
    return _kept(work, stages)


def _variant(made: Artifact) -> str:
    return str(made.identity()["variant"])


def _keep(work: _Work, stage: Stage, record: Record) -> None:
    path = work.ledger.place(stage, "record.json")
    records.write(path, [record])
    work.note(stage, [path])


def _kept(work: _Work, stages: Iterable[Stage]) -> list[Record]:
    fresh = [stage for stage in stages if work.ledger.why(stage) is None]
    return [record for stage in fresh for path in work.ledger.outputs(stage) for record in records.read(path)]
