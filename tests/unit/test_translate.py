"""Any picture in, picture out."""

import os
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from stylizers import as_tensor, lively_generator, made_photo, make_microast

from sfumato.errors import Cancelled, FailedError, OptionError, PictureError
from sfumato.image import from_any
from sfumato.methods import microast
from sfumato.options import Options
from sfumato.translate import Translator, precision, stylize, translator

STYLE = made_photo(50, 70, seed=5)


@pytest.fixture(scope="module")
def model():
    return make_microast()


@pytest.fixture
def exact(model):
    return Translator(model, 0, device="cpu", precision="fp32")


def to_pixels(values):
    return np.rint(values.clamp(0, 1)[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)


def test_it_is_the_model(model, exact):
    content, style = made_photo(48, 64), made_photo(40, 56, seed=2)
    with torch.inference_mode():
        expected = to_pixels(model(as_tensor(content), as_tensor(style), 0.5))
    result = np.asarray(exact(content, style, strength=0.5))
    assert np.abs(result.astype(int) - expected).max() <= 1  # where a value lies between two


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (3, 1), (7, 7), (37, 53), (5, 700), (64, 64)])
@pytest.mark.parametrize("tile", [None, 0, 40])
def test_every_size(model, size, tile):
    result = Translator(model, tile, device="cpu")(made_photo(*size), STYLE)
    assert result.size == size[::-1]
    assert result.mode == "RGB"


@pytest.mark.parametrize("style", [(1, 1), (3, 200), (9, 9)])
def test_every_size_of_style(exact, style):
    assert exact(made_photo(30, 30), made_photo(*style)).size == (30, 30)


@pytest.mark.parametrize("way", ["luminance", "coral", "histogram"])
def test_colours_of_a_single_pixel(exact, way):
    for size in ((1, 1), (1, 9)):
        assert exact(made_photo(*size), made_photo(1, 1), keep_colors=way).size == size[::-1]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F", "HSV", "LAB"])
def test_every_mode(exact, mode):
    picture = Image.fromarray(made_photo(33, 47, 4))
    if mode == "I;16":
        picture = Image.fromarray(made_photo(33, 47, 1, dtype=np.uint16)[..., 0])
    elif mode == "LAB":
        picture = Image.frombytes("LAB", picture.size, picture.convert("RGB").tobytes())
    else:
        picture = picture.convert("L").convert(mode) if mode in ("I", "F") else picture.convert("RGBA").convert(mode)
    result = exact(picture, STYLE)
    assert result.mode == mode
    assert result.size == picture.size
    if mode in ("RGBA", "LA"):
        assert np.array_equal(np.asarray(result)[..., -1], np.asarray(picture)[..., -1])


def test_sixteen_bits_stay(exact):
    picture = from_any(made_photo(40, 44, dtype=np.uint16))
    result = exact.translate_picture(picture, [STYLE])
    assert result.pixels.dtype == np.uint16
    assert len(np.unique(result.pixels)) > 1000


def test_sixteen_bits_are_never_done_in_bf16(model):
    picture = from_any(made_photo(40, 44, dtype=np.uint16))
    exact = Translator(model, device="cpu", precision="fp32").translate_picture(picture, [STYLE])
    usual = Translator(model, device="cpu").translate_picture(picture, [STYLE])
    assert np.array_equal(exact.pixels, usual.pixels)


@pytest.mark.parametrize("kind", ["array", "tensor", "image", "path"])
def test_every_source(exact, kind, tmp_path):
    pixels = made_photo(24, 30)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    source = {"array": pixels, "tensor": as_tensor(pixels), "image": Image.fromarray(pixels), "path": path}[kind]
    expected = np.asarray(exact(pixels, STYLE)).astype(int)
    assert np.abs(np.asarray(exact(source, STYLE)) - expected).max() <= 1


def test_what_is_transparent_does_not_matter(exact):
    pixels = made_photo(40, 40, 4)
    pixels[..., 3] = np.where(np.arange(40) < 15, 0, 200)
    other = pixels.copy()
    other[:, :15, :3] = 77
    first, second = (np.asarray(exact(p, STYLE)) for p in (pixels, other))
    assert np.array_equal(first, second)
    assert np.array_equal(first[..., 3], pixels[..., 3])


def test_the_size_of_the_result(exact):
    assert exact(made_photo(50, 100, 4), STYLE, size=40).size == (40, 20)
    assert exact(made_photo(20, 10), STYLE, size=60).size == (30, 60)


def test_the_size_of_the_style_changes_strokes(exact):
    results = [np.asarray(exact(made_photo(40, 40), made_photo(300, 300), style_size=n)) for n in (None, 300, 64)]
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_several_styles_by_weight(exact):
    photo, a, b = made_photo(40, 40), made_photo(40, 40, seed=1), made_photo(40, 40, seed=2)
    only = np.asarray(exact(photo, b))
    assert np.array_equal(np.asarray(exact(photo, [a, b], weights=(0, 3))), only)
    halves = [np.asarray(exact(photo, [a, b], **w)) for w in ({}, {"weights": (2, 2)})]
    assert np.array_equal(*halves)
    assert not np.array_equal(halves[0], only)


