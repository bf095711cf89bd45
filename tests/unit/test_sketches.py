"""Photographs as drawings of lines."""

import numpy as np
import pytest
import torch

from sfumato.data import edges
from sfumato.data.sketches import Config, Sketcher, lines_of, resized, strip
from sfumato.errors import WeightsError
from sfumato.nets.hed import HED, read_hed


def disc(height=120, width=160, *, inside=(200, 60, 40), outside=(90, 120, 160)):
    y, x = np.mgrid[:height, :width]
    mask = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (0.3 * height) ** 2
    return np.where(mask[..., None], inside, outside).astype(np.uint8)


def test_a_disc_becomes_a_ring():
    lines = Sketcher(Config(line_width=3))(disc())
    assert (lines.shape, lines.dtype) == ((120, 160), np.uint8)
    y, x = np.nonzero(lines < 128)
    radius = np.hypot(x - 80, y - 60)
    assert np.abs(radius - 36).max() < 3
    turned = np.unique(np.round(np.degrees(np.arctan2(y - 60, x - 80)) / 10))
    assert len(turned) >= 36


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (37, 53), (700, 900)])
def test_the_size_stays(size):
    rng = np.random.default_rng(0)
    assert Sketcher()(rng.integers(0, 256, (*size, 3), np.uint8)).shape == size


def test_blank_paper_stays_blank():
    noise = np.random.default_rng(0).integers(127, 130, (80, 90, 3)).astype(np.uint8)
    assert (Sketcher()(noise) == 255).all()


def test_colour_alone_makes_an_edge():
    """Two colours of the same lightness."""
    assert (Sketcher()(disc(inside=(200, 60, 60), outside=(60, 118, 60))) < 128).any()


def test_texture_is_weaker_than_an_outline():
    rng = np.random.default_rng(0)
    pixels = disc(inside=(220, 220, 220), outside=(60, 60, 60))
    grass = np.clip(pixels[:, :60].astype(int) + rng.integers(-60, 60, (120, 60, 1)), 0, 255)
    pixels[:, :60] = grass
    lab = edges.smoothed(pixels)
    plain, weakened = edges.classical(lab, texture=0), edges.classical(lab, texture=2)
    assert weakened[:, 5:40].mean() < 0.7 * plain[:, 5:40].mean()
    assert weakened[40:80, 110:122].max() > 0.8 * plain[40:80, 110:122].max()


def test_less_threshold_draws_more():
    rng = np.random.default_rng(1)
    pixels = np.kron(rng.integers(60, 160, (8, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    few, many = (Sketcher(Config(threshold=t))(pixels) for t in (0.9, 0.2))
    assert (few < 128).sum() < (many < 128).sum()


def test_soft_lines_are_grey():
    pixels = disc(inside=(130, 120, 160))
    pixels[:, :20] = 0
    black, grey = (Sketcher(Config(keep_grey=soft, threshold=0.1))(pixels) for soft in (False, True))
    assert grey[:, 40:].min() > black[:, 40:].min()


def test_stages_and_their_strip():
    stages = Sketcher()(disc()), Sketcher().stages(disc())
    assert np.array_equal(stages[0], stages[1]["lines"])
    names = ["photo", "edges", "ridges", "strong", "thin", "clean", "lines", "distance"]
    assert list(stages[1]) == names
    assert strip(stages[1], 80).shape == (60 + 4 + 32, len(names) * 88, 3)


def test_another_finder_is_asked():
    seen = []

    def finder(pixels):
        seen.append(pixels.shape)
        found = np.zeros(pixels.shape[:2], np.float32)
        found[:, pixels.shape[1] // 2] = 1
        return found

    lines = Sketcher(Config(detail=100), finder)(disc())
    assert seen == [(75, 100, 3)]
    assert {int(x) for x in np.nonzero(lines < 128)[1]} <= set(range(77, 85))


def test_lines_of_either_kind_of_picture():
    dark_on_light = np.full((9, 9), 255, np.uint8)
    dark_on_light[4] = 0
    for picture in (dark_on_light, 255 - dark_on_light):
        found = lines_of(picture)
        assert (found[4] == 1).all()
        assert found.sum() == 9


def test_small_pictures_are_looked_at_twice_as_large():
    assert resized(disc(30, 40), 640).shape == (60, 80, 3)
    assert resized(disc(300, 400), 200).shape == (150, 200, 3)


def test_hed_reads_its_file(tmp_path):
    torch.manual_seed(0)
    network = HED().eval()
    state = {key.replace("net", "module", 1): value for key, value in network.state_dict().items()}
    assert sorted(state)[0] == "moduleCombine.0.bias"
    assert "moduleVggThr.5.weight" in state
    torch.save(state, tmp_path / "hed.pytorch")
    loaded = read_hed(tmp_path / "hed.pytorch")
    found = loaded.edges(disc(37, 53))
    assert (found.shape, found.dtype) == ((37, 53), np.float32)
    assert 0 <= found.min() <= found.max() <= 1
    assert np.array_equal(found, network.edges(disc(37, 53)))


def test_hed_does_not_read_another(tmp_path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="not the weights of HED"):
        read_hed(tmp_path / "other.pth")
