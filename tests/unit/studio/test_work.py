"""What the working process does, without the process."""

import numpy as np
import pytest

from sfumato import image
from sfumato.collage import Options, Scene, zone
from sfumato.studio import work
from sfumato.studio.bench import Bench


def test_parts_that_were_found_are_read_again(tmp_path, repository):
    """At any size of the picture, with the faces in them: nobody looks for those a second time."""
    portrait = image.read(repository / "src" / "sfumato" / "assets" / "examples" / "portrait-1.jpg")
    path, heard = tmp_path / "work.png", []
    image.write(path, image.resize(portrait, longest=320))
    bench = Bench("cpu", lambda *_: True, lambda *loading: heard.append(loading))
    status, _ = work.parse(bench, {"work": str(path), "folder": str(tmp_path)})
    found, _ = bench.parsed(bench.picture(str(path)))
    given = {"folder": str(tmp_path), "names": [part["name"] for part in status["parts"]]}
    same = work.parts_of(bench, given, bench.picture(str(path)))
    np.testing.assert_array_equal(same.labels, found.labels)
    assert same.faces == found.faces and same.faces[0].score > 0.6
    twice = work.parts_of(bench, given, image.resize(portrait, longest=640))
    assert twice.faces[0].box == pytest.approx([2 * side for side in same.faces[0].box], rel=0.01)
    (folder := tmp_path / "older").mkdir()
    (tmp_path / "labels.png").rename(folder / "labels.png")
    assert work.parts_of(bench, given | {"folder": str(folder)}, bench.picture(str(path))).faces is None


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_zone_on_the_page_is_that_of_the_command(tmp_path, repository, number):
    """The page shows the labels that are chosen; the command redraws `Scene.mask`: the same bytes."""
    path = tmp_path / "work.png"
    portrait = image.read(repository / "src" / "sfumato" / "assets" / "examples" / f"portrait-{number}.jpg")
    image.write(path, image.plain(portrait))
    bench = Bench("cpu", lambda *_: True, lambda *_loading: None)
    status, _ = work.parse(bench, {"work": str(path), "folder": str(tmp_path)})
    labels = image.read(tmp_path / "labels.png").pixels[..., 0]
    picture = bench.picture(str(path))
    again = work.parts_of(bench, {"folder": str(tmp_path), "names": [p["name"] for p in status["parts"]]}, picture)
    there = {part["name"]: part["label"] for part in status["parts"] if part["pixels"]}
    assert {"face", "hair"} < set(there) and not {"pants", "skirt", "belt", "sunglasses", "left-leg"} & set(there)
    for wanted in (("face", "hair"), ("face",), ("background",), tuple(there)):
        shown = np.isin(labels, [there[name] for name in wanted])
        scene = Scene.of(picture, None, None, Options(parts=wanted))
        assert shown.tobytes() == scene.mask.tobytes() == zone(again, Options(parts=wanted)).tobytes()
        assert shown.any() and {*there} == {*scene.parts.present()}


def test_labels_at_the_size_of_a_large_photo_are_smooth(tmp_path, repository):
    """Not in steps of the working size."""
    path = tmp_path / "work.png"
    portrait = image.plain(image.read(repository / "src" / "sfumato" / "assets" / "examples" / "portrait-1.jpg"))
    image.write(path, image.resize(portrait, longest=100))
    bench = Bench("cpu", lambda *_: True, lambda *_loading: None)
    status, _ = work.parse(bench, {"work": str(path), "folder": str(tmp_path)})
    given = {"folder": str(tmp_path), "names": [part["name"] for part in status["parts"]]}
    large = work.parts_of(bench, given, image.resize(portrait, longest=800))
    stepped = work.parts_of(bench, given, bench.picture(str(path))).resized(*large.labels.shape)
    assert large.tidy and 0 < (large.labels != stepped.labels).mean() < 0.03
