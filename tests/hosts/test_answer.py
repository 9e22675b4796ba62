from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.device.faults import InvalidModel, RequestError, RuntimeBroken, RuntimeMissing
from mobilenet_edge.errors import HostError, InputError, MissingExtraError, MnetError, UsageError
from mobilenet_edge.hosts.answer import Ended, fault, name_subject, parse


def refuse(code: int = 0, stdout: bytes = b"", stderr: bytes = b"") -> str:
    with pytest.raises(HostError) as caught:
        parse(Ended(code, stdout, stderr), "x.tflite")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_document_is_returned():
    assert parse(Ended(0, b'{"times_ns": [1]}', b"INFO: chatter"), "x.tflite") == {"times_ns": [1]}


def test_a_segmentation_fault_in_words():
    assert refuse(-signal.SIGSEGV) == (
        "the runtime crashed on x.tflite (signal 11, segmentation fault): the file may be corrupt"
    )


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (signal.SIGKILL, "(signal 9, killed): the machine may have run out of memory"),
        (signal.SIGILL, "(signal 4, illegal instruction): the runtime was built for a newer CPU"),
        (signal.SIGABRT, "(signal 6, aborted): the file may be corrupt, or made for another version"),
        (signal.SIGBUS, "(signal 7, bus error): the file may be corrupt"),
    ],
)
def test_other_crashes_have_their_own_advice(number: int, advice: str):
    assert advice in refuse(-number)


def test_a_crash_with_a_delegate_is_laid_to_it():
    request = {"mode": "time", "delegate": {"path": "/usr/lib/libedgetpu.so.1", "options": {}}}
    about = name_subject(request, {"artifact": Path("folder/x.tflite")})
    assert about == "x.tflite with the delegate libedgetpu.so.1"
    for number, advice in ((signal.SIGSEGV, "may be incompatible"), (signal.SIGKILL, "run out of memory")):
        with pytest.raises(HostError, match=advice):
            parse(Ended(-number, b"", b""), about)


def test_an_older_version_of_a_runtime_is_named_in_full():
    error = RuntimeMissing("LiteRT is not installed", None, "ai-edge-litert==2.1.0").to_dict()
    assert str(fault(error)) == "LiteRT is not installed; install it with: pip install ai-edge-litert==2.1.0"


def test_a_signal_without_a_name():
    assert refuse(-99) == "the worker was ended by signal 99 on x.tflite; run it again"


def test_a_failed_worker_is_quoted_by_its_last_line():
    stderr = b"Traceback (most recent call last):\n  File ...\nZeroDivisionError: division by zero\n\n"
    assert refuse(1, stderr=stderr) == (
        "the worker failed on x.tflite (exit code 1): ZeroDivisionError: division by zero"
    )
    assert refuse(127).endswith("it printed nothing")


@pytest.mark.parametrize("stdout", [b"", b"Welcome to my Pi!\n{", b"[]", b"7", b"\xff\xfe"])
def test_something_else_on_stdout(stdout: bytes):
    assert refuse(stdout=stdout).startswith("the worker's answer on x.tflite cannot be read (")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (InvalidModel("x is no model"), InputError, "x is no model"),
        (RequestError("no runtime is called 'tvm'"), UsageError, "no runtime is called 'tvm'"),
        (RuntimeBroken("LiteRT cannot be loaded"), HostError, "LiteRT cannot be loaded"),
        (
            RuntimeMissing("LiteRT is not installed", "tflite", "ai-edge-litert"),
            MissingExtraError,
            "LiteRT is not installed; install it with: pip install 'mobilenet-edge[tflite]'",
        ),
        (RuntimeMissing("no wheel for armv7l"), HostError, "no wheel for armv7l; use the other format"),
    ],
)
def test_faults_keep_their_message_and_get_their_exit_code(error: Any, kind: type[MnetError], message: str):
    raised = fault(error.to_dict())
    assert type(raised) is kind
    assert str(raised) == message


def test_a_fault_in_the_document_is_raised():
    document = {"version": "1", "error": InvalidModel("x is no model").to_dict()}
    with pytest.raises(InputError, match="x is no model"):
        parse(Ended(0, json.dumps(document).encode(), b""), "x.tflite")


def test_a_kind_from_a_newer_worker_is_a_failure_of_the_host():
    assert type(fault({"kind": "melted", "message": "the board melted"})) is HostError


@pytest.mark.parametrize(
    ("extra", "requirement", "advice"),
    [
        ("onnx", "onnxruntime", "mnet setup-host pi4, or"),
        # Not among what setup-host installs unasked.
        ("openvino", "openvino", "mnet setup-host pi4 openvino, or"),
        (
            "tflite-legacy",
            "tflite-runtime==2.14.0 'numpy<2'",
            "mnet setup-host pi4 tflite-runtime==2.14.0 'numpy<2', or",
        ),
    ],
)
def test_a_missing_runtime_is_installed_by_what_is_advised(extra: str, requirement: str, advice: str):
    error = {"kind": "missing-runtime", "message": "It is not installed", "extra": extra, "requirement": requirement}
    assert f"It is not installed on pi4; install it with: {advice} on the device with" in str(fault(error, "pi4"))
