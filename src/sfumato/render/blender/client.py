"""The Blender that draws for this process: started when it is first wanted, and once more where it dies.

Shapes: V vertices and C corners of an object, F its polygons, P points of all lines, S lines.
"""

import atexit
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FailedError
from ..character import Floats, Numbers
from . import found
from .process import STARTING_S, Died, Message, Process

logger = logging.getLogger(__name__)

KEPT = 64
"""Meshes that Blender holds from picture to picture; what was not used for the longest time goes."""
DRAWING_S = 300.0
"""Freestyle takes its time over large pictures of several figures; more means that it hangs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """What of an object does not change with the pose."""

    corners: Numbers
    """(C,), the vertices around its polygons, polygon after polygon."""
    sizes: Numbers
    """(F,), corners of each polygon."""
    loose: bool
    """It is loose sheets, which hide other things but have no lines of their own here."""

    @cached_property
    def digest(self) -> str:
        return hashlib.blake2b(self.corners.tobytes() + self.sizes.tobytes(), digest_size=8).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Lines:
    """What Blender drew."""

    points: Floats
    """(P, 2), x and y in pixels."""
    starts: Numbers
    """(S + 1,), where each line begins, and the end of the last."""
    kinds: Numbers
    """(S,), by the numbers of `inside`."""


class Client:
    """A Blender of its own for whoever makes one.

    Args:
        blender: which one.
        starting_s: how long it may take to start,
        drawing_s: and to draw a picture.
    """

    def __init__(self, blender: found.Blender, *, starting_s: float = STARTING_S, drawing_s: float = DRAWING_S) -> None:
        self._blender, self._starting_s, self._drawing_s = blender, starting_s, drawing_s
        self._process: Process | None = None
        self._there: OrderedDict[str, None] = OrderedDict()

    def lines(
        self,
        shapes: Sequence[Shape],
        vertices: Sequence[NDArray[np.float32]],
        words: Mapping[str, Any],
        arrays: Mapping[str, Floats],
    ) -> Lines:
        """The lines of a picture.

        Args:
            shapes: of the objects,
            vertices: and where they are now, (V, 3) each.
            words: as `inside.drawing` wants them, but for the meshes.
            arrays: likewise.

        Raises:
            FailedError: Blender died twice, or does not start.
        """
        try:
            return self._lines(shapes, vertices, words, arrays)
        except Died as error:
            logger.warning("Blender died (%s); it is started again", error)
        try:
            return self._lines(shapes, vertices, words, arrays)
        except Died as error:
            raise FailedError(
                f"Blender {self._blender.version} died twice while it drew a picture: {error}; --engine native draws it"
            ) from error

    def close(self) -> None:
        """Ends the Blender, if there is one."""
        if self._process is not None:
            self._process.close()
        self._forget()

    def _lines(
        self,
        shapes: Sequence[Shape],
        vertices: Sequence[NDArray[np.float32]],
        words: Mapping[str, Any],
        arrays: Mapping[str, Floats],
    ) -> Lines:
        while len(self._there) > KEPT:
            old, _ = self._there.popitem(last=False)
            self._ask({"do": "forget", "mesh": old}, {})
        names = [self._name(shape, place) for place, shape in enumerate(shapes)]
        moved = {f"vertices {place}": points for place, points in enumerate(vertices)}
        told = {**words, "do": "draw", "meshes": names, "loose": [shape.loose for shape in shapes]}
        _, lines = self._ask(told, {**arrays, **moved}, wanted=("points", "starts", "kinds"))
        return Lines(
            points=lines["points"].astype(np.float64),
            starts=lines["starts"].astype(np.int32),
            kinds=lines["kinds"].astype(np.int32),
        )

    def _name(self, shape: Shape, place: int) -> str:
        """The mesh of that shape for object `place`, brought to Blender if it is not there; the name does not tell by
        whom or when, so that a picture is the same whatever was drawn before it.
        """
        name = f"{place:03} {shape.digest}"
        if name not in self._there:
            self._ask({"do": "mesh", "mesh": name}, {"corners": shape.corners, "sizes": shape.sizes})
            self._there[name] = None
        self._there.move_to_end(name)
        return name

    def _ask(self, words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], wanted: Sequence[str] = ()) -> Message:
        if self._process is None:
            self._process = Process(self._blender, starting_s=self._starting_s)
        try:
            return self._process.ask(words, arrays, seconds=self._drawing_s, wanted=wanted)
        except Died:
            self._forget()
            raise

    def _forget(self) -> None:
        """The process is gone, and all meshes with it."""
        self._process = None
        self._there.clear()


@lru_cache(maxsize=1)
def client() -> Client:
    """The one of this process.

    Raises:
        DataError: there is no Blender.
    """
    made = Client(found.blender())
    atexit.register(made.close)
    return made
