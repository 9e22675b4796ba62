"""Running the compiler and reading its report: with a stand-in, since the real one is proprietary."""

from __future__ import annotations

import sys

import pytest

from mobilenet_edge.conversion.coral import compiler
from mobilenet_edge.errors import BuildError

# As printed by version 16.0.384591198 (google-coral/edgetpu#572), with figures of another model.
TOLD = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 542 ms.

Input model: small.tflite
Input size: 4.04MiB
Output model: small_edgetpu.tflite
Output size: 4.13MiB
On-chip memory used for caching model parameters: 604.50KiB
On-chip memory remaining for caching model parameters: 6.51MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 31
Operation log: small_edgetpu.log
See the operation log file for individual operation details.
Compilation child process completed within timeout period.
Compilation succeeded!
"""
# The file beside it (rajansaini691/retinanet-model-tflite: tiny_yolo_edgetpu.log).
LOG = """\
Edge TPU Compiler version 16.0.384591198
Input: small.tflite
Output: small_edgetpu.tflite

Operator                       Count      Status

RESHAPE                        2          Mapped to Edge TPU
DEPTHWISE_CONV_2D              13         Mapped to Edge TPU
SOFTMAX                        1          Mapped to Edge TPU
CONV_2D                        15         Mapped to Edge TPU
"""
LEFT = LOG.replace(
    "SOFTMAX                        1          Mapped to Edge TPU",
    "SOFTMAX                        1          More than one subgraph is not supported\n"
    "QUANTIZE                       2          Operation is otherwise supported, but not mapped due to some "
    "unspecified limitation",
)


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a program on PATH that takes the documented options, and ends as it is told."""

    def install(told=TOLD, log: str | None = LOG, code=0, output=True, sleep=0.0):
        program = tmp_path / "bin" / "edgetpu_compiler"
        program.parent.mkdir()
        program.write_text(f"""#!{sys.executable}
import argparse, pathlib, time
parser = argparse.ArgumentParser()
parser.add_argument("-m", "--min_runtime_version", type=int)
parser.add_argument("-o", "--out_dir", type=pathlib.Path, default=".")
parser.add_argument("model", type=pathlib.Path)
options = parser.parse_args()
assert options.min_runtime_version == 13
time.sleep({sleep})
name = options.model.name.removesuffix(".tflite")
if {output}:
    (options.out_dir / (name + "_edgetpu.tflite")).write_bytes(b"compiled " + options.model.read_bytes())
if {log is not None}:
    (options.out_dir / (name + "_edgetpu.log")).write_text({log or ""!r})
print({told!r})
raise SystemExit({code})
""")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))
        return compiler.find()

    return install


def compiled(program, **how):
    return compiler.compile_model(program, b"model", "mobilenet_v1-a0.25-r32.int8", **how)


def test_the_report_is_read():
    assert compiler.read_report(TOLD, LOG) == compiler.Compilation(
        compiler="edgetpu_compiler 16.0.384591198",
        runtime=13,
        mapped=31,
        on_cpu=0,
        subgraphs=1,
        on_chip_bytes=round(604.5 * 1024),
        on_chip_free_bytes=round(6.51 * 1024**2),
        off_chip_bytes=0,
    )


def test_an_older_report_leaves_unknown_what_it_does_not_say():
    # Version 2.0 says "available" where later ones say "remaining".
    told = TOLD.replace("remaining for", "available for").replace("version 16.0.384591198", "")
    found = compiler.read_report(told, LOG)
    assert (found.compiler, found.on_chip_free_bytes, found.on_chip_bytes) == ("edgetpu_compiler", None, 619_008)


def test_operators_left_on_the_cpu_fail_with_the_compilers_reasons():
    with pytest.raises(BuildError) as caught:
        compiler.read_report(TOLD, LEFT)
    line = str(caught.value)
    assert "left 3 of 33 operators on the CPU: 1 SOFTMAX (More than one subgraph is not supported)" in line
    assert "2 QUANTIZE (Operation is otherwise supported" in line


def test_what_it_counts_on_the_cpu_is_believed_even_where_the_log_is_silent():
    told = TOLD + "Number of operations that will run on Edge TPU: 30\nNumber of operations that will run on CPU: 1\n"
    with pytest.raises(BuildError, match="left 1 of 31 operators on the CPU: it does not say which"):
        compiler.read_report(told, LOG)


@pytest.mark.parametrize("log", ["", "Operator   Count   Status\n", "Number of Edge TPU subgraphs: 1\n"])
def test_a_report_without_operators_is_no_success(log):
    with pytest.raises(BuildError, match="lists no operators"):
        compiler.read_report(TOLD, log)


def test_the_command_line_is_the_documented_one(tmp_path):
    assert compiler.command(tmp_path / "a.tflite", tmp_path) == [
        "edgetpu_compiler", "--min_runtime_version", "13", "--out_dir", str(tmp_path), str(tmp_path / "a.tflite"),
    ]  # fmt: skip


def test_without_the_compiler_the_command_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compiler.find() is None
    advice = compiler.advice(tmp_path / "a model.tflite")
    assert "not on PATH" in advice
    assert advice.endswith("edgetpu_compiler --min_runtime_version 13 --out_dir . 'a model.tflite'")


@pytest.mark.slow
def test_it_is_run_in_a_folder_of_its_own(stand_in, tmp_path, monkeypatch):
    program = stand_in()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    made = compiled(program)
    assert made.data == b"compiled model"
    assert made.report.mapped == 31
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_without_a_log_file_what_it_printed_serves(stand_in):
    # With --show_operations, and in some versions without, the table is printed too.
    assert compiled(stand_in(told=TOLD + LOG, log=None)).report.mapped == 31


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"told": "Edge TPU Compiler version 16.0\nInvalid model: a.tflite\nModel not quantized\n", "code": 1},
            "failed with code 1: Invalid model: a.tflite, Model not quantized; see",
        ),
        (
            {"told": "Edge TPU Compiler version 14.1\n\nInternal compiler error. Aborting!\n", "code": 134},
            "failed with code 134: Internal compiler error. Aborting; see",
        ),
        ({"told": "", "code": 1}, "it printed nothing"),
        ({"told": "Compilation failed!", "output": False}, "wrote no file: Compilation failed; see"),
        ({"log": LEFT}, "left 3 of 33"),
    ],
)
def test_a_failure_is_one_line(stand_in, how, message):
    with pytest.raises(BuildError) as caught:
        compiled(stand_in(**how))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_it_is_stopped_after_its_time(stand_in):
    with pytest.raises(BuildError, match=r"took longer than 0\.2 s"):
        compiled(stand_in(sleep=30), limit_seconds=0.2)


@pytest.mark.slow
def test_a_program_that_cannot_be_run_is_named(tmp_path):
    broken = tmp_path / "edgetpu_compiler"
    broken.write_text("#!/nowhere/at/all\n")
    broken.chmod(0o755)
    with pytest.raises(BuildError, match="edgetpu_compiler cannot be run"):
        compiled(str(broken))
