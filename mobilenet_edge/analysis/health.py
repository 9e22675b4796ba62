"""What `mnet doctor` makes of a machine's facts: a list of findings, and whether anything can run there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mobilenet_edge.analysis import installation, machine_state
from mobilenet_edge.analysis.finding import Finding
from mobilenet_edge.errors import MissingExtraError


@dataclass(frozen=True)
class Report:
    """One machine.

    Attributes:
        host: What the user calls it.
        facts: The document of the worker's mode "doctor"; None where it could not be had.
        findings: What they mean; empty likewise.
        failure: Why it could not be had; None where it was.
        exit_code: What the command ends with: 0 where the machine can run something, 4 where it cannot, and that of
            the failure.
    """

    host: str
    facts: Mapping[str, Any] | None
    findings: tuple[Finding, ...]
    failure: str | None
    exit_code: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON takes them."""
        return {
            "host": self.host,
            "exit_code": self.exit_code,
            "failure": self.failure,
            "findings": [each.to_dict() for each in self.findings],
            "facts": self.facts,
        }


def judge(
    facts: Mapping[str, Any],
    *,
    host: str,
    asked: tuple[int, int],
    lacking: Mapping[str, Sequence[str]] | None = None,
) -> Report:
    """Judge a machine that answered.

    Args:
        facts: The document of the worker's mode "doctor".
        host: What the user calls it; "local" for this machine.
        asked: This machine's clock before the question and after the answer, in ns since 1970.
        lacking: Extra of mobilenet-edge to the packages of it that are not installed; of this machine alone.
    """
    findings = (
        *installation.of_python(facts),
        *machine_state.of_cpu(facts),
        *installation.of_numpy(facts, host),
        *installation.of_runtimes(facts, host),
        *installation.of_edge_tpu(facts),
        *machine_state.of_speed(facts, host),
        *machine_state.of_room(facts),
        *machine_state.of_time(facts, host, asked),
        *machine_state.of_workers(facts),
        *installation.of_extras(lacking or {}, facts),
    )
    return Report(host, facts, findings, None, 0 if installation.formats(facts) else MissingExtraError.exit_code)


def unreached(host: str, failure: Exception, exit_code: int) -> Report:
    """Report a machine that did not answer."""
    return Report(host, None, (), str(failure), exit_code)
