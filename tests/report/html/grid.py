"""Records of a small grid, the same at every call: three models, two formats, two precisions, on two machines."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Final

from mobilenet_edge.model import layers
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.records import Evaluation, Export, Failure, Prediction, Profile, Record, Remark
from mobilenet_edge.records.answers import ClassChange, ClassScore, Comparison, Confusion, PictureChange
from mobilenet_edge.records.export import Cut, Division, LayerLoss

MS: Final = 1_000_000
HERE: Final = {"name": "local", "cpu": "Intel(R) Xeon(R) Processor @ 2.50GHz", "cores": 2, "os": "Debian 12"}
PI: Final = {"name": "pi4", "board": "Raspberry Pi 4 Model B", "cpu": "Cortex-A72", "cores": 4, "os": "Debian 12"}
SPECS: Final = (ModelSpec(0.25, 128), ModelSpec(0.5, 160), ModelSpec(1.0, 224))
MULTIPLIED: Final = tuple(ModelSpec(alpha, side) for alpha in (0.5, 1.0) for side in (128, 224))
HOSTILE: Final = (
    """<img src=x onerror="window.broken=1">'&amp;</script><script>window.broken=2</script>\x1b[31m $x_{1}$"""
)
# Of 0.01 in all: a half by the weights of the first layer, four tenths by the output of the second.
LOSSES: Final = (
    LayerLoss("conv1", "conv", 0.005, 0.001, 0.0, 6.0, 6 / 255, 0.0, 0.9, 0.1, 2, 8),
    LayerLoss("conv2", "depthwise", None, 0.004, -1.0, 5.0, 6 / 255, 0.02, 0.1, 1.0, 0, 8),
)


def identity(model: ModelSpec, precision: str = "int8", format: str = "tflite", **changes: Any) -> dict[str, Any]:
    """Name an artifact of the paper; int8 takes a quarter of the bytes, and ONNX a little less than TFLite."""
    size = layers.int8_bytes(model) if precision == "int8" else layers.float32_bytes(model)
    own = {
        "artifact": f"results/{model.name}.{precision}.{format}",
        "sha256": f"{model.name}.{precision}.{format}",
        "size_bytes": size + (2000 if format == "tflite" else 1000),
        "format": format,
        "precision": precision,
        "variant": model.name,
        "spec": asdict(model),
        "target": "generic",
        "macs": layers.macs(model),
        "parameters": layers.parameters(model),
        "weights": "imagenet",
    }
    return own | changes


def profile(own: dict[str, Any], ms: float, **changes: Any) -> Profile:
    """Twelve runs in three processes, from 98 % to 109 % of `ms`."""
    times = tuple(round(ms * MS * (0.98 + index / 100)) for index in range(12))
    whole: dict[str, Any] = {
        "runtime": "litert", "runtime_version": "2.3.0", "threads": 1, "load_ms": 2.0, "first_ms": 3.0,
        "times_ns": times, "round_sizes": (4, 4, 4), "host": HERE, "peak_rss_bytes": 60_000_000,
        "conditions": {"started": "2026-11-22T10:00:00+00:00", "rounds": 3, "inputs": "noise", "warmup": {"runs": 5}},
    }  # fmt: skip
    return Profile(**own, **whole | changes)


def evaluation(own: dict[str, Any], top1: float, **changes: Any) -> Evaluation:
    """Five hundred images."""
    whole: dict[str, Any] = {
        "top1": top1, "top5": min(top1 + 0.2, 1.0), "n": 500, "interval": (top1 - 0.04, top1 + 0.04), "data": "images",
    }  # fmt: skip
    return Evaluation(**own, **whole | changes)


def prediction(own: dict[str, Any], ms: float) -> Prediction:
    """From six models, within a tenth."""
    return Prediction(
        **own, runtime="litert", runtime_version="2.3.0", threads=1, predicted_ms=ms, low_ms=0.9 * ms, high_ms=1.1 * ms,
        measured=6, error=0.03, host=HERE, conditions={},
    )  # fmt: skip


def grid(*, scored: bool = True) -> list[Record]:
    """12 files here on one thread, 6 of them on the Pi with one and with four: 24 latencies."""
    made: list[Record] = []
    for spec in SPECS:
        for format in ("tflite", "onnx"):
            for precision in ("float32", "int8"):
                own = identity(spec, precision, format)
                ms = layers.macs(spec) / 40e6 * (0.8 if precision == "int8" else 1) * (1.1 if format == "onnx" else 1)
                made.append(profile(own, ms))
                if format == "tflite":
                    made += [profile(own, 5 * ms / count, host=PI, threads=count) for count in (1, 4)]
                if scored:
                    made.append(evaluation(own, 0.4 + 0.3 * spec.alpha - (0.01 if precision == "int8" else 0)))
    return made


def long(own: dict[str, Any]) -> Profile:
    """Six minutes, of which the last two are hot and slow."""
    trace = tuple(
        {
            "minute": minute, "runs": 100, "median_ms": 2.0 + (minute > 4), "p90_ms": 2.2 + (minute > 4),
            "temperature_c": 50.0 + 5 * minute, "mhz": 1500, "throttled": ["frequency capped"] * (minute > 4),
        }
        for minute in range(1, 7)
    )  # fmt: skip
    doubts = (Remark("frequency-moved", low_mhz=600, high_mhz=1500),)
    return profile(own, 2.0, host=PI, threads=2, trace=trace, doubts=doubts)


