"""Colour profiles and EXIF: to sRGB for work, and back on output."""

import logging
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms
from unit import picture_corpus as corpus

from sfumato import image
from sfumato.image import exif, profiles

AVIF = ["AVIF"] if corpus.HAS_AVIF else []
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
COLORED = {
    "adobe": corpus.profile(),
    "adobe, exact": corpus.profile(gamma=2.19921875),
    "p3": corpus.profile(corpus.DISPLAY_P3, corpus.SRGB_CURVE),
    "wide": corpus.profile(gamma=1.8),
}
GREY = {"2.2": corpus.profile(space="GRAY"), "1.8": corpus.profile(space="GRAY", gamma=1.8)}


def tagged(source: Image.Image, icc: bytes) -> Image.Image:
    source.info["icc_profile"] = icc
    return source


def gentle(depth: int = 8) -> np.ndarray:
    """Colours well inside sRGB, so that nothing is clipped on the way."""
    white = 2**depth - 1
    return np.rint(0.3 * white + 0.4 * corpus.scene(depth=depth).astype(float)).astype(f"u{depth // 8}")


@pytest.mark.parametrize("icc", COLORED.values(), ids=COLORED)
def test_pixels_become_srgb_and_come_back(icc):
    picture = image.from_any(tagged(Image.fromarray(gentle()), icc))
    assert picture.icc == icc
    assert np.abs(picture.pixels.astype(int) - gentle()).max() > 2
    result = picture.to_pil()
    assert result.info["icc_profile"] == icc
    assert np.abs(np.asarray(result).astype(int) - gentle()).max() <= 2


def test_a_known_color():
    source = tagged(Image.new("RGB", (1, 1), (0, 255, 0)), corpus.profile(corpus.DISPLAY_P3, corpus.SRGB_CURVE))
    assert image.from_any(source).pixels[0, 0].tolist() == [0, 255, 0]  # outside sRGB: clipped
    source = tagged(Image.new("RGB", (1, 1), (200, 100, 50)), corpus.profile(corpus.DISPLAY_P3, corpus.SRGB_CURVE))
    linear = ((np.array([200, 100, 50]) / 255 + 0.055) / 1.055) ** 2.4
    linear = np.array([[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]]) @ linear
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(image.from_any(source).pixels[0, 0] - expected).max() <= 1


@pytest.mark.parametrize("icc", [*COLORED.values(), *GREY.values()])
def test_sixteen_bits_agree_with_littlecms(icc):
    grey = icc in GREY.values()
    small = corpus.scene()[..., :1] if grey else corpus.scene()
    mode = "L" if grey else "RGB"
    expected = image.from_any(tagged(Image.fromarray(small.squeeze()), icc)).pixels
    deep = np.broadcast_to(small.astype(np.uint16) * 257, (*small.shape[:2], 3)).copy()
    converted = profiles.convert(deep.copy(), icc, inverse=False)
    assert np.abs(converted / 257 - expected).max() < 1.6, mode


@pytest.mark.parametrize("icc", [*COLORED.values(), *GREY.values()])
def test_sixteen_bits_come_back(icc):
    deep = gentle(16)
    if icc in GREY.values():
        deep = np.repeat(deep[..., :1], 3, 2)
    there = profiles.convert(deep.copy(), icc, inverse=False)
    back = profiles.convert(there.copy(), icc, inverse=True)
    assert np.abs(there.astype(int) - deep).max() > 300
    assert np.abs(back.astype(int) - deep).max() <= 4


def test_profiles_of_tables_in_sixteen_bits(monkeypatch):
    icc = corpus.profile()
    exact = profiles.convert(gentle(16), icc, inverse=False)
    monkeypatch.setattr(profiles, "_curves", lambda _: (None, None))
    near = profiles.convert(gentle(16), icc, inverse=False)
    assert np.abs(near.astype(int) - exact).max() < 400
    back = profiles.convert(near.copy(), icc, inverse=True)
    assert np.abs(back.astype(int) - gentle(16)).max() < 600


