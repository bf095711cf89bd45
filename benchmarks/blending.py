"""How well a drawing is put into its photograph: strands of hair before a background, and skin that goes on at the jaw.

    python benchmarks/blending.py [--data FOLDER] [--drawn PNG]

Hair: a head with 420 strands whose alpha is known before three backgrounds, drawn by a filter that evens and tints. The
ideal draws head and background apart. Masks are those of a parser that sees 128 x 128 cells, with errors along the
border of two sizes.

    dB       PSNR against the ideal in a band along the border, mean of the backgrounds
    alpha    mean error of alpha there
    inside   mean change of the drawing deep inside, of 255

Jaw: the mask ends where a face meets its neck, and the drawing has another tone.

    jump     mean difference of colours just inside and just outside of the border, of 255; the photograph has one, too
    outside  mean change of the photograph outside of the mask, within 120 pixels
"""

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import report
from numpy.typing import NDArray

from sfumato import image
from sfumato.collage import Options, blend

SIDE = 768
STRANDS = 420
CELLS = 128
NOISES = (0.6, 2.0)
BACKGROUNDS = {
    "coffee": "photos/cc0_pd/skimage_800.jpg",
    "wood": "textures/misc_permissive/0016.jpg",
    "water": "textures/misc_permissive/0000.jpg",
}
MIDDLE, RADII = (384, 390), (190, 235)
TIMES = 2
"""Strands are drawn so many times larger and shrunk."""

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Method = Callable[[Pixels, Pixels, "Seen"], tuple[Floats, Floats | None]]
"""From photograph, drawing and mask to a picture (H, W, 3) in 0 to 255 and its alpha (H, W), if it has one."""


class Seen(NamedTuple):
    """What a parser makes of a head."""

    sure: Floats
    """(H, W), in [0, 1]."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W)."""
        return self.sure > 0.5


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=report.data_folder(), help="the folder of real pictures")
    parser.add_argument("--drawn", type=Path, help="picture of some results, to look at")
    given = parser.parse_args()
    hair, shown = hair_rows(given.data)
    jaw, more = jaw_rows()
    report.show("blending", {"hair": hair, "jaw": jaw, "time of a blend": [time_row(*size) for size in SIZES]})
    if given.drawn:
        page = image.contact_sheet([*shown.values(), *more.values()], columns=6, labels=[*shown, *more], side=300)
        image.write(given.drawn, image.from_any(page), overwrite=True)


# Hair


