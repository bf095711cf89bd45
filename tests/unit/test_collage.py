"""From a photograph to a collage: every kind of picture, every step kept, nothing else changed."""

import itertools

import numpy as np
import pytest
import torch
from collages import Negative, disc
from PIL import Image
from stylizers import made_photo, make_microast

import sfumato
from sfumato import Translator, image
from sfumato.collage import Collage, Options, Scene, blend, collage, filters, mask_of, zones
from sfumato.collage.options import FILTERS
from sfumato.data.faces import Face
from sfumato.errors import Cancelled, OptionError
from sfumato.image import Picture
from sfumato.parsing import Parts
from sfumato.parts import PARTS


def test_every_step_is_kept():
    photo, mask = made_photo(120, 160), disc(120, 160, 0.2)  # the square around it lies in the photograph
    artist = Negative()
    made = collage(photo, mask, artist, Options(filter="warm", padding=0.5))
    assert isinstance(made, Collage)
    (patch,) = made.patches
    assert (patch.box.height, patch.box.width) == (2 * patch.head.box.height, 2 * patch.head.box.width)
    np.testing.assert_array_equal(patch.crop.pixels, photo[patch.box.slices])
    assert patch.drawn.pixels.shape == patch.crop.pixels.shape
    np.testing.assert_array_equal(patch.filtered.pixels, filters.filtered(patch.crop.pixels, "warm"))
    np.testing.assert_array_equal(artist.seen[0].pixels, patch.filtered.pixels)
    np.testing.assert_array_equal(made.drawn[60, 80], 255 - filters.filtered(photo, "warm")[60, 80])
    assert list(made.steps()) == ["mask", "crop", "filtered", "drawn", "alpha", "result"]
    assert all(isinstance(picture, Picture) for picture in made.steps().values())
    np.testing.assert_array_equal(made.steps()["mask"].pixels[..., 0], mask * 255)
    np.testing.assert_array_equal(made.result.pixels[made.alpha == 0], photo[made.alpha == 0])


def test_a_blend_again_needs_no_model():
    photo, mask = made_photo(120, 160), disc(120, 160)
    made = collage(photo, mask, Negative())
    again = blend(photo, made.drawn, made.mask, Options())
    np.testing.assert_array_equal(again.pixels, made.result.pixels)
    softer = blend(photo, made.drawn, made.mask, Options(blend="feather", softness=1))
    assert (softer.pixels != made.result.pixels).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (60, 2), (16, 16), (40, 3000), (2600, 30)])
