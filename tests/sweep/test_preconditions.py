"""What a dry run refuses: everything that would fail in a later stage. Nothing is built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.commands import sweep
from mobilenet_edge.commands.sweep import SweepOptions
from mobilenet_edge.errors import InputError, MissingExtraError, UsageError
from mobilenet_edge.sweep import preconditions

HERE = SweepOptions(jobs=1)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two pictures in each of three class folders."""
    for name in ("cat", "dog", "fox"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (8, 8)).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def preview(tmp_path: Path) -> Callable[..., str]:
    """Look at a sweep of one variant with three classes."""

    def preview(text: str = "", options: SweepOptions = HERE, grid: str = "alpha = 0.25\nrho = 32\nclasses = 3") -> str:
        path = tmp_path / "sweep.toml"
        path.write_text(f"[grid]\n{grid}\n{text}\n")
        return sweep.preview(path, options, out=tmp_path / "out")

    return preview


def evaluated(photos: Path, more: str = "") -> str:
    return f'[evaluate]\ndata = "{photos}"\n{more}'


def test_what_would_work_is_listed(preview: Callable[..., str], photos: Path, tmp_path: Path) -> None:
    assert preview(evaluated(photos)).endswith(f"of 4 stages to run in {tmp_path / 'out'}")
    (tmp_path / "photos" / "labels.txt").write_text("cat\ndog\nfox\n")
    assert "4 of 4 stages" in preview(evaluated(photos))
    assert not (tmp_path / "out").exists()


def test_folders_that_are_not_the_classes_of_the_grid(preview: Callable[..., str], photos: Path) -> None:
    with pytest.raises(InputError, match=r"each model of the grid has 1000 classes, but there are 3 sub-folders"):
        preview(evaluated(photos), grid="alpha = 0.25\nrho = 32")


def test_labels_that_name_other_folders(preview: Callable[..., str], photos: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog\nwolf\n")
    with pytest.raises(InputError, match=r"fox is no class of .*labels = \"FILE\" under \[evaluate\]"):
        preview(evaluated(photos, f'labels = "{tmp_path / "labels.txt"}"'))
    with pytest.raises(InputError, match=r"none\.txt"):
        preview(evaluated(photos, f'labels = "{tmp_path / "none.txt"}"'))


def test_a_class_folder_without_pictures(preview: Callable[..., str], photos: Path, tmp_path: Path) -> None:
    (photos / "wolf").mkdir()
    (photos / ".hidden").mkdir()
    with pytest.raises(InputError, match=r"wolf is a class folder without images"):
        preview(evaluated(photos), grid="alpha = 0.25\nrho = 32\nclasses = 4")
    (photos / "wolf").rmdir()
    assert preview(evaluated(photos))


def test_pictures_that_all_calibrate(preview: Callable[..., str], photos: Path) -> None:
    with pytest.raises(UsageError, match="all 6 images are left out"):
        preview(f'{evaluated(photos)}\n[calibration]\nsource = "{photos}"')


def test_a_folder_of_pictures_that_is_not_there(preview: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere is not a folder"):
        preview(evaluated(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="nowhere is not a folder"):
        preview(options=SweepOptions(jobs=1, data=tmp_path / "nowhere"))


def test_weights_that_fit_no_alpha_of_the_grid(preview: Callable[..., str], tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("conv1")
        group.attrs["weight_names"] = [b"kernel"]
        group["kernel"] = np.zeros((3, 3, 3, 16), np.float32)
    # The first layer of alpha 0.25 has 8 channels, that of 0.5 has 16.
    with pytest.raises(InputError, match=r"mobilenet_v1-a0\.25-r32-c3: .*w\.h5: layer 'conv1' has shape"):
        preview(f'[weights]\nsource = "{path}"')
    with pytest.raises(InputError, match="no such file"):
        preview('[weights]\nsource = "nowhere.h5"')


def test_published_weights_that_do_not_exist(preview: Callable[..., str]) -> None:
    with pytest.raises(UsageError, match="ImageNet weights have 1000 classes, not 3"):
        preview('[weights]\nsource = "imagenet"')
    with pytest.raises(UsageError, match="no ImageNet weights were published"):
        preview('[weights]\nsource = "imagenet"', grid="alpha = 0.3\nrho = 224")


def test_a_look_downloads_nothing(preview: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert preview('[weights]\nsource = "imagenet"', grid="alpha = 0.25\nrho = 224")
    (tmp_path / "keras" / "models").mkdir(parents=True)
    (tmp_path / "keras" / "models" / "mobilenet_2_5_224_tf.h5").write_bytes(b"cut off")
    with pytest.raises(InputError, match=r"mobilenet_2_5_224_tf\.h5"):
        preview('[weights]\nsource = "imagenet"', grid="alpha = 0.25\nrho = 224")


@pytest.mark.parametrize(
    ("module", "extra", "options"),
    [
        ("tensorflow", "build", HERE),
        ("onnx", "export", HERE),
        ("PIL", "images", HERE),
        ("distributed", "cluster", SweepOptions(dask="tcp://127.0.0.1:1")),
    ],
)
def test_an_extra_that_is_not_installed(
    preview: Callable[..., str],
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    extra: str,
    options: SweepOptions,
) -> None:
    monkeypatch.setattr(preconditions, "find_spec", lambda name: None if name == module else object())
    with pytest.raises(MissingExtraError, match=rf"{module} is not installed; .*\[{extra}\]"):
        preview(evaluated(photos), options)


def test_a_target_whose_interpreter_is_not_installed(
    preview: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preconditions, "find_spec", lambda name: None if name == "tflite_micro" else object())
    grid = 'alpha = 0.25\nrho = 32\nformat = "tflite"\ntarget = ["generic", "{}"]'
    assert preview(grid=grid.format("arm64"))
    with pytest.raises(MissingExtraError, match=r"tflite_micro is not installed; .*\[tflm\]"):
        preview(grid=grid.format("tflm"))


def test_workers_of_a_cluster_need_not_be_here(preview: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preconditions, "find_spec", lambda name: None if name in ("tensorflow", "onnx") else object())
    assert preview("", SweepOptions(dask="tcp://127.0.0.1:1"))
