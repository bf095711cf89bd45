"""A drawing put into the photograph that it was made from, so that no seam shows.

Only the surroundings of the mask are worked on; where alpha is 0 the photograph stays byte for byte. Everything is done
to the difference of drawing and photograph, which is 0 where nothing changes.

Shapes: H W pixels of the photograph, h w of a zone's surroundings.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError
from ..image import Box, Pixels
from ..parsing import Parts
from . import border, zones
from .options import Options

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

REACH = 0.25
"""How far around a zone something may change, in sizes of the zone."""
FEATHER = 0.03
"""Deviation of the blur of a feathered mask, in sizes of the zone."""
LEAST_WIDTH = 0.1
"""A border of softness 0 is that much as wide as one of softness 0.5."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Blended:
    """A photograph with a drawing in it."""

    pixels: Pixels
    """(H, W, 3), of the photograph's type."""
    alpha: NDArray[np.uint8]
    """(H, W), how much of the drawing is seen, 255 is all of it; where it is 0 the photograph is unchanged."""


def blend(
    photo: Pixels, drawn: Pixels, mask: Mask, options: Options | None = None, *, parts: Parts | None = None
) -> Blended:
    """Puts the drawing into the photograph where the mask is; no model is at work.

    Args:
        photo: (H, W, 3), uint8 or uint16.
        drawn: (H, W, 3) of the same type; only what the mask and its surroundings cover is looked at.
        mask: (H, W), several faces may be in it.
        options: `blend`, `softness`, `color_match` and `strength` of it.
        parts: the photograph's, by which skin that meets skin is known; else colours tell.

    Raises:
        OptionError: the sizes or types differ.
    """
    options = options or Options()
    _check(photo, drawn, mask, parts)
    result, alpha = photo.copy(), np.zeros(mask.shape, np.uint8)
    if options.strength == 0:
        return Blended(pixels=result, alpha=alpha)
    white = float(np.iinfo(photo.dtype).max)
    for piece in zones.pieces(mask):
        box, inside = _surroundings(piece, mask.shape)
        rows = box.slices
        before = photo[rows].astype(np.float32) / white
        difference = drawn[rows].astype(np.float32) / white - before
        if options.color_match:
            matching = _matching(before, difference, inside)
            matching *= options.color_match
            difference += matching
        near = None if parts is None else parts.within(box)
        change, share = _WAYS[options.blend](before, difference, inside, _Wish(piece.size, options.softness, near))
        change *= options.strength
        share *= options.strength
        if alpha[rows].any():  # of a piece beside it: what that leaves open is this one's
            left = (1 - alpha[rows].astype(np.float32) / (255 * options.strength)).clip(0)
            change *= left[..., None]
            share *= left
            before = result[rows].astype(np.float32) / white
        seen = np.rint(share * 255).astype(np.uint8)
        before += change
        np.multiply(before.clip(0, 1, out=before), white, out=before)
        np.copyto(result[rows], np.rint(before, out=before), where=(seen > 0)[..., None], casting="unsafe")
        alpha[rows] += seen
    return Blended(pixels=result, alpha=alpha)


@dataclass(frozen=True)
class _Wish:
    """How a zone is put in."""

    size: float
    """Square root of its area, in pixels."""
    softness: float
    parts: Parts | None
    """Those of the surroundings."""

    @property
    def width(self) -> float:
        """A factor on widths, 1 for a softness of 0.5."""
        return max(2 * self.softness, LEAST_WIDTH)


def _check(photo: Pixels, drawn: Pixels, mask: Mask, parts: Parts | None) -> None:
    size = photo.shape[:2]
    if photo.shape != (*size, 3) or photo.dtype not in (np.uint8, np.uint16):
        raise OptionError(f"a photograph is (H, W, 3) of uint8 or uint16, not {photo.shape} of {photo.dtype}")
    if drawn.shape != photo.shape or drawn.dtype != photo.dtype:
        raise OptionError(
            f"the drawing is {drawn.shape} of {drawn.dtype}, the photograph {photo.shape} of {photo.dtype}"
        )
    if mask.shape != size or mask.dtype != np.bool_:
        raise OptionError(f"the mask is {mask.shape} of {mask.dtype}, the photograph wants {size} of bool")
    if parts is not None and parts.labels.shape != size:
        raise OptionError(f"the parts are those of a picture of {parts.labels.shape}, the photograph has {size}")


def _surroundings(piece: zones.Piece, shape: tuple[int, ...]) -> tuple[Box, Mask]:
    """What may change around a piece in a picture (H, W), and the piece in it (h, w)."""
    edge, inner = round(REACH * piece.size) + 2, piece.box
    box = Box(
        max(inner.top - edge, 0),
        max(inner.left - edge, 0),
        min(inner.bottom + edge, shape[0]),
        min(inner.right + edge, shape[1]),
    )
    inside = np.zeros((box.height, box.width), np.bool_)
    inside[inner.within(box).slices] = piece.mask
    return box, inside


