"""The built-in figure: closed, symmetric, moved by its bones, with keypoints where they belong."""

from dataclasses import replace

import numpy as np
import pytest

from sfumato.data.keypoints import KEYPOINTS
from sfumato.errors import OptionError
from sfumato.render import character as characters
from sfumato.render.character import LIMBS, PARTS, Pose
from sfumato.render.characters import load
from sfumato.render.doll import look as looks
from sfumato.render.doll.curves import shrink, step, through
from sfumato.render.doll.look import Look, drawn
from sfumato.render.doll.surface import Piece, grid, lid, outward, smoothed, volume
from sfumato.render.mannequin import mannequin

WOMAN = Look(hair="long", bottom="skirt", top="tee")
LOOKS = {
    "plain": Look(),
    "skirt": WOMAN,
    "anime": Look(style=1.0, hair="bob", bottom="dress", age=16),
    "child": Look(age=6, gender=1.0, hair="spiky", bottom="shorts", top="sleeveless", style=0.5),
    "heavy": Look(weight=1.0, muscle=1.0, gender=1.0, hair="cropped", age=60),
    "chibi": Look(style=2.0, hair="ponytail", age=8),
    "bun": Look(hair="bun", age=80),
}


@pytest.fixture(scope="module")
def figures():
    return {name: mannequin(look) for name, look in LOOKS.items()}


def sides(faces):
    pairs = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1)
    return np.unique(pairs, axis=0, return_counts=True)


def posed(figure, name, axis, degrees):
    """The figure with one bone, and all that hang on it, turned."""
    bones = figure.skeleton
    turn = np.radians(degrees)
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(3) + np.sin(turn) * cross + (1 - np.cos(turn)) * cross @ cross
    pose = characters.rest(figure)
    moved = {bones.names.index(name)}
    start = bones.heads[bones.names.index(name)]
    for bone, parent in enumerate(bones.parents):
        if bone in moved or parent in moved:
            moved.add(bone)
            pose.rotations[bone] = matrix
            pose.heads[bone] = start + matrix @ (bones.heads[bone] - start)
    return pose


def thing(figure, part):
    """Faces of one class."""
    return figure.mesh.faces[figure.mesh.parts == PARTS.index(part)]


@pytest.mark.parametrize("name", LOOKS)
def test_it_is_whole(figures, name):
    figure = figures[name]
    mesh, weights = figure.mesh, figure.weights
    assert 5000 <= len(mesh.faces) <= 10000
    assert np.isfinite(mesh.vertices).all()
    assert mesh.faces.min() == 0 and mesh.faces.max() == len(mesh.vertices) - 1
    assert len(np.unique(mesh.faces)) == len(mesh.vertices)  # none is left over
    assert weights.values.sum(1) == pytest.approx(np.ones(len(mesh.vertices)), abs=1e-5)
    assert weights.values.min() >= 0 and weights.bones.max() < len(figure.skeleton.names)
    assert sorted(set(mesh.components)) == list(range(len(mesh.cards)))
    assert mesh.colors.min() >= 0 and mesh.colors.max() <= 1
    area = np.linalg.norm(
        np.cross(*(mesh.vertices[mesh.faces[:, k]] - mesh.vertices[mesh.faces[:, 0]] for k in (1, 2))), axis=1
    )
    assert (area > 1e-12).mean() > 0.99
    assert set(figure.limbs) == set(LIMBS)
    parents = figure.skeleton.parents
    assert (parents < np.arange(len(parents))).all()


@pytest.mark.parametrize("name", LOOKS)
def test_all_but_the_patches_of_the_face_is_watertight(figures, name):
    mesh = figures[name].mesh
    skin = np.bincount(mesh.components, weights=mesh.parts == PARTS.index("face")) > 0
    closed = [c for c in range(len(mesh.cards)) if not skin[c]]
    assert len(closed) >= 6
    for component in closed:
        faces = mesh.faces[mesh.components == component]
        assert (sides(faces)[1] == 2).all(), component
        directed = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        assert len(np.unique(directed, axis=0)) == len(directed)  # all faces turn the same way
        assert volume(mesh.vertices, faces) > 0


def test_head_and_ears_are_watertight(figures):
    mesh = figures["plain"].mesh
    for component in (0, 1, 2):
        faces = mesh.faces[mesh.components == component]
        assert (sides(faces)[1] == 2).all() and volume(mesh.vertices, faces) > 0


@pytest.mark.parametrize("name", ["plain", "anime", "child"])
def test_left_and_right_are_mirrors(figures, name):
    figure = figures[name]
    bones = figure.skeleton
    for k, bone in enumerate(bones.names):
        if bone.startswith("left"):
            other = bones.names.index(bone.replace("left", "right"))
            assert bones.heads[other] == pytest.approx(bones.heads[k] * (-1, 1, 1))
    bare = figure.mesh.parts != PARTS.index("hair")
    points = figure.mesh.vertices[np.unique(figure.mesh.faces[bare])]
    for part in ("arm", "leg", "shoe"):
        sides = [np.unique(thing(figure, f"{side}-{part}")) for side in ("left", "right")]
        assert len(sides[0]) == len(sides[1])
        places = [figure.mesh.vertices[one] for one in sides]
        if len(places[0]):
            assert places[0].mean(0) * (-1, 1, 1) == pytest.approx(places[1].mean(0), abs=1e-9)
            assert places[0][:, 0].min() > -0.02
    near = np.abs(points[:, None, :3] * (-1, 1, 1) - points[None, :200]).sum(-1).min(0)
    assert np.median(near) < 1e-6


@pytest.mark.parametrize("name", LOOKS)
def test_keypoints_are_known_and_lie_in_the_figure(figures, name):
    figure = figures[name]
    assert not any(point.approximate for point in figure.keypoints)
    rest = characters.rest(figure)
    places = dict(zip(KEYPOINTS, characters.keypoints(figure, rest, characters.skinned(figure, rest))))
    for point, (x, y, z) in places.items():
        if point.startswith("left"):
            assert x > 0
            assert places[point.replace("left", "right")] == pytest.approx((-x, y, z), abs=3e-4)
    assert places["nose"][2] > places["left_eye"][2] > places["left_ear"][2]
    assert places["left_ear"][0] > places["left_eye"][0]
    order = [places[f"left_{joint}"][1] for joint in ("eye", "shoulder", "hip", "knee", "ankle")]
    assert order == sorted(order, reverse=True)
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        assert inside(figure.mesh, places[f"left_{joint}"]), joint


def inside(mesh, place):
    """Whether a ray along +Z leaves the figure one time more often than it enters it, for any of its things."""
    corners = mesh.vertices[mesh.faces]
    a, b, c = corners[:, 0, :2], corners[:, 1, :2], corners[:, 2, :2]
    p = place[:2] + 1e-5
    signs = [
        np.cross(np.append(v - u, np.zeros((len(u), 1)), 1), np.append(p - u, np.zeros((len(u), 1)), 1))[:, 2]
        for u, v in ((a, b), (b, c), (c, a))
    ]
    met = ((np.stack(signs) > 0).all(0) | (np.stack(signs) < 0).all(0)) & (corners[:, :, 2].mean(1) > place[2])
    toward = np.where(signs[0] > 0, 1, -1)
    return any(toward[met & (mesh.components == c)].sum() > 0 for c in set(mesh.components[met]))


@pytest.mark.parametrize(
    ("bone", "axis", "part", "degrees"),
    [
        ("left_forearm", (0, 1, 0), "upper-clothes", -90),
        ("left_shin", (1, 0, 0), "pants", 90),
        ("left_thigh", (1, 0, 0), "pants", -90),
    ],
)
def test_bent_by_a_right_angle_it_keeps_its_volume(figures, bone, axis, part, degrees):
    figure = figures["plain"]
    faces = thing(figure, part)
    moved = characters.skinned(figure, posed(figure, bone, axis, degrees))
    assert volume(moved, faces) == pytest.approx(volume(figure.mesh.vertices, faces), rel=0.06)
    assert np.ptp(moved, axis=0).max() < 2.2


