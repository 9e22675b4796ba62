"""The first program on another machine: it takes the payload in and hands over to `mobilenet_edge.device.agent`.

It goes as an argument of `python -c`, since stdin is for the payload. Its syntax is that of Python 2.7 and 3 alike, so
that an old Python can say that it is too old.
"""

from __future__ import annotations

import base64
import shlex
from typing import Final

from mobilenet_edge.hosts import payload

# Before each line that is meant for us: login scripts print to the same stream.
MARK: Final = "mobilenet-edge: "
OLDEST: Final = (3, 9)
# Where `mnet setup-host` puts a Python with the runtimes; device/setup.py makes it.
VENV: Final = ".local/share/mobilenet-edge/venv"
PROGRAM: Final = """
import errno, hashlib, json, os, shutil, signal, sys, tempfile
MARK, OLDEST, SIZE, SHA256 = {mark!r}, {oldest!r}, {size!r}, {sha256!r}
def say(**document):
    os.write(1, ("\\n" + MARK + json.dumps(document) + "\\n").encode("ascii"))
def refuse(kind, reason):
    say(refused=kind, reason=str(reason), executable=sys.executable)
    sys.exit(0)
def take():
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
if sys.version_info[:2] < OLDEST:
    refuse("old", "%d.%d" % sys.version_info[:2])
for each in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, stop)
try:
    folder = tempfile.mkdtemp(prefix="mnet-")
except OSError as error:
    refuse("folder", error.strerror or error)
try:
    data = take()
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
# $1 is the user's choice of Python, or empty; $2 the program. `exec`, so that no shell stands between ssh and it.
CHOOSE: Final = (
    'p=$1; case "$p" in '
    f'"") p=$HOME/{VENV}/bin/python; test -x "$p" || p=python3;; '
    '"~/"*) p=$HOME/${p#"~/"};; '
    'esac; exec "$p" -c "$2"'
)


def program() -> str:
    """Return the program, made for the payload that will follow it on stdin."""
    return PROGRAM.format(
        mark=MARK, oldest=OLDEST, size=len(payload.pack()), sha256=payload.digest(), name=payload.NAME
    )


def code() -> str:
    """Return the program as one line of Python without anything that a shell could take for its own.

    The empty entry of the path, where the current folder's files would be imported from, goes first of all.
    """
    packed = base64.b64encode(program().encode()).decode()
    return f'import sys;sys.path=[p for p in sys.path if p];import base64;exec(base64.b64decode("{packed}"))'


def command(python: str | None = None) -> str:
    """Return the line for the other machine's login shell, whichever that is.

    Args:
        python: Path of the Python there, `~/` standing for the home; None for that of `mnet setup-host`, or else
            `python3`.
    """
    return " ".join(("exec sh -c", *map(shlex.quote, (CHOOSE, "sh", python or "", code()))))
