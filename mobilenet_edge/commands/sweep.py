"""`mnet sweep`: from a grid of (alpha, rho) to the tradeoff table, every step leaving its files behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from mobilenet_edge import config, files, images, labels, records
from mobilenet_edge.artifact import Artifact
from mobilenet_edge.commands import build, evaluate, export, profile, table
from mobilenet_edge.config import Sweep
from mobilenet_edge.records import Evaluation, Profile
from mobilenet_edge.spec import ModelSpec

PROFILES: Final = "profiles.json"
EVALUATIONS: Final = "evaluations.json"
TABLES: Final = {"tradeoff.md": "markdown", "tradeoff.csv": "csv", "tradeoff.json": "json"}


def run(path: Path, *, weights: str | None = None, data: Path | None = None, out: Path) -> str:
    """Build, export, profile and, where there are images, evaluate a grid.

    Images that calibrated are not scored.

    Args:
        path: The TOML file.
        weights: Instead of the file's `weights.source`.
        data: Images to calibrate with and to evaluate on, instead of the file's.
        out: The folder for all files.

    Returns:
        The tradeoff table in Markdown.

    Raises:
        MnetError: As the verbs that it goes through.
    """
    sweep = _override(config.load_sweep(path), weights, data)
    files.try_folder(out)
    _try_sources(sweep)
    variants = [_export(spec, sweep, out) for spec in sweep.grid.specs()]
    sources = [out / PROFILES]
    records.write(sources[0], _profile(sweep, [each for variant in variants for each in variant]))
    if sweep.evaluate.data is not None:
        sources.append(out / EVALUATIONS)
        records.write(sources[1], [score for variant in variants for score in _evaluate(sweep, variant)])
    tables = {name: table.run(sources, kind) for name, kind in TABLES.items()}
    for name, text in tables.items():
        files.write_text(out / name, text + "\n")
    return tables["tradeoff.md"]


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
    """Fail before the first model is built where images or labels are missing."""
    for name in dict.fromkeys((sweep.calibration.source, sweep.evaluate.data)):
        if name not in (None, export.RANDOM):
            images.find(_folder(str(name)))
    if sweep.evaluate.labels is not None:
        labels.read(Path(sweep.evaluate.labels))


def _folder(name: str) -> Path:
    """Where the images of `data` or `source` are, by one name whatever way it was written."""
    return labels.locate(Path(name))[0].resolve()


def _export(spec: ModelSpec, sweep: Sweep, out: Path) -> list[Artifact]:
    model = build.run(spec, weights=sweep.weights.source, seed=sweep.weights.seed, out=out)
    return export.run(
        model.path,
        formats=sweep.grid.format,
        precisions=sweep.grid.precision,
        calibrate=sweep.calibration.source,
        count=sweep.calibration.count,
        out=out,
    )


def _profile(sweep: Sweep, artifacts: Sequence[Artifact]) -> list[Profile]:
    how = sweep.profile
    paths = [each.path for each in artifacts]
    return profile.run(paths, threads=how.threads, runs=how.runs, seconds=how.seconds, rounds=how.rounds)


def _evaluate(sweep: Sweep, variant: Sequence[Artifact]) -> list[Evaluation]:
    data, source = str(sweep.evaluate.data), sweep.calibration.source
    calibrated = "int8" in sweep.grid.precision and source != export.RANDOM and _folder(source) == _folder(data)
    # The float file equals the Keras model within 1e-5, or its export would have failed, and needs no TensorFlow.
    reference = next((each.path for each in variant if each.precision == "float32"), None)
    return evaluate.run(
        [each.path for each in variant],
        Path(data),
        labels=Path(sweep.evaluate.labels) if sweep.evaluate.labels else None,
        reference=reference,
        leave_out=sweep.calibration.count if calibrated else 0,
    )
