"""Pictures: read, write, convert, resize, tile. The only part of Sfumato that knows Pillow and OpenCV's decoders.

    read -> Picture(pixels in sRGB, alpha, and how it came) -> tensor -> a model -> with_pixels -> write

Neither torch nor OpenCV is imported before one of them is needed.
"""

from .depth import Pixels, quantize
from .files import LIMIT_MP, READABLE, Header, header_of, read, read_labels, size_of
from .picture import Picture, Source, from_any, in_color, plain, resize, scaled
from .place import check_place
from .sheet import contact_sheet
from .tiles import Box, Tile, tiles
from .writing import FORMATS, check_output, encoded, write

__all__ = [
    "FORMATS",
    "LIMIT_MP",
    "READABLE",
    "Box",
    "Header",
    "Picture",
    "Pixels",
    "Source",
    "Tile",
    "check_output",
    "check_place",
    "contact_sheet",
    "encoded",
    "from_any",
    "header_of",
    "in_color",
    "plain",
    "quantize",
    "read",
    "read_labels",
    "resize",
    "scaled",
    "size_of",
    "tiles",
    "write",
]