def head(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """A head's colours everywhere (H, W, 3) in [0, 1], and its alpha (H, W)."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    angle = np.arctan2(y - MIDDLE[1], x - MIDDLE[0])
    streaks = cv2.GaussianBlur(rng.normal(size=(64, 2048)).astype(np.float32), (0, 0), sigmaX=1.5, sigmaY=9)
    far = np.hypot(x - MIDDLE[0], y - MIDDLE[1])
    at = (angle / (2 * np.pi) + 0.5) * 2047
    light = cv2.remap(streaks / streaks.std(), at.astype(np.float32), far / 12, cv2.INTER_LINEAR)[..., None]
    colors = np.array([0.36, 0.22, 0.13]) * (1 + 0.28 * light)
    face = ((x - MIDDLE[0]) / 120) ** 2 + ((y - MIDDLE[1] - 30) / 165) ** 2
    share = (1 / (1 + np.exp((12 * (face - 1)).clip(-30, 30))))[..., None]
    skin = np.array([0.82, 0.62, 0.52]) * (1 - 0.15 * face.clip(0, 1)[..., None])
    grain = 0.012 * rng.normal(size=colors.shape)
    colors = (colors * (1 - share) + skin * share + grain).clip(0, 1)
    return colors.astype(np.float32), strands(rng)


def strands(rng: np.random.Generator) -> Floats:
    """The alpha (H, W) of an ellipse with hair that stands out."""
    large = np.zeros((SIDE * TIMES, SIDE * TIMES), np.uint8)
    middle, radii = (MIDDLE[0] * TIMES, MIDDLE[1] * TIMES), (RADII[0] * TIMES, RADII[1] * TIMES)
    cv2.ellipse(large, middle, radii, 0, 0, 360, 255, -1, cv2.LINE_AA)
    for _ in range(STRANDS):
        around = rng.uniform(0.85 * np.pi, 2.15 * np.pi)  # over the head and down its sides
        way = around + rng.normal(0, 0.35)
        place = np.array([np.cos(around) * radii[0], np.sin(around) * radii[1]]) * 0.97 + middle
        length, bend = rng.uniform(20, 110) * TIMES, rng.normal(0, 0.02)
        points = [place]
        for _ in range(16):
            points.append(points[-1] + np.array([np.cos(way), np.sin(way)]) * length / 16)
            way += bend * 4
        thick = 1 if rng.random() < 0.6 else 2
        dark = int(rng.uniform(140, 255))
        over = np.zeros_like(large)
        cv2.polylines(over, [np.rint(np.array(points) * 8).astype(np.int32)], False, dark, thick, cv2.LINE_AA, 3)
        np.maximum(large, over, out=large)
    small = cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / 255


def parsed(alpha: Floats, noise: float, rng: np.random.Generator) -> Seen:
    """What a parser of 128 x 128 cells sees, wrong along the border by so much noise in its logits."""
    cells = cv2.resize(alpha, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    cells = cv2.GaussianBlur(cells, (0, 0), 1.0).clip(0.02, 0.98)
    errors = cv2.GaussianBlur(rng.normal(size=cells.shape).astype(np.float32), (0, 0), 1.5)
    logits = np.log(cells / (1 - cells)) + noise * errors / errors.std()
    large = cv2.resize(logits.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return Seen(np.asarray(1 / (1 + np.exp(-large)), np.float32))


def redrawn(pixels: Floats) -> Floats:
    """A picture (H, W, 3) in [0, 1] as a filter draws it: evened, of few tones, tinted."""
    flat = np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)
    for _ in range(2):
        flat = np.asarray(cv2.bilateralFilter(flat, 9, 40, 7), np.uint8)
    tones = np.rint(flat / 255 * 7) / 7
    return np.asarray((tones * [1.12, 1.0, 0.86] + [0.05, 0.02, 0.08]).clip(0, 1), np.float32)


def hair_rows(data: Path) -> tuple[list[report.Row], dict[str, Pixels]]:
    """A row for each method, and pictures of the first background."""
    rng = np.random.default_rng(0)
    colors, alpha = head(rng)
    drawn_head = redrawn(colors)
    near, inside = borders(alpha)
    found: dict[str, dict[str, list[float]]] = {}
    shown: dict[str, Pixels] = {}
    for name, file in BACKGROUNDS.items():
        ground = image.resize(image.read(data / file), size=(SIDE, SIDE)).pixels.astype(np.float32) / 255
        photo = bytes_of((alpha[..., None] * colors + (1 - alpha[..., None]) * ground) * 255)
        drawing = bytes_of(redrawn(photo.astype(np.float32) / 255) * 255)
        ideal = (alpha[..., None] * drawn_head + (1 - alpha[..., None]) * ground) * 255
        for noise in NOISES:
            seen = parsed(alpha, noise, np.random.default_rng(round(noise * 10)))
            for title, method in methods(alpha).items():
                made, matte = method(photo, drawing, seen)
                kept = found.setdefault(title, {})
                kept.setdefault(f"dB, noise {noise}", []).append(psnr(made[near], ideal[near]))
                if matte is not None:
                    kept.setdefault(f"alpha, {noise}", []).append(float(np.abs(matte - alpha)[near].mean()))
                kept.setdefault("inside", []).append(float(np.abs(made - drawing)[inside].mean()))
                if noise == max(NOISES) and title in SHOWN:
                    shown[f"{title}, {name}"] = bytes_of(made)
            shown.setdefault(f"photo, {name}", photo)
    heads = [f"{kind} {noise}" for kind in ("dB, noise", "alpha,") for noise in NOISES] + ["inside"]
    return [
        {"method": title} | {h: float(np.mean(kept[h])) if h in kept else "" for h in heads}
        for title, kept in found.items()
    ], shown


def borders(alpha: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The band along the border in which pictures are compared, and what is deep inside (H, W)."""
    some, whole = ((alpha > a).astype(np.uint8) for a in (0.02, 0.98))
    wide = cv2.dilate(some, disc(12)) > 0
    return wide & (cv2.erode(whole, disc(24)) == 0), cv2.erode(whole, disc(60)) > 0


# Methods


def methods(alpha: Floats) -> dict[str, Method]:
    """What is compared; ours are the last."""

    def by(matte: Callable[[Pixels, Seen], Floats]) -> Method:
        def made(photo: Pixels, drawn: Pixels, seen: Seen) -> tuple[Floats, Floats]:
            share = matte(photo, seen)
            return mixed(photo, drawn, share), share

        return made

    def ours(way: str) -> Method:
        def made(photo: Pixels, drawn: Pixels, seen: Seen) -> tuple[Floats, Floats | None]:
            result = blend(photo, drawn, seen.mask, Options.of(blend=way))
            return result.pixels.astype(np.float32), result.alpha.astype(np.float32) / 255

        return made

    plain: dict[str, Method] = {
        "hard paste": by(lambda _, seen: seen.mask.astype(np.float32)),
        "soft probabilities": by(lambda _, seen: seen.sure),
        "feather, 3 px": by(lambda _, seen: feathered(seen, 3)),
        "feather, 9 px": by(lambda _, seen: feathered(seen, 9)),
        "guided, 32 px": by(lambda photo, seen: guided(photo, seen.mask.astype(np.float32), 32, 1e-4)),
        "guided in a band": by(in_a_band),
        "Poisson": poisson,
        "true alpha, drawing of the whole": by(lambda _, __: alpha),
    }
    return plain | {f"ours, {way}": ours(way) for way in ("hard", "feather", "laplacian", "guided")}


SHOWN = ("hard paste", "guided in a band", "ours, laplacian", "ours, guided")


def mixed(photo: Pixels, drawn: Pixels, share: Floats) -> Floats:
    return photo + share[..., None] * (drawn.astype(np.float32) - photo)


def feathered(seen: Seen, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(seen.mask.astype(np.float32), (0, 0), sigma), np.float32)


def in_a_band(photo: Pixels, seen: Seen) -> Floats:
    """The guided filter within a band that is given in pixels, stretched."""
    mask = seen.mask.astype(np.uint8)
    found = ((guided(photo, mask.astype(np.float32), 32, 1e-4) - 0.5) * 1.6 + 0.5).clip(0, 1)
    found[cv2.erode(mask, disc(14)) > 0] = 1
    found[cv2.dilate(mask, disc(40)) == 0] = 0
    return found


def guided(photo: Pixels, target: Floats, radius: int, epsilon: float) -> Floats:
    """The guided filter with a guide in colour (He, Sun & Tang, TPAMI 2013), at full size."""
    guide, size = photo.astype(np.float32) / 255, (2 * radius + 1, 2 * radius + 1)
    mean = cv2.blur(guide, size)
    spread = np.empty((*target.shape, 3, 3), np.float32)
    for i in range(3):
        for j in range(3):
            spread[..., i, j] = cv2.blur(guide[..., i] * guide[..., j], size) - mean[..., i] * mean[..., j]
    target_mean = cv2.blur(target, size)
    shared = cv2.blur(guide * target[..., None], size) - mean * target_mean[..., None]
    slope = np.linalg.solve(spread + epsilon * np.eye(3, dtype=np.float32), shared[..., None])[..., 0]
    offset = target_mean - (slope * mean).sum(-1)
    return np.asarray(((cv2.blur(slope, size) * guide).sum(-1) + cv2.blur(offset, size)).clip(0, 1), np.float32)


def poisson(photo: Pixels, drawn: Pixels, seen: Seen) -> tuple[Floats, None]:
    """OpenCV's seamlessClone, which keeps gradients and no colours."""
    mask = seen.mask.astype(np.uint8) * 255
    x, y, width, height = cv2.boundingRect(mask)
    middle = (x + width // 2, y + height // 2)
    return np.asarray(cv2.seamlessClone(drawn, photo, mask, middle, cv2.NORMAL_CLONE), np.float32), None


# Jaw


def neck() -> tuple[Pixels, Pixels, NDArray[np.bool_], NDArray[np.bool_]]:
    """A face on a neck, its drawing in another tone, the face's mask, and where the border is the jaw (H, W)."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    away = ((x - MIDDLE[0]) / RADII[0]) ** 2 + ((y - 300) / 260) ** 2
    face = away < 1
    on_neck = (np.abs(x - MIDDLE[0]) < 120 + 0.0012 * (y - 500).clip(0) ** 2) & (y > 300)
    grain = cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE)).astype(np.float32), (0, 0), 1.2)
    light = 1 - 0.0004 * np.abs(x - 300) - 0.06 * away.clip(0, 1) + 0.015 * grain / grain.std()
    under = np.exp(-(((np.sqrt(away) - 1) * 260 - 12).clip(0)) / 60) * (~face)
    light -= 0.2 * cv2.GaussianBlur(under.astype(np.float32), (0, 0), 3)  # the shadow below the jaw
    skin = np.array([0.80, 0.60, 0.49]) * light[..., None]
    ground = np.array([0.30, 0.36, 0.42]) + 0.02 * grain[..., None]
    photo = bytes_of(np.where((face | on_neck)[..., None], skin, ground) * 255)
    tones = redrawn(photo.astype(np.float32) / 255)
    drawn = bytes_of((tones * [1.0, 1.02, 1.2] + [0.10, 0.10, 0.17]) * 255)
    jaw = on_neck & (y > 480) & (np.abs(x - MIDDLE[0]) < 100)
    return photo, drawn, face, jaw


def jaw_rows() -> tuple[list[report.Row], dict[str, Pixels]]:
    """A row for each method, and pictures."""
    photo, drawing, face, jaw = neck()
    rows: list[report.Row] = [{"method": "the photograph itself", "jump": jump(photo, face, jaw)}]
    deep = cv2.erode(face.astype(np.uint8), disc(120)) > 0
    around = (cv2.dilate(face.astype(np.uint8), disc(120)) > 0) & ~face
    shown = {"jaw, photo": photo, "jaw, drawing": drawing}
    for title, method in (methods(face.astype(np.float32)) | {"feather, 20 px": wide_feather}).items():
        if title.startswith(("true", "soft")):
            continue
        made, _ = method(photo, drawing, Seen(face.astype(np.float32)))
        row = {"method": title, "jump": jump(made, face, jaw), "times": 0.0}
        row["inside"] = float(np.abs(made - drawing)[deep].mean())
        row["outside"] = float(np.abs(made - photo)[around].mean())
        rows.append(row)
        shown[f"jaw, {title}"] = bytes_of(made)
    for row in rows:
        row["times"] = row["jump"] / rows[0]["jump"]
        row.setdefault("inside", ""), row.setdefault("outside", "")
    return rows, shown


def wide_feather(photo: Pixels, drawn: Pixels, seen: Seen) -> tuple[Floats, None]:
    return mixed(photo, drawn, feathered(seen, 20)), None


def jump(picture: NDArray[np.generic], face: NDArray[np.bool_], jaw: NDArray[np.bool_]) -> float:
    """The mean difference of the colours within 3 pixels on both sides of the border, along the jaw."""
    values = picture.astype(np.float32)
    within = face & (cv2.erode(face.astype(np.uint8), disc(3)) == 0)
    without = (cv2.dilate(face.astype(np.uint8), disc(3)) > 0) & ~face
    near = cv2.dilate(within.astype(np.uint8), disc(1)) > 0
    sides = [local_mean(values, side) for side in (within, without)]
    border = within & near & jaw & (cv2.dilate(without.astype(np.uint8), disc(1)) > 0)
    return float(np.abs(sides[0] - sides[1])[border].mean())


def local_mean(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """The mean colour (H, W, 3) within 9 pixels of what is at such places."""
    inside = where.astype(np.float32)
    count = cv2.blur(inside, (9, 9))
    return np.asarray(cv2.blur(values * inside[..., None], (9, 9)) / count.clip(1e-6)[..., None], np.float32)


# Time

SIZES = ((1536, 1536), (3000, 4000))


def time_row(height: int, width: int) -> report.Row:
    """Seconds that a blend takes in a photograph of that size, the best of three; half of its height is the head."""
    photo = np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)
    drawn = np.asarray(cv2.GaussianBlur(photo, (0, 0), 3), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    middle = (width // 2, height // 2)
    cv2.ellipse(mask, middle, (round(height * 0.2), round(height * 0.25)), 0, 0, 360, 1, -1)
    row: report.Row = {"megapixels": height * width / 1e6}
    for way in ("hard", "feather", "laplacian", "guided"):
        taken = []
        for _ in range(3):
            start = time.perf_counter()
            blend(photo, drawn, mask > 0, Options.of(blend=way))
            taken.append(time.perf_counter() - start)
        row[f"{way}, s"] = min(taken)
    return row


# Arithmetic


def psnr(made: Floats, ideal: Floats) -> float:
    return 10 * math.log10(255**2 / float(np.square(made - ideal).mean()))


def disc(radius: int) -> Pixels:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def bytes_of(values: NDArray[np.floating]) -> Pixels:
    return np.rint(values.clip(0, 255)).astype(np.uint8)


if __name__ == "__main__":
    main()
