"""How a body stands, told without any skeleton: which way its segments point and how they are turned.

Between motions and characters: a motion says it, and `posed` makes of it the pose of any character, whatever its bones
are called and however they lie at rest. Directions of arms and legs are kept to rounding, bones keep their lengths.

Shapes: ... leading axes (none, or T frames), J bones, S vertices that may touch the ground.
"""

import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .character import LIMBS, Character, Floats, Numbers, Pose, Weights, ancestors
from .grip import Hand, hand
from .vectors import across, applied, dot, framed, length, rising, swing, turned_back, unit

TURNED = ("hips", "spine", "chest", "neck", "head", "left_shoulder", "right_shoulder")
"""Bones of which the turn is known; upright, looking ahead, it is none."""
SIDES = ("left", "right")
POINTED = tuple(f"{side}_{bone}" for side in SIDES for bone in ("upper_arm", "forearm", "thigh", "shin", "foot"))
"""Bones of which it is known where they point, and where their pole does: across them to the front of a body that
stands with hanging arms, so that elbows bend to it and knees away from it; of feet: up."""
_NEXT = {
    "spine": ("chest", "neck", "head"),
    "chest": ("neck", "head"),
    "neck": ("head",),
    "shoulder": ("upper_arm",),
    "upper_arm": ("forearm",),
    "forearm": ("hand",),
    "thigh": ("shin",),
    "shin": ("foot",),
    "foot": ("toe",),
}
"""Where bones of LIMBS lead; of a few the first that the character has."""

UNSURE, SURE = np.radians(8), np.radians(25)
"""Elbows and knees that are bent by less tell nothing of their plane, by more all."""
LEFT, UP, FRONT = np.eye(3)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stance:
    """One, or many along leading axes."""

    turns: Floats
    """(..., 7, 3, 3), how the bones of TURNED are turned in the axes of the world."""
    along: Floats
    """(..., 10, 3), directions of the bones of POINTED; of feet: of their soles, to the toes."""
    poles: Floats
    """(..., 10, 3), across them."""
    place: Floats
    """(..., 2), x and z of the middle between the hips, in leg lengths."""
    above: Floats
    """(...), how far the lowest point is above the ground, in leg lengths."""
    hands: Floats
    """(..., 2, 3), how the left hand and the right one are held: see `grip.RELAXED`."""

    def __getitem__(self, frame: int | NDArray[np.int64]) -> "Stance":
        """One of many, or some of them."""
        return Stance(
            turns=self.turns[frame],
            along=self.along[frame],
            poles=self.poles[frame],
            place=self.place[frame],
            above=self.above[frame],
            hands=self.hands[frame],
        )


def arm_poles(upper: Floats, fore: Floats, chest: Floats, left: bool) -> tuple[Floats, Floats]:
    """Poles (..., 3) of an upper arm and a forearm of those directions, on a chest turned (..., 3, 3) that way."""
    out = chest[..., :, 0] if left else -chest[..., :, 0]
    guess = applied(swing(out, upper), chest[..., :, 2])
    return _poles(upper, fore, guess, 1)


def leg_poles(thigh: Floats, shin: Floats, foot: Floats, hips: Floats) -> tuple[Floats, Floats]:
    """Poles (..., 3) of a thigh and a shin; a straight leg looks where its foot (..., 3) does, 0 if that is unknown."""
    guess = applied(swing(-hips[..., :, 1], thigh), hips[..., :, 2])
    return _poles(thigh, shin, guess + 2 * across(foot, shin), -1)


def foot_pole(shin: Floats, pole: Floats, sole: Floats) -> Floats:
    """The pole (..., 3) of a foot: up its shin, whose own pole tells where even the foot points on along the shin."""
    return unit(across(-shin, sole) + 0.2 * np.cross(np.cross(shin, pole), sole))


def _poles(upper: Floats, lower: Floats, guess: Floats, way: int) -> tuple[Floats, Floats]:
    """The pole of a limb's upper half is in the plane in which it bends, or guessed; the lower half's shares it."""
    bend = across(lower, upper)
    sure = rising(np.arctan2(length(bend), dot(lower, upper)), UNSURE, SURE)
    pole = unit(sure * way * unit(bend) + (1 - sure) * unit(across(guess, upper)))
    return pole, unit(np.cross(np.cross(upper, pole), lower))


