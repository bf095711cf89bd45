"""What picture i shows: all there is comes once before anything comes again."""

import numpy as np

from sfumato.render import builtin, characters, choices, motions
from sfumato.render.job import Config, choice, scene


def chosen(config, count):
    return [choice(config, number, np.random.default_rng([config.seed, number])) for number in range(count)]


def test_each_picture_of_random_poses_has_its_own():
    config = Config(motion=("random",), size=(32, 32))
    numbers = [*range(300), *range(8000, 8300), *range(10**7, 10**7 + 300)]
    frames = [choice(config, number, np.random.default_rng(number)).frame for number in numbers]
    assert len(set(frames)) == len(numbers)


def test_as_many_random_poses_as_are_asked_for():
    config = Config(motion=("random:50",), cameras=2)
    found = chosen(config, 100)
    assert {c.frame for c in found} == set(range(50))
    assert len({(c.frame, c.azimuth_deg > 90) for c in found}) == 100


def test_people_have_manners_of_their_own():
    config = Config(motion=("builtin:walk",), variants=8, cameras=1)
    found = chosen(config, 60)
    seen = {c.variant: c.motion.posture(0) for c in found}
    assert len(set(seen.values())) == len(seen) > 4
    assert all(c.motion.posture(0) == seen[c.variant] for c in found)


def test_a_film_that_is_made_by_code_is_shown_at_all_moments():
    config = Config(motion=("builtin:idle",), every=10, variants=1, cameras=1)
    found = chosen(config, 240)
    frames = {c.frame for c in found}
    assert len(frames) > 0.6 * found[0].motion.frames
    assert max(frames) < found[0].motion.frames
    places = [c.frame * 12 // c.motion.frames for c in found[:12]]
    assert len(set(places)) == 12  # each stretch of ten frames comes once
    assert scene(config, 3).facts["people"][0]["frame"] in range(found[0].motion.frames)


def test_the_camera_stays_near_its_place():
    for cameras, most in ((1, 11.25), (4, 11.25), (16, 5.625)):
        config = Config(motion=("builtin:wave",), cameras=cameras)
        off = [(c.azimuth_deg + 180 / cameras) % (360 / cameras) - 180 / cameras for c in chosen(config, 100)]
        assert 0.7 * most < np.abs(off).max() <= most


def test_people_of_all_characters_find_room(monkeypatch):
    """Whoever was made for a picture of the last few hundred is still there, however many characters there are."""
    specs = tuple(f"person{k}" for k in range(8))
    made = []
    monkeypatch.setattr(characters, "load", lambda spec, seed: made.append((spec, seed)))
    choices._person.cache_clear()
    config = Config(character=specs, motion=("builtin:wave",), variants=64)
    for number in range(8 * 400):
        found = choice(config, number, np.random.default_rng(number))
        choices.person(found.character, config.seed, found.variant)
    choices._person.cache_clear()
    assert len(set(made)) >= 8 * 9
    assert len(made) < 1.2 * len(set(made))


def test_people_come_and_go():
    config = Config(motion=("builtin:wave",), variants=500)
    early, late = ({choice(config, n + k, np.random.default_rng(n)).variant for n in range(200)} for k in (0, 30_000))
    assert len(early) > 50 and len(late) > 50
    assert not early & late


def test_a_file_is_one_person(tmp_path, monkeypatch):
    (tmp_path / "hero.glb").touch()
    made = []
    monkeypatch.setattr(characters, "load", lambda spec, seed: made.append(spec))
    for variant in range(5):
        choices.person(str(tmp_path / "hero.glb"), 0, variant)
    assert len(made) == 1


def test_a_motion_is_read_once_for_all_characters(monkeypatch):
    read = []
    motion = builtin.motion("wave")
    monkeypatch.setattr(motions, "load", lambda name, **more: read.append(name) or [motion])
    monkeypatch.setattr(characters, "load", lambda spec, seed: None)
    choices.load(Config(character=("one", "two", "three"), motion=("a.bvh", "b.bvh"), seed=77))
    assert read == ["a.bvh", "b.bvh"]
    choices._person.cache_clear()


def test_all_places_of_a_stock():
    class Film:
        def __init__(self, frames):
            self.frames = frames

    films = (Film(1), Film(25), Film(7))
    stock = choices.Stock(motions=films, ends=np.cumsum([1, 3, 1]))
    assert [stock.place(k) for k in range(5)] == [(films[0], 0), *((films[1], k) for k in range(3)), (films[2], 0)]


def test_further_figures_are_anybody():
    config = Config(character=("mannequin", "mannequin:style=anime"), motion=("random:4", "builtin:walk"), figures=2)
    found = [choices.another(config, 0, np.random.default_rng(k)) for k in range(200)]
    assert {c.character for c in found} == set(config.character)
    assert {c.motion.name for c in found} == {"random", "walk"}
    endless = Config(motion=("random",), figures=2)
    frames = {choices.another(endless, 0, np.random.default_rng(k)).frame for k in range(200)}
    assert len(frames) == 200
