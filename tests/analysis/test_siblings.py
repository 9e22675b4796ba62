"""An int8 file that is no faster than float32 is told so, with the reasons there are and no others."""

from dataclasses import replace

import pytest

from mobilenet_edge.analysis.siblings import noted

LIMIT = {"float32_gmacs": 65.0, "int8_gmacs": 84.0, "shape": [256, 1024, 1024], "how": "one product"}
VNNI = {"isa": ["AVX2", "AVX-512 VNNI"]}


def of_int8(*profiles):
    (note,) = [note for each in noted(profiles) if each.precision != "float32" for note in each.notes]
    return note


def silent(*profiles):
    return all(each.notes == () for each in noted(profiles))


def test_slower_by_how_much_and_why(profile):
    note = of_int8(profile(2.0), profile(3.0, "int8", limit=LIMIT))
    assert note.startswith("int8 is 50% slower than float32 (tflite): ")
    # 84 / 65
    assert "its int8 matrix products are only 1.3x as fast as float32 here (84 and 65 GMAC/s)" in note
    assert "this CPU has no dot products of 8-bit integers (VNNI)" in note
    assert len(note.split("; ")) == 2


def test_a_faster_one_has_no_note(profile):
    assert silent(profile(2.0), profile(1.5, "int8"))


def test_no_difference_is_called_none(profile):
    float32 = profile(2.0)
    assert "int8 is no faster (ratio of the medians 1.00) than float32" in of_int8(
        float32, replace(float32, precision="int8")
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "onnx"},
        {"threads": 2},
        {"variant": "another"},
        {"runtime": "tflite-runtime"},
        {"host": {"name": "pi4"}},
        {"invalid": "the CPU was throttled"},
        {"host": {"emulated": "qemu-aarch64"}},
        {"precision": "float16"},
    ],
    ids=str,
)
def test_only_siblings_are_compared(profile, changes):
    assert silent(profile(2.0), profile(3.0, **{"precision": "int8", **changes}))


def test_other_profiles_stay_as_they_are_and_in_order(profile):
    given = [profile(3.0, "int8", notes=("a remark",)), profile(2.0), profile(4.0, "float16")]
    back = noted(given)
    assert back[1:] == given[1:]
    assert back[0].notes[0] == "a remark"
    assert len(back[0].notes) == 2


def test_a_fast_limit_is_no_reason(profile):
    limit = {**LIMIT, "int8_gmacs": 200.0}
    note = of_int8(profile(2.0, host=VNNI), profile(3.0, "int8", host=VNNI, limit=limit))
    assert note.endswith("nothing that was measured says why: measure again with --ops")


def test_the_limit_may_be_the_siblings(profile):
    assert "1.3x" in of_int8(profile(2.0, limit=LIMIT, host=VNNI), profile(3.0, "int8", host=VNNI))


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
    note = of_int8(profile(2.0, host=host), profile(3.0, "int8", host=host))
    assert ("no dot products" in note) == (missing is not None)
    assert missing is None or f"({missing})" in note


@pytest.mark.parametrize(
    ("target", "machine", "said"),
    [
        ("arm64", "x86_64", "--target x86"),
        ("x86", "aarch64", "--target arm64"),
        ("x86-vnni", "aarch64", "--target arm64"),
        ("generic", "x86_64", None),
        ("arm64", "aarch64", None),
    ],
)
def test_a_file_for_another_machine(profile, target, machine, said):
    own = {"format": "onnx", "host": {"machine": machine, "isa": ["SDOT/UDOT"]}}
    note = of_int8(profile(2.0, **own), profile(3.0, "int8", target=target, **own))
    assert ("--target" in note) == (said is not None)
    assert said is None or said in note


def test_the_older_scheme(profile):
    note = of_int8(profile(2.0, host=VNNI), profile(3.0, "uint8", host=VNNI))
    assert note.startswith("uint8 is 51% slower")
    assert "older uint8 scheme" in note


def op(kind, ms, name="x"):
    return {"index": 0, "name": name, "kind": kind, "ms": ms}


def test_what_the_operators_say(profile):
    ops = (op("QLinearConv", 1.0), op("QLinearConv", 1.0, "conv_dw_3"), op("Conv", 0.5))
    own = {"format": "onnx", "host": VNNI}
    note = of_int8(profile(2.0, **own), profile(3.0, "int8", ops=ops, **own))
    # 0.5 of 2.5 ms, and 1.0 of 2.5 ms.
    assert "1 of its 3 ops were left in float32 (20% of its time)" in note
    assert "depthwise convolutions, which are no matrix products, take 40% of its time" in note


def test_a_convolution_of_tflite_is_not_called_float(profile):
    ops = (op("CONV_2D", 1.0), op("Conv", 1.0), op("DEPTHWISE_CONV_2D", 0.1))
    note = of_int8(profile(2.0, host=VNNI), profile(3.0, "int8", ops=ops, host=VNNI))
    assert "float32 (tflite): nothing that was measured says why" in note
