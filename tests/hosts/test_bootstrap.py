"""The first program on another machine, run on this one."""

from __future__ import annotations

import ast
import base64
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mobilenet_edge.hosts import bootstrap, payload


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    (tmp_path / "temporary").mkdir()
    return tmp_path / "temporary"


def start(temporary: Path, data: bytes = b"", before: str = "") -> subprocess.CompletedProcess[bytes]:
    """Boot with what is sent and then nothing more."""
    command = [sys.executable, "-c", f"{before}\n{bootstrap.code()}"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.run(command, input=data, capture_output=True, timeout=300, env=environment, cwd=temporary)


def said(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    return re.findall(rf"^{bootstrap.MARK}(.*)$", done.stdout.decode(), re.MULTILINE)


def test_the_program_parses_in_old_pythons():
    # The oldest grammar there is to ask; what Python 2.7 lacks beyond it is looked for by hand.
    tree = ast.parse(bootstrap.program(), feature_version=(3, 4))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.JoinedStr | ast.NamedExpr | ast.AnnAssign | ast.Nonlocal | ast.YieldFrom)
        assert not (isinstance(node, ast.Raise) and node.cause)
        assert not (isinstance(node, ast.FunctionDef) and (node.args.kwonlyargs or node.returns))
        assert not (isinstance(node, ast.Name) and node.id == "print")


def test_the_program_checks_the_version_before_it_does_anything():
    text = bootstrap.program()
    assert text.index("version_info") < text.index("mkdtemp")


def test_the_command_is_one_line_that_a_shell_takes_as_four_words():
    line = bootstrap.command("/a b/'python'")
    assert "\n" not in line
    words = shlex.split(line)
    assert words == ["exec", "sh", "-c", bootstrap.RUN_PYTHON, "sh", "/a b/'python'", bootstrap.code()]
    packed = re.search(r'b64decode\("(.*)"\)', words[-1])
    assert packed
    assert base64.b64decode(packed[1]).decode() == bootstrap.program()
    # No shell expands anything of this between single quotes, not even csh its history.
    assert not set(bootstrap.code()) & set("'!\\$`\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("python", "expected"),
    [
        ("/usr/bin/x", "/usr/bin/x"),
        ("~/venv/bin/python", "HOME/venv/bin/python"),
        ("python3.12", "python3.12"),
        (None, "python3"),
        ("a;b c", "a;b c"),
    ],
)
def test_the_choice_of_python(python: str | None, expected: str, tmp_path: Path):
    # With `echo` for `exec` the shell says what it would run.
    line = bootstrap.RUN_PYTHON.replace('exec "$p" -c "$2"', 'echo "$p"')
    done = subprocess.run(
        ["sh", "-c", line, "sh", python or "", "code"], env={"HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.stdout.strip() == expected.replace("HOME", str(tmp_path))


@pytest.mark.slow
def test_the_environment_of_setup_host_is_preferred_where_it_is(tmp_path: Path):
    from mobilenet_edge.device import setup

    assert setup.FOLDER == bootstrap.VENV
    python = tmp_path / bootstrap.VENV / "bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    line = bootstrap.RUN_PYTHON.replace('exec "$p" -c "$2"', 'echo "$p"')
    done = subprocess.run(["sh", "-c", line, "sh", ""], env={"HOME": str(tmp_path)}, capture_output=True, text=True)
    assert done.stdout.strip() == str(python)


@pytest.mark.slow
def test_it_greets_and_leaves_nothing(temporary: Path):
    done = start(temporary, payload.pack())
    (hello,) = said(done)
    assert hello.startswith('{"hello": ')
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_either(number: int, temporary: Path):
    command = [sys.executable, "-c", bootstrap.code()]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as agent:
        agent.stdin.write(payload.pack())
        agent.stdin.flush()
        assert agent.stdout.readline() == b"\n"
        assert agent.stdout.readline().startswith(bootstrap.MARK.encode())
        assert len(list(temporary.iterdir())) == 1
        agent.send_signal(number)
        assert agent.wait(timeout=300) == 1
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"", payload.pack()[:-1]])
def test_a_connection_that_ends_early(data: bytes, temporary: Path):
    done = start(temporary, data)
    assert said(done) == []
    assert done.returncode == 1
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_a_garbled_parcel(temporary: Path):
    done = start(temporary, b"x" + payload.pack()[1:])
    (refusal,) = said(done)
    assert '"refused": "garbled"' in refusal
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_an_old_python(temporary: Path):
    done = start(temporary, before="import sys; sys.version_info = (3, 8, 10, 'final', 0)")
    (refusal,) = said(done)
    assert '"refused": "old"' in refusal
    assert '"reason": "3.8"' in refusal


@pytest.mark.slow
def test_no_temporary_folder(temporary: Path):
    done = start(temporary, before="import tempfile; tempfile.tempdir = '/proc/no/folder'")
    (refusal,) = said(done)
    assert '"refused": "folder", "reason": "No such file or directory"' in refusal


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(temporary: Path):
    # The file that is opened to be written is one that is always full.
    full = "import builtins; real = open\ndef full(file, mode='r', *a, **k):\n"
    full += "    return real('/dev/full', mode, *a, **k) if str(file).endswith('.pyz') and 'w' in mode else "
    full += "real(file, mode, *a, **k)\nbuiltins.open = full\n"
    (refusal,) = said(start(temporary, payload.pack(), before=full))
    assert '"refused": "space"' in refusal
    assert "No space left on device" in refusal
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8"])
def test_real_old_pythons_say_that_they_are_old(version: str, temporary: Path):
    python = _installed(version)
    if not python:
        pytest.skip(f"Python {version} is not installed")
    done = subprocess.run([python, "-c", bootstrap.code()], capture_output=True, timeout=300, cwd=temporary)
    (refusal,) = said(done)
    assert '"refused": "old"' in refusal
    assert f'"reason": "{version}"' in refusal


def _installed(version: str) -> str | None:
    """Find a Python that starts: on the path, where pyenv's may be there and refuse, or pyenv's own."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    places = [shutil.which(f"python{version}"), *map(str, pyenv.glob(f"versions/{version}.*/bin/python"))]
    return next(
        (each for each in places if each and not subprocess.run([each, "-c", ""], capture_output=True).returncode), None
    )
