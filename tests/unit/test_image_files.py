"""Files of every format: what is kept, what is refused, and that they are written whole or not at all."""

import errno
import io
import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image
from unit import picture_corpus as corpus

from sfumato import image
from sfumato.errors import DiskError, PictureError
from sfumato.image import png, writing

EXTENSIONS = ("jpg", "png", "webp", "tif", *(["avif"] if corpus.HAS_AVIF else []))
# Lossless formats and the modes they hold.
HELD = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "tif": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"),
}
NEAREST = {
    "png": {"La": "LA", "PA": "RGBA", "RGBa": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "F": "I;16"},
    "jpg": {"1": "L", "LA": "L", "P": "RGB", "RGBA": "RGB", "I;16": "L", "CMYK": "CMYK", "L": "L", "HSV": "RGB"},
    "webp": {"1": "RGB", "L": "RGB", "LA": "RGBA", "P": "RGB", "PA": "RGBA", "CMYK": "RGB", "I": "RGB"},
    "tif": {"PA": "RGBA", "RGBX": "RGB", "HSV": "RGB", "YCbCr": "RGB", "LAB": "LAB", "I;16B": "I;16"},
    "avif": {"LA": "RGBA", "RGB": "RGB", "CMYK": "RGB"},
}


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("extension", "mode"), [(name, mode) for name, modes in HELD.items() for mode in modes])
@pytest.mark.parametrize("size", [(31, 45), (1, 1), (1, 9), (8, 1)])
def test_lossless_round_trip(extension, mode, size, tmp_path):
    picture = image.from_any(corpus.in_mode(mode, *size))
    path = tmp_path / f"x.{extension}"
    image.write(path, picture)
    with Image.open(path) as file:
        assert file.mode == mode
    again = image.read(path)
    assert again.mode == mode and corpus.same(again, picture)
    assert leftovers(tmp_path) == [path.name]


@pytest.mark.parametrize("size", [(200, 437), (200, 872), (90_000, 3)])  # of 8 bits 436 rows are a strip
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_strips_of_a_png_join(size, dtype, tmp_path, monkeypatch):
    width, height = size
    colors = np.random.default_rng(0).integers(0, 40, (height, width, 3)).astype(dtype)
    rows = np.ascontiguousarray(colors).view(np.uint8).reshape(height, -1)
    assert rows.size > png.AT_HAND
    picture = image.from_any(colors)
    image.write(tmp_path / "x.png", picture)
    assert corpus.same(image.read(tmp_path / "x.png"), picture)
    above = np.ones((1, rows.shape[1]), np.uint8)
    strips = png._filtered(rows, above, 3 * colors.itemsize)
    monkeypatch.setattr(png, "AT_HAND", rows.size)
    assert np.array_equal(png._filtered(rows, above, 3 * colors.itemsize), strips)


