"""Who is in picture i, doing what, and seen from where; what was loaded for one picture is kept for others.

A motion weighs by its frames: one of a thousand is seen ten times as often as one of a hundred.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import builtin, characters, motions
from .character import Character
from .motion import Motion
from .random_poses import ENDLESS, RandomPoses

if TYPE_CHECKING:
    from .job import Config

WEIGHT = 1000
"""Random poses without a number weigh as so many."""
JITTER_DEG = 11.25
"""So far at most the camera is from its place."""
CAST = 64
"""People of all characters together that are at hand at a time; with its topology one takes some MB."""
KEPT = 512
"""Manners, stocks of motions and motions by name that are at hand at a time."""
STAY = 128
"""After so many pictures of a character one of its people goes, and the next one comes."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What picture i shows."""

    character: str
    variant: int
    motion: Motion
    frame: int
    azimuth_deg: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Stock:
    """All motions of a character, whose frames that are used are counted through."""

    motions: tuple[Motion, ...]
    ends: NDArray[np.int64]
    """Used frames up to the end of each motion."""

    def place(self, number: int) -> tuple[Motion, int]:
        """The motion in which frame `number` of all used ones is, and which of its used frames it is."""
        which = int(np.searchsorted(self.ends, number, "right"))
        return self.motions[which], number - int(self.ends[which - 1] if which else 0)


def choice(config: "Config", number: int, rng: np.random.Generator) -> Choice:
    """One of all characters, motions, frames and cameras; each comes once before any comes again."""
    spec = config.character[number % len(config.character)]
    age = number // len(config.character)
    total = int(_stock(config, spec).ends[-1]) * config.cameras
    turn, place = divmod(age, total)
    return _chosen(config, spec, age, (turn, int(_order(total, config.seed, turn)[place])), rng)


def another(config: "Config", number: int, rng: np.random.Generator) -> Choice:
    """Any of them, for a further figure of picture `number`."""
    spec = config.character[int(rng.integers(len(config.character)))]
    total = int(_stock(config, spec).ends[-1]) * config.cameras
    where = int(rng.integers(2**20)), int(rng.integers(total))
    return _chosen(config, spec, number // len(config.character), where, rng)


def load(config: "Config") -> None:
    """Loads each character and motion once.

    Raises:
        DataError: one of them cannot be used.
    """
    for spec in config.character:
        person(spec, config.seed, 0)
        _stock(config, spec)


def person(spec: str, seed: int, variant: int) -> Character:
    """A character; those from files have no variants."""
    return _person(spec, seed, variant if characters.varies(spec) else 0)


@lru_cache(maxsize=CAST + CAST // 4)
def _person(spec: str, seed: int, variant: int) -> Character:
    return characters.load(spec, int(np.random.default_rng([seed, variant, *b"person"]).integers(2**31)))


def _chosen(config: "Config", spec: str, age: int, where: tuple[int, int], rng: np.random.Generator) -> Choice:
    """The choice of a character at a place of a turn; `age`: pictures of it before."""
    turn, (place, camera) = where[0], divmod(where[1], config.cameras)
    motion, used = _stock(config, spec).place(place)
    cast = min(config.variants, max(CAST // len(config.character), 1))
    variant = (age // STAY + int(rng.integers(cast))) % config.variants
    frame = used * config.every
    if isinstance(motion, RandomPoses):
        frame = (turn * WEIGHT + used) * config.cameras + camera if motion.frames == ENDLESS else used
    elif isinstance(motion, builtin.Builtin):
        stretches = _used(motion, config.every)
        motion = _manner(motion.name, config.seed, variant)
        first, after = (-(-motion.frames * k // stretches) for k in (used, used + 1))
        frame = min(int(rng.integers(first, max(after, first + 1))), motion.frames - 1)
    step = 360 / config.cameras
    azimuth = camera * step + rng.uniform(-1, 1) * min(step / 4, JITTER_DEG)
    return Choice(character=spec, variant=variant, motion=motion, frame=frame, azimuth_deg=azimuth)


@lru_cache(maxsize=8)
def _order(total: int, seed: int, turn: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, turn, *b"order"]).permutation(total)


@lru_cache(maxsize=KEPT)
def _manner(name: str, seed: int, variant: int) -> builtin.Builtin:
    """A built-in motion as that person does it."""
    return builtin.motion(name, seed=int(np.random.default_rng([seed, variant, *b"manner"]).integers(1, 2**31)))


def _stock(config: "Config", spec: str) -> Stock:
    return _stocked(config.motion, spec if "own" in config.motion else "", config.seed, config.every)


@lru_cache(maxsize=KEPT)
def _stocked(names: tuple[str, ...], owner: str, seed: int, every: int) -> Stock:
    """The motions of those names; `owner`: the character whose own ones are among them."""
    own = tuple(person(owner, seed, 0).actions.values()) if owner else ()
    if owner and not own:
        raise DataError(f"{owner}: has no motions of its own; --motion builtin, random or BVH files move it")
    found = tuple(motion for name in names for motion in (own if name == "own" else _loaded(name, seed, every)))
    return Stock(motions=found, ends=np.cumsum([_used(motion, every) for motion in found], dtype=np.int64))


@lru_cache(maxsize=KEPT)
def _loaded(name: str, seed: int, every: int) -> tuple[Motion, ...]:
    return tuple(motions.load(name, seed=seed, every=every))


def _used(motion: Motion, every: int) -> int:
    """Frames of a motion that are used: all of those that are no film."""
    if isinstance(motion, RandomPoses):
        return WEIGHT if motion.frames == ENDLESS else motion.frames
    return -(-motion.frames // every)