def _matching(photo: Floats, difference: Floats, inside: Mask) -> Floats:
    """What brings a drawing's mean and deviation to the photograph's, channel by channel, where the mask is."""
    drawn, where = photo + difference, inside.astype(np.uint8)
    figures = (cv2.meanStdDev(pixels, mask=where) for pixels in (drawn, photo))
    (mean, spread), (wanted, wished) = ([np.float32(plane[:, 0]) for plane in pair] for pair in figures)
    gain = (wished / spread.clip(1e-3)).clip(0.5, 2)
    drawn *= gain - 1
    drawn += wanted - mean * gain
    return drawn


def _hard(_photo: Floats, difference: Floats, inside: Mask, _wish: _Wish) -> tuple[Floats, Floats]:
    share = inside.astype(np.float32)
    return np.multiply(difference, share[..., None], out=difference), share


def _feather(_photo: Floats, difference: Floats, inside: Mask, wish: _Wish) -> tuple[Floats, Floats]:
    share = border.blurred(inside.astype(np.float32), max(FEATHER * wish.width * wish.size, 0.3))
    return np.multiply(difference, share[..., None], out=difference), share


def _laplacian(_photo: Floats, difference: Floats, inside: Mask, wish: _Wish) -> tuple[Floats, Floats]:
    """Burt & Adelson, A Multiresolution Spline With Application to Image Mosaics, ACM TOG 1983.

    The blend of two pyramids is that of their difference and nothing, since all is linear.
    """
    coarse = 2.0 ** np.floor(np.log2(max(0.1 * wish.width * wish.size, 1)))  # cells of the coarsest level, in pixels
    details, shares = [difference], [inside.astype(np.float32)]
    while 2 ** len(details) <= coarse and min(details[-1].shape[:2]) > 2:
        details.append(np.asarray(cv2.pyrDown(details[-1]), np.float32))
        shares.append(np.asarray(cv2.pyrDown(shares[-1]), np.float32))
    change, share = details[-1] * shares[-1][..., None], shares[-1]
    for detail, coarser, own in zip(details[-2::-1], details[:0:-1], shares[-2::-1], strict=True):
        change = _doubled(change, own) + (detail - _doubled(coarser, own)) * own[..., None]
        share = _doubled(share, own).clip(0, 1)
    # Differs from the paper: nothing changes far from the zone, so that a photograph stays what it is.
    share = share * border.falling(border.signed(inside), 0.5 * REACH * wish.size, 0.9 * REACH * wish.size)
    return np.asarray(change * (share * 16).clip(0, 1)[..., None], np.float32), share


def _doubled(plane: Floats, like: Floats) -> Floats:
    """A level of a pyramid in the size of the finer one."""
    return np.asarray(cv2.pyrUp(plane, dstsize=like.shape[::-1]), np.float32)


def _guided(photo: Floats, difference: Floats, inside: Mask, wish: _Wish) -> tuple[Floats, Floats]:
    """What the zone itself differs by, times its share in each pixel: what lies behind strands of hair stays.

    The change takes the place of the difference: a photograph of 40 megapixels has few such planes in memory.
    """
    site = border.Site.of(photo, inside, wish.size, wish.width)
    rough = site if wish.width >= 1 else border.Site.of(photo, inside, wish.size, 1.0)  # skin and tones are no finer
    planes, skin = border.slopes(site, wish.width), border.on_skin(rough, wish.parts)
    on_skin = bool(skin.any())
    share, ramp = np.empty(inside.shape, np.float32), border.ramp(site, wish.width)

    def found(rows: slice) -> None:
        share[rows] = border.guided(site, planes, photo[rows], rows, wish.width)
        if on_skin:
            share[rows] += rough.grown(skin, rows) * (site.grown(ramp, rows) - share[rows])

    site.by_strips(found)
    cells = rough.mask.shape[::-1]
    small = border.shrunk(difference, cells)
    tones = border.toned(rough, small, skin)
    small += np.where(rough.mask[..., None], *tones)
    own, beyond = _split(small, border.shrunk(share, cells), rough.size)

    def changed(rows: slice) -> None:
        part, mine, behind = share[rows][..., None], rough.grown(own, rows), rough.grown(beyond, rows)
        rest = difference[rows]
        rest -= part * mine
        rest -= (1 - part) * behind
        if on_skin:
            rest += np.where(inside[rows][..., None], *(rough.grown(tone, rows) for tone in tones))
        rest *= part
        rest += mine
        rest *= part

    site.by_strips(changed)
    return difference, share


def _split(difference: Floats, share: Floats, size: float) -> tuple[Floats, Floats]:
    """The mean difference (h, w, 3) of a zone and of what is around it, near each cell.

    Forte, Approximate Fast Foreground Colour Estimation, ICIP 2021: a blur that is weighted by the share.
    """
    side = 2 * max(1, round(0.06 * size)) + 1

    def mean(weight: Floats) -> Floats:
        total = cv2.blur(weight, (side, side))[..., None].clip(1e-5)
        return np.asarray(cv2.blur(difference * weight[..., None], (side, side)) / total, np.float32)

    return mean(share), mean(1 - share)


_WAYS = {"hard": _hard, "feather": _feather, "laplacian": _laplacian, "guided": _guided}
