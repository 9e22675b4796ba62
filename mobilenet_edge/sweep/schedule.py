"""Turn the file of a sweep into stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.conversion import ethos
from mobilenet_edge.data import folders, images
from mobilenet_edge.data.dataset import Dataset
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records.record import CALIBRATED
from mobilenet_edge.sweep import fingerprint, stage
from mobilenet_edge.sweep.config import Sweep
from mobilenet_edge.sweep.stage import Stage

RANDOM: Final = "random"
# Packages whose version can change a trained model.
TRAINERS: Final = (*stage.BUILDERS, "onnxruntime", "pillow")
# Packages whose version can change an accuracy.
SCORERS: Final = (*fingerprint.PACKAGES, "pillow")


@dataclass(frozen=True)
class Schedule:
    """Stages of a sweep with their ingredients.

    Attributes:
        sweep: Contents of the file, with the options of the command line applied.
        out: Folder for all files.
        data: Pictures of `[train]`, None without it.
    """

    sweep: Sweep
    out: Path
    data: Dataset | None = None

    def source(self, spec: ModelSpec) -> Stage:
        """Return the stage that makes the Keras model that is exported."""
        return self.build(spec) if self.sweep.train is None else self.train(spec, self.sweep.train.epochs)

    def build(self, spec: ModelSpec) -> Stage:
        """Return the stage that builds one variant."""
        weights = self.sweep.weights
        stated = self.sweep.preprocess.to_dict()
        source = weights.of(spec.alpha)
        request = {"verb": "build", "spec": asdict(spec), "weights": source, "seed": weights.seed}
        request["options"] = stated
        return Stage(
            f"build {spec.name}",
            {
                "spec": asdict(spec),
                "weights": {**_content(source), "seed": weights.seed if source == RANDOM else None},
                **({"preprocess": stated} if stated else {}),
                "versions": stage.versions(stage.BUILDERS),
            },
            {**request, "out": str(self.out)},
        )

    def train(self, spec: ModelSpec, epochs: int) -> Stage:
        """Return the stage that trains one variant for a number of epochs of fine-tuning."""
        train, data = self.sweep.train, self.data
        if train is None or data is None:
            raise ValueError("a sweep without [train] trains nothing")
        options = asdict(train.options(spec, self.sweep.bodies.of(spec.alpha), epochs))
        request: dict[str, Any] = {"verb": "train", "data": train.data, "split": data.sha256, "name": spec.name}
        request["options"] = {**options, "teacher": train.teacher}
        final = epochs == train.epochs
        return Stage(
            f"train {spec.name}" + ("" if final else f" for {epochs} epochs"),
            {
                **options,
                "weights": _content(options["weights"]),
                "teacher": train.teacher and stage.digest(Path(train.teacher)),
                "split": data.sha256,
                "versions": stage.versions(TRAINERS),
            },
            {**request, "out": str(self.out), "final": final},
        )

    def exports(self, spec: ModelSpec, model: Path, sha256: str) -> Iterator[Stage]:
        """Yield the stages that export the Keras model of one variant, one per target."""
        grid, calibration = self.sweep.grid, self.sweep.calibration
        for target, formats, precisions in grid.targets():
            options = {
                "formats": list(formats),
                "precisions": list(precisions),
                "count": calibration.count,
                "effort": calibration.effort,
                "target": target,
            }
            name = f"export {spec.name}" + (f" for {target}" if len(grid.target) > 1 else "")
            calibrated = set(precisions) != {"float32"}
            yield Stage(
                name,
                {
                    "model": sha256,
                    **options,
                    "calibration": self._calibration if calibrated else None,
                    "versions": stage.versions((*stage.WRITERS, *_compilers(target))),
                },
                {
                    "verb": "export",
                    "model": str(model),
                    "calibrate": calibration.source if self.data is None else self._calibration_pictures,
                    **options,
                    "out": str(self.out),
                },
            )

    def profile(self, artifact: Path, sha256: str, host: str, threads: int) -> Stage:
        """Return the stage that measures one artifact on one machine."""
        settings = self.sweep.profile
        facts = fingerprint.facts(host)
        return Stage(
            f"profile {artifact.name} on {host} with {threads} thread{'s' * (threads > 1)}",
            {
                "artifact": sha256,
                "device": fingerprint.description(host),
                "machine": facts,
                "runs": settings.runs,
                "seconds": settings.seconds,
                "rounds": settings.rounds,
                "versions": stage.versions(()),
            },
            # Profiles of a machine that does not answer stay fresh.
            unknown=frozenset() if facts else frozenset(("machine",)),
        )

    def evaluate(self, artifact: Artifact, reference: Artifact | None) -> Stage:
        """Return the stage that evaluates one artifact."""
        return Stage(
            f"evaluate {artifact.path.name}",
            {
                "artifact": artifact.sha256,
                "reference": reference.sha256 if reference else None,
                **self._scored,
                "versions": stage.versions(SCORERS),
            },
        )

    @cached_property
    def scoring(self) -> dict[str, Any] | None:
        """Arguments of `evaluate.evaluate` that say which images are scored; None if none are."""
        settings, data = self.sweep.evaluate, self.data
        if data is not None and data.test_folder is not None:
            names = [picture.path.relative_to(data.test_folder).as_posix() for picture in data.test]
            total = sum(data.counts.values())
            split = f"{len(names)} of {total} pictures of {data.folder}, unseen by training and calibration"
            return {"data": data.test_folder, "only": names, "split": split}
        if settings.data is None:
            return None
        labels = Path(settings.labels) if settings.labels else None
        return {"data": Path(settings.data), "labels": labels, "leave_out": self.leave_out}

    @cached_property
    def _scored(self) -> Mapping[str, Any]:
        if self.data is not None:
            return {"split": self.data.sha256}
        return {
            "data": _listing(image_folder(str(self.sweep.evaluate.data))),
            "labels": stage.digest(Path(self.sweep.evaluate.labels)) if self.sweep.evaluate.labels else None,
            "leave_out": self.leave_out,
        }

    @cached_property
    def leave_out(self) -> int:
        """Number of calibration images, which are not used for evaluation."""
        source, data = self.sweep.calibration.source, self.sweep.evaluate.data
        if not set(CALIBRATED) & set(self.sweep.grid.precision) or source == RANDOM or data is None:
            return 0
        return (
            self.sweep.calibration.count if image_folder(source, folders.FOR_CALIBRATION) == image_folder(data) else 0
        )

    @cached_property
    def _calibration_pictures(self) -> list[str]:
        """Training pictures: as many as calibrate, and a fourth more for the export to hold out."""
        count = self.sweep.calibration.count * 5 // 4
        return [str(picture.path) for picture in images.spread(self.data.train if self.data else (), count)]

    @cached_property
    def _calibration(self) -> Mapping[str, Any]:
        if self.data is not None:
            return {"source": "training", "split": self.data.sha256}
        if self.sweep.calibration.source == RANDOM:
            return {"source": RANDOM}
        folder = image_folder(self.sweep.calibration.source, folders.FOR_CALIBRATION)
        chosen: Sequence[Path] = images.spread(images.find(folder), self.sweep.calibration.count)
        return {"source": "images", "sha256": stage.digest_all(folder, chosen)}


def _content(source: str) -> Mapping[str, Any]:
    return {"source": source, "sha256": None if source in (RANDOM, "imagenet") else stage.digest(Path(source))}


def image_folder(name: str, splits: Sequence[str] = folders.SPLITS) -> Path:
    """Return the resolved folder of the images of `data`, or of `source` with its order of splits."""
    return folders.locate(Path(name), splits).folder.resolve()


@cache
def _listing(folder: Path) -> str:
    return stage.listing(folder, images.find(folder))


def _compilers(target: str) -> tuple[str, ...]:
    """Name the packages that decide what goes beside the files of a target."""
    if ethos.is_accelerator(target):
        return ("ethos-u-vela",)
    return ("tflite-micro",) if target == "tflm" else ()
