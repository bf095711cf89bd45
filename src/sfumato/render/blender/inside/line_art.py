"""Strokes of Blender's Line Art modifier, evaluated and never rendered.

One modifier for each kind of line, so that strokes carry their kinds; the later ones take what the first one found.

Shapes: P points of all strokes, S strokes.
"""

import math
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .messages import Arrays

KINDS = ("contour", "crease", "intersection")
"""In the order of their modifiers, layers, and numbers."""


class Lines:
    """The object whose modifiers draw what the scene holds."""

    def __init__(self, scene: Any) -> None:
        self.scene = scene
        self.drawing = bpy.data.grease_pencils.new("lines")
        self.thing = bpy.data.objects.new("lines", self.drawing)
        scene.collection.objects.link(self.thing)
        ink = bpy.data.materials.new("ink")
        bpy.data.materials.create_gpencil_data(ink)
        self.drawing.materials.append(ink)
        self.modifiers = [self._modifier(kind, ink) for kind in KINDS]

    def _modifier(self, kind: str, ink: Any) -> Any:
        self.drawing.layers.new(kind).frames.new(self.scene.frame_current)  # without a frame nothing is drawn
        made = self.thing.modifiers.new(kind, "LINEART")
        made.source_type, made.target_layer, made.target_material = "SCENE", kind, ink
        for other in ("contour", "crease", "intersection", "loose", "material", "edge_mark"):
            setattr(made, f"use_{other}", other == kind)
        made.use_cache = kind != KINDS[0]
        made.use_crease_on_smooth = True  # meshes that are made by hand count as smooth
        made.stroke_depth_offset = 0.0
        made.use_clip_plane_boundaries = made.show_render = False
        return made

    def strokes(self, camera: Any, crease_deg: float, intersections: bool) -> Arrays:
        """As `Drawing.drawn` has them; `crease_deg` is the angle by which the surface turns."""
        for made in self.modifiers:
            made.crease_threshold = math.pi - math.radians(crease_deg)
        self.modifiers[KINDS.index("intersection")].show_viewport = intersections
        graph = bpy.context.evaluated_depsgraph_get()
        graph.update()
        layers = self.thing.evaluated_get(graph).data.layers
        points, counts, kinds = [np.zeros((0, 3))], [np.zeros(1, np.int32)], []
        for kind, layer in enumerate(layers):
            found = layer.frames[0].drawing
            if not found.attributes.domain_size("CURVE"):
                continue
            offsets = np.empty(len(found.curve_offsets), np.int32)
            found.curve_offsets.foreach_get("value", offsets)
            places = np.empty(3 * int(offsets[-1]), np.float32)
            found.attributes["position"].data.foreach_get("vector", places)
            points.append(places.reshape(-1, 3).astype(np.float64))
            counts.append(np.diff(offsets))
            kinds += [kind] * (len(offsets) - 1)
        starts = np.cumsum(np.concatenate(counts)).astype(np.int32)
        seen = projected(np.concatenate(points), graph, camera, self.scene.render)
        return {"points": seen, "starts": starts, "kinds": np.array(kinds, np.int32)}


def projected(points: NDArray[np.float64], graph: Any, camera: Any, render: Any) -> NDArray[np.float64]:
    """Points of the world (P, 3) as x and y in pixels (P, 2), by Blender's own matrices."""
    width, height = render.resolution_x, render.resolution_y
    to_picture = np.array(camera.calc_matrix_camera(graph, x=width, y=height))
    to_camera = np.linalg.inv(np.array(camera.matrix_world))
    seen = np.concatenate((points, np.ones((len(points), 1))), 1) @ (to_picture @ to_camera).T
    x, y = seen[:, 0] / seen[:, 3], seen[:, 1] / seen[:, 3]
    return np.stack(((x + 1) * width / 2, (1 - y) * height / 2), 1)