@pytest.mark.parametrize("form", range(5))
def test_parametric_curves(form):
    """Each form at a few points, by the formulas of the standard."""
    g, a, b, c, d, e, f = 2.0, 0.8, 0.1, 0.2, 0.3, 0.05, 0.02
    numbers = [(g,), (g, a, b), (g, a, b, c), (g, a, b, c, d), (g, a, b, c, d, e, f)][form]
    tag = (
        b"para"
        + bytes(4)
        + struct.pack(">HH", form, 0)
        + b"".join(struct.pack(">i", round(n * 65536)) for n in numbers)
    )
    x = np.array([0, 0.1, 0.29, 0.31, 0.7, 1.0])
    power = (a * x + b) ** g
    expected = [x**g, power, power + c, np.where(x >= d, power, c * x), np.where(x >= d, power + e, c * x + f)][form]
    table = profiles._curve(tag)
    assert np.allclose(table[np.rint(x * 65535).astype(int)], expected.clip(0, 1), atol=1e-3)


def test_an_srgb_profile_changes_no_pixel():
    picture = image.from_any(tagged(Image.fromarray(corpus.scene()), SRGB))
    assert np.array_equal(picture.pixels, corpus.scene()) and picture.icc == SRGB
    deep = profiles.convert(corpus.scene(depth=16), SRGB, inverse=False)
    assert np.array_equal(deep, corpus.scene(depth=16))


@pytest.mark.parametrize(
    ("mode", "icc", "words"),
    [
        ("RGB", b"no profile", "damaged"),
        ("RGB", corpus.profile()[:200], "damaged"),
        ("RGB", corpus.profile()[:132] + b"\xff" * 600, "damaged"),
        ("RGB", corpus.profile(space="GRAY"), "for GRAY pixels, not RGB"),
        ("CMYK", corpus.profile(), "for RGB pixels, not CMYK"),
    ],
)
def test_useless_profiles_are_left_out(mode, icc, words, caplog):
    source = corpus.in_mode(mode)
    expected = image.from_any(corpus.in_mode(mode)).pixels
    with caplog.at_level(logging.WARNING):
        picture = image.from_any(tagged(source, icc))
    assert picture.icc is None and np.array_equal(picture.pixels, expected)
    assert words in caplog.text and len(caplog.records) == 1


def test_profiles_with_flipped_bits_never_raise():
    icc = corpus.profile(gamma=corpus.SRGB_CURVE)
    rng = np.random.default_rng(5)
    for _ in range(60):
        data = np.frombuffer(icc, np.uint8).copy()
        data[rng.integers(0, len(data), 3)] ^= np.uint8(1 << rng.integers(8))
        picture = image.from_any(tagged(Image.fromarray(corpus.scene(3, 4)), data.tobytes()))
        picture.to_pil()
        if picture.icc is not None:
            profiles.convert(corpus.scene(3, 4, 16), picture.icc, inverse=False)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16"])
def test_grey_with_its_own_profile(mode):
    source = tagged(corpus.in_mode(mode), GREY["1.8"])
    picture = image.from_any(source)
    assert picture.icc is not None and (picture.pixels == picture.pixels[..., :1]).all()
    back = np.asarray(picture.to_pil()).astype(int)
    white = np.asarray(source).max()
    assert np.abs(back - np.asarray(source)).max() <= 0.02 * white


