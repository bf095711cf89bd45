"""Characters from glTF: real ones, and small ones written here that hold one difficulty each."""

import base64
import json
import struct

import cesium
import cv2
import numpy as np
import pytest

from sfumato.data.keypoints import KEYPOINTS
from sfumato.errors import DataError, OptionError
from sfumato.render import character as characters
from sfumato.render import gltf
from sfumato.render.blender.found import VARIABLE
from sfumato.render.bones import REQUIRED
from sfumato.render.character import PARTS
from sfumato.render.characters import load
from sfumato.render.exaggerate import Proportions, exaggerated
from sfumato.render.gltf_file import GltfFile
from sfumato.render.gltf_motion import Track

PLACES = {
    "hips": (0, 1.0, 0),
    "spine": (0, 1.2, 0),
    "head": (0, 1.6, 0),
    "upperarm_{}": (0.2, 1.5, 0),
    "lowerarm_{}": (0.5, 1.5, 0),
    "hand_{}": (0.75, 1.5, 0),
    "thigh_{}": (0.1, 0.95, 0),
    "calf_{}": (0.1, 0.5, 0),
    "foot_{}": (0.1, 0.1, 0),
}
ABOVE = {"spine_01": "pelvis", "head": "spine_01", "upperarm": "spine_01", "lowerarm": "upperarm", "hand": "lowerarm"}
ABOVE |= {"thigh": "pelvis", "calf": "thigh", "foot": "calf"}
NAMES = ["pelvis", "spine_01", "head"] + [
    f"{b}_{s}" for s in "lr" for b in ("upperarm", "lowerarm", "hand", "thigh", "calf", "foot")
]


def place(name):
    bone, _, side = name.partition("_") if name not in {"pelvis", "spine_01", "head"} else (name, "", "")
    key = {"pelvis": "hips", "spine_01": "spine"}.get(bone, bone + ("_{}" if side else ""))
    return np.array(PLACES[key]) * (-1 if side == "r" else 1, 1, 1)


def parent(name):
    bone, _, side = name.partition("_")
    above = ABOVE.get(name) or ABOVE.get(bone)
    return None if above is None else above if above in NAMES else f"{above}_{side}"


