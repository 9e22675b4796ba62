"""Keeping the native chatter of runtimes away from the two streams that mean something."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def quiet() -> Iterator[None]:
    """Send file descriptor 2 nowhere while the block runs.

    TensorFlow Lite logs each new interpreter ("INFO: Created TensorFlow Lite XNNPACK delegate") and has no switch for
    it in Python. What went wrong comes as an exception, so nothing is lost.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def claim_stdout() -> TextIO:
    """Return a stream of its own to stdout, and point file descriptor 1 at stderr for everybody else."""
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own
