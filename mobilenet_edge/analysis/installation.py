"""Check what is installed on a machine: Python, numpy, runtimes, the Edge TPU library and extras."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mobilenet_edge.analysis.finding import FAIL, OK, WARN, Finding
from mobilenet_edge.hosts.devices import LOCAL

# All three runtimes have wheels for such a system.
ELSEWHERE: Final = "use a 64-bit system with Python 3.11 and glibc 2.34 or newer, such as Debian 12"
CORAL: Final = "install libedgetpu1-std from Coral's package repository (https://coral.ai/docs); it is not on PyPI"
Facts = Mapping[str, Any]


def formats(facts: Facts) -> tuple[str, ...]:
    """List the formats ("tflite", "onnx") that the machine can run."""
    runtimes = filter(_is_automatic, facts["runtimes"].values())
    return tuple(dict.fromkeys(runtime["format"] for runtime in runtimes if _works(runtime)))


def check_python(facts: Facts) -> Iterator[Finding]:
    """Check the version and the word size of Python."""
    version = ".".join(str(part) for part in facts["python"])
    fact = f"{version}, {facts['bits']}-bit, on {facts['host'].get('machine', 'an unknown CPU')}: {facts['executable']}"
    if facts["bits"] < 64:
        yield Finding("python", WARN, fact, "install a 64-bit system: it has more and faster runtimes")
    else:
        yield Finding("python", OK, fact)


def check_numpy(facts: Facts, host: str) -> Iterator[Finding]:
    """Check numpy, which every runtime needs."""
    numpy = facts["numpy"]
    if not numpy["installed"]:
        # The runtime's requirement selects a numpy version that the runtime supports.
        offered = any(_offered(runtime) for runtime in facts["runtimes"].values())
        line = "install a runtime as below; it installs numpy too" if offered else pip("numpy", facts, host)
        yield Finding("numpy", FAIL, "not installed, and every runtime needs it", line)
    elif numpy["error"]:
        line = pip("numpy", facts, host, reinstall=True)
        yield Finding("numpy", FAIL, f"does not load: {_reason(numpy['error'])}", line)
    else:
        yield Finding("numpy", OK, numpy["version"])


def check_runtimes(facts: Facts, host: str) -> Iterator[Finding]:
    """Check each runtime, then whether each format has a runtime."""
    groups: dict[str, list[tuple[str, Facts]]] = {}
    for name, runtime in facts["runtimes"].items():
        groups.setdefault(runtime["format"], []).append((name, runtime))
    for group in groups.values():
        runtimes = [runtime for _, runtime in group if _is_automatic(runtime)]
        yield from (_runtime(name, runtime, runtimes, facts, host) for name, runtime in group)
    for format_, group in groups.items():
        yield _format(format_, [runtime for _, runtime in group if _is_automatic(runtime)], formats(facts))


def check_edge_tpu(facts: Facts) -> Iterator[Finding]:
    """Check for an Edge TPU and its library; having neither is fine."""
    buses = " and ".join({"usb": "USB", "pci": "PCIe"}.get(bus, bus) for bus in facts["edge_tpus"])
    device = f"a device on {buses}" if buses else "no device"
    if facts["delegates"]:
        yield Finding("edge tpu", OK, f"{device}; libedgetpu: {', '.join(facts['delegates'])}")
    elif buses:
        yield Finding("edge tpu", WARN, f"{device}, but no libedgetpu in the system's folders", CORAL)
    else:
        yield Finding("edge tpu", OK, "no device, no libedgetpu")


def check_extras(missing: Mapping[str, Sequence[str]], facts: Facts) -> Iterator[Finding]:
    """Check the extras of mobilenet-edge, which only a workstation needs.

    Args:
        missing: Packages that are not installed, by extra.
        facts: Facts of the machine.
    """
    commands = {"build": "build, export and sweep need", "images": "commands that read images need"}
    for extra, packages in missing.items():
        needs = commands.get(extra, f"{extra} needs")
        if not packages:
            yield Finding(f"[{extra}]", OK, "installed")
        elif extra == "build" and "board" in facts["host"]:
            yield Finding(f"[{extra}]", OK, f"not installed; {needs} it, but on a workstation")
        else:
            fact = f"not installed, but {needs} it: {', '.join(packages)}"
            yield Finding(f"[{extra}]", WARN, fact, pip(f"mobilenet-edge[{extra}]", facts, LOCAL))


def pip(requirement: str, facts: Facts, host: str, *, reinstall: bool = False) -> str:
    """Return the command line that installs a requirement on a machine.

    Args:
        requirement: Arguments of pip, quoted for a shell.
        facts: Facts of the machine.
        host: Name of the machine.
        reinstall: Replace an installed version.
    """
    python = shlex.quote(facts["executable"])
    arguments = shlex.join((["--force-reinstall"] if reinstall else []) + shlex.split(requirement))
    where = "" if host == LOCAL else f"on {host}: "
    if not facts["venv"] and (facts["managed"] or not facts["pip"]):
        return f"{where}sudo apt install python3-venv; then {_environment(arguments, python, host)}"
    if facts["managed"]:
        return _environment(arguments, python, host)
    ensurepip = "" if facts["pip"] else f"{python} -m ensurepip && "
    return f"{where}{ensurepip}{python} -m pip install {arguments}"


def _environment(arguments: str, python: str, host: str) -> str:
    # The Python of Debian refuses pip (PEP 668) or has none.
    if host != LOCAL:
        return f"mnet setup-host {shlex.quote(host)}"
    return f"{python} -m venv .venv, install mobilenet-edge there, and: .venv/bin/python -m pip install {arguments}"


def _runtime(name: str, runtime: Facts, group: Sequence[Facts], facts: Facts, host: str) -> Finding:
    working, offer = _first(group, _works), _first(group, _offered)
    if _works(runtime):
        providers = runtime.get("providers")
        return Finding(name, OK, runtime["version"] + (f"; --provider {', '.join(providers)}" if providers else ""))
    if runtime["installed"]:
        # "auto" selects the first installed runtime, whether it works or not.
        status = FAIL if runtime is _first(group, lambda other: other["installed"]) else WARN
        return Finding(name, status, f"does not load: {_reason(runtime['error'])}", _repair(runtime, facts, host))
    if working is not None:
        return Finding(name, OK, f"not installed; {working['title']} opens .{runtime['format']} files")
    if runtime is offer:
        return Finding(name, WARN, "not installed", pip(runtime["requirement"], facts, host))
    if offer is not None:
        return Finding(name, OK, f"not installed; {offer['title']} would open .{runtime['format']} files")
    return Finding(name, WARN, f"not installed, and it has no wheel for {facts['system']}", ELSEWHERE)


def _repair(runtime: Facts, facts: Facts, host: str) -> str:
    if runtime["requirement"] is None:
        return f"it has no wheel for {facts['system']}; {ELSEWHERE}"
    if "illegal instruction" in runtime["error"]:
        return "it was built for a newer CPU; install an older version"
    return pip(runtime["requirement"], facts, host, reinstall=True)


def _format(format_: str, group: Sequence[Facts], runnable: Sequence[str]) -> Finding:
    working, offer = _first(group, _works), _first(group, _offered)
    subject = f".{format_} files"
    if working is not None:
        return Finding(subject, OK, f"opened by {working['title']} {working['version']}")
    fact, status = "no runtime opens them", WARN if runnable else FAIL
    if any(runtime["installed"] for runtime in group):
        return Finding(subject, status, fact, "repair the runtime above")
    if offer is not None:
        return Finding(subject, status, fact, f"install {offer['title']} as above")
    next_ = f"export to .{runnable[0]}" if runnable else ELSEWHERE
    return Finding(subject, status, f"{fact}, and none can be installed", next_)


def _is_automatic(runtime: Facts) -> bool:
    # Workers of older versions do not say.
    return bool(runtime.get("automatic", True))


def _works(runtime: Facts) -> bool:
    return bool(runtime["installed"]) and runtime["error"] is None


def _offered(runtime: Facts) -> bool:
    return not runtime["installed"] and runtime["requirement"] is not None


def _first(group: Sequence[Facts], fits: Any) -> Facts | None:
    return next((runtime for runtime in group if fits(runtime)), None)


def _reason(error: str) -> str:
    # Drop the advice of `mnet profile`, which the finding's next step replaces.
    return error.partition("; ")[0]
