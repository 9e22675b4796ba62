"""A device over SSH as it happens: everything that is asked of one, and each way it fails."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.device.child import Child
from mobilenet_edge.errors import HostError, InputError, UsageError
from mobilenet_edge.hosts.ssh import Ssh
from mobilenet_edge.profiling import latency
from mobilenet_edge.profiling.machine import Machine
from mobilenet_edge.profiling.settings import Plan
from tests.ssh.server import ALIAS, Server, children, keygen, serve, wait_for

pytestmark = [pytest.mark.ssh, pytest.mark.slow]
TIME = {"mode": "time", "warmup": {"runs": 1}, "steady": {"runs": 3}}
FOREVER = {**TIME, "steady": {"seconds": 3600.0}}


def running(folder: Path) -> list[int]:
    """Processes that were started with something in a folder: the workers of its keepers."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in each.read_bytes():
                found.append(int(each.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def left(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()]


@pytest.fixture
def host(server: Server, temporary: Path) -> Iterator[Ssh]:
    """The device, at the end of which nothing must be left on it."""
    host = server.ssh(sys.executable)
    yield host
    assert host._session is None
    wait_for(lambda: not left(temporary))
    assert running(temporary) == []


def refused(host: Ssh, kind: type[Exception] = HostError) -> str:
    with pytest.raises(kind) as caught:
        host.run({"mode": "nonsense"}, limit_seconds=300)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What works


def test_a_profile(host: Ssh, model: Path):
    (one,) = latency.profile([model], Plan(runs=6, seconds=0, rounds=2), machines=[Machine(host)])
    assert (one.host["name"], one.runtime, one.round_sizes) == ("pi", "onnxruntime", (3, 3))
    # An addition of 192 numbers takes longer than the clock's tick, and less than a second anywhere.
    assert all(0 < each < 1e9 for each in one.times_ns)
    assert one.peak_rss_bytes > one.baseline_rss_bytes > 10e6


def test_one_connection_and_each_file_once(
    host: Ssh, model: Path, server: Server, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sent: list[int] = []
    write = Child.write
    monkeypatch.setattr(Child, "write", lambda self, data: (sent.append(len(data)), write(self, data))[1])
    images = tmp_path / "images.npy"
    np.save(images, np.zeros((2, 1, 8, 8, 3), np.float32))
    with host:
        for _ in range(3):
            told = host.run(TIME, {"artifact": model, "inputs": images}, limit_seconds=300)
            assert told["fed"].startswith("2 ")
            (connection,) = server.connections()
        assert len(left(temporary)) == 1
        folder = left(temporary)[0]
        assert folder.stat().st_mode & 0o777 == 0o700
        assert sorted(path.name for path in folder.glob("*/*")) == sorted([model.name, "images.npy"])
    # The payload, two files of more than 100 bytes, three requests.
    assert len(sent) == 1 + 2 + 3
    wait_for(lambda: connection not in server.connections())


def test_another_content_under_the_same_name_is_sent(host: Ssh, model: Path, tmp_path: Path):
    path = tmp_path / "a.onnx"
    path.write_text("this is no model")
    with host:
        with pytest.raises(InputError, match=r"^pi: a\.onnx is not a model that onnxruntime can open"):
            host.run(TIME, {"artifact": path}, limit_seconds=300)
        path.write_bytes(model.read_bytes())
        assert len(host.run(TIME, {"artifact": path}, limit_seconds=300)["times_ns"]) == 3


def test_without_a_block_each_call_has_a_connection_of_its_own(host: Ssh, server: Server):
    assert "no mode is called 'nonsense'" in refused(host, UsageError)
    wait_for(lambda: not server.connections())


def test_the_users_own_command_is_found_on_the_path(
    server: Server, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    server.command_on(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert "no mode is called" in refused(Ssh("pi", ALIAS, sys.executable), UsageError)


def test_banners_are_passed_over(tmp_path: Path):
    noise = 'printf "Welcome!\\nmobilenet\\n\\377 no line end"; exec sh -c "$SSH_ORIGINAL_COMMAND"'
    with serve(tmp_path, command=noise) as server:
        assert "no mode is called" in refused(server.ssh(sys.executable), UsageError)


@pytest.mark.parametrize("shell", ["bash", "dash", "csh", "tcsh", "fish", "zsh"])
def test_any_login_shell_will_do(shell: str, tmp_path: Path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    with serve(tmp_path, command=f'exec {shell} -c "$SSH_ORIGINAL_COMMAND"') as server:
        assert "no mode is called" in refused(server.ssh(sys.executable), UsageError)


def test_a_python_in_the_home_and_one_with_a_wild_name(tmp_path: Path):
    home = tmp_path / "home"
    wild = "$(touch pwned) `touch pwned` ';touch pwned;' \"x\" \\ é"
    (home / wild).mkdir(parents=True)
    (home / wild / "python").symlink_to(sys.executable)
    (tmp_path / "sshd").mkdir()
    with serve(tmp_path / "sshd", environment={"HOME": home}) as server:
        assert "no mode is called" in refused(server.ssh(f"~/{wild}/python"), UsageError)
        missing = refused(server.ssh(f"{home}/{wild}/none"))
    assert missing.startswith("pi has no Python at ")
    assert not list(tmp_path.rglob("pwned"))


def test_the_python_of_setup_host_comes_first(tmp_path: Path):
    home = tmp_path / "home"
    place = home / ".local/share/mobilenet-edge/venv/bin"
    place.mkdir(parents=True)
    (tmp_path / "sshd").mkdir()
    with serve(tmp_path / "sshd", environment={"HOME": home, "PATH": "/nowhere:/bin"}) as server:
        (place / "python").write_text(f'#!/bin/sh\ntouch {shlex.quote(str(home))}/used\nexec {sys.executable} "$@"\n')
        (place / "python").chmod(0o755)
        assert "no mode is called" in refused(server.ssh(), UsageError)
    assert (home / "used").exists()


def test_nothing_of_the_home_is_imported(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    for name in ("json", "base64", "hashlib", "numpy", "mobilenet_edge"):
        (home / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    (tmp_path / "sshd").mkdir()
    with serve(tmp_path / "sshd", command='cd ~; exec sh -c "$SSH_ORIGINAL_COMMAND"', environment={"HOME": home}) as it:
        assert "no mode is called" in refused(it.ssh(sys.executable), UsageError)


# No connection


def test_no_such_name(server: Server):
    host = Ssh("pi", "pi@nowhere.invalid", command=("ssh", "-F", str(server.config)))
    said = refused(host)
    assert said == (
        "pi (pi@nowhere.invalid): no machine has this name; check the spelling of host, or give the IP address"
    )


def test_no_server(server: Server):
    assert refused(server.ssh(Port="1")) == (
        "pi (device): it is on, but no SSH server answers; on the device: sudo systemctl enable --now ssh"
    )


def test_no_answer(server: Server):
    # A proxy that says nothing, as a machine that is off does.
    said = refused(server.ssh(ProxyCommand="sleep 60", ConnectTimeout="1"))
    assert said == "pi (device): it does not answer; check that it is on and in the same network"


def test_unreachable(server: Server):
    broadcast = "255.255.255.255"
    assert "it cannot be reached" in refused(server.ssh(HostName=broadcast))


def test_an_unknown_host_key(server: Server, tmp_path: Path):
    said = refused(server.ssh(UserKnownHostsFile=str(tmp_path / "none")))
    assert said == "pi (device): its host key is not known yet; connect once by hand and accept it: ssh device"


def test_a_changed_host_key(server: Server, tmp_path: Path):
    keygen(tmp_path / "other")
    kind, key, *_ = (tmp_path / "other.pub").read_text().split()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{server.port} {kind} {key}\n")
    said = refused(server.ssh(UserKnownHostsFile=str(tmp_path / "known")))
    assert said.startswith("pi (device): its host key has changed; ")
    assert said.endswith("another machine may be intercepting the connection")


def test_a_key_that_is_not_accepted(server: Server, tmp_path: Path):
    keygen(tmp_path / "other")
    config = server.config.read_text().replace(str(server.folder / "user"), str(tmp_path / "other"))
    (tmp_path / "config").write_text(config)
    host = Ssh("pi", ALIAS, command=("ssh", "-F", str(tmp_path / "config")))
    assert refused(host) == (
        "pi (device): it accepts none of this machine's keys; install one with: ssh-copy-id device"
    )


def test_a_password_is_asked_for(tmp_path: Path):
    with serve(tmp_path, password=True) as server:
        (tmp_path / "authorized").write_text("")
        assert refused(server.ssh()) == (
            "pi (device): it asks for a password, which mnet cannot give; install a key with: ssh-copy-id device"
        )


def test_no_ssh_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused(Ssh("pi", "pi@x")) == (
        "ssh is not installed here; on Debian or Ubuntu: sudo apt install openssh-client"
    )


def test_a_connection_is_tried_again_by_the_next_call(server: Server, temporary: Path, tmp_path: Path):
    host = server.ssh(sys.executable)
    with host:
        refused(host, UsageError)
        for pid in server.connections():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not server.connections())
        assert "was lost" in refused(host)
        refused(host, UsageError)


# A device that lacks something


def test_no_python(tmp_path: Path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").symlink_to("/bin/sh")
    with serve(tmp_path, environment={"PATH": tmp_path / "bin", "HOME": tmp_path}) as server:
        assert refused(server.ssh()) == "pi has no python3; install it, or set python in the devices file"
        assert refused(server.ssh("~/none")) == "pi has no Python at ~/none; check python in the devices file"


def test_an_old_python(tmp_path: Path):
    (tmp_path / "bin").mkdir()
    # Python 3.7 would fail at none of the program, and say so by its check.
    pretend = "import sys; sys.version_info = (3, 7, 3, 'final', 0); exec(sys.argv[1])"
    python = tmp_path / "bin/python3"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c {shlex.quote(pretend)} "$2"\n')
    python.chmod(0o755)
    with serve(tmp_path, environment={"PATH": f"{tmp_path / 'bin'}:/bin", "HOME": tmp_path}) as server:
        said = refused(server.ssh())
    assert re.fullmatch(r"pi has Python 3\.7 at \S+, but at least 3\.9 is needed; .*", said)


def test_no_numpy_and_no_runtime(tmp_path: Path, model: Path):
    bare = str(tmp_path / "venv/bin/python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    found = tmp_path / "numpy-alone"
    found.mkdir()
    with serve(tmp_path, environment={"PYTHONPATH": found}) as server, server.ssh(bare) as host:
        with pytest.raises(HostError, match=r"^pi: .* has no numpy, which every runtime needs"):
            host.run(TIME, {"artifact": model}, limit_seconds=300)
        for each in Path(np.__file__).parents[1].glob("numpy*"):
            (found / each.name).symlink_to(each)
        with pytest.raises(
            HostError,
            match=r"^onnxruntime is not installed on pi; install it with: mnet setup-host pi, or on the device with",
        ):
            host.run(TIME, {"artifact": model}, limit_seconds=300)


def test_no_space(tmp_path: Path, model: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    (tmp_path / "sshd").mkdir()
    try:
        with serve(tmp_path / "sshd", environment={"TMPDIR": disk}) as server, server.ssh(sys.executable) as host:
            big = tmp_path / "big.onnx"
            big.write_bytes(b"x" * 1_000_000)
            with pytest.raises(HostError) as caught:
                host.run(TIME, {"artifact": big}, limit_seconds=300)
            assert str(caught.value) == f"pi: no space left in {disk} for the 1000000 bytes of big.onnx; free some"
            # What did fit goes on.
            assert host.run(TIME, {"artifact": model}, limit_seconds=300)["times_ns"]
            host._close()
            wait_for(lambda: not left(disk))
            (disk / "filler").write_bytes(b"x" * 450_000)
            assert refused(host).startswith(f"pi has no space left for the worker ({disk}/mnet-")
            wait_for(lambda: not left(disk))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


# A connection that ends


def test_a_worker_that_hangs(host: Ssh, model: Path, temporary: Path):
    start = time.monotonic()
    with host:
        with pytest.raises(HostError, match=r"did not answer on a 'quoted'; name\.onnx on pi within 2 s"):
            host.run(FOREVER, {"artifact": model}, limit_seconds=2)
        assert time.monotonic() - start < 300
        # Only the worker was ended: the device still answers.
        refused(host, UsageError)
    assert running(temporary) == []


def test_a_connection_dropped_in_the_middle(host: Ssh, model: Path, server: Server, temporary: Path):
    def drop() -> None:
        wait_for(lambda: running(temporary))
        for pid in server.connections():
            for each in (pid, *children(pid)):
                os.kill(each, signal.SIGKILL) if "sshd" in Path(f"/proc/{each}/comm").read_text() else None

    dropping = threading.Thread(target=drop)
    dropping.start()
    with pytest.raises(HostError, match=r"^the connection to pi was lost during a 'quoted'; name\.onnx; check"):
        host.run(FOREVER, {"artifact": model}, limit_seconds=300)
    dropping.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_mnet_that_ends_leaves_nothing_there(number: int, server: Server, host: Ssh, model: Path, temporary: Path):
    """SIGINT is Ctrl-C. A killed mnet cannot clean up, but the streams close with it."""
    program = (
        "from pathlib import Path; from mobilenet_edge.hosts.ssh import Ssh\n"
        f"host = Ssh('pi', {ALIAS!r}, {sys.executable!r}, command=('ssh', '-F', {str(server.config)!r}))\n"
        f"host.run({FOREVER!r}, {{'artifact': Path({str(model)!r})}}, limit_seconds=600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as mnet:
        wait_for(lambda: running(temporary))
        mnet.send_signal(number)
        mnet.wait(timeout=300)
    wait_for(lambda: not server.connections())
