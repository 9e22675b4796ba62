"""Keep the log of native code out of stdout and stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def quiet() -> Iterator[None]:
    """Discard what is written to file descriptor 2 while the block runs.

    TensorFlow Lite logs each new interpreter ("INFO: Created TensorFlow Lite XNNPACK delegate") and has no switch for
    it in Python. TensorFlow logs before its logger is set up. Errors come as exceptions, so nothing is lost.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def claim_stdout() -> TextIO:
    """Return a private stream to stdout, and point file descriptor 1 at stderr for everybody else."""
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream
