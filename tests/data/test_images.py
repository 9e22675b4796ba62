from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device import picture
from mobilenet_edge.errors import InputError, MissingExtraError

RULE = Preprocess((32, 32))
RAW = Preprocess((32, 32), crop=1.0, scale=(1.0,) * 3, offset=(0.0,) * 3)  # leaves pixel values as they are
ORIENTATION = 0x0112


def save(path: Path, colour: object = (10, 20, 30), size: tuple[int, int] = (40, 40), mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)
    return path


def centre(image: Image.Image) -> list[float]:
    return prepare.prepare(image, RAW)[16, 16].tolist()


def test_values_span_minus_one_to_one():
    black, white = Image.new("RGB", (50, 50)), Image.new("RGB", (50, 50), "white")
    assert prepare.prepare(black, RULE).tolist() == np.full((32, 32, 3), -1.0).tolist()
    # 255 * float32(1 / 127.5) - 1 is off by an ulp of 2 at most
    np.testing.assert_allclose(prepare.prepare(white, RULE), 1, atol=2.4e-7)


def test_array_is_float32_and_contiguous():
    array = prepare.prepare(Image.new("RGB", (300, 200)), Preprocess((160, 160)))
    assert (array.shape, array.dtype, array.flags.c_contiguous) == ((160, 160, 3), np.float32, True)


def test_one_step_is_the_shorter_side_scaled_and_then_the_centre_cropped():
    # 64 * 0.875 = 56 pixels become 28, so the whole image is halved: 48 by 32, and its centre begins at 10 and 2.
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    image = Image.fromarray(noise)
    one = prepare.prepare(image, Preprocess((28, 28), scale=(1.0,) * 3, offset=(0.0,) * 3))
    two = image.resize((48, 32), Image.Resampling.BILINEAR).crop((10, 2, 38, 30))
    np.testing.assert_array_equal(one, np.asarray(two, np.float32))


def test_crop_takes_the_middle_of_the_longer_side():
    # Black at the left and right, white between. The filter reaches 100 / 32 pixels beyond the crop, which stay white.
    image = Image.new("RGB", (200, 100))
    image.paste("white", (46, 0, 154, 100))
    assert prepare.prepare(image, RAW).min() == 255


def test_scaling_down_averages_instead_of_skipping_pixels():
    # Alternating black and white columns; without antialiasing each output pixel would be one or the other.
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    inner = prepare.prepare(Image.fromarray(stripes), RAW)[:, 1:-1]
    np.testing.assert_allclose(inner, 127.5, atol=1)


def test_channels_may_be_reversed():
    image = Image.new("RGB", (40, 40), (10, 20, 30))
    assert prepare.prepare(image, Preprocess((32, 32), colour="bgr", scale=(1.0,) * 3, offset=(0.0,) * 3))[
        0, 0
    ].tolist() == [
        30,
        20,
        10,
    ]


def test_image_smaller_than_the_resolution_is_enlarged():
    assert prepare.prepare(Image.new("RGB", (5, 1), (7, 7, 7)), RAW).tolist() == np.full((32, 32, 3), 7.0).tolist()


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 100, [100, 100, 100]),
        ("1", 1, [255, 255, 255]),
        ("CMYK", (255, 0, 0, 0), [0, 255, 255]),
        ("LA", (200, 0), [0, 0, 0]),
        ("RGBA", (255, 0, 0, 255), [255, 0, 0]),
        ("RGBA", (255, 255, 255, 0), [0, 0, 0]),  # nothing is seen of a transparent pixel
        ("RGBA", (255, 255, 255, 102), [102, 102, 102]),  # 255 * 102 / 255
        ("I;16", 65535, [255, 255, 255]),
        ("I;16", 257 * 100, [100, 100, 100]),  # scaled; Pillow's own conversion clips it to 255
        ("I", 257 * 9, [9, 9, 9]),
    ],
)
def test_every_mode_becomes_rgb(mode, colour, expected):
    assert centre(Image.new(mode, (40, 40), colour)) == expected


def test_palette_and_its_transparent_entry():
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, 250, 100, 50])
    assert centre(image) == [250, 100, 50]
    image.info["transparency"] = 1
    assert centre(image) == [0, 0, 0]


def test_sixteen_bit_png_survives_the_file(tmp_path):
    Image.fromarray(np.full((40, 40), 257 * 77, np.uint16)).save(tmp_path / "grey.png")
    assert centre(images.decode(tmp_path / "grey.png")) == [77, 77, 77]


@pytest.mark.parametrize(("mode", "colour"), [("F", 0.5), ("I", 70_000), ("I", -1)])
def test_pixels_without_a_range_are_unreadable(tmp_path, mode, colour):
    save(tmp_path / "odd.tif", colour, mode=mode)
    with pytest.raises(InputError, match="no defined range"):
        images.decode(tmp_path / "odd.tif")


def test_exif_orientation_is_applied(tmp_path):
    picture = Image.new("RGB", (40, 60), "black")
    picture.paste("white", (0, 0, 40, 30))  # the upper half
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the camera lay on its side: turn by 90° clockwise to see it upright
    picture.save(tmp_path / "side.png", exif=exif)
    upright = images.decode(tmp_path / "side.png")
    assert upright.size == (60, 40)
    assert upright.getpixel((55, 20)) == (255, 255, 255)
    assert upright.getpixel((5, 20)) == (0, 0, 0)


def test_preprocess_of_a_decoded_image_does_not_turn_it_again(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 3
    picture = Image.new("RGB", (40, 40), "black")
    picture.paste("white", (0, 0, 40, 20))
    picture.save(tmp_path / "down.png", exif=exif)
    turned = prepare.prepare(images.decode(tmp_path / "down.png"), RAW)
    assert (turned[2, 16, 0], turned[-3, 16, 0]) == (0, 255)
    with Image.open(tmp_path / "down.png") as opened:
        np.testing.assert_array_equal(prepare.prepare(opened, RAW), turned)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_of_the_eight_orientations_is_undone(tmp_path, orientation):
    # Four quarters of different grey: upper left, upper right, lower left, lower right.
    upright = np.kron(np.array([[0, 80], [160, 240]], np.uint8), np.ones((20, 30), np.uint8))
    stored = {  # how a camera held that way would store it: the standard's table, read backwards
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: upright.T[::-1], 7: upright.T[::-1, ::-1], 8: upright.T[:, ::-1],
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(np.asarray(images.decode(tmp_path / "a.png"))[..., 0], upright)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
def test_the_first_frame_of_an_animation_counts(tmp_path, suffix):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("#0000ff", "#ff0000", "#00ff00")]
    lossless = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], **lossless)
    with Image.open(tmp_path / f"a.{suffix}") as whole:
        assert whole.n_frames == 3
    assert centre(images.decode(tmp_path / f"a.{suffix}")) == [0, 0, 255]


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bit_tiff_of_either_byte_order(tmp_path, mode):
    Image.frombytes(mode, (40, 40), np.full((40, 40), 257 * 200, "<u2" if mode == "I;16" else ">u2").tobytes()).save(
        tmp_path / "a.tif"
    )
    assert centre(images.decode(tmp_path / "a.tif")) == [200, 200, 200]


def test_sixteen_bits_are_rounded_to_the_nearest_eight():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    eight = np.asarray(picture.upright_rgb(Image.fromarray(values)))[..., 0]
    np.testing.assert_array_equal(eight, np.rint(values * 255.0 / 65535))


def test_cmyk_jpeg_as_cameras_and_adobe_write_it(tmp_path):
    # Full cyan and no black is what is left of white without red. JPEG may be off by a few levels.
    Image.new("CMYK", (40, 40), (255, 0, 0, 0)).save(tmp_path / "a.jpg", quality=100)
    np.testing.assert_allclose(centre(images.decode(tmp_path / "a.jpg")), [0, 255, 255], atol=3)


@pytest.mark.parametrize("size", [(1, 1), (30_000, 1), (1, 30_000), (30_000, 40)])
def test_any_shape_becomes_a_square(tmp_path, size):
    save(tmp_path / "a.png", (7, 8, 9), size)
    for rule in (RAW, Preprocess((32, 32), scale=(1.0,) * 3, offset=(0.0,) * 3)):  # 0.875 of one pixel, too
        array = prepare.prepare(images.decode(tmp_path / "a.png"), rule)
        assert array.shape == (32, 32, 3)
        assert array.reshape(-1, 3).min(0).tolist() == array.reshape(-1, 3).max(0).tolist() == [7, 8, 9]


def test_the_content_counts_not_the_suffix(tmp_path):
    save(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert images.decode(tmp_path / "a.jpg").size == (40, 40)


@pytest.mark.parametrize("name", ["a.ico", "a.tga", "a.pcx", "a.jp2", "a.eps"])
def test_formats_of_other_suffixes_are_not_read(tmp_path, name):
    try:
        save(tmp_path / name, size=(32, 32))
    except OSError as error:
        pytest.skip(f"Pillow was built without it: {error}")
    (tmp_path / name).rename(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="cannot identify image file"):
        images.decode(tmp_path / "a.jpg")


def test_find_sorts_recurses_and_knows_suffixes_in_any_case(tmp_path):
    wanted = [save(tmp_path / name) for name in ("a/1.JPEG", "a/deep/2.png", "b.webp")]
    for name in ("a/notes.txt", "a/._1.jpg", ".DS_Store"):
        (tmp_path / name).write_bytes(b"")
    assert images.find(tmp_path) == sorted(wanted)


def test_names_are_those_of_find_and_sorted_part_by_part(tmp_path):
    # As strings "cat-fish/" would come before "cat/": "-" is less than "/".
    wanted = ["cat/deep/1.png", "cat/deep-er/1.png", "cat-fish/1.png"]
    for name in wanted:
        save(tmp_path / name)
    assert images.names(tmp_path) == wanted
    assert images.find(tmp_path) == sorted(tmp_path / name for name in wanted)


def test_decode_takes_the_bytes_of_a_file_that_is_elsewhere(tmp_path):
    path = save(tmp_path / "1.png")
    data = path.read_bytes()
    here = np.asarray(images.decode(path))
    path.unlink()
    np.testing.assert_array_equal(images.decode(path, data), here)
    with pytest.raises(InputError, match=r"cannot read .*1\.png as an image"):
        images.decode(path, data[:20])


def test_find_follows_links_once(tmp_path):
    save(tmp_path / "photos" / "cat" / "1.png")
    (tmp_path / "photos" / "cat" / "loop").symlink_to(tmp_path / "photos")
    (tmp_path / "photos" / "dog").symlink_to(save(tmp_path / "elsewhere" / "2.png").parent)
    names = [path.relative_to(tmp_path / "photos").as_posix() for path in images.find(tmp_path / "photos")]
    assert names == ["cat/1.png", "dog/2.png"]


def test_find_refuses_what_holds_no_images(tmp_path):
    with pytest.raises(InputError, match=r"holds no images; known suffixes: \.bmp"):
        images.find(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        images.find(tmp_path / "missing")
    with pytest.raises(InputError, match="is not a folder"):
        images.find(save(tmp_path / "file.png"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_find_names_a_folder_it_may_not_read(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(InputError, match="closed: permission denied"):
        images.find(tmp_path)


@pytest.mark.parametrize(
    ("count", "limit", "picked"), [(10, 3, [0, 3, 6]), (4, 4, [0, 1, 2, 3]), (2, 5, [0, 1]), (3, None, [0, 1, 2])]
)
def test_spread_is_even(count, limit, picked):
    paths = [Path(str(index)) for index in range(count)]
    assert images.spread(paths, limit) == [paths[index] for index in picked]


def test_spread_takes_each_of_many_classes_alike():
    paths = [Path(f"{index // 10}/{index % 10}") for index in range(1000)]
    assert [path.parent.name for path in images.spread(paths, 100)] == [str(index) for index in range(100)]


def broken(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.png"
    whole = save(folder / "whole.png", size=(200, 200)).read_bytes()
    content = {"empty": b"", "text": b"not an image", "cut short": whole[: len(whole) // 2], "head": whole[:20]}
    path.write_bytes(content[kind])
    return path


@pytest.mark.parametrize("kind", ["empty", "text", "cut short", "head"])
def test_broken_file_is_one_line_with_its_name(tmp_path, kind):
    path = broken(tmp_path, kind)
    with pytest.raises(InputError, match=r"cannot read .* as an image \(.+\); replace or remove it") as caught:
        images.decode(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [(60, 60), (90, 90)])  # Pillow warns above its limit, raises above twice the limit
def test_decompression_bomb_is_unreadable(tmp_path, monkeypatch, size):
    path = save(tmp_path / "bomb.png", size=size)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)
    with pytest.raises(InputError, match="decompression bomb"):
        images.decode(path)


def test_one_that_takes_too_much_memory_is_unreadable(tmp_path, monkeypatch):
    def fail(self):
        raise MemoryError

    path = save(tmp_path / "a.png")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    with pytest.raises(InputError, match=r"as an image \(MemoryError\)"):
        images.decode(path)


def test_load_streams_and_marks_the_unreadable(tmp_path):
    good, bad = save(tmp_path / "whole.png"), broken(tmp_path, "text")
    loaded = prepare.tensors([bad, good], RULE)
    assert next(loaded) == (bad, None)
    path, array = next(loaded)
    assert path == good
    assert array is not None
    assert array.shape == (32, 32, 3)
    assert list(loaded) == []


def test_load_refuses_when_nothing_can_be_read(tmp_path):
    with pytest.raises(InputError, match=r"none of 2 image files can be read; the first: .*text\.png"):
        list(prepare.tensors([broken(tmp_path, "text"), broken(tmp_path, "empty")], RULE))


def test_calibration_spreads_and_reports(tmp_path):
    for index in range(10):
        save(tmp_path / f"{index}.png", (index, index, index))
    (tmp_path / "2.png").write_bytes(b"broken")
    samples = prepare.load_folder(tmp_path, RAW, limit=5)
    assert [path.name for path in samples.used] == ["0.png", "4.png", "6.png", "8.png"]
    assert [path.name for path in samples.unreadable] == ["2.png"]
    assert (samples.pixels.shape, samples.pixels.dtype) == ((4, 32, 32, 3), np.uint8)
    assert samples.pixels[:, 0, 0, 0].tolist() == [0, 4, 6, 8]


def test_calibration_refuses_an_empty_folder_and_one_of_broken_images(tmp_path):
    with pytest.raises(InputError, match="holds no images"):
        prepare.load_folder(tmp_path, RULE)
    (tmp_path / "1.jpg").write_bytes(b"broken")
    with pytest.raises(InputError, match="none of 1 image files"):
        prepare.load_folder(tmp_path, RULE)


def test_without_pillow_the_extra_is_named(tmp_path, monkeypatch):
    path = save(tmp_path / "1.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mobilenet-edge\[images\]'"):
        prepare.load_folder(path.parent, RULE)


@pytest.mark.data
def test_real_images_are_all_readable(data):
    paths = images.find(data / "images")
    samples = prepare.load_folder(data / "images", Preprocess((128, 128)), limit=20)
    assert samples.unreadable == ()
    assert len(samples.used) == min(20, len(paths))
    # Photographs fill the range and are darker than the middle grey by little.
    assert (samples.pixels.min(), samples.pixels.max()) == (0, 255)
    assert 64 < samples.pixels.mean() < 153
