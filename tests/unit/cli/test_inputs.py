"""Files, folders and patterns; where results go; what is refused before the work starts."""

import os
from pathlib import Path

import pytest

from sfumato.cli import inputs
from sfumato.cli.files import path_of
from sfumato.cli.inputs import Job, Photo
from sfumato.errors import OptionError, PictureError


def touch(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def found(*arguments: object) -> list[Path]:
    return [photo.path for photo in inputs.find_photos([str(a) for a in arguments])]


def test_files_come_in_the_order_given_and_once(tmp_path: Path) -> None:
    b, a = touch(tmp_path, "b.jpg", "a.jpg")
    assert found(b, a, b) == [b, a]


def test_a_file_that_is_named_is_tried_whatever_it_is_called(tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "picture")
    assert found(path) == [path]


def test_a_folder_means_its_pictures_and_those_below_it(tmp_path: Path) -> None:
    touch(tmp_path, "b.JPG", "a.png", "sub/c.webp", "notes.txt", ".hidden.jpg", ".cache/d.jpg")
    assert found(tmp_path) == [tmp_path / name for name in ("a.png", "b.JPG", "sub/c.webp")]


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no pictures in this folder"):
        found(tmp_path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"no\.jpg: there is no such file"):
        found(tmp_path / "no.jpg")


def test_patterns_are_expanded_as_windows_leaves_them(tmp_path: Path) -> None:
    a, b, c = touch(tmp_path, "a.jpg", "b.jpg", "deep/er/c.jpg")
    assert found(tmp_path / "*.jpg") == [a, b]
    assert found(tmp_path / "**" / "c.jpg") == [c]
    with pytest.raises(PictureError, match="no file matches"):
        found(tmp_path / "*.png")


@pytest.mark.parametrize("name", ["[x] a*.jpg", "été à Zürich 写真.jpg", "-x.jpg", "a b.jpg", "100%.jpg"])
def test_odd_names_mean_themselves(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "x a.jpg", "[x] ab.jpg")
    (path,) = touch(tmp_path, name)
    assert found(path) == [path]


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    paths = touch(tmp_path, "a.jpg", "b.png")
    assert found("~/a.jpg", "~/*.png") == paths


def test_a_tilde_that_is_no_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "~tilde.jpg", "~/a.jpg")
    assert found("~tilde.jpg", "~/a.jpg") == [Path("~tilde.jpg"), Path("~/a.jpg")]
    assert found("~til*.jpg") == [Path("~tilde.jpg")]
    assert path_of("~nobody-of-that-name.png") == Path("~nobody-of-that-name.png")
    jobs = inputs.plan([Photo(path=Path("a.jpg"))], "wave", "~new.png")
    assert jobs[0].output == Path("~new.png")


def test_a_name_that_no_file_can_have() -> None:
    for act in (path_of, found, lambda name: inputs.plan([Photo(path=Path("a.jpg"))], "wave", name)):
        with pytest.raises(OptionError, match=r"long.*: no file can have such a name"):
            act("long" * 80 + ".jpg")


