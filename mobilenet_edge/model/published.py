"""What was published for MobileNets on ImageNet: shown beside measured figures, never instead of them.

Accuracy: TF-slim's `mobilenet_v1.md` and `mobilenet/README.md` (v2), on the 50,000 validation images. Latency of v1:
TensorFlow Lite's hosted-models page, on a Pixel 3 with 4 threads. The uint8 models were retrained with quantisation in
the loop (QAT); post-training int8 gives less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mobilenet_edge.model.spec import Family, ModelSpec


@dataclass(frozen=True)
class Published:
    """The published figures of one variant.

    Attributes:
        top1: Top-1 of the float model, in percent.
        top5: Top-5 of the float model, in percent.
        qat_top1: Top-1 of the QAT uint8 model, in percent; None where none was published.
        qat_top5: Top-5 of the QAT uint8 model, in percent; None where none was published.
        pixel3_ms: Latency of the float model on a Pixel 3, 4 threads; None likewise.
        qat_pixel3_ms: Latency of the QAT uint8 model there; None likewise.
    """

    top1: float
    top5: float
    qat_top1: float | None = None
    qat_top5: float | None = None
    pixel3_ms: float | None = None
    qat_pixel3_ms: float | None = None


_V1: Final = {
    (1.0, 224): Published(70.9, 89.9, 69.7, 89.5, 24.0, 13.0),
    (1.0, 192): Published(70.0, 89.2, 69.0, 88.9, 18.1, 9.9),
    (1.0, 160): Published(68.0, 87.7, 67.3, 87.7, 13.4, 7.3),
    (1.0, 128): Published(65.2, 85.8, 64.0, 85.5, 9.0, 4.8),
    (0.75, 224): Published(68.4, 88.2, 67.9, 88.1, 14.6, 8.5),
    (0.75, 192): Published(67.2, 87.3, 66.2, 87.1, 11.0, 6.4),
    (0.75, 160): Published(65.3, 86.0, 63.9, 85.5, 8.2, 4.7),
    (0.75, 128): Published(62.1, 83.9, 59.8, 82.8, 5.5, 3.1),
    (0.5, 224): Published(63.3, 84.9, 62.2, 84.5, 7.9, 4.7),
    (0.5, 192): Published(61.7, 83.6, 60.4, 83.2, 6.0, 3.6),
    (0.5, 160): Published(59.1, 81.9, 57.7, 81.3, 4.4, 2.6),
    (0.5, 128): Published(56.3, 79.4, 54.9, 78.9, 3.0, 1.7),
    (0.25, 224): Published(49.8, 74.2, 48.2, 73.8, 3.3, 2.3),
    (0.25, 192): Published(47.7, 72.3, 45.8, 71.9, 2.4, 1.8),
    (0.25, 160): Published(45.5, 70.3, 43.5, 69.1, 1.7, 1.3),
    (0.25, 128): Published(41.5, 66.3, 39.9, 65.8, 1.2, 0.8),
}
_V2: Final = {
    (1.4, 224): Published(75.0, 92.5),
    (1.3, 224): Published(74.4, 92.1),
    (1.0, 224): Published(71.8, 91.0),
    (1.0, 192): Published(70.7, 90.1),
    (1.0, 160): Published(68.8, 89.0),
    (1.0, 128): Published(65.3, 86.9),
    (1.0, 96): Published(60.3, 83.2),
    (0.75, 224): Published(69.8, 89.6),
    (0.75, 192): Published(68.7, 88.9),
    (0.75, 160): Published(66.4, 87.3),
    (0.75, 128): Published(63.2, 85.3),
    (0.75, 96): Published(58.8, 81.6),
    (0.5, 224): Published(65.4, 86.4),
    (0.5, 192): Published(63.9, 85.4),
    (0.5, 160): Published(61.0, 83.2),
    (0.5, 128): Published(57.7, 80.8),
    (0.5, 96): Published(51.2, 75.8),
    (0.35, 224): Published(60.3, 82.9),
    (0.35, 192): Published(58.2, 81.2),
    (0.35, 160): Published(55.7, 79.1),
    (0.35, 128): Published(50.8, 75.0),
    (0.35, 96): Published(45.5, 70.4),
}
FIGURES: Final[Mapping[Family, Mapping[tuple[float, int], Published]]] = {"mobilenet_v1": _V1, "mobilenet_v2": _V2}


def lookup(spec: ModelSpec) -> Published | None:
    """Find a variant's published figures; None where nothing was published for it."""
    return FIGURES[spec.family].get((spec.alpha, spec.resolution)) if spec.published else None
