"""How near the compact VGG-19 comes to the true one: R2 of features on photographs never trained on.

    python benchmarks/compact_vgg.py [--ours vgg/compact]

Against the normalised VGG-19 at relu1_1 to relu3_1 (the deeper layers were never compared with the true network, for
want of its weights), side by side with the public small VGG-19 (5SE) that it started from; and against that one at
relu4_1 and relu5_1. R2 = 1 - mean squared error / variance about the channel means, over all pictures.
"""

import argparse
from pathlib import Path

import report
import torch
from torch import Tensor

from sfumato import image, zoo
from sfumato.nets.perceptual import read_network
from sfumato.nets.vgg import HEADS

Sums = dict[str, list[float]]


def held_out(data: Path, longest: int) -> list[Tensor]:
    """The held-out photographs and the Kodak set, (1, 3, h, w) in [0, 1]."""
    listed = (Path(__file__).parent / "held_out.txt").read_text().split()
    paths = [data / "photos" / name for name in listed if (data / "photos" / name).exists()]
    paths += sorted((data / "photos/kodak24_unrestricted").glob("*.[jp][pn]g"))
    return [image.resize(image.read(p), longest=longest).tensor() for p in paths]


@torch.inference_mode()
def r2(
    student: torch.nn.Module, teacher: torch.nn.Module, pictures: list[Tensor], layers: list[str]
) -> dict[str, float]:
    """R2 by layer, of the student's features against the teacher's."""
    error, power, total, count = ({k: torch.zeros((), dtype=torch.float64) for k in layers} for _ in range(4))
    total = {k: torch.zeros(HEADS[k], dtype=torch.float64) for k in layers}
    for picture in pictures:
        ours, theirs = student(picture, layers), teacher(picture, layers)
        for k in layers:
            target = theirs[k].double()[:, :, : ours[k].shape[2], : ours[k].shape[3]]
            error[k] += (ours[k][:, :, : target.shape[2], : target.shape[3]] - target).square().sum()
            power[k] += target.square().sum()
            total[k] += target.sum((0, 2, 3))
            count[k] += target[0, 0].numel()
    return {k: float(1 - error[k] / (power[k] - (total[k].square() / count[k]).sum())) for k in layers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", default="vgg/compact")
    parser.add_argument("--longest", type=int, default=384, help="longer side of the pictures in pixels")
    parser.add_argument("--data", type=Path, default=report.data_folder())
    args = parser.parse_args()
    pictures = held_out(args.data, args.longest)
    ours = zoo.load(args.ours)
    true = read_network(str(args.data / "weights/vgg19_wct/vgg_normalised_conv3_1.pth"))
    small = read_network(str(args.data / "weights/vgg19_16x_collab_distill/5SE.pth"))
    known, deep = ["relu1_1", "relu2_1", "relu3_1"], ["relu4_1", "relu5_1"]
    mine, its, both = r2(ours, true, pictures, known), r2(small, true, pictures, known), r2(ours, small, pictures, deep)
    rows = [{"layer": k, "compact": mine[k], "public small": its[k]} for k in known]
    title = f"R2 against the true VGG-19, {len(pictures)} photographs of {args.longest} px"
    report.show(
        "compact_vgg",
        {title: rows, "R2 against the public small VGG-19": [{"layer": k, "compact": both[k]} for k in deep]},
    )


if __name__ == "__main__":
    main()
