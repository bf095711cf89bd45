"""What the working process does, without the process."""

import numpy as np
import pytest

from sfumato import image
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
