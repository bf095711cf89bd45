"""Pairs for the first stage of `faces2toon`: photographs beside what a filter makes of them, flat colours and outlines.

    python tools/flat_faces.py FOLDER... -o OUT

OUT/FOLDER/NAME.png holds the photograph on the left, the filtered one on the right, shorter sides of 256 pixels.
Colours: mean shift and bilateral smoothing, six soft steps of brightness, more saturation. Outlines: a soft threshold
on a difference of Gaussians.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sfumato import image
from sfumato.data.folders import scan

SHORTER = 256
STEPS = 6
INK = 20.0

Pixels = NDArray[np.uint8]


def flat(pixels: Pixels) -> Pixels:
    """Flat colours with dark outlines, (H, W, 3)."""
    line = outlines(pixels)[..., None]
    return np.asarray(colors(pixels) * (1 - line) + INK * line, np.float32).round().clip(0, 255).astype(np.uint8)


def colors(pixels: Pixels) -> NDArray[np.float32]:
    """Few colours, (H, W, 3), from 0 to 255."""
    smooth = cv2.pyrMeanShiftFiltering(pixels, 10, 24, maxLevel=1)
    for _ in range(2):
        smooth = cv2.bilateralFilter(smooth, 9, 30, 7)
    hue, saturation, value = cv2.split(cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV).astype(np.float32))
    value *= STEPS / 255
    step = np.floor(value) + 0.5 + 0.5 * np.tanh(6 * (value % 1 - 0.5)) / np.tanh(3)
    value = (255 * np.clip(step / STEPS, 0, 1) ** 0.85).astype(np.float32)
    merged = cv2.merge([hue, np.clip(1.35 * saturation, 0, 255), value]).astype(np.uint8)
    return cv2.cvtColor(merged, cv2.COLOR_HSV2RGB).astype(np.float32)


def outlines(pixels: Pixels) -> NDArray[np.float32]:
    """Where ink is, (H, W), from 0 to 1."""
    grey = cv2.cvtColor(cv2.bilateralFilter(pixels, 7, 25, 5), cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    narrow, wide = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.4, 2.24))
    ink = 1 / (1 + np.exp(-(wide - narrow - 0.018) * 260))
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), 0.6), np.float32)


def main() -> None:
    """Writes the pairs."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folders", nargs="+")
    asked.add_argument("-o", "--out", required=True, type=Path)
    given = asked.parse_args()
    for folder in given.folders:
        paths = scan(folder)
        for path in paths:
            picture = image.read(path).compose_on_white()
            scale = SHORTER / min(picture.pixels.shape[:2])
            photo = image.resize(picture, longest=round(max(picture.pixels.shape[:2]) * scale)).pixels
            pair = image.from_any(np.concatenate([photo, flat(photo)], axis=1))
            image.write(given.out / Path(folder).name / f"{path.stem}.png", pair, overwrite=True)
        print(f"{given.out / Path(folder).name}: {len(paths)} pairs")


if __name__ == "__main__":
    main()
