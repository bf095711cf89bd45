"""Characters from glTF files: every skinned mesh, what hangs on its bones, its colours and its animations.

What a hand holds is left out. Where the file does not stand upright and look along +Z it is turned; metres are found by
its height.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.keypoints import KEYPOINTS
from ..errors import DataError
from . import guesses
from .bones import BoneMap, bone_map, eye_bones, map_file
from .character import PARTS, Character, Floats, Keypoint, Mesh, Numbers, Skeleton, check_numbers
from .face import face_points
from .gltf_colors import face_colors
from .gltf_file import GltfFile
from .gltf_motion import Rig, motions, nodes_of
from .welding import Sheet, borders, pieces, tidy, welded, widened

NEAR = 2e-5
"""Vertices nearer than this share of the height are one."""


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """Nodes and bones of a file, in its own axes and units."""

    file: GltfFile
    parents: tuple[int, ...]
    order: tuple[int, ...]
    globals: Floats
    joints: tuple[int, ...]
    """Nodes of the bones, parents first."""
    rest: Floats
    """(J, 4, 4), each bone when the mesh is as it is."""

    def names(self) -> tuple[str, ...]:
        """Of the bones."""
        nodes = self.file.items("nodes")
        return tuple(str(nodes[node].get("name", f"node {node}")) for node in self.joints)

    def bone_above(self, node: int) -> int:
        """The bone that a node is, or hangs on; -1: none."""
        while node >= 0 and node not in self.joints:
            node = self.parents[node]
        return self.joints.index(node) if node >= 0 else -1


def read_gltf(path: Path, origin: Path | None = None) -> Character:
    """The character in a .glb or .gltf file.

    Args:
        path: of the file.
        origin: the file that it was made from, which gives it its name, and beside which a map of bones may lie.

    Raises:
        DataError: the file is damaged, has no skin, vertices that are no numbers, or bones of unknown names.
    """
    try:
        return _read(path, origin)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        what = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        raise DataError(f"{origin or path}: breaks the rules of glTF ({what}); export it again") from error


def _read(path: Path, origin: Path | None) -> Character:
    scene = _scene(GltfFile(path, origin))
    path = origin or path
    try:
        mapped = bone_map(scene.names(), map_file(path))
    except DataError as error:
        raise DataError(f"{path}: {str(error).replace('NAME', path.stem)}") from None
    above = [scene.bone_above(scene.parents[node]) if scene.parents[node] >= 0 else -1 for node in scene.joints]
    bones = np.array(above, np.int32)
    limbs = guesses.limb_of(bones, mapped.limbs)
    sheets = [sheet for sheet in _sheets(scene, limbs) if len(sheet.faces)]
    if not sheets:
        raise DataError(f"{path}: has bones but no mesh of triangles")
    points = np.concatenate([sheet.vertices for sheet in sheets])
    if bad := int((~np.isfinite(points)).any(1).sum()):
        raise DataError(
            f"{path}: {bad} of {len(points)} vertices are no numbers (NaN); repair the mesh and export it again"
        )
    turn = _upright(scene.rest[:, :3, 3], mapped.limbs)
    height = float(np.ptp(points @ turn[1]))
    scale = 10.0 ** round(np.log10(1.6 / max(height, 1e-9)))
    sheets = [
        welded(replace(sheet, vertices=(sheet.vertices @ turn.T) * scale), NEAR * height * scale) for sheet in sheets
    ]
    heads = (scene.rest[:, :3, 3] @ turn.T) * scale
    skeleton = Skeleton(names=scene.names(), parents=bones, heads=heads, tails=guesses.tails(bones, heads))
    character = _character(path.stem, sheets, skeleton, mapped)
    return replace(character, actions=motions(scene.file, _rig(scene, turn, scale)))


def _scene(file: GltfFile) -> _Scene:
    nodes = file.items("nodes")
    if not file.items("skins"):
        raise DataError(
            f"{file.path}: has no skin: nothing ties its mesh to bones; export it together with its armature"
        )
    parents, order = file.tree
    matrices = np.empty((len(nodes), 4, 4))
    for k in order:
        local = file.local(nodes[k])
        matrices[k] = local if parents[k] < 0 else matrices[parents[k]] @ local
    inverse: dict[int, Floats] = {}
    for skin in file.items("skins"):
        for joint, bind in zip(skin["joints"], _binds(file, skin)):
            inverse.setdefault(joint, bind)
    joints = tuple(k for k in order if k in inverse)
    # The mesh is at rest as it was bound; the first bone tells where that is in the world.
    world = matrices[joints[0]] @ inverse[joints[0]]
    rest = np.stack([world @ np.linalg.inv(inverse[k]) for k in joints])
    return _Scene(file=file, parents=parents, order=order, globals=matrices, joints=joints, rest=rest)


def _binds(file: GltfFile, skin: dict[str, Any]) -> Floats:
    """(joints, 4, 4), from the mesh to each bone of a skin."""
    if "inverseBindMatrices" not in skin:
        return np.broadcast_to(np.eye(4), (len(skin["joints"]), 4, 4))
    flat = np.asarray(file.values(skin["inverseBindMatrices"]), np.float64)
    return flat.reshape(-1, 4, 4).transpose(0, 2, 1)


def _sheets(scene: _Scene, limbs: list[str]) -> list[Sheet]:
    sheets = []
    for k, node in enumerate(scene.file.items("nodes")):
        if "mesh" not in node:
            continue
        bone = scene.bone_above(k)
        if "skin" not in node and (bone < 0 or limbs[bone].endswith("hand")):
            continue  # stands beside the figure, or is held
        mesh = scene.file.items("meshes")[node["mesh"]]
        weights = node.get("weights", mesh.get("weights", ()))
        name = f"{node.get('name', '')} {mesh.get('name', '')}"
        parts = [
            _sheet(scene, node, k, primitive, weights)
            for primitive in mesh["primitives"]
            if primitive.get("mode", 4) in {4, 5, 6}
        ]
        if parts:
            sheets.append(replace(_together(parts), name=name))
    return sheets


def _sheet(scene: _Scene, node: dict[str, Any], place: int, primitive: dict[str, Any], morph: list[float]) -> Sheet:
    """One primitive at rest."""
    file, attributes = scene.file, primitive["attributes"]
    points = np.asarray(file.values(attributes["POSITION"]), np.float64)
    for share, target in zip(morph, primitive.get("targets", ())):
        if share and "POSITION" in target:
            points = points + share * np.asarray(file.values(target["POSITION"]), np.float64)
    faces = _triangles(file, primitive, len(points))
    if "skin" in node and "JOINTS_0" in attributes:
        bones, values, moves = _skinned(scene, file.items("skins")[node["skin"]], attributes)
        values = values / np.maximum(values.sum(1, keepdims=True), 1e-12)
        blended = np.einsum("vk,vkab->vab", values, moves[bones])
        points = np.einsum("vab,vb->va", blended[:, :3, :3], points) + blended[:, :3, 3]
        bones = _bone_places(scene, file.items("skins")[node["skin"]])[bones]
    else:
        bone = max(scene.bone_above(place), 0)
        move = scene.rest[bone] @ np.linalg.inv(scene.globals[scene.joints[bone]]) @ scene.globals[place]
        points = points @ move[:3, :3].T + move[:3, 3]
        bones, values = np.full((len(points), 1), bone), np.ones((len(points), 1))
    material = file.items("materials")[primitive["material"]] if "material" in primitive else {}
    colors = face_colors(file, material, attributes, faces)
    names = (str(material.get("name", "")),) * len(faces)
    return Sheet(
        name="", vertices=points, faces=faces, bones=bones.astype(np.int32), values=values, colors=colors, names=names
    )


def _skinned(
    scene: _Scene, skin: dict[str, Any], attributes: dict[str, int]
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Joints and weights (V, K) of a primitive, and what brings a vertex from the mesh to the common rest by joint."""
    sets = [k for k in range(4) if f"JOINTS_{k}" in attributes and f"WEIGHTS_{k}" in attributes]
    joints = np.concatenate([scene.file.values(attributes[f"JOINTS_{k}"]) for k in sets], 1).astype(np.int64)
    values = np.concatenate([scene.file.values(attributes[f"WEIGHTS_{k}"]) for k in sets], 1).astype(np.float64)
    check_numbers(str(scene.file.path), "joint", joints, len(skin["joints"]))
    moves = scene.rest[_bone_places(scene, skin)] @ _binds(scene.file, skin)
    return joints, np.where(np.isfinite(values), np.maximum(values, 0), 0), moves


