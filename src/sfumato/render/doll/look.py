"""What the built-in figure looks like: what can be chosen, and what a seed draws where nothing is."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ...errors import OptionError

HAIRS = ("short", "spiky", "bob", "long", "ponytail", "bun", "cropped")
TOPS = ("shirt", "tee", "sleeveless")
BOTTOMS = ("pants", "shorts", "skirt", "dress")
STYLES = {"realistic": 0.0, "comic": 0.5, "anime": 1.0, "chibi": 2.0}
GENDERS = {"woman": 0.0, "girl": 0.0, "female": 0.0, "man": 1.0, "boy": 1.0, "male": 1.0}
WORDS = {"style": STYLES, "gender": GENDERS}
"""Words that stand for numbers."""
CHOICES = {"hair": HAIRS, "top": TOPS, "bottom": BOTTOMS}
BOUNDS = {"age": (2, 90), "gender": (0, 1), "weight": (0, 1), "muscle": (0, 1), "style": (0, 2), "colors": (0, 2**31)}
_SKINS = (
    (0.98, 0.86, 0.77),
    (0.94, 0.78, 0.66),
    (0.85, 0.66, 0.52),
    (0.70, 0.50, 0.37),
    (0.52, 0.36, 0.26),
    (0.38, 0.26, 0.20),
)
_HAIRS = (
    (0.13, 0.10, 0.10),
    (0.30, 0.19, 0.13),
    (0.48, 0.31, 0.19),
    (0.80, 0.63, 0.36),
    (0.62, 0.25, 0.13),
    (0.70, 0.70, 0.72),
)
_BRIGHT = ((0.93, 0.50, 0.66), (0.35, 0.50, 0.85), (0.45, 0.75, 0.62), (0.66, 0.50, 0.85), (0.95, 0.80, 0.45))
_EYES = ((0.35, 0.22, 0.14), (0.25, 0.42, 0.62), (0.30, 0.50, 0.33), (0.45, 0.36, 0.25), (0.45, 0.30, 0.60))


@dataclass(frozen=True, kw_only=True)
class Look:
    """A figure's looks."""

    age: float = 25.0
    """In years, 2 to 90."""
    gender: float = 0.0
    """0 woman to 1 man; a word will do."""
    weight: float = 0.5
    """0 thin to 1 heavy."""
    muscle: float = 0.5
    """0 slight to 1 strong."""
    style: float = 0.0
    """0 realistic, 0.5 comic, 1 anime, 2 chibi: a larger head with larger eyes, a smaller nose."""
    hair: str = "short"
    """One of HAIRS."""
    top: str = "shirt"
    """One of TOPS."""
    bottom: str = "pants"
    """One of BOTTOMS."""
    colors: int = 0
    """Seed of the colours."""

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            if not low <= getattr(self, name) <= high:
                raise OptionError(f"mannequin: {name}={getattr(self, name)} is not between {low} and {high}")
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise OptionError(f"mannequin: {name}={getattr(self, name)!r} is none of {', '.join(allowed)}")

    @property
    def grown(self) -> float:
        """0 at the age of 2, 1 from 17 on."""
        return float(np.clip((self.age - 2) / 15, 0, 1))

    @property
    def adult(self) -> float:
        """0 before 10, 1 from 17 on: how far the body of a woman differs from that of a man."""
        return float(np.clip((self.age - 10) / 7, 0, 1))

    @property
    def old(self) -> float:
        """0 up to 45, 1 from 70 on."""
        return float(np.clip((self.age - 45) / 25, 0, 1))


