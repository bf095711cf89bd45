"""Lines of a picture as a drawing on white paper, and what is to be done to drawings by hand before a network.

Shapes: H W pixels. Pictures are uint8 (H, W, 3) RGB; line pictures are float32 (H, W), 1 is paper, 0 a full line.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .folders import Pixels

Lines = NDArray[np.float32]
EXTRACTORS = ("xdog", "canny", "closing", "dark")
FEWEST = 0.01
"""Share of full lines below which a picture without dark outlines is drawn by another extractor."""
PAPER = 0.8
"""From this value on a pixel of a normalised drawing is paper."""


def extracted(pixels: Pixels, kinds: tuple[str, ...], rng: np.random.Generator) -> Lines:
    """The lines of a picture by one of these extractors, its strokes' width and strength drawn at random.

    A network that sees one extractor learns its traces in place of drawings: double lines, gaps, grey values.

    Args:
        kinds: of `EXTRACTORS`.
    """
    kind = kinds[int(rng.integers(len(kinds)))]
    unit = min(pixels.shape[:2]) / 128  # strokes grow with the picture
    lines = _EXTRACT[kind](pixels, unit, rng)
    if float((1 - lines).mean()) < FEWEST:
        lines = closing(pixels, unit, rng)
    return lines


def xdog(pixels: Pixels, unit: float, rng: np.random.Generator) -> Lines:
    """Extended difference of Gaussians (Winnemoeller, Kyprianidis & Olsen 2012), of the channel that shows most.

    By the darkest channel's answer, edges between colours of one luminance are drawn, too.
    """
    sigma, sharpness = unit * rng.uniform(0.5, 1.2), rng.uniform(10, 25)
    x = pixels.astype(np.float32) / 255
    near, wide = (cv2.GaussianBlur(x, (0, 0), s) for s in (sigma, 1.6 * sigma))
    # Without the picture itself, as XDoG has it, there is no shading: areas become paper.
    difference = (near - wide).min(2) + rng.uniform(0.005, 0.02)
    return np.asarray(np.where(difference >= 0, 1, 1 + np.tanh(sharpness * 4 * difference)), np.float32)


def canny(pixels: Pixels, unit: float, rng: np.random.Generator) -> Lines:
    """Borders of areas (Canny 1986), made wider and soft, and the lines between them.

    A line has two edges, and would be drawn twice: so edges are those of the picture with its dark lines closed.
    """
    side = 2 * max(1, round(1.5 * unit)) + 1
    filled = cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    smooth = cv2.GaussianBlur(filled, (0, 0), unit * rng.uniform(0.6, 1.0))
    high = rng.uniform(60, 160)
    edges = np.max([cv2.Canny(np.ascontiguousarray(smooth[..., k]), high / 2, high) for k in range(3)], axis=0)
    width = max(1, round(unit * rng.uniform(1, 2.5)))
    edges = cv2.dilate(edges, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    ink = cv2.GaussianBlur(edges, (0, 0), 0.5).astype(np.float32) / 255 * np.float32(rng.uniform(0.7, 1))
    return np.minimum(_paper(ink), closing(pixels, unit, rng))


def closing(pixels: Pixels, unit: float, rng: np.random.Generator) -> Lines:
    """What a closing fills, `closing(x) - x`: dark lines narrower than its kernel, as far as they are dark."""
    side = 2 * max(1, round(unit * rng.uniform(1, 3))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    filled = cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, kernel)
    return _paper((filled.astype(np.float32) - pixels).max(2) / 255 * np.float32(rng.uniform(1.5, 4)))


def dark(pixels: Pixels, unit: float, rng: np.random.Generator) -> Lines:
    """What is dark in all channels, lines and areas: the ink of vector cartoons and of drawings in black."""
    light = pixels.max(2).astype(np.float32) / 255
    limit, soft = rng.uniform(0.25, 0.45), 0.08
    ink = np.clip((limit - light) / soft + 0.5, 0, 1)
    if rng.random() < 0.3:  # a finer pen
        ink = cv2.erode(ink, np.ones((2, 2), np.float32)) if unit >= 1 else ink
    share = float(ink.mean())
    return _paper(ink) if share < 0.4 else np.ones_like(light)  # a dark background is no line


def _paper(ink: NDArray[Any]) -> Lines:
    return np.asarray(1 - np.clip(ink, 0, 1), np.float32)


_EXTRACT: dict[str, Callable[[Pixels, float, np.random.Generator], Lines]] = {
    "xdog": xdog,
    "canny": canny,
    "closing": closing,
    "dark": dark,
}


def normalised(grey: NDArray[np.float32]) -> Lines:
    """A drawing (H, W) in [0, 1] as the extractors draw: even white paper, the darkest lines black.

    White on black is turned; shades of a scan or a photograph of paper are divided out.
    """
    grey = np.clip(grey, 0, 1).astype(np.float32, copy=False)
    if float(np.median(grey)) < 0.3 and float((grey > 0.6).mean()) < 0.4:
        grey = 1 - grey
    height, width = grey.shape
    scale = 64 / max(height, width)
    small = cv2.resize(
        grey, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    white = max(0.2, float(np.quantile(small, 0.9)))
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    paper = cv2.GaussianBlur(np.maximum(paper, 0.55 * white), (0, 0), 4)  # large black areas are ink, not paper
    ink = cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)
    np.divide(grey, ink, out=ink)
    np.subtract(1, np.minimum(ink, 1, out=ink), out=ink)
    ink[ink < 0.06] = 0
    some = sampled(ink)
    darkest = float(np.quantile(some[some > 0.06], 0.9)) if (some > 0.06).any() else 1.0
    np.divide(ink, max(darkest, 0.25), out=ink)
    return _paper(ink)


def sampled(values: NDArray[Any]) -> NDArray[Any]:
    """Every so many rows and columns of values (H, W) or (H, W, C): about a million places of a large picture."""
    step = max(1, round((values.shape[0] * values.shape[1] / 1e6) ** 0.5))
    return values[::step, ::step]


def seems_photograph(pixels: Pixels, lines: Lines) -> bool:
    """Whether a picture (H, W, 3) looks like no drawing: little paper is left, or colours all over."""
    x = sampled(pixels).astype(np.float32)
    colorful = float((x.max(2) - x.min(2) > 40).mean())
    return float((sampled(lines) >= PAPER).mean()) < 0.5 or colorful > 0.5