def _bone_places(scene: _Scene, skin: dict[str, Any]) -> NDArray[np.int64]:
    return np.array([scene.joints.index(joint) for joint in skin["joints"]])


def _triangles(file: GltfFile, primitive: dict[str, Any], count: int) -> Numbers:
    """(F, 3) of triangles, strips and fans."""
    places = file.values(primitive["indices"])[:, 0].astype(np.int64) if "indices" in primitive else np.arange(count)
    check_numbers(str(file.path), "vertex", places, count)
    mode = primitive.get("mode", 4)
    if mode == 4:
        return places[: len(places) // 3 * 3].reshape(-1, 3).astype(np.int32)
    if mode == 6:
        return np.stack((np.full(max(len(places) - 2, 0), places[0]), places[1:-1], places[2:]), 1).astype(np.int32)
    faces = np.stack((places[:-2], places[1:-1], places[2:]), 1)
    faces[1::2] = faces[1::2, [1, 0, 2]]
    return faces.astype(np.int32)


def _together(sheets: list[Sheet]) -> Sheet:
    """Sheets as one."""
    starts = np.cumsum([0, *(len(sheet.vertices) for sheet in sheets)])
    return Sheet(
        name=sheets[0].name,
        vertices=np.concatenate([sheet.vertices for sheet in sheets]),
        faces=np.concatenate([sheet.faces + start for sheet, start in zip(sheets, starts)]).astype(np.int32),
        bones=np.asarray(widened([sheet.bones for sheet in sheets]), np.int32),
        values=np.asarray(widened([sheet.values for sheet in sheets]), np.float64),
        colors=np.concatenate([sheet.colors for sheet in sheets]),
        names=tuple(name for sheet in sheets for name in sheet.names),
    )


def _upright(heads: Floats, limbs: Mapping[str, int]) -> Floats:
    """The turn (3, 3) by right angles after which the figure stands along +Y and looks along +Z."""
    at = {limb: heads[bone] for limb, bone in limbs.items()}
    up = at["head"] - at["hips"]
    left = at["left_upper_arm"] - at["right_upper_arm"] + at["left_thigh"] - at["right_thigh"]
    axes = np.stack((left, up, np.cross(left, up)))
    axes /= np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-12)
    turns = [
        np.eye(3)[list(p)] * np.array(s)[:, None] for p in permutations(range(3)) for s in product((1, -1), repeat=3)
    ]
    proper = [turn for turn in turns if np.linalg.det(turn) > 0]
    return np.asarray(max(proper, key=lambda turn: float((turn * axes).sum())))


