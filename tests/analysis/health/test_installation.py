from __future__ import annotations

import pytest

from mobilenet_edge.analysis import installation
from mobilenet_edge.analysis.finding import Finding

ALL = ("litert", "tflite-runtime", "onnxruntime")
PI_TFLM = {
    "installed": False,
    "version": None,
    "error": None,
    "title": "TensorFlow Lite Micro",
    "format": "tflite",
    "requirement": "tflite-micro",
    "automatic": False,
}


def runtimes(facts, host="pi5"):
    return {each.name: each for each in installation.check_runtimes(facts, host)}


def test_execution_providers_are_named(pi):
    facts = pi()
    facts["runtimes"]["onnxruntime"]["providers"] = ["XnnpackExecutionProvider", "AzureExecutionProvider"]
    found = runtimes(facts)["onnxruntime"]
    assert found.fact == "1.31.1; --provider XnnpackExecutionProvider, AzureExecutionProvider"
    facts["runtimes"]["onnxruntime"]["providers"] = []
    assert runtimes(facts)["onnxruntime"].fact == "1.31.1"


def test_python_in_words(pi):
    (found,) = installation.check_python(pi())
    assert found == Finding("python", "ok", "3.11.2, 64-bit, on aarch64: /home/pi/venv/bin/python")


def test_a_32_bit_python_on_a_64_bit_kernel_is_worth_a_word(pi):
    (found,) = installation.check_python(pi(bits=32))
    assert (found.status, found.fact[:23]) == ("warn", "3.11.2, 32-bit, on aarc")


def test_numpy_that_is_there(pi):
    assert list(installation.check_numpy(pi(), "pi5")) == [Finding("numpy", "ok", "2.4.6")]


def test_numpy_comes_with_a_runtime(pi, lose):
    absent = {"installed": False, "version": None, "error": None}
    (found,) = installation.check_numpy(lose(pi(numpy=absent), *ALL), "pi5")
    assert (found.status, found.next) == ("fail", "install a runtime as below; it installs numpy too")
    (found,) = installation.check_numpy(lose(pi(numpy=absent), *ALL, wheel=False), "pi5")
    assert found.next == "on pi5: /home/pi/venv/bin/python -m pip install numpy"


def test_numpy_that_does_not_load(pi):
    broken = {"installed": True, "version": None, "error": "libopenblas.so.0: cannot open shared object file"}
    (found,) = installation.check_numpy(pi(numpy=broken), "local")
    assert found.fact == "does not load: libopenblas.so.0: cannot open shared object file"
    assert found.next == "/home/pi/venv/bin/python -m pip install --force-reinstall numpy"


def test_all_is_well(pi):
    assert runtimes(pi()) == {
        "litert": Finding("litert", "ok", "2.3.0"),
        "tflite-runtime": Finding("tflite-runtime", "ok", "not installed; LiteRT opens .tflite files"),
        "onnxruntime": Finding("onnxruntime", "ok", "1.31.1"),
        ".tflite files": Finding(".tflite files", "ok", "opened by LiteRT 2.3.0"),
        ".onnx files": Finding(".onnx files", "ok", "opened by onnxruntime 1.31.1"),
    }
    assert installation.formats(pi()) == ("tflite", "onnx")


def test_one_format_of_two_is_a_warning(pi, lose):
    facts = lose(pi(), "onnxruntime")
    found = runtimes(facts)
    assert installation.formats(facts) == ("tflite",)
    line = "on pi5: /home/pi/venv/bin/python -m pip install onnxruntime"
    assert found["onnxruntime"] == Finding("onnxruntime", "warn", "not installed", line)
    assert found[".onnx files"].status == "warn"
    assert found[".onnx files"].next == "install onnxruntime as above"


def test_no_format_at_all_is_a_failure(pi, lose):
    facts = lose(pi(), *ALL)
    found = runtimes(facts)
    assert installation.formats(facts) == ()
    assert (found[".tflite files"].status, found[".onnx files"].status) == ("fail", "fail")
    assert found["litert"].next == "on pi5: /home/pi/venv/bin/python -m pip install 'ai-edge-litert>=2.1'"
    assert found["tflite-runtime"].fact == "not installed; LiteRT would open .tflite files"


def test_32_bit_has_one_runtime_left(pi, lose):
    facts = lose(
        lose(pi(bits=32, system="armv7l, Python 3.11 and glibc 2.36"), "litert", "onnxruntime", wheel=False),
        "tflite-runtime",
    )
    found = runtimes(facts)
    line = "on pi5: /home/pi/venv/bin/python -m pip install tflite-runtime==2.14.0 'numpy<2'"
    assert found["tflite-runtime"] == Finding("tflite-runtime", "warn", "not installed", line)
    assert found["litert"].fact == "not installed; tflite-runtime would open .tflite files"
    reason = "not installed, and it has no wheel for armv7l, Python 3.11 and glibc 2.36"
    assert found["onnxruntime"] == Finding("onnxruntime", "warn", reason, installation.ELSEWHERE)
    assert found[".onnx files"].fact == "no runtime opens them, and none can be installed"


def test_what_cannot_run_is_exported_to_what_can(pi, lose):
    found = runtimes(lose(pi(), "onnxruntime", wheel=False))
    assert found[".onnx files"].next == "export to .tflite"


