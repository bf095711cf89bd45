"""Edges of a mesh that are lines of a drawing: silhouettes, borders, creases; and which stretches of them are seen.

The edges of the mesh in object space, hidden where something nearer lies in the z-buffer (as in Isenberg et al., A
Developer's Guide to Silhouette Algorithms for Polygonal Models, IEEE CG&A 2003).

Shapes: F faces, E edges, M edges that are drawn, P points of paths; h w samples of the z-buffer.
"""

import math

import numpy as np
from numpy.typing import NDArray

from .character import Floats, Numbers
from .compiled import compiled
from .frame import KINDS
from .topology import Topology

SILHOUETTE, BORDER, CREASE = (KINDS.index(kind) for kind in ("silhouette", "border", "crease"))
STEP = 6.0
"""Edges are judged in pieces of at most so many samples,"""
MOST = 1000
"""but in no more than this,"""
LOOKS = 4
"""at so many places of each; a piece is seen if half of them are."""


def drawn_edges(
    topology: Topology, points: Floats, eye: Floats, crease_deg: float, left_out: NDArray[np.bool_]
) -> tuple[Numbers, Numbers]:
    """Which edges are lines (M,), and their kinds (M,), places in KINDS.

    Args:
        topology: of the mesh.
        points: of its nodes, (N, 3).
        eye: the place of the camera, (3,).
        crease_deg: two faces that meet at more than this are a crease.
        left_out: (F,), faces that make no lines.
    """
    bend = math.cos(math.radians(crease_deg))
    areas, front = _facing(points, topology.corners, topology.twins, eye)
    kinds = _kinds(topology.sides, areas, front, bend, left_out)
    drawn = np.flatnonzero(kinds >= 0)
    return drawn.astype(np.int32), kinds[drawn].astype(np.int32)


@compiled
def _kinds(
    sides: Numbers, areas: Floats, front: NDArray[np.bool_], bend: float, left_out: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Of each edge (E,) its kind, a place in KINDS, or -1: it is no line.

    Args:
        sides: the faces that meet at each edge, (E, 2); the second is -1 at a border.
        areas: normals of the faces as long as twice the area, (F, 3).
        front: (F,), whether they look at the camera.
        bend: cosine of the angle of a crease.
        left_out: (F,), faces that make no lines.
    """
    found = np.full(len(sides), -1, np.int8)
    for e in range(len(sides)):
        a, b = sides[e, 0], sides[e, 1]
        if left_out[a]:
            continue
        if b < 0:
            found[e] = BORDER
        elif front[a] != front[b]:
            found[e] = SILHOUETTE
        elif front[a]:
            x, y, z = areas[a, 0] * areas[b, 0], areas[a, 1] * areas[b, 1], areas[a, 2] * areas[b, 2]
            if x + z + y < bend * _size(areas[a]) * _size(areas[b]):
                found[e] = CREASE
    return found


@compiled
def _size(vector: Floats) -> float:
    return float(np.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2]))


@compiled
def _facing(points: Floats, corners: Numbers, twins: Numbers, eye: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Normals (F, 3) as long as twice the area, and whether each face looks at the camera (F,).

    Both halves of a quad look the same way, so that no silhouette runs along a diagonal.
    """
    count = len(corners)
    areas, towards = np.empty((count, 3)), np.empty(count)
    for f in range(count):
        a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        areas[f, 0], areas[f, 1], areas[f, 2] = x, y, z
        towards[f] = x * (eye[0] - points[a, 0]) + y * (eye[1] - points[a, 1]) + z * (eye[2] - points[a, 2])
    front = np.empty(count, np.bool_)
    for f in range(count):
        twin = twins[f]
        front[f] = (towards[f] + (towards[twin] if twin != f else 0.0)) > 0
    return areas, front


@compiled
def subdivided(places: Floats, near: Floats, order: Numbers, starts: Numbers) -> tuple[Floats, Floats, Numbers]:
    """Paths with points at most STEP apart: places (P, 2), 1/z there (P,), and where each path begins.

    Args:
        places: of the nodes, (N, 2) in samples.
        near: of the nodes, 1/z (N,), linear in the picture.
        order: the nodes of the paths, path after path.
        starts: where each path begins in `order`, and the end of the last.
    """
    total = len(order)
    for at in range(len(order) - 1):
        a, b = order[at], order[at + 1]
        total += _pieces(places[a], places[b])
    points, depths = np.empty((total, 2)), np.empty(total)
    begins = np.zeros(len(starts), np.int32)
    count = 0
    for path in range(len(starts) - 1):
        begins[path] = count
        for at in range(starts[path], starts[path + 1]):
            b = order[at]
            a = order[at - 1] if at > starts[path] else b
            dx, dy = places[b, 0] - places[a, 0], places[b, 1] - places[a, 1]
            pieces = _pieces(places[a], places[b])
            for k in range(1, pieces + 1):
                points[count, 0] = places[a, 0] + dx * k / pieces
                points[count, 1] = places[a, 1] + dy * k / pieces
                depths[count] = near[a] + (near[b] - near[a]) * k / pieces
                count += 1
    begins[len(starts) - 1] = count
    return points[:count], depths[:count], begins


@compiled
def _pieces(a: Floats, b: Floats) -> int:
    return int(min(np.hypot(b[0] - a[0], b[1] - a[1]) / STEP, MOST - 1)) + 1


@compiled
def seen(
    points: Floats, near: Floats, owners: Numbers, nearest: Floats, ids: Numbers, things: Numbers, bias: float
) -> NDArray[np.bool_]:
    """Which pieces, each from a point to the next, are seen (P,); the last point of a path has none.

    A place is seen if around it (3 x 3) something is as far as it, or nothing is, and if its own component shows there:
    a body a millimetre below its clothes stays hidden whatever the bias.

    Args:
        points: of paths, (P, 2) in samples.
        near: 1/z at the points, (P,).
        owners: component of the path at the points, (P,), of all figures.
        nearest: (h, w), 1/z of what is nearest.
        ids: (h, w), the face there, of all figures; -1 where nothing is.
        things: component of each face, (F + 1,); last of none, -1.
        bias: how far behind the surface a place may lie, in metres.
    """
    height, width = nearest.shape
    found = np.zeros(len(points), np.bool_)
    for p in range(len(points) - 1):
        count = 0
        for look in range(LOOKS):
            if 2 * count >= LOOKS or 2 * (count + LOOKS - look) < LOOKS:
                break
            along = (look + 0.5) / LOOKS
            x = int(np.floor(points[p, 0] + along * (points[p + 1, 0] - points[p, 0])))
            y = int(np.floor(points[p, 1] + along * (points[p + 1, 1] - points[p, 1])))
            level = near[p] + along * (near[p + 1] - near[p])
            if level <= 0:
                continue
            farthest, own = np.inf, False
            for row in range(max(y - 1, 0), min(y + 2, height)):
                for column in range(max(x - 1, 0), min(x + 2, width)):
                    farthest = min(farthest, nearest[row, column])
                    own = own or things[ids[row, column]] == owners[p]
            if own and (farthest <= 0 or 1 / level <= 1 / farthest + bias):
                count += 1
        found[p] = 2 * count >= LOOKS
    return found