def _rig(scene: _Scene, turn: Floats, scale: float) -> Rig:
    return Rig(
        nodes=nodes_of(scene.file),
        joints=scene.joints,
        inverse_rest=np.asarray(np.linalg.inv(scene.rest), np.float64),
        turn=turn,
        scale=scale,
    )


def _character(name: str, sheets: list[Sheet], skeleton: Skeleton, mapped: BoneMap) -> Character:
    whole = _together(sheets)
    things = [sheet.name for sheet in sheets for _ in range(len(sheet.faces))]
    weights = tidy(whole.bones, whole.values)
    limbs = guesses.limb_of(skeleton.parents, mapped.limbs)
    pairs = list(zip(whole.names, things))
    known = {pair: guesses.part_by_name(pair[0]) or guesses.part_by_name(pair[1]) for pair in set(pairs)}
    eyes = {pair for pair in known if guesses.is_eye(*pair)}
    parts = guesses.parts(whole.faces, weights.bones[:, 0], limbs, [known[pair] for pair in pairs])
    components = pieces(whole.faces, len(whole.vertices))
    mesh = Mesh(
        vertices=whole.vertices,
        faces=whole.faces,
        parts=parts,
        components=components,
        colors=whole.colors,
        smooth_edges=np.empty((0, 2), np.int32),
        cards=_cards(whole.faces, parts, components),
    )
    on_head = _on_head(mesh, np.array([limb == "head" for limb in limbs])[weights.bones[:, 0]])
    own_eyes = [bone for bone in eye_bones(skeleton.names) if limbs[bone] == "head"]
    sockets = [skeleton.heads[bone] for bone in own_eyes] if len(own_eyes) == 2 else []
    guessed = face_points(mesh, on_head, named=np.array([pair in eyes for pair in pairs]), sockets=sockets)
    own = mapped.keypoints
    face = [Keypoint(bone=own[name]) if name in own else point for name, point in zip(KEYPOINTS, guessed)]
    return Character(
        name=name,
        mesh=mesh,
        skeleton=skeleton,
        weights=weights,
        keypoints=guesses.keypoints(mapped.limbs, face),
        limbs=mapped.limbs,
    )


def _on_head(mesh: Mesh, follow: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Vertices (V,) of the bare head, of those that follow it; the top of the figure, if none do."""
    bare = np.zeros(len(follow), bool)
    bare[mesh.faces[mesh.parts == PARTS.index("face")]] = True  # neither hat nor hair
    top = mesh.vertices[:, 1] >= np.percentile(mesh.vertices[:, 1], 90)
    return next(choice for choice in (follow & bare, follow, top) if choice.any())


def _cards(faces: Numbers, parts: NDArray[np.uint8], components: Numbers) -> NDArray[np.bool_]:
    """Which components are open sheets of hair."""
    count = int(components.max()) + 1
    hair, size = np.zeros(count), np.bincount(components, minlength=count)
    np.add.at(hair, components, (parts == PARTS.index("hair")) & borders(faces))
    return np.asarray(hair > 0.2 * size)
