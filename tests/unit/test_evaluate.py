"""`sfumato distance` and its function."""

import numpy as np
import pytest
import shapes
from PIL import Image

import sfumato
from sfumato.cli import main
from sfumato.errors import Cancelled, DataError


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sides")
    shapes.folders(folder, 30)
    return folder


def near(folder, into):
    """The same pictures, a little noisier."""
    into.mkdir()
    rng = np.random.default_rng(5)
    for path in sorted(folder.iterdir()):
        pixels = np.asarray(Image.open(path)) + rng.normal(0, 12, (40, 40, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(into / path.name)
    return into


def test_the_nearer_the_smaller(sides, tmp_path):
    a, b = sides / "a", sides / "b"
    same, close, far = (sfumato.distance(a, other, network="compact") for other in (a, near(a, tmp_path / "near"), b))
    assert same.frechet == pytest.approx(0, abs=1e-6 * far.frechet)
    assert same.frechet < close.frechet < 0.5 * far.frechet
    assert same.kernel < close.kernel < far.kernel
    assert (far.frechet_name, far.kernel_name, far.counts) == ("fd-compact", "kd-compact", (30, 30))


def test_the_command(sides, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path))
    assert main(["distance", str(sides / "a"), str(sides / "b")]) == 0
    out = capsys.readouterr().out
    assert "fd-compact" in out and "30 and 30" in out and "Fewer than 2,000 pictures" in out
    assert main(["distance", str(sides / "a"), "--quiet"]) == 2
    assert "between which two folders? 1 given" in capsys.readouterr().err
    assert main(["distance", str(sides / "a"), str(sides / "b"), "--network", "inception"]) != 0
    assert "`sfumato models get inception-fid` downloads it" in capsys.readouterr().err


def test_odd_pictures(sides, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (5, 300), np.uint8)).save(folder / "grey.png")
    Image.fromarray(rng.integers(0, 65536, (30, 30)).astype(np.uint16)).save(folder / "deep.png")
    Image.fromarray(rng.integers(0, 256, (30, 20, 4), np.uint8)).save(folder / "clear.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no")
    found = sfumato.distance(folder, sides / "a", network="compact")
    assert found.counts == (3, 30)
    assert len(found.left_out) == 1 and "broken.jpg" in found.left_out[0]


def test_folders_without_pictures(sides, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: 0 pictures that can be read, at least two are needed"):
        sfumato.distance(tmp_path / "empty", sides / "a", network="compact")
    with pytest.raises(DataError, match="no such folder"):
        sfumato.distance(tmp_path / "none", sides / "a", network="compact")
    with pytest.raises(Cancelled):
        sfumato.distance(sides / "a", sides / "b", network="compact", progress=lambda done, _: done < 5)