@dataclass(frozen=True, kw_only=True, eq=False)
class Build:
    """What of a character at rest its poses need."""

    leg: float
    """Length of a leg."""
    frames: Floats
    """(10, 3, 3), of the bones of POINTED: `vectors.framed`."""
    hands: tuple[Hand, Hand]
    """Left and right."""
    ground: float
    """Height of the lowest vertex."""
    vertices: Floats
    """(S, 3)."""
    weights: Weights
    """Theirs."""


_BUILDS: dict[int, Build] = {}


def build(character: Character) -> Build:
    """Measures the character, once."""
    if id(character) not in _BUILDS:
        _BUILDS[id(character)] = _measured(character)
        weakref.finalize(character, _BUILDS.pop, id(character), None)
    return _BUILDS[id(character)]


def legs(character: Character) -> float:
    """The length of a leg from hip to ankle, the mean of both, in metres."""
    heads, limbs = character.skeleton.heads, character.limbs
    halves = [
        heads[limbs[f"{side}_{end}"]] - heads[limbs[f"{side}_{start}"]]
        for side in SIDES
        for start, end in (("thigh", "shin"), ("shin", "foot"))
    ]
    return float(np.linalg.norm(halves, axis=1).sum() / 2)


def _measured(character: Character) -> Build:
    along = {name: unit(segment(character, name)) for name in POINTED}
    poles: dict[str, Floats] = {}
    for side in SIDES:
        arm, forearm, thigh, shin, foot = (
            f"{side}_{bone}" for bone in ("upper_arm", "forearm", "thigh", "shin", "foot")
        )
        poles[arm], poles[forearm] = arm_poles(along[arm], along[forearm], np.eye(3), side == "left")
        along[foot] = _sole(along[foot], f"{side}_toe" in character.limbs)
        poles[thigh], poles[shin] = leg_poles(along[thigh], along[shin], along[foot], np.eye(3))
        poles[foot] = foot_pole(along[shin], poles[shin], along[foot])
    frames = framed(np.stack([along[n] for n in POINTED]), np.stack([poles[n] for n in POINTED]))
    low = _low(character)
    weights = Weights(bones=character.weights.bones[low], values=character.weights.values[low])
    vertices = character.mesh.vertices[low]
    ground = float(vertices[:, 1].min())
    left, right = (
        hand(character, character.limbs[f"{side}_hand"], poles[f"{side}_forearm"], side == "left") for side in SIDES
    )
    return Build(
        leg=legs(character), frames=frames, hands=(left, right), ground=ground, vertices=vertices, weights=weights
    )


def _sole(foot: Floats, sure: bool) -> Floats:
    """Where a sole points at rest: level where its bone does; ahead if that is steep or, not `sure`, not ahead."""
    flat = across(foot, UP)
    return unit(flat) if float(length(flat)[0]) > 0.3 and (sure or foot[2] > 0.3) else FRONT


def without_side(name: str) -> tuple[str, str]:
    """`left_`, `right_` or nothing, and the rest of a name in LIMBS."""
    bone = name.removeprefix("left_").removeprefix("right_")
    return name.removesuffix(bone), bone


def segment(character: Character, name: str) -> Floats:
    """At rest, from the head (3,) of a bone in LIMBS to that of the next one there is, or to its own tail."""
    side, bone = without_side(name)
    heads, place = character.skeleton.heads, character.limbs[name]
    after = [character.limbs[side + n] for n in _NEXT.get(bone, ()) if side + n in character.limbs]
    end: Floats = heads[after[0]] if after else character.skeleton.tails[place]
    return end - heads[place]