def test_a_broken_runtime_fails_where_it_would_be_taken(pi, spoil):
    reason = "tflite-runtime was built for NumPy 1 and here is 2.4.6"
    facts = spoil(pi(), "tflite-runtime", f"{reason}; run: pip install 'numpy<2'")
    # LiteRT comes first and works.
    assert runtimes(facts)["tflite-runtime"].status == "warn"
    facts["runtimes"]["litert"].update(installed=False, version=None)
    found = runtimes(facts)
    assert (found["tflite-runtime"].status, found["tflite-runtime"].fact) == ("fail", f"does not load: {reason}")
    line = "on pi5: /home/pi/venv/bin/python -m pip install --force-reinstall tflite-runtime==2.14.0 'numpy<2'"
    assert found["tflite-runtime"].next == line
    assert found[".tflite files"].next == "repair the runtime above"


def test_a_runtime_for_a_newer_cpu_is_not_installed_again(pi, spoil):
    found = runtimes(spoil(pi(), "onnxruntime", "it crashes when it is loaded (signal 4, illegal instruction)"))
    assert found["onnxruntime"].status == "fail"
    assert "older version" in found["onnxruntime"].next


def test_a_broken_runtime_without_a_wheel_is_not_installed_again(pi, spoil):
    facts = spoil(pi(), "litert", "libc.so.6: version `GLIBC_2.34' not found")
    facts["runtimes"]["litert"]["requirement"] = None
    assert runtimes(facts)["litert"].next.startswith("it has no wheel for aarch64, Python 3.11 and glibc 2.36; ")


@pytest.mark.parametrize(
    ("host", "changes", "line"),
    [
        ("local", {}, "PY -m pip install 'a>1' b"),
        ("pi5", {}, "on pi5: PY -m pip install 'a>1' b"),
        ("local", {"executable": "/usr/my python"}, "'/usr/my python' -m pip install 'a>1' b"),
        ("local", {"pip": False}, "PY -m ensurepip && PY -m pip install 'a>1' b"),
        (
            "pi5",
            {"pip": False, "venv": False},
            "on pi5: sudo apt install python3-venv; then mnet setup-host pi5",
        ),
        ("pi5", {"managed": True}, "mnet setup-host pi5"),
        (
            "pi5",
            {"managed": True, "venv": False},
            "on pi5: sudo apt install python3-venv; then mnet setup-host pi5",
        ),
        (
            "local",
            {"managed": True},
            "PY -m venv .venv, install mobilenet-edge there, and: .venv/bin/python -m pip install 'a>1' b",
        ),
    ],
)
def test_how_to_install(pi, host, changes, line):
    facts = pi(**changes)
    assert installation.pip("'a>1' b", facts, host) == line.replace("PY", "/home/pi/venv/bin/python")


def test_a_name_for_the_shell_is_quoted(pi):
    assert installation.pip("a", pi(managed=True), "my pi") == "mnet setup-host 'my pi'"


def test_edge_tpu(pi):
    (none,) = installation.check_edge_tpu(pi())
    assert none == Finding("edge tpu", "ok", "no device, no libedgetpu")
    library = "/usr/lib/aarch64-linux-gnu/libedgetpu.so.1"
    (ready,) = installation.check_edge_tpu(pi(delegates=[library], edge_tpus=["usb"]))
    assert ready == Finding("edge tpu", "ok", f"a device on USB; libedgetpu: {library}")
    (unusable,) = installation.check_edge_tpu(pi(edge_tpus=["usb", "pci"]))
    assert unusable.status == "warn"
    assert "USB and PCIe" in unusable.fact
    # The package of that name on the index is another thing altogether.
    assert "pycoral" not in unusable.next


def test_extras(pi):
    workstation = pi()
    del workstation["host"]["board"]
    missing = {"build": ["TensorFlow", "onnx"], "images": []}
    build, images = installation.check_extras(missing, workstation)
    assert build.fact.endswith(": TensorFlow, onnx")
    assert build.next == "/home/pi/venv/bin/python -m pip install 'mobilenet-edge[build]'"
    assert images == Finding("[images]", "ok", "installed")


def test_a_board_does_not_build(pi):
    build, images = installation.check_extras({"build": ["TensorFlow"], "images": ["Pillow"]}, pi())
    assert (build.status, images.status) == ("ok", "warn")
    assert build.fact.startswith("not installed; ")


def test_a_runtime_that_auto_does_not_take_counts_for_no_format(pi, lose):
    facts = lose(pi(), "litert", wheel=False)
    facts["runtimes"]["tflite-runtime"]["requirement"] = None
    facts["runtimes"]["tflm"] = {**PI_TFLM, "installed": True, "version": "1"}
    found = runtimes(facts)
    assert (found["tflm"].status, found["tflm"].fact) == ("ok", "1")
    assert found[".tflite files"].fact == "no runtime opens them, and none can be installed"
    assert installation.formats(facts) == ("onnx",)
    # Where LiteRT works it is not missed.
    facts = pi()
    facts["runtimes"]["tflm"] = PI_TFLM
    assert runtimes(facts)["tflm"].fact == "not installed; LiteRT opens .tflite files"
