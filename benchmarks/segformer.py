"""SegFormer at work and in training: how much faster than Hugging Face's, and how near its logits stay.

    python benchmarks/segformer.py [--variant b0] [--side 512] [--batch 2] [--repeats 5] [--threads N]

`theirs` is `SegformerForSemanticSegmentation` of transformers with the same random weights, `ours` the Model, both in
float32. They are called in turn, times are medians. A training step is the cross entropy of logits at the pictures'
size, and Adam.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from report import Row, show
from torch import Tensor, nn
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from sfumato import device, zoo
from sfumato.methods import segformer
from sfumato.nets.segformer import SHAPES


def both(variant: str) -> tuple[nn.Module, segformer.Model]:
    """Hugging Face's network and ours, of the same random weights."""
    shape = SHAPES[variant]
    torch.manual_seed(0)
    config = SegformerConfig(
        depths=list(shape.depths), hidden_sizes=list(shape.widths), decoder_hidden_size=shape.head, num_labels=18
    )
    theirs = SegformerForSemanticSegmentation(config)
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        files = {"model": f"{folder}/model.safetensors", "config": f"{folder}/config.json"}
        ours = zoo.import_official("segformer", files)
    assert isinstance(ours, segformer.Model)
    return theirs, ours


def medians(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Seconds of each, called in turn after a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if turn:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def step(network: nn.Module, images: Tensor, labels: Tensor) -> Callable[[], None]:
    """A training step of a network that gives logits, or an object that has them."""
    adam = torch.optim.Adam(network.parameters(), lr=1e-4)

    def run() -> None:
        found = network(images)
        logits = getattr(found, "logits", found)
        loss = F.cross_entropy(F.interpolate(logits, labels.shape[1:], mode="bilinear"), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()

    return run


def row(variant: str, side: int, batch: int, times: dict[str, float]) -> Row:
    """A line of a table."""
    return {
        "network": variant,
        "side": side,
        "batch": batch,
        **{f"{name} s": seconds for name, seconds in times.items()},
        "times faster": times["theirs"] / times["ours"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="b0", choices=[name for name in SHAPES if name != "tiny"])
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    device.keep_memory()
    where = device.pick("auto")
    theirs, ours = both(given.variant)
    theirs.to(where)
    device.to_device(ours, where)
    images = torch.rand(given.batch, 3, given.side, given.side).to(where)
    last = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(18, (given.batch, given.side, given.side)).to(where)
    theirs.eval()
    ours.eval()
    with torch.inference_mode():
        wanted, found = theirs((images - ours.mean) / ours.std).logits, ours(last)
        times = medians({"theirs": lambda: theirs(images), "ours": lambda: ours(last)}, given.repeats)
    work = row(given.variant, given.side, given.batch, times)
    work |= {"difference / std": float((found - wanted).abs().max() / wanted.std())}
    theirs.train()
    ours.train()
    times = medians({"theirs": step(theirs, images, labels), "ours": step(ours, last, labels)}, given.repeats)
    steps = row(given.variant, given.side, given.batch, times)
    show("segformer", {"Logits of pictures": [work], "A step of training": [steps]})


if __name__ == "__main__":
    main()
