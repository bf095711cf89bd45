"""What draws, by name: the native engine, or Blender, if there is one."""

from collections.abc import Sequence
from typing import Literal

from ..errors import OptionError
from . import native
from .blender import client, engine, found
from .camera import Camera
from .frame import Figure, Frame, Settings

Engine = Literal["native", "blender"]


def check(name: Engine, strokes: engine.Strokes) -> None:
    """Whether that engine is there and can draw such strokes.

    Raises:
        DataError: there is no Blender; the message says how to get it.
        OptionError: the native engine is to draw strokes that are Blender's.
    """
    if name == "blender":
        found.blender()
    elif strokes != "line_art":
        raise OptionError(f"--strokes {strokes}: are drawn by Blender; add --engine blender")


def draw(figures: Sequence[Figure], camera: Camera, settings: Settings, name: Engine, strokes: engine.Strokes) -> Frame:
    """The figures as the camera sees them; see `native.draw`.

    Raises:
        DataError: as `native.draw`; or there is no Blender.
        FailedError: Blender died twice over the picture.
    """
    if name == "native":
        return native.draw(figures, camera, settings)
    return engine.draw(figures, camera, settings, client=client.client(), strokes=strokes)
