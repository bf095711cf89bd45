"""A teacher of face and hair: it learns from few labelled photographs, and labels others for the bundled parser.

    python tools/parsing_teacher.py learn SET FILE [--hold-out 0.2] [--seed 1] [--steps 1200]
    python tools/parsing_teacher.py measure FILE [FILE ...] --set SET
    python tools/parsing_teacher.py label FILE [FILE ...] --pictures FOLDER [FOLDER ...] --set SET [--taken SET ...]

A U-Net whose first half is a VGG-19 of a quarter of the width (Wang et al., CVPR 2020, arXiv:2003.08436), learned on
ImageNet; beside the colours it sees what the Skin-Clothes-Hair segmentation of Kazuhito00 says of two views. Both lie
with SFUMATO_DATA under weights/, both under the MIT licence. Several files vote together. Labels that they are not
sure of are 255, unknown.

Shapes: B batch, C channels, H W pixels, S side of what is seen.
"""

import argparse
import logging
import math
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from sfumato import image
from sfumato.data.folders import scan
from sfumato.parts import PARTS

log = logging.getLogger("parsing_teacher")

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SFUMATO_DATA") or ROOT.parent / "shared" / "data")
VGG = "weights/vgg19_16x_collab_distill/5SE.pth"
HINTS = "weights/skin_clothes_hair/pan_mnv3small_bg_skin_clothes_hair.onnx"
SIDE, VIEWS, VIEW_SIDE = 256, (0.25, 0.5), 512
"""Side of what is seen; how far its views for the hints reach beyond each edge, in sides; those views' side."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PLACES = (0, PARTS.index("hair"), PARTS.index("face"))
"""Numbers in masks: the rest, hair, face."""
UNKNOWN, SURE = 255, 0.85
CRUMB = 0.05
"""Pieces of hair or face that are smaller than this share of the largest are doubted."""
DEPTHS = ((2, 16), (2, 32), (4, 64), (4, 128), (1, 128))
"""Layers of each size of VGG, and their channels."""
CROP, BATCH = 192, 8

Mask = NDArray[np.uint8]
Pixels = NDArray[np.uint8]


class Teacher(nn.Module):
    """Colours and hints (B, 3 + C, H, W) -> logits (B, 3, H, W) of the rest, hair and face; sides divide by 16."""

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(3, 3, 1)
        channels = 3
        for level, (count, width) in enumerate(DEPTHS, 1):
            for k in range(1, count + 1):
                self.add_module(f"conv{level}{k}", nn.Conv2d(channels, width, 3, padding=1))
                channels = width
        hints = 3 * len(VIEWS)
        self.up = nn.ModuleList()
        for _, width in reversed(DEPTHS[1:-1]):
            self.up.append(nn.Sequential(*block(channels + width + hints, 2 * width), *block(2 * width, 2 * width)))
            channels = 2 * width
        self.last = nn.Conv2d(channels, len(PLACES), 1)

    def forward(self, seen: Tensor) -> Tensor:
        x, hints = self.conv0(seen[:, :3]), seen[:, 3:]
        kept = []
        for level, (count, _) in enumerate(DEPTHS, 1):
            x = F.max_pool2d(x, 2) if level > 1 else x
            for k in range(1, count + 1):
                x = F.relu(self.get_submodule(f"conv{level}{k}")(x))
            kept.append(x)
        hints = F.avg_pool2d(hints.to(x.dtype), 2)
        for up, skip in zip(self.up, reversed(kept[1:-1]), strict=True):
            size = skip.shape[2:]
            x = up(torch.cat((F.interpolate(x, size), skip, F.adaptive_avg_pool2d(hints, size)), 1))
        return F.interpolate(self.last(x), seen.shape[2:], mode="bilinear")


def block(before: int, after: int) -> Sequence[nn.Module]:
    return nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()


def fresh() -> Teacher:
    """A teacher whose first half is VGG's."""
    state = torch.load(DATA / VGG, map_location="cpu", weights_only=True)["model"]
    teacher = Teacher()
    own = teacher.state_dict()
    teacher.load_state_dict(own | {key: value for key, value in state.items() if key in own})
    return teacher


