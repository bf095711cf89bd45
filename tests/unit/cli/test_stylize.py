"""Photographs in, paintings out."""

import os
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from PIL import Image
from stylizers import made_photo

from sfumato import image, progress
from sfumato.errors import OptionError
from sfumato.image import in_color
from sfumato.progress import Progress


def size(path):
    picture = image.read(path)
    return picture.width, picture.height


def same(a, b):
    return np.array_equal(image.read(a).pixels, image.read(b).pixels)


GATYS = ["--method", "gatys", "--iterations", "1"]


@pytest.fixture
def stylize(sfumato, folder, model_file):
    """Stylizes in `folder` with the tiny model."""
    return lambda *words: sfumato("stylize", *words, "--model", model_file)


def test_a_result_beside_the_photo(stylize, folder):
    result = stylize("photo.jpg", "--style", "wave.png")
    assert result == (0, ["photo-wave.png"], [])
    assert size(folder / "photo-wave.png") == (48, 36)


def test_quiet(stylize, folder):
    assert stylize("photo.jpg", "--style", "wave.png", "-q") == (0, [], [])
    assert (folder / "photo-wave.png").is_file()


def test_options_reach_the_model(stylize, folder):
    stylize("photo.jpg", "--style", "wave.png", "-o", "full.png")
    stylize("photo.jpg", "--style", "wave.png", "night.jpg", "--weights", "1", "0", "-o", "first.png", "--tile", "0")
    stylize("photo.jpg", "--style", "wave.png", "-o", "half.png", "--strength", "0.5", "--size", "24")
    assert same(folder / "full.png", folder / "first.png")
    assert size(folder / "half.png") == (24, 18)


def test_masks_go_to_their_styles(stylize, folder):
    for name, color in [("white.png", 255), ("black.png", 0)]:
        Image.new("L", (48, 36), color).save(folder / name)
    stylize("photo.jpg", "--style", "wave.png", "-o", "one.png")
    words = ["photo.jpg", "--style", "wave.png", "night.jpg", "--mask", "white.png", "black.png", "-o", "masked.png"]
    assert stylize(*words).code == 0
    assert same(folder / "one.png", folder / "masked.png")


def test_masks_that_do_not_fit_one_of_many(stylize, folder, save):
    save(folder / "in/a.png", 36, 48)
    save(folder / "in/b.png", 48, 36)
    Image.new("L", (48, 36), 255).save(folder / "white.png")
    result = stylize("in", "--style", "wave.png", "--mask", "white.png", "-o", "out")
    assert (result.code, result.out) == (1, ["out/a-wave.png"])
    assert "white.png as a mask has 48 x 36 pixels, another shape" in result.err[0]


def test_a_folder(stylize, folder, save):
    for name in ("in/b.jpg", "in/sub/a.png"):
        save(folder / name)
    result = stylize("in", "--style", "wave.png", "-o", "out", "--format", "webp")
    assert result == (0, ["out/b-wave.webp", "out/sub/a-wave.webp"], [])


def test_another_style_leaves_earlier_results_alone(stylize, folder, save):
    for name in ("in/a.jpg", "in/b.jpg"):
        save(folder / name)
    assert stylize("in", "--style", "wave.png").err == []
    again = stylize("in", "--style", "night.jpg")
    note = "2 of 4 pictures left out as earlier results; one that is named is taken"
    assert again == (0, ["in/a-night.png", "in/b-night.png"], [note])
    assert stylize("in/a-wave.png", "--style", "night.jpg") == (0, ["in/a-wave-night.png"], [])


@pytest.mark.parametrize("out", [[], ["-o", "out"]])
def test_a_run_that_goes_on(stylize, folder, save, out):
    for name in ("a.jpg", "b.jpg"):
        save(folder / "in" / name)
    first = stylize("in/a.jpg", "--style", "wave.png", *out).out[0]
    before = (folder / first).stat()
    result = stylize("in", "--style", "wave.png", *out, "--skip-existing")
    assert (result.code, result.out) == (0, [first.replace("a-", "b-")])
    assert "1 of 2 pictures left out: their results are there" in result.err
    assert (folder / first).stat().st_mtime_ns == before.st_mtime_ns


def test_a_run_that_was_over(stylize, folder, monkeypatch):
    stylize("photo.jpg", "--style", "wave.png")
    monkeypatch.setattr("sfumato.cli.stylize._artist", lambda _: pytest.fail("the work has begun"))
    note = "1 of 1 pictures left out: their results are there"
    assert stylize("photo.jpg", "--style", "wave.png", "--skip-existing") == (0, [], [note])


def test_a_style_among_the_photographs_is_left_out(stylize, folder):
    result = stylize(".", "--style", "wave.png", "night.jpg", "--format", "webp")
    note = "night.jpg, wave.png: left out, because --style or --mask names it"
    assert result == (0, ["photo-wave+night.webp"], [note])


