"""What befalls drawings on paper until they are files: grain, shade, blur, noise, JPEG, a sheet that is not flat.

The lines themselves change in `second_hand`.

Nothing here moves a place without saying where it goes, and paper stays paper: what comes in at a border is white.

Shapes: H W pixels. Places are (x, y), whole numbers in the middle of pixels. Pictures are (H, W, 3) uint8.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from .second_hand import Field, Values, broken, pen, redrawn

Pixels = NDArray[np.uint8]
Often = Annotated[float, Ge(0), Le(1)]

CELL = 48
"""Pixels, about, between the places of a sheet that move by chance; those between follow evenly."""
BROWN = 0.2
"""How often tinted paper is brown, as wrapping paper or an old sheet."""
ROUNDS = 20
"""Of the search for where a place of a bent sheet comes to lie."""


@dataclass(frozen=True, kw_only=True)
class Wear:
    """How often a drawing undergoes what."""

    pen: Often = 0.4
    """Lines become thicker, thinner, or fainter."""
    redrawn: Often = 0.3
    """Each stroke is drawn a little elsewhere, as by a second hand."""
    broken: Often = 0.15
    """Lines have gaps."""
    ruled: Often = 0.05
    """The paper has printed lines, or squares."""
    chalk: Often = 0.05
    """Light lines on a dark board."""
    grain: Often = 0.4
    """The paper has a tint, a shade across it and a grain."""
    blur: Often = 0.3
    """Blurred evenly, by a motion, or by a median."""
    noise: Often = 0.4
    """Each pixel is brighter or darker by a share of itself, and by noise."""
    specks: Often = 0.2
    """Some pixels are black or white."""
    jpeg: Often = 0.3
    """Kept as JPEG of low quality."""


NO_WEAR = Wear(pen=0, redrawn=0, broken=0, ruled=0, chalk=0, grain=0, blur=0, noise=0, specks=0, jpeg=0)
THESIS_WEAR = replace(NO_WEAR, blur=0.5, noise=0.5)
"""Blurs, and multiplied and added noise alone, which with affine maps were the source thesis's augmentations."""


def worn(pixels: Pixels, wear: Wear, rng: np.random.Generator) -> Pixels:
    """The picture after some of all that, drawn from `rng`."""
    values = pixels.astype(np.float32)
    for name, step in STEPS.items():
        if rng.random() < getattr(wear, name):
            values = step(values, rng)
    return np.rint(values.clip(0, 255)).astype(np.uint8)


def ruled(values: Values, rng: np.random.Generator) -> Values:
    """On paper with lines across, half the time down, too; not quite level."""
    height, width = values.shape[:2]
    apart, angle = rng.uniform(7, 24), rng.normal(0, 0.04)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    ways = [y + x * np.float32(angle), x - y * np.float32(angle)][: int(rng.integers(1, 3))]
    shift = np.float32(rng.uniform(0, apart))
    near = np.maximum.reduce([1.2 - np.abs((way + shift) % np.float32(apart) - 1) for way in ways]).clip(0, 1)
    ink = rng.uniform(0.05, 0.4) * rng.uniform(0.3, 1, 3).astype(np.float32)
    return np.asarray(values * (1 - near[..., None] * ink), np.float32)


def chalk(values: Values, rng: np.random.Generator) -> Values:
    """Light where ink was, on a dark board that shows through."""
    board, light = rng.uniform(10, 80, 3).astype(np.float32), rng.uniform(190, 255, 3).astype(np.float32)
    covers = 1 - rng.random(values.shape[:2], dtype=np.float32)[..., None] * np.float32(rng.uniform(0, 0.6))
    return np.asarray(board + (light - board) * covers * (255 - values) / 255, np.float32)


def grain(values: Values, rng: np.random.Generator) -> Values:
    """On tinted paper, at times brown, darker toward one side, with a grain."""
    height, width = values.shape[:2]
    tint = rng.uniform(0.88, 1, 3).astype(np.float32)
    if rng.random() < BROWN:
        tint = np.sort(rng.uniform(0.55, 1, 3).astype(np.float32))[::-1]
    coarse = rng.uniform(rng.uniform(0.7, 1), 1, (3, 3)).astype(np.float32)
    shade = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    fibres = rng.standard_normal((height, width), dtype=np.float32)
    soft = cv2.GaussianBlur(fibres, (0, 0), float(rng.uniform(0.6, 2)))
    fibres = soft * np.float32(rng.uniform(0.005, 0.03) / max(float(soft.std()), 1e-6))
    return np.asarray(values * tint * (shade.clip(0, 1) + fibres)[..., None], np.float32)


