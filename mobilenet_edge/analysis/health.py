"""Judge the health of a machine for `mnet doctor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mobilenet_edge.analysis import installation, machine_state
from mobilenet_edge.analysis.finding import Finding
from mobilenet_edge.errors import MissingExtraError


@dataclass(frozen=True)
class Report:
    """Health of one machine.

    Attributes:
        host: Name of the machine.
        facts: Document of the worker's mode "doctor", or None if the machine did not answer.
        findings: Findings from the facts; empty if there are none.
        failure: Reason why the machine did not answer, or None.
        exit_code: 0 if the machine can run at least one format, 4 if it cannot, or the exit code of the failure.
    """

    host: str
    facts: Mapping[str, Any] | None
    findings: tuple[Finding, ...]
    failure: str | None
    exit_code: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "host": self.host,
            "exit_code": self.exit_code,
            "failure": self.failure,
            "findings": [finding.to_dict() for finding in self.findings],
            "facts": self.facts,
        }


def judge(
    facts: Mapping[str, Any],
    *,
    host: str,
    local_ns: tuple[int, int],
    missing: Mapping[str, Sequence[str]] | None = None,
) -> Report:
    """Judge a machine that answered.

    Args:
        facts: Document of the worker's mode "doctor".
        host: Name of the machine; "local" for this one.
        local_ns: This machine's clock before the request and after the answer, in ns since 1970.
        missing: Packages that are not installed, by extra of mobilenet-edge; only for this machine.
    """
    findings = (
        *installation.check_python(facts),
        *machine_state.check_cpu(facts),
        *installation.check_numpy(facts, host),
        *installation.check_runtimes(facts, host),
        *installation.check_edge_tpu(facts),
        *machine_state.check_throttling(facts, host),
        *machine_state.check_space(facts),
        *machine_state.check_clock(facts, host, local_ns),
        *machine_state.check_workers(facts),
        *installation.check_extras(missing or {}, facts),
    )
    return Report(host, facts, findings, None, 0 if installation.formats(facts) else MissingExtraError.exit_code)


def unreachable(host: str, failure: Exception, exit_code: int) -> Report:
    """Report a machine that did not answer."""
    return Report(host, None, (), str(failure), exit_code)
