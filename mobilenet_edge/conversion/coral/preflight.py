"""Predict which operators of a .tflite file the Edge TPU runs, and where its one partition ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from mobilenet_edge.conversion.coral.limits import Step
from mobilenet_edge.conversion.coral.rules import COMPILED, INT8_RUNTIME, RULES, SOURCE, Rule, limits_of
from mobilenet_edge.errors import BuildError
from mobilenet_edge.formats.contents import Contents

# "roughly 8 MB of SRAM", part of it for the executable: https://coral.ai/docs/edgetpu/compiler/#parameter-data-caching
ON_CHIP_BYTES: Final = 8 << 20
# Compilers reported 6.9 to 7.9 MiB for the parameters of classifiers and detectors, and far less for models with large
# activations: google-coral/edgetpu#60, #75, #324, #356, #572, #671.
ROOM_BYTES: Final = 13 << 19


@dataclass(frozen=True)
class OperatorVerdict:
    """The prediction for one operator.

    Attributes:
        index: Index in execution order, from 0.
        kind: Name of the operator in TFLite's schema.
        output: Name of its first output tensor.
        mapped: Whether it runs on the Edge TPU.
        reason: Why it does not; empty if it does.
        caution: What may still keep it on the CPU.
    """

    index: int
    kind: str
    output: str
    mapped: bool
    reason: str = ""
    caution: str = ""


@dataclass(frozen=True)
class Preflight:
    """The prediction for all operators of a file.

    Attributes:
        verdicts: The operators, in execution order.
        cut: Index of the operator that ends the partition, None if no operator ends it.
        parameter_bytes: Size of the weights and biases of the mapped operators.
        runtime: Oldest Edge TPU runtime that has all mapped operators, 0 for any.
        compiled: Whether the file has already been compiled.
    """

    verdicts: tuple[OperatorVerdict, ...]
    cut: int | None
    parameter_bytes: int
    runtime: int
    compiled: bool

    @property
    def mapped(self) -> int:
        """Number of operators that run on the Edge TPU."""
        return sum(verdict.mapped for verdict in self.verdicts)

    @property
    def fits(self) -> str | None:
        """Whether the parameters fit on the chip: "yes", "perhaps" or "no"; None if the file is compiled."""
        if self.compiled:
            return None
        if self.parameter_bytes > ON_CHIP_BYTES:
            return "no"
        return "yes" if self.parameter_bytes <= ROOM_BYTES else "perhaps"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of records."""
        return {
            "target": "edgetpu",
            "source": SOURCE,
            "compiled": self.compiled,
            "mapped": self.mapped,
            "total": len(self.verdicts),
            "cut": self.cut,
            "runtime": self.runtime,
            "parameter_bytes": None if self.compiled else self.parameter_bytes,
            "on_chip_bytes": ON_CHIP_BYTES,
            "fits": self.fits,
            "ops": [asdict(verdict) for verdict in self.verdicts],
        }


def check(contents: Contents) -> Preflight:
    """Predict for every operator of a .tflite file whether the Edge TPU runs it."""
    steps = [Step.of(contents, operator) for operator in contents.operators]
    refusals = [_refusal(step) for step in steps]
    inside, cut = _partition(steps, refusals)
    verdicts = tuple(
        _verdict(index, step, refusal, is_inside, cut)
        for index, (step, refusal, is_inside) in enumerate(zip(steps, refusals, inside, strict=True))
    )
    mapped = [step for step, is_inside in zip(steps, inside, strict=True) if is_inside]
    parameters = {tensor.name: tensor.constant_bytes for step in mapped for tensor in step.inputs if tensor.scales}
    return Preflight(
        verdicts,
        cut,
        sum(parameters.values()),
        max(map(_runtime, mapped), default=0),
        any(step.operator.kind == COMPILED for step in steps),
    )


def require(contents: Contents) -> None:
    """Require that the Edge TPU runs all operators of a .tflite file.

    Raises:
        BuildError: An operator would stay on the CPU; the message names the first.
    """
    verdicts = check(contents).verdicts
    if refused := [verdict for verdict in verdicts if not verdict.mapped]:
        first = refused[0]
        raise BuildError(
            f"the Edge TPU would leave {len(refused)} of {len(verdicts)} operators on the CPU, first {first.kind} "
            f"{first.output}: {first.reason}; change that layer, or export with --target generic"
        )


def _refusal(step: Step) -> str:
    """Return why an operator cannot be mapped, empty if it can."""
    kind = step.operator.kind
    if kind == COMPILED:
        return ""
    if kind not in RULES:
        return "not among the operators that the Edge TPU supports"
    try:
        return next((reason for limit in limits_of(kind) if (reason := limit(step))), "")
    except IndexError:
        return "it has fewer inputs or outputs than the operator needs"


def _runtime(step: Step) -> int:
    """Return the oldest runtime that has an operator for the element type of its tensors."""
    rule = RULES.get(step.operator.kind, Rule())
    return max(rule.runtime, INT8_RUNTIME if any(tensor.dtype == "int8" for tensor in step.tensors) else 0)


def _partition(steps: Sequence[Step], refusals: Sequence[str]) -> tuple[list[bool], int | None]:
    """Return whether each operator is inside the partition, and the index of the first operator that ends it.

    The partition is the first of those that TFLite makes for a delegate (tensorflow/lite/graph_info.cc), since the
    compiler maps only that one: https://coral.ai/docs/edgetpu/models-intro/#compiling.
    """
    # Operators refused at the start run before the partition, such as the QUANTIZE of a float input.
    at_start = bool(refusals and refusals[0])
    inside, cut = [], None
    written: set[str] = set()
    downstream: set[str] = set()
    for index, (step, refusal) in enumerate(zip(steps, refusals, strict=True)):
        sources, results = set(step.operator.inputs), set(step.operator.outputs)
        inside.append(not refusal and sources.isdisjoint(downstream))
        if inside[-1]:
            written |= results
        elif not at_start or sources & (written | downstream):
            downstream |= results
            cut = index if cut is None else cut
    return inside, cut


def _verdict(index: int, step: Step, refusal: str, mapped: bool, cut: int | None) -> OperatorVerdict:
    kind, output = step.operator.kind, (*step.operator.outputs, "")[0]
    if not mapped:
        reason = refusal or f"behind operator {cut}, where the one partition ends"
        return OperatorVerdict(index, kind, output, False, reason)
    rule = RULES.get(kind)
    caution = rule.caution(step) if rule and rule.caution else ""
    return OperatorVerdict(index, kind, output, True, caution=caution)