def blur(values: Values, rng: np.random.Generator) -> Values:
    """Out of focus, moved, or with fine lines gone."""
    kind = int(rng.integers(3))
    if kind == 0:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), float(rng.uniform(0.4, 1.5))), np.float32)
    if kind == 1:
        return np.asarray(cv2.filter2D(values, -1, _motion(float(rng.uniform(0, 180)), int(rng.integers(3, 8)))))
    return np.asarray(cv2.medianBlur(values, 3), np.float32)


def noise(values: Values, rng: np.random.Generator) -> Values:
    """Multiplied pixel by pixel, then noise is added, the same in all colours or not."""
    channels = 3 if rng.random() < 0.5 else 1
    shape = (*values.shape[:2], channels)
    factors = 1 + (2 * rng.random(shape, dtype=np.float32) - 1) * np.float32(rng.uniform(0, 0.2))
    added = rng.standard_normal(shape, dtype=np.float32) * np.float32(rng.uniform(1, 15))
    return np.asarray(values * factors + added, np.float32)


def specks(values: Values, rng: np.random.Generator) -> Values:
    """Up to one pixel of a hundred black or white: salt and pepper."""
    chance = rng.random(values.shape[:2], dtype=np.float32)
    share = rng.uniform(0, 0.01)
    result = values.copy()
    result[chance < share / 2] = 0
    result[chance > 1 - share / 2] = 255
    return result


def jpeg(values: Values, rng: np.random.Generator) -> Values:
    """Kept as JPEG, of a quality at which blocks and fringes show."""
    pixels = cv2.cvtColor(np.rint(values.clip(0, 255)).astype(np.uint8), cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 60))])
    found = cv2.imdecode(content, cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.float32)


STEPS = {
    "pen": pen,
    "redrawn": redrawn,
    "broken": broken,
    "ruled": ruled,
    "chalk": chalk,
    "grain": grain,
    "blur": blur,
    "noise": noise,
    "specks": specks,
    "jpeg": jpeg,
}
"""What befalls a drawing, by the field of `Wear` that says how often, in this order."""


def _motion(angle_deg: float, length: int) -> Values:
    """A line of that many pixels through the middle of a kernel, its sum 1."""
    side = length | 1
    kernel = np.zeros((side, side), np.float32)
    kernel[side // 2] = 1
    turn = cv2.getRotationMatrix2D((side // 2, side // 2), angle_deg, 1)
    turned = cv2.warpAffine(kernel, turn, (side, side))
    return np.asarray(turned / turned.sum(), np.float32)


def tilted(out: tuple[int, int], far: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A matrix (3, 3) of a sheet seen at an angle: each corner moves by up to `far` sides."""
    height, width = out
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], np.float32)
    others = corners + (rng.uniform(-far, far, (4, 2)) * (width, height)).astype(np.float32)
    return np.asarray(cv2.getPerspectiveTransform(corners, others), np.float64)


def bend(out: tuple[int, int], far_px: float, rng: np.random.Generator) -> Field:
    """A smooth field (H, W, 2): how far from its own place each pixel of a bent sheet is taken, by x and y."""
    height, width = out
    cells = (round(height / CELL) + 1, round(width / CELL) + 1)
    coarse = rng.uniform(-far_px, far_px, (*cells, 2)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def bent(places: NDArray[np.float64], field: Field) -> NDArray[np.float64]:
    """Where places (K, 2) of a flat sheet come to lie on the bent one: p + field(p) = place, found step by step."""
    found = places.copy()
    for _ in range(ROUNDS):
        found = places - _at(field, found)
    return found


def _at(field: Field, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The field at places (K, 2), between pixels even; beyond the border as there."""
    x, y = places.astype(np.float32)[:, None, 0], places.astype(np.float32)[:, None, 1]
    found = cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found[:, 0], np.float64)
