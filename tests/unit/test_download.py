"""Where downloads come from and where they go; the downloading itself is in tests/jobs/test_downloads.py."""

import os
from pathlib import Path

import pytest

from sfumato import download
from sfumato.addresses import ADDRESSES
from sfumato.errors import UserError


def test_known_addresses_are_encrypted_and_tell_licence_and_source():
    assert {"vgg16", "vgg19", "vgg19-caffe", "vgg19-normalised"} <= set(ADDRESSES)
    for address in ADDRESSES.values():
        assert address.url.startswith("https://") and address.source.startswith("https://")
        assert address.licence and address.what and address.size > 1e7
    assert len({address.file for address in ADDRESSES.values()}) == len(ADDRESSES)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"HOME": "/home/me"}, "/home/me/.cache/sfumato"),
        ("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "/fast"}, "/fast/sfumato"),
        ("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "relative"}, "/home/me/.cache/sfumato"),
        ("darwin", {"HOME": "/Users/me"}, "/Users/me/Library/Caches/sfumato"),
        ("win32", {"HOME": "/me", "LOCALAPPDATA": "/me/local"}, "/me/local/sfumato/Cache"),
        ("win32", {"HOME": "/me"}, "/me/AppData/Local/sfumato/Cache"),
        ("linux", {"HOME": "/home/me", "SFUMATO_HOME": "~/models"}, "/home/me/models"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the paths are POSIX ones")
def test_the_cache_is_where_the_system_wants_it(monkeypatch, platform, variables, expected):
    for name in ("SFUMATO_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", platform)
    assert download.cache_dir() == Path(expected)


def test_without_a_home_the_cache_needs_a_name(monkeypatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("SFUMATO_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(UserError, match="set SFUMATO_HOME"):
        download.cache_dir()
