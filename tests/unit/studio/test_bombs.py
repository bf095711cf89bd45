"""Files that are small and become large, or that would run."""

import io
import os
import pickle
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from studios import photo

from sfumato.studio.bench import Bench
from sfumato.studio.work import parts_of

READ = """
import resource, sys
from pathlib import Path
from sfumato.studio.problems import Refusal
from sfumato.studio.receiving import brought, checked
from sfumato.studio.schema import Limits

def read(path):
    try:
        brought(path, path.with_suffix(""), checked(path, Limits()), "a", Limits())
    except Refusal as error:
        return error.code
    return "taken"

def highest():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

plain, bomb = map(Path, sys.argv[1:])
first, before = read(plain), highest()
print(first, read(bomb), highest() - before)
"""
"""Reads a picture, then another in the same way; says what came of both and how much the second took, in kB."""


@pytest.mark.parametrize(("kind", "status", "code"), [(b"iCCP", 0, ""), (b"zTXt", 0, ""), (b"iTXt", 0, "")], ids=str)
def test_what_grows_beside_the_pixels_is_not_read(shared, browser, tmp_path, kind, status, code):
    """A colour profile or a remark of 300 MB that comes as 300 kB; a process of its own tells what it takes."""
    packed = zlib.compress(bytes(300_000_000), 9)
    data = b"name\0" + (b"\1\0\0\0" if kind == b"iTXt" else b"\0") + packed
    content, head = photo(form="PNG"), 33
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    bomb = content[:head] + chunk + content[head:]
    plain = tmp_path / "plain.png", tmp_path / "bomb.png"
    for path, written in zip(plain, (content, bomb), strict=True):
        path.write_bytes(written)
    told = subprocess.run([sys.executable, "-c", READ, *plain], check=True, capture_output=True, text=True).stdout
    first, second, grown = told.split()
    assert (first, second) == ("taken", code or "taken")
    assert int(grown) < 100_000, "kB"
    answer = browser.ask("POST", "/api/photos?parts=0", bomb)
    assert (answer.status, answer.json.get("error", "")) == (status, code)
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