def _low(character: Character) -> Numbers:
    """Vertices of which one is the lowest in nearly any pose: of each bone's those farthest out in 26 directions.

    Strands of hair and the like are left out, and what hangs from the trunk below the hips, as capes: the body stands,
    not they.
    """
    mesh = character.mesh
    bodies = np.zeros(len(mesh.vertices), bool)
    bodies[mesh.faces[~mesh.cards[mesh.components]]] = True
    weights = character.weights
    main = weights.bones[np.arange(len(bodies)), weights.values.argmax(1)]
    owner = np.array(owners(character))[main]
    hips = character.skeleton.heads[[character.limbs[f"{side}_thigh"] for side in SIDES], 1].mean()
    trunk = [place for name, place in character.limbs.items() if name in TURNED and name != "hips"]
    bodies &= ~(np.isin(owner, trunk) & (mesh.vertices[:, 1] < hips))
    grid = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3)
    directions = grid[np.abs(grid).sum(1) > 0]
    found = []
    for bone in np.unique(owner[bodies]):
        mine = np.flatnonzero(bodies & (owner == bone))
        found.append(mine[(mesh.vertices[mine] @ directions.T).argmax(0)])
    return np.unique(np.concatenate(found)).astype(np.int32)


def owners(character: Character) -> list[int]:
    """For each bone the bone of LIMBS that it follows, itself if it is one; -1: none."""
    known = {character.limbs[name] for name in LIMBS if name in character.limbs}
    owners: list[int] = []
    for bone, parent in enumerate(character.skeleton.parents):
        owners.append(bone if bone in known else owners[parent] if parent >= 0 else -1)
    return owners


def posed(character: Character, stance: Stance) -> Pose:
    """The character in that stance, its lowest point as far above the ground as the stance says.

    Bones that are not in LIMBS follow their parents, those above the hips the hips.
    """
    pose = _floating(character, stance)
    measures = build(character)
    thighs = [character.limbs[f"{side}_thigh"] for side in SIDES]
    rest, now = character.skeleton.heads[thighs].mean(0), pose.heads[thighs].mean(0)
    x, z = rest[[0, 2]] + stance.place * measures.leg - now[[0, 2]]
    y = measures.ground + float(stance.above) * measures.leg - _lowest(character, measures, pose)
    return Pose(rotations=pose.rotations, heads=pose.heads + np.array([x, y, z]))


def _floating(character: Character, stance: Stance) -> Pose:
    """The pose, its hips where they are at rest."""
    limbs, parents, rest = character.limbs, character.skeleton.parents, character.skeleton.heads
    known = _turns(character, stance)
    bent: dict[int, Floats] = {}
    for one, grip in zip(build(character).hands, stance.hands, strict=True):
        bent |= one.turns(grip)
    hips = limbs["hips"]
    rotations, heads = np.empty((len(parents), 3, 3)), np.empty((len(parents), 3))
    around_hips = {*ancestors(parents.tolist(), hips)}
    for bone, parent in enumerate(parents):
        base = parent if parent >= 0 and bone not in around_hips else hips
        turn = known[hips] if base == hips else rotations[base]
        start = rest[hips] if base == hips else heads[base]
        heads[bone] = start + turn @ (rest[bone] - rest[base])
        rotations[bone] = known[bone] if bone in known else turn @ bent[bone] if bone in bent else turn
    return Pose(rotations=rotations, heads=heads)


def _turns(character: Character, stance: Stance) -> dict[int, Floats]:
    """How bones are turned from rest, by their places."""
    limbs = character.limbs
    turns = dict(zip(TURNED, stance.turns))
    if "chest" not in limbs:
        turns["spine"] = turns["chest"]
    now = framed(stance.along, stance.poles) @ turned_back(build(character).frames)
    turns |= dict(zip(POINTED, now))
    return {limbs[name]: turn for name, turn in turns.items() if name in limbs}


def _lowest(character: Character, measures: Build, pose: Pose) -> float:
    """Height of the lowest of the vertices that may touch the ground."""
    bones, values = measures.weights.bones, measures.weights.values
    away = measures.vertices[:, None] - character.skeleton.heads[bones]  # (S, K, 3)
    heights = np.einsum("ska,ska->sk", pose.rotations[bones][:, :, 1], away) + pose.heads[bones][:, :, 1]
    return float((heights * values).sum(1).min())