def with_operators(own: dict[str, Any]) -> Profile:
    """Two convolutions, of 1 and 0.5 ms, and a softmax of 0.1."""
    kinds = (("CONV_2D", 1.0, 1_000_000), ("DEPTHWISE_CONV_2D", 0.5, 500_000), ("SOFTMAX", 0.1, None))
    ops = tuple(
        {"index": index, "name": f"layer {index}", "kind": kind, "ms": ms, "macs": macs}
        for index, (kind, ms, macs) in enumerate(kinds)
    )
    return profile(
        own,
        1.7,
        ops=ops,
        conditions={"started": "2026-11-23", "ops": {"how": "the profiler of LiteRT", "whole_ms": 1.7}},
    )


def hostile() -> list[Record]:
    """A model, a device and messages by somebody who means harm."""
    own = identity(SPECS[0], variant=HOSTILE, artifact=HOSTILE, spec=None, weights=HOSTILE, lacks=(HOSTILE,))
    ops = ({"index": 0, "name": HOSTILE, "kind": HOSTILE, "ms": 1.0, "macs": None},)
    trace = ({"minute": 1, "runs": 1, "median_ms": 1.0, "p90_ms": 1.0, "throttled": [HOSTILE]},)
    base = profile(
        own,
        1.0,
        host={**HERE, "name": HOSTILE, "cpu": HOSTILE},
        doubts=(Remark("text", text=HOSTILE),),
        notes=(Remark("no-limit", reason=HOSTILE),),
    )
    whole = replace(base, ops=ops, trace=trace, conditions={HOSTILE: HOSTILE, "ops": {"how": HOSTILE}})
    bad = profile(identity(SPECS[1]), 1.0, invalid=Remark("throttled", reasons=[HOSTILE]))
    gone = Failure(variant=HOSTILE, format="onnx", precision="int8", stage="export", reason=HOSTILE, exit_code=5)
    return [whole, bad, gone, evaluation(own, 0.5, data=HOSTILE)]


def exported(cuts: int = 6) -> list[Record]:
    """The smallest model in both formats: mixed files with a curve, of which the last cut was not tried, and int8."""
    found: list[Record] = []
    for format, slope in (("tflite", 0.02), ("onnx", -0.03)):
        curve = tuple(
            Cut(
                name=f"conv_{place}" if place else "", layers=place, macs_share=place / 20, ms=1 + slope * place,
                **({"agreement": 0.93 + place / 100, "snr_db": 26.0 + place / 2} if place < cuts else {}),
            )
            for place in range(cuts + 1)
        )  # fmt: skip
        division = Division(
            cut="conv_3", wanted=0.96, views=200, pictures=20, cuts=curve, float32_ms=1.5, runtime="litert",
            runtime_version="2.3.0", threads=1, host=HERE,
        )  # fmt: skip
        found.append(Export(**identity(SPECS[0], "mixed", format), division=division))
        found.append(Export(**identity(SPECS[0], "int8", format), losses=LOSSES))
    return found


def history(count: int = 8) -> list[dict[str, Any]]:
    """Two files over so many commits; int8 was made smaller and faster at the fifth."""
    return [
        {
            "schema_version": 1, "commit": f"{commit:x}" * 40, "date": f"2026-11-{commit:02d}T10:00:00+00:00",
            "artifact": f"results/{SPECS[1].name}.{precision}.tflite", "variant": SPECS[1].name, "format": "tflite",
            "precision": precision, "target": "generic", "size_bytes": size - (100_000 if commit > 4 else 0),
            "macs": 1, "host": "pi4", "threads": 1, "median_ms": 12.0 - (commit > 4),
        }
        for commit in range(1, count + 1)
        for precision, size in (("int8", 1_500_000), ("float32", 5_300_000))
    ]  # fmt: skip


def judged(count: int = 8, changed: int = 12) -> list[Record]:
    """One float file and its int8 file on `count` classes; each is taken for the next, more often the later it is."""
    names = ["bird", "cat", "dog", "food", "hoofed animal", "insect or spider", "primate", "reptile or amphibian"]
    names = names[:count] + [f"class {number}" for number in range(len(names), count)]
    size = max(50, count)
    classes = tuple(
        ClassScore(name=name, n=size, answered=size, right=size - place) for place, name in enumerate(names)
    )
    confusions = tuple(
        Confusion(truth=name, answer=names[(place + 1) % count], n=place)
        for place, name in reversed(list(enumerate(names)))
        if place
    )
    pictures = tuple(
        PictureChange(
            picture=f"{names[place % count]}/{place}.jpg", truth=names[place % count], before=names[place % count],
            after=names[(place + 1) % count], effect=-1,
        )
        for place in range(changed)
    )  # fmt: skip
    own, other = identity(SPECS[0]), identity(SPECS[0], "float32")
    comparison = Comparison(
        against=other["artifact"], sha256=other["sha256"], n=50 * count, changed=changed, gained=0, lost=changed,
        difference=-changed / (50 * count), interval=(-0.06, -0.01), p_value=0.0005, shown=True, needed=180,
        classes=(ClassChange(name=names[0], gained=0, lost=changed),), pictures=pictures,
    )  # fmt: skip
    found = {"classes": classes, "confusions": confusions, "class_count": count, "confusion_count": len(confusions)}
    return [
        profile(own, 1.0),
        profile(other, 1.2),
        evaluation(own, 0.9, **found, comparisons=(comparison,), ece=0.04, confidence=0.94),
        evaluation(other, 0.93),
    ]


def multiplied() -> list[Record]:
    """Four variants whose times are proportional to 0.1 + 0.9 alpha² and to the square of rho."""
    return [
        profile(identity(spec), 10 * (0.1 + 0.9 * spec.alpha**2) * (spec.resolution / 224) ** 2) for spec in MULTIPLIED
    ]


def multiplied_elsewhere() -> list[Record]:
    """The same variants on the Pi, all in the same time."""
    return [profile(identity(spec), 5.0, host=PI) for spec in MULTIPLIED]
