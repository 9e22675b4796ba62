"""Calling a function by its name, here or in another process."""

from __future__ import annotations

import importlib
import traceback
from typing import Any

from mobilenet_edge import files
from mobilenet_edge.errors import BuildError, MnetError
from mobilenet_edge.workers.pool import Answer, failed


def call(function: str, request: dict[str, Any]) -> Answer:
    """Answer one request.

    Args:
        function: "package.module:name".
        request: What it is called with.

    Returns:
        What it returned; for an expected failure `jobs.failed`. A bug is one too, with its traceback under
        "traceback", so that one request cannot end the work on the others.
    """
    module, _, name = function.partition(":")
    try:
        answer: Answer = getattr(importlib.import_module(module), name)(request)
    except MnetError as error:
        return failed(error)
    except Exception as error:  # noqa: BLE001 - a boundary of processes: told, kept and counted as a failure
        if isinstance(error, OSError) and (full := files.no_room(error)):
            return failed(full)
        told = BuildError(f"this is a bug of mnet, please report it: {type(error).__name__}: {error}")
        return {**failed(told), "traceback": traceback.format_exc()}
    return answer
