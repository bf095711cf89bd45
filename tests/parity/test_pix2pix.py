"""pix2pix against the authors' own code: the recorded steps of training; its U-Net is tested with CycleGAN."""

from parity.official_training import compare, plainly, record, refill, steps
from parity.test_cyclegan import read

from sfumato.methods import pix2pix

LOSSES = {"G_GAN": "generator/adversarial", "G_L1": "generator/pixel"}


def test_training(monkeypatch):
    plainly(monkeypatch)
    training = pix2pix.Training(pix2pix.Config(dropout=False))
    refill(training.a2b.network, {key: tuple(t.shape) for key, t in read("unet256_bn")[1].items()}, "G")
    refill(training.judge, judge_shapes(), "D")
    recorded = record("pix2pix")["steps"]
    for ours, theirs in zip(steps(training, 256, len(recorded)), recorded, strict=True):
        ours |= {"real": 2 * ours["discriminator/real"], "fake": 2 * ours["discriminator/fake"]}
        compare(ours, theirs["losses"], LOSSES | {"D_real": "real", "D_fake": "fake"})


def judge_shapes():
    """The authors' keys of a discriminator of pairs."""
    shapes = {"model.0.weight": (64, 6, 4, 4), "model.0.bias": (64,)}
    for number, entering, leaving in ((2, 64, 128), (5, 128, 256), (8, 256, 512)):
        shapes[f"model.{number}.weight"] = (leaving, entering, 4, 4)
        shapes |= {f"model.{number + 1}.{k}": (leaving,) for k in ("weight", "bias", "running_mean", "running_var")}
    return shapes | {"model.11.weight": (1, 512, 4, 4), "model.11.bias": (1,)}