class Maker:
    """A doll of one box for each bone, as glTF."""

    def __init__(self):
        self.data, self.views, self.accessors = b"", [], []
        points, joints, faces = [], [], []
        self.boxes = {}
        for k, name in enumerate(NAMES):
            corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * (
                0.05,
                0.05,
                0.06 + 0.02 * (name == "head"),
            )
            quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
            faces += [np.array(f) + 8 * k for q in quads for f in (q[:3], (q[0], q[2], q[3]))]
            points.append(corners + place(name))
            joints.append(np.tile((k, 0, 0, 0), (8, 1)))
            self.boxes[name] = np.arange(8) + 8 * k
        self.points, self.joints, self.faces = (np.concatenate(a) for a in (points, joints, [f[None] for f in faces]))
        self.weights = np.tile((1.0, 0, 0, 0), (len(self.points), 1))
        self.nodes = [
            {"name": n, "translation": (place(n) - (place(parent(n)) if parent(n) else 0)).tolist()} for n in NAMES
        ]
        for k, name in enumerate(NAMES):
            if children := [j for j, other in enumerate(NAMES) if parent(other) == name]:
                self.nodes[k]["children"] = children
        self.nodes.append({"name": "Doll", "mesh": 0, "skin": 0})
        self.extra, self.primitive = {}, {}

    def add(self, values, kind, width, **more):
        data = np.ascontiguousarray(values).tobytes()
        self.data += b"\0" * (-len(self.data) % 4)
        self.views.append({"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)})
        self.data += data
        self.accessors.append(
            {"bufferView": len(self.views) - 1, "componentType": kind, "count": len(values), "type": width} | more
        )
        return len(self.accessors) - 1

    def json(self):
        inverse = np.tile(np.eye(4, dtype=np.float32), (len(NAMES), 1, 1))
        inverse[:, 3, :3] = [-place(name) for name in NAMES]  # columns first
        attributes = {
            "POSITION": self.add(self.points.astype(np.float32), 5126, "VEC3"),
            "JOINTS_0": self.add(self.joints.astype(np.uint8), 5121, "VEC4"),
            "WEIGHTS_0": self.add(np.round(self.weights * 255).astype(np.uint8), 5121, "VEC4", normalized=True),
        }
        primitive = {
            "attributes": attributes,
            "indices": self.add(self.faces.reshape(-1, 1).astype(np.uint16), 5123, "SCALAR"),
        }
        skin = {
            "joints": list(range(len(NAMES))),
            "inverseBindMatrices": self.add(inverse.reshape(-1, 16), 5126, "MAT4"),
        }
        return {
            "asset": {"version": "2.0"},
            "nodes": self.nodes,
            "meshes": [{"primitives": [primitive | self.primitive]}],
            "skins": [skin],
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": len(self.data)}],
        } | self.extra

    def glb(self, path):
        table = self.json()
        text = json.dumps(table).encode()
        text += b" " * (-len(text) % 4)
        data = self.data + b"\0" * (-len(self.data) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(data), 0x004E4942) + data
        path.write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks)
        return str(path)


def at_rest(figure):
    rest = characters.rest(figure)
    return dict(zip(KEYPOINTS, characters.keypoints(figure, rest, characters.skinned(figure, rest))))


def test_a_doll_of_boxes(tmp_path):
    figure = load(Maker().glb(tmp_path / "doll.glb"), 0)
    assert (
        figure.name == "doll"
        and len(figure.mesh.vertices) == 8 * len(NAMES)
        and len(figure.mesh.faces) == 12 * len(NAMES)
    )
    places = at_rest(figure)
    assert places["left_elbow"] == pytest.approx((0.5, 1.5, 0)) and places["right_knee"] == pytest.approx(
        (-0.1, 0.5, 0)
    )
    assert places["nose"][2] == pytest.approx(0.08) and places["left_ear"][0] == pytest.approx(0.05)
    assert [point.approximate for point in figure.keypoints] == [True] * 5 + [False] * 12
    assert len(figure.mesh.cards) == len(NAMES)
    assert set(REQUIRED) <= set(figure.limbs)
    labels = {PARTS[figure.mesh.parts[12 * k]] for k in range(len(NAMES))}
    assert labels == {"pants", "upper-clothes", "face"} | {
        f"{s}-{p}" for s in ("left", "right") for p in ("arm", "leg", "shoe")
    }


@pytest.mark.parametrize("turn", ["z up", "looks back", "in centimetres"])
def test_however_it_stands_it_comes_upright_in_metres(tmp_path, turn):
    maker = Maker()
    half = np.sqrt(0.5)
    rotation = {"z up": (half, 0, 0, half), "looks back": (0, 1, 0, 0), "in centimetres": (0, 0, 0, 1)}[turn]
    scale = 100.0 if turn == "in centimetres" else 1.0
    maker.nodes.append({"name": "Armature", "children": [0, len(NAMES)], "rotation": rotation, "scale": [scale] * 3})
    places = at_rest(load(maker.glb(tmp_path / "doll.glb"), 0))
    assert places["left_elbow"] == pytest.approx((0.5, 1.5, 0), abs=1e-6)
    assert places["nose"][2] == pytest.approx(0.08, abs=1e-6)


def test_seams_of_textures_are_closed(tmp_path):
    maker = Maker()
    count = len(maker.points)
    maker.points = maker.points[maker.faces.reshape(-1)]  # each triangle on its own
    maker.joints, maker.weights = (values[maker.faces.reshape(-1)] for values in (maker.joints, maker.weights))
    maker.faces = np.arange(len(maker.points)).reshape(-1, 3)
    figure = load(maker.glb(tmp_path / "doll.glb"), 0)
    assert len(figure.mesh.vertices) == count and len(figure.mesh.cards) == len(NAMES)


def test_sparse_values_and_buffers_beside(tmp_path):
    maker = Maker()
    table = maker.json()
    moved = int(maker.boxes["head"][7])
    at = maker.add(np.array([[moved]], np.uint16), 5123, "SCALAR")
    new = maker.add(np.array([[0.0, 2.0, 0.5]], np.float32), 5126, "VEC3")
    table["accessors"][0]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": maker.accessors[at]["bufferView"], "componentType": 5123},
        "values": {"bufferView": maker.accessors[new]["bufferView"]},
    }
    table["buffers"] = [{"byteLength": len(maker.data), "uri": "my%20data.bin"}]
    (tmp_path / "my data.bin").write_bytes(maker.data)
    file = tmp_path / "doll.gltf"
    file.write_text(json.dumps(table), encoding="utf-8")
    figure = load(str(file), 0)
    assert figure.mesh.vertices[:, 1].max() == pytest.approx(2.0)
    table["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(maker.data).decode()
    file.write_text(json.dumps(table), encoding="utf-8")
    assert np.array_equal(load(str(file), 0).mesh.vertices, figure.mesh.vertices)
    (tmp_path / "my data.bin").unlink()
    table["buffers"][0]["uri"] = "my%20data.bin"
    file.write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(DataError, match=r"needs my data\.bin"):
        load(str(file), 0)


def table_of(maker):
    """A doll's table, which holds its data itself."""
    table = maker.json()
    table["buffers"][0]["uri"] = "data:;base64," + base64.b64encode(maker.data).decode()
    return table


@pytest.mark.parametrize(("what", "kind"), [("joint", 5120), ("vertex", 5122)])
def test_numbers_with_a_sign_below_nothing(tmp_path, what, kind):
    maker = Maker()
    if what == "joint":
        maker.joints[3, 0] = 2**8 - 56
    else:
        maker.faces[3, 0] = 2**16 - 56
    table = table_of(maker)
    primitive = table["meshes"][0]["primitives"][0]
    spoilt = primitive["attributes"]["JOINTS_0"] if what == "joint" else primitive["indices"]
    table["accessors"][spoilt]["componentType"] = kind
    file = tmp_path / "doll.gltf"
    file.write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(DataError, match=rf"doll\.gltf: names {what} -56 of \d+; the file is damaged"):
        load(str(file), 0)


def test_one_eye_on_the_head_tells_nothing(tmp_path, monkeypatch):
    path = Maker().glb(tmp_path / "doll.glb")
    wanted = load(path, 0).keypoints
    monkeypatch.setattr(gltf, "eye_bones", lambda names: [names.index("head"), names.index("hand_l")])
    assert load(path, 0).keypoints == wanted


def bending(last=0.5**0.5):
    """A doll that bends an elbow by 90 degrees within a second."""
    maker = Maker()
    half = np.sqrt(0.5)
    times = maker.add(np.array([[0.0], [1.0]], np.float32), 5126, "SCALAR")
    turns = maker.add(np.array([[0, 0, 0, 1], [0, 0, half, last]], np.float32), 5126, "VEC4")
    node = NAMES.index("lowerarm_l")
    maker.extra["animations"] = [
        {
            "name": "bend",
            "channels": [{"sampler": 0, "target": {"node": node, "path": "rotation"}}],
            "samplers": [{"input": times, "output": turns}],
        }
    ]
    return maker


def test_an_action_that_is_no_numbers(tmp_path):
    with pytest.raises(DataError, match=r"doll\.glb: an animation holds values that are no numbers"):
        load(bending(np.nan).glb(tmp_path / "doll.glb"), 0)


def gaps(figure, pose):
    """From where the bone above takes the head of each bone to where that is (J, 3); 0 for those at the top."""
    heads, parents = figure.skeleton.heads, figure.skeleton.parents
    steps = np.einsum("jab,jb->ja", pose.rotations[parents], heads - heads[parents])
    return np.where(parents[:, None] >= 0, pose.heads - pose.heads[parents] - steps, 0)


BIG = Proportions(arms=1.5, legs=1.3, trunk=0.8, head=1.4, hands=2)


def test_an_action_in_other_proportions(tmp_path):
    figure = load(bending().glb(tmp_path / "doll.glb"), 0)
    big, bend = exaggerated(figure, BIG), figure.actions["bend"]
    for frame in (0, bend.frames // 2, bend.frames - 1):
        plain, pose = bend.pose(figure, frame), bend.pose(big, frame)
        assert np.allclose(pose.rotations, plain.rotations)
        assert np.allclose(gaps(figure, plain), 0, atol=1e-7)
        assert np.allclose(gaps(big, pose), 0, atol=1e-7)
    assert np.allclose(bend.pose(big, 0).heads, big.skeleton.heads, atol=1e-6)


def test_a_real_action_in_other_proportions(real_data):
    knight = load(str(real_data / "characters" / "kaykit" / "Knight.glb"), 0)
    big, walk = exaggerated(knight, BIG), knight.actions["Walking_A"]
    for frame in (0, 7, 15):
        plain, pose = walk.pose(knight, frame), walk.pose(big, frame)
        limbs = [bone for name, bone in knight.limbs.items() if name != "hips"]
        assert np.abs(gaps(big, pose)[limbs]).max() < 1e-6 + np.abs(gaps(knight, plain)[limbs]).max()
        low, high = (characters.skinned(f, p)[f.mesh.faces][..., 1].min() for f, p in ((knight, plain), (big, pose)))
        assert abs(low - high) < 0.3


def test_a_picture_is_decoded_once(tmp_path, real_data, monkeypatch):
    decoded, decode = [], cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda *given: decoded.append(1) or decode(*given))
    load(str(real_data / "characters" / "kaykit" / "Knight.glb"), 0)
    assert len(decoded) == 1


def places_in(table, way=()):
    """The way to everything in a table of JSON."""
    entries = table.items() if isinstance(table, dict) else enumerate(table) if isinstance(table, list) else ()
    for key, value in entries:
        yield (*way, key)
        yield from places_in(value, (*way, key))


def test_whatever_is_not_there_or_is_something_else(tmp_path):
    """Each entry of the file taken away, then turned into another kind: a character, or one clear line."""
    maker, path, said = bending(), tmp_path / "doll.gltf", set()
    table = table_of(maker)
    text = json.dumps(table)
    ways = [way for way in places_in(table) if way[0] != "nodes" or way[1:2] in ((), (0,), (len(NAMES),))]
    assert len(ways) > 80
    for k, way in enumerate(ways):
        for other in (None, ("x", -7)[k % 2]):
            spoilt = json.loads(text)
            above = spoilt
            for key in way[:-1]:
                above = above[key]
            above[way[-1]] = other
            if other is None:
                del above[way[-1]]
            path.write_text(json.dumps(spoilt))
            try:
                load(str(path), 0)
            except DataError as error:
                said.add(str(error))
    assert all(line.startswith(str(path)) and "\n" not in line for line in said)
    assert any("breaks the rules of glTF" in line for line in said)


def test_its_own_action(tmp_path):
    maker = bending()
    figure = load(maker.glb(tmp_path / "doll.glb"), 0)
    motion = figure.actions["bend"]
    assert motion.frames == 31 and motion.fps == 30
    for frame, degrees in ((0, 0), (10, 30), (30, 90)):
        pose = motion.pose(figure, frame)
        places = characters.keypoints(figure, pose, characters.skinned(figure, pose))
        wrist = places[KEYPOINTS.index("left_wrist")]
        angle = np.radians(degrees)
        assert wrist == pytest.approx((0.5 + 0.25 * np.cos(angle), 1.5 + 0.25 * np.sin(angle), 0), abs=1e-5)
        assert places[KEYPOINTS.index("right_wrist")] == pytest.approx((-0.75, 1.5, 0), abs=1e-6)


def test_tracks_of_all_rules():
    times, values = np.array([0.0, 1, 3]), np.array([[0.0], [2], [2]])
    line = Track(node=0, kind="translation", times=times, values=values, rule="LINEAR")
    assert [float(line.at(t)[0]) for t in (-1, 0.5, 1, 9)] == [0, 1, 2, 2]
    stairs = Track(node=0, kind="translation", times=times, values=values, rule="STEP")
    assert [float(stairs.at(t)[0]) for t in (0.9, 1.0)] == [0, 2]
    # Hermite's spline gives t^2 back from its values and slopes.
    keys = np.array([[0.0], [0], [0], [2], [1], [2], [6], [9], [6]])
    cubic = Track(node=0, kind="translation", times=times, values=keys, rule="CUBICSPLINE")
    assert [float(cubic.at(t)[0]) for t in (0.5, 1, 2, 3)] == pytest.approx([0.25, 1, 4, 9])


def test_what_a_hand_holds_is_left_out_and_a_hat_stays(tmp_path):
    maker = Maker()
    for name, bone in (("Sword", "hand_r"), ("Hat", "head"), ("Floor", None)):
        maker.nodes.append({"name": name, "mesh": 0})
        if bone:
            maker.nodes[NAMES.index(bone)].setdefault("children", []).append(len(maker.nodes) - 1)
    figure = load(maker.glb(tmp_path / "doll.glb"), 0)
    assert len(figure.mesh.faces) == 2 * 12 * len(NAMES)
    hat = figure.mesh.vertices[np.unique(figure.mesh.faces[figure.mesh.parts == PARTS.index("hat")])]
    assert hat.max(0)[1] == pytest.approx(1.6 + 1.65)


def test_colours_of_a_material(tmp_path):
    maker = Maker()
    maker.primitive["material"] = 0
    maker.extra["materials"] = [{"name": "Hair", "pbrMetallicRoughness": {"baseColorFactor": [0.5, 0.0, 1.0, 1.0]}}]
    figure = load(maker.glb(tmp_path / "doll.glb"), 0)
    assert figure.mesh.colors[0] == pytest.approx((0.7354, 0, 1), abs=1e-3)  # 0.5 of light is 0.735 in sRGB
    assert set(figure.mesh.parts) == {PARTS.index("hair")}


def spoilt(maker, how):
    if how == "no skin":
        maker.extra["skins"] = []
    elif how == "no numbers":
        maker.points[5, 1] = np.nan
    elif how == "unknown names":
        for k in range(len(NAMES)):
            maker.nodes[k]["name"] = f"Bone.{k:03}"
    elif how == "packed":
        maker.extra["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    elif how == "wrong vertex":
        maker.faces[3, 1] = 999
    elif how == "ring":
        maker.nodes[NAMES.index("head")]["children"] = [NAMES.index("spine_01")]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no skin", "has no skin"),
        ("no numbers", r"1 of \d+ vertices are no numbers"),
        ("unknown names", r"Bone\.000.*doll\.bones\.toml"),
        ("packed", "packed with KHR_draco_mesh_compression"),
        ("wrong vertex", "names vertex 999"),
        ("ring", "form a ring"),
    ],
)
def test_bad_files_give_one_clear_line(tmp_path, how, said):
    maker = Maker()
    spoilt(maker, how)
    with pytest.raises(DataError, match=said) as caught:
        load(maker.glb(tmp_path / "doll.glb"), 0)
    assert "\n" not in str(caught.value) and "doll.glb" in str(caught.value)


