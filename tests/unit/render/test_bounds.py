"""Bounds are told once, in annotations, and hold for those who make a dataclass by hand."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Annotated

import pytest
from annotated_types import Ge, Gt, Le, Lt

from sfumato.errors import OptionError
from sfumato.render import bounds
from sfumato.render.job import Config

Share = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True)
class Thing:
    name: str = ""
    size: Annotated[int, Ge(2), Le(5)] = 3
    share: tuple[Share, Share] = (0.0, 0.5)
    more: tuple[Annotated[float, Gt(0)], ...] = ()


def test_what_is_within_them():
    for thing in (Thing(), Thing(size=2), Thing(size=5), Thing(share=(0.0, 0.999)), Thing(more=(1.0, 2.0, math.inf))):
        bounds.checked(thing)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Thing(size=1), "size=1 must be from 2 to 5"),
        (Thing(size=6), "size=6 must be from 2 to 5"),
        (Thing(share=(0.0, 1.0)), "share=1.0 must be at least 0 and below 1"),
        (Thing(share=(math.nan, 0.5)), "share=nan must be"),
        (Thing(more=(1.0, 0.0)), "more=0.0 must be above 0"),
    ],
)
def test_what_is_not(wrong, message):
    with pytest.raises(OptionError, match=message):
        bounds.checked(wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"margin": (0.6, 0.7)}, "margin=0.6 must be at least 0 and below 0.5"),
        ({"margin": (0.3, 0.1)}, "margin 0.3 0.1: the smaller number comes first"),
        ({"elevation_deg": (20.0, -5.0)}, "elevation_deg 20 -5: the smaller number comes first"),
        ({"field_deg": (40.0, 20.0)}, "the smaller number comes first"),
        ({"line_width": (5.0, 1.0)}, "the smaller number comes first"),
        ({"line_width": (1.0, 80.0), "size": (1024, 64)}, "in a picture of 1024 pixels that is 160, which must be"),
        ({"line_width": (0.02, 1.0), "size": (64, 64)}, "in a picture of 64 pixels that is 0.0025, which must be"),
        ({"every": 0}, "every=0 must be above 0"),
    ],
)
def test_a_set_that_could_never_be_drawn(wrong, message):
    with pytest.raises(OptionError, match=message):
        dataclasses.replace(Config(), **wrong)