def test_luminance_keeps_colours(exact):
    photo = made_photo(40, 44)
    kept = np.asarray(exact(photo, STYLE, keep_colors="luminance").convert("YCbCr")).astype(int)
    free = np.asarray(exact(photo, STYLE).convert("YCbCr")).astype(int)
    own = np.asarray(Image.fromarray(photo).convert("YCbCr")).astype(int)
    assert np.abs(kept[..., 0] - free[..., 0]).mean() < 2

    def hue_difference(a, b):
        return np.abs(a[..., 1:] - b[..., 1:]).mean()

    assert hue_difference(kept, own) < 0.6 * hue_difference(free, own)


@pytest.mark.parametrize("way", ["coral", "histogram"])
def test_the_style_is_recoloured_first(exact, way):
    photo = made_photo(40, 44)
    style = from_any(STYLE)
    from sfumato.nets.colors import coral, match_histogram

    match = coral if way == "coral" else match_histogram
    recoloured = match(style.tensor(), as_tensor(photo)).clamp(0, 1)
    result, expected = exact(photo, STYLE, keep_colors=way), exact(photo, recoloured)
    assert np.abs(np.asarray(result).astype(int) - np.asarray(expected)).max() <= 1
    assert not np.array_equal(np.asarray(result), np.asarray(exact(photo, STYLE)))


def test_grey_stays_grey_in_every_way(exact):
    grey = made_photo(30, 30, 1)[..., 0]
    for way in ("none", "luminance", "coral", "histogram"):
        assert exact(grey, STYLE, keep_colors=way).mode == "L"


def test_a_style_is_encoded_once(model, tmp_path, monkeypatch):
    calls = []
    real = model.encode_style
    monkeypatch.setattr(model, "encode_style", lambda style: calls.append(style.shape) or real(style))
    path = tmp_path / "style.png"
    Image.fromarray(STYLE).save(path)
    exact = Translator(model, device="cpu", precision="fp32")
    picture = from_any(STYLE)
    for _ in range(3):
        exact(made_photo(20, 20), path)
    assert len(calls) == 1
    for _ in range(2):
        exact(made_photo(20, 30), [STYLE, STYLE.copy(), picture, Image.fromarray(STYLE)])
    assert len(calls) == 2
    exact(made_photo(20, 20), path, style_size=32)
    assert len(calls) == 3
    Image.fromarray(STYLE[::-1]).save(path)
    os.utime(path, ns=(1, 1))
    exact(made_photo(20, 20), path)
    assert len(calls) == 4
    exact(made_photo(20, 20), STYLE + 1)
    assert len(calls) == 5
    exact(made_photo(20, 20), path, keep_colors="coral")
    exact(made_photo(20, 20), path, keep_colors="coral")
    assert len(calls) == 7


def test_old_codes_are_forgotten(exact, monkeypatch):
    monkeypatch.setattr("sfumato.translate.styles.REMEMBERED", 2)
    for seed in range(4):
        exact(made_photo(16, 16), made_photo(16, 16, seed=seed))
    assert len(exact.codes[torch.float32].known) == 2


def test_cancel(exact):
    for at in (0, 4, 10):
        heard = []

        def report(done, total, at=at, heard=heard):
            heard.append(done)
            return len(heard) <= at

        with pytest.raises(Cancelled):
            exact(made_photo(40, 40), STYLE, progress=report)
        assert len(heard) == at + 1
    exact(made_photo(40, 40), STYLE, progress=lambda done, total: None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strength": 1.5}, "strength 1.5"),
        ({"strength": float("nan")}, "strength nan"),
        ({"strength": "much"}, "wrong type"),
        ({"weights": (1, 2)}, "2 weights were given for 1 styles"),
        ({"weights": (0,)}, "weights 0 must be"),
        ({"weights": (-1,)}, "weights -1 must be"),
        ({"keep_colors": "sepia"}, "'sepia'"),
        ({"style_size": 3}, "style_size 3"),
        ({"size": 0}, "size 0"),
        ({"size": 10.5}, "size 10.5"),
        ({"stile": 1}, "no option 'stile'"),
    ],
)
def test_wrong_options(exact, options, words):
    with pytest.raises(OptionError, match=words) as caught:
        exact(made_photo(20, 20), STYLE, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("style", [None, [], ()])
def test_no_style(exact, style):
    with pytest.raises(OptionError, match="a style is needed"):
        exact(made_photo(20, 20), style)


def test_wrong_pictures(exact, tmp_path):
    with pytest.raises(PictureError, match="no such file"):
        exact(tmp_path / "absent.png", STYLE)
    with pytest.raises(PictureError, match="no such file"):
        exact(STYLE, tmp_path / "absent.png")
    with pytest.raises(PictureError, match="not int"):
        exact(STYLE, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tile": -1}, "tile -1"),
        ({"precision": "fp8"}, "'fp8'"),
        ({"device": "abacus"}, "'abacus'"),
    ],
)
def test_wrong_translators(model, arguments, words):
    with pytest.raises(OptionError, match=words):
        Translator(model, **arguments)


