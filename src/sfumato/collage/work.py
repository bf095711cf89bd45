"""The whole way of a collage: zone, crop, filter, model, blend.

Shapes: H W pixels of the photograph, h w of a head's box, S side of a crop.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..image import Box, Picture, Pixels, Source, from_any, in_color, resize, scaled
from ..parsing import Parts, find, tidied
from ..progress import Report
from . import zones
from .blending import blend
from .filters import filtered
from .options import Options

if TYPE_CHECKING:
    from ..options import Options as Wishes

USUAL_SIZE = 512
"""Longest side in pixels of what a model is given, if nothing is asked for and any suits it; a smaller one is kept."""


class Artist(Protocol):
    """What draws: a `translate.Translator`, or anything with this call."""

    side: int
    """Longest side in pixels of what suits it; 0: any."""

    def translate_picture(
        self,
        picture: Picture,
        styles: Sequence[Source],
        options: "Wishes | None",
        *,
        progress: Report | None,
    ) -> Picture:
        """The picture drawn anew, in its own size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """One head on its way."""

    head: zones.Head
    """Its part of the zone."""
    box: Box
    """The square in the photograph that was cut out; less of it at the edges of one that is too small."""
    crop: Picture
    """What was cut out, in the size that the model is given."""
    filtered: Picture
    """What the model was given."""
    drawn: Picture
    """What it made of it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Collage:
    """A photograph with parts of it redrawn, and every step to it."""

    photo: Picture
    mask: NDArray[np.bool_]
    """(H, W), the zone."""
    patches: tuple[Patch, ...]
    """A head each, the largest first; none if the zone is empty."""
    drawn: Pixels
    """(H, W, 3), the photograph with all drawings in their squares: what `blend` takes."""
    alpha: NDArray[np.uint8]
    """(H, W), how much of the drawing is seen."""
    result: Picture
    """The photograph's size, mode, alpha, profile and EXIF; unchanged where alpha is 0."""

    def steps(self) -> dict[str, Picture]:
        """Each step's picture by a name for its file, in order; of several heads each has its own."""
        made = {"mask": from_any(self.mask)}
        for number, patch in enumerate(self.patches, 1):
            tail = f"-{number}" if len(self.patches) > 1 else ""
            made |= {f"{name}{tail}": getattr(patch, name) for name in ("crop", "filtered", "drawn")}
        return made | {"alpha": from_any(self.alpha), "result": self.result}


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A photograph whose zone is known, and what is cut out of it."""

    photo: Picture
    mask: NDArray[np.bool_]
    """(H, W), the zone."""
    parts: Parts | None
    """Those of the photograph, if they are known."""
    places: tuple[tuple[zones.Head, Box], ...]
    """The heads, and the square around each."""

    @classmethod
    def of(cls, photo: Picture, mask: "Source | None", parts: Parts | None, options: Options) -> "Scene":
        """The scene of a photograph, in colours; arguments are those of `collage`."""
        photo = in_color(photo)
        parts = parts and tidied(parts)
        if mask is not None:
            inside = mask_of(mask, photo)
        else:
            parts = find(photo) if parts is None else parts
            inside = zones.zone(parts, options)
        heads = zones.heads(inside, photo.pixels, None if parts is None else parts.faces)
        size = photo.height, photo.width
        places = tuple((head, zones.frame(head.box, options.padding, *size)) for head in heads)
        return cls(photo=photo, mask=inside, parts=parts, places=places)

    def drawn(
        self,
        translator: Artist,
        options: Options,
        *,
        styles: Sequence[Source] = (),
        progress: Report | None = None,
    ) -> Collage:
        """The collage of this scene; arguments are those of `collage`."""
        longest = options.size or translator.side or USUAL_SIZE
        sizes = [_size(box, longest, enlarge=options.size is not None) for _, box in self.places]
        patches, done, total = list[Patch](), 0, sum(height * width for height, width in sizes)
        paper = self.photo.compose_on_white()
        for (head, box), size in zip(self.places, sizes, strict=True):
            crop = resize(Picture(pixels=np.ascontiguousarray(paper.pixels[box.slices])), size=size)
            shown = crop.with_pixels(filtered(crop.pixels, options.filter))
            part = size[0] * size[1]
            made = _drawn(translator, shown, styles, options, _part(progress, done, part, total))
            patches.append(Patch(head=head, box=box, crop=crop, filtered=shown, drawn=made))
            done += part
        canvas = assembled(self.photo.pixels, patches)
        blended = blend(self.photo.pixels, canvas, self.mask, options, parts=self.parts)
        return Collage(
            photo=self.photo,
            mask=self.mask,
            patches=tuple(patches),
            drawn=canvas,
            alpha=blended.alpha,
            result=self.photo.with_pixels(blended.pixels),
        )


def collage(
    photo: Source,
    mask: "Source | None",
    translator: Artist,
    options: Options | None = None,
    *,
    styles: Sequence[Source] = (),
    parts: Parts | None = None,
    progress: Report | None = None,
) -> Collage:
    """Redraws a part of a photograph by a model and puts it back; an empty zone gives the photograph as it is.

    Args:
        photo: a path, a Pillow image, an array or a tensor, as `image.from_any` takes it; a grey one or one with a
            palette becomes one in colours.
        mask: where, white in a grey picture of the photograph's shape, or an array (H, W) of bool; None: where the
            parts are that `options` name.
        translator: any model that makes pictures.
        styles: one or several pictures, for a model that takes a style.
        parts: the photograph's; by None without a mask, `parsing.find` finds them.
        progress: called with the work done and the whole, in pixels of what the model is given; False cancels.

    Raises:
        OptionError: an option is wrong, or the mask has another shape than the photograph.
        PictureError: a picture cannot be read.
        Cancelled: `progress` said so.
    """
    options = options or Options()
    return Scene.of(from_any(photo), mask, parts, options).drawn(translator, options, styles=styles, progress=progress)


def mask_of(mask: Source, photo: Picture) -> NDArray[np.bool_]:
    """A mask as (H, W) at the photograph's size, from a grey picture or an array in any size of its shape.

    Raises:
        OptionError: it has another shape.
        PictureError: it cannot be read.
    """
    from ..translate.masks import plane_of

    return np.asarray(plane_of(from_any(mask), photo) > 127, np.bool_)


def cut_out(photo: Picture, pixels: Pixels, alpha: NDArray[np.uint8]) -> Picture:
    """The photograph with these pixels (H, W, 3), of which only those are seen that alpha (H, W) shows."""
    deep = pixels.dtype == np.uint16
    seen = alpha.astype(np.uint16) * np.uint16(257) if deep else alpha
    if photo.alpha is not None:
        seen = np.minimum(seen, photo.alpha)
    return replace(photo, pixels=pixels, alpha=seen, mode="RGBA")


def assembled(photo: Pixels, patches: Sequence[Patch]) -> Pixels:
    """The photograph (H, W, 3) with all drawings in their squares; where two are, that of the nearer head."""
    canvas = photo.copy()
    if len(patches) == 1:
        box = patches[0].box
        canvas[box.slices] = resize(patches[0].drawn, size=(box.height, box.width)).pixels
        return canvas
    nearest = np.full(photo.shape[:2], np.inf, np.float32)
    for patch in patches:
        box = patch.box
        large = resize(patch.drawn, size=(box.height, box.width)).pixels
        outside = np.ones((box.height, box.width), np.uint8)
        outside[patch.head.box.within(box).slices] -= patch.head.mask
        away = np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, 3), np.float32)
        closer = away < nearest[box.slices]
        nearest[box.slices][closer] = away[closer]
        canvas[box.slices][closer] = large[closer]
    return canvas


def _size(box: Box, longest: int, *, enlarge: bool) -> tuple[int, int]:
    """The height and width in which a model is given what is in a box."""
    own = max(box.height, box.width)
    return scaled(box.height, box.width, longest if enlarge else min(own, longest))


def _drawn(
    translator: Artist, crop: Picture, styles: Sequence[Source], options: Options, progress: Report | None
) -> Picture:
    """What the model makes of a crop; whatever it draws by torch's generators is fixed."""
    import torch

    from ..options import Options as Wishes

    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(options.seed)
        return translator.translate_picture(crop, styles, Wishes(iterations=options.iterations), progress=progress)


def _part(progress: Report | None, done: int, part: int, total: int) -> Report | None:
    """What tells of the whole work when it is told of a part."""
    if progress is None:
        return None

    def told(of_part: int, whole: int) -> object:
        return progress(done + part * of_part // max(whole, 1), total)

    return told
