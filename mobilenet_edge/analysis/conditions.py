"""Check whether two latencies were measured under the same conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mobilenet_edge.records import Profile
from mobilenet_edge.records.remark import Remark

_HOST: Final[Mapping[str, str]] = {
    "name": "machine", "board": "board", "cpu": "CPU", "cores": "cores", "machine": "architecture",
    "isa": "instruction sets", "os": "system", "governor": "governor",
}  # fmt: skip
_CONDITIONS: Final[Mapping[str, str]] = {
    "affinity": "CPU affinity",
    "inputs": "inputs",
    "preprocess": "preprocessing",
    "rate_per_s": "runs a second",
    "sustain_seconds": "sustained seconds",
}
_DELEGATE: Final = ("path", "options", "kind")


def differences(one: Profile, other: Profile) -> list[str]:
    """List the conditions in which two profiles differ.

    The runtime is compared only within one format, because each format has its own runtimes.

    Returns:
        One "name: value against value" for each difference; empty if the conditions are the same.
    """
    getters: dict[str, Callable[[Profile], Any]] = {
        **{title: _key("host", key) for key, title in _HOST.items()},
        "threads": lambda profile: profile.threads,
        **({"runtime": _runtime} if one.format == other.format else {}),
        "delegate": _delegate,
        **{title: _key("conditions", key) for key, title in _CONDITIONS.items()},
    }
    pairs = {title: (get(one), get(other)) for title, get in getters.items()}
    return [f"{title}: {_text(a)} against {_text(b)}" for title, (a, b) in pairs.items() if a != b]


def unusable(profile: Profile) -> Remark | None:
    """Return the reason not to compare a latency, or None if it can be compared."""
    if profile.invalid is not None:
        return profile.invalid
    emulator = profile.host.get("emulated")
    return Remark("emulated", emulator=emulator) if emulator else None


def _key(field: str, key: str) -> Callable[[Profile], Any]:
    def get(profile: Profile) -> Any:
        value = getattr(profile, field).get(key)
        # JSON turns tuples into lists.
        return tuple(value) if isinstance(value, list) else value

    return get


def _runtime(profile: Profile) -> str:
    return f"{profile.runtime} {profile.runtime_version}"


def _delegate(profile: Profile) -> tuple[Any, ...] | None:
    return None if profile.delegate is None else tuple(profile.delegate.get(key) for key in _DELEGATE)


def _text(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value if part)
    return str(value)
