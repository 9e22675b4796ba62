"""The preflight as it is read."""

from mobilenet_edge.conversion.coral.preflight import OperatorVerdict, Preflight
from mobilenet_edge.report import mapping

CONV = OperatorVerdict(0, "CONV_2D", "conv1", True)
RESHAPE = OperatorVerdict(1, "RESHAPE", "flat", True, caution="may stay on the CPU: 65,536 elements are many")
SWISH = OperatorVerdict(2, "HARD_SWISH", "swish", False, "not among the operators that the Edge TPU supports")


def text(*verdicts, cut=None, parameters=463_600, runtime=13, compiled=False):
    return mapping.text(Preflight(verdicts, cut, parameters, runtime, compiled).to_dict())


def test_every_operator_has_its_line_and_reason():
    shown = text(CONV, RESHAPE, SWISH, cut=2)
    assert "2 of 3 operators are mapped" in shown
    assert "ends at operator 2, HARD_SWISH" in shown
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines() if line[:1] == "|"]
    assert rows[2:] == [
        ["0", "CONV_2D", "conv1", "mapped"],
        ["1", "RESHAPE", "flat", "mapped; may stay on the CPU: 65,536 elements are many"],
        ["2", "HARD_SWISH", "swish", "no: not among the operators that the Edge TPU supports"],
    ]


def test_memory_and_runtime_are_told():
    shown = text(CONV)
    assert "Parameters: 463.6 kB; the chip has about 8 MiB: they stay on the chip." in shown
    assert "runtime 13 or newer" in shown
    assert "cut" not in shown
    assert "streamed" in text(CONV, parameters=9_000_000)
    assert "some parameters may be streamed" in text(CONV, parameters=7_500_000)


def test_where_nothing_is_mapped_no_memory_is_told():
    shown = text(SWISH, parameters=0, runtime=0)
    assert "0 of 1 operators" in shown
    assert "Parameters" not in shown
    assert "runtime" not in shown


def test_a_compiled_file_says_so():
    shown = text(OperatorVerdict(0, "edgetpu-custom-op", "out", True), compiled=True)
    assert "already compiled" in shown
    assert "Parameters" not in shown


def test_long_names_keep_their_first_layers_end():
    # Converters join the names of the layers that they fused.
    name = f"{'outer/' * 20}Relu6;second"
    shown = text(OperatorVerdict(0, "CONV_2D", name, True))
    assert "second" not in shown
    (cell,) = [line.split("|")[3].strip() for line in shown.splitlines() if "CONV_2D" in line]
    assert cell.endswith("/Relu6")
    assert len(cell) == mapping.NAME_WIDTH
