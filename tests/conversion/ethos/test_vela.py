"""Arm's Vela itself: what it leaves on the CPU against what is predicted, and what becomes of its figures."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.conversion.ethos import constraints, fallback, vela
from mobilenet_edge.errors import BuildError, MissingExtraError
from mobilenet_edge.formats.tflite import read as tflite

OLD, NEW = "ethos-u55-128", "ethos-u85-256"
POOL, RESIZE = "Pool2DOptions", "ResizeBilinearOptions"
# Of MobileNet 0.25/128, from Vela 5.2.0; columns that are not read are left out.
SUMMARY = """\
experiment,network,system_config,memory_mode,core_clock,inference_time,sram_memory_used,dram_memory_used,\
on_chip_flash_memory_used,off_chip_flash_memory_used,cycles_total
default,mine,Ethos_U55_High_End_Embedded,Shared_Sram,500000000.0,0.001384072,128.65625,0.0,0.0,443.9375,692036
"""


def branches(s):
    """Operators side by side on one image, so that one run of Vela judges them all."""
    x = s.conv(s.image)
    depthwise = s.constant(np.ones((1, 3, 3, 4)), "int8", (0.1,) * 4), s.constant(np.zeros(4), "int32", (0.1,) * 4)
    wide = s.tensor((1, 8, 8, 4), scales=(0.25,))
    s.file.operator("MAXIMUM", [x, s.image], wide, options="MaximumMinimumOptions")
    by_channel = s.tensor((1, 8, 8, 4), scales=(0.5,) * 4)
    s.file.operator("RELU6", [x], by_channel)
    bare = s.tensor((1, 8, 8, 4), scales=())
    s.file.operator("RELU", [x], bare)
    flat = s.op("RESHAPE", [x, s.constant([1, 256])], (1, 256), options="ReshapeOptions")
    weights = s.constant(np.ones((3, 256)), "int8", (0.1, 0.2, 0.3))
    strided = {"options": "DepthwiseConv2DOptions", "StrideW": 4, "StrideH": 4, "DepthMultiplier": 1}
    window = {"options": POOL, "StrideH": 1, "StrideW": 1}
    return (
        wide,
        by_channel,
        s.op("RELU6", [bare]),
        s.op("HARD_SWISH", [x]),
        s.op("LOGISTIC", [x]),
        s.conv(s.op("FLOOR", [x])),
        s.op("LOG_SOFTMAX", [x]),
        s.op("SQRT", [x]),
        s.op("DIV", [x, s.image], options="DivOptions"),
        s.op("CAST", [x], dtype="int32"),
        s.op("MUL", [x, s.image], options="MulOptions"),
        s.op("ADD", [x, s.image], options="AddOptions"),
        s.op("MAXIMUM", [x, s.image], options="MaximumMinimumOptions"),
        s.op("DEQUANTIZE", [x], dtype="float32", options="DequantizeOptions"),
        s.op("SOFTMAX", [x], options="SoftmaxOptions", Beta=1.0),
        s.conv(x, (1, 2, 2, 4), StrideW=4, StrideH=4),
        s.op("DEPTHWISE_CONV_2D", [x, *depthwise], (1, 2, 2, 4), **strided),
        s.op("AVERAGE_POOL_2D", [x], (1, 1, 1, 4), FilterHeight=8, FilterWidth=8, Padding=1, **window),
        s.op("AVERAGE_POOL_2D", [x], FilterHeight=9, FilterWidth=9, Padding=0, **window),
        s.op("MEAN", [x, s.constant([1, 2])], (1, 4), options="ReducerOptions"),
        s.op("MEAN", [x, s.constant([3])], (1, 8, 8), options="ReducerOptions"),
        s.op("RESIZE_BILINEAR", [x, s.constant([16, 16])], (1, 16, 16, 4), options=RESIZE),
        s.op("RESIZE_BILINEAR", [x, s.constant([24, 24])], (1, 24, 24, 4), options=RESIZE),
        s.op("PAD", [x, s.constant([[0, 0], [1, 1], [1, 1], [0, 0]])], (1, 10, 10, 4), options="PadOptions"),
        s.op("CONCATENATION", [x, s.image], (1, 8, 8, 8), options="ConcatenationOptions", Axis=3),
        s.op("PACK", [x, s.image], (1, 2, 8, 8, 4), options="PackOptions", Axis=1, ValuesCount=2),
        s.op("FULLY_CONNECTED", [flat, weights], (1, 3), options="FullyConnectedOptions"),
    )


def float_ends(s):
    x = s.conv(s.op("QUANTIZE", [s.image], options="QuantizeOptions"))
    return (s.op("DEQUANTIZE", [x], dtype="float32", options="DequantizeOptions"),)


def batches(s):
    return s.conv(s.image, (2, 8, 8, 4)), s.op("MEAN", [s.image, s.constant([1, 2])], (2, 4), options="ReducerOptions")


def an_open_batch(s):
    return (s.op("RELU", [s.image], (-1, 8, 8, 4)),)


@pytest.mark.slow
@pytest.mark.vela
@pytest.mark.parametrize("accelerator", [OLD, "ethos-u65-512", NEW])
@pytest.mark.parametrize(
    ("make", "image"),
    [
        (branches, {}),
        (float_ends, {"dtype": "float32"}),
        (batches, {"shape": (2, 8, 8, 4)}),
        (an_open_batch, {"shape": (-1, 8, 8, 4)}),
    ],
)
def test_vela_leaves_what_is_predicted(sketch, vela_command: list[str], accelerator: str, make: Callable, image: dict):
    s = sketch(**image)
    data = s.bytes(*make(s))
    predicted = fallback.check(tflite.contents(data), accelerator)
    found = compile_with(vela_command, data, accelerator)
    expected = [(each.kind, each.output) for each in predicted.verdicts if not each.mapped]
    assert [tuple(each.partition(":")[0].split()) for each in found.fallbacks] == expected
    assert not any("does not say why" in each for each in found.fallbacks)
    assert (found.mapped, found.mapped_macs, found.macs) == (predicted.mapped, predicted.mapped_macs, predicted.macs)


def compile_with(command: list[str], data: bytes, accelerator: str = OLD):
    return vela.compile_model(command, data, "mine", accelerator).report


@pytest.mark.slow
@pytest.mark.vela
@pytest.mark.parametrize(("heading", "accelerator"), [("Ethos-U55 and Ethos-U65", OLD), ("Ethos-U85", NEW)])
def test_the_operators_are_those_of_its_own_report(
    vela_command: list[str], tmp_path: Path, heading: str, accelerator: str
):
    subprocess.run([*vela_command, "--supported-ops-report"], cwd=tmp_path, check=True, capture_output=True)
    report = (tmp_path / "SUPPORTED_OPS.md").read_text()
    table = report.partition(f"## {heading} TFLite Summary Table")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| ([A-Z][A-Z0-9_]+) \|", table, re.MULTILINE)) == constraints.kinds(accelerator)


def test_the_summary_is_read():
    made = vela.read_summary(SUMMARY)
    assert (made.system, made.memory_mode) == ("Ethos_U55_High_End_Embedded", "Shared_Sram")
    # 128.65625 KiB, 443.9375 KiB; 692036 cycles at 500 MHz.
    assert (made.sram_bytes, made.other_bytes, made.cycles, made.clock_mhz) == (131_744, 454_592, 692_036, 500)
    assert made.ms == pytest.approx(692_036 / 500e6 * 1e3)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", SUMMARY.replace("128.65625", "many"), SUMMARY + SUMMARY])
def test_another_summary_is_refused_in_a_line(text: str):
    with pytest.raises(BuildError, match=r"^the summary of Vela cannot be read: .*; this mnet knows that of Vela 5$"):
        vela.read_summary(text)


def test_without_vela_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(vela, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match=r"^compiling for ethos-u55-128 needs .*'mobilenet-edge\[ethos\]'$"):
        vela.require(OLD)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; print('Error: no such option'); sys.exit(2)", "Vela failed with code 2: Error: no such option"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGFPE)", "Vela crashed (signal 8, floating point exception)"),
        ("print('5.2.0')", "Vela wrote no file for mine: 5.2.0"),
    ],
)
def test_a_compiler_that_fails_is_one_line(sketch, program: str, message: str):
    s = sketch()
    with pytest.raises(BuildError) as caught:
        compile_with([sys.executable, "-c", program], s.bytes(s.conv(s.image)))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.vela
def test_a_file_that_crashes_it_is_one_line(sketch, vela_command: list[str]):
    # Vela 5.2.0 divides by a stride of 0.
    s = sketch()
    with pytest.raises(BuildError, match=r"^Vela (crashed \(signal|failed with code)"):
        compile_with(vela_command, s.bytes(s.conv(s.image, StrideW=0, StrideH=0)))
