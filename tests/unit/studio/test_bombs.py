"""Files that are small and become large, or that would run."""

import io
import os
import pickle
import resource
import struct
import zlib

import numpy as np
import pytest
from studios import photo

from sfumato.studio.bench import Bench
from sfumato.studio.work import parts_of


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
def test_what_grows_beside_the_pixels_is_not_read(shared, browser, kind):
    """A colour profile or a remark of 300 MB that comes as 300 kB."""
    packed = zlib.compress(bytes(300_000_000), 9)
    data = b"name\0" + (b"\1\0\0\0" if kind == b"iTXt" else b"\0") + packed
    content, head = photo(form="PNG"), 33
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = browser.ask("POST", "/api/photos?parts=0", content[:head] + chunk + content[head:])
    assert (answer.status, answer.json.get("error")) in ((415, "not_a_picture"), (201, None))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kB"
    assert not [path for path in shared.studio.store.passing.iterdir() if path.suffix != ".log"]


class Bomb:
    """What runs when a pickle is read."""

    def __reduce__(self):
        return os.mkdir, ("run",)


def test_no_pickle_is_read(shared, browser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = browser.upload(photo())
    folder = shared.studio.store.session(next(iter(browser.cookies.values()))).photos[made["id"]].folder
    for content in (pickle.dumps(Bomb()), b"\x93NUMPY\x01\x00" + pickle.dumps(Bomb())):
        assert browser.ask("POST", "/api/photos", content).error == "not_a_picture"
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb()], object), allow_pickle=True)
    (folder / "soft.npy").write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="allow_pickle=False"):
        parts_of(Bench("cpu", lambda done, total: True, lambda name, size: None), {"folder": str(folder)}, None)
    assert not (tmp_path / "run").exists()