def made_grey(mode):
    grey = made_photo(24, 24)[..., 0]
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    if mode == "LA":
        return Image.merge("LA", [Image.fromarray(grey)] * 2)
    return Image.fromarray(grey).convert(mode)


@pytest.mark.parametrize(
    ("mode", "becomes", "dtype"),
    [
        ("1", "RGB", np.uint8),
        ("L", "RGB", np.uint8),
        ("LA", "RGBA", np.uint8),
        ("P", "RGB", np.uint8),
        ("I;16", "RGB", np.uint16),
    ],
)
def test_grey_photographs_become_coloured_paintings(stylize, folder, mode, becomes, dtype):
    made_grey(mode).save(folder / "old.png")
    assert stylize("old.png", "--style", "wave.png").code == 0
    result = image.read(folder / "old-wave.png")
    assert (result.mode, result.pixels.dtype) == (becomes, dtype)
    assert np.ptp(result.pixels.astype(int), axis=2).max() > 0
    assert (result.alpha is not None) == (becomes == "RGBA")


@pytest.mark.parametrize(("mode", "stays"), [("L", "L"), ("I;16", "I;16"), ("P", "RGB")])
def test_grey_photographs_that_keep_their_colours_stay_grey(stylize, folder, mode, stays):
    made_grey(mode).save(folder / "old.png")
    assert stylize("old.png", "--style", "wave.png", "--keep-colors", "luminance").code == 0
    assert image.read(folder / "old-wave.png").mode == stays


def test_a_palette_of_any_colours_is_not_kept(stylize, folder):
    Image.fromarray(made_photo(64, 64)).quantize(4).save(folder / "few.gif")
    stylize("few.gif", "--style", "wave.png")
    assert image.read(folder / "few-wave.png").mode == "RGB"


@pytest.mark.parametrize(("mode", "kept"), [("L", None), ("P", b"profile"), ("CMYK", b"profile")])
def test_a_profile_of_grey_goes_with_the_grey(mode, kept):
    picture = image.Picture(pixels=made_photo(8, 8), mode=mode, icc=b"profile")
    assert in_color(picture, keeps_grey=False).icc == kept


def test_the_place_of_a_photograph_among_many_is_shown(stylize, folder, save, monkeypatch):
    """Reading each of them takes more than a third of the time between two lines of a log file."""
    now, read = [0.0], image.read

    def slowly(*arguments, **options):
        now[0] += 0.37 * progress.PLAIN_S
        return read(*arguments, **options)

    for name in "abcd":
        save(folder / f"in/{name}.png")
    monkeypatch.setattr(image, "read", slowly)
    monkeypatch.setattr("sfumato.cli.stylize.Progress", partial(Progress, clock=lambda: now[0]))
    (line,) = stylize("in", "--style", "wave.png").err
    assert line.startswith("3 of 4: c.png  ")


def test_bad_pictures_of_many_are_named_at_the_end(stylize, folder, save):
    save(folder / "in/a.jpg")
    save(folder / "in/c.jpg")
    (folder / "in/b.jpg").write_bytes(b"not a picture")
    result = stylize("in", "--style", "wave.png")
    assert result.code == 1
    assert result.out == ["in/a-wave.png", "in/c-wave.png"]
    assert len(result.err) == 2
    assert result.err[0].startswith("sfumato: in/b.jpg: ")
    assert result.err[1] == "sfumato: 1 of 3 pictures could not be done"
    assert not (folder / "in/b-wave.png").exists()


def test_one_bad_picture_is_a_mistake(stylize, folder):
    (folder / "bad.jpg").write_bytes(b"not a picture")
    result = stylize("bad.jpg", "--style", "wave.png")
    assert result.code == 2
    assert len(result.err) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["bad.jpg", "night.jpg", "photo.jpg", "wave.png"]


def test_a_bad_style_ends_all(stylize, folder):
    (folder / "bad.jpg").write_bytes(b"not a picture")
    result = stylize("photo.jpg", "night.jpg", "--style", "bad.jpg")
    assert (result.code, result.out) == (2, [])
    assert result.err[0].startswith("sfumato: bad.jpg: ")
    assert stylize("photo.jpg", "--style", "bad.jpg", "-o", "new/").code == 2
    assert stylize("bad.jpg", "--style", "wave.png", "-o", "new/").code == 2
    assert not (folder / "new").exists()


