"""A pinhole camera, and where to put one so that a figure fills the picture.

Axes of the camera: x right, y down, z forward; pixel (0, 0) has its middle at (0.5, 0.5).

Shapes: N points.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from ..errors import DataError, OptionError
from . import bounds
from .character import Floats
from .vectors import box, extent

Margin = Annotated[float, Ge(0), Lt(0.5)]
Side = Annotated[int, Ge(1)]


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Where it is, which way it looks and how much it sees."""

    position: Floats
    """(3,), in metres."""
    rotation: Floats
    """(3, 3), from the axes of the world to those of the camera."""
    focal_px: float
    """Focal length in pixels."""
    size: tuple[int, int]
    """Width and height of the picture."""

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Places (N, 2) in pixels and depths (N,) in metres along its axis; behind the camera places mean nothing."""
        seen = (np.asarray(points, np.float64) - self.position) @ self.rotation.T
        depths = seen[:, 2].copy()
        ahead = np.where(np.abs(depths) < 1e-9, 1e-9, depths)
        middle = np.array(self.size, np.float64) / 2
        return seen[:, :2] * (self.focal_px / ahead)[:, None] + middle, depths


@dataclass(frozen=True, kw_only=True)
class View:
    """From where a figure is seen."""

    azimuth_deg: float = 0.0
    """Around the figure: 0 from the front, 90 from its left side."""
    elevation_deg: Annotated[float, Ge(-90), Le(90)] = 0.0
    """Above (or below) the figure: 90 from straight above."""
    field_deg: Annotated[float, Gt(0), Lt(170)] = 30.0
    """Angle of view along the picture's longer side; small is a long lens."""
    size: tuple[Side, Side] = (512, 512)
    """Width and height of the picture."""
    margin: Margin = 0.06
    """Share of the shorter side that stays free at each border."""

    def __post_init__(self) -> None:
        bounds.checked(self)

    @property
    def focal_px(self) -> float:
        return max(self.size) / 2 / math.tan(math.radians(self.field_deg) / 2)


def look_at(position: Floats, target: Floats, *, focal_px: float, size: tuple[int, int]) -> Camera:
    """A camera at `position` (3,) whose middle shows `target` (3,); up in the picture is up in the world.

    Raises:
        OptionError: both are the same place.
    """
    position, target = np.asarray(position, np.float64), np.asarray(target, np.float64)
    way = target - position
    if not np.linalg.norm(way) > 0:
        raise OptionError(f"a camera at {position.tolist()} cannot look at where it is; move one of the two")
    return Camera(position=position, rotation=_facing(way), focal_px=focal_px, size=size)


def framed(vertices: Floats, view: View) -> Camera:
    """A camera that sees all vertices (V, 3), as near as the view's margin allows, in the middle of the picture.

    Each border of the picture is a plane through the camera; it is moved out until no vertex lies beyond it.

    Raises:
        DataError: there is nothing to see.
    """
    if not len(vertices) or not np.isfinite(vertices).all():
        raise DataError(
            "a camera cannot frame no vertices, or vertices that are not finite; check the mesh and the pose"
        )
    around, above = math.radians(view.azimuth_deg), math.radians(view.elevation_deg)
    level = math.cos(above)
    rotation = _facing(-np.array([math.sin(around) * level, math.sin(above), math.cos(around) * level]), around)
    seen = vertices @ rotation.T
    free = np.array(view.size, np.float64) / 2 - view.margin * min(view.size)
    slope = free / view.focal_px
    # |x - c_x| <= slope (z - c_z) for all: the farthest on both sides tell the place of the camera c.
    right = box(seen[:, :2] - slope * seen[:, 2:])[1]
    left = box(-seen[:, :2] - slope * seen[:, 2:])[1]
    back = float((-(right + left) / (2 * slope)).min())
    near = 1e-3 * (extent(seen) or 1.0)
    place = np.array([*(right - left) / 2, min(back, float(seen[:, 2].min()) - near)])
    return Camera(position=place @ rotation, rotation=rotation, focal_px=view.focal_px, size=view.size)


def _facing(way: NDArray[np.float64], around: float = 0.0) -> Floats:
    """The rotation (3, 3) of a camera that looks that way; looking straight up or down, `around` (radians) turns it."""
    forward = way / np.linalg.norm(way)
    right = np.cross(forward, (0.0, 1.0, 0.0))
    if np.linalg.norm(right) < 1e-9:
        right = np.array([math.cos(around), 0.0, -math.sin(around)])
    right /= np.linalg.norm(right)
    return np.stack((right, np.cross(forward, right), forward))
