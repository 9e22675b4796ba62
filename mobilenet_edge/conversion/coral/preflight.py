"""Tell before compiling which operators of a .tflite file the Edge TPU takes, and where its one partition ends."""

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
# What compilers reported as room for parameters was 6.9 to 7.9 MiB for classifiers and detectors, and far less where
# activations are large: google-coral/edgetpu#60, #75, #324, #356, #572, #671.
ROOM_BYTES: Final = 13 << 19


@dataclass(frozen=True)
class OperatorVerdict:
    """One operator.

    Attributes:
        index: Place in execution order, from 0.
        kind: In TFLite's words.
        output: Name of the tensor it makes.
        mapped: Whether it runs on the Edge TPU.
        reason: Why not; empty where it does.
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
    """Every operator of a file.

    Attributes:
        verdicts: In execution order.
        cut: Index of the operator that ends the partition, None where all of the rest is in it.
        parameter_bytes: Weights and biases of the mapped operators.
        runtime: Oldest Edge TPU runtime that has them all, 0 for any.
        compiled: Whether the file has been through the compiler.
    """

    verdicts: tuple[OperatorVerdict, ...]
    cut: int | None
    parameter_bytes: int
    runtime: int
    compiled: bool

    @property
    def mapped(self) -> int:
        """Number of operators that run on the Edge TPU."""
        return sum(each.mapped for each in self.verdicts)

    @property
    def fits(self) -> str | None:
        """Whether the parameters stay on the chip: "yes", "perhaps", "no"; None where the file hides them."""
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
            "ops": [asdict(each) for each in self.verdicts],
        }


def check(contents: Contents) -> Preflight:
    """Judge every operator of a .tflite file."""
    steps = [Step.of(contents, operator) for operator in contents.operators]
    refusals = [_refusal(step) for step in steps]
    inside, cut = _partition(steps, refusals)
    verdicts = tuple(
        _verdict(index, step, refusal, among, cut)
        for index, (step, refusal, among) in enumerate(zip(steps, refusals, inside, strict=True))
    )
    mapped = [step for step, among in zip(steps, inside, strict=True) if among]
    parameters = {tensor.name: tensor.constant_bytes for step in mapped for tensor in step.inputs if tensor.scales}
    return Preflight(
        verdicts,
        cut,
        sum(parameters.values()),
        max(map(_runtime, mapped), default=0),
        any(step.operator.kind == COMPILED for step in steps),
    )


def require(contents: Contents) -> None:
    """Hold a file that was made for the Edge TPU to it.

    Raises:
        BuildError: An operator would stay on the CPU; the message names it.
    """
    found = check(contents)
    left = [each for each in found.verdicts if not each.mapped]
    if left:
        first = left[0]
        raise BuildError(
            f"the Edge TPU would leave {len(left)} of {len(found.verdicts)} operators on the CPU, first {first.kind} "
            f"{first.output}: {first.reason}; change that layer, or export with --target generic"
        )


def _refusal(step: Step) -> str:
    """Why an operator cannot be mapped, empty where it can."""
    kind = step.operator.kind
    if kind == COMPILED:
        return ""
    if kind not in RULES:
        return "not among the operators that the Edge TPU supports"
    try:
        return next((reason for limit in limits_of(kind) if (reason := limit(step))), "")
    except IndexError:
        return "it has fewer inputs or outputs than its kind needs"


def _runtime(step: Step) -> int:
    """Oldest runtime that has an operator, in the element type of its tensors."""
    rule = RULES.get(step.operator.kind, Rule())
    return max(rule.runtime, INT8_RUNTIME if any(tensor.dtype == "int8" for tensor in step.tensors) else 0)


def _partition(steps: Sequence[Step], refusals: Sequence[str]) -> tuple[list[bool], int | None]:
    """Return which operators are in the one partition, and the first that ends it.

    As TFLite partitions a graph for a delegate (tensorflow/lite/graph_info.cc), of which the compiler keeps the first
    part: https://coral.ai/docs/edgetpu/models-intro/#compiling.
    """
    # What is refused at the very start runs before the partition: a QUANTIZE of a float input stands there.
    before = bool(refusals and refusals[0])
    inside, cut = [], None
    made: set[str] = set()
    behind: set[str] = set()
    for index, (step, refusal) in enumerate(zip(steps, refusals, strict=True)):
        sources, results = set(step.operator.inputs), set(step.operator.outputs)
        inside.append(not refusal and sources.isdisjoint(behind))
        if inside[-1]:
            made |= results
        elif not before or sources & (made | behind):
            behind |= results
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
