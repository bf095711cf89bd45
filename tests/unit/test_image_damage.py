"""Files that are damaged, dangerous or no pictures at all: each is read, or named in one clear sentence."""

import os
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image
from unit import picture_corpus as corpus

from sfumato import image
from sfumato.errors import PictureError

FILES = corpus.files()


def refused(path, **options):
    """The one line said of a file that cannot be read, without its name."""
    with pytest.raises(PictureError) as caught:
        image.read(path, **options)
    said = str(caught.value)
    assert said.startswith(f"{path}: ") and "\n" not in said
    return said.removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", FILES)
def test_damage_is_told_or_survived(name, tmp_path):
    path = tmp_path / name
    said = []
    for _, broken in corpus.damaged(FILES[name], 0):
        path.write_bytes(broken)
        try:
            image.read(path).to_pil()
        except PictureError as error:
            said.append(str(error))
    assert len(said) > 10
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in said)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith(("moving", "pages", "phone"))])
def test_half_a_file_is_refused(name, tmp_path):
    (tmp_path / name).write_bytes(FILES[name][: len(FILES[name]) // 2])
    assert refused(tmp_path / name)


@pytest.mark.parametrize("name", FILES)
def test_nothing_but_zeros_or_a_beginning(name, tmp_path):
    for data in (bytes(len(FILES[name])), FILES[name][:12], b"\0", bytes(reversed(FILES[name]))):
        (tmp_path / name).write_bytes(data)
        assert refused(tmp_path / name)


@pytest.mark.parametrize("name", FILES)
def test_a_wrong_extension_does_no_harm(name, tmp_path):
    (tmp_path / "right").write_bytes(FILES[name])
    (tmp_path / "wrong.gif").write_bytes(FILES[name])
    assert corpus.same(image.read(tmp_path / "right"), image.read(tmp_path / "wrong.gif"))


@pytest.mark.parametrize("name", corpus.bombs())
def test_bombs_are_refused_by_their_header(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(corpus.bombs()[name])
    assert path.stat().st_size < 10000
    assert "megapixels, more than the limit of 256" in refused(path)


def test_the_limit_is_an_option(tmp_path):
    path = tmp_path / "x.png"
    Image.new("1", (1000, 1000)).save(path)
    assert "1.0 megapixels, more than the limit of 0.9" in refused(path, limit_mp=0.9)
    assert image.read(path, limit_mp=1).width == 1000
    assert image.read(path, limit_mp=None).width == 1000


def test_pillows_own_limit_does_not_count(tmp_path, monkeypatch):
    path = tmp_path / "x.png"
    for name in ("x.png", "x.tif", "x.webp"):
        Image.new("RGB", (50, 50)).save(tmp_path / name)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for name in ("x.png", "x.tif", "x.webp"):
        assert image.read(tmp_path / name).width == 50
    assert Image.MAX_IMAGE_PIXELS == 10
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)


def test_compressed_metadata_does_not_explode(tmp_path):
    zeros = zlib.compress(bytes(50_000_000), 1)
    chunks = corpus.png_chunk(b"zTXt", b"Comment\0\0" + zeros) + corpus.png_chunk(b"iCCP", b"icc\0\0" + zeros)
    (tmp_path / "x.png").write_bytes(corpus.png(corpus.scene(), 2, chunks))
    assert "too large" in refused(tmp_path / "x.png").lower()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF", "PostScript"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>", "SVG"),
        (b"\n<!DOCTYPE HTML><html>404", "web page"),
        (b"<html><body>", "web page"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0heic", "HEIC"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x20ftypisom\0\0\0\0", "film"),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"PK\x03\x04\x14\0", "ZIP"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"hello, world\n", "not a picture of a known format"),
        (b"\x89PNG\r\n\x1a\n", "beginning is damaged"),
    ],
)
def test_strangers_are_named(data, words, tmp_path):
    (tmp_path / "x.png").write_bytes(data)
    assert words in refused(tmp_path / "x.png")


def test_what_is_no_file(tmp_path):
    (tmp_path / "file").touch()
    assert refused(tmp_path) == "is a folder, not a picture"
    assert refused(tmp_path / "missing.png") == "there is no such file"
    assert refused(tmp_path / "file" / "x.png") == "there is no such file"
    assert refused(tmp_path / "zero\0byte.png") == "there is no such file"
    assert refused(tmp_path / ("long" * 70))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        assert refused(tmp_path / "pipe.png") == "is not a regular file"


def test_forbidden_files(tmp_path, monkeypatch):
    (tmp_path / "x.png").write_bytes(FILES["plain.png"])

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", forbidden)
    assert refused(tmp_path / "x.png") == "cannot be read: Permission denied"


def test_too_little_memory(tmp_path, monkeypatch):
    (tmp_path / "x.png").write_bytes(FILES["plain.png"])

    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "crop", exhausted)
    assert "more memory" in refused(tmp_path / "x.png")


@pytest.mark.parametrize(
    "name", ["lzw.tif", "jpeg.tif", "deep.tif", "deep.png", "plain.jpg", *(["plain.avif"] if corpus.HAS_AVIF else [])]
)
def test_decoders_say_nothing_of_their_own(name, tmp_path):
    """Nothing but our one line reaches the standard error, from C libraries too."""
    code = """
import sys
from sfumato import image
from sfumato.errors import PictureError
for path in sys.argv[1:]:
    try:
        image.read(path)
    except PictureError:
        pass
print("still here", file=sys.stderr)
"""
    paths = []
    for i, (_, data) in enumerate(corpus.damaged(FILES[name], 3, cuts=12, flips=80)):
        paths.append(tmp_path / f"{i}{name}")
        paths[-1].write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code, *paths], capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stderr.splitlines() if "colour profile" not in line and "8 bits" not in line]
    assert lines == ["still here"]


def test_damaged_pixels_in_memory():
    class Broken(Image.Image):
        def load(self):
            raise OSError("image file is truncated")

    source = Broken()
    source._size, source._mode = (3, 4), "RGB"
    with pytest.raises(PictureError, match=r"^the picture: is damaged or cut off \(image file is truncated\)"):
        image.from_any(source)


def test_pictures_without_pixels():
    with pytest.raises(PictureError, match="no pixels"):
        image.from_any(Image.new("RGB", (0, 5)))
    assert image.from_any(np.zeros((1, 1), np.uint8)).width == 1