def test_a_file_cut_off_anywhere_is_an_error(tmp_path):
    Maker().glb(tmp_path / "doll.glb")
    data = (tmp_path / "doll.glb").read_bytes()
    for length in (0, 3, 15, 40, len(data) // 2, len(data) - 1):
        file = tmp_path / "cut.glb"
        file.write_bytes(data[:length])
        with pytest.raises(DataError, match=r"cut\.glb: is (cut off|no GLB)"):
            load(str(file), 0)


def test_what_is_no_character(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "/nowhere/python")
    (tmp_path / "a.fbx").write_bytes(b"Kaydara FBX Binary")
    (tmp_path / "a.blend").write_bytes(b"BLENDER")
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "a.gltf").write_text("{}", encoding="utf-8")
    for spec, said in (
        ("a.fbx", "is read through Blender, and SFUMATO_BLENDER_PYTHON=/nowhere/python is no Python that has bpy"),
        ("a.blend", "is read through Blender"),
        ("a.png", "is no character"),
        ("a.gltf", "is no glTF file"),
        ("b.glb", "there is no such file"),
        (".", "holds no character"),
    ):
        with pytest.raises(DataError, match=said):
            load(str(tmp_path / spec), 0)
    with pytest.raises(OptionError, match="wishes go with"):
        load(f"{Maker().glb(tmp_path / 'doll.glb')}:age=8", 0)


