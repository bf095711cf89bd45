"""Lines by Blender in place of those that the native engine finds on the mesh; all else is the native engine's.

Line Art finds what the native engine does: silhouettes, borders, creases, and where two things pass through each other.
Freestyle, with which the source thesis drew, gives contours alone, as there, and takes several times as long.

Its lines are cut into segments and joined anew, because they come in many pieces, and in an order that is Blender's.

Shapes: F faces, N nodes, P points of all paths, S segments.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..camera import Camera
from ..chains import chained, cut, smoothed
from ..character import Floats, Mesh, Numbers
from ..contours import subdivided
from ..frame import Figure, Frame, Kind, Settings, Stroke
from ..near import NEAR
from ..scene import FINE, Buffers, Placed
from ..topology import remembered, topology
from .client import Client, Lines, Shape

Strokes = Literal["line_art", "freestyle"]
KINDS: dict[Strokes, tuple[Kind, ...]] = {
    "line_art": ("silhouette", "crease", "contact"),
    "freestyle": ("silhouette", "border"),
}
"""By the numbers that Blender's side gives them; Line Art does not tell borders from silhouettes."""
GRID = 256
"""Ends of segments are one where they are less than this share of a pixel apart."""


def draw(
    figures: Sequence[Figure],
    camera: Camera,
    settings: Settings | None = None,
    *,
    client: Client,
    strokes: Strokes = "line_art",
) -> Frame:
    """The figures as the camera sees them; see `native.draw`.

    Raises:
        DataError: as `native.draw`.
        FailedError: Blender died twice.
    """
    settings = settings or Settings()
    if strokes == "freestyle":
        settings = replace(settings, contact=False, suggestive=False)
    return native.draw(figures, camera, settings, edges=partial(_edges, client, strokes))


def _edges(
    client: Client, strokes: Strokes, scene: Sequence[Placed], buffers: Buffers, camera: Camera, settings: Settings
) -> Iterator[Stroke]:
    """Strokes by Blender."""
    objects = [(one, thing) for one in scene for thing in _things(one.mesh)]
    depths = np.concatenate([one.depths for one in scene])
    words = {
        "strokes": strokes,
        "size": camera.size,
        "focal_px": camera.focal_px,
        "near": max(NEAR, 0.9 * float(depths.min())),
        "far": max(1.0, 1.1 * float(depths.max())),
        "crease_deg": settings.crease_deg,
        "intersections": settings.contact,
    }
    lines = client.lines(
        [thing.shape for _, thing in objects],
        [one.figure.vertices[thing.vertices].astype(np.float32) for one, thing in objects],
        words,
        {"position": camera.position, "rotation": camera.rotation},
    )
    segments, kinds, places = _segments(lines)
    order, starts, firsts = chained(segments, kinds, places)
    path, _, starts = subdivided(places, np.zeros(len(places)), order, starts)
    middles = (path[:-1] + path[1:]) / 2
    inside = np.append(((middles >= 0) & (middles <= np.array(camera.size) * FINE)).all(1), False)
    path = smoothed(path, starts, settings.smooth)
    path, starts, origins = cut(path, starts, inside, settings.shortest_px * FINE)
    owners = _owners(path, scene, buffers)
    for stretch, owner, origin in zip(native.split(path / FINE, starts), native.split(owners, starts), origins):
        figure = int(np.bincount(owner[owner >= 0], minlength=1).argmax())
        yield Stroke(points=stretch, kind=KINDS[strokes][kinds[firsts[origin]]], figure=figure)


def _segments(lines: Lines) -> tuple[Numbers, Numbers, Floats]:
    """Segments as nodes (S, 2), their kinds (S,) and where nodes are (N, 2) in samples; in an order of their own."""
    cells = np.rint(lines.points * GRID).astype(np.int64)
    nodes, place = np.unique(cells, axis=0, return_inverse=True)
    place = place.reshape(-1)
    joined = np.ones(max(len(cells) - 1, 0), bool)
    joined[lines.starts[1:-1] - 1] = False  # from a line to the next
    kinds = np.repeat(lines.kinds, np.diff(lines.starts))[:-1]
    ends = np.sort(np.stack((place[:-1], place[1:]), 1), axis=1)
    whole = joined & (ends[:, 0] != ends[:, 1])
    found = np.unique(np.concatenate((ends[whole], kinds[whole, None]), 1), axis=0).astype(np.int32)
    return (
        np.ascontiguousarray(found[:, :2]),
        np.ascontiguousarray(found[:, 2]),
        nodes.astype(np.float64) * (FINE / GRID),
    )


def _owners(path: Floats, scene: Sequence[Placed], buffers: Buffers) -> Numbers:
    """Whose each point (P,) of lines is: that of the nearest figure around it (3 x 3 samples); -1 where nothing is."""
    height, width = buffers.nearest.shape
    around = np.array([(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)])
    spots = np.clip(np.floor(path).astype(np.int64)[:, None] + around, 0, (width - 1, height - 1))
    best = buffers.nearest[spots[..., 1], spots[..., 0]].argmax(1)
    columns, rows = spots[np.arange(len(path)), best].T
    things = buffers.things[buffers.ids[rows, columns]]
    firsts = [one.first_thing for one in scene]
    return np.where(things >= 0, np.searchsorted(firsts, things, "right") - 1, -1).astype(np.int32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Thing:
    """An object for Blender."""

    shape: Shape
    vertices: Numbers
    """(V,), places of its vertices in the mesh."""


@remembered
def _things(mesh: Mesh) -> tuple[Thing, ...]:
    """The solid components of a mesh and its loose sheets, as far as there are any."""
    loose = mesh.cards[mesh.components]
    return tuple(_thing(mesh, loose == kind, kind) for kind in (False, True) if (loose == kind).any())


def _thing(mesh: Mesh, faces: NDArray[np.bool_], loose: bool) -> Thing:
    """Faces (F,) as an object: quads where triangles are halves of one, so that there is no line between them."""
    known = topology(mesh)
    corners = known.corners
    lone = _lone(corners, corners[known.twins])
    paired = (lone.sum(1) == 1) & (known.twins != np.arange(len(corners)))
    paired &= paired[known.twins]
    proper = (corners != np.roll(corners, 1, axis=1)).all(1)
    triangles = corners[faces & ~paired & proper]
    half = np.flatnonzero(faces & paired & (known.twins > np.arange(len(corners))))
    twins, first = known.twins[half], lone[half].argmax(1)
    a, b, c = corners[half[:, None], (first[:, None] + np.arange(3)) % 3].T
    quads = np.stack((a, b, corners[twins, lone[twins].argmax(1)], c), 1)
    used, places = np.unique(np.concatenate((triangles.ravel(), quads.ravel())), return_inverse=True)
    sizes = np.repeat(np.array([3, 4], np.int32), (len(triangles), len(quads)))
    shape = Shape(corners=places.reshape(-1).astype(np.int32), sizes=sizes, loose=loose)
    return Thing(shape=shape, vertices=known.nodes[used])


def _lone(corners: Numbers, others: Numbers) -> NDArray[np.bool_]:
    """Which corners (F, 3) of each triangle another triangle (F, 3) does not have."""
    return np.asarray(~(corners[:, :, None] == others[:, None, :]).any(2))
