"""A collage in every frame of a film, steady: zone, squares and results follow the motion of the film.

Shapes: H W pixels of a frame.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError
from ..image import Box, Source, from_any
from ..parsing import find as find_parts
from ..parsing import tidied
from ..parsing.finding import Finder
from ..video import Motion, Step, moved
from . import zones
from .options import Options
from .work import Artist, Collage, Scene

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

KEPT = 0.7
"""Share of the zone before that is kept where the film shows the same: a frame whose zone is missed does not show."""
HELD = 0.15
"""What was in the zone stays until its share is so much below a half, and what was not comes in so much above it."""
STEADY = 0.85
"""Share of the square before that is kept while a head moves little,"""
JUMP = 0.25
"""by less than this share of the square's side,"""
ALIKE = 0.25
"""and where at least this share of the head is what the frame before showed: a scene that begins has new squares."""


class Film:
    """Draws the frames of one film, in their order.

    Args:
        artist: any model that makes pictures.
        options: as of `collage`.
        find: finds the parts in a frame.
        styles: as of `collage`.
        smooth: how much of the change before is kept where the film shows the same, from 0 to below 1.

    Attributes:
        frames: so many were drawn so far,
        redrawn: and so many of them have a zone: the others came out as they were.

    Raises:
        OptionError: `smooth` is another.
    """

    def __init__(
        self,
        artist: Artist,
        options: Options | None = None,
        *,
        find: Finder = find_parts,
        styles: Sequence[Source] = (),
        smooth: float = 0.0,
    ) -> None:
        if not 0 <= smooth < 1:
            raise OptionError(f"smooth {smooth}: wants 0 up to, but not, 1")
        self.artist, self.options, self.styles = artist, options or Options(), styles
        self.find, self.smooth = find, smooth
        self.frames = self.redrawn = 0
        self.motion = Motion()
        self.shares: Floats | None = None
        self.zone: Mask | None = None
        self.change: Floats | None = None
        self.squares: list[Box] = []

    def __call__(self, pixels: Pixels) -> Pixels:
        """The next frame (H, W, 3) with its collage; unchanged where there is none and was none just before."""
        pixels = np.ascontiguousarray(pixels)
        step, parts = self.motion.step(pixels), tidied(self.find(pixels))
        inside = self._steady_zone(zones.zone(parts, self.options), step)
        scene = Scene.of(from_any(pixels), inside, parts, self.options)
        places = tuple((head, self._steady_square(head, box, step)) for head, box in scene.places)
        self.squares = [box for _, box in places]
        made = replace(scene, places=places).drawn(self.artist, self.options, styles=self.styles)
        self.frames, self.redrawn = self.frames + 1, self.redrawn + bool(places)
        return self._steady_result(pixels, made, step)

    def _steady_zone(self, inside: Mask, step: Step | None) -> Mask:
        """The zone (H, W), with what is kept of the one before where that has moved to."""
        shares = inside.astype(np.float32)
        border = np.full_like(shares, 0.5)
        if step is not None and self.shares is not None and self.zone is not None:
            shares += KEPT * step.same * (moved(self.shares, step.way) - shares)
            border += HELD * step.same * (1 - 2 * moved(self.zone.astype(np.float32), step.way))
        zone = np.asarray(shares > border, np.bool_)
        self.shares, self.zone = shares, zone
        return zone

    def _steady_square(self, head: zones.Head, box: Box, step: Step | None) -> Box:
        """The square around a head, near the one that was there before if the film shows the same there."""
        if step is None or step.same[head.box.slices].mean() < ALIKE:
            return box
        now = np.array([*box]).reshape(2, 2)  # upper left and lower right corner
        for other in self.squares:
            before = np.array([*other]).reshape(2, 2)
            if np.abs(now - before).max() < JUMP * (before[1] - before[0]).max():
                (top, left), (bottom, right) = np.rint(STEADY * before + (1 - STEADY) * now).astype(int).tolist()
                least = head.box
                return Box(
                    min(top, least.top), min(left, least.left), max(bottom, least.bottom), max(right, least.right)
                )
        return box

    def _steady_result(self, pixels: Pixels, made: Collage, step: Step | None) -> Pixels:
        """The result (H, W, 3), within its border mixed with the change of the frame before where that has moved to."""
        result = np.asarray(made.result.pixels, np.uint8)
        if self.smooth == 0:
            return result
        change = result.astype(np.float32) - pixels
        if step is not None and self.change is not None:
            change += (self.smooth * step.same)[..., None] * (moved(self.change, step.way) - change)
            change[made.alpha == 0] = 0
        self.change = change
        return np.asarray((pixels + change).round().clip(0, 255), np.uint8)
