"""Strokes of Freestyle, with which the source thesis drew: contours alone.

Freestyle works only while something is rendered, so one sample of nothing is (solid faces off, no denoising, which
would take far longer than all the rest); its strokes are taken on their way to the picture.

Shapes: P points of all strokes, S strokes.
"""

from typing import Any

import bpy
import numpy as np

from .messages import Arrays

KINDS = ("silhouette", "border")
"""Sets of lines, in the order of their numbers."""


def strokes(scene: Any, solid: Any) -> Arrays:
    """As `Drawing.drawn` has them, of the things in the collection `solid`."""
    import parameter_editor  # of Blender, on its path once Freestyle is
    from freestyle.types import StrokeShader

    found: list[tuple[int, list[tuple[float, float]]]] = []

    class Taken(StrokeShader):  # type: ignore[misc]
        """Takes strokes down."""

        def __init__(self, kind: int) -> None:
            super().__init__()
            self.kind = kind

        def shade(self, stroke: Any) -> None:
            found.append((self.kind, [(float(v.point.x), float(v.point.y)) for v in stroke]))

    def taken(_scene: Any, _layer: Any, lines: Any) -> list[Any]:
        return [Taken(KINDS.index(lines.name))]

    _prepare(scene, solid)
    parameter_editor.callbacks_modifiers_post.append(taken)
    try:
        bpy.ops.render.render()
    finally:
        parameter_editor.callbacks_modifiers_post.remove(taken)
    points = np.array([(x, scene.render.resolution_y - y) for _, path in found for x, y in path]).reshape(-1, 2)
    starts = np.cumsum([0] + [len(path) for _, path in found]).astype(np.int32)
    return {"points": points, "starts": starts, "kinds": np.array([kind for kind, _ in found], np.int32)}


def _prepare(scene: Any, solid: Any) -> None:
    """Has the next picture drawn by Freestyle."""
    layer = scene.view_layers[0]
    settings = layer.freestyle_settings
    if scene.render.use_freestyle:
        return
    scene.render.engine, scene.render.use_freestyle, scene.render.film_transparent = "CYCLES", True, True
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 1, False
    layer.use_solid = False
    while settings.linesets:
        settings.linesets.remove(settings.linesets[0])
    for kind in KINDS:
        lines = settings.linesets.new(kind)
        lines.select_by_collection, lines.collection = True, solid
        for other in ("silhouette", "border", "crease", "contour", "external_contour"):
            setattr(lines, f"select_{other}", other == kind)
