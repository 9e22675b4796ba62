from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mobilenet_edge
from mobilenet_edge.device.faults import RequestError
from mobilenet_edge.device.timing import Stop
from mobilenet_edge.device.worker import MODES, Request, find_mode
from mobilenet_edge.hosts import payload

PACKAGE = Path(mobilenet_edge.__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}


def ask(request: dict[str, Any], **options: Any) -> subprocess.CompletedProcess[str]:
    options = {"env": ENVIRONMENT, **options}
    return subprocess.run(
        [sys.executable, "-m", "mobilenet_edge.device"],
        input=json.dumps(request) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )


def answer(request: dict[str, Any]) -> dict[str, Any]:
    done = ask(request)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_request_is_parsed():
    text = '{"mode": "time", "artifact": "a.tflite", "threads": 2, "steady": {"runs": 9, "seconds": 0.5}}'
    assert Request.from_json(text) == Request("time", "a.tflite", threads=2, steady=Stop(9, 0.5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"artifact": "a"}', "missing 1 required positional argument: 'mode'"),
        ('{"mode": "time"}', "mode 'time' needs an artifact"),
        ('{"mode": "time", "artifact": "a", "period_ns": 0}', "period_ns must be at least 1, got 0"),
        ('{"mode": "time", "artifact": "a", "sample_seconds": 0}', "sample_seconds must be above 0, got 0"),
        ('{"mode": "time", "artifact": "a", "sample_seconds": "1"}', "cannot be read"),
        ('{"mode": "dance", "artifact": "a"}', "no mode is called 'dance'; give one of time, memory"),
        ('{"mode": "time", "artifact": "a", "threads": 0}', "threads must be at least 1, got 0"),
    ],
)
def test_a_bad_request_is_refused(text: str, message: str):
    with pytest.raises(RequestError, match=message):
        Request.from_json(text)


@pytest.mark.slow
def test_nothing_heavy_is_imported_for_it():
    code = (
        "import sys, mobilenet_edge.device.worker\n"
        "heavy = {'tensorflow', 'keras', 'onnx', 'onnxruntime', 'ai_edge_litert', 'typer', 'rich',"
        " 'importlib.metadata', 'numpy', 'tempfile', 'mobilenet_edge.records'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.data
def test_litert_brings_no_tensorflow(reference: Path):
    code = (
        "import sys; from pathlib import Path; from mobilenet_edge.device import runtimes\n"
        f"runtimes.open_model(Path({str(reference)!r}))\n"
        "sys.exit(', '.join({'tensorflow', 'keras', 'google', 'flatbuffers'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({"mode": "dance", "artifact": "a.tflite"}, "request"),
        ({"mode": "time", "artifact": "nowhere.tflite"}, "invalid-model"),
        ({"mode": "time", "artifact": __file__}, "invalid-model"),
        ({"mode": "time", "artifact": "a.tflite", "affinity": [4095]}, "request"),
        ({"mode": "time", "artifact": "a.tflite", "affinity": [0, 4095]}, "request"),
        ({"mode": "time", "artifact": ""}, "request"),
    ],
)
def test_expected_failures_are_documents(request_: dict[str, Any], kind: str):
    error = answer(request_)["error"]
    assert error["kind"] == kind
    assert "\n" not in error["message"]


@pytest.mark.slow
def test_a_leased_worker_ends_with_its_stdin(make_onnx: Callable[..., Path]):
    request = {"mode": "time", "artifact": str(make_onnx()), "steady": {"seconds": 3600}, "leased": True}
    with subprocess.Popen(
        [sys.executable, "-m", "mobilenet_edge.device"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=ENVIRONMENT,
    ) as worker:
        worker.stdin.write(json.dumps(request).encode() + b"\n")
        worker.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(timeout=1)  # its minute of runs ends only with its stdin
        worker.stdin.close()
        assert worker.wait(timeout=600) == 1


@pytest.mark.slow
@pytest.mark.data
def test_worker_runs_from_a_zip_alone(reference: Path, tmp_path: Path):
    """As it is sent to a device that has no mobilenet-edge."""
    archive = tmp_path / "worker.zip"
    archive.write_bytes(payload.pack())
    environment = {**os.environ, "PYTHONPATH": str(archive), "PYTHONSAFEPATH": "1"}
    done = ask({"mode": "time", "artifact": str(reference)}, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["times_ns"]) == 1


@pytest.fixture(scope="session")
def oldest() -> str:
    """The oldest Python that a device may have, on the path or among pyenv's."""
    (oldest, *_) = sorted(Path.home().glob(".pyenv/versions/3.9.*/bin/python3.9")) or [shutil.which("python3.9")]
    if oldest is None or subprocess.run([oldest, "-c", ""], capture_output=True).returncode:
        pytest.skip("no Python 3.9, the oldest that a device may have")
    return str(oldest)


@pytest.mark.slow
def test_worker_runs_on_the_oldest_python(oldest: str, tmp_path: Path):
    def asked(request: dict[str, Any]) -> Any:
        done = subprocess.run(
            [oldest, payload.path()], input=json.dumps(request) + "\n", capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert asked({"mode": "doctor"})["python"][:2] == [3, 9]
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in sorted((PACKAGE / "device").rglob("*.py"))
    ]
    code = f"""
import sys; sys.path.insert(0, {str(payload.path())!r})
from importlib import import_module
for name in {names!r}:
    try:
        name.endswith("__main__") or import_module(name)
    except ModuleNotFoundError as error:
        assert error.name == "numpy", error"""
    subprocess.run([oldest, "-c", code], check=True, cwd=tmp_path)


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_has_its_function(mode: str):
    assert callable(find_mode(mode))


@pytest.mark.slow
def test_numpy_that_is_missing_is_said_so():
    code = "import sys; sys.modules['numpy'] = None; from mobilenet_edge.device.worker import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input='{"mode": "time", "artifact": "a.tflite"}\n',
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "broken-runtime"
    assert error["message"].startswith(f"{sys.executable} has no numpy")