@pytest.mark.parametrize(
    ("extension", "mode", "nearest"),
    [(name, *pair) for name, modes in NEAREST.items() if name in EXTENSIONS for pair in modes.items()],
)
def test_nearest_mode_is_written(extension, mode, nearest, tmp_path):
    picture = image.from_any(corpus.in_mode(mode))
    path = tmp_path / f"x.{extension}"
    image.write(path, picture, quality=98)
    with Image.open(path) as file:
        assert file.mode == nearest
    again = image.read(path)
    expected = picture if again.alpha is not None else picture.compose_on_white()
    scale = np.iinfo(expected.pixels.dtype).max / np.iinfo(again.pixels.dtype).max
    seen = np.full(again.pixels.shape[:2], True) if again.alpha is None else again.alpha > 200
    assert np.abs(again.pixels * scale - expected.pixels)[seen].mean() < 0.03 * np.iinfo(expected.pixels.dtype).max


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("extension", ["png", "tif"])
@pytest.mark.parametrize("size", [(31, 45), (1, 1), (400, 701)])
def test_sixteen_bits_round_trip(extension, channels, size, tmp_path):
    noise = np.random.default_rng(0).integers(0, 500, (*size, channels))
    array = (np.dstack([corpus.scene(*size, 16), corpus.opacity(*size, 16)])[..., -channels:] // 2 + noise).astype("u2")
    picture = image.from_any(array)
    image.write(tmp_path / f"x.{extension}", picture)
    again = image.read(tmp_path / f"x.{extension}")
    assert again.pixels.dtype == np.uint16 and corpus.same(again, picture)
    assert again.mode == ("RGBA" if (extension, channels) == ("tif", 2) else picture.mode)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("extension", ["png", "tif"])
def test_opencv_and_pillow_agree_on_our_sixteen_bits(extension, channels, tmp_path):
    import cv2

    array = corpus.with_alpha(corpus.scene(depth=16))[..., :channels]
    path = tmp_path / f"x.{extension}"
    image.write(path, image.from_any(array))
    seen = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(seen[..., [2, 1, 0, 3][:channels]], array)
    with Image.open(path) as file:
        assert np.array_equal(np.asarray(file), array >> 8)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", [False, True])
def test_sixteen_bit_tiffs_of_other_programs(order, planar, tmp_path):
    colors, path = corpus.scene(depth=16), tmp_path / "x.tif"
    clear = corpus.with_alpha(colors)
    clear[..., 3] |= 1 << 14  # nowhere quite clear, or multiplying by it could not be undone
    multiplied = clear.copy()
    multiplied[..., :3] = np.rint(colors * (clear[..., 3:] / 65535))
    for array, tags, expected, mode in (
        (colors, {}, colors, "RGB"),
        (clear, {"t338": 2}, clear, "RGBA"),
        (multiplied, {"t338": 1}, clear, "RGBA"),
        (clear, {"t338": 0}, colors, "RGB"),
    ):
        path.write_bytes(corpus.tiff(array, 2, order=order, planar=planar, **tags))
        picture = image.read(path)
        assert picture.mode == mode and picture.pixels.dtype == np.uint16
        assert np.abs(picture.pixels.astype(int) - expected[..., :3]).max() <= 4
        assert (picture.alpha is None) == (mode == "RGB") or np.array_equal(picture.alpha, clear[..., 3])


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("depth", [8, 16])
def test_tiff_where_white_is_zero(photometric, depth, tmp_path):
    grey = corpus.scene(depth=depth)[..., :1]
    (tmp_path / "x.tif").write_bytes(corpus.tiff(grey, photometric))
    picture = image.read(tmp_path / "x.tif")
    assert np.array_equal(picture.pixels[..., :1], grey if photometric else ~grey)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_png_with_a_color_key(depth, channels, tmp_path):
    array = corpus.scene(depth=depth)[..., :channels]
    key = corpus.png_chunk(b"tRNS", array[0, 0].astype(">u2").tobytes())
    (tmp_path / "x.png").write_bytes(corpus.png(array, 2 if channels == 3 else 0, key))
    picture = image.read(tmp_path / "x.png")
    assert picture.mode == ("RGBA" if channels == 3 else "LA")
    assert np.array_equal(picture.alpha == 0, (array == array[0, 0]).all(-1))
    assert np.array_equal(picture.pixels, np.broadcast_to(array, picture.pixels.shape))


def test_sixteen_bits_that_opencv_cannot_read(tmp_path, monkeypatch, caplog):
    import cv2

    (tmp_path / "x.png").write_bytes(corpus.deep_file(".png", corpus.scene(depth=16)))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: None)
    assert np.array_equal(image.read(tmp_path / "x.png").pixels, corpus.scene(depth=16) >> 8)
    assert "8 bits" in caplog.text


