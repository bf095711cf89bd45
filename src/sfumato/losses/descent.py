"""Optimisers of one picture: they can take a step back, and move on to a larger size of the picture.

A run asks `step` for the next picture, given loss and gradient at the last one it gave; where these are not finite it
asks `retreat` for another try. Pictures stay in [0, 1].

Shapes: pictures (1, 3, H, W), float32.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

Resize = Callable[[Tensor], Tensor]
"""Brings a map over the picture, (1, 3, H, W), to the next size."""


class Descent(Protocol):
    """What both optimisers do."""

    def step(self, picture: Tensor, loss: float, gradient: Tensor) -> Tensor:
        """The next picture to try, from the last one, its loss and its gradient; all finite."""

    def retreat(self) -> Tensor:
        """A picture between the last good one and the one that failed; after it all steps are shorter."""

    def resize(self, resize: Resize) -> None:
        """Takes what was learned on to pictures of another size."""


class Adam:
    """Adam (Kingma & Ba, ICLR 2015, arXiv:1412.6980), its result clamped to [0, 1].

    On to another size go both moments, resampled as maps, and the count of steps, so that nothing has to warm up again.
    Gradients of a mean over pixels shrink as pixels grow in number: the moments are scaled by that.

    Args:
        rate: the largest change of a value in a step, about.
        betas: decay of the moments.
    """

    def __init__(self, rate: float, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self.rate, self.betas, self.count = rate, betas, 0
        self.moments: tuple[Tensor, Tensor] | None = None
        self.good = torch.empty(0)

    def step(self, picture: Tensor, loss: float, gradient: Tensor) -> Tensor:
        if self.moments is None:
            self.moments = torch.zeros_like(picture), torch.zeros_like(picture)
        self.good, self.count = picture, self.count + 1
        self.moments[0].lerp_(gradient, 1 - self.betas[0])
        self.moments[1].mul_(self.betas[1]).addcmul_(gradient, gradient, value=1 - self.betas[1])
        return self._next()

    def _next(self) -> Tensor:
        if self.moments is None:
            return self.good.clone()
        first, second = self._parts()
        scale = (self.moments[1] / second).sqrt_().add_(1e-16)
        return self.good.addcdiv(self.moments[0], scale, value=-self.rate / first).clamp_(0, 1)

    def _parts(self) -> tuple[float, float]:
        """How much of each moment is not its start, zero."""
        first, second = self.betas
        return 1 - first**self.count, 1 - second**self.count

    def retreat(self) -> Tensor:
        self.rate /= 4
        return self._next()

    def resize(self, resize: Resize) -> None:
        if self.moments is not None:
            first, second = (resize(m) for m in self.moments)
            ratio = self.good.numel() / first.numel()
            # Resampling overshoots: a square's mean below the mean's square would make a step larger than the rate.
            first_part, second_part = self._parts()
            second = second.maximum(first.square() * (second_part / first_part**2))
            self.moments = first * ratio, second * ratio**2


class LBFGS:
    """Limited-memory BFGS (Liu & Nocedal 1989) within bounds: values at 0 or 1 that want to leave stay out of the step.

    Steps have the full length of the quasi-Newton step, with no line search, as is usual for styles; a step by which
    the loss has grown by more than `TOLERANCE` is taken back and tried at a quarter of its length.

    On to another size go the pairs of changes of picture and gradient: the former resampled as a picture, the latter
    also divided by the growth in pixels (as gradients of means over pixels are). Pairs that have lost their positive
    curvature by that are dropped, as is the last gradient, which the new size's first evaluation replaces.

    Args:
        history: pairs kept.
    """

    TOLERANCE = 1.2
    CURVATURE = 1e-8

    def __init__(self, history: int = 10) -> None:
        self.history = history
        self.pairs: list[tuple[Tensor, Tensor, float]] = []  # changes of picture and gradient, their product
        self.last: tuple[Tensor, float, Tensor, Tensor] | None = None  # picture, loss, gradient, direction
        self.length = 1.0

    def step(self, picture: Tensor, loss: float, gradient: Tensor) -> Tensor:
        if self.last is not None:
            good, good_loss, good_gradient, _ = self.last
            if loss > self.TOLERANCE * good_loss and self.length > 1e-3:
                return self.retreat()
            self._learn(picture - good, gradient - good_gradient)
        free = ~((picture <= 0) & (gradient > 0) | (picture >= 1) & (gradient < 0))
        direction = self._direction(gradient * free).mul_(free)
        if not _dot(direction, gradient) < 0:  # no way down: forget, and follow the gradient
            self.pairs.clear()
            direction = self._direction(gradient * free)
        self.last, self.length = (picture, loss, gradient, direction), 1.0
        return self._next()

    def _next(self) -> Tensor:
        assert self.last is not None
        return torch.add(self.last[0], self.last[3], alpha=self.length).clamp_(0, 1)

    def retreat(self) -> Tensor:
        if self.last is None:
            raise ValueError("no step was taken yet")
        self.length /= 4
        return self._next()

    def _learn(self, change: Tensor, gradient_change: Tensor) -> None:
        curvature = _dot(change, gradient_change)
        if curvature > self.CURVATURE * (_dot(change, change) * _dot(gradient_change, gradient_change)) ** 0.5:
            self.pairs = [*self.pairs, (change, gradient_change, curvature)][-self.history :]

    def _direction(self, gradient: Tensor) -> Tensor:
        """Minus the inverse Hessian's estimate times the gradient (the two-loop recursion)."""
        if not self.pairs:  # the first step: its mean change of a value is 0.01
            return gradient * (-0.01 / gradient.abs().mean().clamp(min=1e-30))
        result, weights = -gradient, []
        for change, gradient_change, curvature in reversed(self.pairs):
            weights.append(_dot(change, result) / curvature)
            result.add_(gradient_change, alpha=-weights[-1])
        _, gradient_change, curvature = self.pairs[-1]
        result.mul_(curvature / _dot(gradient_change, gradient_change))
        for (change, gradient_change, curvature), weight in zip(self.pairs, reversed(weights), strict=True):
            result.add_(change, alpha=weight - _dot(gradient_change, result) / curvature)
        return result

    def resize(self, resize: Resize) -> None:
        pairs, self.pairs, self.last, self.length = self.pairs, [], None, 1.0
        for change, gradient_change, _ in pairs:
            larger = resize(change)
            self._learn(larger, resize(gradient_change) * (change.numel() / larger.numel()))


def _dot(a: Tensor, b: Tensor) -> float:
    return float(torch.dot(a.flatten(), b.flatten()))


class Average:
    """The mean of a run's pictures, recent ones counting most, without the pull of the start.

    Args:
        window: how many pictures count, about; 1 keeps the last one.
    """

    def __init__(self, window: float) -> None:
        self.decay, self.weight = max(0.0, 1 - 1 / window), 0.0
        self.total: Tensor | None = None

    def add(self, picture: Tensor, loss: float) -> None:
        """Counts one more picture."""
        self.total = torch.zeros_like(picture) if self.total is None else self.total
        self.total.lerp_(picture, 1 - self.decay)
        self.weight = self.decay * self.weight + 1 - self.decay

    def value(self) -> Tensor:
        """The mean so far."""
        assert self.total is not None
        return self.total / self.weight


class Best:
    """The picture of the least loss."""

    def __init__(self) -> None:
        self.picture, self.least = torch.empty(0), float("inf")

    def add(self, picture: Tensor, loss: float) -> None:
        """Counts one more picture."""
        if loss < self.least:
            self.picture, self.least = picture, loss

    def value(self) -> Tensor:
        """The best so far."""
        return self.picture
