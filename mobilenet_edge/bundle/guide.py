"""Write a bundle's README: what is in it, how it is run, and what was measured of this very file."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Sequence

from mobilenet_edge import __version__, units
from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.bundle import script
from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.data import describe
from mobilenet_edge.records import Evaluation, Profile, Record
from mobilenet_edge.report.hardware import describe as describe_machine
from mobilenet_edge.report.markdown_table import Column, grid, inline

_LATENCY = (Column("machine", True), Column("runtime", True), Column("threads"), Column("median"), Column("runs"))
_ACCURACY = (Column("images", True), Column("n"), Column("top-1"), Column("95 % interval"), Column("agreement"))


def write(model: Deployment, records: Sequence[Record], name: str = "README.md.in", **further: str) -> str:
    """Write the README; of the records only those of the same file count, and `further` is what its template adds."""
    artifact = model.artifact
    return script.template(name).substitute(
        title=inline(artifact.identity()["variant"]),
        version=__version__,
        source=inline(artifact.path.name).replace("`", ""),
        format=artifact.format,
        precision=artifact.precision,
        size=units.format_bytes(artifact.size_bytes),
        sha256=artifact.sha256,
        machine=f"{sys.platform} {platform.machine()}",
        runtime=f"{model.runtime} {model.runtime_version}",
        rule=inline(describe.line(model.rule)) + ".",
        assumed="".join(f" Not known: {inline(each)}." for each in model.assumed),
        labels=f"`labels.txt` names the {len(model.names)} classes, a line each."
        if model.named
        else f"The file names no classes; `labels.txt` numbers its {len(model.names)} outputs.",
        measured=measured(artifact.sha256, records),
        **further,
    )


def measured(sha256: str, records: Iterable[Record]) -> str:
    """Write the latencies and accuracies of a file with their conditions; say where there are none."""
    own = [record for record in records if getattr(record, "sha256", None) == sha256]
    profiles = [record for record in own if isinstance(record, Profile) and unusable(record) is None]
    evaluations = [record for record in own if isinstance(record, Evaluation) and record.top1 is not None]
    tables = []
    if profiles:
        tables.append(f"Latency of one inference, without the picture:\n\n{grid(_LATENCY, [*map(_latency, profiles)])}")
    if evaluations:
        tables.append(f"Accuracy:\n\n{grid(_ACCURACY, [*map(_accuracy, evaluations)])}")
    return "\n\n".join(tables) or "Not measured: no records of this file were given to `mnet bundle --records`."


def _latency(profile: Profile) -> list[str]:
    ends = profile.interval_ms
    median = f"{profile.median_ms:.2f} ms" + (f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else "")
    runtime = f"{profile.runtime} {profile.runtime_version}"
    return [describe_machine(profile), runtime, str(profile.threads), median, str(len(profile.times_ns))]


def _accuracy(evaluation: Evaluation) -> list[str]:
    shares = [f"{end:.1%}" for end in evaluation.interval or ()]
    agreement = "" if evaluation.agreement is None else f"{evaluation.agreement:.1%}"
    return [evaluation.data, str(evaluation.n), f"{evaluation.top1:.1%}", " to ".join(shares), agreement]
