"""Keep log messages of native code out of stdout and stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def quiet() -> Iterator[None]:
    """Discard output to file descriptor 2 while the block runs.

    TensorFlow Lite logs each new interpreter ("INFO: Created TensorFlow Lite XNNPACK delegate"), with no option to
    disable it in Python, and TensorFlow logs before its logger is configured. Errors are raised as exceptions.
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
    """Return a new stream to stdout, and redirect file descriptor 1 to stderr for all other code."""
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream
