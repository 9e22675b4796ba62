"""Parse untrusted JSON strictly, within the limits that RFC 8259 calls interoperable.

Python's parser accepts more: NaN, 1e400 as infinity, integers of any size, and lone surrogates, which cannot be written
to a file.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

_MAX_DIGITS: Final = 20
_MIN_INT, _MAX_INT = -(1 << 63), (1 << 64) - 1


def loads(text: str | bytes) -> Any:
    """Parse JSON.

    Args:
        text: JSON as a string or as UTF-8 bytes.

    Raises:
        ValueError: The text is not JSON, or has a number beyond a double or 64 bits, or a lone surrogate.
        RecursionError: The text is nested too deeply.
    """
    decoded = text.decode("utf-8") if isinstance(text, bytes) else text
    value = json.loads(decoded, parse_constant=_refuse, parse_float=_float, parse_int=_int)
    if "\\u" in decoded:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("a lone surrogate, which cannot be written as UTF-8") from error
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text:.20} is out of range for a double")
    return value


def _int(text: str) -> int:
    # Conversion takes quadratic time in the number of digits.
    value = int(text) if len(text) <= _MAX_DIGITS else None
    if value is None or not _MIN_INT <= value <= _MAX_INT:
        raise ValueError(f"{text:.20} is out of range for a 64-bit integer")
    return value
