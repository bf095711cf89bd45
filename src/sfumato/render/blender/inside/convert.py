"""Files that Blender reads, written as glTF."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import bpy

from .messages import Words

SETTINGS: dict[str, Any] = {
    "export_format": "GLB",
    "export_apply": True,  # mirrored halves and the like become mesh
    "export_morph": False,
    "export_all_influences": True,
    "export_animation_mode": "ACTIONS",
    "export_optimize_animation_size": True,
    "export_cameras": False,
    "export_lights": False,
    "export_extras": False,
    "export_normals": False,
    "export_current_frame": False,
}


def to_glb(source: str, target: str) -> Words:
    """Writes the file `source` as the GLB file `target`; what went wrong, as `error` of the answer."""
    try:
        read = _reader(os.path.splitext(source)[1].lower())
        if read is None:
            return {"error": f"this Blender ({bpy.app.version_string}) does not read such files"}
        read(source)
        if not any(thing.type == "ARMATURE" for thing in bpy.data.objects):
            return {"error": "holds no armature: nothing ties its mesh to bones"}
        bpy.ops.export_scene.gltf(filepath=target, **SETTINGS)
    except RuntimeError as error:
        return {"error": _last_line(str(error))}
    return {}


def _last_line(text: str) -> str:
    """What went wrong, of what an operator says: a line, or a whole traceback."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith((" ", "Location:"))]
    return lines[-1].removeprefix("Error: ").strip() if lines else "Blender cannot read it"


def _reader(kind: str) -> Callable[[str], object] | None:
    """What reads files of a kind; None if this Blender cannot."""
    if kind == ".blend":  # its scripts stay unrun
        return lambda path: bpy.ops.wm.open_mainfile(filepath=path, load_ui=False, use_scripts=False)
    name, settings = {
        ".fbx": ("fbx_import", {"anim_offset": 0.0}),  # else all comes a frame late
        ".dae": ("collada_import", {}),
    }.get(kind, ("usd_import", {}))
    return partial(_read, name, settings) if name in dir(bpy.ops.wm) else None


def _read(name: str, settings: dict[str, Any], path: str) -> None:
    getattr(bpy.ops.wm, name)(filepath=path, **settings)
