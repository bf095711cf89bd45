"""Crops on white paper: where places go, there the pixels are."""

import cv2
import numpy as np
import pytest

from sfumato.data import paper, person_crop
from sfumato.data.person_crop import Region

OUT = (256, 192)


def dots(places, size=(400, 300)):
    """A sheet with a soft dark dot at each place."""
    y, x = np.mgrid[: size[0], : size[1]]
    dark = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * 2.5**2)) for a, b in places)
    return np.repeat(np.rint(255 - 250 * np.minimum(dark, 1)).astype(np.uint8)[..., None], 3, 2)


def centroid(pixels, place, reach=12):
    """The middle of what is dark near a place."""
    left, top = np.rint(place).astype(int) - reach
    part = 255.0 - pixels[max(top, 0) : top + 2 * reach + 1, max(left, 0) : left + 2 * reach + 1, 0]
    y, x = np.mgrid[: part.shape[0], : part.shape[1]]
    return np.array([(x * part).sum(), (y * part).sum()]) / part.sum() + (max(left, 0), max(top, 0))


@pytest.mark.parametrize("system", ["udp", "msra"])
@pytest.mark.parametrize("angle_deg", [0.0, 35.0, -120.0])
def test_places_and_pixels_agree(system, angle_deg):
    places = np.array([[140.0, 180.0], [160.3, 210.7], [130.0, 230.5]])
    region = Region(center=(150, 205), size=(180, 240), angle_deg=angle_deg)
    matrix = person_crop.affine(region, OUT, system)
    crop = person_crop.cut(dots(places), matrix, OUT)
    for place in person_crop.moved(places, matrix):
        assert np.abs(centroid(crop, place) - place).max() < 0.1


def test_a_much_larger_picture_is_averaged_and_stays_in_place():
    places = np.array([[700.0, 900.0], [1100.0, 1500.0]])
    sheet = np.full((2000, 1600, 3), 255, np.uint8)
    for x, y in places.astype(int):
        cv2.rectangle(sheet, (x - 20, y - 20), (x + 20, y + 20), (0, 0, 0), -1)
    matrix = person_crop.affine(person_crop.around((400, 600, 900, 1200), OUT), OUT)
    crop = person_crop.cut(sheet, matrix, OUT)
    for place in person_crop.moved(places, matrix):
        assert np.abs(centroid(crop, place, 8) - place).max() < 0.1


def test_thin_lines_of_large_pictures_do_not_break():
    sheet = np.full((2400, 1800, 3), 255, np.uint8)
    cv2.line(sheet, (100, 100), (1700, 2300), (0, 0, 0), 3)
    crop = person_crop.cut(sheet, person_crop.affine(person_crop.around((0, 0, 1800, 2400), OUT, padding=1), OUT), OUT)
    assert (crop[20:-20].min((1, 2)) < 215).all()


def test_beyond_the_border_is_paper():
    crop = person_crop.cut(
        np.zeros((50, 50, 3), np.uint8), person_crop.affine(person_crop.around((0, 0, 50, 50), OUT), OUT), OUT
    )
    assert (crop[:10] == 255).all()
    assert (crop[128, 96] == 0).all()


def test_the_corners_of_an_unbiased_crop_are_those_of_the_region():
    region = Region(center=(100, 100), size=(60, 80))
    corners = np.array([[70.0, 60.0], [130.0, 140.0]])
    np.testing.assert_allclose(
        person_crop.moved(corners, person_crop.affine(region, OUT)), [[0, 0], [191, 255]], atol=1e-9
    )


def test_bent_and_tilted_places_are_where_the_pixels_are():
    rng = np.random.default_rng(3)
    places = np.array([[120.0, 150.0], [170.0, 250.0], [150.0, 200.0]])
    matrix = person_crop.square(person_crop.affine(Region(center=(150, 200), size=(180, 240)), OUT))
    matrix = paper.tilted(OUT, 0.08, rng) @ matrix
    field = paper.bend(OUT, 5.0, rng)
    crop = person_crop.cut(dots(places), matrix, OUT, field)
    found = paper.bent(person_crop.moved(places, matrix), field)
    for place in found:
        assert np.abs(centroid(crop, place) - place).max() < 0.35  # a bent dot's middle is not quite its center
        shift = cv2.remap(field, *place.astype(np.float32).reshape(2, 1, 1), cv2.INTER_LINEAR)[0, 0]
        flat = person_crop.moved(place + shift, person_crop.inverse(matrix))
        assert np.abs(flat - places).max(1).min() < 0.02
    straight = person_crop.moved(places, person_crop.affine(Region(center=(150, 200), size=(180, 240)), OUT))
    assert np.linalg.norm(found - straight, axis=1).max() > 3  # so far that only the exact way back is near enough


def test_what_is_behind_the_vanishing_line_is_not_in_sight():
    matrix = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0.01, 1]])
    places = np.array([[10.0, 50.0], [10.0, -99.0], [10.0, -101.0], [10.0, -300.0]])
    assert person_crop.before(places, matrix).tolist() == [True, True, False, False]
    assert person_crop.before(places, matrix[:2]).all()


def test_wear_keeps_size_and_leaves_paper_light():
    sheet = dots([[60.0, 60.0]], (128, 96))
    for seed in range(12):
        rng = np.random.default_rng(seed)
        worn = paper.worn(sheet, paper.Wear(pen=1, grain=1, blur=1, noise=1, specks=1), rng)
        assert worn.shape == sheet.shape
        assert worn.dtype == np.uint8
        assert np.median(worn[:20]) > 120
        assert worn[55:66, 55:66].mean() < np.median(worn)
    assert (paper.worn(sheet, paper.NO_WEAR, np.random.default_rng(0)) == sheet).all()
