"""From a sweep's file to its stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.data import images, labels
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.sweep import stage
from mobilenet_edge.sweep.config import Sweep
from mobilenet_edge.sweep.stage import Stage

RANDOM: Final = "random"
RUNTIMES: Final = ("ai-edge-litert", "tflite-runtime", "onnxruntime", "numpy")
# What scores an image: its decoder too.
SCORERS: Final = (*RUNTIMES, "pillow")


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
        request = {"verb": "build", "spec": asdict(spec), "weights": weights.source, "seed": weights.seed}
        return Stage(
            f"build {spec.name}",
            {
                "spec": asdict(spec),
                "weights": {**self._weights, "seed": weights.seed if weights.source == RANDOM else None},
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
        return Stage(
            f"profile {artifact.name} on {host} with {threads} thread{'s' * (threads > 1)}",
            {
                "artifact": sha256,
                "machine": _this_cpu() if host == "local" else host,
                "runs": how.runs,
                "seconds": how.seconds,
                "rounds": how.rounds,
                "versions": stage.versions(RUNTIMES if host == "local" else ()),
            },
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
        return self.sweep.calibration.count if folder_of(source) == folder_of(data) else 0

    @cached_property
    def _weights(self) -> Mapping[str, Any]:
        path = Path(self.sweep.weights.source)
        named = self.sweep.weights.source in (RANDOM, "imagenet")
        return {"source": self.sweep.weights.source, "sha256": None if named else stage.digest(path)}

    @cached_property
    def _calibration(self) -> Mapping[str, Any]:
        if self.sweep.calibration.source == RANDOM:
            return {"source": RANDOM}
        folder = folder_of(self.sweep.calibration.source)
        chosen: Sequence[Path] = images.spread(images.find(folder), self.sweep.calibration.count)
        return {"source": "images", "sha256": stage.digest_all(folder, chosen)}


def folder_of(name: str) -> Path:
    """Where the images of `data` or `source` are, by one name whatever way it was written."""
    return labels.locate(Path(name))[0].resolve()


def _this_cpu() -> str | None:
    """What kind of machine this is, so that profiles in a copied folder are not taken for its own."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return None
    named = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "CPU part"))]
    return f"{len(named)} x {named[0]}" if named else None


@cache
def _listing(folder: Path) -> str:
    return stage.listing(folder, images.find(folder))
