"""One process of a pool: lines of JSON on stdin are requests, lines of JSON on stdout the answers, in order.

    python -m mobilenet_edge.workers.program FUNCTION CPU,CPU,...

It lives for as long as its stdin is open, so none outlives the `mnet` that started it, however that ended.
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
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    if hasattr(os, "sched_setaffinity"):
        # Every library counts its threads by this, so the pool's processes share the cores without a setting.
        os.sched_setaffinity(0, {int(each) for each in cpus.split(",")})
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    while True:
        answer = call(function, json.loads(requests.get()))
        own.write(json.dumps(answer) + "\n")
        own.flush()


def _read(requests: queue.SimpleQueue[str]) -> None:
    """Pass lines on; at the end of stdin end everything at once, whatever is at work."""
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
