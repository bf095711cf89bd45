import copy

import pytest
import torch
from torch import nn

from sfumato.train.optim import Muon, is_matrix, optimizer, orthogonal
from sfumato.train.recipe import Optimizer


class Small(nn.Module):
    """Weights of every kind: first, inner, depthwise and last filters, and a linear layer."""

    def __init__(self):
        super().__init__()
        self.first, self.inner = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1)
        self.each, self.last = nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.Conv2d(16, 3, 1)
        self.linear = nn.Linear(16, 32)

    def forward(self, x):
        h = self.each(self.inner(self.first(x).relu()).relu())
        return self.last(h).mean() + self.linear(h.mean((2, 3))).square().mean()


def teach(network, optimizer, steps):
    for step in range(steps):
        torch.manual_seed(step)
        optimizer.zero_grad()
        network(torch.randn(4, 3, 8, 8)).backward()
        optimizer.step()


@pytest.mark.parametrize("shape", [(3, 16, 40), (2, 40, 16), (1, 20, 20)])
def test_orthogonal_matrices_have_the_singular_vectors_and_values_about_one(shape):
    matrices = torch.randn(*shape) * torch.logspace(-3, 3, shape[0])[:, None, None]
    result = orthogonal(matrices)
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.3 and values.max() < 1.3
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    turned = u.mT @ result @ v.mT
    assert (turned - torch.diag_embed(turned.diagonal(dim1=1, dim2=2))).abs().max() < 1e-3


def test_inner_filters_are_matrices_and_the_others_are_not():
    matrices = {name for name, p in Small().named_parameters() if is_matrix(p)}
    assert matrices == {"inner.weight", "linear.weight"}


def test_without_momentum_it_is_adam():
    assert type(optimizer(Optimizer(), Small().parameters())) is torch.optim.Adam


def test_a_matrix_moves_along_its_orthogonal_gradient_at_adams_pace():
    network, settings = Small(), Optimizer(lr=0.01, muon=0.9)
    before = copy.deepcopy(network)
    teach(network, optimizer(settings, network.parameters()), 1)
    gradient = network.inner.weight.grad.flatten(1)
    moved = (before.inner.weight - network.inner.weight).detach().flatten(1)
    # The first mean is a tenth of the gradient; Nesterov's step looks one further: .9 * .1 + .1 = .19 of it.
    torch.testing.assert_close(
        moved, 0.01 * 0.2 * 144**0.5 * orthogonal(0.19 * gradient[None])[0], rtol=1e-3, atol=1e-6
    )


def test_all_other_weights_learn_as_by_adam():
    settings = {"lr": 0.01, "betas": (0.9, 0.99)}
    networks = [Small(), Small()]
    networks[1].load_state_dict(networks[0].state_dict())
    for network in networks:  # the same gradients: the matrices stay as they are
        network.inner.requires_grad_(False)
        network.linear.requires_grad_(False)
    teach(networks[0], Muon(networks[0].parameters(), 0.95, **settings), 3)
    teach(networks[1], torch.optim.Adam(networks[1].parameters(), **settings), 3)
    for ours, theirs in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_weight_decay_is_a_part_of_the_gradient():
    """L2, as Adam has it: not the decoupled one of AdamW. Muon's matrices decay, too."""
    for muon in (0.0, 0.95):
        networks = [Small(), Small()]
        networks[1].load_state_dict(networks[0].state_dict())
        decayed = optimizer(Optimizer(lr=0.01, muon=muon, weight_decay=0.1), networks[0].parameters())
        plain = optimizer(Optimizer(lr=0.01, muon=muon), networks[1].parameters())
        for network in networks:
            network(torch.ones(4, 3, 8, 8)).backward()
        for p in networks[1].parameters():
            p.grad.add_(p.detach(), alpha=0.1)
        decayed.step()
        plain.step()
        for ours, theirs in zip(*(network.parameters() for network in networks), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_state_goes_through_a_file_and_the_next_steps_are_bitwise_equal(tmp_path):
    whole, settings = Small(), Optimizer(lr=0.01, muon=0.95)
    steps = optimizer(settings, whole.parameters())
    teach(whole, steps, 2)
    torch.save({"network": whole.state_dict(), "optimizer": steps.state_dict()}, tmp_path / "state.pt")
    again = Small()
    others = optimizer(settings, again.parameters())
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    again.load_state_dict(saved["network"])
    others.load_state_dict(saved["optimizer"])
    teach(whole, steps, 2)
    teach(again, others, 2)
    for ours, theirs in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_only_matrices_is_fine():
    network = nn.Linear(16, 16, bias=False)
    steps = optimizer(Optimizer(lr=0.1, muon=0.95), network.parameters())
    before = network.weight.clone()
    network(torch.randn(3, 16)).square().sum().backward()
    steps.step()
    assert not torch.equal(before, network.weight)
