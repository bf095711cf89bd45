"""A drawing in its photograph: nothing changes outside, all inside, and no seam between."""

import itertools

import cv2
import numpy as np
import pytest
from collages import round_mask
from stylizers import made_photo

from sfumato import image
from sfumato.collage import Options, blend, blending, border
from sfumato.errors import OptionError
from sfumato.parsing import Parts
from sfumato.parts import PARTS

WAYS = ("guided", "feather", "laplacian", "hard")


def disc(height=160, width=200, middle=(95, 80), radius=36):
    return round_mask(height, width, middle, radius)


def pair(height=160, width=200, dtype=np.uint8):
    """A photograph and a drawing that differs everywhere."""
    photo = made_photo(height, width, seed=1, dtype=dtype)
    return photo, np.iinfo(dtype).max - photo


def eroded(mask, radius):
    return cv2.erode(mask.astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8)) > 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("way", "softness"), list(itertools.product(WAYS, (0.0, 0.5, 1.0))))
def test_what_alpha_leaves_out_is_the_photograph_byte_for_byte(way, softness, dtype, tmp_path):
    photo, drawn = pair(dtype=dtype)
    made = blend(photo, drawn, disc(), Options(blend=way, softness=softness))
    outside = made.alpha == 0
    assert 0.3 < outside.mean() < 0.95
    np.testing.assert_array_equal(made.pixels[outside], photo[outside])
    image.write(tmp_path / "out.png", image.from_any(made.pixels))
    np.testing.assert_array_equal(image.read(tmp_path / "out.png").pixels[outside], photo[outside])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("way", WAYS)
def test_deep_inside_is_the_drawing(way, dtype):
    photo, drawn = pair(dtype=dtype)
    made = blend(photo, drawn, disc(), Options(blend=way))
    inside = eroded(disc(), 20)
    assert made.pixels.dtype == dtype
    assert made.alpha[inside].min() >= 250
    away = np.abs(made.pixels.astype(int) - drawn)[inside] / np.iinfo(dtype).max
    assert away.max() < 0.02


def test_a_hard_border_is_the_mask():
    photo, drawn = pair()
    made = blend(photo, drawn, disc(), Options(blend="hard"))
    np.testing.assert_array_equal(made.alpha, np.where(disc(), 255, 0))
    np.testing.assert_array_equal(made.pixels, np.where(disc()[..., None], drawn, photo))


@pytest.mark.parametrize("way", WAYS)
def test_strength_is_the_share_of_the_drawing(way):
    photo, drawn = pair()
    none, half, full = (blend(photo, drawn, disc(), Options(blend=way, strength=s)).pixels for s in (0, 0.5, 1))
    np.testing.assert_array_equal(none, photo)
    inside = eroded(disc(), 20)
    assert np.abs(half.astype(int) - (photo.astype(int) + full) / 2)[inside].max() <= 1


def test_a_soft_border_is_wider():
    photo, drawn = pair()
    for way in ("feather", "laplacian"):
        soft = [blend(photo, drawn, disc(), Options(blend=way, softness=s)).alpha for s in (0, 0.5, 1)]
        widths = [int(((alpha > 10) & (alpha < 245)).sum()) for alpha in soft]
        assert widths == sorted(widths) and widths[0] * 3 < widths[2], way


def test_a_wide_feather_is_that_of_all_pixels():
    """It is found on a small copy: at most a step or two of 255 off."""
    photo, drawn = pair(900, 1000)
    mask = disc(900, 1000, (480, 450), 260)
    made = blend(photo, drawn, mask, Options(blend="feather", softness=1))
    sigma = 2 * blending.FEATHER * float(mask.sum()) ** 0.5
    assert sigma > 3 * border.WIDE
    wanted = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) * 255
    assert np.abs(made.alpha - wanted).max() < 2.5


def test_the_guided_border_is_that_of_the_photograph():
    """A mask that is off by some pixels: the share follows the disc that is seen."""
    seen = disc()
    photo = np.where(seen[..., None], [60, 40, 30], [180, 190, 200]).astype(np.uint8)
    photo = (photo + made_photo(160, 200, seed=2) // 16).astype(np.uint8)
    wrong = np.roll(seen, 4, axis=1)
    alpha = blend(photo, 255 - photo, wrong).alpha / 255
    assert np.abs(alpha - seen).mean() < 0.5 * np.abs(wrong.astype(float) - seen).mean()


def test_colors_can_be_matched():
    photo, _ = pair()
    drawn = (photo // 3).astype(np.uint8)
    own, matched = (blend(photo, drawn, disc(), Options(blend="hard", color_match=m)).pixels for m in (0, 1))
    wanted = photo[disc()].mean(0)
    assert np.abs(own[disc()].mean(0) - wanted).min() > 20
    assert np.abs(matched[disc()].mean(0) - wanted).max() < 6
    np.testing.assert_array_equal(matched[~disc()], photo[~disc()])


def test_what_is_far_away_makes_no_difference():
    photo, drawn = pair(160, 400)
    mask = np.zeros((160, 400), bool)
    mask[:, :200] = disc()
    other = photo.copy()
    other[:, 300:] = 0
    a, b = (blend(p, drawn, mask).pixels for p in (photo, other))
    np.testing.assert_array_equal(a[:, :250], b[:, :250])
    np.testing.assert_array_equal(b[:, 300:], 0)


def test_zones_of_different_sizes_have_borders_of_their_own():
    photo, drawn = pair(300, 500)
    mask = np.zeros((300, 500), bool)
    mask[:, :250] = disc(300, 250, (130, 150), 90)
    mask[:, 250:] = disc(300, 250, (150, 150), 12)
    alone = [mask.copy(), mask.copy()]
    alone[0][:, 250:] = False
    alone[1][:, :250] = False
    both = blend(photo, drawn, mask, Options(blend="feather"))
    for part, side in zip(alone, (np.s_[:, :250], np.s_[:, 250:]), strict=True):
        np.testing.assert_array_equal(both.alpha[side], blend(photo, drawn, part, Options(blend="feather")).alpha[side])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_between_two_zones_neither_is_laid_over_the_other(way, strength):
    """Whichever comes first, both are seen as much; alpha tells how much, where colours are mixed by it alone."""
    photo, drawn = np.zeros((120, 200, 3), np.uint8), np.full((120, 200, 3), 200, np.uint8)
    mask = np.zeros((120, 200), bool)
    mask[20:100, 20:98] = mask[20:100, 102:180] = True
    made = blend(photo, drawn, mask, Options(blend=way, strength=strength))
    seen, alpha = made.pixels[..., 0].astype(int), made.alpha.astype(int)
    if way in ("hard", "feather"):
        assert np.abs(seen / 200 - alpha / 255).max() < 0.02
    assert alpha.max() <= round(255 * strength)
    np.testing.assert_allclose(alpha[:, :100], alpha[:, :99:-1], atol=6)
    np.testing.assert_allclose(seen[:, :100], seen[:, :99:-1], atol=6)


def test_a_large_photograph_is_blended_in_strips_that_do_not_show(monkeypatch):
    """However few rows are worked on at once, the result is the same."""
    photo, drawn, face = neck()
    results = []
    for pixels in (2**20, 3000, 1):
        monkeypatch.setattr(border, "STRIP", pixels)
        results.append(blend(photo, drawn, face))
    for made in results[1:]:
        np.testing.assert_array_equal(made.pixels, results[0].pixels)
        np.testing.assert_array_equal(made.alpha, results[0].alpha)


def test_a_strip_that_fails_is_heard_of(monkeypatch):
    photo, drawn, face = neck()

    def broken(*_given):
        raise MemoryError

    monkeypatch.setattr(border, "guided", broken)
    with pytest.raises(MemoryError):
        blend(photo, drawn, face)


@pytest.mark.parametrize("softness", [0.0, 0.1, 0.3])
def test_skin_and_tones_do_not_depend_on_the_softness(softness):
    """They are found on a copy that is no finer for a narrow border, and deep inside nothing changes with it."""
    photo, drawn, face = neck()
    usual, made = (blend(photo, drawn, face, Options(softness=s)) for s in (0.5, softness))
    inside = eroded(face, 40)
    assert inside.sum() > 1000
    assert np.abs(made.pixels.astype(int) - usual.pixels)[inside].max() <= 2
    outside = ~cv2.dilate(face.astype(np.uint8), np.ones((81, 81), np.uint8)).astype(bool)
    np.testing.assert_array_equal(made.pixels[outside], photo[outside])


@pytest.mark.parametrize("rows", [slice(0, 37), slice(5, 6), slice(30, 37)])
def test_rows_of_cells_grown_are_those_of_all_grown(rows):
    plane = np.random.default_rng(0).random((9, 7, 4), np.float32)
    cells = np.zeros((9, 7), np.float32)
    site = border.Site(guide=plane[..., :3], mask=cells > 0, away=cells, size=3.0, shape=(37, 50))
    wanted = cv2.resize(plane, (50, 37), interpolation=cv2.INTER_LINEAR)[rows]
    np.testing.assert_allclose(site.grown(plane, rows), wanted, atol=1e-6)
    np.testing.assert_allclose(site.grown(plane[..., 0], rows), wanted[..., 0], atol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_many_specks(way):
    photo, drawn = pair(120, 120)
    mask = np.random.default_rng(0).random((120, 120)) < 0.02
    made = blend(photo, drawn, mask, Options(blend=way))
    np.testing.assert_array_equal(made.pixels[made.alpha == 0], photo[made.alpha == 0])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 300), (300, 2), (17, 13)])
def test_whole_and_tiny_pictures(way, shape):
    photo, drawn = pair(*shape)
    made = blend(photo, drawn, np.ones(shape, bool), Options(blend=way))
    assert made.alpha.max() == 255
    nothing = blend(photo, drawn, np.zeros(shape, bool), Options(blend=way))
    np.testing.assert_array_equal(nothing.pixels, photo)
    assert not nothing.alpha.any()


def neck():
    """A face on a neck in the shadow of the jaw; its drawing is lighter; the face's mask, and the jaw's columns."""
    y, x = np.mgrid[:300, :240].astype(float)
    face = ((x - 120) / 70) ** 2 + ((y - 120) / 95) ** 2 < 1
    below = (np.abs(x - 120) < 52) & (y > 120) & ~face
    grain = np.random.default_rng(3).normal(0, 1.5, (300, 240, 1))
    skin = np.array([200.0, 150, 122]) * np.where(below, 0.9, 1.0)[..., None] + grain
    photo = np.where((face | below)[..., None], skin, np.array([60.0, 75, 90]) + grain).round().astype(np.uint8)
    drawn = np.where((face | below)[..., None], photo + [30.0, 35, 60], 200).clip(0, 255).astype(np.uint8)
    return photo, drawn, face


def jump(pixels, face):
    """The difference of colours three pixels above and below the jaw."""
    columns = range(90, 151)
    ends = [int(np.flatnonzero(face[:, column]).max()) for column in columns]
    rows = [(pixels[end - 4 : end, c].mean(0), pixels[end + 2 : end + 6, c].mean(0)) for end, c in zip(ends, columns)]
    return float(np.mean([np.abs(a - b).mean() for a, b in rows]))


def labelled(face, beyond):
    labels = np.full(face.shape, PARTS.index(beyond), np.uint8)
    labels[face] = PARTS.index("face")
    return Parts(labels=labels)


def test_no_edge_shows_where_skin_goes_on():
    photo, drawn, face = neck()
    own = jump(photo, face)
    assert jump(blend(photo, drawn, face, Options(blend="hard")).pixels, face) > 3 * own
    for parts in (None, labelled(face, "background"), labelled(face, "left-arm")):
        made = blend(photo, drawn, face, parts=parts)
        assert jump(made.pixels, face) < 1.1 * own
        deep = eroded(face, 45)
        assert np.abs(made.pixels[deep].astype(int) - drawn[deep]).mean() < 2


def test_the_middle_of_a_thin_zone_is_all_drawing():
    """A strip of skin on skin whose ramp would be deeper than itself."""
    photo, mask = np.full((60, 240, 3), 150, np.uint8), np.zeros((60, 240), bool)
    mask[26:34, 20:220] = True
    made = blend(photo, photo + np.uint8(60), mask, Options(softness=1))
    assert made.alpha[30, 120] == 255
    assert 0 < made.alpha[26, 120] < 255


def test_skin_ends_at_a_collar():
    photo, drawn, face = neck()
    made = blend(photo, drawn, face, parts=labelled(face, "upper-clothes"))
    assert jump(made.pixels, face) > 2 * jump(photo, face)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drawn": made_photo(10, 12)}, "the drawing is"),
        ({"drawn": made_photo(20, 30, dtype=np.uint16)}, "of uint16, the photograph"),
        ({"mask": np.ones((20, 31), bool)}, "the mask is"),
        ({"mask": np.ones((20, 30), np.uint8)}, "of uint8, the photograph wants"),
        ({"photo": made_photo(20, 30)[..., 0]}, "a photograph is"),
        ({"photo": made_photo(20, 30) / 255}, "float64"),
        ({"parts": Parts.empty(30, 20)}, "the parts are those of"),
    ],
)
def test_what_does_not_fit(changes, message):
    given = {"photo": made_photo(20, 30), "drawn": made_photo(20, 30), "mask": np.ones((20, 30), bool)} | changes
    parts = given.pop("parts", None)
    with pytest.raises(OptionError, match=message):
        blend(*given.values(), parts=parts)
