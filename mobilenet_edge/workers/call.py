"""Call a function by its name and turn exceptions into answers."""

from __future__ import annotations

import importlib
import traceback
from typing import Any

from mobilenet_edge import files
from mobilenet_edge.errors import BuildError, MnetError
from mobilenet_edge.workers.pool import Answer, failed


def call(function: str, request: dict[str, Any]) -> Answer:
    """Call a function with a request and return its answer.

    Args:
        function: "package.module:name".
        request: The argument of the function.

    Returns:
        The answer of the function, or `pool.failed` for an expected failure. A bug is also an answer, with its
        traceback under "traceback", so that one request cannot end the work on the others.
    """
    module, _, name = function.partition(":")
    try:
        answer: Answer = getattr(importlib.import_module(module), name)(request)
    except MnetError as error:
        return failed(error)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: the answer reports the bug
        if isinstance(error, OSError) and (disk_full := files.no_room(error)):
            return failed(disk_full)
        bug = BuildError(f"this is a bug of mnet, please report it: {type(error).__name__}: {error}")
        return {**failed(bug), "traceback": traceback.format_exc()}
    return answer
