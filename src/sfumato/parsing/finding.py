"""What finds parts where nobody says what does: the model that comes with the program, else a first zone."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from ..image import Source
from .first_zone import first_zone
from .parts import Parts

if TYPE_CHECKING:
    from .parser import Precision

DEFAULT_MODEL = "segformer/parts"

Finder: TypeAlias = Callable[[Source], Parts]


def finder(*, device: str = "auto", precision: "Precision" = "auto") -> Finder:
    """A `PartParser` of the bundled model that looks at heads from near, too; without its file `first_zone`.

    Args:
        device: as of `PartParser`.
        precision: likewise.

    Raises:
        OptionError: there is no such device.
        WeightsError: the file is damaged.
    """
    from .parser import PartParser

    if not bundled():
        return first_zone
    return PartParser(DEFAULT_MODEL, device=device, precision=precision, zoom=True)


def bundled() -> bool:
    """Whether the model is here."""
    from ..zoo import available

    return any(entry.name == DEFAULT_MODEL and entry.path is not None for entry in available())


def find(picture: Source) -> Parts:
    """The parts of a picture by `finder`, which is made once.

    Raises:
        PictureError: the picture cannot be read.
    """
    return _usual()(picture)


@cache
def _usual() -> Finder:
    return finder()