class Hints:
    """What another segmentation says of a picture."""

    def __init__(self) -> None:
        self.net = cv2.dnn.readNetFromONNX(str(DATA / HINTS), cv2.dnn.ENGINE_CLASSIC)

    def __call__(self, pixels: Pixels) -> NDArray[np.float32]:
        """Shares (C, H, W) of skin, clothes and hair in each view of a picture (H, W, 3)."""
        height, width = pixels.shape[:2]
        found = []
        for reach in VIEWS:
            more = round(reach * max(height, width))
            view = cv2.copyMakeBorder(pixels, more, more, more, more, cv2.BORDER_REFLECT)
            values = (cv2.resize(view, (VIEW_SIDE, VIEW_SIDE)).astype(np.float32) / 255 - MEAN) / STD
            self.net.setInput(np.ascontiguousarray(values.transpose(2, 0, 1)[None].astype(np.float32)))
            for share in self.net.forward()[0]:
                whole = cv2.resize(share, (view.shape[1], view.shape[0]))
                found.append(whole[more : more + height, more : more + width])
        return np.stack(found).astype(np.float32)


def seen(path: Path, hints: Hints) -> Tensor:
    """What a teacher sees of a picture, (3 + C, S, S), the picture brought to a square."""
    pixels = np.asarray(image.plain(image.read(path)).compose_on_white().pixels, np.uint8)
    square = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    colors = torch.from_numpy(square).permute(2, 0, 1) / 255
    return torch.cat((colors, torch.from_numpy(hints(square))))


def places(path: Path) -> Tensor:
    """The mask (S, S) of a picture as places of PLACES; 255 is unknown."""
    mask = cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    table = np.full(256, UNKNOWN, np.uint8)
    table[list(PLACES)] = range(len(PLACES))
    return torch.from_numpy(table[mask]).long()


def varied(pictures: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures (B, C, S, S) and masks (B, S, S), turned, enlarged, mirrored and cut out, the pictures in other colours.

    Returns:
        (B, C, CROP, CROP) and (B, CROP, CROP).
    """
    count = len(pictures)
    angle = (torch.rand(count) - 0.5) * math.radians(50)
    side = 0.75 * torch.exp((torch.rand(count) - 0.5) * 1.1)
    flip = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = side * angle.cos() * flip, -side * angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = side * angle.sin() * flip, side * angle.cos()
    matrix[:, :, 2] = (torch.rand(count, 2) - 0.5) * 0.7
    grid = F.affine_grid(matrix, [count, 1, CROP, CROP], align_corners=False)
    inside = F.grid_sample(torch.ones(count, 1, SIDE, SIDE), grid, mode="nearest", align_corners=False)[:, 0] > 0
    moved = F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
    labels = F.grid_sample(masks[:, None].float(), grid, mode="nearest", align_corners=False)[:, 0].long()
    return recolored(moved), torch.where(inside, labels, UNKNOWN)


def recolored(pictures: Tensor) -> Tensor:
    """Pictures (B, C, H, W) in other light; sometimes grey, sometimes without a hint."""

    def some() -> Tensor:
        return torch.rand(len(pictures), 1, 1, 1)

    colors, hints = pictures[:, :3], pictures[:, 3:]
    grey = colors.mean(1, keepdim=True)
    colors = grey + (colors - grey) * torch.where(some() < 0.1, 0.0, 0.5 + some())
    mean = colors.mean((1, 2, 3), keepdim=True)
    colors = (mean + (colors - mean) * (0.6 + 0.8 * some())) * (0.6 + 0.8 * some())
    colors = (colors + 0.03 * torch.randn_like(colors) * some()).clamp(0, 1)
    hints = hints * (torch.rand(len(hints), hints.shape[1], 1, 1) > 0.15)
    return torch.cat((colors, hints), 1)


def learn(root: Path, file: Path, *, hold_out: float, seed: int, steps: int) -> None:
    """Learns from a set of images/ and masks/, and writes the file."""
    torch.manual_seed(seed)
    paths = scan(str(root / "images"))
    pictures, masks = read(root)
    order = torch.randperm(len(paths)).tolist()
    held = order[: round(hold_out * len(order))]
    used = order[len(held) :]
    teacher = fresh().to(memory_format=torch.channels_last)
    first = [p for name, p in teacher.named_parameters() if name.startswith("conv")]
    rest = [p for name, p in teacher.named_parameters() if not name.startswith("conv")]
    optimizer = torch.optim.AdamW([{"params": first, "lr": 2e-4}, {"params": rest, "lr": 2e-3}], weight_decay=0.01)
    rates = [group["lr"] for group in optimizer.param_groups]
    for step in range(steps):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, step / 50) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        chosen = [used[int(k)] for k in torch.randint(len(used), (BATCH,))]
        x, labels = varied(pictures[chosen], masks[chosen])
        with torch.autocast("cpu", torch.bfloat16):
            logits = teacher(x.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits.float(), labels, ignore_index=UNKNOWN)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            log.info("step %d of %d: loss %.3f", step, steps, loss.item())
        if held and step % 300 == 299:
            report([teacher], pictures[held], masks[held])
            teacher.train()
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(teacher.state_dict(), file)


def read(root: Path) -> tuple[Tensor, Tensor]:
    """What a set of images/ and masks/ holds, (N, 3 + C, S, S) and (N, S, S)."""
    hints, paths = Hints(), scan(str(root / "images"))
    masks = [places(root / "masks" / f"{path.stem}.png") for path in paths]
    return torch.stack([seen(path, hints) for path in paths]), torch.stack(masks)


def report(teachers: Sequence[Teacher], pictures: Tensor, masks: Tensor) -> None:
    """Says the IoU of hair and face in pictures that were kept from learning."""
    found, known = shares(teachers, pictures).argmax(1), masks != UNKNOWN
    for number, name in ((1, "hair"), (2, "face")):
        a, b = (found == number) & known, (masks == number) & known
        log.info("held out, %d: IoU of %s %.3f", len(masks), name, float((a & b).sum() / (a | b).sum()))


def opened(files: Sequence[Path]) -> list[Teacher]:
    """The teachers of files."""
    teachers = [Teacher() for _ in files]
    for teacher, file in zip(teachers, files, strict=True):
        teacher.load_state_dict(torch.load(file, weights_only=True))
    return teachers


@torch.no_grad()
def shares(teachers: Iterable[Teacher], pictures: Tensor) -> Tensor:
    """Probabilities (B, 3, S, S) of pictures (B, C, S, S), and of them mirrored, of all teachers together."""
    votes = []
    for teacher in teachers:
        teacher.eval()
        parts = [teacher(x).softmax(1) + teacher(x.flip(3)).softmax(1).flip(3) for x in pictures.split(8)]
        votes.append(torch.cat(parts) / 2)
    return torch.stack(votes).mean(0)


def label(files: Sequence[Path], folders: Sequence[Path], root: Path, taken: Sequence[Path]) -> None:
    """Writes a set of the folders' pictures that no set of `taken` has, by their names."""
    teachers, hints = opened(files), Hints()
    known = {path.name for one in taken for path in scan(str(one / "images"))}
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True, exist_ok=True)
    for folder in folders:
        for path in scan(str(folder)):
            if path.name in known:
                continue
            name = f"{folder.name}-{path.stem}"
            shutil.copyfile(path, root / "images" / f"{name}{path.suffix}")
            height, width = cv2.imread(str(path)).shape[:2]
            found = shares(teachers, seen(path, hints)[None])
            whole = F.interpolate(found, (height, width), mode="bilinear")[0].numpy()
            mask = np.array(PLACES, np.uint8)[whole.argmax(0)]
            mask[whole.max(0) < SURE] = UNKNOWN
            cv2.imwrite(str(root / "masks" / f"{name}.png"), without_crumbs(mask))
    names = "".join(f'{number} = "{PARTS[number] if number else "rest"}"\n' for number in PLACES)
    (root / "parts.toml").write_text(f'[labels]\n{names}{UNKNOWN} = "unknown"\n', encoding="utf-8")


