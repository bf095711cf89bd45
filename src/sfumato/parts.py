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
