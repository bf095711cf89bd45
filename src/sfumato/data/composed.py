"""Augmentations of Albumentations, for those who have some (https://albumentations.ai; no part of the project).

A `Compose` is made with `keypoint_params=A.KeypointParams(format="xy", remove_invisible=False)`, and with `fill=255`
wherever something comes in from beyond the border, which would be black else.
"""

import importlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import RecipeError

MIRRORS = frozenset(["HorizontalFlip", "VerticalFlip", "Flip", "Transpose", "D4", "SquareSymmetry"])
"""Classes that mirror without telling which keypoints are left and right then."""


class Compose(Protocol):
    """What is used of an Albumentations Compose."""

    def __call__(self, *, image: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> dict[str, Any]:
        """The changed picture and its keypoints under the same names."""
        ...

    def set_random_seed(self, seed: int) -> None:
        """From now on its random numbers are those of that seed."""
        ...


def read_compose(path: str | Path) -> Compose:
    """The Compose of a file that `albumentations.save(compose, path)` wrote.

    Raises:
        RecipeError: Albumentations is not installed, or the file cannot be read.
    """
    try:
        albumentations = importlib.import_module("albumentations")  # no dependency: who has such a file has it
    except ImportError as error:
        raise RecipeError(f"data.compose: {path} needs Albumentations: pip install albumentations") from error
    try:
        compose: Compose = albumentations.load(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecipeError(f"data.compose: {path} is no file of albumentations.save ({error})") from error
    return checked(compose)


def checked(compose: Compose) -> Compose:
    """The same, if it can serve.

    Raises:
        RecipeError: it mirrors, which the data set does itself with left and right exchanged.
    """
    if found := sorted(MIRRORS & set(_names(compose))):
        raise RecipeError(f"data.compose: {found[0]} does not exchange left and right; take it out, data.flip mirrors")
    return compose


def composed(
    compose: Compose, pixels: NDArray[np.uint8], joints: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A picture (H, W, 3) and its joints (K, 2) after all that, a function of the seed.

    Raises:
        RecipeError: the picture has another size then, or joints are missing.
    """
    compose.set_random_seed(seed)
    found = compose(image=pixels, keypoints=joints.astype(np.float32))
    image, places = np.asarray(found["image"]), np.asarray(found["keypoints"], np.float64)
    if image.shape != pixels.shape or image.dtype != np.uint8:
        raise RecipeError(f"data.compose: makes {image.dtype} {image.shape} of uint8 {pixels.shape}; sizes must stay")
    if places.shape != joints.shape:
        raise RecipeError(
            f"data.compose: {len(places)} of {len(joints)} keypoints come back; KeypointParams(format='xy',"
            " remove_invisible=False) keeps all"
        )
    return image, places


def _names(compose: Any) -> list[str]:
    """The classes of all transforms in it."""
    inside = getattr(compose, "transforms", ())
    return [type(compose).__name__, *(name for step in inside for name in _names(step))]
