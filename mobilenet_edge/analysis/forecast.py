"""From profiles of a few artifacts to predictions of the others on the same machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mobilenet_edge import schema
from mobilenet_edge.analysis.conditions import unusable
from mobilenet_edge.analysis.predict import FEWEST, Model
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Prediction, Profile

# What moves while a machine is measured, which is no fact of a prediction.
MOMENTS: Final = ("before", "after")
# Standard deviations on either side that hold 95 % of a normal distribution.
NORMAL: Final = 1.96


@dataclass(frozen=True)
class Wanted:
    """An artifact that was not measured.

    Attributes:
        identity: As every record begins with, of `artifact.Artifact.identity`.
        host: Name of the machine.
        threads: Within one inference.
    """

    identity: Mapping[str, Any]
    host: str
    threads: int


def forecast(profiles: Sequence[Profile], wanted: Iterable[Wanted]) -> list[Prediction | str]:
    """Predict the latency of artifacts, each from the profiles of its own sort on its own machine.

    Artifacts are of one sort where format, precision and target are the same: then so are the kernels, and only the
    layers' shapes differ.

    Args:
        profiles: What was measured.
        wanted: What was not.

    Returns:
        For each of these, in order, a prediction, or why there is none.
    """
    models: dict[tuple[Any, ...], tuple[list[Profile], Model | str]] = {}
    found: list[Prediction | str] = []
    for each in wanted:
        key = each.host, each.threads, *(each.identity[name] for name in ("format", "precision", "target"))
        if key not in models:
            own = [profile for profile in profiles if _key(profile) == key]
            models[key] = own, _model(own)
        found.append(_predict(each, *models[key]))
    return found


def _key(profile: Profile) -> tuple[Any, ...]:
    return profile.host.get("name"), profile.threads, profile.format, profile.precision, profile.target


def _model(profiles: Sequence[Profile]) -> Model | str:
    """Fit a model, or say why none can be."""
    if any(profile.delegate for profile in profiles):
        return "latency on a delegate cannot be predicted: measure it"
    usable = [each for each in profiles if each.spec and unusable(each) is None]
    of = {schema.from_dict(ModelSpec, each.spec): each for each in usable if each.spec}
    if len(of) < FEWEST:
        return f"only {len(of)} of its sort have a latency to predict from: measure at least {FEWEST}"
    medians = tuple(each.median_ms for each in of.values())
    return Model(usable[0].precision, tuple(of), medians, tuple(map(_noise, of.values())))


def _noise(profile: Profile) -> float:
    """Standard error of the median, as a share of it; of few runs, what one of them varies by."""
    interval = profile.interval_ms
    return (interval[1] - interval[0]) / (2 * NORMAL * profile.median_ms) if interval else profile.spread


def _predict(wanted: Wanted, profiles: Sequence[Profile], model: Model | str) -> Prediction | str:
    if isinstance(model, str):
        return model
    spec = wanted.identity.get("spec")
    estimate = model.predict(schema.from_dict(ModelSpec, spec)) if spec else None
    if estimate is None:
        return "it does not lie between models that were measured, so its latency cannot be predicted: measure it"
    known = profiles[0]
    return Prediction(
        **wanted.identity,
        runtime=known.runtime,
        runtime_version=known.runtime_version,
        threads=wanted.threads,
        predicted_ms=estimate.ms,
        low_ms=estimate.low_ms,
        high_ms=estimate.high_ms,
        measured=len(model.specs),
        error=model.error,
        host={name: fact for name, fact in known.host.items() if name not in MOMENTS},
        conditions={"affinity": known.conditions.get("affinity")},
    )
