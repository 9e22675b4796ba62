from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mobilenet_edge.errors import InputError
from mobilenet_edge.model.hdf5 import opened


def written(fill: Callable[[Any], object]) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    return buffer.getvalue()


def plain(file: Any) -> None:
    file.create_group("layer")["kernel"] = np.arange(6.0).reshape(2, 3)


def test_reads_what_is_in_it() -> None:
    with opened(written(plain), "a.h5") as file:
        np.testing.assert_array_equal(file["layer/kernel"][:], [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("data", [b"", b"not HDF5", b"PK\x03\x04", b"<html>"])
def test_another_kind_of_file(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^a\.h5 is not an HDF5 file"), opened(data, "a.h5"):
        pass


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_file_cut_off(share: float) -> None:
    data = written(lambda file: file.create_dataset("kernel", data=np.ones((100, 100))))
    part = data[: int(len(data) * share)]
    with (
        pytest.raises(InputError, match=r"^a\.h5 is cut off or damaged: .*; copy it again$") as caught,
        opened(part, "a.h5") as file,
    ):
        file["kernel"][:]
    assert "\n" not in str(caught.value)


def external_link(file: Any, place: Path) -> None:
    file["x"] = h5py.ExternalLink(str(place), "/")


def soft_link(file: Any, place: Path) -> None:
    plain(file)
    file["layer/x"] = h5py.SoftLink("/layer/kernel")


def external_data(file: Any, place: Path) -> None:
    file.create_dataset("x", (4,), "u1", external=[(str(place), 0, 4)])


def virtual_data(file: Any, place: Path) -> None:
    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource(str(place), "x", (4,))
    file.create_virtual_dataset("x", layout)


@pytest.mark.parametrize("refer", [external_link, soft_link, external_data, virtual_data])
def test_references_are_refused_not_followed(refer: Callable[[Any, Path], None], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"data")
    data = written(lambda file: refer(file, secret))
    with pytest.raises(InputError, match="x is a reference to data elsewhere"), opened(data, "a.h5"):
        pass


def test_what_breaks_inside_the_block_is_the_files_fault() -> None:
    with pytest.raises(InputError, match="cut off or damaged"), opened(written(plain), "a.h5") as file:
        file["no such layer"]


@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "chunks": (1024, 1024)}])
def test_arrays_larger_than_the_file_are_refused_before_they_are_read(options: dict[str, Any]) -> None:
    # 100,000 by 250,000 float32 that nobody wrote: 100 GB in some kilobytes.
    data = written(lambda file: file.create_dataset("kernel", (100_000, 250_000), "f4", **options))
    assert len(data) < 100_000
    message = f"a.h5: its arrays would take 100000000000 bytes, and the file has {len(data)}; save it unpacked"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"), opened(data, "a.h5"):
        pass
