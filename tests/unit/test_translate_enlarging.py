"""Drawn small and kept large."""

import numpy as np
import pytest
from stylizers import lively_generator, made_photo, make_microast

from sfumato.errors import Cancelled, OptionError
from sfumato.image import Box, from_any, resize
from sfumato.nets.colors import luminance
from sfumato.options import Options
from sfumato.translate import Translator
from sfumato.translate.enlarging import Enlarger, covering

PHOTO = made_photo(120, 200, seed=1)
A, B = made_photo(50, 50, seed=5), made_photo(50, 50, seed=6)


@pytest.fixture(scope="module")
def exact():
    return Translator(make_microast(), device="cpu", precision="fp32")


def pixels(image):
    return np.asarray(image).astype(int)


def shrunk(image, longest):
    return resize(from_any(image), longest=longest).pixels.astype(int)


def far(a, b):
    return np.abs(a - b).mean()


def test_it_is_the_small_drawing_in_the_size_of_the_picture(exact):
    large = exact(PHOTO, A, draw_size=80)
    assert large.size == (200, 120)
    drawn = pixels(exact(from_any(resize(from_any(PHOTO), longest=80).pixels), A))
    assert far(shrunk(large, 80), drawn) < 2.5
    assert far(shrunk(exact(PHOTO, A), 80), drawn) > 10  # drawn at full size it looks otherwise


def test_edges_are_those_of_the_picture():
    """A drawing that is a linear function of the colours is that of the picture itself, edges and noise included."""
    photo = from_any(PHOTO)
    small = resize(photo, longest=50)
    enlarger = Enlarger(small, small.with_pixels(255 - small.pixels), (120, 200))
    for box in (Box(0, 0, 120, 200), Box(30, 0, 90, 200)):
        made = enlarger(photo.tensor(box), box)
        wanted = 1 - photo.tensor(box)
        assert (made - wanted).abs().mean() < 0.015
        assert (made - wanted).abs().mean() < 0.2 * far_from_blurred(photo, small, box)


def far_from_blurred(photo, small, box):
    """How far the same is from a copy that was only enlarged, mean of all values in [0, 1]."""
    grown = resize(small, size=(120, 200))
    return (photo.tensor(box) - grown.tensor(box)).abs().mean()


def test_strips_meet(exact, monkeypatch):
    whole = pixels(exact(PHOTO, A, draw_size=64))
    monkeypatch.setattr("sfumato.translate.enlarging.STRIP", 1400)
    assert np.array_equal(pixels(exact(PHOTO, A, draw_size=64)), whole)


@pytest.mark.parametrize("kept", [200, 4096, None])
def test_what_is_no_larger_is_drawn_as_it_is(exact, kept):
    assert np.array_equal(pixels(exact(PHOTO, A, draw_size=kept)), pixels(exact(PHOTO, A)))
    small = pixels(exact(PHOTO, A, size=60))
    assert np.array_equal(pixels(exact(PHOTO, A, size=60, draw_size=60)), small)


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (17, 17), (20, 700)])
def test_odd_shapes(exact, shape):
    assert exact(made_photo(*shape), A, draw_size=16).size == shape[::-1]


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_kinds_of_pictures(exact, channels, mode):
    photo = made_photo(60, 90, channels)
    made = exact(photo[..., 0] if channels == 1 else photo, A, draw_size=32)
    assert (made.size, made.mode) == ((90, 60), mode)
    if channels == 4:
        assert np.array_equal(pixels(made)[..., 3], photo[..., 3])


def test_sixteen_bits_stay(exact):
    made = exact.translate_picture(from_any(made_photo(60, 90, dtype=np.uint16)), [A], Options(draw_size=32))
    assert made.pixels.dtype == np.uint16
    assert len(np.unique(made.pixels)) > 5000


def test_the_colours_of_each_pixel_stay(exact):
    made = from_any(exact(PHOTO, A, draw_size=64, keep_colors="luminance")).tensor()
    content = from_any(PHOTO).tensor()
    color, wanted = made - luminance(made), content - luminance(content)
    assert (color * wanted).sum() > 0.9 * (color.norm() * wanted.norm())


def test_places_that_are_left_out_keep_their_bytes(exact):
    left = np.where(np.arange(200) < 90, 255, 0).astype(np.uint8)[None].repeat(120, 0)
    made, whole = (pixels(exact(PHOTO, A, draw_size=64, masks=masks)) for masks in (left, ()))
    assert np.array_equal(made[:, 90:], PHOTO[:, 90:])
    assert np.array_equal(made[:, :90], whole[:, :90])


def test_each_style_has_its_place(exact):
    left = np.where(np.arange(200) < 100, 255, 0).astype(np.uint8)[None].repeat(120, 0)
    small = resize(from_any(PHOTO), longest=80)
    one, other = (
        pixels(exact(small, [A, B], masks=[m, 255 - m])) for m in (left[:48, 60:140], 255 - left[:48, 60:140])
    )
    made = shrunk(exact(PHOTO, [A, B], draw_size=80, masks=[left, 255 - left]), 80)
    assert far(made, one) < 2.5 < far(made, other)


def test_masks_of_the_copy_leave_nothing_out_and_keep_their_shares():
    half, quarter = (np.full((120, 200), value, np.uint8) for value in (120, 60))
    half[:, 100:] = quarter[:, 100:] = 0
    one, other = (mask.pixels[..., 0] for mask in covering([half, quarter], resize(from_any(PHOTO), longest=50)))
    assert (one[:, :24] == 255).all()
    assert np.abs(other[:, :24].astype(int) - 127.5).max() <= 1
    assert (one[:, 26:] == 255).all()
    assert (other[:, 26:] == 255).all()


def test_a_generator_mixes_half_of_each():
    generator = Translator(lively_generator(), device="cpu", precision="fp32")
    half, full = (pixels(generator(PHOTO, draw_size=64, strength=share)) for share in (0.5, 1))
    assert np.abs(half - (PHOTO.astype(int) + full) / 2).max() <= 1
    assert np.array_equal(pixels(generator(PHOTO, draw_size=64, strength=0)), PHOTO)


def test_progress_grows_to_its_end_and_can_be_cancelled(exact, monkeypatch):
    monkeypatch.setattr("sfumato.translate.enlarging.STRIP", 4000)
    heard = []
    exact(PHOTO, A, draw_size=64, progress=lambda *now: heard.append(now))
    done = [one for one, _ in heard]
    assert done == sorted(done)
    assert len({total for _, total in heard}) == 1
    assert heard[-1][0] == heard[-1][1]
    for stop in (1, len(heard) - 1):
        told = []
        with pytest.raises(Cancelled):
            exact(
                PHOTO, A, draw_size=64, progress=lambda *now, told=told, stop=stop: told.append(now) or len(told) < stop
            )
        assert len(told) == stop


@pytest.mark.parametrize("wrong", [0, 15, 64.5, 4097])
def test_wrong_sizes(exact, wrong):
    with pytest.raises(OptionError, match="draw_size .* is not a whole number from 16 to 4096"):
        exact(PHOTO, A, draw_size=wrong)


def test_masks_that_do_not_fit_are_told_before_the_work(exact):
    with pytest.raises(OptionError, match="another shape than the picture's 200 x 120"):
        exact(PHOTO, A, draw_size=64, masks=np.zeros((60, 60), np.uint8))
