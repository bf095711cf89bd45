"""Figures as objects of Blender's scene, whose meshes stay from picture to picture; only vertices are replaced.

Shapes: F polygons, C their corners, V vertices, P points of all strokes, S strokes.
"""

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from . import freestyle, line_art
from .messages import Arrays, Words

SENSOR_MM = 36.0


class Drawing:
    """The scene: a camera, and for each figure of a picture an object of its solid things and one of its loose sheets.

    What is loose hides other things, but has no lines of its own.
    """

    def __init__(self) -> None:
        self.scene = bpy.context.scene
        self.scene.render.threads_mode = "FIXED"
        self.scene.render.threads = 1  # with more the order of strokes is another one each time
        self.scene.render.resolution_percentage = 100
        self.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.camera.data.sensor_fit, self.camera.data.sensor_width = "HORIZONTAL", SENSOR_MM
        self.scene.collection.objects.link(self.camera)
        self.scene.camera = self.camera
        self.groups = tuple(bpy.data.collections.new(name) for name in ("solid", "loose"))
        for group in self.groups:
            self.scene.collection.children.link(group)
        self.lines = line_art.Lines(self.scene)

    def add(self, name: str, corners: NDArray[np.int32], sizes: NDArray[np.int32]) -> None:
        """Keeps a mesh under that name: the vertices at its polygons' corners (C,), and how many each has (F,)."""
        mesh = bpy.data.meshes.new(name)
        mesh.vertices.add(int(corners.max()) + 1)
        mesh.loops.add(len(corners))
        mesh.polygons.add(len(sizes))
        mesh.loops.foreach_set("vertex_index", corners)
        mesh.polygons.foreach_set("loop_start", np.cumsum(sizes, dtype=np.int32) - sizes)
        mesh.update(calc_edges=True)

    def forget(self, name: str) -> None:
        """Removes a mesh."""
        bpy.data.meshes[name].user_remap(_nothing())
        bpy.data.meshes.remove(bpy.data.meshes[name])

    def drawn(self, words: Words, arrays: Arrays) -> Arrays:
        """The strokes of a picture: `points` (P, 2), x and y in pixels, `starts` (S + 1,), `kinds` (S,).

        Words: `meshes`, names one for each object, `loose`, whether it is one of loose sheets, `size` of the picture,
        `focal_px`, `near` and `far`, `crease_deg`, `intersections`, `strokes`. Arrays: `vertices 0`, ... (V, 3),
        `position` (3,) and `rotation` (3, 3) of the camera.
        """
        for loose, group in enumerate(self.groups):
            self._place(group, [k for k, is_loose in enumerate(words["loose"]) if is_loose == loose], words, arrays)
        self._look(words, arrays)
        if words["strokes"] == "freestyle":
            return freestyle.strokes(self.scene, self.groups[0])
        return self.lines.strokes(self.camera, words["crease_deg"], words["intersections"])

    def _place(self, group: Any, places: list[int], words: Words, arrays: Arrays) -> None:
        """Puts meshes into the objects of a group, as many as there must be, always in the same order."""
        while len(group.objects) < len(places):
            thing = bpy.data.objects.new(f"{group.name} {len(group.objects):03}", _nothing())
            thing.lineart.usage = "INCLUDE" if group == self.groups[0] else "OCCLUSION_ONLY"
            group.objects.link(thing)
        things = sorted(group.objects, key=lambda thing: thing.name)
        for thing in things[len(places) :]:
            thing.data = _nothing()
        for thing, place in zip(things, places):
            mesh = bpy.data.meshes[words["meshes"][place]]
            mesh.vertices.foreach_set("co", np.ascontiguousarray(arrays[f"vertices {place}"], np.float32).ravel())
            mesh.update()
            thing.data = mesh

    def _look(self, words: Words, arrays: Arrays) -> None:
        """Sets the camera, whose own axes are x right, y down, z forward; Blender's are x right, y up, z back."""
        width, height = words["size"]
        render, lens = self.scene.render, self.camera.data
        render.resolution_x, render.resolution_y = width, height
        lens.lens = words["focal_px"] * SENSOR_MM / width
        lens.clip_start, lens.clip_end = words["near"], words["far"]
        placed = np.eye(4)
        placed[:3, :3] = (arrays["rotation"] * np.array([[1], [-1], [-1]])).T
        placed[:3, 3] = arrays["position"]
        self.camera.matrix_world = Matrix(placed.tolist())


def _nothing() -> Any:
    return bpy.data.meshes.get("nothing") or bpy.data.meshes.new("nothing")
