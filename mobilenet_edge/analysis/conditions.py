"""Compare the conditions of two latencies, which must agree before the latencies are compared."""

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
    "affinity": "CPUs it was held to",
    "inputs": "inputs",
    "preprocess": "preprocessing",
    "rate_per_s": "runs a second",
    "sustain_seconds": "sustained seconds",
}
_DELEGATE: Final = ("path", "options", "kind")


def differences(one: Profile, other: Profile) -> list[str]:
    """Name every condition in which two profiles differ, each as "name: this against that"; empty where none.

    The runtime is no condition between files of two formats, of which each has its own.
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
    """Return why a latency must not be compared, None where it may."""
    if profile.invalid is not None:
        return profile.invalid
    emulator = profile.host.get("emulated")
    return Remark("emulated", emulator=emulator) if emulator else None


def _key(field: str, key: str) -> Callable[[Profile], Any]:
    def get(profile: Profile) -> Any:
        value = getattr(profile, field).get(key)
        # A list read from JSON is what was a tuple when it was measured.
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
