"""`sfumato render` and `sfumato restyle`: what they say on the way."""

import threading

from figures import write_set
from PIL import Image
from stylizers import made_photo

from sfumato import progress, render


def test_what_is_waited_for_before_the_first_picture(sfumato, tmp_path, monkeypatch):
    said, draw = threading.Event(), progress.Progress._draw

    def drawn(line, text):
        draw(line, text)
        if text.startswith("beginning"):
            said.set()

    def slow(config, count, folder, *, progress, **_):
        assert said.wait(60)
        progress(1, count)

    monkeypatch.setattr(progress.Progress, "_draw", drawn)
    monkeypatch.setattr(render, "render", slow)
    monkeypatch.setattr(progress, "PLAIN_S", 0)
    result = sfumato("render", "-o", tmp_path / "set", "--count", "2")
    beginning, after = (
        [k for k, line in enumerate(result.err) if line.startswith(text)] for text in ("beginning", "rendering")
    )
    assert (result.code, len(after)) == (0, 1)
    assert beginning
    assert max(beginning) < after[0], "nothing is waited for any more"
    monkeypatch.setattr(render, "render", lambda *_, progress, **__: progress(1, 2))
    assert sfumato("render", "-o", tmp_path / "set", "--quiet").err == []


def test_a_look_at_a_styled_set(sfumato, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_set(tmp_path / "sketches", 2)
    Image.fromarray(made_photo(40, 40)).save(tmp_path / "wave.png")
    words = ("restyle", "sketches", "--styles", "wave.png", "-o", "styled", "--device", "cpu", "--preview")
    assert sfumato(*words) == (0, ["styled/keypoints.json", "styled/preview.jpg"], [])
    with Image.open("styled/preview.jpg") as look:
        assert min(look.size) > 200


def test_results_of_a_set_go_to_a_folder(sfumato, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for words in (["render"], ["restyle", "a", "--styles", "b"], ["reproduce", "sketch-pose"]):
        assert sfumato(*words, "-o", "file") == (2, [], ["sfumato: file: is a file; -o wants a folder"])
