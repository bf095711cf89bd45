"""Which parts count as found, and where: labels without what a parser only guesses, their borders smooth.

One place for all who show parts or redraw them: a zone is where the tidied labels say that one of its parts is. A place
is of a bare head where face and hair together are likelier than all else, or of what is worn or of a body where that is
likelier than the ground; then it is the likeliest of these. Each piece that hangs together is judged beside the person
that it is of, and a part is found where one is left:

- It takes `LEAST` of that person's head, or else body: less is a speck. What hangs together with no face is compared
  with the largest. Of hats and sunglasses, for which grounds and dark eyes are taken, it takes `LEAST_WORN`: real ones
  are as wide as the face.
- The parser is sure of it by `SURE` on the mean, left and right taken together, of what can be there at all. Without
  soft maps it is sure of everything.
- Of what is below the waist most lies farther than `REACH` from a face: a close portrait ends above it.

Places of what is not found are judged anew without it. Gaps in a person of less than `GAP` are closed.

Shapes: H W pixels of the picture, h w of a copy, C classes.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..image import scaled
from ..parts import HEAD
from .parts import Floats, Labels, Mask, Parts, mirrored

LEAST = 0.003
"""Share of a person's head or body that a piece at least takes,"""
LEAST_WORN = 0.02
"""and where it is of what is `WORN` on the head."""
WORN = ("hat", "sunglasses")
BARE = ("face", "hair")
"""What a head is without these."""
SURE = 0.4
"""How sure the parser is of a piece, on the mean of its places."""
LOW = ("belt", "skirt", "pants", "left-shoe", "right-shoe", "left-leg", "right-leg")
"""What is below the waist,"""
REACH = 1.75
"""and so many heights of a face's box from the middle of it: who sits has it no nearer."""
GAP = 0.003
"""Share of a person from which ground that it encloses is seen through it."""
SMOOTH = 0.012
"""Deviation of the blur that smooths borders where there are no soft maps, in sizes of all parts (root of the area)."""
WORK = 512
"""Longest side of the copy on which this is done."""

Numbers = NDArray[np.int32]


def tidied(parts: Parts) -> Parts:
    """The parts that count as found, at the same size; those that are tidy already as they are."""
    if parts.tidy:
        return parts
    height, width = parts.labels.shape
    size = scaled(height, width, min(WORK, max(height, width)))
    copy, maps = parts.resized(*size), _maps(parts, size)
    copy = replace(copy, labels=maps.argmax(0).astype(np.uint8))
    _drop(maps, copy, _lacking(copy))  # first what cannot be there: without it the parser may be surer of the rest
    copy = replace(copy, labels=_decided(maps, copy.names))
    _drop(maps, copy, _lacking(copy, maps))
    copy = replace(copy, labels=_decided(maps, copy.names))
    labels = _closed(_filled(copy, _lacking(copy, maps)))
    return replace(parts, labels=grown(labels, (height, width)), tidy=True)


def grown(labels: Labels, size: tuple[int, int]) -> Labels:
    """Labels (h, w) at another height and width, with borders that are as smooth there."""
    if size == labels.shape:
        return labels
    best, highest = np.zeros(size, np.uint8), np.zeros(size, np.float32)
    for k in np.unique(labels).tolist():
        plane = _resized(labels == k, size)
        np.copyto(best, k, where=plane > highest)
        np.maximum(highest, plane, out=highest)
    return best


def _resized(plane: Floats | Mask, size: tuple[int, int]) -> Floats:
    way = cv2.INTER_AREA if size[0] < plane.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane.astype(np.float32), size[::-1], interpolation=way), np.float32)


def _maps(parts: Parts, size: tuple[int, int]) -> Floats:
    """How likely each part is at each place of a copy (C, h, w); labels alone, which may be ragged, are smoothed."""
    if parts.soft is not None:
        return np.stack([_resized(plane, size) for plane in parts.soft])
    maps = np.stack([_resized(parts.labels == k, size) for k in range(len(parts.names))])
    spread = max(SMOOTH * float(maps[1:].sum()) ** 0.5, 0.3)
    for plane in maps:
        if plane.any():
            cv2.GaussianBlur(plane, (0, 0), spread, dst=plane, borderType=cv2.BORDER_REPLICATE)
    return maps


def _bare(names: Sequence[str]) -> Mask:
    """(C,), which parts are of a bare head."""
    return np.array([name in BARE for name in names])


def _decided(maps: Floats, names: Sequence[str]) -> Labels:
    """What each place (h, w) is by the maps (C, h, w): bare head, another part, or ground."""
    heads, labels = _bare(names), np.zeros(maps.shape[1:], np.uint8)
    for group, inside in (
        (np.flatnonzero(~heads)[1:], maps[~heads][1:].sum(0) > maps[0]),
        (np.flatnonzero(heads), maps[heads].sum(0) > 0.5),
    ):
        if len(group):
            labels[inside] = group[maps[group].argmax(0)][inside]
    return labels


