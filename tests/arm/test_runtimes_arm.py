"""This project's artifacts in the aarch64 wheels of each runtime, on a Cortex-A72, against the same files here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.device import runtimes
from mobilenet_edge.hosts import payload
from mobilenet_edge.quantise import synthetic

pytestmark = [pytest.mark.slow, pytest.mark.arm]

PROGRAM = Path(__file__).with_name("outputs.py")
SIDE, COUNT = 96, 4
TOP = 3
PRECISIONS = ("float32", "float16", "dynamic", "int8-arm64", "int8")
# Probabilities; int8 has them in steps of 1/256, an ONNX file too, which turns them into floats at its end.
STEP = 1 / 256
# Kernels sum in an order of their own: some 1e-7 of a value in each of 28 layers. float16 weights are computed with in
# float32. Dynamic and int8 files round to 8 bits in each layer, where a sum's last bit may decide: two steps in all.
# Files for Arm alone let sums overflow on an x86 without VNNI, which they are compared with; 20 steps
# tell right from wrong.
TOLERANCE = {"float32": 1e-5, "float16": 1e-5, "dynamic": 2 * STEP, "int8-arm64": 8 * STEP, "int8": 2 * STEP}


@pytest.fixture(scope="module")
def given(artifacts: dict[str, Path]) -> dict[str, Path]:
    """The artifacts, with the inputs for each beside it."""
    for path in artifacts.values():
        (tensor,) = runtimes.open_model(path).inputs
        np.save(path.with_suffix(path.suffix + ".npy"), np.stack([fit(image, tensor) for image in pictures()]))
    return artifacts


def pictures() -> np.ndarray:
    """float32 in [-1, 1], (COUNT, h, w, 3): one image as it is, and without red, without green, without blue."""
    made = synthetic.images(1, (SIDE, SIDE, 3), seed=3).repeat(COUNT, axis=0)
    for colour in range(3):
        made[1 + colour, ..., colour] = -1
    return made


def fit(image: np.ndarray, tensor: runtimes.Tensor) -> np.ndarray:
    laid = image[None] if tensor.shape[-1] == 3 else image.transpose(2, 0, 1)[None]
    if tensor.scale is None:
        return laid
    return np.clip(np.rint(laid / tensor.scale) + tensor.zero_point, -128, 127).astype(np.int8)


def answers(python: str, paths: list[Path]) -> dict[str, Any]:
    command = [python, PROGRAM, payload.path(), *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return {
        name: {**each, "outputs": (np.array(each["outputs"]) - (each["zero_point"] or 0)) * (each["scale"] or 1)}
        for name, each in json.loads(done.stdout).items()
    }


@pytest.fixture(scope="module")
def here(given: dict[str, Path]) -> dict[str, Any]:
    return answers(sys.executable, list(given.values()))


def assert_alike(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, answer in found.items():
        tolerance = next(TOLERANCE[precision] for precision in PRECISIONS if f".{precision}" in name)
        there, here = answer["outputs"], expected[name]["outputs"]
        np.testing.assert_allclose(there, here, rtol=0, atol=tolerance, err_msg=name)
        # Whoever is among the first there has here at least the value of the last of the first, but for the tolerance.
        first = np.argsort(there, axis=1)[:, -TOP:]
        least = np.sort(here, axis=1)[:, -TOP]
        assert (np.take_along_axis(here, first, axis=1) >= least[:, None] - tolerance).all(), name


def versions(answers: dict[str, Any]) -> set[tuple[str, str]]:
    return {(answer["runtime"], answer["version"]) for answer in answers.values()}


def test_answers_differ_enough_to_tell_right_from_wrong(here: dict[str, Any]):
    for name, answer in here.items():
        # Between classes, and between images for the same class.
        assert np.ptp(answer["outputs"], axis=1).min() > 20 * STEP, name
        assert np.ptp(answer["outputs"], axis=0).max() > 10 * STEP, name


def test_litert_and_onnxruntime_answer_as_they_do_here(pi: Any, given: dict[str, Path], here: dict[str, Any]):
    found = answers(pi.python("current"), list(given.values()))
    assert found.keys() == here.keys()
    assert versions(found) == versions(here)
    assert len(versions(found)) == 2
    assert_alike(found, here)


@pytest.mark.legacy
def test_tflite_runtime_answers_as_it_does_here(pi: Any, legacy_python: Path, given: dict[str, Path]):
    """With itself: between 2.14 and LiteRT int8 answers lie up to 7 steps apart, on either machine."""
    paths = [path for path in given.values() if path.suffix == ".tflite"]
    found, expected = answers(pi.python("legacy"), paths), answers(str(legacy_python), paths)
    assert found.keys() == expected.keys()
    assert versions(found) == versions(expected) == {("tflite-runtime", "2.14.0")}
    assert_alike(found, expected)
