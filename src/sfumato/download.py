"""The cache and the downloads into it: only on an explicit wish, resumable, checked against a digest.

A file is checked against every digest that is known of it: the caller's, the one in its own name (`vgg19-dcbb9e9d.pth`
tells the first eight digits of its sha256), the one its address sends along (RFC 9530) and the one that the first
download left beside it as `NAME.sha256`. If there is none the download leaves one there, and the result says so.

urllib is enough: one GET with a Range header; nothing here would be shorter with another library.
"""

import base64
import errno
import hashlib
import http.client
import os
import re
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO

from .addresses import ADDRESSES
from .errors import Cancelled, DiskError, DownloadError, UserError, WeightsError

ATTEMPTS = 3
"""Attempts in a row that may bring nothing new before a download is given up."""
PAUSE_S = 1.0
"""Pause before the second attempt; doubled for each further one."""
CHUNK = 1 << 18

Progress = Callable[[int, int], object]
"""Called with the bytes done and the total (0 if unknown); returning False cancels."""


@dataclass(frozen=True, kw_only=True)
class Cached:
    """A complete and checked file of the cache."""

    path: Path
    sha256: str
    checked: str
    """What the digest was compared with, to be shown: `its name`, ... or `nothing yet: ...` on the first use."""
    fetched: bool
    """Whether it came over the network just now."""


def cache_dir() -> Path:
    """The folder of downloads: $SFUMATO_HOME, else `sfumato` in the user's cache folder; it may not exist yet.

    Raises:
        UserError: there is no home folder to put it in.
    """
    if home := os.environ.get("SFUMATO_HOME"):
        return Path(home).expanduser()
    try:
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA")
            return (Path(local) if local else Path.home() / "AppData" / "Local") / "sfumato" / "Cache"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches" / "sfumato"
        xdg = os.environ.get("XDG_CACHE_HOME", "")  # to be ignored unless absolute, says its specification
        return (Path(xdg) if Path(xdg).is_absolute() else Path.home() / ".cache") / "sfumato"
    except RuntimeError as error:
        raise UserError("there is no home folder for downloaded models; set SFUMATO_HOME to a folder") from error


def cached(name: str) -> Path | None:
    """The file of one of `ADDRESSES` if it has been downloaded, else None."""
    try:
        path = cache_dir() / ADDRESSES[name].file
    except UserError:  # without a folder for them there are no downloads
        return None
    return path if path.is_file() else None


def get(name: str, progress: Progress | None = None) -> Cached:
    """Downloads one of `ADDRESSES` into the cache unless it is there.

    Raises:
        WeightsError: there is no such name.
        DownloadError, DiskError, Cancelled: as `fetch`.
    """
    if name not in ADDRESSES:
        raise WeightsError(f"there is no model {name!r} to download; choose from {', '.join(ADDRESSES)}")
    return fetch(ADDRESSES[name].url, ADDRESSES[name].file, progress=progress)


def fetch(
    url: str, name: str, *, sha256: str | None = None, progress: Progress | None = None, timeout_s: float = 30.0
) -> Cached:
    """Brings `url` into the cache as `name`; a complete file is only checked, a broken download goes on where it ended.

    Args:
        sha256: the digest, or at least 8 of its first digits, where the caller knows it.
        timeout_s: how long the other side may be silent.

    Raises:
        DownloadError: no network, no such file, or not the file that was promised (which is then removed).
        DiskError: the disk is full or not writable; what has come is kept and goes on the next time.
        Cancelled: `progress` returned False; likewise.
    """
    if not re.match(r"https?://", url):
        raise DownloadError(f"{url}: only http and https addresses can be downloaded")
    path = cache_dir() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            try:
                return _checked(path, sha256)
            except WeightsError:
                path.unlink()  # damaged since: fetched anew, and checked again below
        part = path.with_name(f"{path.name}.part")
        published = _bring(url, part, progress, timeout_s)
        return _finish(part, path, sha256, published)
    except OSError as error:
        raise _disk_error(path.parent, error) from error


