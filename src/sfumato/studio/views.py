"""Pictures to look at: small, in sRGB, and without what a camera wrote."""

from pathlib import Path

from .. import image
from ..image import Picture

THUMB = 320
"""Longest side of a small picture."""
QUALITY = 90


def shrunk(picture: Picture, longest: int) -> Picture:
    """The picture with no side of more pixels."""
    return image.resize(picture, longest=min(longest, max(picture.width, picture.height)))


def suffix_of(picture: Picture) -> str:
    """WebP where there is transparency, else JPEG, which is made far faster."""
    return ".jpg" if picture.alpha is None else ".webp"


def as_bytes(picture: Picture) -> tuple[str, bytes]:
    """The picture as the bytes of a file, and the file's extension."""
    suffix = suffix_of(picture)
    return suffix, image.encoded(image.plain(picture), suffix, quality=QUALITY)


def write(folder: Path, picture: Picture, longest: int | None = None) -> Picture:
    """Writes preview.* and thumb.* of a picture; returns what the preview shows, without loss.

    Args:
        folder: where to.
        picture: any.
        longest: most pixels of a side of the preview.
    """
    seen = image.plain(picture if longest is None else shrunk(picture, longest))
    suffix = suffix_of(seen)
    image.write(folder / f"preview{suffix}", seen, overwrite=True, quality=QUALITY)
    image.write(folder / f"thumb{suffix}", shrunk(seen, THUMB), overwrite=True, quality=QUALITY)
    return seen
