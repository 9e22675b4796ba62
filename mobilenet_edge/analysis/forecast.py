"""Predict the latency of artifacts from profiles of others on the same machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mobilenet_edge import schema
from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.analysis.predict import MIN_MODELS, Model
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Prediction, Profile

# Host facts that change during a measurement, which a prediction does not carry.
_VARYING: Final = ("before", "after")
# Half width of a 95 % interval of a normal distribution, in standard deviations.
NORMAL_95: Final = 1.96


@dataclass(frozen=True)
class Query:
    """Artifact whose latency is to be predicted.

    Attributes:
        identity: Identity from `formats.artifact.Artifact.identity`.
        host: Name of the machine.
        threads: Number of intra-op threads.
    """

    identity: Mapping[str, Any]
    host: str
    threads: int


def forecast(profiles: Sequence[Profile], queries: Iterable[Query]) -> list[Prediction | str]:
    """Predict the latency of artifacts that were not profiled.

    A prediction uses the profiles with the same machine, threads, format, precision and target: these run the same
    kernels, and only the shapes of the layers differ.

    Args:
        profiles: Profiles to predict from.
        queries: Artifacts to predict.

    Returns:
        For each query, in order, a prediction, or the reason why there is none.
    """
    models: dict[tuple[Any, ...], tuple[list[Profile], Model | str]] = {}
    predictions: list[Prediction | str] = []
    for query in queries:
        key = query.host, query.threads, *(query.identity[name] for name in ("format", "precision", "target"))
        if key not in models:
            matching = [profile for profile in profiles if _key(profile) == key]
            models[key] = matching, _model(matching)
        predictions.append(_predict(query, *models[key]))
    return predictions


def _key(profile: Profile) -> tuple[Any, ...]:
    return profile.host.get("name"), profile.threads, profile.format, profile.precision, profile.target


def _model(profiles: Sequence[Profile]) -> Model | str:
    """Fit a model, or return the reason why there is none."""
    if any(profile.delegate for profile in profiles):
        return "latency on a delegate cannot be predicted; measure it with mnet profile"
    usable = [profile for profile in profiles if profile.spec and unusable(profile) is None]
    by_spec = {schema.from_dict(ModelSpec, profile.spec): profile for profile in usable if profile.spec}
    if len(by_spec) < MIN_MODELS:
        return (
            f"only {len(by_spec)} models of the same format, precision and target have a usable latency; "
            f"measure at least {MIN_MODELS}"
        )
    medians = tuple(profile.median_ms for profile in by_spec.values())
    return Model(usable[0].precision, tuple(by_spec), medians, tuple(map(_noise, by_spec.values())))


def _noise(profile: Profile) -> float:
    """Return the relative standard error of the median, or the spread of the runs if there are too few for it."""
    interval = profile.interval_ms
    return (interval[1] - interval[0]) / (2 * NORMAL_95 * profile.median_ms) if interval else profile.spread


def _predict(query: Query, profiles: Sequence[Profile], model: Model | str) -> Prediction | str:
    if isinstance(model, str):
        return model
    spec = query.identity.get("spec")
    estimate = model.predict(schema.from_dict(ModelSpec, spec)) if spec else None
    if estimate is None:
        return "it lies outside the measured models, so its latency cannot be predicted; measure it with mnet profile"
    reference = profiles[0]
    return Prediction(
        **query.identity,
        runtime=reference.runtime,
        runtime_version=reference.runtime_version,
        threads=query.threads,
        predicted_ms=estimate.ms,
        low_ms=estimate.low_ms,
        high_ms=estimate.high_ms,
        measured=len(model.specs),
        error=model.error,
        host={name: fact for name, fact in reference.host.items() if name not in _VARYING},
        conditions={"affinity": reference.conditions.get("affinity")},
    )
