"""Combine files and records into subjects: one per artifact, with all its figures."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.budget.subject import FITTED, Run, Subject
from mobilenet_edge.formats import artifact
from mobilenet_edge.hosts.devices import LOCAL
from mobilenet_edge.records import ArtifactRecord, Evaluation, Failure, Inspection, Profile, Record

Groups = dict[str, list[ArtifactRecord]]


def gather(paths: Sequence[Path], records: Iterable[Record]) -> tuple[list[Subject], list[str]]:
    """Combine model files with their records, matched by hash, and with records of other files.

    Args:
        paths: Model files.
        records: Records of all types, of these files and others.

    Returns:
        The subjects, files first, and remarks for the user.

    Raises:
        InputError: A file is missing, is not a model, or is damaged.
    """
    groups, failures = defaultdict[str, list[ArtifactRecord]](list), list[Failure]()
    for record in records:
        if isinstance(record, ArtifactRecord):
            groups[record.sha256].append(record)
        elif isinstance(record, Failure):
            failures.append(record)
    subjects = [_from_file(path, groups) for path in dict.fromkeys(paths)]
    stale = _remove_stale({subject.artifact for subject in subjects}, groups)
    subjects += [_from_records(group) for group in groups.values()]
    notes = [
        f"{path} has changed since it was measured, so its records are ignored; measure it again" for path in stale
    ]
    return _add_failures(subjects, failures), notes


def _from_file(path: Path, groups: Groups) -> Subject:
    data, metadata = artifact.metadata(path)
    records: list[ArtifactRecord] = []
    # Hashing is the slowest step, so it is done only if the size matches that of a record.
    if any(group[0].size_bytes == len(data) for group in groups.values()):
        records = groups.pop(hashlib.sha256(data).hexdigest(), [])
    if metadata is None:
        return _add_records(_from_foreign(artifact.read(path)), records)
    subject = Subject(
        str(path), metadata.variant, path.suffix.removeprefix("."), metadata.precision, metadata.target, len(data),
        metadata.macs, metadata.parameters,
        **_export_agreement(asdict(metadata.agreement) if metadata.agreement else None),
    )  # fmt: skip
    return _add_records(subject, records)


def _from_foreign(model: artifact.Artifact) -> Subject:
    variant = model.path.name.removesuffix(f".{model.format}")
    size, sections = model.size_bytes, model.contents.sections
    return Subject(str(model.path), variant, model.format, model.precision, size_bytes=size, bytes=sections)


def _from_records(group: Sequence[ArtifactRecord]) -> Subject:
    first = group[0]
    return _add_records(
        Subject(
            first.artifact, first.variant, first.format, first.precision, first.target, first.size_bytes, first.macs,
            first.parameters,
        ),
        group,
    )  # fmt: skip


def _add_records(subject: Subject, group: Sequence[ArtifactRecord]) -> Subject:
    """Add the figures of an artifact's records."""
    inspections = [record for record in group if isinstance(record, Inspection)]
    evaluations = [record for record in group if isinstance(record, Evaluation)]
    figures: dict[str, Any] = {"runs": tuple(_run(record) for record in group if isinstance(record, Profile))}
    for inspection in inspections:
        figures["bytes"] = inspection.bytes
        figures |= _export_agreement((inspection.metadata or {}).get("agreement"))
    agreements = [
        (evaluation.agreement, evaluation.n) for evaluation in evaluations if evaluation.agreement is not None
    ]
    if agreements:
        share, count = min(agreements)
        figures |= {"agreement": share, "agreement_of": f"{count} images"}
    if top1 := [evaluation.top1 for evaluation in evaluations if evaluation.top1 is not None]:
        figures["top1"] = min(top1)
    return replace(subject, **figures)


def _run(profile: Profile) -> Run:
    host = str(profile.host.get("name") or LOCAL)
    reason = unusable(profile)
    return Run(host, profile.threads, profile.median_ms, profile.peak_rss_bytes, sentence(reason) if reason else None)


def _export_agreement(agreement: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the agreement stored in the artifact; on noise it is chance, on fitted images flattery."""
    if not agreement or agreement.get("inputs", "images") != "images":
        return {}
    if not agreement.get("held_out", False):
        return {"agreement_of": FITTED}
    return {"agreement": agreement["top1"], "agreement_of": f"{agreement['count']} held-out images at export"}


def _remove_stale(paths: set[str], groups: Groups) -> list[str]:
    """Remove the records of earlier contents of the files, and return the paths of these files."""
    stale = [digest for digest, group in groups.items() if all(record.artifact in paths for record in group)]
    return list(dict.fromkeys(record.artifact for digest in stale for record in groups.pop(digest)))


def _add_failures(subjects: Sequence[Subject], failures: Sequence[Failure]) -> list[Subject]:
    """Add failures to their subjects; failures without a file become subjects without figures."""
    remaining = list(failures)
    complete = []
    for subject in subjects:
        matching = [failure for failure in remaining if _concerns(failure, subject)]
        remaining = [failure for failure in remaining if failure not in matching]
        complete.append(replace(subject, failures=_reasons(matching)))
    groups = defaultdict[Any, list[Failure]](list)
    for failure in remaining:
        groups[failure.variant, failure.format, failure.precision].append(failure)
    return complete + [_from_failures(group) for group in groups.values()]


def _from_failures(group: Sequence[Failure]) -> Subject:
    first, reasons = group[0], _reasons(group)
    return Subject(first.artifact or first.variant, first.variant, first.format, first.precision, failures=reasons)


def _reasons(failures: Sequence[Failure]) -> tuple[str, ...]:
    return tuple(f"{failure.stage} failed: {failure.reason}" for failure in failures)


def _concerns(failure: Failure, subject: Subject) -> bool:
    if failure.artifact is not None and failure.artifact == subject.artifact:
        return True
    same = (failure.variant, failure.format, failure.precision) == (subject.variant, subject.format, subject.precision)
    return failure.artifact is None and same