def verify(name: str) -> Cached:
    """Recomputes the digest of a downloaded file of `ADDRESSES`.

    Raises:
        WeightsError: it is missing or damaged.
    """
    path = cached(name)
    if path is None:
        raise WeightsError(f"{name} has not been downloaded; `sfumato models get {name}` does it")
    try:
        return _checked(path, None)
    except WeightsError as error:
        raise WeightsError(f"{error}; `sfumato models get {name}` fetches it again") from error


def file_sha256(path: Path) -> str:
    """The sha256 of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _expectations(path: Path, given: str | None, published: str | None) -> dict[str, str]:
    """Digests, or their first digits, that the file must have, by where they come from."""
    in_name = re.search(r"-([0-9a-f]{8,64})\.\w+$", path.name)
    record = _record(path)
    known = {
        "the digest given": given,
        "its name": in_name[1] if in_name else None,
        "the digest its address sends": published,
        f"the first download's digest ({record.name})": record.read_text(encoding="latin-1")[:64]
        if record.is_file()
        else None,
    }
    return {where: digest.lower() for where, digest in known.items() if digest}


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _checked(path: Path, given: str | None, published: str | None = None, name: Path | None = None) -> Cached:
    """Compares a file with all that is known of its digest; records the digest if that is nothing.

    Raises:
        WeightsError: it differs.
    """
    goal = name or path
    digest = file_sha256(path)
    expectations = _expectations(goal, given, published)
    for where, expected in expectations.items():
        if not digest.startswith(expected):
            raise WeightsError(f"{goal}: its sha256 {digest[:16]}... differs from {where}, {expected[:16]}...")
    record = _record(goal)
    if not record.is_file():
        record.write_text(f"{digest}  {goal.name}\n", encoding="utf-8")
    new = f"nothing yet: this first digest is kept in {record.name}"
    return Cached(path=goal, sha256=digest, checked=" and ".join(expectations) or new, fetched=False)


def _finish(part: Path, path: Path, given: str | None, published: str | None) -> Cached:
    _validator_file(part).unlink(missing_ok=True)
    try:
        result = _checked(part, given, published, path)
    except WeightsError as error:
        part.unlink()
        record = _record(path)
        hint = f"; if a new version is wanted, delete {record}" if record.name in str(error) else ""
        raise DownloadError(f"the download is not what was promised and was removed: {error}{hint}") from error
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    return Cached(path=result.path, sha256=result.sha256, checked=result.checked, fetched=True)


class _BrokenError(Exception):
    """An attempt failed in a way that another may not; says how."""


def _bring(url: str, part: Path, progress: Progress | None, timeout_s: float) -> str | None:
    """Fills `part`, in as many attempts as bring something new; returns the digest sent along."""
    best, failures = _size(part), 0
    while True:
        try:
            return _attempt(url, part, progress, timeout_s)
        except _BrokenError as error:
            failures = 0 if _size(part) > best else failures + 1
            best = max(best, _size(part))
            if failures >= ATTEMPTS:
                size = _size(part) if _validator_file(part).is_file() else 0
                kept = f"; {size / 1e6:.1f} MB are kept and the same command goes on from there" if size else ""
                raise DownloadError(f"{url}: {error}; check the network and try again{kept}") from error
            time.sleep(PAUSE_S * 2 ** max(0, failures - 1))


def _attempt(url: str, part: Path, progress: Progress | None, timeout_s: float) -> str | None:
    """One request, from where `part` ends if the server can prove that the file is still the same."""
    with part.open("ab") as file:
        _lock(file, part)
        start, validator = file.tell(), _validator_file(part)
        headers = {"User-Agent": "sfumato", "Accept-Encoding": "identity"}
        if start and validator.is_file():
            headers |= {"Range": f"bytes={start}-", "If-Range": validator.read_text(encoding="latin-1")}
        with _open(urllib.request.Request(url, headers=headers), timeout_s) as response:
            if response.status == 416:
                if response.headers.get("Content-Range") == f"bytes */{start}":
                    return _published(response.headers)  # it was complete, only not yet checked
                file.truncate(0)
                raise _BrokenError("the server does not have the rest of the file that it began")
            resumed = response.status == 206
            if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                file.truncate(0)
                raise _BrokenError("the server sent another part of the file than the one asked for")
            if not resumed:
                file.truncate(0)
            done = file.tell() if resumed else 0
            length = response.headers.get("Content-Length", "")
            total = done + int(length) if length.isdigit() else 0
            _check_space(part.parent, total - done)
            _remember(validator, response.headers)
            _copy(response, file, progress, done=done, total=total)
            return _published(response.headers)


def _open(request: urllib.request.Request, timeout_s: float) -> http.client.HTTPResponse | urllib.error.HTTPError:
    """The answer to a request, of status 200, 206 or 416.

    Raises:
        _BrokenError: there is none, or one that may be better the next time.
        DownloadError: it is a refusal.
    """
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            return error
        error.close()
        answer = f"the server answers {error.code} {error.reason}"
        if error.code >= 500 or error.code in (408, 429):
            raise _BrokenError(answer) from error
        raise DownloadError(f"{request.full_url}: {answer}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(_reason(error)) from error
    if request.type == "https" and not response.url.startswith("https:"):
        response.close()
        raise DownloadError(f"{request.full_url}: sends on to an address without encryption, {response.url}")
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise DownloadError(f"{request.full_url}: sends a web page, not a file; does this network want a log-in?")
    return response


def _copy(response: IO[bytes], file: IO[bytes], progress: Progress | None, *, done: int, total: int) -> None:
    while block := _read(response):
        file.write(block)
        done += len(block)
        if progress is not None and progress(done, total) is False:
            raise Cancelled("the download was cancelled; the same command goes on from where it ended")
    if total and done != total:
        raise _BrokenError("the connection broke")


def _read(response: IO[bytes]) -> bytes:
    try:
        return response.read(CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(_reason(error)) from error


def _lock(file: IO[bytes], part: Path) -> None:
    """Keeps a second process from writing the same file; Windows has no such lock, there the digest must tell."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DownloadError(f"{part}: another process is downloading this file") from error


