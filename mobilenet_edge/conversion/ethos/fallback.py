"""Predict which operators of a .tflite file Vela leaves on the CPU of an Ethos-U system, without Vela."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mobilenet_edge.conversion.coral.limits import Step
from mobilenet_edge.conversion.coral.preflight import OperatorVerdict
from mobilenet_edge.conversion.ethos import COMPILED
from mobilenet_edge.conversion.ethos.constraints import SOURCE, UNCHECKED, refusal
from mobilenet_edge.formats import costs
from mobilenet_edge.formats.contents import Contents


@dataclass(frozen=True)
class Placement:
    """The prediction for all operators of a file.

    Attributes:
        accelerator: One of `ethos.ACCELERATORS`.
        verdicts: The operators, in execution order; each has its own, since Vela makes as many NPU parts as needed.
        macs: Multiply-accumulates of all operators.
        mapped_macs: Those of the operators on the NPU.
        compiled: Whether the file has been compiled by Vela.
    """

    accelerator: str
    verdicts: tuple[OperatorVerdict, ...]
    macs: int
    mapped_macs: int
    compiled: bool

    @property
    def mapped(self) -> int:
        """Number of operators on the NPU."""
        return sum(verdict.mapped for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of records."""
        return {
            "target": self.accelerator,
            "source": SOURCE,
            "compiled": self.compiled,
            "mapped": self.mapped,
            "total": len(self.verdicts),
            "macs": self.macs,
            "mapped_macs": self.mapped_macs,
            "ops": [asdict(verdict) for verdict in self.verdicts],
        }


def check(contents: Contents, accelerator: str) -> Placement:
    """Predict for every operator of a .tflite file whether the NPU runs it."""
    steps = [Step.of(contents, operator) for operator in contents.operators]
    verdicts = tuple(_verdict(index, step, accelerator) for index, step in enumerate(steps))
    counts = [cost.macs or 0 for cost in costs.of(contents)]
    mapped = sum(count for count, verdict in zip(counts, verdicts, strict=True) if verdict.mapped)
    compiled = any(step.operator.kind == COMPILED for step in steps)
    return Placement(accelerator, verdicts, sum(counts), mapped, compiled)


def _verdict(index: int, step: Step, accelerator: str) -> OperatorVerdict:
    kind, output = step.operator.kind, (*step.operator.outputs, "")[0]
    if kind == COMPILED:
        return OperatorVerdict(index, kind, output, True)
    try:
        reason = refusal(step, accelerator)
    except (IndexError, ValueError, ZeroDivisionError):
        reason = "its tensors are not those of the operator"
    caution = "Vela has constraints on it that are not checked here" if kind in UNCHECKED and not reason else ""
    return OperatorVerdict(index, kind, output, not reason, reason, caution)
