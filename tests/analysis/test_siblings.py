"""An int8 file that is no faster than float32 is told so, with the reasons there are and no others."""

from dataclasses import replace

import pytest

from mobilenet_edge.analysis.siblings import annotate
from mobilenet_edge.records import Remark

LIMIT = {"float32_gmacs": 65.0, "int8_gmacs": 84.0, "shape": [256, 1024, 1024], "how": "one product"}
VNNI = {"isa": ["AVX2", "AVX-512 VNNI"]}


def of_int8(*profiles):
    """Return the values of each note of the int8 profile, by its code."""
    notes = [note for each in annotate(profiles) if each.precision != "float32" for note in each.notes]
    assert len({note.code for note in notes}) == len(notes)
    return {note.code: note.values for note in notes}


def silent(*profiles):
    return all(each.notes == () for each in annotate(profiles))


def test_slower_by_how_much_and_why(profile):
    notes = of_int8(profile(2.0), profile(3.0, "int8", limit=LIMIT))
    assert notes == {
        "slower": {"precision": "int8", "format": "tflite", "slower": pytest.approx(0.5, rel=0.02)},
        "slow-products": {"ratio": 84 / 65, "int8_gmacs": 84, "float32_gmacs": 65},
        "slow-cpu": {"missing": "VNNI"},
    }


def test_a_faster_one_has_no_note(profile):
    assert silent(profile(2.0), profile(1.5, "int8"))


def test_no_difference_is_called_none(profile):
    float32 = profile(2.0)
    notes = of_int8(float32, replace(float32, precision="int8"))
    assert notes["no-faster"] == {"precision": "int8", "format": "tflite", "ratio": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "onnx"},
        {"threads": 2},
        {"variant": "another"},
        {"runtime": "tflite-runtime"},
        {"host": {"name": "pi4"}},
        {"invalid": Remark("throttled", reasons=["capped"])},
        {"host": {"emulated": "qemu-aarch64"}},
        {"precision": "float16"},
    ],
    ids=str,
)
def test_only_siblings_are_compared(profile, changes):
    assert silent(profile(2.0), profile(3.0, **{"precision": "int8", **changes}))


def test_other_profiles_stay_as_they_are_and_in_order(profile):
    given = [profile(3.0, "int8", notes=(Remark("no-limit"),)), profile(2.0), profile(4.0, "float16")]
    back = annotate(given)
    assert back[1:] == given[1:]
    assert [note.code for note in back[0].notes[:2]] == ["no-limit", "slower"]


def test_a_fast_limit_is_no_reason(profile):
    limit = {**LIMIT, "int8_gmacs": 200.0}
    notes = of_int8(profile(2.0, host=VNNI), profile(3.0, "int8", host=VNNI, limit=limit))
    assert notes.keys() == {"slower", "slow-unexplained"}


def test_the_limit_may_be_the_siblings(profile):
    notes = of_int8(profile(2.0, limit=LIMIT, host=VNNI), profile(3.0, "int8", host=VNNI))
    assert notes["slow-products"]["ratio"] == 84 / 65


@pytest.mark.parametrize(
    ("isa", "machine", "missing"),
    [
        (["AVX2"], "x86_64", "VNNI"),
        (["NEON"], "aarch64", "SDOT"),
        (["AVX-512 VNNI"], "x86_64", None),
        (["AVX-VNNI"], "x86_64", None),
        (["AMX int8"], "x86_64", None),
        (["NEON", "SDOT/UDOT"], "aarch64", None),
        ([], "aarch64", None),
    ],
)
def test_dot_products_of_each_machine(profile, isa, machine, missing):
    host = {"isa": isa, "machine": machine}
    notes = of_int8(profile(2.0, host=host), profile(3.0, "int8", host=host))
    assert notes.get("slow-cpu") == (missing and {"missing": missing})


@pytest.mark.parametrize(
    ("target", "machine", "code"),
    [
        ("arm64", "x86_64", "slow-arm64-file"),
        ("x86", "aarch64", "slow-x86-file"),
        ("x86-vnni", "aarch64", "slow-x86-file"),
        ("generic", "x86_64", None),
        ("arm64", "aarch64", None),
    ],
)
def test_a_file_for_another_machine(profile, target, machine, code):
    own = {"format": "onnx", "host": {"machine": machine, "isa": ["SDOT/UDOT"]}}
    notes = of_int8(profile(2.0, **own), profile(3.0, "int8", target=target, **own))
    assert {each for each in notes if each.endswith("-file")} == ({code} if code else set())


def test_the_older_scheme(profile):
    notes = of_int8(profile(2.0, host=VNNI), profile(3.0, "uint8", host=VNNI))
    assert notes["slower"]["precision"] == "uint8"
    assert "slow-uint8" in notes


def op(kind, ms, name="x"):
    return {"index": 0, "name": name, "kind": kind, "ms": ms}


def test_what_the_operators_say(profile):
    ops = (op("QLinearConv", 1.0), op("QLinearConv", 1.0, "conv_dw_3"), op("Conv", 0.5))
    own = {"format": "onnx", "host": VNNI}
    notes = of_int8(profile(2.0, **own), profile(3.0, "int8", ops=ops, **own))
    # 0.5 of 2.5 ms, and 1.0 of 2.5 ms.
    assert notes["slow-float-ops"] == {"count": 1, "total": 3, "share": 0.2}
    assert notes["slow-depthwise"] == {"share": 0.4}


def test_a_convolution_of_tflite_is_not_called_float(profile):
    ops = (op("CONV_2D", 1.0), op("Conv", 1.0), op("DEPTHWISE_CONV_2D", 0.1))
    notes = of_int8(profile(2.0, host=VNNI), profile(3.0, "int8", ops=ops, host=VNNI))
    assert notes.keys() == {"slower", "slow-unexplained"}
