"""What artists do to bodies: limbs longer or shorter than they are, larger heads, hands and feet.

A character so changed is a character: its mesh, bones and keypoints are moved alike, so that skinning and labels of any
pose agree to rounding. Foreshortening is the camera's.

Shapes: V vertices, J bones.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from . import bounds
from .character import Character, Floats
from .stance import owners, segment, without_side
from .vectors import length, unit

Factor = Annotated[float, Ge(0.3), Le(3)]
Amount = Annotated[float, Ge(0), Le(1)]


@dataclass(frozen=True, kw_only=True)
class Proportions:
    """Factors; 1 changes nothing."""

    arms: Factor = 1.0
    """Length of upper arms and forearms, their thickness kept."""
    legs: Factor = 1.0
    """Length of thighs and shins."""
    trunk: Factor = 1.0
    """Length of spine and chest."""
    neck: Factor = 1.0
    """Length of the neck."""
    shoulders: Factor = 1.0
    """Length of the clavicles, where there are some."""
    head: Factor = 1.0
    """Size of the head with all that is on it."""
    hands: Factor = 1.0
    """Size of the hands."""
    feet: Factor = 1.0
    """Size of the feet."""

    def __post_init__(self) -> None:
        bounds.checked(self)


_PARTS = {
    "upper_arm": "arms",
    "forearm": "arms",
    "thigh": "legs",
    "shin": "legs",
    "spine": "trunk",
    "chest": "trunk",
    "neck": "neck",
    "shoulder": "shoulders",
    "head": "head",
    "hand": "hands",
    "foot": "feet",
    "toe": "feet",
}
_WHOLE = ("head", "hands", "feet")
"""Parts that grow in all directions."""


def drawn(rng: np.random.Generator, amount: float = 1.0) -> Proportions:
    """Random proportions of a drawn figure; `amount` from 0, none, to 1, from child to long-legged hero."""
    spread = {"arms": 0.12, "legs": 0.15, "trunk": 0.1, "neck": 0.15, "shoulders": 0.12, "head": 0.18}
    spread |= {"hands": 0.15, "feet": 0.15}
    drawn_factors = {name: float(np.exp(rng.normal(0, amount * width))) for name, width in spread.items()}
    return Proportions(**{name: float(np.clip(value, 0.6, 1.7)) for name, value in drawn_factors.items()})


def exaggerated(character: Character, proportions: Proportions) -> Character:
    """The character with other proportions, standing on the ground as before.

    A point of bone k at rest goes to head_k now + S_k (point - head_k), S_k the stretch of the bone; vertices by their
    weights, as in skinning.
    """
    skeleton, mesh, weights = character.skeleton, character.mesh, character.weights
    stretches = _stretches(character, proportions)
    heads = skeleton.heads.copy()
    for bone, parent in enumerate(skeleton.parents):
        if parent >= 0:
            heads[bone] = heads[parent] + stretches[parent] @ (skeleton.heads[bone] - skeleton.heads[parent])
    tails = heads + np.einsum("jab,jb->ja", stretches, skeleton.tails - skeleton.heads)
    moves = heads - np.einsum("jab,jb->ja", stretches, skeleton.heads)
    values = weights.values.astype(np.float64)
    vertices = np.einsum("vk,vka->va", values, moves[weights.bones])
    vertices += np.einsum("vk,vkab,vb->va", values, stretches[weights.bones], mesh.vertices, optimize=True)
    lift = np.array([0, _lowest(mesh.vertices, mesh.faces) - _lowest(vertices, mesh.faces), 0])
    return replace(
        character,
        mesh=replace(mesh, vertices=vertices + lift),
        skeleton=replace(skeleton, heads=heads + lift, tails=tails + lift),
    )


def _lowest(vertices: Floats, faces: np.ndarray) -> float:
    return float(vertices[faces][..., 1].min())


def _stretches(character: Character, proportions: Proportions) -> Floats:
    """(J, 3, 3), symmetric; bones that are not in LIMBS have that of the one that they follow."""
    own = {-1: np.eye(3)}
    for name, bone in character.limbs.items():
        part = _PARTS.get(without_side(name)[1], "")
        factor = getattr(proportions, part) if part else 1.0
        way = unit(segment(character, name))
        along = np.eye(3) if part in _WHOLE or not float(length(way)[0]) else np.outer(way, way)
        own[bone] = np.eye(3) + (factor - 1) * along
    return np.stack([own[owner] for owner in owners(character)])