def test_bones_move_what_is_theirs(figures):
    figure = figures["plain"]
    rest = figure.mesh.vertices
    assert characters.skinned(figure, characters.rest(figure)) == pytest.approx(rest, abs=1e-6)
    moved = characters.skinned(figure, posed(figure, "left_upper_arm", (0, 0, 1), 40))
    change = np.linalg.norm(moved - rest, axis=1)
    hand, shoes = np.unique(thing(figure, "left-arm")), np.unique(thing(figure, "left-shoe"))
    assert change[hand].min() > 0.2
    assert change[shoes].max() < 1e-6
    head = characters.skinned(figure, posed(figure, "head", (0, 1, 0), 30))
    hair = np.unique(thing(figure, "hair"))
    spread = np.linalg.norm(head[hair] - head[hair].mean(0), axis=1) - np.linalg.norm(
        rest[hair] - rest[hair].mean(0), axis=1
    )
    assert np.abs(spread).max() < 1e-6  # it turns as one


def test_a_pose_of_rotations_alone_moves_rigidly(figures):
    figure = figures["plain"]
    turn = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    heads = figure.skeleton.heads @ turn.T + (1, 2, 3)
    pose = Pose(rotations=np.repeat(turn[None], len(heads), 0), heads=heads)
    assert characters.skinned(figure, pose) == pytest.approx(figure.mesh.vertices @ turn.T + (1, 2, 3), abs=1e-6)


def test_labels_follow_the_clothes(figures):
    def parts(name):
        return {PARTS[k] for k in set(figures[name].mesh.parts)}

    always = {"hair", "face", "left-arm", "right-arm", "left-shoe", "right-shoe"}
    assert parts("plain") == always | {"upper-clothes", "pants"}
    assert parts("skirt") == always | {"upper-clothes", "skirt", "left-leg", "right-leg"}
    assert parts("anime") == always | {"dress", "left-leg", "right-leg"}


def test_diagonals_of_quads_are_named(figures):
    mesh = figures["plain"].mesh
    pairs = {tuple(pair) for pair in sides(mesh.faces)[0].tolist()}
    named = [tuple(pair) for pair in mesh.smooth_edges.tolist()]
    assert set(named) <= pairs and all(a < b for a, b in named)
    assert len(named) == len(mesh.faces) // 2


def test_looks_differ_as_they_say():
    def height(**what):
        return float(np.ptp(mannequin(Look(hair="cropped", **what)).mesh.vertices[:, 1]))

    def heads(**what):
        figure = mannequin(Look(hair="cropped", **what))
        tall = figure.skeleton.tails[figure.skeleton.names.index("head")][1]
        ears = figure.mesh.vertices[list(figure.keypoints[3].vertices)][0, 1]
        return tall / (tall - ears)

    assert height(age=4) < height(age=10) < height(age=25)
    assert height(gender=1.0) > height(gender=0.0)
    assert heads(style=0.0) > heads(style=1.0) > heads(style=2.0)
    assert heads(age=30) > heads(age=5)


def test_age_is_in_the_face():
    """Lines at eyes, nose, mouth and forehead, lids that droop, a larger nose and larger ears; not grey hair alone."""

    def made(age):
        return mannequin(Look(hair="cropped", age=age, gender=1.0, style=0.6))

    def eye(figure):
        mesh = figure.mesh
        white = (mesh.parts == PARTS.index("face")) & (mesh.colors.min(1) > 0.97)
        return np.ptp(mesh.vertices[np.unique(mesh.faces[white])][:, 1])

    def ear(figure):
        (vertex,) = figure.keypoints[3].vertices
        component = figure.mesh.components[(figure.mesh.faces == vertex).any(1).argmax()]
        return np.ptp(figure.mesh.vertices[np.unique(figure.mesh.faces[figure.mesh.components == component])][:, 1])

    young, grown, older, old = (made(age) for age in (25, 45, 53, 75))
    things = [len(figure.mesh.cards) for figure in (young, grown, older, old)]
    assert things[0] == things[1] < things[2] < things[3]
    assert eye(old) < 0.85 * eye(young)
    assert ear(old) > 1.08 * ear(young)
    points = [[f.mesh.vertices[f.keypoints[k].vertices[0], 2] for k in (0, 1)] for f in (young, old)]
    assert points[1][0] - points[1][1] > 1.1 * (points[0][0] - points[0][1])