def _drop(maps: Floats, parts: Parts, lacking: Mask) -> None:
    """Takes what is not found out of the maps (C, h, w); eyes that were taken for glasses are face."""
    for k, name in enumerate(parts.names[1:], 1):
        here = parts.labels == k
        places = here & lacking
        taken = maps[k, places]
        maps[k, places if (here & ~lacking).any() else slice(None)] = 0
        if name == "sunglasses" and "face" in parts.names:
            face = parts.names.index("face")
            maps[face, places] += taken * (maps[:, places].argmax(0) == face)


def _lacking(parts: Parts, maps: Floats | None = None) -> Mask:
    """Where pieces of labels (h, w) are that do not count, or of which by maps (C, h, w) the parser is not sure."""
    labels, lacking = parts.labels, np.zeros(parts.labels.shape, np.bool_)
    whole, near, sides = _wholes(parts), _near(parts), mirrored(parts.names)
    for k in np.unique(labels[labels > 0]).tolist():
        name = parts.names[k]
        count, pieces = cv2.connectedComponents((labels == k).astype(np.uint8))
        areas = np.bincount(pieces.ravel(), minlength=count)
        wanted = np.zeros(count)
        wanted[pieces.ravel()] = (LEAST_WORN if name in WORN else LEAST) * whole[name in HEAD].ravel()
        bad = areas < wanted
        if maps is not None:
            sure = maps[sorted({k, sides[k]})].sum(0) / maps.sum(0).clip(1e-6)
            bad |= np.bincount(pieces.ravel(), sure.ravel(), count) < SURE * areas
        if name in LOW:
            bad |= np.bincount(pieces.ravel(), near.ravel(), count) > 0.5 * areas
        bad[0] = False
        lacking |= bad[pieces]
    return lacking


def _wholes(parts: Parts) -> dict[bool, Numbers]:
    """The areas of the head, by True, and of the body of who is at each place (h, w); of the largest if no face is."""
    count, person = cv2.connectedComponents((parts.labels > 0).astype(np.uint8), connectivity=8)
    heads, known = np.array([name in HEAD for name in parts.names])[parts.labels], np.zeros(count, np.bool_)
    for left, top, width, height in (face.box for face in parts.faces or ()):
        rows, columns = (
            slice(max(0, int(top)), math.ceil(top + height)),
            slice(max(0, int(left)), math.ceil(left + width)),
        )
        known[person[rows, columns]] = True
    wholes = {}
    for of_head in (False, True):
        areas = np.bincount(person[(heads == of_head) & (person > 0)], minlength=count)
        areas[~known] = areas.max()
        wholes[of_head] = np.asarray(areas[person], np.int32)
    return wholes


def _near(parts: Parts) -> Mask:
    """What lies within `REACH` of a face, (h, w)."""
    near = np.zeros(parts.labels.shape, np.uint8)
    for left, top, width, height in (face.box for face in parts.faces or ()):
        middle = (round(left + width / 2), round(top + height / 2))
        cv2.circle(near, middle, max(1, round(REACH * height)), 1, -1)
    return near > 0


def _filled(parts: Parts, lacking: Mask) -> Labels:
    """The labels (h, w), where some are lacking that of the nearest place of the ground or of head, or of body."""
    labels, bare = parts.labels.copy(), _bare(parts.names)
    for group in (bare, ~bare):
        here = lacking & group[parts.labels]
        known = ~lacking & (group[parts.labels] | (parts.labels == 0))
        if here.any():
            labels[here] = parts.labels[known][_nearest(known)[here]] if known.any() else 0
    return labels


def _closed(labels: Labels) -> Labels:
    """The labels (h, w) without small gaps in persons; what reaches the picture's edge is no gap."""
    known = labels > 0
    people, person = cv2.connectedComponents(known.astype(np.uint8), connectivity=8)
    ground = np.pad((~known).astype(np.uint8), 1, constant_values=1)
    count, gaps, stats, _ = cv2.connectedComponentsWithStats(ground, connectivity=4)
    if people == 1 or count == 2:
        return labels
    gaps, places, least = gaps[1:-1, 1:-1], _nearest(known), np.zeros(count)
    least[gaps.ravel()] = GAP * np.bincount(person.ravel())[person[known]][places.ravel()]
    small = stats[:, cv2.CC_STAT_AREA] < least
    small[[0, 1]] = False  # persons, and the ground that the edge belongs to
    return np.where(small[gaps], labels[known][places], labels)


def _nearest(known: Mask) -> Numbers:
    """For each place (h, w) which of those that are known, counted row by row, is the nearest."""
    unknown = (~known).astype(np.uint8)
    _, numbers = cv2.distanceTransformWithLabels(unknown, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    order = np.zeros(int(numbers.max()) + 1, np.int32)
    order[numbers[known]] = np.arange(np.count_nonzero(known))
    return np.asarray(order[numbers], np.int32)
