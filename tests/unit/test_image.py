"""Pictures in memory: from anything, to tensors and back, resized, and in every Pillow mode."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from unit import picture_corpus as corpus

from sfumato import image
from sfumato.errors import FailedError, OptionError, PictureError

EXACT = ("1", "L", "LA", "RGB", "RGBA", "RGBX", "CMYK", "I", "F", "I;16", "I;16B")
NEARLY = {"La": 1, "RGBa": 1, "YCbCr": 2, "HSV": 6, "LAB": 2}


@pytest.mark.parametrize("mode", EXACT)
def test_mode_and_values_come_back(mode):
    source = corpus.in_mode(mode)
    result = image.from_any(source).to_pil()
    assert (result.mode, result.size) == (mode, source.size)
    assert np.array_equal(np.asarray(result), np.asarray(source))


@pytest.mark.parametrize("mode", NEARLY)
def test_mode_comes_back_and_values_nearly(mode):
    source = corpus.in_mode(mode)
    result = image.from_any(source).to_pil()
    assert (result.mode, result.size) == (mode, source.size)
    difference = np.abs(np.asarray(result).astype(int) - np.asarray(source).astype(int))
    if mode in ("HSV", "LAB"):
        difference = np.minimum(difference, 256 - difference)
    assert difference.max() <= NEARLY[mode]


@pytest.mark.parametrize("mode", ["P", "PA"])
def test_palette_comes_back(mode):
    source = corpus.in_mode(mode)
    result = image.from_any(source).to_pil()
    assert (result.mode, result.size) == (mode, source.size)
    assert np.array_equal(np.asarray(result.convert("RGBA")), np.asarray(source.convert("RGBA")))


@pytest.mark.parametrize("clear", [corpus.opacity() > 100, corpus.opacity() >= 0, corpus.opacity() > 255])
def test_palette_of_new_colors_keeps_clear_places(clear):
    colors = corpus.scene()[::-1].copy()
    colors[:4] = 0
    picture = image.Picture(pixels=colors, alpha=np.where(clear, 255, 0).astype(np.uint8), mode="P")
    result = picture.to_pil()
    assert result.mode == "P"
    back = np.asarray(result.convert("RGBA")).astype(int)
    assert np.array_equal(back[..., 3], picture.alpha)
    assert not clear.any() or np.abs(back[clear][:, :3] - colors[clear]).mean() < 4


@pytest.mark.parametrize("degrees", [3, 14, 256])
def test_palette_with_degrees_of_alpha(degrees):
    alpha = np.rint(np.rint(corpus.opacity() / 255 * (degrees - 1)) / (degrees - 1) * 255).astype(np.uint8)
    picture = image.Picture(pixels=corpus.scene(), alpha=alpha, mode="P")
    result = picture.to_pil()
    assert result.mode == "P"
    back = np.asarray(result.convert("RGBA")).astype(int)
    assert np.abs(back[..., 3] - alpha).max() <= (0 if degrees <= 16 else 8)
    assert np.abs(back[..., :3] - corpus.scene())[alpha > 0].mean() < 5


def test_a_keyed_palette_comes_back():
    source = Image.fromarray(corpus.scene()).quantize(32)
    source.info["transparency"] = 5
    result = image.from_any(source).to_pil()
    assert result.mode == "P"
    seen, back = (np.asarray(picture.convert("RGBA")) for picture in (source, result))
    assert np.array_equal(seen[..., 3], back[..., 3]) and np.array_equal(seen[seen[..., 3] > 0], back[seen[..., 3] > 0])


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_color_key_becomes_alpha(mode):
    source = corpus.in_mode(mode)
    corner = source.getpixel((0, 0))
    source.info["transparency"] = corner
    picture = image.from_any(source)
    assert picture.mode == ("RGBA" if mode == "RGB" else "LA")
    assert picture.alpha is not None and picture.alpha[0, 0] == 0
    assert np.array_equal(picture.alpha == 0, (picture.pixels == picture.pixels[0, 0]).all(-1))


@pytest.mark.parametrize(
    ("values", "peak"),
    [
        ([[0.0, 0.25], [0.5, 1.0]], 1),
        ([[0.0, 64.0], [128.0, 255.0]], 255),
        ([[0.0, 1e3], [3e4, 65535.0]], 65535),
        ([[0.0, 5e4], [1e5, 2e5]], 2e5),
        ([[0.0, 0.5], [1.0, 1.004]], 1),
        ([[0.0, 1.0], [255.0, 300.0]], 255),
    ],
)
def test_floating_point_scale_comes_back(values, peak):
    source = Image.fromarray(np.array(values, np.float32))
    picture = image.from_any(source)
    assert picture.peak == peak and picture.pixels[1, 1, 0] == 65535
    assert np.allclose(np.asarray(picture.to_pil()), np.minimum(values, peak), atol=peak / 65535)


def test_negative_values_become_black_and_nan_is_an_error():
    picture = image.from_any(Image.fromarray(np.array([[-3, 65535]], np.int32)))
    assert picture.pixels[0, :, 0].tolist() == [0, 65535]
    with pytest.raises(PictureError, match="NaN"):
        image.from_any(Image.fromarray(np.array([[0, np.nan]], np.float32)))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2", "float16", "float32", "float64"])
@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4])
def test_arrays(channels, dtype):
    white = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    values = (np.random.default_rng(1).random((5, 7, channels or 1)) * white).astype(dtype)
    picture = image.from_any(values[..., 0] if channels == 0 else values)
    modes = {1: "I;16" if white == 65535 else "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    assert (picture.mode, picture.height, picture.width) == (modes[channels or 1], 5, 7)
    assert picture.pixels.dtype == (np.uint8 if white == 255 else np.uint16)
    assert picture.pixels.flags.c_contiguous
    scale = white / np.iinfo(picture.pixels.dtype).max
    colors = values[..., : 1 if channels < 3 else 3]
    assert np.allclose(picture.pixels * scale, colors.astype(float), atol=1e-5 * white)
    if channels in (2, 4):
        assert np.allclose(picture.alpha * scale, values[..., -1].astype(float), atol=1e-5 * white)
    else:
        assert picture.alpha is None


def test_booleans_and_single_pixels():
    assert image.from_any(np.array([[True, False]])).pixels[0, :, 0].tolist() == [255, 0]
    assert image.from_any(np.zeros((1, 1, 3), np.uint8)).to_pil().size == (1, 1)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((2, 2, 5), np.uint8), r"not \(2, 2, 5\)"),
        (np.zeros((2, 2, 2, 3), np.uint8), r"not \(2, 2, 2, 3\)"),
        (np.zeros((0, 2, 3), np.uint8), r"not \(0, 2, 3\)"),
        (np.zeros((2, 2), np.int64), "not int64"),
        (np.full((2, 2, 3), 255.0), r"\[255, 255\]"),
        (np.full((2, 2, 3), -0.5), r"\[-0.5, -0.5\]"),
        (np.full((2, 2, 3), np.nan), "nan"),
        (torch.zeros(2, 3, 4, 4), r"not \(2, 3, 4, 4\)"),
        (torch.zeros(4, 4), r"not \(4, 4\)"),
        (3, "not int"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_picture(source, message):
    with pytest.raises(PictureError, match=message):
        image.from_any(source)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_tensor_there_and_back(dtype):
    tensor = torch.rand(1, 3, 6, 9).to(dtype)
    picture = image.from_any(tensor)
    back = picture.tensor()
    assert back.shape == (1, 3, 6, 9) and back.dtype == torch.float32 and back.is_contiguous()
    torch.testing.assert_close(back, tensor.float(), atol=1e-5, rtol=0)
    torch.testing.assert_close(image.from_any(tensor[0]).tensor(), back)


@pytest.mark.parametrize("depth", [8, 16])
def test_box_of_a_tensor_goes_on_mirrored(depth):
    picture = image.from_any(corpus.scene(5, 4, depth))
    whole = picture.tensor()
    assert whole.max() <= 1
    assert torch.equal(picture.tensor((1, 2, 4, 4)), whole[:, :, 1:4, 2:4])
    wide = torch.nn.functional.pad(whole, (2, 3, 4, 1), mode="reflect")
    assert torch.equal(picture.tensor((-4, -2, 6, 7)), wide)
    assert picture.tensor((-20, 0, 30, 4)).shape == (1, 3, 50, 4)
    pixel = image.from_any(corpus.scene(1, 1, depth))
    assert torch.equal(pixel.tensor((-2, -3, 4, 5)), pixel.tensor().expand(1, 3, 6, 8))


def test_read_only_arrays_make_tensors():
    array = corpus.scene()
    array.flags.writeable = False
    picture = image.from_any(array)
    picture.tensor().mul_(0)
    assert picture.pixels.max() > 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_value_survives_quantizing(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(-1, 1)
    picture = image.from_any(levels)
    assert np.array_equal(image.quantize(picture.tensor(), dtype)[..., :1], levels[..., None])
    assert np.array_equal(image.quantize(levels / np.iinfo(dtype).max, dtype), levels)


def test_quantize_rounds_and_clips():
    values = np.array([-0.2, 0.4 / 255, 0.6 / 255, 1.3], np.float32)
    assert image.quantize(values).tolist() == [0, 0, 1, 255]
    assert image.quantize(torch.full((1, 3, 2, 5), 0.5)).shape == (2, 5, 3)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("make", [np.full, torch.full])
def test_quantize_refuses_what_is_not_finite(value, make):
    values = make((3, 2, 2), 0.5)
    values[1, 1, 0] = value
    with pytest.raises(FailedError, match="not finite"):
        image.quantize(values)


def test_quantize_refuses_both_infinities_and_overflow():
    for values in ([-np.inf, np.inf], [3e38, 0]):
        with pytest.raises(FailedError, match="not finite"):
            image.quantize(np.array(values, np.float32))


@pytest.mark.parametrize("mode", ["LA", "La", "PA", "RGBA", "RGBa"])
def test_opaque_pictures_in_modes_with_alpha(mode):
    result = image.Picture(pixels=corpus.scene(), mode=mode).to_pil()
    assert result.mode == mode and np.asarray(result.getchannel(-1 + len(result.getbands()))).min() == 255


def test_with_pixels_keeps_the_rest():
    picture = image.from_any(corpus.with_alpha(corpus.scene()))
    deep = picture.with_pixels(corpus.scene(depth=16))
    assert deep.alpha.dtype == np.uint16 and deep.mode == "RGBA"
    assert np.array_equal(deep.with_pixels(picture.pixels).alpha, picture.alpha)
    for wrong in (corpus.scene(7, 5), corpus.scene()[..., 0], corpus.scene().astype(float)):
        with pytest.raises(PictureError):
            picture.with_pixels(wrong)


def test_opaque_pictures_may_change_size():
    assert image.from_any(corpus.scene()).with_pixels(corpus.scene(7, 5)).height == 7


@pytest.mark.parametrize("depth", [8, 16])
def test_compose_on_white(depth):
    picture = image.from_any(corpus.with_alpha(corpus.scene(depth=depth)))
    white = 2**depth - 1
    opaque = picture.compose_on_white()
    opacity = picture.alpha[..., None] / white
    expected = picture.pixels * opacity + white * (1 - opacity)
    assert opaque.mode == "RGB" and opaque.alpha is None
    assert np.abs(opaque.pixels - expected).max() <= 0.51
    assert opaque.compose_on_white() is opaque


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("size", [(62, 90), (10, 15), (31, 7)])
def test_resize_keeps_the_mean(size, depth):
    picture = image.from_any(corpus.scene(depth=depth))
    result = image.resize(picture, size=size)
    assert result.pixels.shape == (*size, 3) and result.pixels.dtype == picture.pixels.dtype
    white = 2**depth - 1
    assert np.abs(result.pixels.mean((0, 1)) - picture.pixels.mean((0, 1))).max() < 0.02 * white


def test_both_depths_resize_alike():
    small, deep = (image.resize(image.from_any(corpus.scene(64, 48, depth)), longest=20) for depth in (8, 16))
    assert small.pixels.shape == deep.pixels.shape == (20, 15, 3)
    assert np.abs(small.pixels.astype(int) - deep.pixels / 257).max() <= 1.5


def test_resize_is_antialiased():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    for picture in (image.from_any(stripes), image.from_any(stripes.astype(np.uint16) * 257)):
        small = image.resize(picture, longest=16).pixels / np.iinfo(picture.pixels.dtype).max
        assert np.abs(small - 0.5).max() < 0.1


@pytest.mark.parametrize("depth", [8, 16])
def test_colors_of_clear_places_do_not_bleed(depth):
    white = 2**depth - 1
    array = np.zeros((32, 32, 4), f"u{depth // 8}")
    array[:, :16] = (white, 0, 0, white)
    array[:, 16:] = (0, white, 0, 0)
    small = image.resize(image.from_any(array), longest=9)
    assert small.alpha.shape == (9, 9)
    seen = small.alpha > 0.2 * white
    assert seen.any() and (small.pixels[seen][:, 1] < 0.02 * white).all()


def test_resize_by_the_longest_side():
    picture = image.from_any(corpus.scene(10, 40))
    assert image.resize(picture, longest=20).pixels.shape == (5, 20, 3)
    assert image.resize(picture, longest=3).pixels.shape == (1, 3, 3)
    assert image.resize(picture, longest=40) is picture
    for wrong in ({}, {"longest": 3, "size": (2, 2)}, {"longest": 0}, {"size": (0, 4)}):
        with pytest.raises(OptionError):
            image.resize(picture, **wrong)


def test_pictures_are_checked():
    good = corpus.scene()
    for pixels, alpha in (
        (good[..., 0], None),
        (good, good),
        (good, good[1:, :, 0]),
        (good, good[..., 0].astype(np.uint16)),
        (good.astype(float), None),
        (good[:0], None),
    ):
        with pytest.raises(PictureError):
            image.Picture(pixels=pixels, alpha=alpha)


def test_turned_photographs_given_as_pillow_images_stand_upright(tmp_path):
    path = tmp_path / "phone.jpg"
    path.write_bytes(corpus.encoded(corpus.in_mode("RGB"), "JPEG", exif=corpus.camera(6)))
    with Image.open(path) as opened:
        assert image.from_any(opened).to_pil().size == (31, 45)
    assert image.from_any(str(path)).path == path
    assert image.from_any(path).name == str(path)


def test_import_is_light():
    code = "import sys, sfumato.image; print(sorted({'torch', 'cv2', 'scipy', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
