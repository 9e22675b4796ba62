"""JSON from outside, held to what RFC 8259 calls interoperable, so that what is read can be computed with and written.

Python's own parser takes more: NaN, 1e400 as infinity, integers that no double holds, and half a character (a lone
surrogate), which no file takes.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

_DIGITS: Final = 20
_LEAST, _MOST = -(1 << 63), (1 << 64) - 1


def loads(text: str | bytes) -> Any:
    """Parse JSON; bytes are UTF-8.

    Raises:
        ValueError: It is not JSON, or holds a number that neither a double nor 64 bits hold, or half a character.
        RecursionError: It is nested too deeply.
    """
    held = text.decode("utf-8") if isinstance(text, bytes) else text
    value = json.loads(held, parse_constant=_refuse, parse_float=_float, parse_int=_int)
    if "\\u" in held:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("half a character, which cannot be written") from error
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number of JSON")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text:.20} is beyond what a number can be")
    return value


def _int(text: str) -> int:
    # Converting takes the square of the digits.
    value = int(text) if len(text) <= _DIGITS else None
    if value is None or not _LEAST <= value <= _MOST:
        raise ValueError(f"{text:.20} is beyond what a number can be")
    return value