def test_grey_with_a_profile_for_colors():
    source = tagged(corpus.in_mode("L"), COLORED["adobe"])
    picture = image.from_any(source)
    assert picture.icc == COLORED["adobe"]
    assert np.abs(np.asarray(picture.to_pil()).astype(int) - np.asarray(source)).max() <= 2


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.webp", "x.tif", *(f"x.{name.lower()}" for name in AVIF)])
def test_files_keep_profile_and_exif(name, tmp_path):
    source = tagged(Image.fromarray(gentle()), COLORED["adobe"])
    source.info["exif"] = corpus.camera()
    picture = image.from_any(source)
    image.write(tmp_path / name, picture)
    with Image.open(tmp_path / name) as file:
        assert file.info["icc_profile"] == COLORED["adobe"]
        tags = file.getexif()
        assert tags[0x010F] == "Obscura"
        assert tags.get_ifd(corpus.EXIF_IFD)[0x9003] == "2024:05:06 07:08:09"
        assert tags.get_ifd(corpus.GPS_IFD)[1] == "N"
        assert np.abs(np.asarray(file.convert("RGB")).astype(int) - gentle()).mean() < 5
    again = image.read(tmp_path / name)
    assert np.abs(again.pixels.astype(int) - picture.pixels).mean() < 5
    image.write(tmp_path / f"again.{name}", again)
    with Image.open(tmp_path / f"again.{name}") as file:
        assert file.getexif().get_ifd(corpus.GPS_IFD)[1] == "N"


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_deep_files_keep_profile_and_exif(name, tmp_path):
    picture = image.Picture(pixels=gentle(16), icc=COLORED["p3"], exif=corpus.camera())
    image.write(tmp_path / name, picture)
    again = image.read(tmp_path / name)
    assert again.icc == COLORED["p3"] and np.abs(again.pixels.astype(int) - gentle(16)).max() < 12
    with Image.open(tmp_path / name) as file:
        assert file.getexif()[0x010F] == "Obscura"
        assert file.getexif().get_ifd(corpus.GPS_IFD)[1] == "N"


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_profiles_that_no_longer_fit_are_not_embedded(mode, tmp_path):
    picture = image.Picture(pixels=corpus.scene(), mode=mode, icc=GREY["1.8"] if mode == "L" else None)
    image.write(tmp_path / "x.webp", picture)
    with Image.open(tmp_path / "x.webp") as file:
        assert "icc_profile" not in file.info
        assert np.abs(np.asarray(file.convert("RGB")).astype(int) - corpus.scene()).mean() < 6


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", *AVIF])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(name, orientation, tmp_path):
    path = tmp_path / f"x.{name.lower()}"
    source = corpus.in_mode("RGB")
    lossy = {"quality": 100, "subsampling": "4:4:4"}
    settings = {"lossless": True} if name == "WEBP" else lossy if name in ("JPEG", "AVIF") else {}
    path.write_bytes(corpus.encoded(source, name, exif=corpus.camera(orientation), **settings))
    picture = image.read(path)
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    upright = source.transpose(turns[orientation]) if orientation > 1 else source
    assert np.abs(picture.pixels.astype(int) - np.asarray(upright)).mean() < 3
    image.write(tmp_path / "y.png", picture)
    again = image.read(tmp_path / "y.png")
    assert corpus.same(again, picture)
    with Image.open(tmp_path / "y.png") as file:
        assert file.getexif().get(corpus.ORIENTATION, 1) == 1
        assert file.getexif()[0x010F] == "Obscura"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["png", "tif", "planes.tif"])
def test_orientation_of_sixteen_bits(name, orientation, tmp_path):
    array = corpus.with_alpha(corpus.scene(depth=16))
    path = tmp_path / f"x.{name}"
    if name == "png":
        tags = corpus.png_chunk(b"eXIf", corpus.camera(orientation)[6:])
        path.write_bytes(corpus.png(array, 6, tags))
    else:
        path.write_bytes(corpus.tiff(array, 2, t338=2, t274=orientation, planar=name.startswith("planes")))
    small = Image.fromarray((array >> 8).astype(np.uint8))
    small.info["exif"] = corpus.camera(orientation)
    picture = image.read(path)
    assert picture.pixels.dtype == np.uint16
    expected = image.from_any(small)
    assert np.array_equal(picture.pixels >> 8, expected.pixels) and np.array_equal(picture.alpha >> 8, expected.alpha)


def test_exif_is_patched_not_rebuilt():
    """Maker notes hold offsets that only they understand: every other byte stays."""
    raw = corpus.camera(6)
    kept = exif.upright(raw)
    assert len(kept) == len(raw)
    assert sum(a != b for a, b in zip(kept, raw)) == 1
    assert exif.upright(kept) == kept


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_names_the_size_that_is_written(order, tmp_path):
    raw = corpus.camera(tags={0xA002: 4000, 0xA003: 3000}, order=order)
    picture = image.Picture(pixels=corpus.scene(), exif=exif.upright(raw))
    small = image.resize(picture, longest=30)
    for name in ("x.jpg", "x.png", "x.tif", "x.webp", *(f"x.{name.lower()}" for name in AVIF)):
        image.write(tmp_path / name, small)
        with Image.open(tmp_path / name) as file:
            tags = file.getexif().get_ifd(corpus.EXIF_IFD)
            assert (tags[0xA002], tags[0xA003]) == (30, 21), name
            assert tags[0x9003] == "2024:05:06 07:08:09"
    assert small.to_pil().info["exif"] == exif.sized(picture.exif, 21, 30) != picture.exif


