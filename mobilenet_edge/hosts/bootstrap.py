"""Build the first program on another machine, which receives the payload and starts `mobilenet_edge.device.agent`.

The program is an argument of `python -c`, because stdin carries the payload. Its syntax is valid in Python 2.7 and 3,
so that an old Python can report that it is too old.
"""

from __future__ import annotations

import base64
import shlex
from typing import Final

from mobilenet_edge.hosts import payload

# Prefix of each message, because login scripts may print to the same stream.
MARK: Final = "mobilenet-edge: "
OLDEST_PYTHON: Final = (3, 9)
# The environment that `mnet setup-host` creates, with device/setup.py.
VENV: Final = ".local/share/mobilenet-edge/venv"
PROGRAM: Final = """
import errno, hashlib, json, os, shutil, signal, sys, tempfile
MARK, OLDEST_PYTHON, SIZE, SHA256 = {mark!r}, {oldest!r}, {size!r}, {sha256!r}
def send(**document):
    os.write(1, ("\\n" + MARK + json.dumps(document) + "\\n").encode("ascii"))
def refuse(kind, reason):
    send(refused=kind, reason=str(reason), executable=sys.executable)
    sys.exit(0)
def receive():
    parts, left = [], SIZE
    while left:
        part = os.read(0, min(left, 65536))
        if not part:
            sys.exit(1)
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
def stop(*_):
    sys.exit(1)
if sys.version_info[:2] < OLDEST_PYTHON:
    refuse("old", "%d.%d" % sys.version_info[:2])
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, stop)
try:
    folder = tempfile.mkdtemp(prefix="mnet-")
except OSError as error:
    refuse("folder", error.strerror or error)
try:
    data = receive()
    if hashlib.sha256(data).hexdigest() != SHA256:
        refuse("garbled", "")
    file = os.path.join(folder, {name!r})
    try:
        with open(file, "wb") as out:
            out.write(data)
    except OSError as error:
        refuse("space" if error.errno == errno.ENOSPC else "folder", "%s: %s" % (folder, error.strerror))
    sys.path.insert(0, file)
    from mobilenet_edge.device import agent
    agent.serve(folder, file, MARK)
finally:
    shutil.rmtree(folder, ignore_errors=True)
"""
# $1 is the configured Python, or empty; $2 is the program. `exec` replaces the shell, so that ssh ends Python itself.
RUN_PYTHON: Final = (
    'p=$1; case "$p" in '
    f'"") p=$HOME/{VENV}/bin/python; test -x "$p" || p=python3;; '
    '"~/"*) p=$HOME/${p#"~/"};; '
    'esac; exec "$p" -c "$2"'
)


def program() -> str:
    """Return the program for the payload that follows on stdin."""
    return PROGRAM.format(
        mark=MARK, oldest=OLDEST_PYTHON, size=len(payload.pack()), sha256=payload.digest(), name=payload.NAME
    )


def code() -> str:
    """Return the program as one line of Python without special characters of a shell.

    It first removes the empty entry of the path, so that nothing is imported from the current folder.
    """
    packed = base64.b64encode(program().encode()).decode()
    return f'import sys;sys.path=[p for p in sys.path if p];import base64;exec(base64.b64decode("{packed}"))'


def command(python: str | None = None) -> str:
    """Return the command line for the login shell of the other machine, whichever shell that is.

    Args:
        python: Path of Python on that machine, which may start with `~/`; None for that of `mnet setup-host`, or else
            `python3`.
    """
    return " ".join(("exec sh -c", *map(shlex.quote, (RUN_PYTHON, "sh", python or "", code()))))
