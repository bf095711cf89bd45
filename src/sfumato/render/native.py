"""The native engine: posed figures and a camera to a drawing and all its labels, on the CPU, without Blender.

    vertices -> z-buffer at twice the size -> edges, hidden lines, strokes -> ink
                                           -> depth, normals, parts, colours, keypoints

Shapes: H W pixels, h w samples of the z-buffer: two to a pixel each way.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import chains, colors, contours, crowding, ink, near, pixels, suggestive
from .camera import Camera
from .frame import KINDS, Bytes, Figure, Frame, Kind, Settings, Stroke
from .scene import FINE, Buffers, Placed, placed
from .visibility import labelled

BIAS = 0.0015
"""A line is hidden where it is farther behind what shows than this share of its figure's extent: 2.5 mm of a person."""
INNER_PX = 5
"""Lines within the form of fewer pixels are left out."""

Edges = Callable[[Sequence[Placed], Buffers, Camera, Settings], Iterable[Stroke]]
"""What finds strokes along the edges of a scene, but for those around loose sheets."""


def draw(
    figures: Sequence[Figure], camera: Camera, settings: Settings | None = None, *, edges: Edges | None = None
) -> Frame:
    """The figures as the camera sees them.

    Args:
        figures: one or more.
        camera: that sees them.
        settings: what is drawn, and how.
        edges: another engine's way to find the strokes along edges.

    Raises:
        DataError: there is no figure, or too many; a figure's vertices are not those of its mesh, or not finite.
    """
    settings = settings or Settings()
    scene = placed(figures, camera)
    buffers = Buffers(scene, camera, math.cos(math.radians(settings.crease_deg)))
    strokes = [*(edges or along_edges)(scene, buffers, camera, settings)]
    strokes += _cards(scene, buffers, settings)
    strokes, lines = _inked(strokes, scene, buffers, camera, settings)
    shaded, flat = _pictures(buffers) if settings.colors else (None, None)
    return Frame(
        strokes=tuple(strokes),
        lines=lines,
        depth=buffers.depth,
        normals=buffers.shown_normals,
        parts=buffers.parts,
        figures=buffers.figures,
        components=buffers.components,
        keypoints=tuple(labelled(s.figure, camera, buffers.nearest, buffers.ids, s.first_face) for s in scene),
        shaded=shaded,
        flat=flat,
    )


def _pictures(buffers: Buffers) -> tuple[Bytes, Bytes]:
    """The shaded and the flat picture, (H, W, 4) each."""
    rows, columns = buffers.fine
    ids = buffers.ids[rows, columns]
    samples = np.arange(rows.start, rows.start + ids.shape[0])[:, None] * buffers.ids.shape[1]
    samples = samples + np.arange(columns.start, columns.start + ids.shape[1])
    shaded, flat = np.zeros((2, *buffers.shown.shape, 4), np.uint8)
    if ids.size:
        base, normals = buffers.colors(ids), buffers.normals(samples)
        shaded[buffers.window] = colors.shaded(base, normals, ids >= 0)
        flat[buffers.window] = colors.flat(base, normals, ids >= 0)
    return shaded, flat


def _inked(
    strokes: list[Stroke], scene: Sequence[Placed], buffers: Buffers, camera: Camera, settings: Settings
) -> tuple[list[Stroke], Bytes]:
    """All strokes, and their ink (H, W): those of the meshes first, then those that keep away from them."""
    strokes = crowding.uncrowded(strokes, buffers.nearest, camera.size, settings)
    lines = ink.drawn(strokes, camera.size, settings)
    rows, columns = window = buffers.window
    if not lines[window].size:
        return strokes, lines
    if settings.contact:
        inner = _traced(pixels.contacts(buffers.shown[window], lines[window]), "contact", buffers, settings)
        strokes += inner
        lines = ink.drawn(inner, camera.size, settings, over=lines)
    if settings.suggestive:
        loose = np.concatenate([*(one.mesh.cards for one in scene), [True]])
        form = ~loose[buffers.shown[window]] & ~pixels.near(lines[window], max(round(settings.gap_px), 1))
        corner = columns.start - camera.size[0] / 2, rows.start - camera.size[1] / 2
        facing = suggestive.facing(buffers.shown_normals[window], corner, camera.focal_px)
        inner = _traced(suggestive.valleys(facing, form, settings.suggestive_strength), "suggestive", buffers, settings)
        strokes += inner
        lines = ink.drawn(inner, camera.size, settings, over=lines)
    return strokes, lines


