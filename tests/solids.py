"""Closed-form meshes as characters: boxes, spheres, cylinders, sheets."""

import numpy as np

from sfumato.render.character import Character, Keypoint, Mesh, Skeleton, Weights
from sfumato.render.frame import Figure


def box(center=(0, 0, 0), size=(1, 1, 1)):
    """Vertices (8, 3) and 6 quads, counter-clockwise from outside."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    quads = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return corners * np.array(size) / 2 + center, quads


def sphere(center=(0, 0, 0), radius=1.0, around=48, down=24):
    """Vertices and quads of a sphere with poles above and below."""
    heights = np.linspace(0, np.pi, down + 1)[1:-1]
    turns = np.arange(around) * 2 * np.pi / around
    rings = [[np.sin(h) * np.sin(t), np.cos(h), np.sin(h) * np.cos(t)] for h in heights for t in turns]
    points = np.array([*rings, [0, 1, 0], [0, -1, 0]]) * radius + center
    top, bottom = len(points) - 2, len(points) - 1
    faces = []
    for k in range(around):
        n = (k + 1) % around
        faces.append([top, k, n])
        faces += [[r * around + k, (r + 1) * around + k, (r + 1) * around + n, r * around + n] for r in range(down - 2)]
        last = (down - 2) * around
        faces.append([last + n, last + k, bottom])
    return points, faces


def cylinder(radius=0.5, height=2.0, around=64):
    """Vertices and quads of an upright tube without ends."""
    turns = np.arange(around) * 2 * np.pi / around
    ring = np.stack((np.sin(turns), np.zeros(around), np.cos(turns)), 1) * radius
    points = np.concatenate((ring - (0, height / 2, 0), ring + (0, height / 2, 0)))
    return points, [[k, (k + 1) % around, around + (k + 1) % around, around + k] for k in range(around)]


def character(*pieces, cards=(), name="solid", split=False):
    """A character of one bone; each piece (vertices, faces) is a component. `split`: each face has its own vertices."""
    vertices, faces, components, smooth = [], [], [], []
    first = 0
    for number, (points, polygons) in enumerate(pieces):
        if split:
            points, polygons = (
                np.concatenate([points[p] for p in polygons]),
                np.split(np.arange(sum(map(len, polygons))), np.cumsum([len(p) for p in polygons])[:-1]),
            )
        for polygon in polygons:
            p = [int(v) + first for v in polygon]
            faces += [[p[0], p[k], p[k + 1]] for k in range(1, len(p) - 1)]
            smooth += [sorted((p[0], p[k])) for k in range(2, len(p) - 1)]
            components += [number] * (len(p) - 2)
        vertices.append(points)
        first += len(points)
    vertices = np.concatenate(vertices)
    mesh = Mesh(
        vertices=vertices,
        faces=np.array(faces, np.int32),
        parts=np.array(components, np.uint8) + np.uint8(4),
        components=np.array(components, np.int32),
        colors=np.full((len(faces), 3), 0.5, np.float32),
        smooth_edges=np.array(smooth, np.int32).reshape(-1, 2),
        cards=np.array([number in cards for number in range(len(pieces))]),
    )
    return Character(
        name=name,
        mesh=mesh,
        skeleton=Skeleton(
            names=("root",), parents=np.array([-1], np.int32), heads=np.zeros((1, 3)), tails=np.zeros((1, 3))
        ),
        weights=Weights(bones=np.zeros((len(vertices), 1), np.int32), values=np.ones((len(vertices), 1), np.float32)),
        keypoints=tuple(Keypoint(bone=0) for _ in range(17)),
        limbs={"hips": 0},
    )


def figure(*pieces, keypoints=None, **options):
    """The character of these pieces at rest; all its keypoints are in the origin if none are given."""
    made = character(*pieces, **options)
    points = np.zeros((17, 3)) if keypoints is None else np.asarray(keypoints, float)
    return Figure(vertices=made.mesh.vertices.copy(), character=made, keypoints=points)
