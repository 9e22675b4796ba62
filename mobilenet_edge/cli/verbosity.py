"""Show more or less on stderr than usual: the options -q and -v of every verb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mobilenet_edge import progress
from mobilenet_edge.text import printable

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


def is_quiet() -> bool:
    """Return whether the running verb was given -q."""
    return _quiet.get()


def quiet(context: Any, parameter: object, value: bool) -> None:
    """Hide progress and remarks until the verb ends, if `value` is true."""
    if value:
        context.with_resource(_hidden())


def verbose(context: Any, parameter: object, value: bool) -> None:
    """Show what the package logs until the verb ends, if `value` is true."""
    if value:
        context.with_resource(_shown())


@contextmanager
def _hidden() -> Iterator[None]:
    token = _quiet.set(True)
    try:
        with progress.report_to(lambda *_: None):
            yield
    finally:
        _quiet.reset(token)


@contextmanager
def _shown() -> Iterator[None]:
    import logging
    import sys

    class Printable(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return printable(super().format(record))

    logger, handler = logging.getLogger("mobilenet_edge"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(Printable())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