def test_hair_that_is_cut_ends_in_no_points():
    """At the hem of a bob locks overlap: its lower edge rises and falls by little from one to the next."""
    figure = mannequin(Look(hair="bob", style=0.2))
    hair = figure.mesh.vertices[np.unique(thing(figure, "hair"))]
    behind = hair[hair[:, 2] < -0.02]
    turn = np.degrees(np.arctan2(behind[:, 0], -behind[:, 2]))
    hem = np.array([behind[np.abs(turn - a) < 5, 1].min() for a in range(-50, 51, 5)])
    assert np.abs(np.diff(hem)).max() < 0.02 * np.ptp(figure.mesh.vertices[:, 1])


def test_a_seed_draws_the_same_look_and_wishes_change_nothing_else():
    assert drawn(5) == drawn(5)
    assert len({drawn(seed) for seed in range(20)}) == 20
    wished = drawn(5, {"age": "8", "style": "anime"})
    assert wished == replace(drawn(5), age=8.0, style=1.0)
    figures = [load("mannequin:age=9,hair=bob", 3) for _ in range(2)]
    assert np.array_equal(figures[0].mesh.vertices, figures[1].mesh.vertices)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("age=300", "between 2 and 90"),
        ("hair=mohawk", "none of"),
        ("wings=2", "there is no 'wings'"),
        ("style=cubist", "not a number, realistic"),
    ],
)
def test_a_wrong_wish_is_one_clear_line(wish, said):
    with pytest.raises(OptionError, match=said) as caught:
        load(f"mannequin:{wish}", 0)
    assert "\n" not in str(caught.value)


def test_every_cut_and_cloth_can_be_drawn():
    seen = [drawn(seed) for seed in range(150)]
    assert {look.hair for look in seen} == set(looks.HAIRS)
    assert {look.bottom for look in seen} == set(looks.BOTTOMS)
    assert {look.top for look in seen} == set(looks.TOPS)


@pytest.mark.parametrize("hair", looks.HAIRS)
def test_with_bare_arms_and_legs_it_is_not_too_large(hair):
    assert len(mannequin(Look(hair=hair, top="tee", bottom="shorts", style=0.6)).mesh.faces) <= 10000


def test_smoothing_a_cube_nears_a_ball():
    corners = np.array([(x, y, z) for x in (-1.0, 1) for y in (-1.0, 1) for z in (-1.0, 1)])
    quads = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    cube = outward(Piece(vertices=corners, quads=quads, weights=np.eye(8), part="face", color=(1, 1, 1)))
    ball = smoothed(smoothed(cube))
    assert volume(cube.vertices, cube.quads) == pytest.approx(8)
    assert len(ball.quads) == 96 and len(ball.vertices) == 98
    assert ball.weights.sum(1) == pytest.approx(np.ones(98))
    radii = np.linalg.norm(ball.vertices, axis=1)
    assert radii.std() / radii.mean() < 0.04
    # A corner of a cube, by the paper's rule (F + 2 E) / 3 + 0: faces' middles 1/3, edges' (2/3) each.
    first = smoothed(cube)
    assert first.vertices[:8] == pytest.approx(corners * 5 / 9)


def test_a_border_stays_a_curve_of_its_own():
    flat = np.array([(x, y, 0.0) for y in range(4) for x in range(4)])
    sheet = Piece(vertices=flat, quads=grid(4, 4, closed=False), weights=np.ones((16, 1)), part="face", color=(1, 1, 1))
    fine = smoothed(sheet)
    assert fine.vertices[:, 2] == pytest.approx(np.zeros(len(fine.vertices)))
    assert fine.vertices[1] == pytest.approx((1, 0, 0))  # on a straight border nothing moves
    assert fine.vertices[0] == pytest.approx((0.125, 0.125, 0))


def test_small_parts():
    assert len(lid(range(8))) == 3
    assert step([0, 1, 2], 0.5, 1.5) == pytest.approx([0, 0.5, 1])
    assert through([0.0, 1.0, 4.0], np.array([0, 1, 2.0]))[:, 0] == pytest.approx([0, 1, 4])
    assert shrink(4) == pytest.approx(0.75)
