"""Sessions on the disk: pictures, zones, variants and results, each with a record in JSON beside it.

    sessions/SESSION/photos/PHOTO/photo.json original work.png preview.* thumb.* labels.png mask.png
                                  VARIANT/drawn.png mask.png preview.* thumb.* ...
    sessions/SESSION/files/FILE/file.json data preview.* thumb.*
    aside/...  what could not be read

All names are drawn here at random. What a client sends is looked up among those in memory; it never becomes a path.
"""

import logging
import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from . import disk
from .problems import Refusal
from .schema import File, Limits, Photo, Status, Variant

log = logging.getLogger(__name__)

ID = re.compile(r"[A-Za-z0-9_-]{22}")
UNSETTLED = ("waiting", "loading", "parsing")


def new_id() -> str:
    """128 random bits as text."""
    return secrets.token_urlsafe(16)


class Holding:
    """A picture of a session and its folder."""

    def __init__(self, folder: Path, photo: Photo) -> None:
        self.folder, self.photo = folder, photo

    def check(self) -> None:
        """Whether it is still there: a job may have waited for long.

        Raises:
            Refusal: it was deleted meanwhile.
        """
        if not self.folder.exists():
            raise gone("picture")

    def keep(self, **changed: object) -> None:
        """Changes what is known of the picture, on the disk, too.

        Raises:
            Refusal: it was deleted meanwhile.
            DiskError: the disk is full or cannot be written.
        """
        self.check()
        self.photo = self.photo.model_copy(update=changed)
        disk.keep(self.folder / "photo.json", self.photo)

    def waits_for(self, job_id: str) -> None:
        """A job will find its parts; not on the disk, since no job outlives the studio."""
        self.photo = self.photo.model_copy(update={"status": Status(state="waiting", job=job_id)})

    def variant(self, variant_id: str) -> Variant:
        """One of its variants.

        Raises:
            Refusal: it has gone.
        """
        for variant in self.photo.variants:
            if variant.id == variant_id:
                return variant
        raise gone("variant")

    def add(self, variant: Variant) -> None:
        """Keeps another variant, whose folder is there already."""
        self.keep(variants=(*self.photo.variants, variant))

    def drop(self, variant_id: str) -> None:
        """Forgets a variant."""
        self.keep(variants=tuple(v for v in self.photo.variants if v.id != variant_id))
        disk.clear(self.folder / variant_id)

    def clear_halves(self) -> None:
        """Clears variants and files that a studio which was killed has left half made."""
        known = {variant.id for variant in self.photo.variants}
        for path in self.folder.iterdir():
            if ID.fullmatch(path.name) and path.name not in known:
                disk.clear(path)
            elif path.suffix == ".tmp":
                path.unlink()

    @property
    def labels(self) -> Path | None:
        """The file of the parts that were found, if they were looked for."""
        return self.folder / "labels.png" if self.photo.status.state in ("parsed", "no_person") else None

    @property
    def mask(self) -> Path | None:
        """The file of the zone that was sent."""
        path = self.folder / "mask.png"
        return path if self.photo.mask is not None else None


class Session:
    """What one browser has brought and made."""

    def __init__(self, session_id: str, folder: Path) -> None:
        self.id, self.folder = session_id, folder
        self.photos: dict[str, Holding] = {}
        self.files: dict[str, File] = {}
        self.used, self.bytes = time.time(), 0
        self.coming = 0
        """Pictures that are on their way."""

    def holding(self, photo_id: str) -> Holding:
        """A picture.

        Raises:
            Refusal: there is none of that id.
        """
        try:
            return self.photos[photo_id]
        except KeyError:
            raise gone("picture") from None

    def styles(self, ids: Iterable[str]) -> list[Holding]:
        """Pictures that others are to be painted like.

        Raises:
            Refusal: one of them is no longer there.
        """
        try:
            return [self.photos[one] for one in ids]
        except KeyError:
            message, hint = "A picture that the style was taken from is no longer in this session.", "Bring it again."
            raise Refusal("style_gone", message, hint) from None

    def with_variant(self, variant_id: str) -> Holding:
        """The picture that a variant is of.

        Raises:
            Refusal: there is no variant of that id.
        """
        for holding in self.photos.values():
            if any(variant.id == variant_id for variant in holding.photo.variants):
                return holding
        raise gone("variant")

    def file(self, file_id: str) -> File:
        """A result.

        Raises:
            Refusal: there is none of that id.
        """
        try:
            return self.files[file_id]
        except KeyError:
            raise gone("file") from None

    def place(self, file_id: str) -> Path:
        """The folder of a result, there or to come."""
        return self.folder / "files" / file_id

    def add_file(self, file: File) -> None:
        """Keeps a result, whose data are there already."""
        disk.keep(disk.private(self.place(file.id)) / "file.json", file)
        self.files[file.id] = file

    def drop_files(self, ids: Collection[str]) -> None:
        """Forgets results, and archives that hold nothing else."""
        emptied = [one.id for one in self.files.values() if one.holds and set(one.holds) <= set(ids)]
        for file_id in {*ids, *emptied}:
            self.files.pop(file_id, None)
            disk.clear(self.place(file_id))
        for one in list(self.files.values()):
            if left := [held for held in one.holds if held in self.files]:
                size = sum(self.files[held].bytes for held in left)
                if len(left) < len(one.holds):
                    self.add_file(one.model_copy(update={"holds": tuple(left), "bytes": size}))

    def drop(self, photo_id: str) -> None:
        """Forgets a picture and all its variants."""
        disk.clear(self.photos.pop(photo_id).folder)

    def touch(self) -> None:
        """Takes note that it is used; on the disk once in a minute."""
        now = time.time()
        if now - self.used > 60:
            self.used = now
            try:
                (self.folder / "used").touch()
            except OSError as error:  # it may still be read
                log.warning("%s: its last use cannot be noted (%s)", self.folder, error.strerror)

    def check_bytes(self, limits: Limits) -> None:
        """Whether there may be more of it.

        Raises:
            Refusal: it is full.
        """
        if self.bytes >= limits.session_bytes:
            message = f"The session holds {limits.session_bytes / 1e9:.0f} GB, the most it may."
            raise Refusal("session_full", message, "Delete pictures and files that are no longer needed.")

    def _clear_halves(self) -> None:
        """Clears pictures and results that a studio which was killed has left without a record."""
        for path in self.folder.glob("photos/*/"):
            if not (path / "photo.json").exists():
                disk.clear(path)
        for path in self.folder.glob("files/*/"):
            if not (path / "file.json").exists():
                disk.clear(path)

    @classmethod
    def read(cls, folder: Path, aside: Path) -> "Session":
        """A session as an earlier studio left it; what cannot be read is put aside, and the log tells."""
        session = cls(folder.name, folder)
        used = folder / "used"
        session.used = used.stat().st_mtime if used.exists() else folder.stat().st_mtime
        session._clear_halves()
        for path, photo in records(folder.glob("photos/*/photo.json"), Photo, aside):
            if photo.status.state in UNSETTLED:
                photo = photo.model_copy(update={"status": Status(state="none")})
            session.photos[photo.id] = Holding(path.parent, photo)
            session.photos[photo.id].clear_halves()
        for _, file in records(folder.glob("files/*/file.json"), File, aside):
            session.files[file.id] = file
        session.bytes = disk.size_of(folder)
        return session


