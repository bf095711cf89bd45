"""A picture on its way into a session: counted while it comes, looked at before it is read, then read once."""

import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np

from .. import image
from ..errors import PictureError
from ..image import Picture, exif
from . import disk, recipe, views
from .notes import note
from .problems import Refusal, disk_full, refusal
from .schema import Limits, Mask, Note, Photo, Status

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif", "HEIF": "image/heif"}
"""What is read, and no other reader sees a byte; HEIF only where one is installed."""
TOO_MUCH = 8
"""Times the limit up to which the rest is taken and thrown away, so that the client hears why it was refused."""
LONGEST_NAME = 100


async def taken(chunks: AsyncIterator[bytes], target: Path, limit: int, promised: str) -> int:
    """Writes a body to a file; returns its bytes.

    Args:
        chunks: the body.
        target: a new file.
        limit: bytes that are kept.
        promised: its length as the client says, perhaps empty.

    Raises:
        Refusal: it is too long, or the disk is full.
    """
    if promised.isdecimal() and int(promised) > TOO_MUCH * limit:
        raise too_big(limit)
    size = 0
    try:
        with target.open("xb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size <= limit:
                    file.write(chunk)
                elif size > TOO_MUCH * limit:
                    break
    except OSError as error:
        raise disk_full(error) from error
    if size > limit:
        raise too_big(limit)
    return size


def too_big(limit: int) -> Refusal:
    """More bytes than are taken."""
    return Refusal("too_big", f"The file has more than {limit / 1e6:.0f} MB.", "Save it smaller, or as JPEG.")


def checked(path: Path, limits: Limits) -> image.Header:
    """The header of a file, which may be worked on.

    Raises:
        Refusal: it is no picture, or its size is not within the limits.
    """
    try:
        header = image.header_of(path, formats=tuple(FORMATS))
    except PictureError as error:
        raise refusal(error, path) from error
    size = f"{header.width} x {header.height} pixels"
    if header.width * header.height > limits.pixels:
        message = f"The picture has {size}, more than {limits.pixels / 1e6:.0f} megapixels."
        raise Refusal("too_many_pixels", message, "Save it smaller.")
    if min(header.width, header.height) < limits.smallest_side:
        message = f"The picture has {size}; each side needs {limits.smallest_side}."
        raise Refusal("too_small", message, "Take a larger one.")
    return header


def brought(coming: Path, folder: Path, header: image.Header, name: str, limits: Limits) -> Photo:
    """Makes a file that came a picture of a session; returns what is known of it.

    Args:
        coming: the file, which is moved.
        folder: of the picture, a new one.
        header: of the file.
        name: as the client calls it.
        limits: of the studio.

    Raises:
        Refusal: it cannot be read.
    """
    try:
        found = image.read(coming, limit_mp=limits.pixels / 1e6, formats=tuple(FORMATS))
    except PictureError as error:
        raise refusal(error, coming) from error
    disk.private(folder)
    size = coming.stat().st_size
    os.replace(coming, folder / "original")
    work = views.write(folder, found, limits.work_side)
    image.write(folder / "work.png", work)
    photo = Photo(
        id=folder.name,
        name=name,
        size=(found.width, found.height),
        work=(work.width, work.height),
        bytes=size,
        type=FORMATS[header.format],
        transparent=found.alpha is not None,
        bits=16 if found.pixels.dtype.itemsize == 2 else 8,
        has_camera=found.exif is not None,
        has_place=exif.has_place(found.exif),
        has_profile=found.icc is not None,
        notes=tuple(notes(header, found)),
        created=time.time(),
        status=Status(state="none"),
        mask=None,
        variants=(),
        recipe=recipe.within(found.exif),
    )
    disk.keep(folder / "photo.json", photo)
    return photo


def notes(header: image.Header, found: image.Picture) -> Iterator[Note]:
    """What the artist should know of a file and of what was read from it."""
    if header.frames > 1:
        yield note("frames", frames=header.frames)
    if header.profile and found.icc is None:
        yield note("profile")


def named(text: str) -> str:
    """A name that a client gave, fit to be shown and to name a file that is saved: no folders, no strange signs."""
    last = re.split(r"[/\\]", text)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:LONGEST_NAME].strip(" .") or "picture"


def zone(coming: Path, target: Path, work: tuple[int, int]) -> Mask:
    """Makes a file that came the zone of a picture: its first channel.

    Args:
        coming: the file.
        target: what is written.
        work: width and height that it must have.

    Raises:
        Refusal: it is no PNG of that size, or not opaque.
    """
    try:
        header = image.header_of(coming, formats=("PNG",))
        if (header.width, header.height) != work:
            message = f"The mask has {header.width} x {header.height} pixels, not {work[0]} x {work[1]}."
            raise Refusal("wrong_size", message, "Send it at the working size of its photo.")
        found = image.read(coming, formats=("PNG",))
    except PictureError as error:
        raise Refusal("not_a_mask", refusal(error, coming).message, "Send a PNG in grey.") from error
    if found.pixels.dtype != np.uint8 or (found.alpha is not None and bool((found.alpha < 255).any())):
        raise Refusal("not_a_mask", "The mask has 16 bits, or is not opaque.", "Send a PNG in grey, 8 bits.")
    values = found.pixels[..., 0]
    image.write(target, Picture(pixels=np.repeat(values[..., None], 3, 2), mode="L"), overwrite=True)
    chosen = int(np.count_nonzero(values >= 128))
    return Mask(width=work[0], height=work[1], pixels=chosen, share=chosen / values.size)
