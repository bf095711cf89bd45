"""What a file's own values were: pixels that were not changed leave in the source's profile as they came."""

import numpy as np
import pytest
from collages import Negative, disc
from PIL import Image
from unit import picture_corpus as corpus

from sfumato import image
from sfumato.collage import collage

PROFILES = {"adobe": corpus.profile(), "p3": corpus.profile(corpus.DISPLAY_P3, corpus.SRGB_CURVE)}
by_profile = pytest.mark.parametrize("icc", PROFILES.values(), ids=PROFILES)


def vivid(depth=8):
    """Colours of which many lie outside sRGB."""
    return np.random.default_rng(3).integers(0, 2**depth, (31, 45, 3)).astype(f"u{depth // 8}")


def values_of(path, icc):
    """The values in a file in that profile."""
    with Image.open(path) as file:
        assert file.info["icc_profile"] == icc
        if not path.name.startswith("deep"):
            return np.asarray(file)
    import cv2

    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return stored[..., [2, 1, 0, 3][: stored.shape[2]]]


def stored(tmp_path, array, icc, **settings):
    """A PNG of (H, W, C) of 8 or 16 bits in a profile."""
    path = tmp_path / ("deep.png" if array.dtype == np.uint16 else "plain.png")
    if array.dtype == np.uint16:
        import zlib

        kind = {3: 2, 4: 6}[array.shape[2]]
        chunk = corpus.png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc))
        path.write_bytes(corpus.png(array, kind, chunk))
    else:
        Image.fromarray(array).save(path, icc_profile=icc, **settings)
    return path


@by_profile
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("depth", [8, 16])
def test_what_is_not_changed_leaves_as_it_came(icc, suffix, clear, depth, tmp_path):
    array = corpus.with_alpha(vivid(depth)) if clear else vivid(depth)
    picture = image.read(stored(tmp_path, array, icc))
    pixels = picture.pixels.copy()
    pixels[5:20, 10:30] = np.iinfo(pixels.dtype).max - pixels[5:20, 10:30]
    changed = (pixels != picture.pixels).any(2)
    out = tmp_path / ("deep-out" if depth == 16 else "out")
    image.write(out.with_suffix(suffix), picture.with_pixels(pixels))
    made = values_of(out.with_suffix(suffix), icc)
    np.testing.assert_array_equal(made[~changed], array[~changed])
    forgetful = image.Picture(pixels=pixels, alpha=picture.alpha, mode=picture.mode, icc=icc)
    image.write(out.with_suffix(suffix), forgetful, overwrite=True)
    before = values_of(out.with_suffix(suffix), icc)
    np.testing.assert_array_equal(made[changed], before[changed])
    assert (before[~changed] != array[~changed]).any()


@by_profile
def test_pillow_images_and_what_is_written_into_pixels(icc):
    source = Image.fromarray(vivid())
    source.info["icc_profile"] = icc
    picture = image.from_any(source)
    np.testing.assert_array_equal(np.asarray(picture.to_pil()), vivid())
    picture.pixels[:] = 128
    assert np.ptp(np.asarray(picture.to_pil()).reshape(-1, 3), 0).max() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures(orientation, tmp_path):
    icc, exif = PROFILES["adobe"], corpus.camera(orientation)
    picture = image.read(stored(tmp_path, vivid(), icc, exif=exif))
    image.write(tmp_path / "out.png", picture)
    plain = image.read(stored(tmp_path, vivid(), None, exif=exif))
    np.testing.assert_array_equal(values_of(tmp_path / "out.png", icc), plain.pixels)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "P", "CMYK", "LAB"])
def test_other_kinds_of_colour(mode):
    source = corpus.in_mode(mode)
    if mode not in ("CMYK", "LAB"):
        grey = mode in ("L", "LA", "I;16")
        source.info["icc_profile"] = corpus.profile(space="GRAY", gamma=1.8) if grey else PROFILES["adobe"]
    made = image.from_any(source).to_pil()
    assert made.mode == mode
    expected, result = (one.convert("RGB") if mode == "P" else one for one in (source, made))
    assert result.tobytes() == expected.tobytes()


def test_what_makes_a_picture_forget():
    source = Image.fromarray(vivid())
    assert image.from_any(source).own is None
    source.info["icc_profile"] = PROFILES["p3"]
    picture = image.from_any(source)
    assert picture.own is not None and picture.with_pixels(picture.pixels.copy()).own is picture.own
    assert picture.with_pixels(picture.pixels.astype(np.uint16)).own is None
    assert image.resize(picture, longest=20).own is None
    assert image.plain(picture).own is None
    grey = corpus.in_mode("L")
    grey.info["icc_profile"] = corpus.profile(space="GRAY", gamma=1.8)
    assert image.in_color(image.from_any(grey)).own is None


@by_profile
@pytest.mark.parametrize("depth", [8, 16])
def test_a_collage_leaves_the_rest_byte_for_byte(icc, depth, tmp_path):
    array = vivid(depth)
    made = collage(stored(tmp_path, array, icc), disc(31, 45, 0.2), Negative())
    out = tmp_path / ("deep-out.png" if depth == 16 else "out.png")
    image.write(out, made.result)
    values = values_of(out, icc)
    assert (made.alpha == 0).any() and (values != array)[made.alpha == 255].any()
    np.testing.assert_array_equal(values[made.alpha == 0], array[made.alpha == 0])
