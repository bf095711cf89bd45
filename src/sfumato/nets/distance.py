"""Sketches as networks see them: how far each place is from the nearest line; and whether a picture is a sketch.

Shapes: B batch, H W pixels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

DARK = 250 / 255
"""Values of a sketch on white paper below are lines, those above paper; as `data.strokes`, which needs no torch."""
CELLS = 32
"""Along each side, in which paper is looked for: a line is narrower than a cell."""
CLOSED = 9
"""Cells along a side of what may be dark all over and is no paper."""
LEAST_LIGHT = 0.55
"""Paper has at least this share of the lightest place's light: what is darker is drawn."""
GRAIN = 0.06
"""Marks on paper that is not white are lines from this share of its light on; fainter ones are its grain."""
LEAST_PAPER = 0.5
"""Of a sketch at least this share is white paper,"""
MOST_GREY = 0.3
"""and at most this share is neither dark nor light."""


def distance_field(sketches: Tensor) -> Tensor:
    """Distances from lines (B, 1, H, W), 1 at the farthest place of each sketch (B, C, H, W) in [0, 1]; blank: all 1.

    The exact Euclidean distance (Felzenszwalb & Huttenlocher, 2012), first within rows, then within columns, by brute
    force: sketches for networks are small.
    """
    paper = sketches.float().mean(1) >= DARK  # (B, H, W)
    height, width = paper.shape[1:]
    rows, columns = (_squares(side, paper.device) for side in (height, width))
    never = float(height**2 + width**2)
    found = []
    for one in paper:
        along = (columns + one[:, None, :] * never).amin(2)  # (H, W, W) -> (H, W)
        found.append((rows[:, :, None] + along[None]).amin(1))  # (H, H, W) -> (H, W)
    far = torch.stack(found).clamp(max=never).sqrt()[:, None]
    blank = paper.flatten(1).all(1)[:, None, None, None]
    return torch.where(blank, 1.0, far / far.amax((2, 3), keepdim=True).clamp(min=1.0))


def on_white(sketches: Tensor) -> Tensor:
    """Sketches (B, C, H, W) in [0, 1] as on even white paper; those that are on it already come back as they are.

    The light of the paper, that of the lightest place in each cell, is divided out, and its grain left out.
    """
    grey = sketches.float().mean(1, keepdim=True)
    cells = F.adaptive_max_pool2d(grey, CELLS)
    spread = F.max_pool2d(cells, CLOSED, 1, CLOSED // 2)
    paper = -F.max_pool2d(-spread, CLOSED, 1, CLOSED // 2)
    paper = paper.maximum(LEAST_LIGHT * cells.amax((2, 3), keepdim=True))
    white = (paper >= DARK).flatten(1).all(1)[:, None, None, None]
    light = F.interpolate(paper, grey.shape[2:], mode="bilinear").clamp(min=1 / 255)
    even = (grey / light).clamp(max=1)
    return torch.where(white, sketches.float(), torch.where(even > 1 - GRAIN, 1.0, even))


def _squares(side: int, device: torch.device) -> Tensor:
    """(side, side), the squared distances of places in a row."""
    places = torch.arange(side, device=device, dtype=torch.float32)
    return (places[:, None] - places).square()


def oddity(picture: Tensor) -> str:
    """Why a picture (1, 3, H, W) in [0, 1] is hardly a sketch, black lines on white paper; empty if it may be one."""
    grey = on_white(picture).mean(1)
    paper, dark = float((grey >= DARK).float().mean()), float((grey < 0.25).float().mean())
    if dark > LEAST_PAPER:
        return f"{dark:.0%} of it is dark; a sketch has black lines on white paper, so invert it if its lines are white"
    if paper < LEAST_PAPER or 1 - paper - dark > MOST_GREY:
        return f"only {paper:.0%} of it is white paper; `sfumato sketch` makes a sketch of a photograph"
    return ""
