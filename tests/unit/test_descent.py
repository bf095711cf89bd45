"""Optimisers of a picture on problems with a known end."""

import pytest
import torch

from sfumato.losses.descent import LBFGS, Adam, Average, Best
from sfumato.nets.resample import resample

SCALES = torch.logspace(0, 2, 3 * 8 * 8).view(1, 3, 8, 8)
GOAL = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1


def valley(image, goal=GOAL, scales=SCALES):
    """A badly scaled bowl: loss and gradient."""
    return 0.5 * (scales * (image - goal).square()).mean().item(), scales * (image - goal) / goal.numel()


def run(descent, steps, image, problem=valley):
    losses = []
    for _ in range(steps):
        loss, gradient = problem(image)
        losses.append(loss)
        image = descent.step(image, loss, gradient)
    return image, losses


@pytest.mark.parametrize("descent", [Adam(0.02), LBFGS()])
def test_both_come_to_the_end_of_a_valley(descent):
    image, losses = run(descent, 150, torch.full_like(GOAL, 0.5))
    assert valley(image)[0] < 1e-3 * losses[0]


def test_lbfgs_does_what_the_library_does_away_from_the_bounds():
    start = torch.full_like(GOAL, 0.5)
    image, _ = run(LBFGS(10), 12, start)
    theirs = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([theirs], lr=1, max_iter=1, history_size=10)
    first = 0.01 / valley(start)[1].abs().mean() * valley(start)[1]
    with torch.no_grad():  # its first step has another length: it starts where ours ends
        theirs -= first
    ours, _ = run(LBFGS(10), 12, theirs.detach().clone())
    for _ in range(12):

        def closure():
            loss = 0.5 * (SCALES * (theirs - GOAL).square()).mean()
            optimizer.zero_grad()
            loss.backward()
            return loss

        optimizer.step(closure)
    reached = 0.5 * (SCALES * (theirs - GOAL).square()).mean().item()
    assert valley(ours)[0] < 3 * reached
    assert valley(image)[0] < valley(start)[0] * 0.05


@pytest.mark.parametrize("descent", [Adam(0.02), LBFGS()])
def test_values_stay_within_bounds_and_reach_them(descent):
    goal = GOAL * 2 - 0.5  # some below 0, some above 1
    seen = []

    def problem(image):
        seen.append((image.min().item(), image.max().item()))
        return valley(image, goal)

    image, _ = run(descent, 200, torch.full_like(GOAL, 0.5), problem)
    assert min(low for low, _ in seen) >= 0
    assert max(high for _, high in seen) <= 1
    assert (image - goal.clamp(0, 1)).abs().mean() < 0.01


@pytest.mark.parametrize("descent", [Adam(0.02), LBFGS()])
def test_retreats_are_nearer_and_nearer(descent):
    start = torch.full_like(GOAL, 0.5)
    image, _ = run(descent, 3, start)
    loss, gradient = valley(image)
    tried = descent.step(image, loss, gradient)
    nearer, nearest = descent.retreat(), descent.retreat()
    distances = [(x - image).norm().item() for x in (tried, nearer, nearest)]
    assert distances[0] > 2 * distances[1] > 4 * distances[2] > 0


def test_lbfgs_takes_back_a_step_that_made_it_worse():
    descent = LBFGS()
    image, _ = run(descent, 3, torch.full_like(GOAL, 0.5))
    loss, gradient = valley(image)
    tried = descent.step(image, loss, gradient)
    again = descent.step(tried, loss * 10, gradient)
    assert (again - image).norm() < 0.5 * (tried - image).norm()
    pairs = len(descent.pairs)
    descent.step(again, loss * 0.99, valley(again)[1])
    assert len(descent.pairs) == pairs + 1


def larger(images):
    return resample(images, (16, 16))


def same_but_larger(image):
    return valley(image, larger(GOAL), larger(SCALES))


@pytest.mark.parametrize(("kind", "steps"), [(lambda: Adam(0.02), 120), (LBFGS, 20)])
def test_what_was_learned_helps_at_a_larger_size(kind, steps):
    learned, fresh = kind(), kind()
    image, _ = run(learned, steps, torch.full_like(GOAL, 0.5))
    learned.resize(larger)
    with_state, _ = run(learned, 6, larger(image), same_but_larger)
    without, _ = run(fresh, 6, larger(image), same_but_larger)
    assert same_but_larger(with_state)[0] < same_but_larger(without)[0]


def test_adams_moments_and_lbfgs_pairs_have_the_scale_of_the_larger_size():
    adam, lbfgs = Adam(0.02), LBFGS()
    for descent in (adam, lbfgs):
        run(descent, 5, torch.full_like(GOAL, 0.5))
    count, first, second = adam.count, *(m.mean().item() for m in adam.moments)
    curvatures = [c for *_, c in lbfgs.pairs]
    adam.resize(larger)
    lbfgs.resize(larger)
    assert adam.count == count
    assert adam.moments[0].mean().item() == pytest.approx(first / 4, rel=0.1)
    assert adam.moments[1].mean().item() == pytest.approx(second / 16, rel=0.3)
    adam.good = torch.full((1, 3, 16, 16), 0.5)
    assert (adam.retreat() - 0.5).abs().max() <= 0.02 / 4 + 1e-6
    assert 0 < len(lbfgs.pairs) <= len(curvatures)
    assert all(c > 0 and change.shape[-1] == 16 for change, _, c in lbfgs.pairs)


def test_averages_forget_the_start_and_the_best_is_the_best():
    average, best = Average(5), Best()
    for value in [9.0, *[1.0] * 40]:
        average.add(torch.full((1,), value), 0.0)
    assert average.value().item() == pytest.approx(1, abs=0.01)
    once = Average(5)
    once.add(torch.full((1,), 3.0), 0.0)
    assert once.value().item() == pytest.approx(3)
    for value in (3.0, 1.0, 2.0):
        best.add(torch.full((1,), value), value)
    assert best.value().item() == 1
