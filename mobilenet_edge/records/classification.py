"""Record of what a model says of one picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mobilenet_edge.records.record import ArtifactRecord


@dataclass(frozen=True, kw_only=True)
class Classification(ArtifactRecord):
    """What a model says of one picture.

    Attributes:
        picture: Path, as given by the user; "-" for stdin, "camera 0, frame 3" for a camera.
        head: Type of the outputs, as in an evaluation.
        answers: The best classes, best first: `index` of the output (0 or 1 for a single score), `label` or None,
            `probability`, and for multi-label models `yes`, whether it is above one half.
        decode_ms: Time to read and decode the picture.
        prepare_ms: Time to turn it into a tensor, on this machine.
        infer_ms: Time of one inference, with the copies of input and output; not a measurement of latency.
        runtime: "litert", "tflite-runtime", "onnxruntime" or "keras".
        runtime_version: Version of the runtime.
        host: Machine that ran the model.
        conditions: `threads` and `preprocess` (the preprocessing rule).
    """

    kind = "classification"

    picture: str
    head: str
    answers: tuple[dict[str, Any], ...]
    decode_ms: float
    prepare_ms: float
    infer_ms: float
    runtime: str
    runtime_version: str
    host: str = "local"
    conditions: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """The best class: its label, else its index; None where no class is."""
        if not self.answers or not self.answers[0].get("yes", True):
            return None
        best = self.answers[0]
        return str(best["index"]) if best["label"] is None else str(best["label"])
