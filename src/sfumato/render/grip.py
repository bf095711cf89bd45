"""How hands are held: wrists bend and fingers curl, on any skeleton that has them.

Axes come from the hand at rest: where its fingers lead, and across the knuckles to the thumb, which is in front if the
arm hangs; the palm looks to where both are not.

Shapes: ... leading axes, J bones.
"""

from dataclasses import dataclass

import numpy as np

from .character import Character, Floats
from .vectors import across, around, dot, unit

RELAXED = (0.0, 0.0, 18.0)
"""Degrees: of the wrist to the palm, of the wrist to the thumb, of each joint of a finger."""
_JOINTS = {1: (1.0,), 2: (0.9, 1.1), 3: (0.8, 1.2, 0.7)}
"""How much of that each joint of a finger takes, from the knuckle on."""
_FIRST, _LAST = 0.75, 1.25
"""Fingers curl the more the farther they are from the thumb;"""
_THUMB = 0.35
"""the thumb by less."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Hand:
    """A hand at rest."""

    bone: int
    bends: Floats
    """(3,), the axis of a bend to the palm."""
    aside: Floats
    """(3,), the axis of a bend to the thumb."""
    fingers: dict[int, float]
    """Bones of fingers, and how much they curl."""

    def turns(self, grip: Floats) -> dict[int, Floats]:
        """Turns (3, 3) by their bones, each against the bone above, in the axes of rest.

        Args:
            grip: (3,), as RELAXED.
        """
        wrist, *fingers = around(self.bends, np.array([grip[0], *(share * grip[2] for share in self.fingers.values())]))
        return {self.bone: wrist @ around(self.aside, grip[1])} | dict(zip(self.fingers, fingers, strict=True))


def hand(character: Character, bone: int, pole: Floats, left: bool) -> Hand:
    """The hand of that bone.

    Args:
        character: whose it is.
        bone: its place.
        pole: of the forearm at rest, (3,): to the thumb's side.
        left: whether it is the left one.
    """
    heads = character.skeleton.heads
    chains = [chain for chain in _chains(character, bone) if len(chain) > 1]
    start = heads[bone]
    along, thumb = unit(character.skeleton.tails[bone] - start), unit(pole)
    fingers: dict[int, float] = {}
    if len(chains) > 1:
        knuckles = np.stack([heads[chain[0]] for chain in chains])
        along = unit(knuckles.mean(0) - start)
        first = int(dot(knuckles - start, along).argmin())
        others = [k for k in range(len(chains)) if k != first] if len(chains) > 2 else [*range(len(chains))]
        along = unit(knuckles[others].mean(0) - start)
        spread = across(knuckles[others] - knuckles[others].mean(0), along)
        side = np.linalg.svd(spread)[2][0]
        thumb = side if float(side @ pole) >= 0 else -side
        places = knuckles @ thumb
        low, high = places[others].min(), places[others].max()
        for k, chain in enumerate(chains):
            share = _LAST + (_FIRST - _LAST) * (places[k] - low) / max(high - low, 1e-9)
            share = share if k in others else _THUMB
            fingers |= {joint: share * part for joint, part in zip(chain, _JOINTS[len(chain)], strict=True)}
    thumb = unit(across(thumb, along))
    palm = np.cross(along, thumb) * (1 if left else -1)
    return Hand(bone=bone, bends=np.cross(along, palm), aside=np.cross(along, thumb), fingers=fingers)


def _chains(character: Character, bone: int) -> list[list[int]]:
    """The last three bones, or fewer, of each row of bones that begins at a bone, from the knuckle on."""
    parents = character.skeleton.parents
    found = []
    for first in np.flatnonzero(parents == bone):
        row, after = [int(first)], np.flatnonzero(parents == first)
        while len(after):
            row.append(int(after[0]))
            after = np.flatnonzero(parents == after[0])
        found.append(row[-3:])
    return found
