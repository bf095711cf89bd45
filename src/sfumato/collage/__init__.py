"""Parts of a photograph, such as face and hair, redrawn by a model and put back where they were.

    parts = find(photo)
    made = collage(photo, None, Translator("faces2toon"), Options(blend="guided"), parts=parts)
    again = blend(photo.pixels, made.drawn, made.mask, Options(softness=0.8), parts=parts)   # without the model

`sfumato.collage(...)` calls the package itself. Nothing here imports torch before a model is at work.
"""

import sys
from types import ModuleType

from .blending import Blended, blend
from .films import Film
from .options import FILTERS, Options
from .work import Collage, Patch, Scene, collage, cut_out, mask_of
from .zones import Head, heads, zone

__all__ = [
    "FILTERS",
    "Blended",
    "Collage",
    "Film",
    "Head",
    "Options",
    "Patch",
    "Scene",
    "blend",
    "collage",
    "cut_out",
    "heads",
    "mask_of",
    "zone",
]


class _Collage(ModuleType):
    """A package whose call is its function of the same name: Python binds the name `sfumato.collage` to the package."""

    __call__ = staticmethod(collage)


sys.modules[__name__].__class__ = _Collage