@pytest.mark.parametrize("name", corpus.files())
def test_every_kind_is_read(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(corpus.files()[name])
    picture = image.read(path)
    assert picture.path == path
    white = np.iinfo(picture.pixels.dtype).max
    grey = picture.mode in ("1", "L", "F", "I;16")
    seen = np.full((31, 45), True) if picture.alpha is None else picture.alpha > 0.9 * white
    expected = corpus.scene()[..., 1:2] if name == "deep_grey.png" else corpus.scene()
    if grey and name != "deep_grey.png":
        expected = expected[..., :1] if name == "float.tif" else expected @ np.array([[0.299], [0.587], [0.114]])
    tolerance = 0.5 if name == "bits.png" else 0.06 if "icc" in name or picture.icc else 0.035
    assert np.abs(picture.pixels / white - expected / 255)[seen].mean() < tolerance


@pytest.mark.parametrize("extension", ["jpg", "webp"])
def test_clear_places_become_white_where_there_is_no_alpha(extension, tmp_path):
    picture = image.Picture(pixels=np.zeros((16, 16, 3), np.uint8), alpha=np.zeros((16, 16), np.uint8), mode="RGBA")
    image.write(tmp_path / f"x.{extension}", picture)
    again = image.read(tmp_path / f"x.{extension}")
    if extension == "jpg":
        assert again.alpha is None and again.pixels.min() == 255
    else:
        assert again.alpha.max() == 0


def test_nothing_is_overwritten_unasked(tmp_path):
    picture, path = image.from_any(corpus.scene()), tmp_path / "x.png"
    path.write_bytes(b"precious")
    with pytest.raises(PictureError, match="--overwrite"):
        image.write(path, picture)
    assert path.read_bytes() == b"precious"
    image.write(path, picture, overwrite=True)
    assert corpus.same(image.read(path), picture)
    assert leftovers(tmp_path) == ["x.png"]


def test_a_file_that_appears_meanwhile_stays(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    monkeypatch.setattr(writing, "_encode", lambda file, *_: path.write_bytes(b"precious"))
    with pytest.raises(PictureError, match="exists"):
        image.write(path, image.from_any(corpus.scene()))
    assert path.read_bytes() == b"precious" and leftovers(tmp_path) == ["x.png"]


def test_links_stay_links(tmp_path):
    (tmp_path / "real.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("real.png")
    image.write(tmp_path / "link.png", image.from_any(corpus.scene()), overwrite=True)
    assert (tmp_path / "link.png").is_symlink()
    assert image.read(tmp_path / "real.png").height == 31


def test_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "plain").touch()
    image.write(tmp_path / "x.png", image.from_any(corpus.scene()))
    assert stat.S_IMODE((tmp_path / "x.png").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device"), ValueError("x")]
)
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_failure_leaves_nothing(extension, error, tmp_path, monkeypatch):
    class Full(writing._Sink):
        def write(self, data, /):
            if self.tell() + len(data) > 100:
                raise error
            return super().write(data)

    monkeypatch.setattr(writing, "_Sink", Full)
    old = b"precious"
    (tmp_path / f"x.{extension}").write_bytes(old)
    expected = {KeyboardInterrupt: KeyboardInterrupt, OSError: DiskError, ValueError: PictureError}[type(error)]
    for depth in (8, 16):
        with pytest.raises(expected):
            image.write(tmp_path / f"x.{extension}", image.from_any(corpus.scene(depth=depth)), overwrite=True)
        assert leftovers(tmp_path) == [f"x.{extension}"]
        assert (tmp_path / f"x.{extension}").read_bytes() == old


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_really_full_disk(extension, tmp_path):
    """A limit on the size of files stands in for the disk's end."""
    code = """
import resource, sys, numpy as np
from sfumato import image
from sfumato.errors import DiskError
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3)).astype(np.uint8)
try:
    image.write(sys.argv[1], image.from_any(noise))
except DiskError as error:
    print(error)
"""
    path = tmp_path / f"x.{extension}"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{path}: cannot be written: {os.strerror(errno.EFBIG)}"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA"])
@pytest.mark.parametrize("extension", ["png", "tif"])
@pytest.mark.parametrize("depth", [8, 16])
def test_opaque_pictures_are_written_without_alpha(mode, extension, depth, tmp_path):
    image.write(tmp_path / f"x.{extension}", image.Picture(pixels=corpus.scene(depth=depth), mode=mode))
    assert image.read(tmp_path / f"x.{extension}").alpha is None


def test_an_unwritable_folder(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(io, "FileIO", refused)
    with pytest.raises(DiskError, match="x.png: cannot be written: Permission denied"):
        image.write(tmp_path / "x.png", image.from_any(corpus.scene()))


def test_many_threads_read_and_write(tmp_path):
    pictures = [image.from_any(np.roll(corpus.scene(), i, 0)) for i in range(8)]
    limit, failures = Image.MAX_IMAGE_PIXELS, []

    def work(i):
        for extension in ("png", "tif") * 3:
            path = tmp_path / f"{i}.{extension}"
            image.write(path, pictures[i], overwrite=True)
            if not corpus.same(image.read(path), pictures[i]):
                failures.append(path)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and limit == Image.MAX_IMAGE_PIXELS


def test_real_photographs(real_data, tmp_path):
    paths = sorted((real_data / "photos").glob("*/*.[jp][pn]g"))[::40]
    paths += sorted((real_data / "paintings").glob("*/*.jpg"))[::150]
    assert len(paths) > 8
    for path in paths:
        picture = image.read(path)
        image.write(tmp_path / "x.png", picture, overwrite=True)
        again = image.read(tmp_path / "x.png")
        assert np.abs(again.pixels.astype(int) - picture.pixels).max() <= (0 if picture.icc is None else 3), path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows measures memory otherwise")
def test_memory_of_a_large_picture(tmp_path):
    """16 megapixels in and out, under 16 bytes a pixel beside the pixels themselves."""
    code = """
import resource, sys, numpy as np
from sfumato import image
image.write(sys.argv[1] + "/warm.png", image.from_any(np.zeros((8, 8, 3), np.uint8)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
picture = image.read(sys.argv[1] + "/large.png")
image.write(sys.argv[1] + "/again.png", picture.with_pixels(255 - picture.pixels))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024))
"""
    Image.fromarray(np.zeros((4000, 4000, 3), np.uint8)).save(tmp_path / "large.png")
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 16e6 * 13
