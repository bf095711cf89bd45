"""Collages of files, folders and films."""

from functools import partial

import numpy as np
import pytest
from PIL import Image
from stylizers import made_photo

from sfumato import image, parsing, translate
from sfumato.cli import collage
from sfumato.errors import DiskError
from sfumato.methods import gatys
from sfumato.parsing import Parts
from sfumato.parts import PARTS


def found(source):
    """In place of a parser: the middle of every picture is a face, but none is in dark ones."""
    pixels = image.from_any(source).pixels
    labels = np.zeros(pixels.shape[:2], np.uint8)
    height, width = labels.shape
    if pixels.mean() > 20:
        labels[height // 4 : -height // 4, width // 4 : -width // 4] = PARTS.index("face")
    return Parts(labels=labels)


@pytest.fixture
def make(sfumato, folder, generator_file, monkeypatch):
    monkeypatch.setattr(collage, "_finder", lambda given: found)
    return lambda *words: sfumato("collage", *words, "--model", generator_file)


def outside(name):
    """The rim of a picture, which no collage of its middle reaches."""
    pixels = image.read(name).pixels
    rim = np.ones(pixels.shape[:2], bool)
    rim[2:-2, 2:-2] = False
    return pixels[rim]


def test_a_result_beside_the_photograph(make, folder):
    result = make("photo.jpg", "--softness", "0.2")
    assert result == (0, ["photo-mine-collage.png"], [])
    np.testing.assert_array_equal(outside("photo-mine-collage.png"), outside("photo.jpg"))
    middle = [image.read(name).pixels[14:22, 20:28].astype(int) for name in ("photo.jpg", "photo-mine-collage.png")]
    assert np.abs(middle[0] - middle[1]).mean() > 5


def test_a_mask_of_ones_own(make, folder):
    mask = np.zeros((36, 48), np.uint8)
    mask[:10, :10] = 255
    Image.fromarray(mask).save("mask.png")
    assert make("photo.jpg", "--mask", "mask.png", "--blend", "hard", "-o", "out.png").code == 0
    before, after = (image.read(name).pixels for name in ("photo.jpg", "out.png"))
    np.testing.assert_array_equal(after[mask == 0], before[mask == 0])
    assert (after[mask > 0] != before[mask > 0]).any()


def test_a_folder_goes_on_and_names_its_failures(make, folder, save):
    for i in range(3):
        save(folder / "photos" / f"{i}.png", seed=i)
    (folder / "photos" / "broken.png").write_bytes(b"no picture")
    Image.new("RGB", (24, 24)).save(folder / "photos" / "nobody.png")
    first = make("photos", "-o", "out/")
    assert first.code == 1
    assert [line.rpartition("/")[2] for line in first.out] == [f"{i}-mine-collage.png" for i in range(3)]
    errors = "\n".join(first.err)
    assert "broken.png" in errors and "2 of 5 pictures could not be done" in errors
    assert "nobody.png: no face and no hair was found in it; --mask FILE says where" in errors
    (folder / "out" / "1-mine-collage.png").unlink()
    second = make("photos", "-o", "out/")
    assert [line.rpartition("/")[2] for line in second.out] == ["1-mine-collage.png"]


def test_failures_are_named_where_the_disk_is_full(make, folder, save, monkeypatch):
    for i in range(2):
        save(folder / "photos" / f"{i}.png", seed=i)
    (folder / "photos" / "-broken.png").write_bytes(b"no picture")  # comes first

    def full(path, *_words, **_given):
        raise DiskError(f"{path}: cannot be written: No space left on device")

    monkeypatch.setattr(image, "write", full)
    result = make("photos", "-o", "out/")
    assert (result.code, result.out) == (1, [])
    assert "-broken.png" in result.err[0]
    assert result.err[1].endswith("1 of 3 pictures could not be done")
    assert "0-mine-collage.png: cannot be written: No space left" in result.err[-1]


def test_parts_are_named_with_commas_or_spaces(make, folder):
    for words in (["--parts", "face,hat"], ["--parts", "face", "hat"]):
        assert make("photo.jpg", "-o", "out.png", "--overwrite", *words).code == 0
    result = make("photo.jpg", "-o", "out2.png", "--parts", "hat,bag")
    assert result.err == [
        "sfumato: photo.jpg: no hat and no bag was found in it; --mask FILE says where, white in a grey picture;"
        " found: face"
    ]


def test_a_part_that_is_not_found_is_told_though_another_is_drawn(make):
    result = make("photo.jpg", "-o", "out.png", "--parts", "hat,face,sunglasses")
    assert result.code == 0
    assert result.err == [
        "sfumato: warning: photo.jpg: no hat and no sunglasses was found in it; found: face",
    ]
    assert make("photo.jpg", "-o", "out2.png", "--parts", "face").err == []


def test_each_step_is_kept(make, folder):
    result = make("photo.jpg", "--steps", "steps", "--filter", "warm", "--size", "32")
    assert result.code == 0
    names = ("mask", "crop", "filtered", "drawn", "alpha", "result")
    assert {path.name for path in (folder / "steps").iterdir()} == {f"photo-mine-collage-{n}.png" for n in names}
    assert image.read("steps/photo-mine-collage-filtered.png").pixels.shape == (32, 32, 3)


def test_a_page_of_variants(sfumato, make, folder, generator_file, monkeypatch):
    result = sfumato("collage", "photo.jpg", "--variants", "--model", generator_file, "faces2toon")
    assert result == (0, ["photo-variants.png"], [])
    page = image.read("photo-variants.png")
    one = image.read("photo.jpg")
    assert page.width > 6 * 300
    assert page.height > 2 * 300 * one.height / one.width, "a row for each model"


def test_a_parser_may_look_at_heads_from_near(sfumato, folder, generator_file, monkeypatch):
    asked = []

    class Parser:
        def __init__(self, model, **given):
            asked.append((model, given["zoom"]))

        def __call__(self, source):
            return found(source)

    monkeypatch.setattr(parsing, "PartParser", Parser, raising=False)
    given = ("photo.jpg", "--model", generator_file, "--parser", "mine", "--overwrite", "-o", "out.png")
    for words, zoom in (([], True), (["--no-zoom"], False)):
        result = sfumato("collage", *given, *words)
        assert result.code == 0, result.err
        assert asked.pop() == ("mine", zoom)


@pytest.mark.parametrize("words", [[], ["--no-zoom"], ["--parser", "segformer/parts"]])
def test_the_bundled_parser_finds_nobody_where_there_is_no_face(sfumato, folder, generator_file, words):
    """However it is asked for."""
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    Image.fromarray(noise).save("noise.png")
    result = sfumato("collage", "noise.png", "--model", generator_file, *words)
    assert result.code != 0
    assert "no face and no hair was found in it" in result.err[0]


def test_grey_photographs_become_colored(make, folder):
    Image.fromarray(made_photo(30, 30)).convert("L").save("grey.png")
    make("grey.png", "-o", "out.png")
    with Image.open("out.png") as made:
        assert made.mode == "RGB"


def film(name, shown):
    """A film of 25 frames a second: a photograph where `shown`, else the dark."""
    av = pytest.importorskip("av")
    with av.open(name, "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for bright in shown:
            pixels = made_photo(48, 64) if bright else np.zeros((48, 64, 3), np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode())
    return av


def test_films(make, folder):
    av = film("clip.mp4", [True] * 3)
    result = make("clip.mp4", "--smooth", "0.5")
    assert result.code == 0, result.err
    assert result.out == ["clip-mine-collage.mp4: 3 frames, without sound"]
    with av.open("clip-mine-collage.mp4") as found:
        frames = [frame.to_ndarray(format="rgb24") for frame in found.decode(video=0)]
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 3
    for name in ("clips/one.mp4", "clips/two.mp4"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((folder / "clip.mp4").read_bytes())
    assert make("clips/*.mp4", "--shard", "1/2").out == ["clips/two-mine-collage.mp4: 3 frames, without sound"]
    alone = make("clips")
    assert "clips: holds films, 3, that are left out; name them, as 'clips/*.mp4'" in alone.err[0]
    assert "no pictures in this folder" in alone.err[1]
    result = make("clip.mp4", "photo.jpg", "--steps", "x")
    assert "a film has no --variants, --mask or --steps" in result.err[0]


def test_a_film_in_which_nothing_is_found_is_not_written(make, folder):
    film("clip.mp4", [True] * 3)
    (folder / "out.mp4").write_bytes(b"an older one")
    result = make("clip.mp4", "--parts", "bag,hat", "-o", "out.mp4", "--overwrite")
    told = "sfumato: clip.mp4: no bag and no hat was found in it; --parts looks for others"
    assert result == (2, [], [told])  # the code of a photograph
    assert (folder / "out.mp4").read_bytes() == b"an older one"
    film("dark.mp4", [False] * 2)
    several = make("clip.mp4", "dark.mp4")
    assert several == (
        1,
        ["clip-mine-collage.mp4: 3 frames, without sound"],
        [
            "sfumato: dark.mp4: no face and no hair was found in it; --parts looks for others",
            "sfumato: 1 of 2 pictures could not be done",
        ],
    )
    assert {path.name for path in folder.glob("*.mp4")} == {"clip.mp4", "out.mp4", "dark.mp4", "clip-mine-collage.mp4"}
    assert not list(folder.glob(".*.tmp.mp4"))


def test_a_film_in_which_a_face_comes_and_goes_tells_in_how_many_frames(make, folder):
    film("clip.mp4", [False, True, True, False])
    result = make("clip.mp4")
    assert result == (0, ["clip-mine-collage.mp4: 4 frames, without sound; redrawn in 2 of them"], [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "x"], "which photograph?"),
        (["photo.jpg"], "by which model?"),
        (["photo.jpg", "--model", "microast/art"], "microast/art takes a style: add --style PICTURE"),
        (["photo.jpg", "--model", "a", "b"], "several models make a page of variants: add --variants"),
        (["photo.jpg", "--model", "a", "--variants", "--filter", "warm"], "--variants shows all filters"),
        (["photo.jpg", "--model", "a", "--parts", "nose"], "--parts nose: input should be 'background', 'hat'"),
        (["photo.jpg", "--model", "a", "--softness", "2"], "--softness 2: input should be less than or equal to 1"),
        (["photo.jpg", "--model", "a", "--mask", "none.png"], "none.png: there is no such file"),
        (["photo.jpg", "wave.png", "--model", "a", "--mask", "night.jpg"], "is a place in one picture, not in 2"),
        (["photo.jpg", "--model", "a", "--mask", "night.jpg", "--parser", "b"], "leave one of them out"),
        (["photo.jpg", "--model", "a", "--mask", "night.jpg", "--no-zoom"], "so that --no-zoom has nothing to find"),
        (["photo.jpg", "--model", "a", "--variants", "--steps", "x"], "--variants makes a page and keeps no --steps"),
        (["photo.jpg", "--model", "a", "--iterations", "9"], "--iterations is an option of gatys: add --model gatys"),
        (["photo.jpg", "--model", "gatys", "--iterations", "0"], "--iterations 0: input should be greater than or"),
        (
            ["photo.jpg", "--model", "a", "--no-zoom", "--parser", "first-zone"],
            "--no-zoom is for a model that finds parts",
        ),
        (["photo.jpg", "--model", "faces2toon", "--style", "wave.png"], "takes no --style"),
        (["photo.jpg", "--model", "faces2toon", "--mask", "night.jpg"], "another shape than the picture's"),
        (["photo.jpg", "--model", "faces2toon", "--parser", "faces2toon"], "finds no parts"),
        (["photo.jpg", "--model", "nothing"], "there is no model 'nothing'"),
    ],
)
def test_mistakes_are_one_line(sfumato, folder, words, message):
    result = sfumato("collage", *words)
    assert result.code == 2
    assert len(result.err) == 1
    assert message in result.err[0]


def test_a_collage_by_optimisation(sfumato, folder, monkeypatch):
    monkeypatch.setattr(collage, "_finder", lambda given: found)
    monkeypatch.setattr(translate, "Painter", partial(translate.Painter, gatys.Config(iterations=(2,), smallest_px=16)))
    result = sfumato("collage", "photo.jpg", "--model", "gatys", "--style", "wave.png", "-o", "out.png")
    assert result.code == 0, result.err
    before, after = (image.read(name).pixels.astype(int) for name in ("photo.jpg", "out.png"))
    assert np.array_equal(outside("photo.jpg"), outside("out.png"))
    assert np.abs(after - before)[12:24, 16:32].mean() > 2
    assert "gatys takes a style" in sfumato("collage", "photo.jpg", "--model", "gatys", "-o", "x.png").err[0]


def test_black_masks(make, folder):
    Image.new("L", (48, 36)).save("black.png")
    result = make("photo.jpg", "--mask", "black.png")
    assert "--mask black.png: is white nowhere, so there is nothing to redraw" in result.err[0]
    assert len(result.err) == 1
