"""Files that are small and become large, or that would run."""

import io
import os
import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from studios import photo

from sfumato.studio.bench import Bench
from sfumato.studio.work import parts_of

READ = """
import sys, zlib
from pathlib import Path
from sfumato.studio.problems import Refusal
from sfumato.studio.receiving import brought, checked
from sfumato.studio.schema import Limits
from sfumato.studio.store import new_id

def read(path):
    try:
        brought(path, path.parent / new_id(), checked(path, Limits()), "a", Limits())
    except Refusal as error:
        return error.code
    return "taken"

def highest():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

plain, bomb, packed = map(Path, sys.argv[1:])
told = [read(plain), highest()]
told += [read(bomb), highest()]
grown = zlib.decompress(packed.read_bytes())
print(*told, highest())
"""
"""Reads a picture, then another in the same way, then unpacks what is in it: what came of both, and after each the most
memory that there was, in kB. What one process inherits of another does not count."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the most memory of a process")
@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
def test_what_grows_beside_the_pixels_is_not_read(shared, browser, tmp_path, kind):
    """A colour profile or a remark of 300 MB that comes as 300 kB."""
    packed = zlib.compress(bytes(300_000_000), 9)
    data = b"name\0" + (b"\1\0\0\0" if kind == b"iTXt" else b"\0") + packed
    content, head = photo(form="PNG"), 33
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    bomb, paths = content[:head] + chunk + content[head:], [tmp_path / name for name in ("plain", "bomb", "packed")]
    for path, written in zip(paths, (content, bomb, packed), strict=True):
        path.write_bytes(written)
    alone = subprocess.run([sys.executable, "-c", READ, *paths], check=True, capture_output=True, text=True)
    first, before, second, after, unpacked = alone.stdout.split()
    assert (first, second) == ("taken", "not_a_picture")
    assert int(after) - int(before) < 50_000, "kB"
    assert int(unpacked) - int(after) > 200_000, "what it would have taken is seen"
    answer = browser.ask("POST", "/api/photos?parts=0", bomb)
    assert (answer.status, answer.error) == (415, "not_a_picture")
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
