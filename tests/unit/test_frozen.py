"""The fast form of a network gives the features of the slow one."""

import pytest
import torch

from sfumato.errors import WeightsError
from sfumato.nets.frozen import Frozen
from sfumato.nets.perceptual import Perceptual
from sfumato.nets.vgg import VGG, CompactVGG

WIDTHS = (6, 7, 8, 9, 10)
NETWORKS = {
    "torchvision": lambda: VGG(19, "relu4_2", widths=WIDTHS, flavour="torchvision"),
    "caffe": lambda: VGG(16, "relu3_3", widths=WIDTHS, flavour="caffe"),
    "normalised": lambda: VGG(19, "relu5_1", widths=WIDTHS),
    "average": lambda: VGG(19, "relu3_1", widths=WIDTHS, pool="average"),
    "compact": lambda: CompactVGG(WIDTHS),
}


def picture(height, width):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("size", [(33, 46), (64, 32)])
def test_features_and_gradients_are_the_networks_own(kind, size):
    perceptual = Perceptual([NETWORKS[kind]()])
    layers = perceptual.layers[:1] + perceptual.layers[-2:]
    results = []
    for network in (perceptual, Frozen(perceptual)):
        image = picture(*size).requires_grad_()
        features = network(image, layers)
        assert list(features) == layers
        loss = sum(x.square().mean() / x.detach().square().mean() for x in features.values())
        results.append([*features.values(), *torch.autograd.grad(loss, image)])
    for slow, fast in zip(*results, strict=True):
        torch.testing.assert_close(fast, slow, atol=1e-4 * slow.std().item(), rtol=1e-3)


def test_bfloat16_is_near_also_for_nearly_flat_pictures():
    perceptual = Perceptual([CompactVGG(WIDTHS)])
    image = 0.45 + 0.02 * picture(32, 32)
    slow = perceptual(image, perceptual.layers)
    fast = Frozen(perceptual, dtype=torch.bfloat16)(image, perceptual.layers)
    for layer, expected in slow.items():
        assert fast[layer].dtype == torch.bfloat16
        assert (fast[layer].float() - expected).norm() < 0.02 * expected.norm()


def test_several_networks_share_the_layers_and_missing_ones_are_named():
    first, second = VGG(19, "relu2_1", widths=WIDTHS), CompactVGG((5, 5, 5, 5, 5))
    frozen = Frozen(Perceptual([first, second]), narrow=True)
    features = frozen(picture(32, 32), ["relu4_1", "relu1_1"])
    assert {k: x.shape[1] for k, x in features.items()} == {"relu1_1": 6, "relu4_1": 5}
    with pytest.raises(WeightsError, match="relu4_3"):
        frozen(picture(32, 32), ["relu1_1", "relu4_3"])


def test_narrow_leaves_the_heads_out_and_pooling_can_be_changed():
    network = CompactVGG(WIDTHS)
    image = picture(32, 48)
    own = network.body(image, ["relu3_1"])["relu3_1"]
    torch.testing.assert_close(Frozen(Perceptual([network]), narrow=True)(image, ["relu3_1"])["relu3_1"], own)
    network.body.pool = "average"
    averaged = network.body(image, ["relu3_1"])["relu3_1"]
    network.body.pool = "max"
    changed = Frozen(Perceptual([network]), narrow=True, pool="average")(image, ["relu3_1"])["relu3_1"]
    torch.testing.assert_close(changed, averaged)


@pytest.mark.parametrize("kind", ["torchvision", "compact"])
def test_wrapping_borders_see_the_other_side(kind):
    frozen, image = Frozen(Perceptual([NETWORKS[kind]()]), borders="wrap"), picture(48, 32)
    for layer, step in (("relu1_1", 1), ("relu3_1", 4), ("relu4_1", 8)):
        rolled = frozen(image.roll((2 * step, -step), (2, 3)), [layer])[layer]
        expected = frozen(image, [layer])[layer].roll((2, -1), (2, 3))
        torch.testing.assert_close(rolled, expected, atol=1e-5, rtol=1e-4)


def test_replicated_borders_change_nothing_inside():
    perceptual, image = Perceptual([NETWORKS["normalised"]()]), picture(64, 64)
    (trained,) = Frozen(perceptual)(image, ["relu2_1"]).values()
    (replicated,) = Frozen(perceptual, borders="replicate")(image, ["relu2_1"]).values()
    torch.testing.assert_close(replicated[..., 4:-4, 4:-4], trained[..., 4:-4, 4:-4])
    assert not torch.equal(replicated, trained)


def test_one_pixel_is_enough():
    frozen = Frozen(Perceptual([CompactVGG(WIDTHS)]))
    assert frozen(picture(1, 1), ["relu5_1"])["relu5_1"].isfinite().all()