def test_pictures_of_any_size(shape):
    photo, mask = made_photo(*shape), disc(*shape)
    made = collage(photo, mask, Negative())
    assert made.result.pixels.shape == photo.shape
    assert made.alpha[mask].max() == 255
    np.testing.assert_array_equal(made.result.pixels[made.alpha == 0], photo[made.alpha == 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_grey_transparent_and_deep_pictures(channels, dtype):
    pixels = made_photo(60, 80, channels, dtype=dtype)
    photo = image.from_any(pixels)
    made = collage(pixels, disc(60, 80), Negative())
    assert (made.result.mode, made.result.pixels.dtype) == ("RGB" if photo.alpha is None else "RGBA", dtype)
    if photo.alpha is not None:
        np.testing.assert_array_equal(made.result.alpha, photo.alpha)
    outside = made.alpha == 0
    np.testing.assert_array_equal(made.result.pixels[outside], photo.pixels[outside])


@pytest.mark.parametrize("mode", ["L", "P", "1"])
def test_what_leaves_has_the_own_values_outside(mode):
    """However few colours the photograph had room for, the drawing has all."""

    class Red(Negative):
        def translate_picture(self, picture, *_given, **_named):
            return picture.with_pixels(np.broadcast_to(np.array([200, 30, 40], np.uint8), picture.pixels.shape).copy())

    photo = Image.fromarray(made_photo(60, 80)).convert(mode)
    mask = disc(60, 80)
    left = np.asarray(collage(photo, mask, Red(), Options(blend="hard")).result.to_pil())
    assert (left[mask] == [200, 30, 40]).all()
    np.testing.assert_array_equal(left[~mask], np.asarray(photo.convert("RGB"))[~mask])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_that_are_turned(orientation, tmp_path):
    """A file is worked on upright, and so is its mask."""
    upright = made_photo(40, 60)
    stored = upright.copy()
    if orientation in (2, 3, 6, 7):
        stored = stored[:, ::-1]
    if orientation in (3, 4, 7, 8):
        stored = stored[::-1]
    if orientation >= 5:
        stored = stored.swapaxes(0, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "photo.png", exif=exif)
    mask = np.zeros((40, 60), bool)
    mask[5:15, 10:30] = True
    made = collage(tmp_path / "photo.png", mask, Negative(), Options(blend="hard"))
    np.testing.assert_array_equal(made.result.pixels, np.where(mask[..., None], 255 - upright, upright))


def test_an_empty_zone_leaves_the_photograph():
    photo, artist = made_photo(30, 40), Negative()
    made = collage(photo, np.zeros((30, 40), bool), artist)
    np.testing.assert_array_equal(made.result.pixels, photo)
    assert made.patches == () and not made.alpha.any() and artist.seen == []
    assert list(made.steps()) == ["mask", "alpha", "result"]
    nobody = collage(photo, None, artist, parts=Parts(labels=np.zeros((30, 40), np.uint8)))
    np.testing.assert_array_equal(nobody.result.pixels, photo)


def test_masks_of_another_size_are_resized():
    photo = image.from_any(made_photo(60, 80))
    small = disc(30, 40)
    found = mask_of(small, photo)
    assert (found != disc(60, 80)).mean() < 0.02
    assert mask_of(Image.fromarray(small.astype(np.uint8) * 255), photo).sum() == found.sum()
    with pytest.raises(OptionError, match="as a mask has 40 x 40 pixels, another shape than the picture's 80 x 60"):
        collage(photo, np.ones((40, 40), bool), Negative())


def test_where_the_parts_are():
    labels = np.zeros((60, 80), np.uint8)
    labels[10:30, 20:60], labels[30:50, 20:60] = PARTS.index("hat"), PARTS.index("face")
    photo = made_photo(60, 80)
    made = collage(photo, None, Negative(), Options(parts=("hat",), blend="hard"), parts=Parts(labels=labels))
    assert made.mask[20, 40] and not made.mask[40, 40]
    np.testing.assert_array_equal(made.result.pixels[34:], photo[34:])


def faces_at(*places):
    return [Face(box=(x - 15, y - 15, 30, 30), points=((x, y),) * 5, score=1.0) for x, y in places]


def test_each_face_has_its_own_square(monkeypatch):
    monkeypatch.setattr(zones.faces, "detect", lambda _: faces_at((50, 60), (100, 60)))
    mask = disc(120, 300)
    mask[:] = False
    mask[40:80, 25:125] = True
    mask[30:90, 220:270] = True
    photo = made_photo(120, 300)
    made = collage(photo, mask, Negative(), Options(blend="hard"))
    assert len(made.patches) == 3
    assert sorted(patch.head.box.left for patch in made.patches) == [25, 75, 220]
    np.testing.assert_array_equal(made.result.pixels, np.where(mask[..., None], 255 - photo, photo))
    assert list(made.steps())[1:4] == ["crop-1", "filtered-1", "drawn-1"]


def test_what_a_model_is_given():
    photo, mask = made_photo(900, 900), disc(900, 900)
    for size, own, side in ((None, 0, 512), (None, 128, 128), (64, 128, 64), (700, 0, 700)):
        artist = Negative()
        artist.side = own
        collage(photo, mask, artist, Options(size=size), styles=["wave.jpg"])
        assert artist.seen[0].pixels.shape == (side, side, 3)
        assert artist.styles == [["wave.jpg"]]
    artist = Negative()
    collage(made_photo(40, 100), disc(40, 100, 0.5), artist, Options(padding=2))
    assert artist.seen[0].pixels.shape == (40, 100, 3)


def test_progress_is_that_of_all_heads():
    told = []
    mask = np.zeros((60, 200), bool)
    mask[20:40, 20:40] = mask[10:50, 120:160] = True
    collage(made_photo(60, 200), mask, Negative(), progress=lambda *x: told.append(x))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) == 4 and told[-1][0] == told[-1][1]
    with pytest.raises(Cancelled):
        collage(made_photo(60, 200), mask, Negative(), progress=lambda done, total: False)


def test_random_models_are_fixed_by_the_seed():
    class Random(Negative):
        def translate_picture(self, picture, styles, options, *, progress):
            noise = torch.randint(0, 256, picture.pixels.shape, dtype=torch.uint8)
            return picture.with_pixels(noise.numpy())

    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    photo, mask = made_photo(30, 40), disc(30, 40)
    one, same, other = (collage(photo, mask, Random(), Options(seed=s)).result.pixels for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert torch.equal(before, torch.random.get_rng_state())


def test_by_a_stylizer():
    """The package calls its function, by a model at work."""
    photo, mask, translator = made_photo(90, 120), disc(90, 120), Translator(make_microast(), device="cpu")
    made = sfumato.collage(photo, mask, translator, Options(blend="hard"), styles=[made_photo(40, 40, seed=5)])
    assert np.abs(made.result.pixels[mask].astype(int) - photo[mask]).mean() > 5
    np.testing.assert_array_equal(made.result.pixels[~mask], photo[~mask])


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_filters(name, dtype):
    pixels = made_photo(40, 50, dtype=dtype)
    made = filters.filtered(pixels, name)
    assert (made.shape, made.dtype) == (pixels.shape, dtype)
    red, green, blue = (made.reshape(-1, 3).mean(0) / np.iinfo(dtype).max) - pixels.reshape(-1, 3).mean(0) / np.iinfo(
        dtype
    ).max
    tone = {"warm": red > green > blue, "cool": blue > green > red, "none": (made == pixels).all()}
    assert tone.get(name, True)
    spreads = made.astype(float).std() / pixels.astype(float).std()
    assert {"contrast": spreads > 1.1, "pale": spreads < 0.8, "vivid": spreads > 1.05}.get(name, True)


def test_filters_differ():
    pixels = made_photo(40, 50)
    made = [filters.filtered(pixels, name).astype(int) for name in FILTERS]
    assert all(np.abs(a - b).mean() > 3 for a, b in itertools.combinations(made, 2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"parts": []}, "parts: name at least one of background, hat"),
        ({"parts": ["face", "nose"]}, "parts: 'nose' is none of background"),
        ({"blend": "poisson"}, "blend 'poisson' is none of guided, feather, laplacian, hard"),
        ({"filter": "sepia"}, "filter 'sepia' is none of none, warm"),
        ({"softness": 1.5}, "softness 1.5 is not between 0 and 1"),
        ({"color_match": -1}, "color_match -1 is not between"),
        ({"strength": float("nan")}, "strength nan"),
        ({"padding": 3}, "padding 3 is not between 0 and 2"),
        ({"seed": -1}, "seed -1 is not a whole number"),
        ({"size": 8}, "size 8 is not a whole number from 16 to 4096"),
        ({"softness": "much"}, "an option has a value of a wrong type"),
        ({"colour": 1}, "there is no option 'colour'; there are parts, blend"),
    ],
)
def test_options_that_cannot_be(given, message):
    with pytest.raises(OptionError, match=message):
        Options.of(**given)


def test_options_as_a_request_has_them():
    from pydantic import TypeAdapter

    made = TypeAdapter(Options).validate_json('{"parts": ["hair"], "softness": 0.25, "filter": "cool"}')
    assert made == Options.of(parts=["hair"], softness=0.25, filter="cool")


def test_scenes_are_found_once_for_many_drawings():
    photo, mask = image.from_any(made_photo(90, 120)), disc(90, 120)
    scene = Scene.of(photo, mask, None, Options())
    one, other = (scene.drawn(Negative(), Options(filter=name)) for name in ("none", "cool"))
    assert one.mask is other.mask is scene.mask
    assert (one.result.pixels != other.result.pixels).any()
