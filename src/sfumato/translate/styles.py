"""Styles as a model wants them: read, brought to size, recoloured where asked for, encoded, and remembered.

Shapes: B batch, C channels, h w pixels of a style.
"""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from torch import Tensor

from ..errors import OptionError
from ..image import Box, Picture, Source, from_any, resize
from ..methods.base import Code
from ..nets.colors import coral, match_histogram
from ..options import Options
from .content import some_of

USUAL_SIZE = 512
"""Longest side of a style if none is asked for: what the papers trained with, and enough for its statistics."""
REMEMBERED = 64
"""Codes that are kept."""


def read_style(source: Source, size: int | None) -> Picture:
    """The style as it looks on white paper, its longest side `size` pixels, or at most `USUAL_SIZE` for None."""
    picture = from_any(source).compose_on_white()
    longest = max(picture.height, picture.width)
    wanted = min(longest, USUAL_SIZE) if size is None else size
    return resize(picture, longest=wanted)


def recolored(style: Tensor, content: Picture, keep_colors: str) -> Tensor:
    """The style (1, 3, h, w) with the colours of the content, where `keep_colors` asks for it; in [0, 1]."""
    match: Callable[[Tensor, Tensor], Tensor] | None = {"coral": coral, "histogram": match_histogram}.get(keep_colors)
    return style if match is None else match(style, some_of(content)).clamp(0, 1)


class Codes:
    """The codes of styles, each computed once while it is among the last `REMEMBERED`.

    Args:
        encode: the model's, for a style (1, 3, h, w).
        smallest: pixels that a side must have.
    """

    def __init__(self, encode: Callable[[Tensor], Code], smallest: int) -> None:
        self.encode, self.smallest = encode, smallest
        self.known: OrderedDict[Hashable, Code] = OrderedDict()
        self.digests: WeakKeyDictionary[Picture, bytes] = WeakKeyDictionary()

    def of(self, styles: Sequence[Source], content: Picture, options: Options) -> list[Code]:
        """The code of each style."""
        if options.keep_colors in ("coral", "histogram"):  # these differ with each content
            return [self._encode(style, options, content) for style in styles]
        return [self._remembered(style, options) for style in styles]

    def _remembered(self, style: Source, options: Options) -> Code:
        key = (self._identity(style), options.style_size)
        if key not in self.known:
            self.known[key] = self._encode(style, options)
            if len(self.known) > REMEMBERED:
                self.known.popitem(last=False)
        self.known.move_to_end(key)
        return self.known[key]

    def _encode(self, style: Source, options: Options, content: Picture | None = None) -> Code:
        picture = read_style(style, options.style_size)
        bottom, right = max(picture.height, self.smallest), max(picture.width, self.smallest)
        tensor = picture.tensor(Box(0, 0, bottom, right))
        return self.encode(tensor if content is None else recolored(tensor, content, options.keep_colors))

    def _identity(self, style: Source) -> Hashable:
        """The same for the same pixels: a file's place and time, or a digest of what is in memory."""
        if isinstance(style, (str, os.PathLike)):
            path = Path(style).absolute()
            try:
                status = path.stat()
            except OSError:
                return path  # which is about to be an error, said by the reader
            return path, status.st_mtime_ns, status.st_size
        if isinstance(style, Picture) and style in self.digests:
            return self.digests[style]
        picture = from_any(style)
        digest = hashlib.blake2b(repr((picture.pixels.shape, picture.pixels.dtype)).encode())
        for array in (picture.pixels, picture.alpha):
            if array is not None:
                digest.update(np.ascontiguousarray(array).data)
        if isinstance(style, Picture):
            self.digests[style] = digest.digest()
        return digest.digest()


def as_list(given: "Source | Sequence[Source] | None") -> list[Source]:
    """One picture, several or none as a list."""
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]  # type: ignore[list-item]


def as_styles(style: "Source | Sequence[Source] | None") -> list[Source]:
    """One style or several as a list.

    Raises:
        OptionError: there is none.
    """
    styles = as_list(style)
    if not styles:
        raise OptionError("a style is needed: a picture whose style is to be taken")
    return styles
