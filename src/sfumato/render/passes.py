"""A frame as the pictures that are written of it.

Shapes: H W pixels.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from ..image import Picture
from .frame import Bytes, Frame, Settings
from .svg import svg

DEPTH_UNITS = 1000
"""Values of a depth picture in a metre; 0 is nothing, and what is farther than 65.535 m has the last one."""


def pictures(frame: Frame, outputs: Sequence[str], settings: Settings) -> Iterator[tuple[str, Picture | str]]:
    """What is asked for, in that order: a picture, or the text of an SVG.

    `lines` black on transparent ground; `depth` 16-bit grey, millimetres, 0 where nothing is; `normals` x, y and z from
    -1 ... 1 to 0 ... 255, x to the right, y up, z towards the camera, black where nothing is; `parts` the numbers of
    PARTS; `mask` white where a figure is; `shaded` and `flat` in colour on transparent ground.
    """
    for output in dict.fromkeys(outputs):
        if output == "svg":
            height, width = frame.lines.shape
            yield output, svg(frame.strokes, (width, height), settings)
        else:
            yield output, _MAKERS[output](frame)


def _lines(frame: Frame) -> Picture:
    return Picture(pixels=np.zeros((*frame.lines.shape, 3), np.uint8), alpha=frame.lines, mode="RGBA")


def _depth(frame: Frame) -> Picture:
    metres = np.where(np.isfinite(frame.depth), frame.depth, 0)
    values = np.clip(np.rint(metres * DEPTH_UNITS), 0, 65535).astype(np.uint16)
    return Picture(pixels=np.repeat(values[..., None], 3, 2), mode="I;16")


def _normals(frame: Frame) -> Picture:
    facing = frame.normals * (1, -1, -1)
    values = np.rint((facing + 1) * 127.5) * frame.mask[..., None]
    return Picture(pixels=values.astype(np.uint8))


def _grey(values: Bytes) -> Picture:
    return Picture(pixels=np.repeat(values[..., None], 3, 2), mode="L")


def _colored(pixels: Bytes | None) -> Picture:
    if pixels is None:
        raise ValueError("the frame was drawn without colours")
    return Picture(pixels=np.ascontiguousarray(pixels[..., :3]), alpha=pixels[..., 3], mode="RGBA")


_MAKERS: Mapping[str, Callable[[Frame], Picture]] = {
    "lines": _lines,
    "depth": _depth,
    "normals": _normals,
    "parts": lambda frame: _grey(frame.parts),
    "mask": lambda frame: _grey(frame.mask.astype(np.uint8) * 255),
    "shaded": lambda frame: _colored(frame.shaded),
    "flat": lambda frame: _colored(frame.flat),
}
