"""What an engine is given and what it gives back: figures, settings, strokes and the pictures of one frame.

Shapes: V vertices, H W pixels, N points of a stroke.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from . import bounds
from .character import Character, Floats

Kind = Literal["silhouette", "border", "crease", "contact", "suggestive"]
KINDS: tuple[Kind, ...] = ("silhouette", "border", "crease", "contact", "suggestive")
"""Where front meets back; where a sheet ends; a sharp bend; where two things touch; where a form nearly turns away."""
Bytes = NDArray[np.uint8]
Singles = NDArray[np.float32]
Width = Annotated[float, Ge(0.01), Le(100)]
Taper = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A character in a pose."""

    vertices: Floats
    """(V, 3), skinned."""
    character: Character
    keypoints: Floats
    """(17, 3), in that pose."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is drawn, and how."""

    line_width: Width = 1.5
    """Width of a line in pixels."""
    taper: Taper = 0.0
    """How much thinner a line is at its ends, as a pen that lands and leaves: 1 ends in a point."""
    crease_deg: Annotated[float, Ge(0), Le(180)] = 60.0
    """Two faces that meet at more than this angle have a line between them."""
    contact: bool = True
    """Draw where two things touch or pass through each other, as hair on a head."""
    suggestive: bool = True
    """Draw lines within the form: of the face, collar bones, folds."""
    suggestive_strength: Annotated[float, Gt(0), Le(1)] = 0.04
    """How deep a valley of shading is drawn: less draws more."""
    smooth: Annotated[int, Ge(0), Le(100)] = 3
    """How often lines are smoothed along their way."""
    shortest_px: Annotated[float, Ge(0)] = 3.0
    """Lines shorter than this are left out, and gaps shorter than this are closed."""
    gap_px: Annotated[float, Ge(0)] = 1.5
    """White that lines beside each other leave between them: of two that cannot, the one that separates less is left
    out."""
    colors: bool = False
    """Make the two colour pictures, shaded and flat."""

    def __post_init__(self) -> None:
        bounds.checked(self)


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """A line of a drawing."""

    points: Floats
    """(N, 2), x and y in pixels; a ring ends where it begins."""
    kind: Kind
    figure: int
    """Whose line it is; a contact of two figures belongs to the first."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """All that is known of one picture."""

    strokes: tuple[Stroke, ...]
    lines: Bytes
    """(H, W), how much ink there is: 0 none, 255 all; the alpha channel of the drawing."""
    depth: Singles
    """(H, W), metres along the camera's axis; inf where nothing is."""
    normals: Singles
    """(H, W, 3), unit vectors towards the camera, in its axes (x right, y down, z forward); 0 where nothing is."""
    parts: Bytes
    """(H, W), places in PARTS; 0 where nothing is."""
    figures: Bytes
    """(H, W), 1 for the first figure, 2 for the next; 0 where nothing is."""
    components: NDArray[np.int32]
    """(H, W), component within its figure's mesh; -1 where nothing is."""
    keypoints: tuple[Floats, ...]
    """Of each figure (17, 3): x, y in pixels and v: 2 seen, 1 hidden, 0 outside (then x = y = 0)."""
    shaded: Bytes | None = None
    """(H, W, 4) sRGB and alpha, lit from above and the left, softly."""
    flat: Bytes | None = None
    """(H, W, 4) sRGB and alpha, two tones for each colour, as in cel animation."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W), where a figure is."""
        return np.asarray(self.figures > 0)
