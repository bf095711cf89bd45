"""Gatys through the same call as the networks."""

import numpy as np
import pytest
import torch
from stylizers import made_photo

from sfumato.errors import Cancelled, OptionError
from sfumato.image import from_any, resize
from sfumato.methods import gatys
from sfumato.nets.perceptual import Perceptual
from sfumato.nets.vgg import CompactVGG
from sfumato.translate import Translator
from sfumato.translate.painter import Painter

PHOTO, STYLE = made_photo(40, 48), made_photo(50, 50, seed=5)
CONFIG = gatys.Config(iterations=(3,), smallest_px=64, style_px=50, precision="float32")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return gatys.Model(CONFIG, Perceptual([CompactVGG((8, 8, 8, 8, 8))]))


@pytest.fixture
def painted(model):
    return Translator(model, device="cpu")


def test_same_size_and_mode(painted):
    for channels, mode in ((1, "L"), (3, "RGB"), (4, "RGBA")):
        photo = made_photo(40, 48, channels)
        result = painted(photo[..., 0] if channels == 1 else photo, STYLE)
        assert (result.size, result.mode) == ((48, 40), mode)
    assert painted(PHOTO, STYLE, size=24).size == (24, 20)


def test_it_is_the_method(painted, model):
    content, style = from_any(PHOTO).tensor(), from_any(STYLE).tensor()
    expected = (model(content, style)[0].permute(1, 2, 0).numpy() * 255).round()
    assert np.abs(np.asarray(painted(PHOTO, STYLE)) - expected).max() <= 1


def test_progress_and_cancel(painted):
    heard = []
    painted(PHOTO, STYLE, progress=lambda *now: heard.append(now))
    assert heard == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(Cancelled):
        painted(PHOTO, STYLE, progress=lambda done, total: done < 2)


def test_fewer_iterations_can_be_asked_for(painted):
    heard = []
    painted(PHOTO, STYLE, iterations=(1,), progress=lambda *now: heard.append(now))
    assert heard == [(1, 1)]
    with pytest.raises(OptionError, match="iterations 0 is not a whole number from 1 on"):
        painted(PHOTO, STYLE, iterations=(0,))


def test_without_strength_the_style_does_not_matter(painted):
    other = made_photo(50, 50, seed=8)
    none = [np.asarray(painted(PHOTO, style, strength=0)) for style in (STYLE, other)]
    full = [np.asarray(painted(PHOTO, style, strength=1)) for style in (STYLE, other)]
    assert np.array_equal(*none)
    assert not np.array_equal(*full)


def test_a_large_picture_from_a_small_painting(painted):
    photo = made_photo(80, 96)
    made = painted(photo, STYLE, draw_size=48)
    assert made.size == (96, 80)
    small = resize(from_any(photo), longest=48)
    drawn = painted.translate_picture(small, [from_any(STYLE)]).pixels.astype(int)
    assert np.abs(resize(from_any(made), longest=48).pixels - drawn).mean() < 2.5


def test_several_styles_with_masks(painted):
    left = np.where(np.arange(48) < 24, 255, 0).astype(np.uint8)[None].repeat(40, 0)
    other = made_photo(30, 40, seed=9)
    both = np.asarray(painted(PHOTO, [STYLE, other], weights=(1, 2), masks=[left, 255 - left]))
    assert not np.array_equal(both, np.asarray(painted(PHOTO, [STYLE, other])))
    one = np.asarray(painted(PHOTO, STYLE, masks=[left]))
    assert np.array_equal(one[:, 24:], PHOTO[:, 24:])
    with pytest.raises(OptionError, match="1 masks were given for 2 styles"):
        painted(PHOTO, [STYLE, other], masks=[left])


def test_colours_are_kept(painted):
    kept = np.asarray(painted(PHOTO, STYLE, keep_colors="luminance", strength=1.0))
    assert not np.array_equal(kept, np.asarray(painted(PHOTO, STYLE)))


def test_no_style_for_a_picture_in_memory(painted):
    with pytest.raises(OptionError, match="a style is needed"):
        painted.translate_picture(from_any(PHOTO), [])


def test_no_style(painted):
    with pytest.raises(OptionError, match="a style is needed"):
        painted(PHOTO)


def test_texture(model):
    result = Painter(model, device="cpu").texture([STYLE], (30, 20))
    assert (result.width, result.height, result.mode) == (30, 20, "RGB")
    with pytest.raises(Cancelled):
        Painter(model, device="cpu").texture([STYLE], (30, 20), progress=lambda done, total: False)