def test_exif_without_a_size_gets_none():
    raw = exif.upright(corpus.camera())
    assert exif.sized(raw, 5, 7) == raw
    assert exif.sized(b"Exif\0\0II*\0\xff\xff\0\0", 5, 7) == b"Exif\0\0II*\0\xff\xff\0\0"


@pytest.mark.parametrize(
    "raw", [b"", b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0II*\0\xff\xff\0\0", b"junk", b"II*\0" + b"\xff" * 90]
)
def test_useless_exif_is_left_out(raw, tmp_path):
    source = corpus.in_mode("RGB")
    source.info["exif"] = raw
    picture = image.from_any(source)
    assert picture.exif is None
    image.write(tmp_path / "x.tif", picture)


def test_exif_with_flipped_bits_never_raises(tmp_path):
    raw = corpus.camera(3)
    rng = np.random.default_rng(6)
    for i in range(40):
        data = np.frombuffer(raw, np.uint8).copy()
        data[rng.integers(6, len(data), 2)] ^= np.uint8(1 << rng.integers(8))
        source = Image.fromarray(corpus.scene(3, 4))
        source.info["exif"] = data.tobytes()
        picture = image.from_any(source)
        for name in ("x.jpg", "x.tif", "x.png", "x.webp", *(f"x.{name.lower()}" for name in AVIF)):
            image.write(tmp_path / name, picture, overwrite=True)
            assert image.read(tmp_path / name).pixels.shape == picture.pixels.shape, i


def test_exif_cannot_change_how_a_tiff_is_stored(tmp_path):
    tags = Image.Exif()
    tags[0x010F], tags[256], tags[277] = "Obscura", 9999, 4
    for pixels, mode in ((corpus.scene(), "RGB"), (corpus.scene(), "P"), (corpus.scene(depth=16), "F")):
        picture = image.Picture(pixels=pixels, mode=mode, exif=tags.tobytes())
        image.write(tmp_path / "x.tif", picture, overwrite=True)
        assert image.read(tmp_path / "x.tif").pixels.shape == pixels.shape
        with Image.open(tmp_path / "x.tif") as file:
            assert file.getexif()[0x010F] == "Obscura"


def test_exif_too_long_for_jpeg_is_left_out(tmp_path, caplog):
    tags = Image.Exif()
    tags[0x010E] = "x" * 70000
    picture = image.Picture(pixels=corpus.scene(), exif=tags.tobytes())
    with caplog.at_level(logging.WARNING):
        image.write(tmp_path / "x.jpg", picture)
    assert "too long" in caplog.text
    image.write(tmp_path / "x.png", picture)
    assert len(image.read(tmp_path / "x.png").exif) > 70000


@pytest.mark.parametrize("name", ["x.jpg", "x.tif"])
def test_ink_with_its_profile(name, tmp_path):
    icc = corpus.ink_profile()
    inks = np.pad(255 - gentle(), ((0, 0), (0, 0), (0, 1)))
    source = tagged(Image.frombytes("CMYK", inks.shape[1::-1], inks.tobytes()), icc)
    picture = image.from_any(source)
    assert picture.mode == "CMYK" and picture.icc == icc
    assert np.abs(picture.pixels.astype(int) - gentle()).mean() < 6
    image.write(tmp_path / name, picture)
    with Image.open(tmp_path / name) as file:
        assert file.mode == "CMYK" and file.info["icc_profile"] == icc
    again = image.read(tmp_path / name)
    assert np.abs(again.pixels.astype(int) - picture.pixels).mean() < 8
    image.write(tmp_path / "x.png", picture)
    assert image.read(tmp_path / "x.png").icc is None


def test_lab_with_its_profile():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    picture = image.from_any(tagged(corpus.in_mode("LAB"), lab))
    assert picture.icc == lab and profiles.fits(lab, "LAB") and not profiles.fits(lab, "RGB")
    assert np.abs(picture.pixels.astype(int) - corpus.scene()).mean() < 3
    assert picture.to_pil().mode == "LAB"