RecordT = TypeVar("RecordT", Photo, File)


def records(paths: Iterable[Path], kind: type[RecordT], aside: Path) -> Iterator[tuple[Path, RecordT]]:
    """Records that can be read. The folder of another goes aside: it would count, and nobody could delete it."""
    for path in sorted(paths):
        try:
            yield path, kind.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            told = error.strerror if isinstance(error, OSError) else "it is of another version or damaged"
            log.warning("%s cannot be read (%s); its folder is kept for a while in %s", path, told, aside)
            try:
                disk.moved(path.parent, aside)
            except OSError as fault:
                log.error("%s cannot be moved there (%s)", path.parent, fault.strerror)


class Store:
    """All sessions, and a folder for what lives only for a moment.

    Args:
        home: folder of the studio.
        most_bytes: of all sessions.
        keep_days: that a session which is not used is kept.
    """

    def __init__(self, home: Path, most_bytes: int, keep_days: float) -> None:
        self.home, self.most_bytes, self.keep_days = disk.private(home), most_bytes, keep_days
        self.passing, self.aside = home / "tmp", disk.private(home / "aside")
        self.wipe()
        for path in self.aside.iterdir():
            if path.stat().st_mtime < time.time() - 86400 * keep_days:
                disk.clear(path)
        folders = [f for f in sorted(disk.private(home / "sessions").iterdir()) if ID.fullmatch(f.name)]
        self.sessions = {folder.name: Session.read(folder, self.aside) for folder in folders}
        for folder in self.sweep(frozenset()):
            disk.clear(folder)

    def wipe(self) -> None:
        """Clears what lived only for a moment."""
        disk.clear(self.passing)
        disk.private(self.passing)

    def session(self, session_id: str) -> Session:
        """The session of that id; an empty one, of which nothing is on the disk yet, if there is none."""
        return self.sessions.get(session_id) or Session(session_id, self.home / "sessions" / session_id)

    def begun(self, session_id: str) -> Session:
        """The same, to bring something to: it is kept from now on."""
        session = self.sessions.setdefault(session_id, self.session(session_id))
        for name in ("photos", "files"):
            disk.private(disk.private(session.folder) / name)
        return session

    def sweep(self, busy: frozenset[str]) -> list[Path]:
        """Drops sessions that nobody used for long or that are empty, and of too many bytes those of longest ago.

        Returns:
            Their folders, which are still to be cleared. They lie among what passes: who comes back meanwhile begins
            another.

        Args:
            busy: ids of sessions that stay in any case.
        """
        idle = (session for session in self.sessions.values() if session.id not in busy and not session.coming)
        oldest = sorted(idle, key=lambda session: session.used)
        total = sum(session.bytes for session in self.sessions.values())
        dropped = []
        for session in oldest:
            if session.bytes and total <= self.most_bytes and session.used > time.time() - 86400 * self.keep_days:
                continue
            try:
                dropped.append(disk.moved(session.folder, self.passing))
            except OSError as error:  # another program may be reading it
                log.warning("%s: it is old and cannot be cleared yet (%s)", session.folder, error.strerror)
                continue
            total -= session.bytes
            del self.sessions[session.id]
        return dropped


def gone(what: str) -> Refusal:
    """There is nothing of an id that was asked for."""
    return Refusal("not_found", f"There is no such {what} in this session.", "It may have been deleted; open it again.")
