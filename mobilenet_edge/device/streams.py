"""Keep log messages of native code out of stdout and stderr."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_lock = threading.Lock()
# The descriptor that file descriptor 2 was, once for each block of `quiet` that runs, in whichever thread.
_saved: list[int] = []


@contextmanager
def quiet() -> Iterator[None]:
    """Discard output to file descriptor 2 while the block runs.

    TensorFlow Lite logs each new interpreter ("INFO: Created TensorFlow Lite XNNPACK delegate"), with no option to
    disable it in Python, and TensorFlow logs before its logger is configured. Errors are raised as exceptions. Blocks
    of several threads may overlap: the last one to end restores the descriptor.
    """
    with _lock:
        _saved.append(_saved[0] if _saved else _silence())
    try:
        yield
    finally:
        with _lock:
            stderr = _saved.pop()
            if not _saved:
                os.dup2(stderr, 2)
                os.close(stderr)


def _silence() -> int:
    """Send file descriptor 2 to nowhere, and return a copy of what it was."""
    sys.stderr.flush()
    stderr = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return stderr


def claim_stdout() -> TextIO:
    """Return a new stream to stdout, and redirect file descriptor 1 to stderr for all other code."""
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream
