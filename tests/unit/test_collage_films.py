"""Frame after frame: the zone holds, the square is steady, and what is outside stays."""

import numpy as np
import pytest
from collages import Negative, disc
from stylizers import made_photo

from sfumato.collage import Film, Options
from sfumato.errors import OptionError
from sfumato.parsing import Parts
from sfumato.parts import PARTS


class Finder:
    """Finds a disc that moves by `step` and flutters, and nothing at all in frame `missed`."""

    def __init__(self, *, step=0, flutter=0, missed=-1):
        self.step, self.flutter, self.missed = step, flutter, missed
        self.count = -1

    def __call__(self, source):
        self.count += 1
        height, width = source.shape[:2]
        size = 0.3 + self.flutter * (-1) ** self.count
        inside = np.roll(disc(height, width, size), self.step * self.count, axis=1)
        labels = np.where(inside & (self.count != self.missed), PARTS.index("face"), 0)
        return Parts(labels=labels.astype(np.uint8))


def film(count, step=0, height=120, width=160):
    wide = made_photo(height, width + 40)
    return [np.ascontiguousarray(wide[:, 40 - step * i : 40 - step * i + width]) for i in range(count)]


def drawn(frames, find, **given):
    work = Film(Negative(), Options(blend="hard"), find=find, **given)
    results, zones = [], []
    for frame in frames:
        results.append(work(frame))
        zones.append(np.any(results[-1] != frame, axis=2))
    return results, zones, work


def test_what_is_outside_stays_in_every_frame():
    frames = film(4, step=2)
    for smooth in (0.0, 0.7):
        results, _, _ = drawn(frames, Finder(step=2), smooth=smooth)
        for frame, result in zip(frames, results, strict=True):
            outside = np.ones(frame.shape[:2], bool)
            outside[15:105, 30:140] = False
            np.testing.assert_array_equal(result[outside], frame[outside])
            assert (result[60, 80] != frame[60, 80]).any()


def test_a_zone_that_flutters_is_held():
    frames = film(8)
    _, zones, _ = drawn(frames, Finder(flutter=0.03))
    changes = [float((a != b).mean()) for a, b in zip(zones[3:], zones[4:])]
    alone = float((disc(120, 160, 0.33) != disc(120, 160, 0.27)).mean())
    assert max(changes) < 0.5 * alone


def test_a_zone_moves_with_the_film():
    frames = film(6, step=3)
    _, zones, _ = drawn(frames, Finder(step=3))
    wanted = np.roll(disc(120, 160), 15, axis=1)
    assert (zones[-1] != wanted).sum() < 0.12 * wanted.sum()


def test_one_frame_without_a_face_does_not_show():
    frames = film(5)
    _, zones, _ = drawn(frames, Finder(missed=3))
    assert zones[3].sum() > 0.9 * zones[2].sum()


def test_where_a_scene_ends_nothing_is_kept():
    frames = [*film(2), *(255 - frame for frame in film(2))]
    _, zones, _ = drawn(frames, Finder(missed=2))
    assert zones[2].sum() < 0.05 * zones[1].sum()


def test_the_square_is_steady():
    frames = film(10)
    work = Film(Negative(), Options(), find=Finder(flutter=0.02))
    squares = []
    for frame in frames:
        work(frame)
        squares.append(work.squares[0])
    sides = [box.height for box in squares[4:]]
    assert max(sides) - min(sides) <= 2


def test_where_a_scene_ends_the_square_is_a_new_one():
    """The second scene shows a face that is nearer to the first one's place than a square moves in a scene."""
    first, second = made_photo(120, 160), 255 - made_photo(120, 160)
    together, alone = (Film(Negative(), Options(), find=Finder(step=6)) for _ in range(2))
    alone.find.count = 1
    for frame in (first, first, second):
        together(frame)
    alone(second)
    assert together.squares == alone.squares


def test_squares_lie_in_frames_that_become_a_little_smaller():
    work = Film(Negative(), Options(parts=("background",)), find=Finder())
    for shape in ((64, 80), (60, 76)):
        work(made_photo(*shape))
        assert all(box.bottom <= shape[0] and box.right <= shape[1] for box in work.squares)


def test_smoothing_takes_flicker_from_the_drawing():
    class Flickering(Negative):
        def translate_picture(self, picture, styles, options, *, progress):
            self.seen.append(picture)
            return picture.with_pixels(np.full_like(picture.pixels, 200 if len(self.seen) % 2 else 100))

    def changes(smooth):
        work = Film(Flickering(), Options(blend="hard"), find=Finder(), smooth=smooth)
        middles = [int(work(frame)[60, 80, 0]) for frame in film(8)]
        return max(abs(a - b) for a, b in zip(middles[4:], middles[5:]))

    assert changes(0.0) == 100
    assert changes(0.7) < 60


def test_smoothing_leaves_no_trail_behind_a_face_that_moves():
    ground = made_photo(120, 240)
    find = Finder(step=5)
    work = Film(Negative(), Options(blend="hard"), find=find, smooth=0.9)
    for number in range(8):
        frame = ground.copy()
        inside = np.roll(disc(120, 240, 0.3), 5 * number, axis=1)
        frame[inside] = (200, 150, 120)
        result = work(frame)
    assert (result[inside] != frame[inside]).any()
    np.testing.assert_array_equal(result[:, :80], frame[:, :80])


def test_frames_of_changing_size():
    work = Film(Negative(), Options(), find=Finder())
    for shape in ((60, 80), (30, 40), (4, 4)):
        assert work(made_photo(*shape)).shape == (*shape, 3)


@pytest.mark.parametrize("smooth", [-0.1, 1.0])
def test_smoothing_that_cannot_be(smooth):
    with pytest.raises(OptionError, match="wants 0 up to, but not, 1"):
        Film(Negative(), smooth=smooth)