def along_edges(scene: Sequence[Placed], buffers: Buffers, camera: Camera, settings: Settings) -> Iterator[Stroke]:
    """Strokes along the edges of the figures' meshes, where they are seen."""
    for one in scene:
        yield from _edges(one, buffers, camera, settings)


def _edges(one: Placed, buffers: Buffers, camera: Camera, settings: Settings) -> Iterator[Stroke]:
    mesh, known = one.mesh, one.topology
    points = one.figure.vertices[known.nodes]
    loose = mesh.cards[mesh.components]
    drawn, kinds = contours.drawn_edges(known, points, camera.position, settings.crease_deg, loose)
    size = camera.size[0] * FINE, camera.size[1] * FINE
    found = near.clipped_edges(known.edges[drawn], one.places[known.nodes], one.depths[known.nodes], size)
    fits, segments, places, level = found
    drawn, kinds = drawn[fits], kinds[fits]
    if not len(drawn):
        return
    order, starts, firsts = chains.chained(segments, kinds, places)
    path, level, starts = contours.subdivided(places, level, order, starts)
    things = mesh.components[known.sides[drawn[firsts], 0]] + one.first_thing
    owners = np.repeat(things, np.diff(starts)).astype(np.int32)
    visible = contours.seen(path, level, owners, buffers.nearest, buffers.ids, buffers.things, BIAS * one.extent)
    path = chains.smoothed(path, starts, settings.smooth)
    path, starts, origins = chains.cut(path, starts, visible, settings.shortest_px * FINE)
    for stretch, origin in zip(split(path / FINE, starts), origins, strict=True):
        yield Stroke(points=stretch, kind=KINDS[kinds[firsts[origin]]], figure=one.number)


def _cards(scene: Sequence[Placed], buffers: Buffers, settings: Settings) -> Iterator[Stroke]:
    """Strokes around the loose sheets of figures."""
    loose = np.concatenate([one.mesh.cards for one in scene])
    owners = np.repeat([one.number for one in scene], [len(one.mesh.cards) for one in scene])
    for card, rows, columns in pixels.windows(buffers.ids, buffers.things, loose):
        sheet = buffers.things[buffers.ids[rows, columns]] == card
        for ring, own in pixels.outlines(sheet, buffers.nearest[rows, columns], 4 * settings.smooth):
            whole = np.array([0, len(ring)], np.int32)
            path, starts, _ = chains.cut(ring + (columns.start, rows.start), whole, own, settings.shortest_px * FINE)
            for stretch in split(path / FINE, starts):
                yield Stroke(points=stretch, kind="silhouette", figure=int(owners[card]))


def split(values: NDArray[Any], starts: NDArray[np.int32]) -> list[NDArray[Any]]:
    """What of `values` (P, ...), one for each point of all paths, is each path's."""
    return [values[begin:end] for begin, end in zip(starts[:-1], starts[1:], strict=True)]


def _traced(lines: NDArray[np.bool_], kind: Kind, buffers: Buffers, settings: Settings) -> list[Stroke]:
    """Strokes through lines found in the window on the picture in which anything is."""
    rows, columns = buffers.window
    found = []
    for path in pixels.traced(lines, INNER_PX, 2 * settings.smooth):
        points = path + (columns.start, rows.start)
        x, y = (int(v) for v in points[0])
        found.append(Stroke(points=points, kind=kind, figure=int(buffers.figures[y, x]) - 1))
    return found
