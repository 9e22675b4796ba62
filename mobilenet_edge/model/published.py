"""What was published for MobileNet v1 on ImageNet: shown beside measured figures, never instead of them.

Accuracy: TF-slim's `mobilenet_v1.md`, on the 50,000 validation images. Latency: TensorFlow Lite's hosted-models page,
on a Pixel 3 with 4 threads. The uint8 models were retrained with quantisation in the loop (QAT); post-training int8
gives less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mobilenet_edge.model.spec import ModelSpec


@dataclass(frozen=True)
class Published:
    """The published figures of one variant.

    Attributes:
        top1: Top-1 of the float model, in percent.
        top5: Top-5 of the float model, in percent.
        qat_top1: Top-1 of the QAT uint8 model, in percent.
        qat_top5: Top-5 of the QAT uint8 model, in percent.
        pixel3_ms: Latency of the float model on a Pixel 3, 4 threads.
        qat_pixel3_ms: Latency of the QAT uint8 model there.
    """

    top1: float
    top5: float
    qat_top1: float
    qat_top5: float
    pixel3_ms: float
    qat_pixel3_ms: float


FIGURES: Final = {
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


def lookup(spec: ModelSpec) -> Published | None:
    """Find a variant's published figures; None where nothing was published for it."""
    return FIGURES.get((spec.alpha, spec.resolution)) if spec.published else None
