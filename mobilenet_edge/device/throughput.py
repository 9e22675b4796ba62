"""Time several processes that run the same model at once (the modes "parallel" and "member").

Each member opens the model, warms up and says that it is ready; when all are, they are given one start time, and run
for the same duration. `time.monotonic_ns` is the same clock in all of them.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TextIO

from mobilenet_edge.device.child import Child
from mobilenet_edge.device.faults import DeviceError, RequestError
from mobilenet_edge.device.worker import READY, end_with_stdin

if TYPE_CHECKING:
    from mobilenet_edge.device.worker import Request

# From the start time being known to the start: long enough to reach every member.
LEAD_NS: Final = 100_000_000


def run(request: Request) -> dict[str, Any]:
    """Run `request.processes` members for `request.steady.seconds`.

    Returns:
        runtime, runtime_version; window_ns, the duration; members, for each the `times_ns` of its runs and
        `late_ns`, by which it missed the start. Runs that end after the window are left out. Or the {"error": …} of
        the first member that fails.

    Raises:
        DeviceError: A member ended without an answer.
        RequestError: There is no process or no time to run.
    """
    if request.processes < 1 or not request.steady.seconds > 0:
        raise RequestError("mode 'parallel' needs processes and steady.seconds above 0")
    line = json.dumps({**asdict(request), "mode": "member", "leased": False}).encode() + b"\n"
    with ExitStack() as stack:
        command = [sys.executable, sys.argv[0]]
        members = [stack.enter_context(Child(command, env=os.environ)) for _ in range(request.processes)]
        for member in members:
            member.write(line)
        for first in [member.stdout.readline() for member in members]:
            if first != READY:
                return _parse(first)
        begin = f"{time.monotonic_ns() + LEAD_NS}\n".encode()
        for member in members:
            member.write(begin)
        documents = [_parse(member.stdout.read()) for member in members]
    for document in documents:
        if "error" in document:
            return document
    return {
        "runtime": documents[0]["runtime"],
        "runtime_version": documents[0]["runtime_version"],
        "window_ns": round(request.steady.seconds * 1e9),
        "members": [{name: document[name] for name in ("times_ns", "late_ns")} for document in documents],
    }


def member(request: Request, out: TextIO) -> int:
    """Be one of several processes; the start time comes on stdin.

    Returns:
        The exit code.

    Raises:
        DeviceError: The model, its runtime or its delegate cannot be used.
    """
    from mobilenet_edge.device.measure import ready

    session, step = ready(request)
    out.buffer.write(READY)
    out.flush()
    start = sys.stdin.buffer.readline()
    if not start:
        return 1  # who asked has ended
    begin = int(start)
    threading.Thread(target=end_with_stdin, daemon=True).start()
    end = begin + round(request.steady.seconds * 1e9)
    time.sleep(max(0, begin - time.monotonic_ns()) / 1e9)
    late_ns = time.monotonic_ns() - begin
    times_ns = []
    while True:
        elapsed = step()
        if time.monotonic_ns() > end:
            break
        times_ns.append(elapsed)
    answer = {"runtime": session.runtime, "runtime_version": session.version}
    json.dump({**answer, "times_ns": times_ns, "late_ns": late_ns}, out)
    out.close()
    return 0


def _parse(data: bytes) -> dict[str, Any]:
    if not data.startswith(b"{"):
        raise DeviceError("one of the processes ended early; the machine may have run out of memory: try fewer")
    return dict(json.loads(data))
