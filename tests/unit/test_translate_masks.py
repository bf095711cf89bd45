"""Each style in its place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from stylizers import made_photo, make_microast

from sfumato.errors import OptionError
from sfumato.image import Box, from_any
from sfumato.translate import Translator
from sfumato.translate.masks import Masks

A, B = made_photo(50, 50, seed=5), made_photo(50, 50, seed=6)
PHOTO = made_photo(60, 320)
LEFT = np.where(np.arange(320) < 160, 255, 0).astype(np.uint8)[None].repeat(60, 0)


@pytest.fixture(scope="module")
def exact():
    return Translator(make_microast(), device="cpu", precision="fp32")


def pixels(image):
    return np.asarray(image).astype(int)


def masks_of(arrays, shares, size=(8, 8)):
    return Masks(arrays, from_any(np.zeros((*size, 3), np.uint8)), size=size, shares=shares)


def test_full_masks_change_nothing(exact):
    white = np.full((60, 320), 255, np.uint8)
    for masks in ([white], (white,), white):
        assert np.array_equal(pixels(exact(PHOTO, A, masks=masks)), pixels(exact(PHOTO, A)))
    both = [pixels(exact(PHOTO, [A, B], masks=masks)) for masks in ([white, white], ())]
    assert np.abs(both[0] - both[1]).max() <= 1


def test_each_style_has_its_place(exact):
    result = pixels(exact(PHOTO, [A, B], masks=[LEFT, 255 - LEFT]))
    only_a, only_b = (pixels(exact(PHOTO, style)) for style in (A, B))
    # the second statistics of the content are those of the mixed features, so the styles are near, not equal
    near = {name: [np.abs(result - only)[:, part].mean() for part in (slice(0, 100), slice(220, 320))] for name, only in
            (("a", only_a), ("b", only_b))}  # fmt: skip
    assert near["a"][0] < near["b"][0]
    assert near["b"][1] < near["a"][1]


def test_uncovered_places_stay_as_they_are(exact):
    result, whole = pixels(exact(PHOTO, A, masks=[LEFT])), pixels(exact(PHOTO, A))
    assert np.array_equal(result[:, 160:], PHOTO[:, 160:])
    assert np.array_equal(result[:, :160], whole[:, :160])
    half = pixels(exact(PHOTO, A, masks=[np.full((60, 320), 128, np.uint8)]))
    assert np.abs(half - (whole.clip(0, 255) + PHOTO.astype(int)) / 2).max() <= 2


def test_masks_in_tiles(exact):
    tiled = Translator(make_microast(), 64, device="cpu", precision="fp32")
    results = [pixels(made(PHOTO, [A, B], masks=[LEFT, LEFT[::-1, ::-1] // 2])) for made in (exact, tiled)]
    assert np.abs(results[0] - results[1]).max() <= 1


def test_any_size_of_the_right_shape(exact):
    small = np.asarray(Image.fromarray(LEFT).resize((160, 30)))
    result = pixels(exact(PHOTO, A, masks=[small]))
    assert np.array_equal(result[:, 170:], PHOTO[:, 170:])
    assert exact(made_photo(3, 2), A, masks=[np.zeros((600, 400), np.uint8)]).size == (2, 3)


@pytest.mark.parametrize("kind", ["RGB", "1", "LA", "RGBA", "I;16", "float"])
def test_any_kind_of_picture(exact, kind):
    if kind == "float":
        mask = LEFT / 255.0
    elif kind == "I;16":
        mask = LEFT.astype(np.uint16) * 257
    elif kind in ("LA", "RGBA"):  # white paint on nothing
        mask = Image.new("LA", (320, 60), (255, 0))
        mask.putalpha(Image.fromarray(LEFT))
        mask = mask.convert(kind)
    else:
        mask = Image.fromarray(LEFT).convert(kind)
    expected = pixels(exact(PHOTO, A, masks=[LEFT]))
    assert np.abs(pixels(exact(PHOTO, A, masks=[mask])) - expected).max() <= 1


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_weights_sum_to_one(data):
    count, side = data.draw(st.integers(1, 4)), 4 * data.draw(st.integers(1, 5))
    draw = np.random.default_rng(data.draw(st.integers(0, 9)))
    level = data.draw(st.sampled_from([0, 1, 255]))
    arrays = [draw.integers(0, level, (side, side), endpoint=True).astype(np.uint8) for _ in range(count)]
    shares = draw.dirichlet(np.ones(count))
    masks = masks_of(arrays, tuple(shares), (side, side))
    weights = masks.weights(Box(0, 0, side, side), 4)
    assert weights.shape == (count, 1, side // 4, side // 4)
    np.testing.assert_allclose(weights.sum(0), 1, atol=1e-5)
    covered = masks.coverage(Box(0, 0, side, side))
    assert covered is None or (covered.min() >= 0 and covered.max() <= 1)


def test_soft_masks_that_complete_each_other_leave_no_gap():
    shades = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
    assert masks_of([shades, 255 - shades], (0.5, 0.5)).coverage(Box(0, 0, 8, 8)) is None


def test_weights_count_where_styles_overlap():
    white = np.full((8, 8), 255, np.uint8)
    weights = masks_of([white, white], (0.25, 0.75)).weights(Box(0, 0, 8, 8), 4)
    np.testing.assert_allclose(weights[0], 0.25, atol=1e-6)


@pytest.mark.parametrize(
    ("masks", "words"),
    [
        ([LEFT, LEFT], "2 masks were given for 1 styles"),
        ([LEFT.T], "60 x 320 pixels, another shape than the picture's 320 x 60"),
        ([LEFT[:, :300]], "300 x 60"),
    ],
)
def test_wrong_masks(exact, masks, words):
    with pytest.raises(OptionError, match=words):
        exact(PHOTO, A, masks=masks)