@pytest.fixture(scope="module")
def knight(real_data):
    return load(str(real_data / "characters" / "kaykit" / "Knight.glb"), 0)


def test_knight(knight):
    places = at_rest(knight)
    assert 2 < np.ptp(knight.mesh.vertices[:, 1]) < 3
    assert {PARTS[k] for k in set(knight.mesh.parts)} >= {"hat", "face", "scarf", "left-arm", "right-leg", "left-shoe"}
    assert places["left_elbow"][0] > 0.3 > -0.3 > places["right_elbow"][0]
    assert places["nose"][2] > 0.2 and places["left_eye"][0] > 0.05
    assert places["left_hip"][1] > places["left_knee"][1] > places["left_ankle"][1]
    assert len(knight.actions) == 76
    assert knight.mesh.colors.std() > 0.05  # from its texture


def test_the_knight_walks(knight):
    walk = knight.actions["Walking_A"]
    ankles = []
    for frame in range(0, walk.frames, 4):
        pose = walk.pose(knight, frame)
        moved = characters.skinned(knight, pose)
        assert np.isfinite(moved).all() and np.ptp(moved, axis=0).max() < 4
        assert np.linalg.det(pose.rotations) == pytest.approx(np.ones(len(pose.rotations)))
        ankles.append(characters.keypoints(knight, pose, moved)[KEYPOINTS.index("left_ankle"), 2])
    assert np.ptp(ankles) > 0.3


def test_cesium_man_by_a_map_file(real_data, tmp_path):
    source = real_data / "characters" / "khronos" / "CesiumMan.glb"
    with pytest.raises(DataError, match=r"Skeleton_torso_joint_1.*CesiumMan\.bones\.toml"):
        load(str(source), 0)
    file = tmp_path / "man.glb"
    file.write_bytes(source.read_bytes())
    (tmp_path / "man.bones.toml").write_text(cesium.MAP, encoding="utf-8")
    man = load(str(file), 0)
    places = at_rest(man)
    assert 1.3 < np.ptp(man.mesh.vertices[:, 1]) < 2
    assert places["left_elbow"][0] > 0.2 > -0.2 > places["right_elbow"][0]
    assert places["nose"][1] > places["left_shoulder"][1] > places["left_hip"][1] > places["left_knee"][1]
    assert places["nose"][2] > places["left_ear"][2]
    seams = GltfFile(source).values(GltfFile(source).json["meshes"][0]["primitives"][0]["attributes"]["POSITION"])
    assert len(man.mesh.vertices) < len(seams)
