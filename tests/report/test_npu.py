"""Ethos-U files as they are read: what is estimated is called so, and who left what on the CPU."""

from dataclasses import asdict, replace

from mobilenet_edge.conversion.coral.preflight import OperatorVerdict
from mobilenet_edge.conversion.ethos.fallback import Placement
from mobilenet_edge.formats.metadata import Compilation, Estimate
from mobilenet_edge.report import npu

ESTIMATE = Estimate("Ethos_U55_High_End_Embedded", "Shared_Sram", 500.0, 131_744, 454_592, 692_036, 1.384072)
WHOLE = Compilation(
    "vela 5.2.0", 0, 31, 0, 1, accelerator="ethos-u55-128", macs=1000, mapped_macs=1000, estimate=ESTIMATE
)
PART = replace(WHOLE, mapped=29, on_cpu=2, mapped_macs=900, fallbacks=("FLOOR a: Unsupported opType", "SQRT b: no"))


def test_a_file_that_is_on_the_npu_as_a_whole():
    assert npu.facts(asdict(WHOLE)) == [
        "compiled by vela 5.2.0 for ethos-u55-128: 31 of 31 operators, 100.0% of the MACs, on the NPU",
        "estimated by Vela: 1.38 ms and 692,036 cycles at 500 MHz, 131.7 kB of SRAM and 454.6 kB of other memory "
        "(Ethos_U55_High_End_Embedded, Shared_Sram)",
    ]


def test_what_is_left_on_the_cpu_has_its_reason_and_no_part_in_the_estimate():
    head, *rest, estimate = npu.facts(asdict(PART))
    assert "29 of 31 operators, 90.0% of the MACs, on the NPU" in head
    assert rest == ["on the CPU: FLOOR a: Unsupported opType", "on the CPU: SQRT b: no"]
    assert estimate.startswith("estimated by Vela: ")
    assert estimate.endswith(" without the CPU")


def test_a_prediction_lists_every_operator():
    verdicts = (OperatorVerdict(0, "CONV_2D", "a;b", True), OperatorVerdict(1, "FLOOR", "c", False, "not among them"))
    text = npu.text(Placement("ethos-u85-256", verdicts, 100, 100, False).to_dict())
    assert text.startswith(
        "ethos-u85-256: 1 of 2 operators, 100.0% of the MACs, on the NPU, by the rules of Vela 5.2.0"
    )
    assert "| CONV_2D  | a      | yes                |" in text
    assert "| FLOOR    | c      | no: not among them |" in text
    assert "already compiled" in npu.text(Placement("ethos-u85-256", (), 0, 0, True).to_dict())


def test_a_file_that_somebody_else_compiled():
    assert npu.foreign({"ethos-u": 2, "FLOOR": 1}) == [
        "compiled for an Ethos-U: 2 parts on the NPU, and 1 FLOOR on the CPU"
    ]
    assert npu.foreign({"ethos-u": 1}) == ["compiled for an Ethos-U: 1 part on the NPU"]
    assert npu.foreign({"CONV_2D": 1}) == []