def test_what_cannot_be_read_is_not_left_out_of_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "IMG_1.HEIC", "b.heif", "c.jxl", "d.txt", "e.jpg/f.txt")
    (tmp_path / "g.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "h.jpg").symlink_to("h.jpg")
    jobs = inputs.plan(inputs.find_photos([str(tmp_path)]), "wave", str(tmp_path))
    assert [job.photo.name for job in jobs] == ["IMG_1.HEIC", "a.jpg", "b.heif", "c.jxl", "g.jpg", "h.jpg"]


def test_one_file_of_several_names_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    a, _ = touch(tmp_path, "in/a.jpg", "in/b.jpg")
    os.link(a, tmp_path / "A.JPG")  # as on a file system without upper and lower case
    (tmp_path / "best").symlink_to("in")
    assert found("in/../in/a.jpg", a, "A.JPG", "best/a.jpg", "in") == [Path("in/../in/a.jpg"), Path("in/b.jpg")]


def test_a_result_is_named_after_photo_and_style_beside_the_photo() -> None:
    assert inputs.plan([Photo(path=Path("in/a.b.jpg"))], "wave", None) == [
        Job(photo=Path("in/a.b.jpg"), output=Path("in/a.b-wave.png"))
    ]


@pytest.mark.parametrize(
    ("stems", "ending"), [("a", "a"), ("ab", "a+b"), ("abc", "a+b+c"), ("abcd", "a+3"), ("aa", "a+a")]
)
def test_the_names_of_several_styles(stems: str, ending: str) -> None:
    assert inputs.ending_of([Path(f"{stem}.jpg") for stem in stems]) == ending


@pytest.mark.parametrize("out", ["out", "out/", "out.d/"])
def test_a_name_without_extension_or_with_a_slash_is_a_folder(tmp_path: Path, out: str) -> None:
    jobs = inputs.plan([Photo(path=Path("a.jpg"))], "wave", str(tmp_path) + "/" + out)
    assert [job.output for job in jobs] == [tmp_path / out / "a-wave.png"]


def test_a_folder_that_exists_may_have_dots(tmp_path: Path) -> None:
    (tmp_path / "v1.2").mkdir()
    jobs = inputs.plan([Photo(path=Path("a.jpg"))], "wave", str(tmp_path / "v1.2"))
    assert [job.output for job in jobs] == [tmp_path / "v1.2" / "a-wave.png"]


def test_results_keep_the_order_of_folders(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.jpg", "in/sub/a.jpg")
    jobs = inputs.plan(inputs.find_photos([str(tmp_path / "in")]), "wave", str(tmp_path / "out"), suffix=".webp")
    assert [job.output for job in jobs] == [tmp_path / "out" / "a-wave.webp", tmp_path / "out" / "sub" / "a-wave.webp"]


def test_results_of_an_earlier_run_are_no_photographs(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a-wave.png", "b-wave.png")
    jobs = inputs.plan(inputs.find_photos([str(tmp_path)]), "wave", None)
    assert [job.photo.name for job in jobs] == ["a.jpg", "b-wave.png"]


def test_results_of_any_style_are_no_photographs(tmp_path: Path) -> None:
    results = ["a-coast.png", "a-coast-monet.PNG", "a.jpg-coast.png", "sub/b-coast.png"]
    photos = ["a-2.jpg", "a.jpg", "b-coast.png", "c-1.png", "sub/a-coast.png", "sub/b.tif"]
    touch(tmp_path, *results, *photos)
    for out in (None, str(tmp_path / "out")):
        jobs = inputs.plan(inputs.find_photos([str(tmp_path)]), "wave", out)
        assert [job.photo.relative_to(tmp_path).as_posix() for job in jobs] == photos


def test_a_result_that_is_named_is_a_photograph(tmp_path: Path) -> None:
    paths = touch(tmp_path, "a.jpg", "a-coast.png", "a-monet.png")
    named = [str(path) for path in paths[:2]]
    jobs = inputs.plan(inputs.find_photos([*named, str(tmp_path)]), "wave", None)
    assert [job.photo for job in jobs] == paths[:2]


def test_one_photograph_among_its_results_may_have_a_named_result(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.jpg", "in/a-coast.png")
    jobs = inputs.plan(inputs.find_photos([str(tmp_path / "in")]), "wave", str(tmp_path / "out.png"))
    assert [job.output for job in jobs] == [tmp_path / "out.png"]


def test_a_style_among_the_photographs_is_none_of_them(tmp_path: Path) -> None:
    a, style, _ = touch(tmp_path, "a.jpg", "wave.jpg", "wave-coast.png")
    jobs = inputs.plan(inputs.find_photos([str(tmp_path)]), "wave", None, keep=[style])
    assert [job.photo for job in jobs] == [a]
    named = inputs.plan(inputs.find_photos([str(style)]), "wave", None, keep=[style])
    assert [job.photo for job in named] == [style]


def test_a_folder_of_styles_alone(tmp_path: Path) -> None:
    (style,) = touch(tmp_path, "wave.jpg")
    for out in (None, str(tmp_path / "out.png")):
        with pytest.raises(OptionError, match="are styles or results"):
            inputs.plan(inputs.find_photos([str(tmp_path)]), "wave", out, keep=[style])


def test_results_in_a_folder_among_the_photographs_are_no_photographs(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "sub/b.jpg", "out/a-wave.png", "out/sub/b-wave.png")
    jobs = inputs.plan(inputs.find_photos([str(tmp_path)]), "wave", str(tmp_path / "out"))
    assert [job.photo.name for job in jobs] == ["a.jpg", "b.jpg"]


def test_a_folder_of_results_alone(tmp_path: Path) -> None:
    touch(tmp_path, "out/a-wave.png")
    with pytest.raises(OptionError, match="results of an earlier run"):
        inputs.plan(inputs.find_photos([str(tmp_path)]), "wave", str(tmp_path / "out"))


def test_several_photos_need_a_folder() -> None:
    with pytest.raises(OptionError, match=r"-o out\.png is one file for 2 pictures"):
        inputs.plan([Photo(path=Path("a.jpg")), Photo(path=Path("b.jpg"))], "wave", "out.png")


def test_photos_that_differ_in_their_extension_keep_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a.png", "b.png", "sub/A.jpg")
    jobs = inputs.plan(inputs.find_photos([str(tmp_path)]), "wave", None)
    results = ["a.jpg-wave.png", "a.png-wave.png", "b-wave.png", "sub/A-wave.png"]
    assert [job.output for job in jobs] == [tmp_path / result for result in results]
    touch(tmp_path, "a-wave.png", *results)  # the first of them from when there was no a.png
    assert inputs.plan(inputs.find_photos([str(tmp_path)]), "wave", None) == jobs


def test_names_that_differ_in_upper_and_lower_case(tmp_path: Path) -> None:
    jobs = inputs.plan([Photo(path=tmp_path / "A.jpg"), Photo(path=tmp_path / "a.png")], "wave", None)
    assert [job.output.name for job in jobs] == ["A.jpg-wave.png", "a.png-wave.png"]


def test_two_photos_never_become_one_result(tmp_path: Path) -> None:
    photos = [Photo(path=tmp_path / "in/a.jpg"), Photo(path=tmp_path / "more/a.jpg")]
    with pytest.raises(OptionError, match="would both become"):
        inputs.plan(photos, "wave", str(tmp_path / "out"))


def test_a_result_never_replaces_what_it_is_made_from(tmp_path: Path) -> None:
    (style,) = touch(tmp_path, "wave.png")
    for out, keep in [(tmp_path / "a.jpg", []), (style, [style])]:
        with pytest.raises(OptionError, match="would replace a picture"):
            inputs.plan([Photo(path=tmp_path / "a.jpg")], "wave", str(out), keep=keep)


def test_a_result_of_another_name_never_replaces_what_it_is_made_from(tmp_path: Path) -> None:
    (photo,) = touch(tmp_path, "photo.png")
    os.link(photo, tmp_path / "Photo.PNG")  # as on a file system without upper and lower case
    with pytest.raises(OptionError, match=r"Photo\.PNG: the result would replace a picture"):
        inputs.plan([Photo(path=photo)], "wave", str(tmp_path / "Photo.PNG"))


def test_a_style_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="is a folder"):
        inputs.find_files([str(tmp_path)])


def test_the_same_style_twice_stays_two(tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "a.jpg")
    assert inputs.find_files([str(path), str(path)]) == [path, path]