def test_nothing_is_replaced_unless_asked_for(stylize, folder):
    first = stylize("photo.jpg", "--style", "wave.png")
    before = (folder / "photo-wave.png").read_bytes()
    again = stylize("photo.jpg", "--style", "wave.png", "--strength", "0.5")
    assert (first.code, again.code) == (0, 2)
    message = "exists already; --overwrite replaces it, --skip-existing leaves its picture out"
    assert again.err == [f"sfumato: photo-wave.png: {message}"]
    assert (folder / "photo-wave.png").read_bytes() == before
    assert stylize("photo.jpg", "--style", "wave.png", "--strength", "0.5", "--overwrite").code == 0
    assert (folder / "photo-wave.png").read_bytes() != before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--strength", "2"], "--strength 2: input should be less than or equal to 1"),
        (["--weights", "1", "2"], "2 weights were given for 1 styles"),
        (["--mask", "wave.png", "wave.png"], "2 masks were given for 1 styles"),
        (["-o", "out.xyz"], "out.xyz: the extension '.xyz' names no format"),
        (["--format", "doc"], "the extension '.doc' names no format"),
        (["-o", "out.webp", "--size", "16384"], "out.webp: 16384 x 12288 pixels are more than WEBP can hold"),
        (["--size", "20000"], "--size: 20000 x 15000 pixels are 300.0 megapixels, more than the limit of 256"),
        (["-o", "photo.jpg/"], "photo.jpg is no folder"),
        (["-o", "photo.jpg/new/x.png"], "photo.jpg is no folder"),
        (["-o", "long" * 80 + "/"], "no file can have such a name"),
        (["-o", "wave.png", "--overwrite"], "would replace a picture that it is made from"),
        (["--overwrite", "--skip-existing"], "argument --skip-existing: not allowed with argument --overwrite"),
        (["--content-weight", "3"], "--content-weight is an option of gatys: add --method gatys"),
        (["--method", "adain"], "is a model of microast, not of adain"),
        (["--tile", "-4"], "tile -4"),
        (["--device", "quantum"], "device 'quantum' is unknown"),
        (["--limit-mp", "nan"], "--limit-mp nan: wants a number above 0"),
        (["--limit-mp", "inf"], "--limit-mp inf: wants a number above 0"),
        (["--limit-mp", "much"], "--limit-mp much: wants a number above 0"),
        (["--limit-mp", "0.001"], "wave.png: 32 x 40 pixels are 0.0 megapixels, more than the limit of 0.001"),
        (["--limit-mp", "0.0015"], "photo.jpg: 48 x 36 pixels"),
        (["--limit-mp", "0.0015", "--mask", "photo.jpg"], "photo.jpg: 48 x 36 pixels"),
        (["--limit-mp", "0.0015"], "raise limit_mp (--limit-mp) to use it"),
    ],
)
def test_mistakes(stylize, folder, words, message):
    result = stylize("photo.jpg", "--style", "wave.png", *words)
    assert (result.code, result.out, len(result.err)) == (2, [], 1)
    assert message in result.err[0]
    assert sorted(path.name for path in folder.iterdir()) == ["night.jpg", "photo.jpg", "wave.png"]


def test_all_names_are_checked_before_the_work(stylize, folder, save, monkeypatch):
    monkeypatch.setattr("sfumato.cli.stylize._artist", lambda _: pytest.fail("the work has begun"))
    (folder / "photo-wave.png").touch()
    (folder / "res").touch()
    save(folder / "wide.png", 2, 16384)
    for words, message in [
        (["wide.png", "--format", "webp"], "wide-wave.webp: 16384 x 2 pixels are more than WEBP"),
        (["night.jpg", "wide.png", "-o", "out", "--format", "webp"], "16384 x 2 pixels are more than WEBP"),
        (["night.jpg", "photo.jpg"], "photo-wave.png: exists already"),
        (["night.jpg", "-o", "res"], "res is no folder"),
    ]:
        result = stylize(*words, "--style", "wave.png")
        assert (result.code, len(result.err)) == (2, 1)
        assert message in result.err[0]
    assert not (folder / "out").exists()


def test_gatys_makes_wide_photos_small_enough(sfumato, folder, save, monkeypatch):
    def begun(_given):
        raise OptionError("the work has begun")

    monkeypatch.setattr("sfumato.cli.stylize._artist", begun)
    save(folder / "wide.png", 2, 16384)
    words = ["wide.png", "--style", "wave.png", *GATYS, "-o", "x.webp"]
    assert "the work has begun" in sfumato("stylize", *words).err[0]
    assert "16384 x 2 pixels" in sfumato("stylize", *words, "--size", "16384").err[0]


