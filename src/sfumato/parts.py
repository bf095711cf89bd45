"""The parts of a person that are told apart, in pictures and on rendered figures: one table for all."""

from typing import Literal, get_args

Part = Literal[
    "background",
    "hat",
    "hair",
    "sunglasses",
    "upper-clothes",
    "skirt",
    "pants",
    "dress",
    "belt",
    "left-shoe",
    "right-shoe",
    "face",
    "left-leg",
    "right-leg",
    "left-arm",
    "right-arm",
    "bag",
    "scarf",
]
PARTS: tuple[Part, ...] = get_args(Part)
"""The 18 classes of human parsing, those of ATR in its order (Liang et al., TPAMI 2015, arXiv:1503.02391)."""
HEAD: tuple[Part, ...] = ("hat", "hair", "sunglasses", "face")
"""Those that make a head."""
EVERY = 2 ** len(PARTS) - 1
"""A place whose part is unknown. Labels may leave open which part a place shows: bit k of a number tells that it may be
part k, so that 2^k is part k and no other."""
MIRRORED = tuple(
    PARTS.index(part.replace("left", "right") if "left" in part else part.replace("right", "left")) for part in PARTS
)
"""For each part the place of the one that it is in a mirrored picture."""
COLORS = (
    *((70, 70, 70), (255, 127, 14), (160, 60, 200), (20, 20, 60), (46, 120, 230), (240, 110, 190), (30, 60, 150)),
    *((220, 40, 120), (150, 110, 20), (0, 90, 90), (0, 160, 130), (255, 205, 130), (120, 190, 60), (60, 120, 30)),
    *((250, 160, 110), (210, 90, 60), (130, 80, 40), (230, 30, 40)),
)
"""Of each part, where parts are shown: RGB from 0 to 255."""