def drawn(seed: int, wishes: Mapping[str, str] | None = None) -> Look:
    """The look that a seed draws; what is wished for by name stays and does not change the rest.

    Raises:
        OptionError: there is no such name, or its value is none.
    """
    rng = np.random.default_rng(seed)
    gender = float(np.clip(rng.choice((0.0, 1.0)) + rng.normal(0, 0.08) * rng.choice((1, -1)), 0, 1))
    look = Look(
        age=float(rng.choice((rng.uniform(4, 13), rng.uniform(14, 35), rng.uniform(35, 75)), p=(0.2, 0.55, 0.25))),
        gender=gender,
        weight=float(np.clip(rng.normal(0.45, 0.16), 0, 1)),
        muscle=float(np.clip(rng.normal(0.35 + 0.25 * gender, 0.15), 0, 1)),
        style=float(
            rng.choice((rng.uniform(0, 0.3), rng.uniform(0.3, 0.8), rng.uniform(0.8, 1.3)), p=(0.4, 0.25, 0.35))
        ),
        hair=str(rng.choice(HAIRS, p=_cuts(gender))),
        top=str(rng.choice(TOPS, p=(0.5, 0.35, 0.15))),
        bottom=str(rng.choice(BOTTOMS, p=(0.7, 0.3, 0, 0) if gender > 0.5 else (0.4, 0.15, 0.25, 0.2))),
        colors=int(rng.integers(2**31)),
    )
    wished: dict[str, Any] = {name: _value(name, text) for name, text in (wishes or {}).items()}
    return replace(look, **wished)


def _cuts(gender: float) -> tuple[float, ...]:
    return (0.45, 0.25, 0.05, 0.05, 0.05, 0.0, 0.15) if gender > 0.5 else (0.1, 0.05, 0.25, 0.3, 0.15, 0.12, 0.03)


def _value(name: str, text: str) -> str | float | int:
    known = [field.name for field in fields(Look)]
    if name not in known:
        raise OptionError(f"mannequin: there is no {name!r}; what can be chosen: {', '.join(known)}")
    if name in CHOICES:
        return text
    if text in WORDS.get(name, {}):
        return WORDS[name][text]
    try:
        return int(text) if name == "colors" else float(text)
    except ValueError:
        words = "".join(f", {word}" for word in WORDS.get(name, {}))
        raise OptionError(f"mannequin: {name}={text!r} is not a number{words}") from None


Color = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Colors:
    """Colours of a figure, sRGB in [0, 1]."""

    skin: Color
    hair: Color
    eyes: Color
    lips: Color
    top: Color
    bottom: Color
    shoes: Color
    white: Color = (0.98, 0.98, 0.98)
    dark: Color = (0.08, 0.07, 0.08)

    @classmethod
    def of(cls, look: Look) -> "Colors":
        """Those that the look's seed draws: hair grey with age, bright hair in drawn styles."""
        rng = np.random.default_rng(look.colors)
        skin = _SKINS[rng.choice(len(_SKINS), p=(0.28, 0.26, 0.18, 0.12, 0.09, 0.07))]
        bright = rng.random() < 0.45 * min(look.style, 1.0)
        hair = _BRIGHT[rng.integers(len(_BRIGHT))] if bright else _HAIRS[rng.integers(5)]
        hair = _mixed(hair, _HAIRS[5], look.old)
        clothes = [_mixed((0.5, 0.5, 0.5), _any(rng), rng.uniform(0.3, 1.0)) for _ in range(3)]
        return cls(
            skin=skin,
            hair=hair,
            eyes=_EYES[rng.integers(len(_EYES))],
            lips=_mixed(skin, (0.75, 0.25, 0.28), 0.55),
            top=_mixed(clothes[0], (1.0, 1.0, 1.0), rng.uniform(0, 0.7)),
            bottom=_mixed(clothes[1], (0.15, 0.18, 0.28), rng.uniform(0, 0.8)),
            shoes=_mixed(clothes[2], (0.1, 0.1, 0.1), rng.uniform(0, 0.8)),
        )


def _mixed(a: Color, b: Color, share: float) -> Color:
    r, g, b_ = (float(x + (y - x) * share) for x, y in zip(a, b))
    return (r, g, b_)


def _any(rng: np.random.Generator) -> Color:
    r, g, b = (float(share) for share in rng.random(3))
    return (r, g, b)