def _validator_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _remember(file: Path, headers: "Message[str, str]") -> None:
    """Keeps what proves, at the next attempt, that the file is still the same; without it a download starts again."""
    tag = headers.get("ETag", "")
    # If-Range takes no weak tags (RFC 9110, section 13.1.5).
    proof = tag if tag.startswith('"') else headers.get("Last-Modified")
    if proof and headers.get("Accept-Ranges", "bytes") != "none":
        file.write_text(proof, encoding="latin-1")
    else:
        file.unlink(missing_ok=True)


def _published(headers: "Message[str, str]") -> str | None:
    """The sha256 in the header `Repr-Digest` (RFC 9530), in hexadecimal."""
    match = re.search(r"sha-256=:([A-Za-z0-9+/]{43}=):", headers.get("Repr-Digest", ""))
    return base64.b64decode(match[1]).hex() if match else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DiskError(f"{folder}: the download needs {needed / 1e6:.0f} MB more and {free / 1e6:.0f} MB are free")


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead | ConnectionError):
        return "the connection broke"
    reason = getattr(error, "reason", error)
    return "no answer in time" if isinstance(reason, TimeoutError) else str(reason) or type(reason).__name__


def _disk_error(folder: Path, error: OSError) -> DiskError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return DiskError(f"{folder}: the disk is full; make room or set SFUMATO_HOME to another folder")
    return DiskError(f"{folder}: cannot be written ({error.strerror or error}); set SFUMATO_HOME to another folder")
