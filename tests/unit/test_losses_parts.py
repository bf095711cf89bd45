"""The loss by labels that may leave parts open."""

import pytest
import torch
import torch.nn.functional as F

from sfumato.losses.parts import MOST, balanced, may_be, partial_cross_entropy, soft_cross_entropy

K = 5
EVERY = 2**K - 1


@pytest.fixture
def logits():
    return torch.randn(2, K, 6, 7, generator=torch.Generator().manual_seed(1)).requires_grad_()


@pytest.fixture
def numbers():
    return torch.randint(K, (2, 6, 7), generator=torch.Generator().manual_seed(2))


def test_labels_of_one_part_are_the_cross_entropy(logits, numbers):
    loss, shares = partial_cross_entropy(logits, (1 << numbers).int())
    torch.testing.assert_close(loss, F.cross_entropy(logits, numbers))
    torch.testing.assert_close(shares, F.one_hot(numbers, K).float().mean((0, 1, 2)))


def test_weights_are_those_of_the_cross_entropy_but_for_its_divisor(logits, numbers):
    weights = torch.tensor([0.5, 1.0, 2.0, 3.0, 0.1])
    loss, _ = partial_cross_entropy(logits, (1 << numbers).int(), weights)
    torch.testing.assert_close(loss, F.cross_entropy(logits, numbers, weights, reduction="sum") / numbers.numel())


def test_open_labels_sum_probabilities(logits):
    labels = torch.full((2, 6, 7), 0b01101, dtype=torch.int32)
    loss, shares = partial_cross_entropy(logits, labels)
    chances = logits.softmax(1)
    torch.testing.assert_close(loss, -chances[:, [0, 2, 3]].sum(1).log().mean())
    inside = chances[:, [0, 2, 3]] / chances[:, [0, 2, 3]].sum(1, keepdim=True)
    torch.testing.assert_close(shares[[0, 2, 3]], inside.mean((0, 2, 3)).detach())
    assert float(shares[[1, 4]].sum()) == 0


def test_places_of_which_nothing_is_known_do_not_count(logits, numbers):
    labels = (1 << numbers).int()
    labels[:, 3:] = EVERY
    loss, shares = partial_cross_entropy(logits, labels, torch.ones(K))
    loss.backward()
    torch.testing.assert_close(loss, F.cross_entropy(logits[:, :, :3], numbers[:, :3]))
    assert float(logits.grad[:, :, 3:].abs().max()) < 1e-7
    assert float(logits.grad[:, :, :3].abs().min()) > 0
    assert float(shares.sum()) == pytest.approx(1)


def test_nothing_known_at_all_is_no_loss(logits):
    loss, shares = partial_cross_entropy(logits, torch.full((2, 6, 7), EVERY, dtype=torch.int32))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    assert bool(torch.isfinite(logits.grad).all())
    assert float(shares.sum()) == 0


def test_which_parts_places_may_be():
    labels = torch.tensor([[[0b00001, 0b10100], [EVERY, 0b01000]]], dtype=torch.int32)
    found = may_be(labels, K)
    assert found.shape == (1, K, 2, 2)
    assert found[0, :, 0, 1].tolist() == [False, False, True, False, True]
    assert found.sum(1).tolist() == [[[1, 2], [5, 1]]]


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_weights_by_shares(balance):
    shares = torch.tensor([0.5, 0.3, 0.15, 0.05])
    weights = balanced(shares, balance)
    assert float((shares * weights).sum()) == pytest.approx(1)
    ratio = float(weights[3] / weights[0])
    assert ratio == pytest.approx(10**balance)


def test_weights_have_a_ceiling():
    weights = balanced(torch.tensor([0.999, 0.001, 0.0]), 1.0)
    assert float(weights.max()) == MOST


def test_soft_labels(logits):
    wanted = torch.rand(2, K, 6, 7).softmax(1)
    entropy = -(wanted * wanted.log()).sum(1).mean()
    apart = F.kl_div(logits.log_softmax(1), wanted, reduction="none").sum(1).mean()
    torch.testing.assert_close(soft_cross_entropy(logits, wanted), apart + entropy)
