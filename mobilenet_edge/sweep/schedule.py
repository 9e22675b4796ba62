"""From a sweep's file to its stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.data import folders, images
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.sweep import identity, stage
from mobilenet_edge.sweep.config import Sweep
from mobilenet_edge.sweep.stage import Stage

RANDOM: Final = "random"
# What scores an image: its decoder too.
SCORERS: Final = (*identity.RUNTIMES, "pillow")


@dataclass(frozen=True)
class Schedule:
    """The stages of a sweep, and what goes into each.

    Attributes:
        sweep: The file, options of the command line applied.
        out: The folder for all files.
    """

    sweep: Sweep
    out: Path

    def build(self, spec: ModelSpec) -> Stage:
        """Build one variant."""
        weights = self.sweep.weights
        stated = self.sweep.preprocess.to_dict()
        request = {"verb": "build", "spec": asdict(spec), "weights": weights.source, "seed": weights.seed}
        request["options"] = stated
        return Stage(
            f"build {spec.name}",
            {
                "spec": asdict(spec),
                "weights": {**self._weights, "seed": weights.seed if weights.source == RANDOM else None},
                **({"preprocess": stated} if stated else {}),
                "versions": stage.versions(stage.BUILDERS),
            },
            {**request, "out": str(self.out)},
        )

    def exports(self, spec: ModelSpec, model: Path, sha256: str) -> Iterator[Stage]:
        """Export one variant, whose model is `model`, for every target."""
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
            images_too = set(precisions) != {"float32"}
            yield Stage(
                name,
                {
                    "model": sha256,
                    **options,
                    "calibration": self._calibration if images_too else None,
                    "versions": stage.versions(stage.WRITERS),
                },
                {
                    "verb": "export",
                    "model": str(model),
                    "calibrate": calibration.source,
                    **options,
                    "out": str(self.out),
                },
            )

    def profile(self, artifact: Path, sha256: str, host: str, threads: int) -> Stage:
        """Measure one artifact on one machine."""
        how = self.sweep.profile
        facts = identity.facts(host)
        return Stage(
            f"profile {artifact.name} on {host} with {threads} thread{'s' * (threads > 1)}",
            {
                "artifact": sha256,
                "device": identity.description(host),
                "machine": facts,
                "runs": how.runs,
                "seconds": how.seconds,
                "rounds": how.rounds,
                "versions": stage.versions(()),
            },
            # A machine that is off does not make its profiles stale.
            unknown=frozenset() if facts else frozenset(("machine",)),
        )

    def evaluate(self, artifact: Artifact, reference: Artifact | None) -> Stage:
        """Score one artifact."""
        return Stage(
            f"evaluate {artifact.path.name}",
            {
                "artifact": artifact.sha256,
                "reference": reference.sha256 if reference else None,
                "data": _listing(folder_of(str(self.sweep.evaluate.data))),
                "labels": stage.digest(Path(self.sweep.evaluate.labels)) if self.sweep.evaluate.labels else None,
                "leave_out": self.leave_out,
                "versions": stage.versions(SCORERS),
            },
        )

    @cached_property
    def leave_out(self) -> int:
        """How many images calibrated and are therefore not scored."""
        source, data = self.sweep.calibration.source, self.sweep.evaluate.data
        if "int8" not in self.sweep.grid.precision or source == RANDOM or data is None:
            return 0
        return self.sweep.calibration.count if folder_of(source, folders.FOR_CALIBRATION) == folder_of(data) else 0

    @cached_property
    def _weights(self) -> Mapping[str, Any]:
        path = Path(self.sweep.weights.source)
        named = self.sweep.weights.source in (RANDOM, "imagenet")
        return {"source": self.sweep.weights.source, "sha256": None if named else stage.digest(path)}

    @cached_property
    def _calibration(self) -> Mapping[str, Any]:
        if self.sweep.calibration.source == RANDOM:
            return {"source": RANDOM}
        folder = folder_of(self.sweep.calibration.source, folders.FOR_CALIBRATION)
        chosen: Sequence[Path] = images.spread(images.find(folder), self.sweep.calibration.count)
        return {"source": "images", "sha256": stage.digest_all(folder, chosen)}


def folder_of(name: str, splits: Sequence[str] = folders.SPLITS) -> Path:
    """Where the images of `data` are, by one name whatever way it was written; of `source` with its order of splits."""
    return folders.locate(Path(name), splits).folder.resolve()


@cache
def _listing(folder: Path) -> str:
    return stage.listing(folder, images.find(folder))
