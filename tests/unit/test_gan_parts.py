"""Pool, augmentation, losses and layers of the GANs."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck

from sfumato.losses.adversarial import adversarial_loss, gradient_penalty
from sfumato.losses.contrastive import patch_nce
from sfumato.nets import augment
from sfumato.nets.discriminators import PatchDiscriminator
from sfumato.nets.generators import ResnetGenerator, UnetGenerator
from sfumato.nets.initial import initialise
from sfumato.nets.layers import Dropout
from sfumato.nets.norms import InstanceNorm, instance_norm
from sfumato.nets.pool import ImagePool
from sfumato.nets.sampling import BlurDown


def numbered(*numbers):
    return torch.tensor([float(n) for n in numbers]).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def test_the_pool_fills_first():
    pool = ImagePool(3)
    assert torch.equal(pool.exchange(numbered(1, 2)), numbered(1, 2))
    assert torch.equal(pool.exchange(numbered(3)), numbered(3))
    assert pool.images[:, 0, 0, 0].tolist() == [1, 2, 3]


def test_then_half_of_the_time_an_earlier_one_comes_back():
    pool = ImagePool(4)
    pool.exchange(numbered(1, 2, 3, 4))
    given = [int(pool.exchange(numbered(new))[0, 0, 0, 0]) for new in range(5, 1005)]
    earlier = sum(g != n for g, n in zip(given, range(5, 1005), strict=True))
    assert 420 < earlier < 580
    assert len(set(given)) == len(given), "none comes back twice: it is replaced"


def test_a_pool_of_none_gives_everything_back():
    x = torch.rand(2, 3, 4, 4, requires_grad=True)
    result = ImagePool(0).exchange(x)
    assert torch.equal(result, x)
    assert not result.requires_grad


def test_the_pool_is_part_of_the_state():
    pool, other = ImagePool(2), ImagePool(2)
    pool.exchange(numbered(1))
    other.images.resize_(pool.images.shape)
    other.load_state_dict(pool.state_dict())
    for step in range(20):
        torch.manual_seed(step)
        mine = pool.exchange(numbered(step))
        torch.manual_seed(step)
        assert torch.equal(other.exchange(numbered(step)), mine)


@pytest.mark.parametrize("kind", ["least_squares", "vanilla"])
def test_right_logits_cost_less(kind):
    high, low = torch.full((2, 1, 3, 3), 0.9), torch.full((2, 1, 3, 3), 0.1)
    assert adversarial_loss(high, True, kind) < adversarial_loss(low, True, kind)
    assert adversarial_loss(low, False, kind) < adversarial_loss(high, False, kind)


def test_values_of_the_losses():
    logits = torch.tensor([[0.5]])
    assert adversarial_loss(logits, True, "least_squares").item() == pytest.approx(0.25)
    assert adversarial_loss(logits, False, "vanilla").item() == pytest.approx(math.log(1 + math.exp(0.5)))
    assert adversarial_loss(logits, True, "wasserstein").item() == -0.5
    assert adversarial_loss(logits, False, "wasserstein").item() == 0.5


def test_noisy_labels_lie_on_the_inner_side():
    real = torch.stack([adversarial_loss(torch.ones(1, 1, 1, 1), True, "least_squares", noise=0.2) for _ in range(300)])
    fake = torch.stack(
        [adversarial_loss(torch.zeros(1, 1, 1, 1), False, "least_squares", noise=0.2) for _ in range(300)]
    )
    for losses in (real, fake):
        offsets = losses.sqrt()
        assert 0 <= offsets.min() < 0.02
        assert 0.18 < offsets.max() <= 0.2
        assert abs(offsets.mean() - 0.1) < 0.02


def test_the_gradient_penalty_of_a_linear_critic():
    weight = torch.randn(3, 4, 4)
    penalty = gradient_penalty(lambda x: (x * weight).sum((1, 2, 3)), torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4))
    assert penalty.item() == pytest.approx((weight.norm().item() - 1) ** 2, rel=1e-4)


def test_the_gradient_penalty_teaches_a_critic():
    critic = PatchDiscriminator(3, 8, 1)
    initialise(critic, gain=0.2)
    optimizer = torch.optim.Adam(critic.parameters(), 1e-3)
    real, fake = torch.rand(4, 3, 16, 16), torch.rand(4, 3, 16, 16)
    losses = []
    for step in range(60):
        torch.manual_seed(step)
        loss = gradient_penalty(critic, real, fake)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_contrast_is_the_cross_entropy_of_the_own_key():
    q, k = (F.normalize(torch.randn(2, 5, 7), dim=2) for _ in range(2))
    expected = []
    for picture in range(2):
        for i in range(5):
            logits = torch.stack([q[picture, i] @ k[picture, j] for j in range(5)]) / 0.07
            expected.append(logits.logsumexp(0) - logits[i])
    torch.testing.assert_close(patch_nce(q, k), torch.stack(expected).mean())


def test_keys_learn_nothing():
    q, k = (torch.randn(1, 4, 3, requires_grad=True) for _ in range(2))
    patch_nce(q, k).backward()
    assert q.grad is not None
    assert k.grad is None


# Augmentation


def test_a_shift_moves_pixels_and_fills_with_zero():
    image = torch.arange(1.0, 65).view(1, 1, 8, 8).expand(1, 3, 8, 8)
    for seed in range(20):
        torch.manual_seed(seed)
        moved = augment.shifted(image)
        places = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        padded = F.pad(image, (1, 1, 1, 1))
        assert any(torch.equal(moved, padded[:, :, 1 + dy : 9 + dy, 1 + dx : 9 + dx]) for dy, dx in places)


def test_a_hole_is_at_most_half_the_side():
    for seed in range(20):
        torch.manual_seed(seed)
        zeros = (augment.holed(torch.ones(1, 3, 16, 16)) == 0)[0, 0]
        assert zeros.any(1).sum() <= 8
        assert zeros.any(0).sum() <= 8
        assert zeros.any()


def test_each_picture_of_a_batch_is_changed_its_own_way():
    images = torch.rand(1, 3, 16, 16).expand(4, 3, 16, 16)
    changed = augment.augment(images, "color shift cut")
    assert not torch.equal(changed[0], changed[1])


def test_pairs_are_moved_and_cut_alike_but_colored_apart():
    image = torch.rand(2, 3, 16, 16)
    moved, colored = (augment.augment(torch.cat((image, image), 1), kinds) for kinds in ("shift cut", "color"))
    assert torch.equal(*moved.chunk(2, 1))
    assert not torch.equal(moved[:, :3], image)
    first, second = colored.chunk(2, 1)
    assert not torch.equal(first, second)


def test_gradients_go_through_the_augmentation():
    images = torch.rand(2, 3, 16, 16, requires_grad=True)
    augment.augment(images, "color shift cut").sum().backward()
    assert images.grad.abs().sum() > 0


def test_blur_fades():
    noise = torch.randn(1, 3, 32, 32)
    spreads = [augment.blurred(noise, sigma).std().item() for sigma in (0.0, 0.5, 2.0, 40.0)]
    assert spreads[0] == noise.std().item()
    assert spreads == sorted(spreads, reverse=True)
    flat = torch.full((1, 3, 32, 32), 0.3)
    torch.testing.assert_close(augment.blurred(flat, 40.0), flat)


# Layers


def test_blur_down_is_the_filtered_picture():
    line = torch.tensor([1.0, 2, 1])
    weight = (torch.outer(line, line) / 16).expand(5, 1, 3, 3)
    for size in ((8, 12), (7, 9)):
        x = torch.rand(2, 5, *size)
        expected = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), weight, stride=2, groups=5)
        torch.testing.assert_close(BlurDown()(x), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_instance_norm(dtype):
    x = (torch.randn(2, 6, 9, 7) * 3 + 1).to(dtype).contiguous(memory_format=torch.channels_last)
    result = instance_norm(x)
    assert result.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(result.float(), F.instance_norm(x.float()), atol=tolerance, rtol=tolerance)


def test_the_gradient_of_instance_norm_and_its_own(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", lambda x: x)  # else the check would be one of float32's rounding
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    assert gradcheck(instance_norm, (x,))
    assert gradgradcheck(instance_norm, (x,))


def test_given_statistics_take_the_place_of_a_picture_s_own():
    norm, x = InstanceNorm(), torch.randn(1, 4, 6, 6)
    plain = norm(x)
    handle = norm.moments.register_forward_hook(lambda *_: None)
    torch.testing.assert_close(norm(x), plain, atol=1e-5, rtol=1e-5)
    handle.remove()
    norm.moments.register_forward_hook(lambda *_: (torch.zeros(1, 4, 1, 1), torch.full((1, 4, 1, 1), 2.0)))
    torch.testing.assert_close(norm(x), x / 2)


def test_dropout_scales_and_is_off_in_evaluation():
    layer, x = Dropout(0.5), torch.ones(4, 3, 32, 32)
    dropped = layer(x)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert abs(dropped.mean() - 1) < 0.05
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("halvings", [2, 3])
@pytest.mark.parametrize("kernels", [(3, 7), (5, 9)])
@pytest.mark.parametrize("antialias", [False, True])
def test_generators_keep_the_size(kernels, antialias, halvings):
    network = ResnetGenerator(4, 1, kernels=kernels, antialias=antialias, halvings=halvings)
    result = network(torch.rand(1, 3, 24, 32))
    assert result.shape == (1, 3, 24, 32)
    assert result.abs().max() <= 1


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(("halvings", "half"), [(2, 80), (3, 144)])
def test_the_halo_is_what_a_place_depends_on(monkeypatch, halvings, half, antialias):
    network = ResnetGenerator(4, 2, antialias=antialias, halvings=halvings).eval().double()
    monkeypatch.setattr("sfumato.nets.norms.instance_norm", lambda x: x)  # what is asked of the whole picture aside
    with torch.no_grad():
        x = torch.rand(1, 3, 2 * half, 2 * half).double()
        changed = x.clone()
        changed[:, :, :, :half] += 1
        differs = (network(x) - network(changed)).abs().amax((0, 1, 2)) > 0
    reach = int(differs.nonzero().max()) - half + 1
    assert network.halo - 4 * 2**halvings <= reach <= network.halo


def test_unets_need_their_own_multiples():
    network = UnetGenerator(4, 5, dropout=False)
    assert network(torch.rand(2, 3, 64, 32)).shape == (2, 3, 64, 32)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_patches_of_a_discriminator(layers):
    network = PatchDiscriminator(3, 4, layers).eval()
    x = torch.rand(1, 3, 320, 320, requires_grad=True)
    norms = [m for m in network.modules() if isinstance(m, InstanceNorm)]
    for norm in norms:
        norm.moments.register_forward_hook(
            lambda _m, inputs, _o: (torch.zeros(1, inputs[0].shape[1], 1, 1), torch.ones(1, inputs[0].shape[1], 1, 1))
        )
    logits = network(x)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    rows = x.grad.abs().sum((0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == {1: 16, 2: 34, 3: 70, 4: 142}[layers]
