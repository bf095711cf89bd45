"""Films: every frame at its time, sound as it was, no flicker where it is not wanted."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from sfumato import image, video, weights
from sfumato.card import Card
from sfumato.cli import main
from sfumato.errors import Cancelled, OptionError, PictureError
from sfumato.methods import cyclegan

av = pytest.importorskip("av")
pytestmark = pytest.mark.timeout(200)

TIMES = [0, 40, 80, 100, 190, 230, 270, 310]
"""Of frames, in milliseconds: of varying distance."""


def scene(height, width, shift=0, seed=0):
    noise = np.random.default_rng(seed).normal(size=(12, 40, 3))
    wide = np.asarray(image.resize(image.from_any(0.5 + 0.15 * noise.clip(-3, 3)), size=(height, 4 * width)).pixels)
    return np.ascontiguousarray((wide[:, shift : shift + width] / 257).astype(np.uint8))


def film(path, frames, times=None, *, sound=True, codec="libx264"):
    times = times or [40 * i for i in range(len(frames))]
    with av.open(str(path), "w") as out:
        pictures = out.add_stream(codec, rate=25)
        pictures.height, pictures.width = frames[0].shape[:2]
        pictures.pix_fmt, pictures.options = "yuv420p", {"crf": "12"}
        pictures.codec_context.time_base = Fraction(1, 1000)
        if sound:
            tones = out.add_stream("aac", rate=8000)
            tones.layout = "mono"
        for pixels, time in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            out.mux(pictures.encode(frame))
        out.mux(pictures.encode())
        if sound:
            wave = (8000 * np.sin(np.arange(3000) / 3)).astype(np.int16)[None]
            block = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
            block.sample_rate, block.pts = 8000, 0
            out.mux(tones.encode(block))
            out.mux(tones.encode())
    return path


def read(path):
    """Frames, their times in milliseconds, and the packets of sound."""
    with av.open(str(path)) as found:
        frames = [(f.to_ndarray(format="rgb24"), round(1000 * f.time)) for f in found.decode(video=0)]
    with av.open(str(path)) as found:
        sound = [bytes(p) for p in found.demux(audio=0) if p.size] if found.streams.audio else []
    return [f for f, _ in frames], [t for _, t in frames], sound


@pytest.fixture
def clip(tmp_path):
    return film(tmp_path / "clip.mp4", [scene(48, 64, 3 * i) for i in range(len(TIMES))], TIMES)


def test_times_and_sound_are_kept(clip, tmp_path):
    made = video.translate(clip, tmp_path / "out" / "new.mp4", lambda pixels: 255 - pixels)
    assert (made.frames, made.sound, made.problem) == (8, 1, "")
    before, times, sound = read(clip)
    after, new_times, new_sound = read(tmp_path / "out" / "new.mp4")
    assert new_times == times and times[3] - times[2] == 20
    assert new_sound == sound and sound
    for a, b in zip(after, before, strict=True):
        assert np.abs(a.astype(int) - (255 - b.astype(int))).mean() < 4


def test_odd_sides_become_even_and_sizes_may_change(clip, tmp_path):
    video.translate(clip, tmp_path / "new.mkv", lambda pixels: np.repeat(pixels[:-1, :-1], 2, axis=1))
    assert read(tmp_path / "new.mkv")[0][0].shape == (46, 126, 3)


def test_a_stopped_film_leaves_nothing(clip, tmp_path):
    with pytest.raises(Cancelled, match="stopped after 3 frames"):
        video.translate(clip, tmp_path / "new.mp4", lambda x: x, progress=lambda done, _: done < 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4"]


def test_what_is_left_of_a_broken_film_is_kept(tmp_path):
    whole = film(tmp_path / "whole.mkv", [scene(64, 96, 2 * i) for i in range(60)], sound=False)
    content = whole.read_bytes()
    (tmp_path / "half.mkv").write_bytes(content[: len(content) // 2])
    made = video.translate(tmp_path / "half.mkv", tmp_path / "new.mp4", lambda pixels: pixels)
    assert 5 < made.frames < 60
    assert len(read(tmp_path / "new.mp4")[0]) == made.frames


@pytest.mark.parametrize("content", [b"", b"no film", None])
def test_what_is_no_film(content, tmp_path):
    path = tmp_path / "clip.mp4"
    if content is None:
        with av.open(str(path), "w") as out:
            tones = out.add_stream("aac", rate=8000)
            tones.layout = "mono"
            block = av.AudioFrame.from_ndarray(np.zeros((1, 3000), np.int16), format="s16", layout="mono")
            block.sample_rate = 8000
            out.mux(tones.encode(block))
            out.mux(tones.encode())
    else:
        path.write_bytes(content)
    with pytest.raises(PictureError, match=r"clip\.mp4: is no film that can be read"):
        video.translate(path, tmp_path / "new.mp4", lambda pixels: pixels)
    assert not (tmp_path / "new.mp4").exists()


def test_what_cannot_be_written(clip, tmp_path, monkeypatch):
    with pytest.raises(OptionError, match=r"a film's result ends in \.mp4"):
        video.translate(clip, tmp_path / "new.webm", lambda pixels: pixels)
    with pytest.raises(OptionError, match="--smooth 1.0"):
        video.smoothed(lambda pixels: pixels, 1.0)
    monkeypatch.setattr(video.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(OptionError, match=r"pip install 'sfumato\[video\]'"):
        video.check(tmp_path / "new.mp4")


# Smoothing


class Flickering:
    """A model whose strokes are new in every frame."""

    def __init__(self):
        self.rng = np.random.default_rng(3)

    def __call__(self, pixels):
        return np.clip(pixels + self.rng.normal(0, 20, (*pixels.shape[:2], 1)), 0, 255).astype(np.uint8)


def flicker(results, shift):
    """The mean difference of results one after the other, moved as the film is."""
    pairs = zip(results, results[1:], strict=False)
    return np.mean([np.abs(b[:, :-shift].astype(float) - a[:, shift:])[8:-8, 8:-8].mean() for a, b in pairs])


def test_smoothing_lowers_flicker_and_keeps_what_moves():
    frames = [scene(96, 128, 4 * i) for i in range(8)]
    rough = [Flickering()(frame) for frame in frames[:1]] and list(map(Flickering(), frames))
    calm = list(map(video.smoothed(Flickering(), 0.7), frames))
    assert flicker(calm, 4) < 0.6 * flicker(rough, 4)
    plain = list(map(video.smoothed(lambda pixels: pixels, 0.7), frames))
    assert max(np.abs(a.astype(float) - b)[8:-8, 8:-8].mean() for a, b in zip(plain, frames, strict=True)) < 2


def test_nothing_of_a_scene_is_left_in_the_next():
    frames = [scene(96, 128, seed=1)] * 3 + [255 - scene(96, 128, seed=2)] * 2
    results = list(map(video.smoothed(lambda pixels: pixels, 0.9), frames))
    assert np.abs(results[3].astype(float) - frames[3]).mean() < 1


# The command


def test_the_command(clip, tmp_path, capsys):
    model = cyclegan.Model(cyclegan.Config(width=4, blocks=1))
    config = dataclasses.asdict(model.config)
    path = tmp_path / "mine.safetensors"
    weights.save(path, model, Card(name="mine", method="cyclegan", config=config, title="t", licence="MIT"))
    words = ["translate", str(clip), "--model", str(path)]
    assert main([*words, "--smooth", "0.5"]) == 0
    out = capsys.readouterr().out
    assert "clip-mine.mp4: 8 frames, with sound" in out
    assert read(tmp_path / "clip-mine.mp4")[1] == TIMES
    assert main(words) == 0
    assert "left out: their results are there" in capsys.readouterr().err
    broken = tmp_path / "broken.mov"
    broken.write_bytes(b"no")
    assert main(["translate", str(broken), "--model", str(path)]) != 0
    assert main([*words, "--smooth", "2", "--overwrite"]) == 2
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 2 and all(line.startswith("sfumato: ") for line in err)