def test_what_a_folder_holds_and_cannot_be_read_is_named(stylize, folder, save):
    save(folder / "in/a.jpg")
    (folder / "in/IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    (folder / "in/gone.jpg").symlink_to("nowhere.jpg")
    result = stylize("in", "--style", "wave.png", "-o", "out")
    assert (result.code, result.out) == (1, ["out/a-wave.png"])
    assert "in/IMG_1.HEIC: is an HEIC picture, which cannot be read" in result.err[0]
    assert "in/gone.jpg: there is no such file" in result.err[1]
    assert result.err[2] == "sfumato: 2 of 3 pictures could not be done"


@pytest.mark.parametrize("name", ["photo.tif", "deep.tif"])
def test_closed_standard_streams(model_file, folder, name):
    """What is opened next must not get the number of the standard error, where C libraries write."""
    photo = made_photo(24, 24).astype(np.uint16 if name == "deep.tif" else np.uint8)
    image.write(folder / name, image.from_any(photo))
    words = [sys.executable, "-m", "sfumato", "stylize", name, "--style", "wave.png", "--model", model_file]
    done = subprocess.run(["sh", "-c", '"$@" <&- 2>&-', "sh", *words], stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{name[:-4]}-wave.png\n")


def test_progress_that_nobody_reads(model_file, folder):
    reader, writer = os.pipe()
    os.close(reader)
    code = (
        "import sys; from sfumato import cli, progress; progress.PLAIN_S = progress.DELAY_S = progress.REDRAW_S = 0;"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    words = ["stylize", "photo.jpg", "--style", "wave.png", "--model", model_file]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=writer, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stdout) == (0, "photo-wave.png\n")


def test_reading_and_writing_are_shown_when_they_take_long(stylize, folder, monkeypatch):
    def slowly(work):
        def run(*arguments, **options):
            time.sleep(0.1)
            return work(*arguments, **options)

        return run

    monkeypatch.setattr("sfumato.progress.PLAIN_S", 0.02)
    for name in ("read", "write"):
        monkeypatch.setattr(image, name, slowly(getattr(image, name)))
    lines = stylize("photo.jpg", "--style", "wave.png").err
    for what in ("reading wave.png", "reading photo.jpg", "writing photo-wave.png"):
        assert any(line.startswith(f"{what}  ") for line in lines), lines


def test_a_method_without_a_model(sfumato, folder):
    result = sfumato("stylize", "photo.jpg", "--style", "wave.png", "--method", "adain")
    assert result.code == 2
    assert "there is no model of adain here; make one by `sfumato import adain`" in result.err[0]


def test_gatys(sfumato, folder):
    words = ["photo.jpg", "--style", "wave.png", *GATYS, "--size", "24", "--keep-colors", "luminance", "-o", "out.tif"]
    assert sfumato("stylize", *words) == (0, ["out.tif"], [])
    assert size(folder / "out.tif") == (24, 18)


def test_gatys_paints_large_photos_smaller(sfumato, folder, monkeypatch):
    monkeypatch.setattr("sfumato.cli.stylize.USUAL_GATYS_SIZE", 40)
    result = sfumato("stylize", "photo.jpg", "night.jpg", "--style", "wave.png", *GATYS)
    assert result.err == [
        "photo.jpg: gatys paints it 40 pixels large; --size asks for more, --draw-size 40 enlarges what it paints"
    ]
    assert size(folder / "photo-wave.png") == (40, 30)
    assert size(folder / "night-wave.png") == (24, 24)
    words = ["photo.jpg", "--style", "wave.png", *GATYS, "--draw-size", "40", "-o", "large.png"]
    assert sfumato("stylize", *words).err == []
    assert size(folder / "large.png") == size(folder / "photo.jpg")


def test_gatys_has_no_model(sfumato, folder, model_file):
    result = sfumato("stylize", "photo.jpg", "--style", "wave.png", *GATYS, "--model", model_file)
    assert result.err == ["sfumato: --model is nothing for gatys, which has no model and no tiles"]


def test_ctrl_c_leaves_nothing(stylize, folder, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("sfumato.image.writing._encode", interrupted)
    result = stylize("photo.jpg", "--style", "wave.png")
    assert (result.code, result.err) == (130, ["sfumato: interrupted"])
    assert sorted(path.name for path in folder.iterdir()) == ["night.jpg", "photo.jpg", "wave.png"]


def test_what_the_file_held_besides_pixels_stays(stylize, folder):
    pixels = image.read(folder / "wave.png").pixels
    Image.fromarray(np.dstack([pixels, np.full(pixels.shape[:2], 77, np.uint8)])).save(folder / "ghost.png")
    stylize("ghost.png", "--style", "night.jpg")
    assert image.read(folder / "ghost-night.png").alpha.min() == 77


@pytest.mark.parametrize("name", ["-x.jpg", "a b.jpg", "été 写真.jpg", "[x].jpg", "100%.jpg"])
def test_odd_names(stylize, folder, save, name):
    save(folder / name)
    given = f"./{name}" if name.startswith("-") else name
    result = stylize(given, "--style", "wave.png")
    assert result == (0, [name.replace(".jpg", "-wave.png")], [])