def without_crumbs(mask: Mask) -> Mask:
    """A mask (H, W) whose small pieces are unknown, since most are of something else that looks alike."""
    kept = mask.copy()
    for part in PLACES[1:]:
        _, pieces, boxes, _ = cv2.connectedComponentsWithStats((mask == part).astype(np.uint8))
        areas = boxes[1:, cv2.CC_STAT_AREA]
        for number in np.flatnonzero(areas < CRUMB * areas.max(initial=0)) + 1:
            kept[pieces == number] = UNKNOWN
    return kept


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    way = ways.add_parser("learn")
    way.add_argument("set", type=Path)
    way.add_argument("file", type=Path)
    way.add_argument("--hold-out", type=float, default=0.0)
    way.add_argument("--seed", type=int, default=1)
    way.add_argument("--steps", type=int, default=1200)
    for name in ("measure", "label"):
        way = ways.add_parser(name)
        way.add_argument("files", type=Path, nargs="+")
        way.add_argument("--set", type=Path, required=True)
    way.add_argument("--pictures", type=Path, nargs="+", required=True)
    way.add_argument("--taken", type=Path, nargs="*", default=())
    given = parser.parse_args()
    if given.way == "learn":
        learn(given.set, given.file, hold_out=given.hold_out, seed=given.seed, steps=given.steps)
    elif given.way == "measure":
        report(opened(given.files), *read(given.set))
    else:
        label(given.files, given.pictures, given.set, given.taken)


if __name__ == "__main__":
    main()
