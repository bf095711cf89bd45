"""Triangles to pixels: which face is nearest at each pixel, how far it is, and which way it looks there.

A z-buffer with 1/z linear in the picture (perspective-correct), sampled at the middles of pixels (+0.5).

Shapes: F faces, h w samples: twice as many as pixels each way.
"""

import numpy as np
from numpy.typing import NDArray

from .character import Floats, Numbers
from .compiled import compiled
from .frame import Singles
from .near import NEAR, clipped


@compiled
def fill(places: Floats, depths: Floats, faces: Numbers, first: int, nearest: Floats, ids: Numbers) -> None:
    """Draws faces into the buffers, in place; of two as near, the one drawn first stays.

    Args:
        places: of the vertices, (V, 2) in samples.
        depths: of the vertices, (V,).
        faces: (F, 3).
        first: the number that the first face gets in `ids`.
        nearest: (h, w), 1/z of what is nearest; 0 where nothing is.
        ids: (h, w), the face there; -1 where nothing is.
    """
    corners, found = np.empty((3, 3)), np.empty((4, 3))
    middles = np.arange(max(nearest.shape)) + 0.5
    for f in range(len(faces)):
        for k in range(3):
            corners[k, 0], corners[k, 1] = places[faces[f, k], 0], places[faces[f, k], 1]
            corners[k, 2] = depths[faces[f, k]]
        least = min(corners[0, 2], corners[1, 2], corners[2, 2])
        count = 3 if least >= NEAR else clipped(corners, found)
        for k in range(2, count):
            shown = corners if least >= NEAR else found
            _triangle(shown, k, np.int32(first + f), middles, nearest, ids)


@compiled
def _triangle(corners: Floats, last: int, face: np.int32, middles: Floats, nearest: Floats, ids: Numbers) -> None:
    """Draws the triangle of the corners 0, last - 1 and last of some, (n, 3): their places and depths.

    `middles` are those of the samples along a row or a column. The innermost loop has no branches and counts without
    signs, so that the machine takes several samples at once.
    """
    height, width = nearest.shape
    ax, ay, za = corners[0, 0], corners[0, 1], 1 / corners[0, 2]
    bx, by, zb = corners[last - 1, 0], corners[last - 1, 1], 1 / corners[last - 1, 2] - za
    cx, cy, zc = corners[last, 0], corners[last, 1], 1 / corners[last, 2] - za
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    left, right = max(np.ceil(min(ax, bx, cx) - 0.5), 0.0), min(np.floor(max(ax, bx, cx) - 0.5), width - 1.0)
    top, bottom = max(np.ceil(min(ay, by, cy) - 0.5), 0.0), min(np.floor(max(ay, by, cy) - 0.5), height - 1.0)
    if area == 0 or not (left <= right and top <= bottom):  # also where a place is no number
        return
    # Barycentric weights of b and c, linear in x and y.
    b_x, b_y = (cy - ay) / area, (ax - cx) / area
    c_x, c_y = (ay - by) / area, (bx - ax) / area
    for y in range(np.uint64(top), np.uint64(bottom + 1)):
        dy = middles[y] - ay
        b_here, c_here = b_y * dy, c_y * dy
        for x in range(np.uint64(left), np.uint64(right + 1)):
            dx = middles[x] - ax
            wb, wc = b_x * dx + b_here, c_x * dx + c_here
            near, before = za + wb * zb + wc * zc, nearest[y, x]
            nearer = (wb >= 0) & (wc >= 0) & (wb + wc <= 1) & (near > before)
            nearest[y, x] = near if nearer else before
            ids[y, x] = face if nearer else ids[y, x]


@compiled
def picked(nearest: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pixels in which anything is (N,), and the sample that stands for each (N,): the second nearest of its four.

    So a pixel is covered if half of it is, and outlines move to neither side. Both are places counted along the rows.
    """
    height, width = nearest.shape[0] // 2, nearest.shape[1] // 2
    pixels, samples = np.empty(height * width, np.int64), np.empty(height * width, np.int64)
    count = 0
    for y in range(height):
        above, below = nearest[2 * y], nearest[2 * y + 1]
        for x in range(width):
            if above[2 * x] + above[2 * x + 1] + below[2 * x] + below[2 * x + 1] == 0:
                continue
            best, second, near, next_near = -1, -1, -1.0, -1.0
            for k in range(4):
                value = above[2 * x + k] if k < 2 else below[2 * x + k - 2]
                place = (2 * y + k // 2) * 2 * width + 2 * x + k % 2
                if value > near:
                    second, next_near = best, near
                    best, near = place, value
                elif value > next_near:
                    second, next_near = place, value
            if next_near > 0:
                pixels[count], samples[count] = y * width + x, second
                count += 1
    return pixels[:count].copy(), samples[:count].copy()


@compiled
def shown(ids: Numbers, count: int) -> NDArray[np.bool_]:
    """Which of so many faces are in `ids` (h, w), where -1 is none: (count,)."""
    found = np.zeros(count, np.bool_)
    for row in range(ids.shape[0]):
        for column in range(ids.shape[1]):
            if ids[row, column] >= 0:
                found[ids[row, column]] = True
    return found


@compiled
def corner_normals(
    points: Floats, corners: Numbers, around: Numbers, starts: Numbers, bend: float, wanted: NDArray[np.bool_]
) -> Floats:
    """The normal at each corner of each face (F, 3, 3): of the faces around it that bend away by less than a limit.

    Args:
        points: of the nodes, (N, 3).
        corners: the nodes of each face, (F, 3).
        around: the faces around each node, node after node.
        starts: where each node's faces begin in `around`, (N + 1,).
        bend: cosine of the angle at which a bend is a crease.
        wanted: (F,), at the corners of other faces nothing is found and the normals are 0.
    """
    count = len(corners)
    areas = np.empty((count, 3))
    units = np.empty((count, 3))
    for f in range(count):
        a, b, c = points[corners[f, 0]], points[corners[f, 1]], points[corners[f, 2]]
        ux, uy, uz, vx, vy, vz = b[0] - a[0], b[1] - a[1], b[2] - a[2], c[0] - a[0], c[1] - a[1], c[2] - a[2]
        areas[f, 0], areas[f, 1], areas[f, 2] = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        size = np.sqrt(areas[f, 0] ** 2 + areas[f, 1] ** 2 + areas[f, 2] ** 2)
        for k in range(3):
            units[f, k] = areas[f, k] / size if size > 0 else 0.0
    normals = np.zeros((count, 3, 3))
    for f in range(count):
        for corner in range(3 if wanted[f] else 0):
            x, y, z = 0.0, 0.0, 0.0
            node = corners[f, corner]
            for at in range(starts[node], starts[node + 1]):
                g = around[at]
                if units[f, 0] * units[g, 0] + units[f, 1] * units[g, 1] + units[f, 2] * units[g, 2] > bend:
                    x, y, z = x + areas[g, 0], y + areas[g, 1], z + areas[g, 2]
            size = np.sqrt(x * x + y * y + z * z)
            scale = 1 / size if size > 0 else 0.0
            normals[f, corner, 0], normals[f, corner, 1], normals[f, corner, 2] = x * scale, y * scale, z * scale
    return normals


@compiled
def surface(
    samples: NDArray[np.int64],
    ids: Numbers,
    faces: Numbers,
    places: Floats,
    depths: Floats,
    normals: Floats,
    ray: Floats,
) -> Singles:
    """Normals at samples (n, 3), interpolated over the faces and turned to the camera; 0 where nothing is.

    Args:
        samples: places in `ids` counted along the rows, (n,).
        ids: (h, w), the face at each sample; -1 where nothing is.
        faces: (F, 3).
        places: of the vertices, (V, 2) in samples.
        depths: of the vertices, (V,).
        normals: at the corners of the faces, (F, 3, 3), in the camera's axes.
        ray: middle of the picture, x and y, and focal length, (3,), in samples.
    """
    width, faces_at = ids.shape[1], ids.reshape(-1)
    found = np.zeros((len(samples), 3), np.float32)
    for n in range(len(samples)):
        f = faces_at[samples[n]]
        if f < 0:
            continue
        row, column = samples[n] // width, samples[n] % width
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay = places[a, 0], places[a, 1]
        bx, by, cx, cy = places[b, 0] - ax, places[b, 1] - ay, places[c, 0] - ax, places[c, 1] - ay
        dx, dy, area = column + 0.5 - ax, row + 0.5 - ay, bx * cy - by * cx
        wb, wc = (dx * cy - dy * cx) / area, (bx * dy - by * dx) / area  # of corners behind the camera, too
        wa, wb, wc = (1 - wb - wc) / depths[a], wb / depths[b], wc / depths[c]
        x = wa * normals[f, 0, 0] + wb * normals[f, 1, 0] + wc * normals[f, 2, 0]
        y = wa * normals[f, 0, 1] + wb * normals[f, 1, 1] + wc * normals[f, 2, 1]
        z = wa * normals[f, 0, 2] + wb * normals[f, 1, 2] + wc * normals[f, 2, 2]
        size = np.sqrt(x * x + y * y + z * z)
        away = x * (column + 0.5 - ray[0]) + y * (row + 0.5 - ray[1]) + z * ray[2] > 0
        scale = (-1 if away else 1) / size if size > 0 else 0.0
        found[n, 0], found[n, 1], found[n, 2] = x * scale, y * scale, z * scale
    return found
