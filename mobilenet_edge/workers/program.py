"""Answer requests in a process of a pool: lines of JSON on stdin are requests, lines of JSON on stdout the answers.

    python -m mobilenet_edge.workers.program FUNCTION CPU,CPU,...

The process ends when its stdin closes, so it never outlives the `mnet` that started it.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading

from mobilenet_edge.workers.call import call


def main(function: str, cpus: str) -> None:
    """Answer requests until stdin closes."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of libraries goes to stderr
    if hasattr(os, "sched_setaffinity"):
        # Libraries choose their number of threads by this, so that the processes share the CPUs.
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    while True:
        answer = call(function, json.loads(requests.get()))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _read(requests: queue.SimpleQueue[str]) -> None:
    """Queue the lines of stdin, and end the process at once when stdin closes."""
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
