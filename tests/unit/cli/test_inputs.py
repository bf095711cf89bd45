"""Files, folders and patterns; where results go; what is refused before the work starts."""

from pathlib import Path

import pytest

from sfumato.cli import inputs
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


def test_two_photos_never_become_one_result(tmp_path: Path) -> None:
    photos = [Photo(path=tmp_path / "a.jpg"), Photo(path=tmp_path / "a.png")]
    with pytest.raises(OptionError, match="would both become"):
        inputs.plan(photos, "wave", None)


def test_a_result_never_replaces_what_it_is_made_from(tmp_path: Path) -> None:
    (style,) = touch(tmp_path, "wave.png")
    for out, keep in [(tmp_path / "a.jpg", []), (style, [style])]:
        with pytest.raises(OptionError, match="would replace a picture"):
            inputs.plan([Photo(path=tmp_path / "a.jpg")], "wave", str(out), keep=keep)


def test_existing_results_are_named_before_anything_is_done(tmp_path: Path) -> None:
    paths = touch(tmp_path, "a.png", "b.png")
    with pytest.raises(PictureError, match=r"a\.png: is there already \(and 1 more\); --overwrite replaces it"):
        inputs.check_outputs(paths, overwrite=False)
    inputs.check_outputs(paths, overwrite=True)


def test_folders_of_results_are_made(tmp_path: Path) -> None:
    inputs.check_outputs([tmp_path / "new" / "er" / "a.png"], overwrite=False)
    assert (tmp_path / "new" / "er").is_dir()


def test_a_style_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="is a folder"):
        inputs.find_files([str(tmp_path)])


def test_the_same_style_twice_stays_two(tmp_path: Path) -> None:
    (path,) = touch(tmp_path, "a.jpg")
    assert inputs.find_files([str(path), str(path)]) == [path, path]
