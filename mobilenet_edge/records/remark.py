"""Remarks about a result as data: a code and its values.

`analysis.wording` turns them into sentences for display, so that better wording applies to old records too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

TEXT: Final = "text"

Scalar = str | int | float | bool | None
Value = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, init=False)
class Remark:
    """Doubt, note or other remark, such as `Remark("times-vary", spread=0.14)`.

    Attributes:
        code: Identifier of the sentence, such as "times-vary"; docs/records.md lists the codes.
        values: Values in the sentence. Fractions are from 0 to 1; other units are part of the names.

    Raises:
        TypeError: A value is not a string, number, boolean, None, or a list of these.
    """

    code: str
    values: Mapping[str, Value]

    def __init__(self, code: str, /, **values: Any) -> None:
        frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        for name, value in (("code", code), *frozen.items()):
            if not _fits(value) or (name == "code" and not isinstance(value, str)):
                raise TypeError(f"{name} of a remark cannot be {value!r:.60}")
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "values", frozen)

    @classmethod
    def load(cls, value: Any) -> Self:
        """Create a remark from the JSON of `to_dict`, or from a sentence of schema version 1.

        Raises:
            TypeError: The value is neither.
        """
        if isinstance(value, str) and value:
            return cls(TEXT, text=value)
        if not isinstance(value, dict) or "code" not in value:
            raise TypeError(f"a remark cannot be {value!r:.60}")
        return cls(value["code"], **{name: entry for name, entry in value.items() if name != "code"})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object with the code and the values."""
        return {"code": self.code, **self.values}


def _fits(value: Any) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    return all(part is None or isinstance(part, (str, int, float)) for part in parts)
