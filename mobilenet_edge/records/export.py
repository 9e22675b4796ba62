"""Record of what an export found out about a file that it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mobilenet_edge.records.record import ArtifactRecord
from mobilenet_edge.records.remark import Remark

# Milliseconds between these have a ratio.
_LEAST_MS: Final = 1e-6
_MOST_MS: Final = 1e9


@dataclass(frozen=True)
class LayerLoss:
    """What rounding one layer costs.

    Attributes:
        name: Name of the layer, or of the input.
        op: Op of the layer; "input" for the input.
        weights: Square of the logits' change by its integer weights, relative to the logits' own; None without weights.
        activations: Square of the logits' change by the grid of its output, likewise.
        low: Least value on the grid.
        high: Greatest value on the grid.
        step: Distance between two values on the grid.
        saturated: Share of the output's values more than a step beyond the ends of the grid.
        used: Share of the grid that all but a thousandth of the values lie in.
        macs_share: Share of the MACs that is done up to this layer, itself included.
        dead: Channels of the original layer that are constant on all images.
        channels: Number of all channels.
    """

    name: str
    op: str
    weights: float | None
    activations: float
    low: float
    high: float
    step: float
    saturated: float
    used: float
    macs_share: float
    dead: int
    channels: int

    @property
    def total(self) -> float:
        """By weights and activations."""
        return (self.weights or 0) + self.activations


@dataclass(frozen=True, kw_only=True)
class Cut:
    """One way to divide a model between float and integers.

    Attributes:
        name: Name of the last tensor in float; empty where all is int8.
        layers: Number of weighted layers in float.
        macs_share: Share of the MACs in them.
        ms: Estimated milliseconds.
        agreement: Agreement with the float model on the views; None where it was not tried.
        snr_db: Signal-to-noise ratio of the logits on the views; None where it was not tried.
    """

    name: str
    layers: int
    macs_share: float
    ms: float
    agreement: float | None = None
    snr_db: float | None = None

    def __post_init__(self) -> None:
        _check_ms(self.ms)


@dataclass(frozen=True, kw_only=True)
class Division:
    """Where a mixed file was cut, and what the other cuts would have given.

    Attributes:
        cut: Name of the last tensor in float.
        wanted: The agreement that was asked for.
        views: Number of views that agreement was measured on.
        pictures: Number of held-out pictures that they show.
        cuts: All int8 first, then by the number of float layers.
        float32_ms: Estimated milliseconds of the float32 file.
        runtime: Runtime whose operators were timed; estimates add up their times.
        runtime_version: Version of the runtime.
        threads: Number of threads within one inference.
        host: Facts of the machine, without those that change during a measurement.
    """

    cut: str
    wanted: float
    views: int
    pictures: int
    cuts: tuple[Cut, ...]
    float32_ms: float
    runtime: str
    runtime_version: str
    threads: int
    host: dict[str, Any]

    def __post_init__(self) -> None:
        if not self.cuts or self.cuts[0].name:
            raise ValueError("the first of the cuts is not all int8")
        _check_ms(self.float32_ms)

    @property
    def chosen(self) -> Cut | None:
        """The cut that was taken."""
        return next((cut for cut in self.cuts if cut.name == self.cut), None)


@dataclass(frozen=True, kw_only=True)
class Export(ArtifactRecord):
    """What an export found out about one file.

    Attributes:
        agreement: The check after writing: `snr_db` of the logits, `top1` (share of inputs with the same answer as the
            float model, or what `measure` says), `count` of inputs, `inputs` ("images" or "noise") and `held_out`
            (whether the quantiser did not see them); None for a file without it.
        remarks: What speaks against the images that calibrated the file.
        division: Of a mixed file with `--min-agreement`, where it was cut and what other cuts would give; else None.
        losses: Of an int8 file with `--explain`, what rounding the input and each layer costs, in order.
    """

    kind = "export"

    agreement: dict[str, Any] | None = None
    remarks: tuple[Remark, ...] = ()
    division: Division | None = None
    losses: tuple[LayerLoss, ...] = ()


def _check_ms(ms: float) -> None:
    if not _LEAST_MS <= ms <= _MOST_MS:
        raise ValueError(f"milliseconds must be between {_LEAST_MS} and {_MOST_MS}, got {ms}")
