"""The ImageNet weights that were published for Keras: from its cache, else downloaded into it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files, progress
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.model.spec import IMAGENET_CLASSES, PUBLISHED, Family, ModelSpec

# BASE_WEIGHT_PATH of keras.applications.mobilenet and mobilenet_v2.
URLS: Final[Mapping[Family, str]] = {
    "mobilenet_v1": "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/",
    "mobilenet_v2": "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/",
}
_ALPHAS: Final = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
_CHUNK: Final = 1 << 18
_SECONDS: Final = 20

Opener = Callable[[str], Any]


def file_name(spec: ModelSpec) -> str:
    """Name the weights of a variant as keras.applications does: `mobilenet_2_5_224_tf.h5`.

    Raises:
        UsageError: None were published for it; the message lists those that were.
    """
    if spec.classes != IMAGENET_CLASSES:
        raise UsageError(
            f"ImageNet weights have {IMAGENET_CLASSES} classes, not {spec.classes}; put your own head on the model "
            f"with Keras, train it, and give the .keras file to mnet export"
        )
    if not spec.published:
        raise UsageError(
            f"no ImageNet weights were published for {spec.family} of alpha {spec.alpha:g} at rho {spec.resolution}; "
            f"there are alpha {_published(spec.family)} (--weights FILE takes a file of the same alpha at any rho)"
        )
    if spec.family == "mobilenet_v2":
        return f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(spec.alpha)}_{spec.resolution}.h5"
    return f"mobilenet_{_ALPHAS[spec.alpha]}_{spec.resolution}_tf.h5"


def cache() -> Path:
    """The folder where Keras keeps weights."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".keras") / "models"


def fetch(spec: ModelSpec, check: Callable[[bytes], Any], open_url: Opener | None = None) -> bytes:
    """Return the weights file of a variant, downloaded into Keras's cache if it is not there.

    Args:
        spec: The variant.
        check: Called with what was downloaded, before it is kept; raises on anything but the weights.
        open_url: Opens a URL as urllib.request.urlopen does.

    Raises:
        UsageError: None were published for it.
        InputError: No network, or a cache that cannot be read or written.
    """
    name = file_name(spec)
    path = cache() / name
    if path.exists():
        return files.read_bytes(path)
    url = URLS[spec.family] + name
    data = _download(url, path, open_url or _open)
    try:
        check(data)
    except InputError as error:
        raise _missing(url, path, "what came is no such file") from error
    try:
        files.write_bytes(path, data)
    except InputError as error:
        raise InputError(f"{name} cannot be kept in {path.parent}; set KERAS_HOME to a folder of yours") from error
    return data


def _download(url: str, path: Path, open_url: Opener) -> bytes:
    try:
        with open_url(url) as answer:
            size = int(answer.headers.get("Content-Length") or 0)
            data = bytearray()
            with progress.bar(f"download {path.name}", -(-size // _CHUNK)) as advance:
                while chunk := answer.read(_CHUNK):
                    data += chunk
                    advance()
    except (OSError, HTTPException, ValueError) as error:
        raise _missing(url, path, str(getattr(error, "reason", error)) or "no answer") from error
    if len(data) < size:
        raise _missing(url, path, f"the connection ended after {len(data)} of {size} bytes")
    return bytes(data)


def _open(url: str) -> Any:
    from urllib.request import urlopen

    return urlopen(url, timeout=_SECONDS)  # noqa: S310 - always the https address above


def _missing(url: str, path: Path, reason: str) -> InputError:
    return InputError(
        f"{path.name} is not in Keras's cache and cannot be downloaded ({reason}); get {url} on a machine with network "
        f"and put it in {path.parent}"
    )


def _published(family: Family) -> str:
    """List alphas with the resolutions they share: "0.25, 0.5 at rho 128, 160"."""
    sides: dict[tuple[int, ...], list[float]] = {}
    for alpha in sorted({alpha for alpha, _ in PUBLISHED[family]}):
        sides.setdefault(tuple(sorted(side for known, side in PUBLISHED[family] if known == alpha)), []).append(alpha)
    return " and ".join(
        f"{', '.join(f'{alpha:g}' for alpha in alphas)} at rho {', '.join(map(str, rhos))}"
        for rhos, alphas in sides.items()
    )