def test_a_model_that_makes_no_pictures_is_refused():
    with pytest.raises(OptionError, match="Conv2d makes no pictures"):
        Translator(torch.nn.Conv2d(3, 3, 1))


def test_threads_do_not_meet(model):
    exact = Translator(model, 40, device="cpu", precision="fp32")
    photos = [made_photo(60, 50 + 4 * i, seed=i) for i in range(4)]
    alone = [np.asarray(exact(photo, STYLE)) for photo in photos]
    together = [None] * len(photos)

    def work(i):
        together[i] = np.asarray(exact(photos[i], STYLE))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(photos))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_tiles_are_chosen_by_memory(model, monkeypatch):
    made = Translator(model, device="cpu")
    monkeypatch.setattr(translator, "memory_budget", lambda device: 2**40)
    assert made.tile_for(1000 * 1000) == 0
    assert made.tile_for(10_000 * 10_000) == translator.CPU_TILE
    monkeypatch.setattr(translator, "memory_budget", lambda device: 300_000 * 2 * model.pixel_bytes)
    assert made.tile_for(500 * 500) == 0
    less = made.tile_for(1000 * 1000)
    assert (less + 2 * model.halo) ** 2 <= 300_000 < (less + 2 * model.halo + 8) ** 2
    assert made.tile_for(1000 * 1000, mapped=True) < less
    monkeypatch.setattr(translator, "memory_budget", lambda device: 0)
    assert made.tile_for(1000 * 1000) == translator.SMALLEST_TILE


def test_bf16_is_taken_where_the_model_bears_it(model, monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(precision, "fast_dtype", lambda device: torch.bfloat16)
    assert precision.choose(model, cpu, "bf16") == torch.bfloat16
    assert precision.choose(model, cpu, "fp32") == torch.float32
    for error, expected in ((0.02, torch.bfloat16), (0.04, torch.float32), (float("nan"), torch.float32)):
        monkeypatch.setattr(precision, "difference", lambda *given, error=error: error)
        assert precision.choose(model, cpu, "auto") == expected
    monkeypatch.setattr(precision, "fast_dtype", lambda device: torch.float32)
    assert precision.choose(model, cpu, "auto") == torch.float32


def test_bf16_is_near_fp32(model):
    photo = made_photo(64, 64)
    exact, fast = (
        np.asarray(Translator(model, device="cpu", precision=p)(photo, STYLE)).astype(float) for p in ("fp32", "bf16")
    )
    assert 0 < np.sqrt(np.square(exact - fast).mean()) < 0.1 * exact.std()


def test_difference_is_nothing_in_the_same_precision(model):
    assert precision.difference(model, torch.device("cpu"), torch.float32) == 0


def test_stylize_is_the_usual_translator(model, monkeypatch):
    monkeypatch.setattr(translator, "_usual_translator", lambda: Translator(model, device="cpu", precision="fp32"))
    result = stylize(made_photo(20, 30), STYLE, 0.5)
    expected = Translator(model, device="cpu", precision="fp32")(made_photo(20, 30), STYLE, strength=0.5)
    assert np.array_equal(np.asarray(result), np.asarray(expected))


def test_the_models_random_numbers_are_left_alone(model):
    state = torch.random.get_rng_state()
    Translator(model, device="cpu")(made_photo(20, 20), STYLE)
    assert torch.equal(state, torch.random.get_rng_state())


def test_options_are_frozen_data():
    import dataclasses
    import json

    options = Options(weights=(1, 2), keep_colors="coral", size=100)
    assert Options.of(**json.loads(json.dumps(dataclasses.asdict(options)))) == options
    assert options.shares(2) == (1 / 3, 2 / 3)
    assert Options().shares(4) == (0.25,) * 4


def test_a_new_model_of_random_weights_works():
    assert Translator(microast.Model(microast.Config(width=8)))(made_photo(9, 9), STYLE).size == (9, 9)


def test_a_broken_model_is_told():
    broken = make_microast()
    torch.nn.init.constant_(broken.decoder.up[-1].bias, float("nan"))
    with pytest.raises(FailedError, match="not finite"):
        Translator(broken, device="cpu")(made_photo(20, 20), STYLE)


def test_a_generator_takes_the_statistics_of_very_large_pictures_from_a_smaller_copy(monkeypatch):
    photo = np.repeat(np.repeat(made_photo(100, 140), 2, 0), 2, 1)
    made = lively_generator()
    exact = np.asarray(Translator(made, 0, device="cpu", precision="fp32")(photo)).astype(int)
    monkeypatch.setattr(translator, "EXACT_SIDE", 140)
    parts = [np.asarray(Translator(made, n, device="cpu", precision="fp32")(photo)).astype(int) for n in (96, 160)]
    assert abs(parts[0] - parts[1]).max() <= 1, "seams"
    assert 0 < abs(parts[0] - exact).mean() < 12
    assert exact.std() > 20


def test_a_generator_of_two_folders_takes_no_style():
    with pytest.raises(OptionError, match="has a style of its own"):
        Translator(lively_generator(), device="cpu")(made_photo(20, 20), made_photo(20, 20))
