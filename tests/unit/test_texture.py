"""Statistics of features: their values, gradients and distances."""

import pytest
import torch

from sfumato.losses.judge import even_shares
from sfumato.losses.texture import Gram, Wasserstein, gram_matrix, raw_moments, roughness
from sfumato.nets.norms import blend


def features(seed, *shape, mix=True):
    generator = torch.Generator().manual_seed(seed)
    raw = torch.randn(1, *shape, generator=generator)
    matrix = torch.randn(shape[0], shape[0], generator=generator) / shape[0] ** 0.5
    return torch.einsum("oc,bchw->bohw", matrix, raw) + 1 if mix else raw


SHARES = torch.rand(1, 1, 13, 11, generator=torch.Generator().manual_seed(9))


def plain_gram(x, shares):
    rows = x[0].double().flatten(1)
    weight = torch.ones(rows.shape[1]).double() if shares is None else shares.double().flatten()
    return (rows * weight) @ rows.T / weight.sum()


@pytest.mark.parametrize("shares", [None, SHARES])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gram_matrices_and_their_gradients_are_the_definitions(shares, layout):
    x = features(0, 6, 13, 11).to(memory_format=layout).requires_grad_()
    target = torch.randn(6, 6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(gram_matrix(x, shares).double(), plain_gram(x, shares), atol=1e-5, rtol=1e-5)
    (fast,) = torch.autograd.grad((gram_matrix(x, shares) * target).sum(), x)
    (slow,) = torch.autograd.grad((plain_gram(x, shares) * target).sum(), x)
    torch.testing.assert_close(fast, slow)


def test_gram_matrices_of_bfloat16_features_are_summed_in_float32():
    x = (features(2, 8, 64, 65).abs() * 300).bfloat16()
    exact = plain_gram(x, None)
    assert (gram_matrix(x).double() - exact).norm() < 5e-4 * exact.norm()


def test_shares_of_regions_add_up():
    x = features(3, 5, 13, 11)
    parts = [gram_matrix(x, share) * share.mean() for share in (SHARES, 1 - SHARES)]
    torch.testing.assert_close(sum(parts), gram_matrix(x))
    means = [raw_moments(x, share)[1] * share.mean() for share in (SHARES, 1 - SHARES)]
    torch.testing.assert_close(sum(means), raw_moments(x)[1])


def covariance(x):
    return torch.cov(x[0].double().flatten(1), correction=0)


def root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def test_wasserstein_distance_is_the_formula_and_its_gradient_right():
    x, y = features(4, 6, 20, 20).double(), features(5, 6, 20, 20)
    target = Wasserstein(raw_moments(y))
    middle = root(covariance(y))
    spread = covariance(x) + covariance(y) - 2 * root(middle @ covariance(x) @ middle)
    means = x.mean((2, 3)) - y.double().mean((2, 3))
    expected = (means.square().sum() + spread.trace()) / y.double().square().mean((2, 3)).sum()
    assert target.distance(raw_moments(x.float())).item() == pytest.approx(expected.item(), rel=1e-2)
    variable, direction = x.float().requires_grad_(), features(6, 6, 20, 20, mix=False)
    (gradient,) = torch.autograd.grad(target.distance(raw_moments(variable)), variable)
    ahead, behind = (target.distance(raw_moments(x.float() + e * direction)) for e in (1e-2, -1e-2))
    assert (gradient * direction).sum().item() == pytest.approx(((ahead - behind) / 2e-2).item(), rel=1e-2)


def test_wasserstein_bears_equal_and_missing_directions_and_says_what_is_no_number():
    x = features(7, 6, 9, 9)
    x[:, :3] = 0
    x[:, 3] = x[:, 4]
    variable = x.clone().requires_grad_()
    target = Wasserstein(raw_moments(x))
    assert target.distance(raw_moments(x)).abs() < 1e-3
    (gradient,) = torch.autograd.grad(target.distance(raw_moments(variable * 2)), variable)
    assert gradient.isfinite().all()
    assert Wasserstein(raw_moments(x * 0)).distance(raw_moments(variable)).isfinite()
    assert target.distance(raw_moments(variable * torch.inf)).isnan()


@pytest.mark.parametrize("kind", [Gram, Wasserstein])
def test_distances_are_relative_zero_at_the_target_and_go_by_blended_targets(kind):
    x, y = features(8, 5, 30, 30), features(9, 5, 30, 30)
    target = kind(kind.of(y))
    assert target.distance(kind.of(y)).abs() < 1e-4
    larger = kind(kind.of(y * 50)).distance(kind.of(x * 50))
    assert larger.item() == pytest.approx(target.distance(kind.of(x)).item(), rel=1e-2)
    both = kind.of(torch.cat([x, y], 2))
    assert kind(blend([kind.of(x), kind.of(y)], [0.5, 0.5])).distance(both).abs() < 1e-4


@pytest.mark.parametrize("wraps", [False, True])
@pytest.mark.parametrize("size", [(5, 7), (1, 4), (1, 1)])
def test_roughness_is_its_definition_with_its_gradient(wraps, size):
    images = torch.rand(1, 3, *size, dtype=torch.double).requires_grad_()
    across, down = (images - images.roll(-1, dim) for dim in (3, 2))
    if not wraps:
        across, down = across[..., :-1], down[..., :-1, :]
    expected = (across.square().sum() + down.square().sum()) / images.numel()
    torch.testing.assert_close(roughness(images, wraps=wraps), expected)
    assert torch.autograd.gradcheck(lambda x: roughness(x, wraps=wraps), images)


def test_shares_are_masks_where_they_do_not_overlap_and_go_by_weights_where_they_do():
    like = torch.zeros(1, 3, 6, 8)
    left = torch.zeros(1, 1, 6, 8)
    left[..., :4] = 1
    shares = even_shares([left, 1 - left], [0.9, 0.1], like=like)
    torch.testing.assert_close(shares, torch.cat([left, 1 - left]))
    shares = even_shares([left, torch.ones(1, 1, 3, 4)], [0.75, 0.25], like=like)
    torch.testing.assert_close(shares[:, 0, 0, 0], torch.tensor([0.75, 0.25]))
    torch.testing.assert_close(shares[:, 0, 0, -1], torch.tensor([0.0, 1.0]))
    assert (even_shares([left * 0.4], [1.0], like=like).sum(0) <= 0.41).all()
    assert (even_shares([left * 0, left * 0], [0.5, 0.5], like=like) == 0).all()
